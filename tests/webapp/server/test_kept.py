"""Runs that outlive their server, seen from outside: it is killed, and started once more."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from core.store import load
from research.evidence.load import Failed, Server, served
from tests.support.quick_server import START
from webapp.state import home
from webapp.state.runs import Runs

pytestmark = pytest.mark.slow


def consistent(kept: Path) -> list[str]:
    """Names of the stored runs, each of which is whole and has its note; nothing else lies there."""
    runs = sorted(path.stem for path in (kept / "runs").glob("[!.]*"))  # a part goes after an hour
    assert all(load(kept / "runs" / f"{name}.errata") for name in runs)
    notes = [json.loads(path.read_text()) for path in (kept / "notes").iterdir()]
    assert sorted(note["name"] for note in notes) == runs
    return runs


def killed(server: Server) -> None:
    server.process.kill()
    server.process.wait(30)


def test_a_run_is_found_after_a_kill_and_after_an_end_in_order(tmp_path: Path, repository: Path) -> None:
    kept = tmp_path / "kept"
    with served(repository, tmp_path, str(kept), START) as server:
        run = server.diagnose(64, seed=1)
        found = server.call("clusters", run)
        killed(server)
    with served(repository, tmp_path, str(kept), START) as server:
        assert server.call("clusters", run) == found
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(30) == 0
    assert len(consistent(kept)) == 1
    both = [served(repository, tmp_path, str(kept), START) for _ in range(2)]
    with both[0] as first, both[1] as second:
        other = second.diagnose(64, seed=2)
        assert first.call("clusters", run) == found
        assert first.call("clusters", other) == second.call("clusters", other)
    with served(repository, tmp_path, start=START) as forgetful, pytest.raises(Failed):  # --keep none
        forgetful.call("clusters", run)


WRITING = """
import sys
from pathlib import Path
from tests.support.diagnoses import make_diagnosis
from webapp.state import home
from webapp.state.runs import RUNS
home.keep(Path(sys.argv[1]))
RUNS.begin(lists_all=True)
print(RUNS.add(make_diagnosis()), flush=True)
while True:
    RUNS.change(RUNS.add(make_diagnosis()), lambda now: now)
"""


def test_a_server_killed_while_it_writes_runs_leaves_whole_ones_alone(tmp_path: Path, repository: Path) -> None:
    kept, rng = tmp_path / "kept", np.random.default_rng(0)
    command = [sys.executable, "-c", WRITING, str(kept)]
    for _ in range(3):
        writer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=repository)
        assert writer.stdout is not None
        run = writer.stdout.readline().strip()
        time.sleep(rng.uniform(0.0, 0.6))
        writer.kill()
        writer.communicate()
        before = len(list((kept / "runs").glob("[!.]*")))
        after = Runs()
        try:
            home.keep(kept)
            after.begin(lists_all=True)
            assert len(after.get(run).samples) == 60
            assert len(consistent(kept)) in (before - 1, before)  # what was half written is gone, and no more
        finally:
            home.keep(None)
