"""Loops that numba compiles ahead of their first call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba

MODULES = ("core.statistics.excess", "core.statistics.levels")
"""All that hold such loops: who imports them compiles these, or reads what was kept of them."""


def compiled(signature: str, **how: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """What compiles a function of arrays for one signature, to run without Python's lock.

    The machine code is kept where numba keeps the rest (`__pycache__`, else the user's cache folder), so the next
    process need not compile it; where it may write to neither, it is compiled in each process.

    Args:
        signature: numba's, such as "void(f4[:, ::1])". how: other options of `numba.njit`.
    """
    njit: Any = numba.njit  # untyped

    def compile_it(loop: Callable[..., Any]) -> Callable[..., Any]:
        try:
            return njit(signature, nogil=True, cache=True, **how)(loop)
        except RuntimeError:  # it found no folder to write to, or could not keep what it made
            return njit(signature, nogil=True, **how)(loop)

    return compile_it
