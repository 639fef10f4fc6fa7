"""A server that is killed at a step of its work, and what its next start finds."""

from __future__ import annotations

import sqlite3
import threading
import time
import zlib
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from research.evidence.load import Failed, Server, made_up, served
from tests.support.files_below import files_below
from tests.support.page_over_http import HttpPage
from tests.support.quick_server import QUICK
from webapp.state.downloads import FILES

pytestmark = pytest.mark.slow

STOPPING = """
import sys, time
from pathlib import Path
from core.files import replacing
from core.records import progress as reports
from core.reports.html import diagnosis as report
from webapp.state.work import Job

reports.SECONDS_BETWEEN_REPORTS = 0  # a quick machine has done all before the second report
at, least, sign = sys.argv.pop(1), int(sys.argv.pop(1)), Path(sys.argv.pop(1))

def stand_still():
    sign.touch()
    time.sleep(600)

def progress(job, step, done, total):
    said(job, step, done, total)
    if step == at and done >= least:
        stand_still()

def write_text(path, text):
    with replacing(path) as part:
        part.write_text(text[: len(text) // 2])
        stand_still()

if at == "half a report":
    report.write_text = write_text
said, Job.progress = Job.progress, progress
examples = sign.parent / "examples"
"""
"""A server whose work stands still for good at a step, and says so by a file; it has the examples beside that, and
starts faster than others."""


@contextmanager
def started(folder: Path, repository: Path, step: str = "none", least: int = 0) -> Generator[tuple[Server, Path]]:
    """(server, the file by which it says that it is at that step)."""
    sign = folder / f"at {step}"
    (folder / "examples").mkdir(exist_ok=True)
    start = ("-c", STOPPING + QUICK, step, str(least), str(sign))
    with served(repository, folder, str(folder / "kept"), start) as server:
        yield server, sign


@contextmanager
def stopped_at(step: str, least: int, do: Callable[[Server], Any], folder: Path, repository: Path) -> Generator[Server]:
    """A server that has been asked to `do` something, is at that step of it, and is killed after the block."""
    with started(folder, repository, step, least) as (server, sign):

        def ask() -> None:
            with suppress(httpx.HTTPError, Failed, TimeoutError):  # the answer never comes
                do(server)

        asking = threading.Thread(target=ask, daemon=True)
        asking.start()
        until = time.monotonic() + 240
        while not sign.exists() and time.monotonic() < until:
            time.sleep(0.05)
        assert sign.exists(), (folder / "log").read_text()[-2000:]
        yield server
        server.process.kill()
        server.process.wait(30)


def left(folder: Path) -> list[str]:
    """What lies below the server's temporary folder and where it keeps runs, but for its lock."""
    return sorted(path.name for at in ("tmp", "kept") for path in files_below(folder / at) if path.name != ".lock")


def cached(folder: Path) -> dict[bytes, int]:
    """Place of each entry of the cache by its key; all are whole."""
    with sqlite3.connect(folder / "cache" / "embeddings.sqlite") as opened:
        rows = opened.execute("SELECT rowid, key, checksum, data FROM entries").fetchall()
    assert all(zlib.crc32(data) == checksum for _, _, checksum, data in rows)
    return {key: place for place, key, _, _ in rows}


def test_vectors_made_before_a_kill_are_used_and_no_half_run_is_found(tmp_path: Path, repository: Path) -> None:
    """Killed while embedding, then while searching; the second one begins with what the first has embedded."""
    table, pictures = made_up(64, seed=1)

    def diagnose(server: Server) -> None:
        server.call("diagnose", server.upload("t1.csv", table), server.upload("p1.zip", pictures), None, {})

    with stopped_at("embed", 32, diagnose, tmp_path, repository):
        pass
    first = cached(tmp_path)
    assert 32 <= len(first) < 64
    assert {"t1.csv", "p1.zip"} <= set(left(tmp_path))
    with stopped_at("Fitting the loss model", 1, diagnose, tmp_path, repository):
        assert left(tmp_path).count("t1.csv") == 1  # its own: the start has swept what the first one held
    second = cached(tmp_path)
    assert len(second) == 64
    assert first.items() <= second.items()  # not written again
    with started(tmp_path, repository):
        assert left(tmp_path) == []


def test_half_a_report_goes_with_the_server_that_wrote_it_and_the_next_one_writes_it_whole(
    tmp_path: Path, repository: Path
) -> None:
    (tmp_path / "examples").mkdir()
    (tmp_path / "examples" / "scenes").symlink_to(repository / "assets" / "examples" / "scenes")

    def take(server: Server, names: Sequence[str]) -> None:
        page = HttpPage(server.address)
        page.load()
        page.unfold("closing")
        for name in names:
            page.act("downloads", take=name)

    with stopped_at("half a report", 0, lambda server: take(server, ["report.html"]), tmp_path, repository):
        there = left(tmp_path)
        assert any("report.html" in name for name in there)
        assert "report.html" not in there  # nobody is offered it
    with started(tmp_path, repository) as (server, _):
        assert left(tmp_path) == []
        take(server, [name for name, _ in FILES])
        made = {path.name: path for path in files_below(tmp_path / "tmp") if path.name != ".lock"}
        assert set(made) == {name for name, _ in FILES}
        assert made["report.html"].read_text("utf-8").rstrip().endswith("</html>")
