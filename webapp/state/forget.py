"""A visitor's data deleted at once, or what is left of a visit that is over."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from webapp.state.caches import cache_of
from webapp.state.downloads import files_of
from webapp.state.session import RUNS
from webapp.state.uploads import UPLOADS


def forget_visit(visit: str, address: str, brought: Sequence[str | Path]) -> None:
    """Delete a visit's runs, the files made of them, its cached vectors, and those of its uploads."""
    RUNS.forget(visit)
    end_visit(visit)
    for path in brought:
        UPLOADS.release(Path(path), address)


def end_visit(visit: str) -> None:
    """Delete what nobody can reach any more: files to take away, and cached vectors."""
    for folder in (files_of(visit), cache_of(visit)):
        shutil.rmtree(folder, ignore_errors=True)
