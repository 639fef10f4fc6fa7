"""What can be chosen about a distillation; light, so that --help answers at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from core.options import setting
from core.systems.tinybert.layer_map import MAPS

INHERIT = ("auto", "none", "words", "layers")


@dataclass(frozen=True, slots=True)
class Distillation:
    """The student, and how it is taught."""

    title: ClassVar[str] = "The distillation"

    layers: int = setting(3, "Transformer layers of the student.", low=1, high=96)
    width: int | None = setting(None, "Width of the student; empty takes the teacher's.", low=1, high=8192)
    map: str = setting("uniform", f"Which of the teacher's layers teach: {', '.join(MAPS)}, or such as 1,5,6.")
    inherit: str = setting(
        "auto",
        "What the student starts from: none of it (as TinyBERT), the teacher's words, or words and the layers of the "
        "map; auto takes layers where both are of one width, else words.",
        choices=INHERIT,
    )
    intermediate_epochs: int = setting(2, "Passes with the losses of embeddings, states and attention.", low=0)
    prediction_epochs: int = setting(4, "Passes with the prediction loss, afterwards.", low=0)
    embedding: bool = setting(True, "Count the embedding loss.", advanced=True)
    hidden: bool = setting(True, "Count the hidden-state loss.", advanced=True)
    attention: bool = setting(True, "Count the attention loss.", advanced=True)
    temperature: float = setting(1.0, "Of the soft cross-entropy.", low=0.01, high=100.0)
    lr: float = setting(3e-4, "Largest step size of AdamW; TinyBERT's is 5e-5, over many more steps.", low=1e-7, high=1)
    batch: int = setting(32, "Texts in a step.", low=1, high=1024)
    max_tokens: int = setting(128, "Longer texts are cut there.", low=3, high=8192)
    augment: int = setting(0, "Changed copies made of each text; TinyBERT makes 10 to 30.", low=0, high=100)
    replace: float = setting(0.4, "Share of a copy's words that change.", low=0.0, high=1.0, advanced=True)
    candidates: int = setting(15, "Words that may take a word's place.", low=1, high=200, advanced=True)
    held_out: float = setting(0.1, "Share of the texts, at most 1,000, kept for the figures.", low=0.01, high=0.5)
    precision: str = setting(
        "auto",
        "Of the products while training; auto takes bfloat16 where the processor multiplies it.",
        choices=("auto", "float32", "bfloat16"),
        advanced=True,
    )
    seed: int = setting(0, "The same seed trains the same.", low=0, high=2**32 - 1)
