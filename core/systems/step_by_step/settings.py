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
        "use of reasons: as a second task, not at all, in one target with the label, or shuffled among rows (a "
        "control)",
        choices=METHODS,
    )
    alpha: float = setting(0.5, "weight of the label's loss; the reason's is 1 minus it", low=0.0, high=1.0)
    learn_from: int | None = setting(
        None, "rows to learn from, stratified by class (empty: all that are not held out)", low=1
    )
    updates: int = setting(500, "optimizer steps (the paper's: 10,000)", low=1, high=1_000_000)
    batch: int = setting(32, "rows a step (the paper's: 64)", low=1, high=1024)
    lr: float | None = setting(
        None, "first learning rate of AdamW, falling to 0 (empty: the paper's 5e-5; 1e-3 for a new student)", low=1e-7
    )
    width: int = setting(64, "width of a new student", low=8, high=1024)
    layers: int = setting(2, "layers of a new student, in its encoder and in its decoder", low=1, high=24)
    max_tokens: int = setting(
        256, "longest text in tokens (the paper's: 1,024); longer ones are truncated", low=4, high=4096
    )
    max_answer: int = setting(64, "longest answer in tokens", low=2, high=512)
    held_out: float = setting(0.2, "share of rows held out for the figures, at most 1,000", low=0.01, high=0.5)
    controls: bool = setting(False, "also train students of labels alone and of shuffled reasons, on the same rows")
    seed: int = setting(0, "random seed", low=0, high=2**32 - 1)
