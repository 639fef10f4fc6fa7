"""Two models on the same samples: what one fixes and breaks of the other, overall, by class and by failure cluster.

A failure cluster was chosen because model A does badly in it, so A looks worse there than it is, and any other model
better. Hence the difference inside a cluster is corrected by what selection is estimated to have added to A's error.
Beside it stands a comparison without A: does B fail more inside the cluster than outside, class by class? If so, the
images are hard for both.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from core.checks.paired_errors import MODEL, ErrorPair, judged
from core.errors import InvalidInput
from core.options import check_seed
from core.records import EVERYTHING, I64, OWN, Bool, Comparison, Diagnosis, ModelResult, Outcomes, other_models
from core.statistics.groups import groups_at
from core.statistics.intervals import accuracy_of
from core.statistics.paired import kappa

LOSSES_ALONE = (
    "The run has no labels, so its errors are unknown, and losses of two models have no common scale. "
    "Diagnose with labels and predictions or probabilities, or compare two probes."
)
"""Why the model of a run with only losses cannot be compared."""


@dataclass(frozen=True, slots=True, eq=False)
class _Side:
    """One model's errors on the samples."""

    name: str
    rows: I64
    errors: Bool
    truth: tuple[str, ...] | None = None
    """The true class of each row, if known."""
    named: bool = False
    """Whether the model predicts a class for each row."""


def compare(diagnosis: Diagnosis, a: str = MODEL, b: str | None = None, *, seed: int = 0) -> Comparison:
    """Compare models A and B of a run on the rows that both scored.

    Args:
        diagnosis: with the results that a probe or `with_second` added.
        a, b: "model" for the one under diagnosis, or the name of a probe's result; b is by default the latest probe.
        seed: for the permutations and bootstraps.

    Raises:
        InvalidInput: the result is unknown, A and B are the same, errors of one are unknown, or no row is shared.
    """
    others = other_models(diagnosis)
    if b is None:
        if not others:
            raise InvalidInput(
                "No other model was run on these samples, so there is nothing to compare. "
                "Give --second TABLE or run a probe."
            )
        b = others[-1].name
    if a == b:
        raise InvalidInput(
            f"Comparing needs two different models: got {a!r} twice. Choose from {', '.join(names_of(diagnosis))}."
        )
    return _compared(diagnosis, _side(diagnosis, a), _side(diagnosis, b), seed)


def compare_outcomes(diagnosis: Diagnosis, other: Outcomes, name: str = "other model", *, seed: int = 0) -> Comparison:
    """Compare the model under diagnosis with other outcomes on the same rows, for example of a second checkpoint.

    Raises:
        InvalidInput: the number of rows differs, or errors are unknown.
    """
    n = len(diagnosis.samples)
    if len(other.loss) != n or other.errors is None:
        raise InvalidInput(
            f"The other model has {len(other.loss):,} rows, or its errors are unknown; {n:,} rows with known errors "
            "are needed. Give one outcome per sample."
        )
    side = _Side(name, np.arange(n, dtype=np.int64), other.errors, named=other.predictions is not None)
    return _compared(diagnosis, _side(diagnosis, MODEL), side, seed)


def names_of(diagnosis: Diagnosis) -> tuple[str, ...]:
    """Models that can be compared: "model", if its errors are known, and the names of the probes."""
    names = [probe.name for probe in other_models(diagnosis)]
    if diagnosis.outcomes.errors is not None:
        names.insert(0, MODEL)
    return tuple(names)


def probe_of(diagnosis: Diagnosis, name: str) -> ModelResult:
    """The probe's result with that name.

    Raises:
        InvalidInput: the run has none.
    """
    probe = next((p for p in other_models(diagnosis) if p.name == name), None)
    if probe is None:
        raise InvalidInput(
            f"This run has no result called {name!r}. "
            f"Choose from {', '.join(map(repr, names_of(diagnosis))) or 'none'}."
        )
    return probe


def _side(diagnosis: Diagnosis, name: str) -> _Side:
    if name != MODEL:
        probe = probe_of(diagnosis, name)
        if probe.outcomes.errors is None:
            raise InvalidInput(f"Only losses are known for {name[:80]!r}, not errors. Add labels and predictions.")
        truth = _class_names(probe.labels, probe.class_names)
        named = probe.outcomes.predictions is not None
        return _Side(name, probe.rows, probe.outcomes.errors, truth, named)
    errors = diagnosis.outcomes.errors
    if errors is None:
        raise InvalidInput(LOSSES_ALONE)
    truth = _class_names(diagnosis.samples.labels, diagnosis.samples.class_names)
    named = diagnosis.outcomes.predictions is not None
    return _Side(MODEL, np.arange(len(errors), dtype=np.int64), errors, truth, named)


def _class_names(labels: I64 | None, names: tuple[str, ...]) -> tuple[str, ...] | None:
    if labels is None or not len(names) or (labels < 0).any():
        return None
    return tuple(names[c] for c in labels.tolist())


def _other_truths(a: _Side, b: _Side, at_a: I64, at_b: I64) -> int:
    """Number of common rows whose true class differs between A and B."""
    if a.truth is None or b.truth is None:
        return 0
    return sum(a.truth[i] != b.truth[j] for i, j in zip(at_a.tolist(), at_b.tolist()))


def error_pair(diagnosis: Diagnosis, a: str, b: str, *, seed: int = 0) -> ErrorPair:
    """The errors of models A and B on the rows that both scored, as `compare` uses them.

    Raises:
        InvalidInput: as `compare` does.
    """
    return _pair(diagnosis, _side(diagnosis, a), _side(diagnosis, b), seed)[0]


def _pair(diagnosis: Diagnosis, a: _Side, b: _Side, seed: int) -> tuple[ErrorPair, int]:
    """The pair, and the number of its rows with different true classes."""
    rows, at_a, at_b = np.intersect1d(a.rows, b.rows, return_indices=True)
    if not len(rows):
        raise InvalidInput(f"{a.name!r} and {b.name!r} have no row in common. Run the probe on all samples.")
    wrong_a = a.errors[at_a]
    wrong_b = b.errors[at_b]
    groups = groups_at(diagnosis.samples.groups, rows)
    differ = _other_truths(a, b, at_a, at_b)
    pair = ErrorPair(
        diagnosis, rows.astype(np.int64), wrong_a, wrong_b, groups, a.name, b.name, seed, not differ, b.named
    )
    return pair, differ


def _compared(diagnosis: Diagnosis, a: _Side, b: _Side, seed: int) -> Comparison:
    pair, differ = _pair(diagnosis, a, b, check_seed(seed))
    rows = pair.rows
    wrong_a = pair.wrong_a
    wrong_b = pair.wrong_b
    groups = pair.groups
    missing = len(diagnosis.samples) - len(rows)
    notes: list[str] = []
    if missing:
        notes.append(f"Left out {missing:,} of {len(diagnosis.samples):,} samples: not scored by both models.")
    untested = ""
    if differ:
        # McNemar's test asks which model is right about one truth: with two truths it has no meaning
        untested = (
            f"Not tested: {differ:,} of {len(rows):,} samples have different labels for {a.name!r} and {b.name!r}. "
            "Give both tables the same labels."
        )
        notes.append(untested)
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
        tuple(notes),
        untested,
    )


@lru_cache(maxsize=1)
def comparisons(diagnosis: Diagnosis) -> tuple[Comparison, ...]:
    """Compare each probe with the model under diagnosis or, if the model's errors are unknown, with the first probe.

    The last diagnosis is cached: tables, report and command line ask for the same comparisons one after another.
    """
    others = [p for p in other_models(diagnosis) if p.outcomes.errors is not None]
    if diagnosis.outcomes.errors is not None:
        return tuple(compare(diagnosis, MODEL, p.name) for p in others if p.name != diagnosis.extras.get(OWN))
    return tuple(compare(diagnosis, others[0].name, p.name) for p in others[1:])


def comparison_with(diagnosis: Diagnosis, name: str) -> Comparison | None:
    """The comparison whose second side is the probe of that name, if any."""
    return next((c for c in comparisons(diagnosis) if c.b == name), None)
