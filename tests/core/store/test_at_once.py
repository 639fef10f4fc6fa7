"""Runs that are written by several at once, or whose writer dies."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from core import store
from core.errors import Cancelled, InvalidInput
from core.locks import take
from core.owned import COMMITTED
from core.records import Diagnosis
from core.store import RunStore, finish, load, update
from core.store.layout import PARTS, STATE
from tests.support.diagnoses import assert_same, make_diagnosis


def plain(note: str = "", seed: int = 0) -> Diagnosis:
    return replace(make_diagnosis(seed=seed, with_images=False), notes=(note,) if note else ())


def adding(note: str) -> Callable[[Diagnosis], Diagnosis]:
    return lambda now: replace(now, notes=(*now.notes, note))


def test_two_results_that_are_added_at_once_both_stay(tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    finish(plain(), tmp_path)
    known, started = load(tmp_path), threading.Barrier(2)

    def add(note: str) -> None:
        started.wait(60)
        update(known, tmp_path, adding(note))

    threads = [threading.Thread(target=add, args=(note,)) for note in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(load(tmp_path).notes) == {"one", "two"}


def test_a_second_writer_waits_and_can_be_stopped(tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    finish(plain("old"), tmp_path)
    said: list[str] = []

    def stop(step: str, done: int, total: int) -> None:
        said.append(step)
        raise Cancelled("Stopped.")

    held = take(tmp_path)
    assert held is not None
    with held, pytest.raises(Cancelled):
        finish(plain("new"), tmp_path, stop)
    assert said == ["wait for another process that writes there"]
    assert load(tmp_path).notes == ("old",)


def test_a_reader_beside_a_writer_finds_whole_runs_alone(tmp_path: Path) -> None:
    finish(plain("0"), tmp_path)

    def write() -> None:
        for i in range(1, 6):
            finish(plain(str(i), seed=i), tmp_path)

    writer = threading.Thread(target=write)
    writer.start()
    seen: list[int] = []
    while writer.is_alive():
        found = load(tmp_path)
        assert_same(found, plain(found.notes[0], seed=int(found.notes[0])))
        seen.append(int(found.notes[0]))
    writer.join()
    assert seen == sorted(seen)
    assert load(tmp_path).notes == ("5",)


def test_a_new_run_takes_all_of_the_earlier_one_away_and_nothing_of_the_users(tmp_path: Path) -> None:
    for name in PARTS:
        (tmp_path / name).write_text("of an earlier run")
    (tmp_path / STATE).write_text('{"format": 2, "diagnosis": {}}')
    (tmp_path / "mine.parquet").write_text("mine")
    store.save(plain(), tmp_path)
    assert not {"model.json", "model.npz", "thumbnails.zip", "report.html", "prediction.json"} & set(
        os.listdir(tmp_path)
    )
    assert (tmp_path / "mine.parquet").read_text() == "mine"


def test_a_result_of_another_run_beside_the_state_is_noticed_and_said_until_it_is_written_anew(tmp_path: Path) -> None:
    finish(plain("first"), tmp_path)
    (tmp_path / "report.html").write_text("another report")
    (tmp_path / "samples.parquet").unlink()  # the user may take files away
    found = load(tmp_path)
    assert [note for note in found.notes if "report.html" in note] == [found.notes[-1]]
    assert "samples.parquet" not in found.notes[-1]
    finish(found, tmp_path)
    assert load(tmp_path).notes == ("first",)


def test_a_run_that_a_killed_writer_committed_is_read_whole_also_where_it_cannot_be_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish(plain("old"), tmp_path)
    finish(plain("new", seed=1), tmp_path / COMMITTED)
    with monkeypatch.context() as patch:
        patch.setattr("core.folders.settle", lambda folder, kind: None)
        assert_same(load(tmp_path), plain("new", seed=1))
    assert_same(load(tmp_path), plain("new", seed=1))
    assert not (tmp_path / COMMITTED).exists()
    assert load(tmp_path).notes == ("new",)


def test_a_store_sweeps_what_killed_processes_left_and_keeps_what_is_whole(tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    first = RunStore(tmp_path)
    kept, moving, begun = (first.put(plain(seed=seed)) for seed in range(3))
    (tmp_path / moving).rename(tmp_path / "aside")
    (tmp_path / moving).mkdir()
    (tmp_path / "aside").rename(tmp_path / moving / COMMITTED)
    (tmp_path / begun / STATE).unlink()
    (tmp_path / kept / ".report.html.01234567.part").write_text("half")
    (tmp_path / ".gone-0123456789abcdef").mkdir()
    (tmp_path / ".new-0123456789abcdef").mkdir()
    again = RunStore(tmp_path)
    assert sorted(again.names()) == sorted([kept, moving])
    assert sorted(os.listdir(tmp_path)) == sorted([kept, moving])
    assert not [name for name in os.listdir(tmp_path / kept) if name.startswith(".")]
    assert again.get(moving).samples.ids == plain(seed=1).samples.ids


def test_a_run_that_is_removed_is_none_any_more_before_its_files_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = RunStore(tmp_path)
    name = first.put(plain())
    monkeypatch.setattr("shutil.rmtree", lambda *args, **named: None)  # killed there
    first.remove(name)
    monkeypatch.undo()
    assert first.names() == []
    RunStore(tmp_path)
    assert os.listdir(tmp_path) == []


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
    store.finish(found, Path(sys.argv[1]), progress)

commands.encoders.callback = write
sys.exit(main(["encoders"]))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "code", "left"), [("SIGTERM", 143, 0), ("SIGHUP", 129, 0), ("SIGINT", 130, 0), ("SIGKILL", -9, 1)]
)
def test_a_writer_that_gets_a_signal_leaves_the_earlier_run_and_nothing_for_ever(
    tmp_path: Path, repository: Path, name: str, code: int, left: int
) -> None:
    if not hasattr(signal, name):
        pytest.skip(f"there is no {name} here")
    finish(plain("old"), tmp_path)

    def usual() -> None:  # a job in the background ignores SIGINT, one of nohup SIGHUP
        for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(each, signal.SIG_DFL)

    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path)],
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
    assert load(tmp_path).notes == ("old",)
    assert not [entry for entry in os.listdir(tmp_path) if entry.startswith(".")]


def test_a_state_that_names_files_outside_reads_none_of_them(tmp_path: Path) -> None:
    finish(plain(), tmp_path)
    said = json.loads((tmp_path / STATE).read_text("utf-8"))
    said["files"] |= {"/dev/zero": "0", "../other": "0"}
    (tmp_path / STATE).write_text(json.dumps(said), "utf-8")
    assert load(tmp_path).notes == ()


def test_a_pipe_in_the_place_of_a_file_is_refused_at_once(tmp_path: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("there are no pipes with names here")
    finish(plain(), tmp_path)
    (tmp_path / "state.npz").unlink()
    os.mkfifo(tmp_path / "state.npz")
    with pytest.raises(InvalidInput, match="damaged"):
        load(tmp_path)
