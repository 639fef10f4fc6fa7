"""A visitor's data deleted at once, or what is left of a visit that is over."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Sequence
from pathlib import Path

from webapp.state.caches import cache_of
from webapp.state.downloads import files_of
from webapp.state.jobs import JOBS
from webapp.state.runs import RUNS
from webapp.state.uploads import UPLOADS

STOP_S = 5.0
LAST_S = 3600.0
"""How long a job that is under way may take to stop before what it has stored is deleted, and before that is done a
last time."""


def forget_visit(visit: str, address: str, brought: Sequence[str | Path]) -> None:
    """Stop a visit's work, and delete its runs, the files made of them, its cached vectors, and those of its
    uploads. What work that does not stop soon still writes is deleted when it is over."""
    over = not visit or JOBS.stop_all(STOP_S, of=visit)
    RUNS.forget(visit)
    end_visit(visit)
    if not over:
        threading.Thread(target=_end_later, args=(visit,), name="forget", daemon=True).start()
    for path in brought:
        UPLOADS.claim(visit, address, Path(path))
    UPLOADS.release(visit)


def _end_later(visit: str) -> None:
    JOBS.stop_all(LAST_S, of=visit)
    end_visit(visit)


def end_visit(visit: str) -> None:
    """Delete what nobody can reach any more: files to take away, and cached vectors."""
    for folder in (files_of(visit), cache_of(visit)):
        shutil.rmtree(folder, ignore_errors=True)
