"""The settings of a distillation; imports little, so that --help is fast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from core.options import setting
from core.systems.tinybert.layer_map import MAPS

INHERIT = ("auto", "none", "words", "layers")


@dataclass(frozen=True, slots=True)
class Distillation:
    """Settings of the student and its training."""

    title: ClassVar[str] = "Distillation"

    layers: int = setting(3, "transformer layers of the student", low=1, high=96)
    width: int | None = setting(None, "width of the student (empty: the teacher's)", low=1, high=8192)
    map: str = setting("uniform", f"teacher layers to learn from: {', '.join(MAPS)}, or numbers as in 1,5,6")
    inherit: str = setting(
        "auto",
        "initial weights: random (none, as TinyBERT), the teacher's words, or its words and mapped layers (auto: "
        "layers at equal width, else words)",
        choices=INHERIT,
    )
    intermediate_epochs: int = setting(2, "epochs with the losses of embeddings, states and attention", low=0)
    prediction_epochs: int = setting(4, "later epochs with the prediction loss", low=0)
    embedding: bool = setting(True, "include the embedding loss", advanced=True)
    hidden: bool = setting(True, "include the hidden-state loss", advanced=True)
    attention: bool = setting(True, "include the attention loss", advanced=True)
    temperature: float = setting(1.0, "temperature of the soft cross-entropy", low=0.01, high=100.0)
    lr: float = setting(
        3e-4, "largest learning rate of AdamW (TinyBERT's: 5e-5, over many more steps)", low=1e-7, high=1
    )
    batch: int = setting(32, "texts per step", low=1, high=1024)
    max_tokens: int = setting(128, "longest text in tokens; longer ones are truncated", low=3, high=8192)
    augment: int = setting(0, "changed copies of each text (TinyBERT's: 10 to 30)", low=0, high=100)
    replace: float = setting(0.4, "share of changed words in a copy", low=0.0, high=1.0, advanced=True)
    candidates: int = setting(15, "candidate words for each replacement", low=1, high=200, advanced=True)
    held_out: float = setting(0.1, "share of texts held out for the figures, at most 1,000", low=0.01, high=0.5)
    precision: str = setting(
        "auto",
        "number format of products in training (auto: bfloat16 on processors that multiply it)",
        choices=("auto", "float32", "bfloat16"),
        advanced=True,
    )
    seed: int = setting(0, "random seed", low=0, high=2**32 - 1)
