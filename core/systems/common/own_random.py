"""Random numbers of torch for one piece of work, independent of other threads.

Initialization of layers and dropout take no generator: they draw from one state of the process, which a server's
threads share. So only this module sets that state.
"""

from __future__ import annotations

import threading
from typing import Any

import torch

_ONE_AT_A_TIME = threading.RLock()


class OwnRandom:
    """A separate sequence of random numbers, which continues from one `with` block to the next.

    Within a block torch draws from this sequence, and the blocks of other threads wait. So a block holds one
    initialization or training step, not a whole training. After it torch has its former state again.

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
        self._state: Any = None
        self._outer: Any = None

    def __enter__(self) -> OwnRandom:
        _ONE_AT_A_TIME.acquire()
        self._outer = _state_of_torch()
        if self._state is None:
            torch.manual_seed(self.seed)
        else:
            _set_state(self._state)
        return self

    def __exit__(self, *_: object) -> None:
        self._state = _state_of_torch()
        _set_state(self._outer)
        _ONE_AT_A_TIME.release()


def _state_of_torch() -> Any:
    cards = list[torch.Tensor]()
    if torch.cuda.is_available():
        cards = torch.cuda.get_rng_state_all()
    return torch.get_rng_state(), cards


def _set_state(state: Any) -> None:
    torch.set_rng_state(state[0])
    if state[1]:
        torch.cuda.set_rng_state_all(state[1])
