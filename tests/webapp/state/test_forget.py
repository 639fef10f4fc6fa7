"""A visitor's data deleted at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import gradio as gr
import pytest
from gradio.context import LocalContext

from core.errors import InvalidInput
from core.records import Diagnosis
from webapp.data.tab import on_forget
from webapp.state.caches import own_cache
from webapp.state.downloads import fresh_folder
from webapp.state.quotas import SHARED, quotas, set_quotas
from webapp.state.session import RUNS
from webapp.state.uploads import UPLOADS


@pytest.fixture(autouse=True)
def shared() -> Iterator[None]:
    before = quotas()
    set_quotas(replace(SHARED, max_own_runs=2))
    yield
    set_quotas(before)
    LocalContext.request.set(None)


def serve(session: str) -> None:
    request = gr.Request()
    request.session_hash = session
    LocalContext.request.set(request)


def test_what_one_visitor_brought_and_made_is_gone_at_once_and_another_s_stays(
    diagnosis: Diagnosis, tmp_path: Path
) -> None:
    held: dict[str, tuple[str, list[Path]]] = {}
    for name in ("ann", "ben"):
        serve(name)
        upload = tmp_path / name / "t.csv"
        upload.parent.mkdir()
        upload.write_text("loss\n1\n")
        UPLOADS.add("", upload)
        own_cache().mkdir(parents=True)
        run = RUNS.add(diagnosis)
        held[name] = (run, [RUNS.folder(run), fresh_folder("audit"), own_cache(), upload])
    serve("ann")
    assert "Deleted" in on_forget(str(tmp_path / "ann" / "t.csv"), None, [])
    run, paths = held["ann"]
    assert not any(path.exists() for path in paths)
    with pytest.raises(InvalidInput, match="no longer held"):
        RUNS.get(run)
    run, paths = held["ben"]
    assert all(path.exists() for path in paths)
    assert len(RUNS.get(run).samples) == 60


def test_of_too_many_runs_of_a_visitor_the_earliest_goes(diagnosis: Diagnosis) -> None:
    serve("cy")
    first, second, third = (RUNS.add(diagnosis) for _ in range(3))
    with pytest.raises(InvalidInput):
        RUNS.get(first)
    assert RUNS.folder(second).exists()
    assert RUNS.folder(third).exists()
    RUNS.forget("cy")


def test_a_server_full_of_runs_says_so(diagnosis: Diagnosis) -> None:
    serve("dee")
    set_quotas(replace(SHARED, max_runs=0))
    with pytest.raises(InvalidInput, match="Try again later"):
        RUNS.add(diagnosis)
