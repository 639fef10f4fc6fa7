"""Settings of a student trained on reasons; without heavy imports, so that --help answers at once."""

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
    """The student and its training."""

    title: ClassVar[str] = "The training"

    method: str = setting(
        STEP_BY_STEP,
        "use of reasons: a second task, none, one target with the label, or shuffled among rows (a control)",
        choices=METHODS,
    )
    alpha: float = setting(0.5, "weight of the label's loss, 1 minus that of the reason's", low=0.0, high=1.0)
    learn_from: int | None = setting(
        None, "rows to learn from, stratified by class (empty: all but the held-out rows)", low=1
    )
    updates: int = setting(500, "optimizer steps (paper: 10,000)", low=1, high=1_000_000)
    batch: int = setting(32, "rows per step (paper: 64)", low=1, high=1024)
    lr: float | None = setting(
        None, "first learning rate of AdamW, falling to 0 (empty: the paper's 5e-5; 1e-3 for a new student)", low=1e-7
    )
    width: int = setting(64, "width of a new student", low=8, high=1024)
    layers: int = setting(2, "layers of a new student, in encoder and decoder each", low=1, high=24)
    max_tokens: int = setting(256, "longest text in tokens, truncated beyond (paper: 1,024)", low=4, high=4096)
    max_answer: int = setting(64, "longest answer in tokens", low=2, high=512)
    held_out: float = setting(0.2, "share of rows held out to measure, at most 1,000", low=0.01, high=0.5)
    controls: bool = setting(False, "also train students of labels alone and of shuffled reasons")
    seed: int = setting(0, "random seed", low=0, high=2**32 - 1)
