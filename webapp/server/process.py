"""The server as a process: its own folder from the first moment on, and an end in order when it is asked to stop.

SIGTERM, SIGINT     what runs is stopped, the visitors' data are deleted, exit code 0 within ten seconds;
                    a second one ends it at once, their data deleted
SIGKILL, a crash    the folder stays, and the next server that starts deletes it

Runs that are kept elsewhere (`webapp.state.home.keep`) stay in each case, whole or not at all.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import tempfile
import threading
from dataclasses import replace
from types import FrameType

import gradio as gr

from webapp.server.sessions import bound_sessions
from webapp.server.sweep import Sweeper
from webapp.state.forget import end_visit
from webapp.state.home import home, keep_runs, kept_in, leave, part
from webapp.state.jobs import JOBS
from webapp.state.quotas import AT_HOME, SHARED, set_quotas
from webapp.state.runs import RUNS
from webapp.state.shelf import stay

SIGNALS = (signal.SIGTERM, signal.SIGINT)
GRACE_S = 2.0
LAST_S = 3.0
"""How long open connections, and then jobs, may take to end."""


def begin(*, at_home: bool, max_minutes: float | None = None, keep: str = "none", alone: bool = False) -> None:
    """Sweep what killed servers left, and let all that is written from now on lie in this server's folder, runs apart
    where they are kept. To be called before the page is built.

    Args:
        at_home: whether one person uses the page on their own machine.
        max_minutes: of one visitor's work; 0 sets no limit, None is the usual one.
        keep: the folder that runs are kept in, see `home.where_to_keep`.
        alone: whether nobody else can sign in, so that kept runs need no id to be listed.

    Raises:
        InvalidInput: runs cannot be kept there.
    """
    if threading.current_thread() is threading.main_thread():
        for number in SIGNALS:
            signal.signal(number, _end_at_once)
    limits = AT_HOME if at_home else SHARED
    set_quotas(limits if max_minutes is None else replace(limits, max_minutes=max_minutes))
    keep_runs(keep, at_home=at_home)
    RUNS.begin(lists_all=alone and stay())
    os.environ["GRADIO_TEMP_DIR"] = str(part("uploads"))
    # Gradio counts its events with pandas after each of them, for a page of figures that is switched off.
    os.environ["GRADIO_ANALYTICS_MAX_EVENTS"] = "1"
    os.environ["GRADIO_ANALYTICS_CACHE_FREQUENCY"] = str(2**62)
    tempfile.tempdir = str(home())


def stop_on_signal() -> threading.Event:
    """What the first signal sets from now on; a second one ends the process at once. To be called before the page is
    launched: it answers visitors a while before `launch` is over, and then there are data of theirs to end in order."""
    stopped = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        for each in SIGNALS:
            signal.signal(each, _end_at_once)
        stopped.set()

    for number in SIGNALS:
        signal.signal(number, stop)
    return stopped


def serve_until_stopped(demo: gr.Blocks, stopped: threading.Event) -> None:
    """Keep a launched page open until it is stopped (`stop_on_signal`), then end in order."""
    bound_sessions(demo, end_visit)
    sweeper = Sweeper()
    sweeper.start()
    while not stopped.wait(1.0):  # in steps: a wait without an end would not let the handler run everywhere
        pass
    staying = f" Finished runs stay in {kept_in()}." if kept_in() else ""
    print(f"Stopping: what runs is stopped and the visitors' data are deleted.{staying}", flush=True)
    sweeper.stop()
    end(demo)
    # The interpreter's own end would wait for threads that work in a library which cannot be interrupted.
    sys.stdout.flush()
    os._exit(0)


def end(demo: gr.Blocks) -> None:
    """Take nothing new, stop the jobs, close the connections, and delete this server's folder."""
    demo._queue.close()  # pyright: ignore[reportPrivateUsage] - so that nothing begins while the jobs are stopped
    JOBS.stop_all(0.0)
    hurry = threading.Timer(GRACE_S, setattr, (demo.server, "force_exit", True))
    hurry.daemon = True
    hurry.start()
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # each connection that is cut off is a traceback
    demo.close(verbose=False)
    JOBS.stop_all(LAST_S)
    leave(home())


def _end_at_once(number: int, frame: FrameType | None) -> None:
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    leave(home())
    os._exit(128 + number)
