"""How a server ends, seen from outside."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from tests.benchmarks.load import Failed, served

pytestmark = pytest.mark.slow


def files(folder: Path) -> list[Path]:
    return [path for path in (folder / "tmp").rglob("*") if path.is_file()]


def test_a_server_that_is_asked_to_stop_deletes_what_visitors_brought(tmp_path: Path, repository: Path) -> None:
    with served(repository, tmp_path) as server:
        server.diagnose(64, seed=1)
        assert any(path.name == "t1.csv" for path in files(tmp_path))
        assert any(path.name == "state.json" for path in files(tmp_path))
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(30) == 0
    assert files(tmp_path) == []


@pytest.mark.parametrize("signals", [(signal.SIGTERM, signal.SIGTERM), (signal.SIGINT, signal.SIGTERM)])
def test_a_second_signal_ends_it_at_once_and_leaves_nothing(
    tmp_path: Path, repository: Path, signals: tuple[signal.Signals, signal.Signals]
) -> None:
    with served(repository, tmp_path) as server:
        server.upload("t.csv", b"loss\n1\n")
        assert any(path.name == "t.csv" for path in files(tmp_path))
        for number in signals:
            server.process.send_signal(number)
            time.sleep(0.05)
        code = server.process.wait(30)
        assert code in (0, 128 + signal.SIGTERM, 128 + signal.SIGINT)
    assert files(tmp_path) == []


def test_what_a_killed_server_leaves_is_deleted_by_the_next_start(tmp_path: Path, repository: Path) -> None:
    with served(repository, tmp_path) as server:
        server.upload("t.csv", b"loss\n1\n")
        server.process.kill()
        server.process.wait(30)
    assert any(path.name == "t.csv" for path in files(tmp_path))
    with served(repository, tmp_path) as server:
        assert not any(path.name == "t.csv" for path in files(tmp_path))


def test_a_second_server_leaves_the_first_one_s_data_alone(tmp_path: Path, repository: Path) -> None:
    with served(repository, tmp_path) as first:
        first.upload("t.csv", b"loss\n1\n")
        with served(repository, tmp_path):
            assert any(path.name == "t.csv" for path in files(tmp_path))
        with pytest.raises(Failed):
            first.call("clusters", "nobody's")
