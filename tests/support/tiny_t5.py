"""Texts whose labels follow from causes that their reasons name, and tiny T5 students of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from core.systems.step_by_step.rationales import RationaleSet, gather
from core.systems.step_by_step.settings import StepByStep
from core.systems.step_by_step.student import T5Student, make_t5
from core.systems.step_by_step.student_folder import write_student

SMALL: dict[str, Any] = {"width": 16, "layers": 1, "updates": 6, "batch": 8, "max_answer": 16}


def some_rows(n: int = 40, seed: int = 0) -> RationaleSet:
    """Different texts: "fails" where it is dark or blurred, and the reason says which."""
    rng = np.random.default_rng(seed)
    texts, labels, reasons = list[str](), list[str](), list[str]()
    for i in range(n):
        light, edge = rng.choice(["dark", "bright"]), rng.choice(["blurred", "sharp"])
        texts.append(f"a {light} image number {i} with {edge} edges")
        labels.append("fails" if light == "dark" or edge == "blurred" else "works")
        reasons.append(f"the light is {light} and edges are {edge}")
    return gather("made", texts, labels, reasons)


def settings(**changed: Any) -> StepByStep:
    return StepByStep(**{**SMALL, **changed})


def tiny_student(rows: RationaleSet, **changed: Any) -> T5Student:
    return make_t5([*rows.texts, *rows.labels, *rows.rationales], settings(**changed))


def write_t5(folder: Path, rows: RationaleSet) -> Path:
    """A folder of an untrained student, as transformers lays it out."""
    folder.mkdir(parents=True, exist_ok=True)
    write_student(tiny_student(rows), folder)
    return folder


def write_rows(path: Path, rows: RationaleSet) -> Path:
    lines = ["text,label,why", *(f"{t},{a},{r}" for t, a, r in zip(rows.texts, rows.labels, rows.rationales))]
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return path
