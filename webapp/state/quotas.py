"""Limits on the resources of the server, for one visitor and for all.

A visitor is one visit of the page (Gradio's session). Uploads come without a session, so their visitor is the address.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

GIB = 2**30
STATE_S = 24 * 3600
"""Seconds that a page's selection and questions are remembered after their last change."""


@dataclass(frozen=True, slots=True)
class Quotas:
    """Requests beyond a limit are rejected with a message; older data are swept."""

    at_home: bool = True
    """Whether one person uses the page on their own machine, with their own cache and no time limit."""
    at_once: int = max(1, min(2, (os.cpu_count() or 1) // 2))
    """Diagnoses, probes, benchmarks, and trainings that run in parallel."""
    max_waiting: int = 16
    """Jobs in line behind them."""
    max_minutes: float = 0.0
    """Time limit of one job; 0 for none."""
    max_unattended: int = 16
    """Diagnoses of one address that go on without an open page, when another one is started."""
    max_sessions: int = 2000
    """Remembered visits."""
    max_runs: int = 1000
    """Finished runs of all visitors, and of one."""
    max_own_runs: int = 1000
    max_upload_bytes: int = 1000 * GIB
    """Bytes of all visitors' uploads, and of one visitor's."""
    max_own_upload_bytes: int = 1000 * GIB
    max_uploads: int = 100_000
    """Number of all visitors' uploads, and of one visitor's."""
    max_own_uploads: int = 100_000
    max_own_cache_bytes: int = 2 * GIB
    """Vectors of one visitor's images."""
    max_bytes: int = 2000 * GIB
    """Bytes on disk in total: uploads, runs, downloads, caches."""
    min_free_bytes: int = GIB
    """Bytes left free on the disk; below, nothing is accepted."""
    kept_s: float = 23.5 * 3600.0
    """Seconds that a visitor's data are kept; with a sweep every ten minutes, less than a day."""


AT_HOME = Quotas()
SHARED = Quotas(
    at_home=False,
    max_minutes=120.0,
    max_unattended=4,
    max_runs=400,
    max_own_runs=20,
    max_upload_bytes=60 * GIB,
    max_own_upload_bytes=12 * GIB,
    max_uploads=4000,
    max_own_uploads=400,
    max_bytes=120 * GIB,
    min_free_bytes=2 * GIB,
)
"""Limits of a page that others reach."""

_now = [AT_HOME]


def quotas() -> Quotas:
    """Return the limits of this server."""
    return _now[0]


def set_quotas(those: Quotas) -> None:
    """Set the limits of this server."""
    _now[0] = those
