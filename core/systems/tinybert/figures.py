"""Measure a student on held-out texts: its closeness to the teacher, and its speed."""

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

MAX_PAIRED_TEXTS = 400
"""Texts whose pairs are ranked: 79,800 pairs."""
MAX_TIMED_TEXTS = 256
"""Texts of one timing run: four batches of 64."""
TIMING_TURNS = 5
"""Timing runs of each model. A convention."""


@dataclass(frozen=True, slots=True)
class StudentFigures:
    """Figures on n held-out texts; those that do not apply are undefined (nan). Intervals resample texts."""

    n: int
    cosine: Estimate
    """Mean cosine of the student's and the teacher's vectors."""
    rank_correlation: Estimate
    """Spearman's correlation of the similarities of all pairs of at most 400 texts."""
    recall_at_1: Estimate
    """Share of the student's vectors whose nearest of the teacher's n vectors is that of the same text."""
    agreement: Estimate
    """Share of texts with the same class from both."""
    divergence: Estimate
    """Mean Kullback-Leibler divergence of the student's class probabilities from the teacher's, nats."""
    speedup: Estimate
    """Teacher's time over student's time on one thread, mean over turns."""
    teacher_ms: float
    """Milliseconds per text, on one thread in batches of 64; the median of several turns."""
    student_ms: float


def measure(
    teacher: BertFolder, student: Student, tokens: Sequence[Sequence[int]], *, seed: int = 0, turns: int = TIMING_TURNS
) -> StudentFigures:
    """Measure a student on the (held-out) texts of these tokens."""
    rng = np.random.default_rng(seed)
    cosine = ranks = recall = agreement = divergence = UNDEFINED
    if teacher.kind == "classes":
        logits = outputs(student, tokens)
        their_logits = outputs(teacher, tokens)
        same = (logits.argmax(1) == their_logits.argmax(1)).numpy()
        # cross-entropy less the teacher's entropy is the Kullback-Leibler divergence
        divergences = [float(soft_cross_entropy(m, t) - soft_cross_entropy(t, t)) for m, t in zip(logits, their_logits)]
        agreement = wilson(int(same.sum()), len(same))
        divergence = bootstrap_mean(np.array(divergences), None, rng)
    elif teacher.kind == "vectors":
        vectors = outputs(student, tokens).numpy()
        their_vectors = outputs(teacher, tokens).numpy()
        nearest = (vectors @ their_vectors.T).argmax(1) == np.arange(len(vectors))
        few = vectors[:MAX_PAIRED_TEXTS]
        their_few = their_vectors[:MAX_PAIRED_TEXTS]
        cosine = bootstrap_mean((vectors * their_vectors).sum(1).astype(np.float64), None, rng)
        ranks = bootstrap(rank_agreement(few @ few.T, their_few @ their_few.T), len(few), None, rng, repeats=100)
        recall = wilson(int(nearest.sum()), len(nearest))
    times = paired_times(teacher, student, tokens[:MAX_TIMED_TEXTS], turns)
    theirs, mine = np.median(times, 0)
    speedup = mean_over(times[:, 0] / times[:, 1], seed=seed)
    return StudentFigures(
        len(tokens), cosine, ranks, recall, agreement, divergence, speedup, float(theirs), float(mine)
    )


def paired_times(teacher: BertFolder, student: Student, tokens: Sequence[Sequence[int]], turns: int) -> F64:
    """(turns, 2) CPU milliseconds per text of teacher and student on one thread; the order alternates by turn."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        times = np.empty((turns, 2))
        both: tuple[BertFolder | Student, ...] = (teacher, student)
        for model in both:  # warm up
            outputs(model, tokens)
        for turn in range(turns):
            for column in (0, 1) if turn % 2 == 0 else (1, 0):
                began = time.process_time()
                outputs(both[column], tokens)
                times[turn, column] = 1000 * (time.process_time() - began) / len(tokens)
        return times
    finally:
        torch.set_num_threads(threads)


def rank_agreement(mine: Any, theirs: Any) -> Callable[[I64], float]:
    """From rows, which may repeat, to Spearman's correlation of two (n, n) similarities over their pairs of different
    texts. A resample draws a text twice; its pair with itself would always agree, so it does not count."""

    def correlation(rows: I64) -> float:
        above, right = np.triu_indices(len(rows), 1)
        first = rows[above]
        second = rows[right]
        different = first != second
        if not different.any():
            return float("nan")
        pairs = first[different], second[different]
        if not np.ptp(mine[pairs]) or not np.ptp(theirs[pairs]):  # too few different texts
            return float("nan")
        result: Any = stats.spearmanr(mine[pairs], theirs[pairs])
        return float(result.statistic)

    return correlation
