"""What can be chosen about a training on descriptions; light, so that --help answers at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from core.options import setting

FREEZE = ("half", "none", "layers")
SPACES = ("auto", "yes", "no")


@dataclass(frozen=True, slots=True)
class LabelTraining:
    """How a language model learns descriptions. The defaults are those published for AG News and RoBERTa-base."""

    title: ClassVar[str] = "The training"

    lr: float = setting(5e-7, "Step size of Adam.", low=1e-9, high=1.0)
    steps: int = setting(2160, "Descriptions that are seen, repetitions counted; 0 trains nothing.", low=0, high=10**7)
    batch: int = setting(1, "Descriptions in a step.", low=1, high=1024)
    seeds: int = setting(1, "Trainings of each pattern, each with an order of its own.", low=1, high=50)
    most_patterns: int | None = setting(None, "Only so many patterns, the first; empty takes all.", low=1, high=200)
    freeze: str = setting(
        "half",
        "What stays as it is: the lower half of the layers (word embeddings and head learn, as published), nothing, or "
        "all layers.",
        choices=FREEZE,
    )
    freeze_words: bool = setting(False, "Keep the word embeddings (and a head tied to them) too.", advanced=True)
    leading_space: str = setting(
        "auto",
        "Whether a class's word begins with a space, where the model tells that apart; auto takes what is one token, "
        "with a space first.",
        choices=SPACES,
        advanced=True,
    )
    max_tokens: int = setting(256, "Longer texts are cut, at the end away from the pattern.", low=8, high=8192)
    test_batch: int = setting(32, "Texts that are classified at a time.", low=1, high=1024, advanced=True)
    precision: str = setting(
        "float32",
        "Of the products; bfloat16 is faster where the processor multiplies it.",
        choices=("float32", "bfloat16"),
        advanced=True,
    )
    seed: int = setting(0, "The same seed trains the same.", low=0, high=2**32 - 51)
