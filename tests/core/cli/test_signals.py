"""SIGTERM and SIGHUP end a command in order."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator

import pytest

from core.cli import diagnose as commands
from core.cli.main import main
from core.cli.signals import STOPS, stopped_by_signals


@pytest.fixture(autouse=True)
def nothing_ignored() -> Iterator[None]:
    """Also where the tests themselves run under nohup, which ignores SIGHUP."""
    before = {one: signal.signal(one, signal.SIG_DFL) for one in STOPS}
    yield
    for one, handler in before.items():
        signal.signal(one, handler)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_signal_sweeps_says_so_and_gives_its_exit_code(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if not hasattr(signal, name):
        pytest.skip(f"there is no {name} here")
    number, swept = getattr(signal, name), list[str]()

    def work() -> None:
        try:
            os.kill(os.getpid(), number)
            os.kill(os.getpid(), number)  # never reached
        finally:
            os.kill(os.getpid(), number)  # a second one while it sweeps
            swept.append("all")

    monkeypatch.setattr(commands.encoders, "callback", work)
    assert main(["encoders"]) == 128 + number
    assert capsys.readouterr().err == f"\nStopped by {name}.\n"
    assert swept == ["all"]
    assert signal.getsignal(number) is signal.SIG_DFL


def test_a_signal_that_is_ignored_stays_so_and_other_threads_change_nothing() -> None:
    if not hasattr(signal, "SIGHUP"):
        pytest.skip("there is no SIGHUP here")
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stopped_by_signals():
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)
    seen: list[object] = []

    def elsewhere() -> None:
        with stopped_by_signals():
            seen.extend(signal.getsignal(one) for one in STOPS)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert seen == [signal.SIG_DFL] * len(STOPS)
