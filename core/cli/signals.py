"""SIGTERM, and SIGHUP of a terminal that closes, end a command as Ctrl-C does: what it was writing is swept, what was
there before stays."""

from __future__ import annotations

import signal
import sys
import threading
from _thread import interrupt_main
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

STOPS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))


class StoppedBySignal(KeyboardInterrupt):
    """One of STOPS was received.

    Args:
        number: the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.exit_code = 128 + number


_RECEIVED: list[KeyboardInterrupt] = []
"""What a signal raised in the block under way."""
_SOON_S = 0.01


def raise_again() -> None:
    """Raise what a signal raised before, where something caught it and went on."""
    if _RECEIVED:
        raise _RECEIVED[0]


@contextmanager
def stopped_by_signals() -> Generator[None]:
    """Raise StoppedBySignal in the block at the first of STOPS, and KeyboardInterrupt at Ctrl-C; a second one of STOPS,
    while it is being swept, is passed over. What something caught is raised at the end.

    Python drops what is raised in a callback of its own, such as runs at the end of each import; it is raised once more
    then. A signal that is ignored already stays so, as after `nohup`. Only the main thread gets signals: others change
    nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> NoReturn:
        if number != signal.SIGINT:
            for one in STOPS:
                signal.signal(one, signal.SIG_IGN)
        if not _RECEIVED:
            _RECEIVED.append(KeyboardInterrupt() if number == signal.SIGINT else StoppedBySignal(number))
        raise _RECEIVED[0]

    def dropped(unraisable: sys.UnraisableHookArgs) -> None:
        raised = unraisable.exc_value
        if isinstance(raised, KeyboardInterrupt):
            number = raised.exit_code - 128 if isinstance(raised, StoppedBySignal) else int(signal.SIGINT)
            signal.signal(number, stop)  # not Ctrl-C for all: that is ignored in the background
            threading.Timer(_SOON_S, interrupt_main, (number,)).start()
        else:
            hook(unraisable)

    usual = (signal.SIG_DFL, signal.default_int_handler)
    before = {one: handler for one in (*STOPS, signal.SIGINT) if (handler := signal.getsignal(one)) in usual}
    for one in before:
        signal.signal(one, stop)
    hook = sys.unraisablehook
    sys.unraisablehook = dropped
    try:
        yield
        raise_again()
    finally:
        sys.unraisablehook = hook
        _RECEIVED.clear()
        for one, handler in before.items():
            signal.signal(one, handler)
