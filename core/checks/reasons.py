"""Reasons why a sample fails: the confirmed findings that cover it, and the outcomes of its nearest samples.

Only what was measured and confirmed is a ground. Without a confirmed finding a sample has no ground, however high its
expected loss; `core.checks.faithfulness` measures what grounds are worth.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.records import EVERYTHING, F32, F64, I64, Bool, Diagnosis
from core.statistics.measures import strongest_first

GroundKind = Literal["cluster", "condition", "phrase", "class", "neighbours"]
NEAREST = 5
LEAST_FAILING = 3
"""Nearest samples that must fail before they are named; and with FAILING_RATIO, how much more often than all samples:
three of five is a majority, and common in a set where half fails. A convention."""
FAILING_RATIO = 2.0
_BATCH_ROWS = 256
WORST_SHARE = 0.1
"""Share of the samples counted as the worst, by expected loss; and by loss if errors are unknown. A convention."""


@dataclass(frozen=True, slots=True)
class Ground:
    """One known fact about a sample that may explain its failure."""

    kind: GroundKind
    text: str = ""
    """Of a condition or phrase its text; of a class its name."""
    number: int = 0
    """Of a cluster its id; of neighbors how many fail."""
    scope: str = ""
    """Of a condition or phrase the class, or other part, in which it was confirmed; "" for all samples."""

    @property
    def label(self) -> str:
        """The text with its scope: "weather = fog (within car)"."""
        if self.scope:
            return f"{self.text} (within {self.scope})"
        return self.text


@dataclass(frozen=True, slots=True)
class SampleReason:
    """Why a sample may fail."""

    row: int
    expected: float
    """Loss predicted by the fold that did not see the row."""
    worst: bool
    """Whether that is in the worst tenth, and the run confirmed that loss can be predicted."""
    grounds: tuple[Ground, ...]
    """() if nothing is known."""


def reason_of(diagnosis: Diagnosis, row: int) -> SampleReason:
    """Reasons for one row: its cluster, conditions and phrases, its class, its nearest samples."""
    return reasons_of(diagnosis, [row])[0]


def reasons_of(diagnosis: Diagnosis, rows: Sequence[int] | None = None) -> list[SampleReason]:
    """Reasons for each of the rows; for all, in order, if none are named."""
    predicted = diagnosis.estimate.predicted
    fails = failing(diagnosis)
    line = np.inf
    if is_predictable(diagnosis):
        line = worst_tenth(predicted)
    if rows is None:
        rows = range(len(diagnosis.samples))
    findings = {row: findings_of(diagnosis, row) for row in rows}
    known = [row for row in rows if findings[row] or predicted[row] >= line]
    near = dict(zip(known, nearest(diagnosis.embeddings.vectors, diagnosis.samples.groups, known)))
    rate = float(fails.mean())
    reasons = list[SampleReason]()
    for row in rows:
        grounds = findings[row]
        if row in near:
            count = int(fails[near[row]].sum())
            if stands_out(count, len(near[row]), rate):
                grounds += (Ground("neighbours", number=count),)
        reasons.append(SampleReason(row, float(predicted[row]), bool(predicted[row] >= line), grounds))
    return reasons


def findings_of(diagnosis: Diagnosis, row: int) -> tuple[Ground, ...]:
    """The confirmed findings that cover the row, each text once; conditions and phrases strongest first."""
    inside = sorted((c for c in diagnosis.clusters if c.membership[row] >= 0.5), key=lambda c: -c.membership[row])
    grounds = [Ground("cluster", number=cluster.id) for cluster in inside[:1]]
    known = strongest_first(i for i in diagnosis.insights if i.confirmed and i.mask[row])
    described = [Ground(i.kind, i.text, scope="" if i.scope == EVERYTHING else i.scope) for i in known]
    grounds += dict.fromkeys(described)
    labels = diagnosis.samples.labels
    names = diagnosis.samples.class_names
    if labels is not None:
        class_name = names[int(labels[row])]
        if any(c.confirmed and c.kind == "class" and c.name == class_name for c in diagnosis.classes):
            grounds.append(Ground("class", class_name))
    return tuple(grounds)


def failing(diagnosis: Diagnosis) -> Bool:
    """(n,) wrong predictions; if errors are unknown, the worst tenth of the losses, or those above its smallest value
    if ties would make it a fifth or more."""
    loss = diagnosis.outcomes.loss
    errors = diagnosis.outcomes.errors
    if errors is not None:
        return errors
    line = worst_tenth(loss)
    worst = loss >= line
    if worst.mean() < 2 * WORST_SHARE:
        return worst
    return loss > line


def worst_tenth(values: F64) -> float:
    """The value from which a sample is in the worst tenth."""
    return float(np.quantile(values, 1 - WORST_SHARE))


def is_predictable(diagnosis: Diagnosis) -> bool:
    """Whether the run confirmed that loss can be predicted; otherwise an expected loss is not a ground."""
    return diagnosis.estimate.predictability.confirmed


def can_name(diagnosis: Diagnosis) -> bool:
    """Whether the run confirmed anything that could be a ground of some sample."""
    findings = (*diagnosis.clusters, *diagnosis.insights, *(c for c in diagnosis.classes if c.kind == "class"))
    return is_predictable(diagnosis) or any(finding.confirmed for finding in findings)


def nearest(vectors: F32, groups: I64 | None, rows: Sequence[int]) -> Iterator[I64]:
    """For each row the rows of highest cosine, best first, from other groups (copies share a group); fewer than
    `NEAREST` if there are no more."""
    for start in range(0, len(rows), _BATCH_ROWS):
        batch = np.array(rows[start : start + _BATCH_ROWS], np.int64)
        for row, cosines in zip(batch.tolist(), vectors[batch] @ vectors.T):
            if groups is None:
                cosines[row] = -np.inf
            else:
                cosines[groups == groups[row]] = -np.inf
            yield _highest(cosines)


def nearest_of_others(vectors: F32, known: F32) -> list[I64]:
    """For each vector the rows of `known` of highest cosine, best first."""
    rows: list[I64] = []
    for start in range(0, len(vectors), _BATCH_ROWS):
        for cosines in vectors[start : start + _BATCH_ROWS] @ known.T:
            rows.append(_highest(cosines))
    return rows


def _highest(cosines: F32) -> I64:
    best = np.argpartition(-cosines, min(NEAREST, len(cosines) - 1))[:NEAREST]
    best = best[np.isfinite(cosines[best])]
    return best[np.argsort(-cosines[best], kind="stable")].astype(np.int64)


def stands_out(n_failing: int, n: int, rate: float) -> bool:
    """Whether enough of the n nearest samples fail to be named."""
    return n_failing >= LEAST_FAILING and n_failing / n >= FAILING_RATIO * rate
