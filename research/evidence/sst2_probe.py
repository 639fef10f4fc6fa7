"""What a logistic regression reads out of a student's vectors, beside its teacher's: SST-2's sentences."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from core.records import F64, I64, Bool, Estimate
from core.statistics.intervals import wilson
from core.statistics.paired import paired_difference
from core.statistics.runs import show as spelled
from core.systems.common.words import tokens_of
from core.systems.probes.few_shot.linear_probe import choose
from core.systems.tinybert.loop import outputs
from core.systems.tinybert.student import Student
from core.systems.tinybert.teacher import BertFolder
from research.evidence.distillation_classes import MOST, sentences

PARTS = ("train", "dev", "test")


def probed(folder: Path, teacher: BertFolder, student: Student) -> dict[str, Any]:
    """Accuracy on the test sentences of a regression on the frozen vectors of each, and the student's minus the
    teacher's, paired by sentence.

    Args:
        folder: of train.tsv.gz, dev.tsv.gz and test.tsv.gz. Train is fitted, dev chooses the penalty of each by its
            cross-entropy.
    """
    parts = [sentences(folder / f"{part}.tsv.gz") for part in PARTS]
    tokens = [tokens_of(teacher.tokenizer, texts, MOST) for texts, _ in parts]
    labels = [of for _, of in parts]
    found: dict[str, Any] = {"n": len(labels[-1])}
    wrong: list[Bool] = []
    for name, model in (("teacher", teacher), ("student", student)):
        c, missed = errors([outputs(model, part).numpy().astype(np.float64) for part in tokens], labels)
        found |= {name: asdict(wilson(int((~missed).sum()), len(missed))), f"{name}_c": c}
        wrong.append(missed)
    return found | {"difference": asdict(paired_difference(wrong[0], wrong[1]))}


def errors(vectors: list[F64], labels: list[I64]) -> tuple[float, Bool]:
    """(C, which rows of the last part are wrong) of a regression on the first part, its penalty chosen on the second.

    Args:
        vectors: (n, d) of each of the three parts.
        labels: (n,) from 0, likewise.
    """
    fit = choose(vectors[0], labels[0], (vectors[1], labels[1]), 2)
    return fit.c, np.asarray(fit.model.predict(vectors[2]) != labels[2], bool)


def said(found: dict[str, Any]) -> str:
    """One line."""
    teacher, student, difference = (spelled(Estimate(**found[key]), 3) for key in ("teacher", "student", "difference"))
    return f"probe on SST-2 (n = {found['n']:,}): teacher {teacher}, student {student}, difference {difference}"
