"""A made-up run with words, and what zero-shot says of it, for the tests of the page."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from httpx import create_ssl_context

import core.encoders
from core.data.images import thumbnails
from core.records import Diagnosis
from core.store import save
from core.systems.probes.records import ProbeResult
from tests.support.kept_pictures import drawn_once
from tests.support.showcase import PlainEncoder, add_words, make_showcase
from tests.support.visits import serve
from webapp.state.runs import RUNS
from webapp.systems.probes.state import run_one


@pytest.fixture(scope="session", autouse=True)
def quick_setup() -> Iterator[None]:
    """Images of made-up runs are drawn once, and the machine's certificates read once: these servers ask for none."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(thumbnails, "_thumbnails", drawn_once(thumbnails._thumbnails))
        patch.setattr("httpx._transports.default.create_ssl_context", cache(create_ssl_context))
        yield


@pytest.fixture(autouse=True)
def nobody() -> Iterator[None]:
    """A test serves whom it says itself, and never the visitor of a test before it in the same process."""
    serve("")
    yield
    serve("")


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    real = core.encoders.load_encoder
    monkeypatch.setattr(
        core.encoders,
        "load_encoder",
        lambda name="embedded", **kw: PlainEncoder() if name == "plain" else real(name, **kw),
    )


@pytest.fixture(scope="session")
def streets() -> Diagnosis:
    return add_words(make_showcase(120))


@pytest.fixture(scope="session")
def result(streets: Diagnosis) -> ProbeResult:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(core.encoders, "load_encoder", lambda name="embedded", **kw: PlainEncoder())
        results, name = run_one(streets, "zero-shot", {})
    assert name == "zero-shot"
    return results[0]


@pytest.fixture
def example(streets: Diagnosis, tmp_path: Path) -> str:
    save(streets, tmp_path / "probed" / "run.errata")
    return RUNS.offer(tmp_path / "probed" / "run.errata")
