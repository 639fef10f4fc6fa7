"""Where vectors of a visitor's images and texts are kept: apart from those of others, so that nobody learns what
another used."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from core.files import default_cache
from webapp.state.home import bytes_below, part
from webapp.state.quotas import quotas
from webapp.state.visitor import visitor


def own_cache() -> Path:
    """The cache of the visit that is being served: the user's own where the page is theirs alone.

    It is begun anew once it holds more than `Quotas.max_own_cache_bytes`.
    """
    if quotas().at_home:
        return default_cache()
    folder = cache_of(visitor())
    if bytes_below(folder) > quotas().max_own_cache_bytes:
        shutil.rmtree(folder, ignore_errors=True)
    return folder


def run_cache() -> Path | None:
    """Where a diagnosis keeps its vectors, so that the next one of the same samples need not embed them again; None for
    a program that says of no visit that it is its own, since others that do not either would read them too."""
    return own_cache() if visitor() or quotas().at_home else None


def shared_cache() -> Path:
    """The cache of what comes along with Errata, which everybody may look at."""
    return default_cache() if quotas().at_home else part("cache") / "shipped"


def cache_of(visit: str) -> Path:
    """The folder of one visit's vectors."""
    return part("cache") / hashlib.sha256(visit.encode()).hexdigest()[:32]
