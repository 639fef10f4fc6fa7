"""SIGTERM and SIGHUP end a command in order."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.cli import diagnose as commands, signals
from core.cli.main import main
from core.cli.signals import STOPS, stopped_by_signals
from core.cli.terminal import TerminalProgress


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


class Dropped:
    """What is raised where this goes away is dropped by Python, as at the end of an import."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __del__(self) -> None:
        os.kill(os.getpid(), self.number)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("way", ["dropped", "caught before more work", "caught at the end"])
def test_a_signal_that_something_swallows_ends_the_command_all_the_same(
    number: int,
    code: int,
    way: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    request: pytest.FixtureRequest,
) -> None:
    worked: list[int] = []
    monkeypatch.setattr(signals, "_RETRY_S", 0)  # at once, also while Python still reports what it dropped
    kept = signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    request.addfinalizer(lambda: signal.signal(number, kept))  # Ctrl-C is ignored where the tests run in the background

    def work() -> None:
        if way == "dropped":
            Dropped(number)
        else:
            with contextlib.suppress(KeyboardInterrupt):
                os.kill(os.getpid(), number)
        if way != "caught at the end":
            for step in range(500):
                time.sleep(0.01)
                worked.append(step)
                if way == "caught before more work":
                    TerminalProgress()("work", step, 500)

    monkeypatch.setattr(commands.encoders, "callback", work)
    assert main(["encoders"]) == code
    said = capsys.readouterr().err
    assert said.startswith("\nStopped")
    assert "Traceback" not in said
    assert len(worked) < 100


BEGINS = """
import builtins, core.__main__ as m

def told(name, *rest, real=builtins.__import__, **more):
    if name == "core.cli.main":
        print(flush=True)
    return real(name, *rest, **more)

builtins.__import__ = told
m.run()
"""


@pytest.mark.parametrize("after", [0.0, 0.02, 0.06, 0.15, 0.4])
def test_ctrl_c_shows_no_traceback_however_early_it_comes(after: float, repository: Path) -> None:
    command = [sys.executable, "-c", BEGINS, "encoders"]
    with subprocess.Popen(command, cwd=repository, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as begun:
        assert begun.stdout
        begun.stdout.readline()  # the first import of a command
        time.sleep(after)
        begun.send_signal(signal.SIGINT)
        _, said = begun.communicate(timeout=60)
    assert "Traceback" not in said
    assert begun.returncode in (130, -signal.SIGINT, 0)


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
