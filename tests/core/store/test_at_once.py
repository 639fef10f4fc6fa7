"""Runs that are written by several at once, or whose writer dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import Cancelled, InvalidInput
from core.files import sweep_parts
from core.locks import lock
from core.records import Diagnosis
from core.store import RunStore, load, save, update
from tests.support.diagnoses import assert_same, make_diagnosis


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return tmp_path / "run.errata"


def plain(note: str = "", seed: int = 0) -> Diagnosis:
    return replace(make_diagnosis(seed=seed, with_images=False), notes=(note,) if note else ())


def adding(note: str) -> Callable[[Diagnosis], Diagnosis]:
    return lambda now: replace(now, notes=(*now.notes, note))


def test_two_results_that_are_added_at_once_both_stay(run: Path) -> None:
    save(plain(), run)
    known, started = load(run), threading.Barrier(2)

    def add(note: str) -> None:
        started.wait(60)
        update(known, run, adding(note))

    threads = [threading.Thread(target=add, args=(note,)) for note in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(load(run).notes) == {"one", "two"}


def test_a_second_writer_waits_and_can_be_stopped(run: Path) -> None:
    save(plain("old"), run)
    said: list[str] = []
    inside, over = threading.Event(), threading.Event()

    def hold() -> None:
        with lock(run):
            inside.set()
            over.wait(60)

    def stop(step: str, done: int, total: int) -> None:
        said.append(step)
        raise Cancelled("Stopped.")

    holder = threading.Thread(target=hold)
    holder.start()
    inside.wait(60)
    with pytest.raises(Cancelled):
        save(plain("new"), run, stop)
    over.set()
    holder.join()
    assert said == ["Waiting for another process that writes there"]
    assert load(run).notes == ("old",)


def test_a_reader_beside_a_writer_finds_whole_runs_alone(run: Path) -> None:
    save(plain("0"), run)

    def write() -> None:
        for i in range(1, 6):
            save(plain(str(i), seed=i), run)

    writer = threading.Thread(target=write)
    writer.start()
    seen: list[int] = []
    while writer.is_alive():
        found = load(run)
        assert_same(found, plain(found.notes[0], seed=int(found.notes[0])))
        seen.append(int(found.notes[0]))
    writer.join()
    assert seen == sorted(seen)
    assert load(run).notes == ("5",)


def test_a_store_sweeps_what_killed_processes_left_and_nothing_that_is_being_written(tmp_path: Path) -> None:
    name = RunStore(tmp_path).put(plain())
    left, fresh = tmp_path / f".{name}.errata.01234567.part", tmp_path / ".other.errata.01234567.part"
    for path in (left, fresh):
        path.write_text("half")
    an_hour_ago = time.time() - 3700
    os.utime(left, (an_hour_ago, an_hour_ago))
    again = RunStore(tmp_path)
    assert again.names() == [name]
    assert sorted(os.listdir(tmp_path)) == sorted([f"{name}.errata", fresh.name])


WRITER = """
import json, sys
from dataclasses import replace
from pathlib import Path
from core import store
from core.cli.main import main
from core.cli import diagnose as commands
from tests.support.diagnoses import make_diagnosis

def write() -> None:
    found = replace(make_diagnosis(), notes=("new",))
    def progress(step, done, total):
        if done == 20:
            print("ready", flush=True)
            sys.stdin.readline()
    store.save(found, Path(sys.argv[1]), progress)

commands.encoders.callback = write
sys.exit(main(["encoders"]))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "code", "left"), [("SIGTERM", 143, 0), ("SIGHUP", 129, 0), ("SIGINT", 130, 0), ("SIGKILL", -9, 1)]
)
def test_a_writer_that_gets_a_signal_leaves_the_earlier_run_and_nothing_for_ever(
    tmp_path: Path, run: Path, repository: Path, name: str, code: int, left: int
) -> None:
    if not hasattr(signal, name):
        pytest.skip(f"there is no {name} here")
    save(plain("old"), run)

    def usual() -> None:  # a job in the background ignores SIGINT, one of nohup SIGHUP
        for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(each, signal.SIG_DFL)

    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(run)],
        cwd=repository,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=usual,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(getattr(signal, name))
    _, said = process.communicate("\n", timeout=60)
    assert process.returncode == code
    assert "Traceback" not in said
    assert len([entry for entry in os.listdir(tmp_path) if entry.startswith(".")]) == left
    assert load(run).notes == ("old",)
    for entry in tmp_path.iterdir():
        os.utime(entry, (0, 0))
    sweep_parts(tmp_path)
    assert os.listdir(tmp_path) == [run.name]


def test_a_pipe_in_the_place_of_a_run_is_refused_at_once(run: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("there are no pipes with names here")
    os.mkfifo(run)
    with pytest.raises(InvalidInput, match=r"cannot be opened \(run\.errata is not a file\)"):
        load(run)
