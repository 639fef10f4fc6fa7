"""Learning curves: a probe's results with growing numbers of shots, on the same scored rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from itertools import pairwise

from core.errors import DiagnosisError, InvalidInput
from core.records import I64, Diagnosis, Estimate
from core.statistics.paired import paired_difference, paired_p
from core.statistics.permutation import holm
from core.systems.probes import probe_class
from core.systems.probes.base import shots_words
from core.systems.probes.measures import groups_of
from core.systems.probes.records import ProbeResult, results_of
from core.systems.probes.splits import VALIDATION

MAX_NUMBERS = 12
"""Numbers of shots in one run."""
MAX_DIGITS = 18
"""Digits of a number of shots, so that it fits an int64; the probe's own setting has the real limit."""


@dataclass(frozen=True, slots=True)
class ShotPoint:
    """A probe with one number of shots."""

    result: str
    """Name of the result in the run."""
    shots: int
    labelled: int | None
    """Labeled samples a class that it asked for: shots, and those on which it chose settings; a class may have fewer.
    None where the probe is not installed."""
    accuracy: Estimate
    gain: Estimate | None
    """Its accuracy minus that of zero-shot with the same texts, paired by row; None without that control."""
    gain_p: float | None
    """Two-sided p of that gain, adjusted (Holm) over the numbers of shots of the curve."""
    step: Estimate | None
    """Its accuracy minus that with the next smaller number of shots, paired by row; None for the smallest."""
    step_p: float | None
    """Two-sided p of that step (`core.statistics.paired.paired_p`), adjusted (Holm) over the steps of the curve."""


@dataclass(frozen=True, slots=True)
class ShotCurve:
    """A probe with growing numbers of shots and otherwise equal settings."""

    name: str
    """Name of its results without the shots."""
    points: tuple[ShotPoint, ...]
    """At least two, the fewest shots first."""
    zero_shot: Estimate | None
    """Accuracy of zero-shot with the same texts on the same rows."""


@dataclass(frozen=True, slots=True)
class ShotCurves:
    """The curves whose points were all scored on the same rows."""

    n: int
    modality: str
    split: str
    """A sentence on the training and scored rows."""
    curves: tuple[ShotCurve, ...]


def shot_curves(diagnosis: Diagnosis) -> tuple[ShotCurves, ...]:
    """The curves among the results of a run, by their scored rows; empty where no probe ran with two numbers of shots.

    Results belong to one curve if probe, encoder, scored rows and all settings but the shots agree, including the seed:
    the same seed draws nested shots for growing numbers. The accuracy of zero-shot must agree too: if it differs, a
    file of texts changed between two runs.
    """
    by_rows: dict[bytes, dict[str, dict[int, ProbeResult]]] = {}
    for result in results_of(diagnosis):
        shots = shots_of(result)
        if shots and result.outcomes.errors is not None:
            by_rows.setdefault(result.rows.tobytes(), {}).setdefault(_family(result), {})[shots] = result
    charts: list[ShotCurves] = []
    for families in by_rows.values():
        names: set[str] = set()
        curves: list[ShotCurve] = []
        first = None
        for by_shots in families.values():
            if len(by_shots) < 2:
                continue
            results = [result for _, result in sorted(by_shots.items())]
            first = first or results[0]
            curve = _curve(results, groups_of(diagnosis, results[0]))
            if curve.name in names:  # names must differ, so this curve takes that of its first result
                curve = replace(curve, name=results[0].name)
            names.add(curve.name)
            curves.append(curve)
        if first is not None:
            charts.append(ShotCurves(len(first.rows), first.modality, first.split, tuple(curves)))
    return tuple(charts)


def read_numbers(text: str) -> tuple[int, ...]:
    """Numbers of shots such as "1,4,16", ascending and each once; empty for a text without a comma.

    Raises:
        InvalidInput: a part is not a whole number, or there are more than `MAX_NUMBERS`.
    """
    parts = [part.strip() for part in text.split(",")]
    if len(parts) < 2:
        return ()
    if not all(part.isascii() and part.isdigit() and len(part) <= MAX_DIGITS for part in parts):
        raise InvalidInput(f"--shots must be whole numbers with commas: got {text[:60]!r}. Use for example 1,4,16.")
    if len(parts) > MAX_NUMBERS:
        raise InvalidInput(f"--shots takes at most {MAX_NUMBERS} numbers: got {len(parts)}. Remove some.")
    return tuple(sorted({int(part) for part in parts}))


def doubled(most: int) -> tuple[int, ...]:
    """The last `MAX_NUMBERS` of 1, 2, 4, ... below `most`, and `most` itself."""
    numbers = [1]
    while 2 * numbers[-1] < most:
        numbers.append(2 * numbers[-1])
    return tuple(sorted({*numbers, most}))[-MAX_NUMBERS:]


def shots_of(result: ProbeResult) -> int:
    """Labeled samples a class that a probe learned from; 0 if none, as with loaded prompts."""
    shots = result.settings.get("shots")
    learned = result.support is not None and not result.settings.get("load")
    if learned and type(shots) is int and shots > 0:
        return shots
    return 0


def _family(result: ProbeResult) -> str:
    others = sorted((name, repr(value)) for name, value in result.settings.items() if name != "shots")
    zero = [control.accuracy.value for control in result.controls if control.name == "zero-shot"]
    return repr((result.probe, result.encoder, result.split, others, zero[:1]))


def _curve(results: Sequence[ProbeResult], groups: I64 | None) -> ShotCurve:
    steps: list[tuple[Estimate, float]] = []
    for fewer, more in pairwise(results):
        a = fewer.outcomes.errors
        b = more.outcomes.errors
        assert a is not None
        assert b is not None
        steps.append((paired_difference(a, b, groups), paired_p(a, b, groups)))
    # Holm over the tests of this curve, since each point and each step is read as a finding of its own
    step_p = holm([p for _, p in steps]).tolist()
    zeros = [next((c for c in r.controls if c.name == "zero-shot"), None) for r in results]
    gain_p = iter(holm([c.p for c in zeros if c is not None]).tolist())
    points: list[ShotPoint] = []
    for i, (r, zero) in enumerate(zip(results, zeros, strict=True)):
        gain: tuple[Estimate | None, float | None] = (None, None)
        if zero is not None:
            gain = (zero.gain, float(next(gain_p)))
        step: tuple[Estimate | None, float | None] = (None, None)
        if i > 0:
            step = (steps[i - 1][0], float(step_p[i - 1]))
        points.append(ShotPoint(r.name, shots_of(r), _labelled(r), r.accuracy, *gain, *step))
    first = results[0]
    name = first.name.replace(f", {shots_words(shots_of(first))}", "", 1)
    return ShotCurve(name, tuple(points), None if zeros[0] is None else zeros[0].accuracy)


def _labelled(result: ProbeResult) -> int | None:
    try:
        kind = probe_class(result.probe)
        names = {f.name for f in fields(kind)}
        needs = kind(**{name: value for name, value in result.settings.items() if name in names}).needs()
    except (DiagnosisError, ImportError):
        return None
    return needs.shots + min(needs.validation, VALIDATION)
