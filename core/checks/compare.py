"""Two models on the same samples: what one fixes and breaks of the other, over all, by class and by failure cluster.

A failure cluster was chosen because model A does badly in it, so A will look worse there than it is, and any other
model better. Hence the difference inside a cluster is corrected by what the selection is reckoned to have added to A's
error, and beside it stands a comparison in which A has no part: does B fail more inside the cluster than outside, class
by class? Where it does, the images are hard for both.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from core.checks.paired_errors import MODEL, ErrorPair, judged
from core.errors import InvalidInput
from core.records import EVERYTHING, I64, OWN, Bool, Comparison, Diagnosis, ModelResult, Outcomes, other_models
from core.statistics.intervals import accuracy_of
from core.statistics.paired import kappa


@dataclass(frozen=True, slots=True, eq=False)
class _Side:
    """One model's errors on the samples."""

    name: str
    rows: I64
    errors: Bool
    truth: tuple[str, ...] | None = None
    """The class by which each row was judged, where one is known."""
    named: bool = False
    """Whether it names a class for each row."""


def compare(diagnosis: Diagnosis, a: str = MODEL, b: str | None = None, *, seed: int = 0) -> Comparison:
    """Models A and B of a run on the rows that both scored.

    Args:
        diagnosis: with what a probe or `with_second` added to it.
        a, b: "model" for the one under diagnosis, or the name of a probe's result; b is by default the latest probe.
        seed: of the permutations and bootstraps.

    Raises:
        InvalidInput: there is no such result, both are one, the errors of one are unknown, or they share no row.
    """
    others = other_models(diagnosis)
    if b is None:
        if not others:
            raise InvalidInput(
                "No probe was run on these samples yet, so there is nothing to compare with. Run one first."
            )
        b = others[-1].name
    if a == b:
        raise InvalidInput(
            f"Two different models are needed to compare: got {a!r} twice. There are: {', '.join(names_of(diagnosis))}."
        )
    return _compared(diagnosis, _side(diagnosis, a), _side(diagnosis, b), seed)


def compare_outcomes(diagnosis: Diagnosis, other: Outcomes, name: str = "other model", *, seed: int = 0) -> Comparison:
    """The model under diagnosis beside any other outcomes on the same rows, such as those of a second checkpoint.

    Raises:
        InvalidInput: the number of rows differs, or errors are unknown.
    """
    n = len(diagnosis.samples)
    if len(other.loss) != n or other.errors is None:
        raise InvalidInput(
            f"The other model needs an outcome with known errors for each of the {n:,} samples: "
            f"got {len(other.loss):,} rows."
        )
    given = _Side(name, np.arange(n, dtype=np.int64), other.errors, named=other.predictions is not None)
    return _compared(diagnosis, _side(diagnosis, MODEL), given, seed)


def names_of(diagnosis: Diagnosis) -> tuple[str, ...]:
    """What can be compared: "model", where its errors are known, and the probes' names."""
    return (*((MODEL,) if diagnosis.outcomes.errors is not None else ()), *(p.name for p in other_models(diagnosis)))


def probe_of(diagnosis: Diagnosis, name: str) -> ModelResult:
    """The probe's result of that name.

    Raises:
        InvalidInput: there is none.
    """
    found = next((p for p in other_models(diagnosis) if p.name == name), None)
    if found is None:
        raise InvalidInput(
            f"This run has no result called {name!r}. It has: {', '.join(map(repr, names_of(diagnosis))) or 'none'}."
        )
    return found


def _side(diagnosis: Diagnosis, name: str) -> _Side:
    if name != MODEL:
        found = probe_of(diagnosis, name)
        if found.outcomes.errors is None:
            raise InvalidInput(f"Of {name[:80]!r} only losses are known, not which answers were wrong.")
        truth = _named(found.labels, found.class_names)
        named = found.outcomes.predictions is not None
        return _Side(name, found.rows, found.outcomes.errors, truth, named)
    errors = diagnosis.outcomes.errors
    if errors is None:
        raise InvalidInput(
            "Of the model only losses are known, not which answers were wrong, and losses of two models have no "
            "common scale. Bring a label "
            "with predictions or probabilities, or compare two probes."
        )
    truth = _named(diagnosis.samples.labels, diagnosis.samples.class_names)
    named = diagnosis.outcomes.predictions is not None
    return _Side(MODEL, np.arange(len(errors), dtype=np.int64), errors, truth, named)


def _named(labels: I64 | None, names: tuple[str, ...]) -> tuple[str, ...] | None:
    if labels is None or not len(names) or (labels < 0).any():
        return None
    return tuple(names[c] for c in labels.tolist())


def _other_truths(a: _Side, b: _Side, at_a: I64, at_b: I64) -> int:
    """Common rows whose true class is one for A and another for B."""
    if a.truth is None or b.truth is None:
        return 0
    return sum(a.truth[i] != b.truth[j] for i, j in zip(at_a.tolist(), at_b.tolist()))


def error_pair(diagnosis: Diagnosis, a: str, b: str, *, seed: int = 0) -> ErrorPair:
    """The errors of models A and B on the rows that both scored, as `compare` takes them.

    Raises:
        InvalidInput: as `compare` does.
    """
    return _pair(diagnosis, _side(diagnosis, a), _side(diagnosis, b), seed)[0]


def _pair(diagnosis: Diagnosis, a: _Side, b: _Side, seed: int) -> tuple[ErrorPair, int]:
    """The pair, and on how many of its rows the two are judged by different classes."""
    rows, at_a, at_b = np.intersect1d(a.rows, b.rows, return_indices=True)
    if not len(rows):
        raise InvalidInput(f"{a.name!r} and {b.name!r} scored no row in common. Run the probe on all samples.")
    wrong_a = a.errors[at_a]
    wrong_b = b.errors[at_b]
    groups = None if diagnosis.samples.groups is None else diagnosis.samples.groups[rows]
    differ = _other_truths(a, b, at_a, at_b)
    pair = ErrorPair(
        diagnosis, rows.astype(np.int64), wrong_a, wrong_b, groups, a.name, b.name, seed, not differ, b.named
    )
    return pair, differ


def _compared(diagnosis: Diagnosis, a: _Side, b: _Side, seed: int) -> Comparison:
    pair, differ = _pair(diagnosis, a, b, seed)
    rows = pair.rows
    wrong_a = pair.wrong_a
    wrong_b = pair.wrong_b
    groups = pair.groups
    missing = len(diagnosis.samples) - len(rows)
    notes = [f"{missing:,} of {len(diagnosis.samples):,} samples were not scored by both and are left out."]
    untested = (
        ""
        if not differ
        else (
            f"Nothing is tested: {differ:,} of {len(rows):,} samples have one true class for {a.name!r} and another "
            f"for {b.name!r}, and McNemar's test asks which model is right about the same truth. Give both tables the "
            "same labels."
        )
    )
    return Comparison(
        a.name,
        b.name,
        pair.rows,
        accuracy_of(wrong_a, groups),
        accuracy_of(wrong_b, groups),
        judged(pair.four_way(EVERYTHING, "all", np.ones(len(rows), bool))),
        pair.classes(),
        pair.clusters(),
        kappa(wrong_a, wrong_b),
        (*(notes if missing else ()), *filter(None, [untested])),
        untested,
    )


@lru_cache(maxsize=1)
def comparisons(diagnosis: Diagnosis) -> tuple[Comparison, ...]:
    """Each probe beside the model under diagnosis; where the model's errors are unknown, beside the first probe.

    The last diagnosis is kept: the tables, the report and the command line ask for the same comparisons one after the
    other.
    """
    others = [p for p in other_models(diagnosis) if p.outcomes.errors is not None]
    if diagnosis.outcomes.errors is not None:
        return tuple(compare(diagnosis, MODEL, p.name) for p in others if p.name != diagnosis.extras.get(OWN))
    return tuple(compare(diagnosis, others[0].name, p.name) for p in others[1:])


def comparison_with(diagnosis: Diagnosis, name: str) -> Comparison | None:
    """The comparison whose second side is the probe of that name, if there is one."""
    return next((c for c in comparisons(diagnosis) if c.b == name), None)
