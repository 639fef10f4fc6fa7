"""One holder at a time."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from core.errors import Cancelled
from core.locks import wait_for


def test_two_passes_over_one_set_wait_for_each_other(tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    inside, waited = threading.Event(), threading.Event()

    def hold() -> None:
        with wait_for(tmp_path, no_wait):
            inside.set()
            waited.wait(60)

    def no_wait() -> None: ...

    other = threading.Thread(target=hold)
    other.start()
    inside.wait(60)
    with wait_for(tmp_path, waited.set):
        assert waited.is_set()
    other.join(60)
    assert not other.is_alive()


def test_a_waiting_pass_can_be_stopped(tmp_path: Path) -> None:
    pytest.importorskip("fcntl")

    def stop() -> None:
        raise Cancelled("stopped")

    with wait_for(tmp_path, stop), pytest.raises(Cancelled), wait_for(tmp_path, stop):
        pass
