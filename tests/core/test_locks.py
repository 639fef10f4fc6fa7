"""One holder at a time, in whatever process, and nothing left beside what is locked."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from core.errors import Cancelled
from core.locks import lock


def test_two_threads_wait_for_each_other_and_one_may_hold_it_twice(tmp_path: Path) -> None:
    inside, waited = threading.Event(), threading.Event()

    def hold() -> None:
        with lock(tmp_path / "a"), lock(tmp_path / "a"):
            inside.set()
            waited.wait(60)

    other = threading.Thread(target=hold)
    other.start()
    inside.wait(60)
    with lock(tmp_path / "a", waited.set):
        assert waited.is_set()
    other.join(60)
    assert not other.is_alive()
    assert os.listdir(tmp_path) == []


def test_another_process_is_waited_for_until_it_ends_however_that_is(tmp_path: Path, repository: Path) -> None:
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, time; from pathlib import Path; from core.locks import lock\n"
            "with lock(Path(sys.argv[1])):\n    print('held', flush=True); time.sleep(60)",
            str(tmp_path / "a"),
        ],
        cwd=repository,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"

    def stop() -> None:
        raise Cancelled("stopped")

    with pytest.raises(Cancelled), lock(tmp_path / "a", stop):
        pytest.fail("it is held")
    holder.kill()
    holder.wait()
    with lock(tmp_path / "a", stop):
        pass


def test_where_the_cache_cannot_be_written_locks_lie_in_the_temporary_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("ERRATA_CACHE", str(tmp_path / "file"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with lock(tmp_path / "a"):
        assert any(path.name.startswith("errata-locks-") for path in tmp_path.iterdir())
