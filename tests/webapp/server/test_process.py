"""How a server ends, seen from outside."""

from __future__ import annotations

import io
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from research.evidence.load import Failed, Server, made_up, served
from tests.support.files_below import files_below
from tests.support.quick_server import START

pytestmark = pytest.mark.slow


def files(folder: Path) -> set[str]:
    """Names of all that lies below the server's temporary folder."""
    return {path.name for path in files_below(folder / "tmp")}


def ends_with(server: Server, *signals: signal.Signals) -> int:
    """The exit status after these signals."""
    for number in signals:
        server.process.send_signal(number)
        time.sleep(0.05)
    return server.process.wait(30)


def test_a_server_that_is_asked_to_stop_deletes_what_visitors_brought(tmp_path: Path, repository: Path) -> None:
    """Vectors are brought, since no encoder need be read for them."""
    rng, packed = np.random.default_rng(0), io.BytesIO()
    np.save(packed, rng.normal(size=(64, 4)).astype(np.float32))
    table, pictures = made_up(64, seed=1)
    with served(repository, tmp_path) as server:
        server.upload("p1.zip", pictures)
        vectors = server.upload("e1.npy", packed.getvalue())
        run = server.call("diagnose", server.upload("t1.csv", table), None, vectors, {})
        assert run
        assert {"t1.csv", "p1.zip", "e1.npy"} <= files(tmp_path)
        assert any(name.endswith(".errata") for name in files(tmp_path))
        assert ends_with(server, signal.SIGTERM) == 0
    assert files(tmp_path) == set()


def test_servers_beside_and_after_one_another(tmp_path: Path, repository: Path) -> None:
    """A second server leaves the first one's data alone; a second signal ends one at once and leaves nothing; what a
    killed one leaves is deleted by the next start."""
    at_once = (0, 128 + signal.SIGTERM)
    with served(repository, tmp_path, start=START) as first:
        first.upload("t1.csv", b"loss\n1\n")
        with served(repository, tmp_path, start=START) as second:
            second.upload("t2.csv", b"loss\n1\n")
            assert {"t1.csv", "t2.csv"} <= files(tmp_path)
            assert ends_with(second, signal.SIGTERM, signal.SIGTERM) in at_once
        assert "t1.csv" in files(tmp_path)
        assert "t2.csv" not in files(tmp_path)
        with pytest.raises(Failed):
            first.call("clusters", "nobody's")
        first.process.kill()
        first.process.wait(30)
    assert "t1.csv" in files(tmp_path)
    with served(repository, tmp_path, start=START) as third:
        assert "t1.csv" not in files(tmp_path)
        third.upload("t3.csv", b"loss\n1\n")
        assert "t3.csv" in files(tmp_path)
        assert ends_with(third, signal.SIGINT, signal.SIGTERM) in at_once
    assert files(tmp_path) == set()
