"""What is known of why a sample fails: confirmed findings that speak of it, and the outcomes of its nearest samples.

Only what was measured and confirmed is a ground. Where nothing was confirmed there is none, however high the expected
loss; what grounds are worth is measured by `core.checks.faithfulness`.
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
"""Of the nearest samples, so many must fail before they are named,"""
TIMES = 2.0
"""and so many times the share of all samples that fail."""
_AT_ONCE = 256
WORST = 0.1
"""Share of the samples that counts as the worst: of the expected losses; and of the losses where errors are unknown."""


@dataclass(frozen=True, slots=True)
class Ground:
    """One thing that is known of a sample."""

    kind: GroundKind
    text: str = ""
    """Of a condition or phrase its text, of a class its name."""
    number: int = 0
    """Of a cluster its id; of neighbors how many fail."""
    scope: str = ""
    """Of a condition or phrase the class, or other part, that it was confirmed in; "" for all samples."""

    @property
    def said(self) -> str:
        """Such as "weather = fog (within car)"."""
        return f"{self.text} (within {self.scope})" if self.scope else self.text


@dataclass(frozen=True, slots=True)
class SampleReason:
    """Why a sample may fail."""

    row: int
    expected: float
    """Loss predicted by the fold that did not see the row."""
    worst: bool
    """Whether that is in the worst tenth, and the run confirmed that the loss can be predicted."""
    grounds: tuple[Ground, ...]
    """() where nothing is known."""


def reason_of(diagnosis: Diagnosis, row: int) -> SampleReason:
    """What is known of one row: its cluster, conditions and phrases, its class, its nearest samples."""
    return reasons_of(diagnosis, [row])[0]


def reasons_of(diagnosis: Diagnosis, rows: Sequence[int] | None = None) -> list[SampleReason]:
    """What is known of each of the rows; of all, in order, if none are named."""
    predicted = diagnosis.estimate.predicted
    fails = failing(diagnosis)
    line = worst_tenth(predicted) if is_predictable(diagnosis) else np.inf
    at = range(len(diagnosis.samples)) if rows is None else rows
    findings = {row: findings_of(diagnosis, row) for row in at}
    known = [row for row in at if findings[row] or predicted[row] >= line]
    near = dict(zip(known, nearest(diagnosis.embeddings.vectors, diagnosis.samples.groups, known)))
    rate = float(fails.mean())
    found = list[SampleReason]()
    for row in at:
        grounds = findings[row]
        if row in near:
            count = int(fails[near[row]].sum())
            grounds += (Ground("neighbours", number=count),) if stands_out(count, len(near[row]), rate) else ()
        found.append(SampleReason(row, float(predicted[row]), bool(predicted[row] >= line), grounds))
    return found


def findings_of(diagnosis: Diagnosis, row: int) -> tuple[Ground, ...]:
    """The confirmed findings that speak of the row, each text once; of conditions and phrases the strongest first."""
    inside = sorted((c for c in diagnosis.clusters if c.membership[row] >= 0.5), key=lambda c: -c.membership[row])
    grounds = [Ground("cluster", number=cluster.id) for cluster in inside[:1]]
    known = strongest_first(i for i in diagnosis.insights if i.confirmed and i.mask[row])
    spoken = [Ground(i.kind, i.text, scope="" if i.scope == EVERYTHING else i.scope) for i in known]
    grounds += dict.fromkeys(spoken)
    labels = diagnosis.samples.labels
    names = diagnosis.samples.class_names
    if labels is not None:
        own = names[int(labels[row])]
        if any(c.confirmed and c.kind == "class" and c.name == own for c in diagnosis.classes):
            grounds.append(Ground("class", own))
    return tuple(grounds)


def failing(diagnosis: Diagnosis) -> Bool:
    """(n,) wrong predictions; where errors are unknown, the worst tenth of the losses, or where so many share its
    least value that it would be a fifth and more, those above it."""
    loss = diagnosis.outcomes.loss
    errors = diagnosis.outcomes.errors
    if errors is not None:
        return errors
    line = worst_tenth(loss)
    worst = loss >= line
    return worst if worst.mean() < 2 * WORST else loss > line


def worst_tenth(values: F64) -> float:
    """From which value on a sample is in the worst tenth."""
    return float(np.quantile(values, 1 - WORST))


def is_predictable(diagnosis: Diagnosis) -> bool:
    """Whether the run confirmed that the loss can be predicted; without that an expected loss is no ground."""
    return diagnosis.estimate.predictability.confirmed is True


def can_name(diagnosis: Diagnosis) -> bool:
    """Whether the run confirmed anything that could be named of a sample."""
    findings = (*diagnosis.clusters, *diagnosis.insights, *(c for c in diagnosis.classes if c.kind == "class"))
    return is_predictable(diagnosis) or any(finding.confirmed for finding in findings)


def nearest(vectors: F32, groups: I64 | None, rows: Sequence[int]) -> Iterator[I64]:
    """Of each row the rows of highest cosine, best first, of other groups (which hold copies); fewer than `NEAREST`
    where there are no more."""
    for start in range(0, len(rows), _AT_ONCE):
        some = np.array(rows[start : start + _AT_ONCE], np.int64)
        cosines = vectors[some] @ vectors.T
        for row, own in zip(some.tolist(), cosines):
            own[row if groups is None else groups == groups[row]] = -np.inf
            yield _highest(own)


def nearest_of_others(vectors: F32, known: F32) -> list[I64]:
    """Of each vector the rows of `known` of highest cosine, best first."""
    starts = range(0, len(vectors), _AT_ONCE)
    return [_highest(own) for start in starts for own in vectors[start : start + _AT_ONCE] @ known.T]


def _highest(cosines: F32) -> I64:
    best = np.argpartition(-cosines, min(NEAREST, len(cosines) - 1))[:NEAREST]
    best = best[np.isfinite(cosines[best])]
    return best[np.argsort(-cosines[best], kind="stable")].astype(np.int64)


def stands_out(n_failing: int, n: int, rate: float) -> bool:
    """Whether so many of the n nearest samples fail that it is said."""
    return n_failing >= LEAST_FAILING and n_failing / n >= TIMES * rate
