"""Settings of a training on descriptions; without heavy imports, so that --help answers at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from core.options import setting

FREEZE = ("half", "none", "layers")
SPACES = ("auto", "yes", "no")


@dataclass(frozen=True, slots=True)
class LabelTraining:
    """Training of a language model on descriptions, by default as published for AG News and RoBERTa-base."""

    title: ClassVar[str] = "The training"

    lr: float = setting(5e-7, "learning rate of Adam", low=1e-9, high=1.0)
    steps: int = setting(2160, "descriptions to train on, repeats included (0: no training)", low=0, high=10**7)
    batch: int = setting(1, "descriptions a step", low=1, high=1024)
    seeds: int = setting(1, "trainings per pattern, each in another order", low=1, high=50)
    most_patterns: int | None = setting(None, "patterns to use, from the first (empty: all)", low=1, high=200)
    freeze: str = setting(
        "half", "frozen layers: the lower half (embeddings and head learn, as published), none, or all", choices=FREEZE
    )
    freeze_words: bool = setting(False, "also freeze the word embeddings and a head tied to them", advanced=True)
    leading_space: str = setting(
        "auto", "space before a class's word (auto: if that is one token)", choices=SPACES, advanced=True
    )
    max_tokens: int = setting(256, "longest text in tokens, truncated away from the pattern", low=8, high=8192)
    test_batch: int = setting(32, "texts classified at a time", low=1, high=1024, advanced=True)
    precision: str = setting(
        "float32",
        "number format of products (bfloat16: faster on processors that support it)",
        choices=("float32", "bfloat16"),
        advanced=True,
    )
    seed: int = setting(0, "random seed", low=0, high=2**32 - 51)
