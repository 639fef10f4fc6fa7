"""What can be chosen about a student that learns from reasons; light, so that --help answers at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from core.options import setting

STEP_BY_STEP = "step-by-step"
STANDARD = "standard"
SINGLE_TASK = "single-task"
SHUFFLED = "shuffled"
METHODS = (STEP_BY_STEP, STANDARD, SINGLE_TASK, SHUFFLED)


@dataclass(frozen=True, slots=True)
class StepByStep:
    """The student, and how it learns."""

    title: ClassVar[str] = "The training"

    method: str = setting(
        STEP_BY_STEP,
        "How reasons are used: as a second task, not at all, in one target with the label, or as a second task but "
        "those of other rows (a control).",
        choices=METHODS,
    )
    alpha: float = setting(0.5, "Weight of the label's loss; the reason's has the rest.", low=0.0, high=1.0)
    learn_from: int | None = setting(
        None, "Rows to learn from, every class in its share; empty takes all that are not held out.", low=1
    )
    updates: int = setting(500, "Steps of the optimizer; the paper makes 10,000.", low=1, high=1_000_000)
    batch: int = setting(32, "Rows in a step; the paper's is 64.", low=1, high=1024)
    lr: float | None = setting(
        None, "First step size of AdamW, falling to 0; empty takes the paper's 5e-5, for a new student 1e-3.", low=1e-7
    )
    width: int = setting(64, "Of a new student.", low=8, high=1024)
    layers: int = setting(2, "Of a new student, in its encoder and again in its decoder.", low=1, high=24)
    max_tokens: int = setting(256, "Longer texts are cut there; the paper cuts at 1,024.", low=4, high=4096)
    max_answer: int = setting(64, "Tokens of an answer at most.", low=2, high=512)
    held_out: float = setting(0.2, "Share of the rows, at most 1,000, kept for the figures.", low=0.01, high=0.5)
    controls: bool = setting(
        False, "Also teach, on the same rows and updates, students of the labels alone and of shuffled reasons."
    )
    seed: int = setting(0, "The same seed trains the same.", low=0, high=2**32 - 1)
