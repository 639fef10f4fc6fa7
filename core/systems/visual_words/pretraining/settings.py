"""Settings of a pretraining."""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import InvalidInput
from core.options import setting

MASKINGS = ("index", "cells")


@dataclass(frozen=True, slots=True)
class Pretraining:
    """Settings of a small SOHO; those of the paper are 12 layers of 768, 2,048 words and a decay of 0.99."""

    words: int = setting(256, "words of the visual dictionary", low=2, high=4096)
    dictionary: bool = setting(True, "pass cells through the dictionary")
    masking: str = setting(
        "index", 'cells to hide: all of one word ("index"), or as many anywhere ("cells")', choices=MASKINGS
    )
    steps: int = setting(2000, "training batches", low=1, high=1_000_000)
    batch: int = setting(32, "pairs of image and caption in a batch", low=2, high=1024)
    rate: float = setting(0.002, "highest learning rate", low=1e-6, high=0.1)
    layers: int = setting(2, "layers of the Transformer", low=1, high=24)
    width: int = setting(64, "numbers of a token, a multiple of 4 times the heads", low=16, high=1024)
    heads: int = setting(4, "heads of attention", low=1, high=16)
    decay: float = setting(0.99, "decay of the dictionary's moving averages", low=0.0, high=0.9999)
    scale: float = setting(16.0, "factor of cosines to the dictionary", low=1.0, high=100.0)
    seed: int = setting(0, "seed of weights, order and masks", low=0, high=2**32 - 1)

    def __post_init__(self) -> None:
        if self.width % (4 * self.heads):
            raise InvalidInput(
                f"The width must be a multiple of 4 times the heads: got {self.width} for {self.heads} heads. "
                f"Use {4 * self.heads * max(1, round(self.width / 4 / self.heads))}."
            )
        if self.masking not in MASKINGS:
            raise InvalidInput(f"masking must be {' or '.join(MASKINGS)}: got {self.masking!r}. Use one of them.")
