"""How many labeled samples does it take? A probe's results with growing numbers of shots, on the same scored rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise

from core.errors import DiagnosisError, InvalidInput
from core.records import I64, Diagnosis, Estimate
from core.statistics.paired import paired_difference, paired_p
from core.statistics.permutation import holm
from core.systems.probes import probe_class
from core.systems.probes.base import said_shots
from core.systems.probes.records import Control, ProbeResult, results_of
from core.systems.probes.splits import VALIDATION

MAX_NUMBERS = 12
"""Numbers of shots that one command or one press runs."""
MAX_DIGITS = 18
"""Of a number of shots; which are too many the probe says."""


@dataclass(frozen=True, slots=True)
class ShotPoint:
    """A probe with one number of shots."""

    result: str
    """Name of the result in the run."""
    shots: int
    labelled: int | None
    """Labeled samples a class that it asked for: shots, and those by which it chose numbers; a class that has fewer
    gave those. None where the probe is not installed here."""
    accuracy: Estimate
    gain: Estimate | None
    """Its accuracy minus that of zero-shot with the same texts, paired by row; None without that control."""
    gain_p: float | None
    """Two-sided p of that gain, adjusted (Holm) over the numbers of shots of the curve."""
    step: Estimate | None
    """Its accuracy minus that with the next smaller number of shots, paired by row; None of the smallest."""
    step_p: float | None
    """Two-sided p of that step (`core.statistics.paired.paired_p`), adjusted (Holm) over the steps of the curve."""


@dataclass(frozen=True, slots=True)
class ShotCurve:
    """A probe with growing numbers of shots, all other settings alike."""

    name: str
    """What its results are called without the shots."""
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
    """Which rows taught and which were scored, in a sentence."""
    curves: tuple[ShotCurve, ...]


def shot_curves(diagnosis: Diagnosis) -> tuple[ShotCurves, ...]:
    """The curves among the results of a run, by the rows that they were scored on; none where no probe was run with two
    numbers of shots.

    Results belong to one curve where probe, encoder, scored rows and all settings but the shots are the same, the seed
    included: the same seed draws nested shots for growing numbers. So is the accuracy of zero-shot: where it differs, a
    file of texts was changed between two runs.
    """
    groups = diagnosis.samples.groups
    by_rows: dict[bytes, dict[str, dict[int, ProbeResult]]] = {}
    for result in results_of(diagnosis):
        if (shots := shots_of(result)) and result.outcomes.errors is not None:
            by_rows.setdefault(result.rows.tobytes(), {}).setdefault(_family(result), {})[shots] = result
    found: list[ShotCurves] = []
    for families in by_rows.values():
        several = [[r for _, r in sorted(own.items())] for own in families.values() if len(own) > 1]
        if several:
            first = several[0][0]
            curves = tuple(_curve(own, None if groups is None else groups[first.rows]) for own in several)
            found.append(ShotCurves(len(first.rows), first.modality, first.split, _apart(curves, several)))
    return tuple(found)


def read_numbers(text: str) -> tuple[int, ...]:
    """Numbers of shots such as "1,4,16", ascending and each once; none of a text without a comma, which says one.

    Raises:
        InvalidInput: a part is no whole number, or there are more than `MAX_NUMBERS`.
    """
    parts = [part.strip() for part in text.split(",")]
    if len(parts) < 2:
        return ()
    if not all(part.isascii() and part.isdigit() and len(part) <= MAX_DIGITS for part in parts):
        raise InvalidInput(f"Several numbers of shots are written as 1,4,16: got {text[:60]!r}.")
    if len(parts) > MAX_NUMBERS:
        raise InvalidInput(f"At most {MAX_NUMBERS} numbers of shots are run at once: got {len(parts)}. Name fewer.")
    return tuple(sorted({int(part) for part in parts}))


def doubled(most: int) -> tuple[int, ...]:
    """1, 2, 4, ... below `most`, and `most` itself; the last `MAX_NUMBERS` of them."""
    numbers = [1]
    while 2 * numbers[-1] < most:
        numbers.append(2 * numbers[-1])
    return tuple(sorted({*numbers, most}))[-MAX_NUMBERS:]


def shots_of(result: ProbeResult) -> int:
    """Labeled samples a class that taught a probe; 0 where none did, as with what was saved earlier."""
    shots = result.settings.get("shots")
    taught = result.support is not None and not result.settings.get("load")
    return shots if type(shots) is int and shots > 0 and taught else 0


def _family(result: ProbeResult) -> str:
    others = sorted((name, repr(value)) for name, value in result.settings.items() if name != "shots")
    zero = _zero_shot(result)
    return repr((result.probe, result.encoder, result.split, others, None if zero is None else zero.accuracy.value))


def _zero_shot(result: ProbeResult) -> Control | None:
    return next((c for c in result.controls if c.name == "zero-shot"), None)


def _curve(results: Sequence[ProbeResult], groups: I64 | None) -> ShotCurve:
    steps: list[tuple[Estimate, float]] = []
    for fewer, more in pairwise(results):
        a = fewer.outcomes.errors
        b = more.outcomes.errors
        assert a is not None
        assert b is not None
        steps.append((paired_difference(a, b, groups), paired_p(a, b, groups)))
    adjusted = holm([p for _, p in steps]).tolist()
    zeros = [_zero_shot(r) for r in results]
    over_zero = iter(holm([c.p for c in zeros if c is not None]).tolist())
    points: list[ShotPoint] = []
    for i, (r, zero) in enumerate(zip(results, zeros, strict=True)):
        step, p = (steps[i - 1][0], float(adjusted[i - 1])) if i else (None, None)
        over = (None, None) if zero is None else (zero.gain, float(next(over_zero)))
        points.append(ShotPoint(r.name, shots_of(r), _labelled(r), r.accuracy, *over, step, p))
    return ShotCurve(_plain_name(results[0]), tuple(points), None if zeros[0] is None else zeros[0].accuracy)


def _plain_name(result: ProbeResult) -> str:
    return result.name.replace(f", {said_shots(shots_of(result))}", "", 1)


def _apart(curves: Iterable[ShotCurve], results: Sequence[Sequence[ProbeResult]]) -> tuple[ShotCurve, ...]:
    """The curves with names that differ: one that is called as another is called by its first result's name."""
    seen: set[str] = set()
    told: list[ShotCurve] = []
    for curve, own in zip(curves, results):
        name = curve.name if curve.name not in seen else own[0].name
        seen.add(name)
        told.append(ShotCurve(name, curve.points, curve.zero_shot))
    return tuple(told)


def _labelled(result: ProbeResult) -> int | None:
    try:
        kind = probe_class(result.probe)
        own = {f.name for f in fields(kind)}
        needs = kind(**{name: value for name, value in result.settings.items() if name in own}).needs()
    except (DiagnosisError, ImportError):
        return None
    return needs.shots + min(needs.validation, VALIDATION)
