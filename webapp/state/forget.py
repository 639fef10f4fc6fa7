"""Delete a visitor's data on request, or after a visit."""

from __future__ import annotations

import shutil
import threading

from webapp.state.caches import cache_of
from webapp.state.downloads import files_of
from webapp.state.jobs import JOBS
from webapp.state.runs import RUNS
from webapp.state.uploads import UPLOADS

STOP_S = 5.0
LAST_S = 3600.0
"""Seconds for a running job to stop before its files are deleted, and before they are deleted a last time."""


def forget_visit(visit: str) -> None:
    """Stop a visit's work, and delete its runs, downloads, cached vectors, and uploads. Files that slow work still
    writes are deleted when it ends."""
    over = not visit or JOBS.stop_all(STOP_S, of=visit)
    JOBS.lasting.forget(visit)
    RUNS.forget(visit)
    end_visit(visit)
    if not over:

        def end_later() -> None:
            JOBS.stop_all(LAST_S, of=visit)
            end_visit(visit)

        threading.Thread(target=end_later, name="forget", daemon=True).start()
    UPLOADS.release(visit)


def close_visit(visit: str) -> None:
    """Delete what a visit that ended can no longer reach, unless a job still works for it; then the sweep does."""
    if not JOBS.lasting.own_ids(visit):
        end_visit(visit)


def end_visit(visit: str) -> None:
    """Delete a visit's downloads and cached vectors, which are no longer reachable."""
    for folder in (files_of(visit), cache_of(visit)):
        shutil.rmtree(folder, ignore_errors=True)
