"""Who reads the shards: this process, or workers of Ray."""

from __future__ import annotations

import ast
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.cli.main import main
from core.data.tables.roles import Roles
from core.errors import InvalidInput, MissingDependency
from core.systems.shards.confirm import confirm
from core.systems.shards.engines import LOCAL, ShardEngine, over_shards
from core.systems.shards.files import find_shards
from core.systems.shards.sample import search_shards
from tests.support.shards import QUICK, planted_rows, write_shards

RAY = ShardEngine("ray", 2)


@dataclass(frozen=True)
class CountLetters:
    """Counts the letters of a name; "bad" cannot be counted, and at "dead" the process dies."""

    marks: Path

    def start(self) -> Callable[[str], int]:
        (self.marks / f"{os.getpid()}").touch()
        return self.count

    def count(self, name: str) -> int:
        if name == "bad":
            raise InvalidInput("bad: it has no letters. Write it again.")
        if name == "lacking":
            raise MissingDependency("Letters need paper. Run `pip install paper`.")
        if name == "dead" or (name == "dying" and not (self.marks / "died").exists()):
            (self.marks / "died").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return len(name)


def test_values_come_in_the_order_of_the_names_and_a_worker_starts_once(tmp_path: Path) -> None:
    seen = list[tuple[int, int]]()
    names = ["three", "one", "fourteen"]
    found = over_shards(
        CountLetters(tmp_path), names, "count", progress=lambda _, done, total: seen.append((done, total))
    )
    assert list(found.items()) == [("three", 5), ("one", 3), ("fourteen", 8)]
    assert seen == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert len(list(tmp_path.iterdir())) == 1


def test_one_broken_shard_does_not_stop_the_others_and_is_told_at_the_end(tmp_path: Path) -> None:
    done = list[int]()
    with pytest.raises(InvalidInput, match=r"1 of 3 shards could not be used\. bad: it has no letters"):
        over_shards(CountLetters(tmp_path), ["a", "bad", "c"], "count", progress=lambda _, n, total: done.append(n))
    assert done[-1] == 3


@pytest.mark.parametrize(("name", "workers"), [("spark", 1), ("local", 2), ("ray", 0)])
def test_an_engine_that_is_none_is_refused(name: Any, workers: int) -> None:
    with pytest.raises(InvalidInput, match="The engine must be local with 1 worker, or ray"):
        ShardEngine(name, workers)


@pytest.mark.parametrize("engine", [LOCAL, pytest.param(RAY, marks=pytest.mark.slow)], ids=lambda one: one.name)
def test_a_package_that_a_worker_lacks_is_named(engine: ShardEngine, tmp_path: Path) -> None:
    if engine is RAY:
        pytest.importorskip("ray")
    with pytest.raises(MissingDependency, match=r"^Letters need paper\. Run `pip install paper`\.$"):
        over_shards(CountLetters(tmp_path), ["a", "lacking"], "count", engine=engine)


@pytest.mark.slow
def test_ray_gives_what_this_process_gives(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    shards = find_shards(write_shards(tmp_path / "shards", planted_rows(3000)), Roles())
    ours = search_shards(shards, tmp_path / "a", most=800, settings=QUICK)
    theirs = search_shards(shards, tmp_path / "b", most=800, settings=QUICK, engine=RAY)
    assert ours.diagnosis.fingerprint == theirs.diagnosis.fingerprint
    one, other = confirm(ours), confirm(theirs, engine=RAY)
    assert one.digest == other.digest
    assert [(row.n, row.predicted.value) for row in one.rows] == [(row.n, row.predicted.value) for row in other.rows]
    for row, same in zip(one.rows, other.rows, strict=True):
        assert row.observed is not None
        np.testing.assert_allclose(row.observed.value, same.observed.value, rtol=1e-12)


@pytest.mark.slow
def test_a_worker_that_is_killed_is_started_again_and_a_shard_that_kills_each_is_told(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    before = signal.getsignal(signal.SIGTERM)
    found = over_shards(CountLetters(tmp_path), ["a", "dying", "three"], "count", engine=RAY)
    assert found == {"a": 1, "dying": 5, "three": 5}
    assert signal.getsignal(signal.SIGTERM) == before
    with pytest.raises(InvalidInput, match=r"1 of 3 shards .* dead: each worker that opened it died"):
        over_shards(CountLetters(tmp_path), ["a", "dead", "three"], "count", engine=RAY)


@pytest.mark.slow
def test_more_workers_than_cores_are_refused_and_a_ray_that_runs_is_left_running(tmp_path: Path) -> None:
    ray = pytest.importorskip("ray")
    ray.init(address="local", num_cpus=1, include_dashboard=False, object_store_memory=2**27)
    try:
        with pytest.raises(InvalidInput, match="Ray has 1 cores and 2 workers need one each"):
            over_shards(CountLetters(tmp_path), ["a", "b", "c"], "count", engine=RAY)
        assert over_shards(CountLetters(tmp_path), ["abc"], "count", engine=RAY) == {"abc": 3}
        assert ray.is_initialized()
    finally:
        ray.shutdown()


@dataclass(frozen=True)
class LookAround:
    """What a worker of Ray sees of its surroundings."""

    def start(self) -> Callable[[str], tuple[str, str, str]]:
        return self.look

    def look(self, name: str) -> tuple[str, str, str]:
        ray: Any = import_module("ray")
        node = ray._private.worker.global_worker.node
        return os.environ["RAY_USAGE_STATS_ENABLED"], ray.get_runtime_context().gcs_address, node.webui_url or ""


@pytest.mark.slow
def test_ray_tells_nobody_opens_no_page_and_listens_to_this_machine_alone(repository: Path, tmp_path: Path) -> None:
    """In a process of its own: where Ray listens is settled while it is imported."""
    pytest.importorskip("ray")
    code = (
        "from core.systems.shards.engines import *; from tests.core.systems.shards.test_engines import LookAround; "
        "print(over_shards(LookAround(), ['a'], 'look', engine=ShardEngine('ray', 1))['a'])"
    )
    env = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    env |= {"RAY_USAGE_STATS_ENABLED": "1", "HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], cwd=repository, env=env, capture_output=True, text=True)
    told, address, page = ast.literal_eval(done.stdout)
    assert told == "0"
    assert address.startswith("127.0.0.1:")
    host, _, port = page.rpartition(":")  # where its page would be
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)))
    assert done.stderr == ""
    assert list(tmp_path.iterdir()) == []


def test_a_cluster_that_is_not_there_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(**_: object) -> None:
        raise ConnectionError("nobody answers")

    monkeypatch.setattr(pytest.importorskip("ray"), "init", fails)
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.9:6379")
    with pytest.raises(InvalidInput, match=r"The cluster at 10\.0\.0\.9:6379 \(\$RAY_ADDRESS\) could not .*nobody"):
        over_shards(CountLetters(tmp_path), ["a"], "count", engine=RAY)


def test_without_ray_what_brings_it_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delitem(sys.modules, "core.systems.shards.ray_engine", raising=False)
    write_shards(tmp_path / "shards", planted_rows(300))
    code = main(
        ["shards", str(tmp_path / "shards"), "--out", str(tmp_path / "run.errata"), "--sample", "60", "--engine", "ray"]
    )
    assert code == 3
    assert "needs ray. Run `pip install ray`" in capsys.readouterr().err
