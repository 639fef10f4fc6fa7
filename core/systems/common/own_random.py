"""Torch's random numbers for one piece of work, whatever other threads of the process draw.

Layers that torch begins by itself, and dropout, take no generator: they draw from one state of the whole process, which
a server's threads share. So the state is set here alone.
"""

from __future__ import annotations

import threading
from typing import Any

import torch

_ONE_AT_A_TIME = threading.RLock()


class OwnRandom:
    """A sequence of random numbers of its own, which goes on from one `with` block to the next.

    Within a block torch draws from it, and the blocks of other threads wait: one holds a module's beginning or a
    training step, not a training. After the block torch's state is what it was before.

    Args:
        seed: of the sequence.

    Example:
        >>> with OwnRandom(5):
        ...     first = torch.rand(3)
        >>> with OwnRandom(5):
        ...     bool((torch.rand(3) == first).all())
        True
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._own: Any = None
        self._outer: Any = None

    def __enter__(self) -> OwnRandom:
        _ONE_AT_A_TIME.acquire()
        self._outer = _state()
        if self._own is None:
            torch.manual_seed(self.seed)
        else:
            _set(self._own)
        return self

    def __exit__(self, *_: object) -> None:
        self._own = _state()
        _set(self._outer)
        _ONE_AT_A_TIME.release()


def _state() -> Any:
    return torch.get_rng_state(), torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []


def _set(state: Any) -> None:
    torch.set_rng_state(state[0])
    if state[1]:
        torch.cuda.set_rng_state_all(state[1])
