"""The server as a process: its own folder from the start, and an orderly shutdown.

SIGTERM, SIGINT     stops jobs, deletes the visitors' data, exit code 0 within ten seconds;
                    a second signal ends it at once, data deleted too
SIGKILL, a crash    leaves the folder, which the next server deletes at its start

Runs kept elsewhere (`webapp.state.home.keep`) stay in every case, complete or not at all.
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
from webapp.state.forget import close_visit
from webapp.state.home import home, keep_runs, kept_in, leave, part
from webapp.state.jobs import JOBS
from webapp.state.quotas import AT_HOME, SHARED, set_quotas
from webapp.state.runs import RUNS
from webapp.state.shelf import stay

SIGNALS = (signal.SIGTERM, signal.SIGINT)
GRACE_S = 2.0
LAST_S = 3.0
"""Seconds for open connections, and then for jobs, to end."""


def begin(*, at_home: bool, max_minutes: float | None = None, keep: str = "none", alone: bool = False) -> None:
    """Sweep leftovers of killed servers, and direct all files to this server's folder, except kept runs. Call it before
    the page is built.

    Args:
        at_home: whether one person uses the page on their own machine.
        max_minutes: time limit of one visitor's work; 0 for none, None for the default.
        keep: the folder for kept runs, see `home.where_to_keep`.
        alone: whether nobody else can sign in, so that kept runs are listed without an id.

    Raises:
        InvalidInput: runs cannot be kept there.
    """
    if threading.current_thread() is threading.main_thread():
        for number in SIGNALS:
            signal.signal(number, _end_at_once)
    limits = SHARED
    if at_home:
        limits = AT_HOME
    if max_minutes is not None:
        limits = replace(limits, max_minutes=max_minutes)
    set_quotas(limits)
    keep_runs(keep, at_home=at_home)
    RUNS.begin(lists_all=alone and stay())
    os.environ["GRADIO_TEMP_DIR"] = str(part("uploads"))
    # after every event, Gradio counts its events with pandas for a monitoring page, which is disabled here
    os.environ["GRADIO_ANALYTICS_MAX_EVENTS"] = "1"
    os.environ["GRADIO_ANALYTICS_CACHE_FREQUENCY"] = str(2**62)
    tempfile.tempdir = str(home())


def stop_on_signal() -> threading.Event:
    """Return an event that the first signal sets; a second signal ends the process at once. Call it before launching
    the page, which answers visitors, and holds their data, before `launch` returns."""
    stopped = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        for each in SIGNALS:
            signal.signal(each, _end_at_once)
        stopped.set()

    for number in SIGNALS:
        signal.signal(number, stop)
    return stopped


def serve_until_stopped(demo: gr.Blocks, stopped: threading.Event) -> None:
    """Keep a launched page open until it is stopped (`stop_on_signal`), then shut down in order."""
    bound_sessions(demo, close_visit)
    sweeper = Sweeper()
    sweeper.start()
    while not stopped.wait(1.0):  # in steps: on some systems an endless wait blocks the signal handler
        pass
    staying = ""
    if kept_in():
        staying = f" Finished runs stay in {kept_in()}."
    print(f"Stopping the jobs and deleting the visitors' data.{staying}", flush=True)
    sweeper.stop()
    end(demo)
    # a normal exit would wait for threads in libraries that cannot be interrupted
    sys.stdout.flush()
    os._exit(0)


def end(demo: gr.Blocks) -> None:
    """Accept no new work, stop the jobs, close the connections, and delete this server's folder."""
    demo._queue.close()  # pyright: ignore[reportPrivateUsage] - no job may start while others are stopped
    JOBS.stop_all(0.0)
    hurry = threading.Timer(GRACE_S, setattr, (demo.server, "force_exit", True))
    hurry.daemon = True
    hurry.start()
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # each cut connection logs a traceback
    demo.close(verbose=False)
    JOBS.stop_all(LAST_S)
    leave(home())


def _end_at_once(number: int, frame: FrameType | None) -> None:
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    leave(home())
    os._exit(128 + number)
