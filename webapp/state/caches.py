"""Caches of a visitor's vectors, separate from those of others, so that no visitor learns what another used."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from core.files import default_cache
from webapp.state.home import bytes_below, part
from webapp.state.quotas import quotas
from webapp.state.visitor import visitor


def own_cache() -> Path:
    """Return the cache of the current visit, or the user's own cache on a private page.

    It is emptied once it exceeds `Quotas.max_own_cache_bytes`.
    """
    if quotas().at_home:
        return default_cache()
    folder = cache_of(visitor())
    if bytes_below(folder) > quotas().max_own_cache_bytes:
        shutil.rmtree(folder, ignore_errors=True)
    return folder


def run_cache() -> Path | None:
    """Return the cache for a diagnosis, which spares the next one on the same samples from embedding them. None for a
    program without a visit, since all programs without one would share the cache."""
    if visitor() or quotas().at_home:
        return own_cache()
    return None


def shared_cache() -> Path:
    """Return the cache for data shipped with Errata, which all visitors share."""
    if quotas().at_home:
        return default_cache()
    return part("cache") / "shipped"


def cache_of(visit: str) -> Path:
    """Return the folder of one visit's vectors."""
    return part("cache") / hashlib.sha256(visit.encode()).hexdigest()[:32]
