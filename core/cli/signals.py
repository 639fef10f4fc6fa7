"""End a command at SIGTERM, or at SIGHUP of a closing terminal, as at Ctrl-C: half-written files are removed, earlier
files stay."""

from __future__ import annotations

import signal
import sys
import threading
import time
from _thread import interrupt_main
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType

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
"""The exception that a signal raised in the current block."""
_RETRY_S: float = 0.01


def raise_again() -> None:
    """Raise a signal's exception again, in case some code caught it and went on."""
    if _RECEIVED:
        raise _RECEIVED[0]


@contextmanager
def stopped_by_signals() -> Generator[None]:
    """Raise StoppedBySignal in the block at the first of STOPS, and KeyboardInterrupt at Ctrl-C. A second one of STOPS
    is ignored, so that the cleanup can finish. An exception that some code caught is raised at the end.

    Python drops an exception raised in one of its own callbacks, such as the one at the end of each import; it is then
    raised once more. A signal that is already ignored stays ignored, as after `nohup`. Only the main thread receives
    signals; in other threads this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    lost = threading.Event()
    """Whether Python dropped the exception, which nothing has raised again."""
    taken = threading.Event()
    """Whether the handler has run since the last retry: one retry at a time, so that none comes after the exception."""

    def stop(number: int, frame: FrameType | None) -> None:
        if number != signal.SIGINT and _RECEIVED and not lost.is_set():
            return
        if not _RECEIVED:
            if number == signal.SIGINT:
                _RECEIVED.append(KeyboardInterrupt())
            else:
                _RECEIVED.append(StoppedBySignal(number))
        while frame and frame.f_code is not dropped.__code__:
            frame = frame.f_back
        if frame:  # Python would drop it here too
            taken.set()
            return
        lost.clear()
        taken.set()
        raise _RECEIVED[0]

    def retry(number: int) -> None:
        time.sleep(_RETRY_S)
        while lost.is_set():
            taken.clear()
            interrupt_main(signal.Signals(number))
            taken.wait()
            time.sleep(_RETRY_S)

    def dropped(unraisable: sys.UnraisableHookArgs) -> None:
        raised = unraisable.exc_value
        if isinstance(raised, KeyboardInterrupt):
            number = int(signal.SIGINT)
            if isinstance(raised, StoppedBySignal):  # not Ctrl-C for all: a background job ignores it
                number = raised.exit_code - 128
            lost.set()
            threading.Thread(target=retry, args=(number,), daemon=True).start()
        else:
            hook(unraisable)

    handlers = {number: signal.getsignal(number) for number in (*STOPS, signal.SIGINT)}
    before = {n: handler for n, handler in handlers.items() if handler in (signal.SIG_DFL, signal.default_int_handler)}
    for number in before:
        signal.signal(number, stop)
    hook = sys.unraisablehook
    sys.unraisablehook = dropped
    try:
        yield
        raise_again()
    finally:
        lost.clear()
        taken.set()
        sys.unraisablehook = hook
        _RECEIVED.clear()
        for number, handler in before.items():
            signal.signal(number, handler)
