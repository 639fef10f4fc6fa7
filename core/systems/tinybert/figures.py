"""How near a student is to its teacher on texts that it did not learn from, and how much faster."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy import stats

from core.records import F64, I64, UNDEFINED, Estimate
from core.statistics.intervals import bootstrap, wilson
from core.statistics.redraws import bootstrap_mean
from core.statistics.runs import mean_over
from core.systems.tinybert.loop import outputs
from core.systems.tinybert.losses import soft_cross_entropy
from core.systems.tinybert.student import Student
from core.systems.tinybert.teacher import BertFolder

MAX_PAIRED = 400
"""Texts whose pairs are ranked: 79,800 pairs."""
MAX_TIMED = 256
TURNS = 5


@dataclass(frozen=True, slots=True)
class StudentFigures:
    """Of n held-out texts; what does not apply is undefined (nan). Intervals resample texts."""

    n: int
    cosine: Estimate
    """Mean cosine of student's and teacher's vectors."""
    rank_correlation: Estimate
    """Spearman's, of the similarities of all pairs of at most 400 texts."""
    recall_at_1: Estimate
    """Share of the student's vectors whose nearest of the teacher's n vectors is that of the same text."""
    agreement: Estimate
    """Share of texts that both give the same class."""
    divergence: Estimate
    """Mean Kullback-Leibler divergence of the student's class shares from the teacher's, nats."""
    speedup: Estimate
    """Teacher's over student's time on one thread, mean over turns of both."""
    teacher_ms: float
    """Milliseconds a text, on one thread in batches of 64; of several turns the median."""
    student_ms: float


def measure(
    teacher: BertFolder, student: Student, tokens: Sequence[Sequence[int]], *, seed: int = 0, turns: int = TURNS
) -> StudentFigures:
    """The figures of a student on the (held-out) texts of these tokens."""
    rng = np.random.default_rng(seed)
    cosine = ranks = recall = agreement = divergence = UNDEFINED
    if teacher.kind == "classes":
        agreement, divergence = _classes(outputs(student, tokens), outputs(teacher, tokens), rng)
    elif teacher.kind == "vectors":
        both = outputs(student, tokens).numpy(), outputs(teacher, tokens).numpy()
        cosine, ranks, recall = _vectors(*both, rng)
    times = paired_times(teacher, student, tokens[:MAX_TIMED], turns)
    theirs, mine = np.median(times, 0)
    speedup = mean_over(times[:, 0] / times[:, 1], seed=seed)
    return StudentFigures(
        len(tokens), cosine, ranks, recall, agreement, divergence, speedup, float(theirs), float(mine)
    )


def paired_times(teacher: BertFolder, student: Student, tokens: Sequence[Sequence[int]], turns: int) -> F64:
    """(turns, 2) CPU milliseconds a text of teacher and student, on one thread, taking turns in either order."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        found = np.empty((turns, 2))
        both: tuple[BertFolder | Student, ...] = (teacher, student)
        for model in both:
            outputs(model, tokens)
        for turn in range(turns):
            for at in (0, 1) if turn % 2 == 0 else (1, 0):
                began = time.process_time()
                outputs(both[at], tokens)
                found[turn, at] = 1000 * (time.process_time() - began) / len(tokens)
        return found
    finally:
        torch.set_num_threads(threads)


def _vectors(mine: Any, theirs: Any, rng: np.random.Generator) -> tuple[Estimate, Estimate, Estimate]:
    cosines = (mine * theirs).sum(1).astype(np.float64)
    nearest = (mine @ theirs.T).argmax(1) == np.arange(len(mine))
    few = slice(MAX_PAIRED)
    pairs = rank_agreement(mine[few] @ mine[few].T, theirs[few] @ theirs[few].T)
    return (
        bootstrap_mean(cosines, None, rng),
        bootstrap(pairs, len(mine[few]), None, rng, repeats=100),
        wilson(int(nearest.sum()), len(nearest)),
    )


def rank_agreement(mine: Any, theirs: Any) -> Callable[[I64], float]:
    """From rows, which may repeat, to Spearman's correlation of two (n, n) similarities over their pairs of different
    texts."""

    def correlation(rows: I64) -> float:
        above, right = np.triu_indices(len(rows), 1)
        first = rows[above]
        second = rows[right]
        apart = first != second
        if not apart.any():
            return float("nan")
        at = first[apart], second[apart]
        if not np.ptp(mine[at]) or not np.ptp(theirs[at]):  # too few different texts
            return float("nan")
        found: Any = stats.spearmanr(mine[at], theirs[at])
        return float(found.statistic)

    return correlation


def _classes(mine: torch.Tensor, theirs: torch.Tensor, rng: np.random.Generator) -> tuple[Estimate, Estimate]:
    same = (mine.argmax(1) == theirs.argmax(1)).numpy()
    each = np.array([float(soft_cross_entropy(m, t) - soft_cross_entropy(t, t)) for m, t in zip(mine, theirs)])
    return wilson(int(same.sum()), len(same)), bootstrap_mean(each, None, rng)
