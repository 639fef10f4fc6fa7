"""Loops that numba compiles ahead of their first call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba

MODULES = ("core.statistics.excess", "core.statistics.levels")
"""Modules with compiled loops: importing them compiles the loops, or loads their cached code."""


def compiled(signature: str, **how: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator that compiles a function of arrays for one signature, to run without Python's lock.

    Numba caches the machine code (in `__pycache__`, else in the user's cache folder), so the next process need not
    compile it; if neither is writable, each process compiles it.

    Args:
        signature: numba's, for example "void(f4[:, ::1])". how: other options of `numba.njit`.
    """
    njit: Any = numba.njit  # untyped

    def compile_it(loop: Callable[..., Any]) -> Callable[..., Any]:
        try:
            return njit(signature, nogil=True, cache=True, **how)(loop)
        except RuntimeError:  # no writable folder, or the cache could not be written
            return njit(signature, nogil=True, **how)(loop)

    return compile_it
