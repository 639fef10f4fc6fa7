"""How much of the server one visitor, and all together, may take: the one place for these limits.

A visitor is one visit of the page (Gradio's session); of uploads, which come without one, it is the address they come
from.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

GIB = 2**30
STATE_S = 24 * 3600
"""How long what a page has picked and asked is remembered after it was last changed."""


@dataclass(frozen=True, slots=True)
class Quotas:
    """What is beyond is refused with a message, or is swept."""

    at_home: bool = True
    """Whether one person uses the page on their own machine: their own cache is used and a run has no time limit."""
    at_once: int = max(1, min(2, (os.cpu_count() or 1) // 2))
    """Diagnoses, probes, benchmarks and trainings that work at the same time."""
    max_waiting: int = 16
    """Of these in line behind them."""
    max_minutes: float = 0.0
    """Of work for one of them; 0 sets no limit."""
    max_sessions: int = 2000
    """Visits that are remembered."""
    max_runs: int = 1000
    """Finished runs of all visitors, and of one."""
    max_own_runs: int = 1000
    max_upload_bytes: int = 1000 * GIB
    """Held of all visitors' files, and of one."""
    max_own_upload_bytes: int = 1000 * GIB
    max_uploads: int = 100_000
    """Number of files held of all visitors, and of one."""
    max_own_uploads: int = 100_000
    max_own_cache_bytes: int = 2 * GIB
    """Vectors of one visitor's images."""
    max_bytes: int = 2000 * GIB
    """All that is held on disk: uploads, runs, files, caches."""
    min_free_bytes: int = GIB
    """Left free on that disk: nothing is taken in while there is less."""
    kept_s: float = 23.5 * 3600.0
    """How long anything of a visitor's is kept; the sweep every ten minutes makes that less than a day."""


AT_HOME = Quotas()
SHARED = Quotas(
    at_home=False,
    max_minutes=120.0,
    max_runs=400,
    max_own_runs=20,
    max_upload_bytes=60 * GIB,
    max_own_upload_bytes=12 * GIB,
    max_uploads=4000,
    max_own_uploads=400,
    max_bytes=120 * GIB,
    min_free_bytes=2 * GIB,
)
"""Of a page that others reach."""

_now = [AT_HOME]


def quotas() -> Quotas:
    """Those of this server."""
    return _now[0]


def set_quotas(those: Quotas) -> None:
    """Serve with those from now on."""
    _now[0] = those
