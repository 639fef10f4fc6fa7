"""Caches of visitors are apart; at home there is the user's own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.files import default_cache
from tests.support.visits import serve
from webapp.state.caches import own_cache, shared_cache
from webapp.state.forget import end_visit
from webapp.state.jobs import Job, Jobs
from webapp.state.quotas import AT_HOME, SHARED, set_quotas

pytestmark = pytest.mark.usefixtures("shared")


def test_two_visitors_share_no_cache_and_nobody_uses_the_operator_s() -> None:
    serve("ann")
    ann = own_cache()
    serve("ben")
    assert own_cache() not in (ann, shared_cache(), default_cache())
    assert not own_cache().is_relative_to(default_cache())
    serve("ann")
    assert own_cache() == ann


def test_a_job_s_thread_works_for_the_visitor_who_started_it() -> None:
    serve("ann")
    ann, job = own_cache(), Job(lambda progress: own_cache())
    serve("ben")
    list(Jobs().follow(job))
    assert job.result == ann


def test_at_home_the_user_s_own_cache_is_used() -> None:
    set_quotas(AT_HOME)
    serve("ann")
    assert own_cache() == shared_cache() == default_cache()


def test_a_cache_that_is_too_large_is_begun_anew_and_one_of_a_visit_that_is_over_is_gone() -> None:
    serve("cy")
    folder = own_cache()
    folder.mkdir()
    (folder / "embeddings.sqlite").write_bytes(b"x" * 100)
    assert own_cache().exists()
    set_quotas(replace(SHARED, max_own_cache_bytes=99))
    assert not own_cache().exists()
    folder.mkdir()
    end_visit("cy")
    assert not folder.exists()
