"""What a second model, or another checkpoint, brings and costs, in lines for the command line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.checks.checkpoints.follow import FollowedCluster
from core.checks.paired_errors import ALPHA
from core.numbers import bracketed, count, interval, number, p_value, percent, points
from core.records import Comparison, Diagnosis, FourWay

if TYPE_CHECKING:
    from core.checks.model_cost import ModelCost


def second_lines(
    diagnosis: Diagnosis, found: Comparison, costs: tuple[ModelCost, ModelCost] | None = None
) -> list[str]:
    """The headline, and of a student what it saved."""
    return [second_headline(diagnosis, found, costs), *([] if costs is None else [compression_sentence(*costs)])]


def second_headline(diagnosis: Diagnosis, found: Comparison, costs: tuple[ModelCost, ModelCost] | None = None) -> str:
    """What a second model brings and costs beside the one under diagnosis, in one sentence; of a student, whose card
    gives what teacher and student take, also its speed. Of a part of the run's samples it says so first."""
    who = "second model" if costs is None else "student"
    faster = "" if costs is None else f"is {number(costs[0].ms / costs[1].ms, 1)} times as fast and "
    n = len(found.rows)
    total = len(diagnosis.samples)
    the = "The" if n == total else f"On {n:,} of the run's {count(total, diagnosis.samples.modality)} the"
    return f"{the} {who} {faster}{_changed(found.overall)}; {_clusters_worse(found)}."


def _changed(scope: FourWay) -> str:
    gain = scope.difference
    if not gain.value:
        return "is right as often"
    said = f"{'gains' if gain.value > 0 else 'loses'} {points(abs(gain.value), digits=1)}"
    if scope.p is None:
        return f"{said} (not tested)"
    chance = "" if scope.verdict in ("fixed", "broken") else "which may be chance, "
    return f"{said} ({chance}{interval(gain, points=True, digits=1)}, {p_value(scope.p)})"


def _clusters_worse(found: Comparison) -> str:
    """Of how many failure clusters that could be tested it can be told that they grew worse."""
    tested = [f for f in found.clusters if f.p is not None]
    n = len(tested)
    untested = len(found.clusters) - len(tested)
    if not found.clusters:
        return "no failure cluster was confirmed in which it could be worse"
    if not n:
        return f"{'the one failure cluster' if untested == 1 else 'each failure cluster'} goes untested"
    worse = sum(f.p is not None and f.p <= ALPHA and f.difference.value < 0 for f in tested)
    shared = sum(f.verdict in ("same", "shared", "partly") for f in tested)
    better = [f for f in tested if f.verdict in ("fixed", "partly")]
    if len(found.clusters) == len(better) == 1:
        gain = better[0].difference
        still = ", and still more there than elsewhere" if shared else ""
        figures = f"{points(gain.value, digits=1)}, {interval(gain, points=True, digits=1)}, {p_value(better[0].p)}"
        return f"it fails less in the one failure cluster ({figures}){still}"
    if len(found.clusters) == 1:
        also = ", and it too fails there" if shared else ""
        return f"the one failure cluster {'grew worse' if worse else 'did not grow worse beyond chance'}{also}"
    also = f", and it too fails in {'all' if shared == n else shared} of them" if shared else ""
    also = f", and it fails less in {'all' if len(better) == n else len(better)} of them{also}" if better else also
    few = f", and {untested} more {'has' if untested == 1 else 'have'} too few of these samples" if untested else ""
    return f"{worse or 'none'} of the {n} failure clusters grew worse beyond chance{also}{few}"


def compression_sentence(teacher: ModelCost, student: ModelCost) -> str:
    """What the student saved."""
    return (
        f"The student has {student.layers} layers x {student.width} in place of {teacher.layers} x {teacher.width}, "
        f"{student.parameters / 1e6:.1f} M parameters in place of {teacher.parameters / 1e6:.1f} M, and takes "
        f"{student.ms:.2f} ms a text in place of {teacher.ms:.2f} on one thread."
    )


FOLLOWED = (
    "The clusters are those of the run, found once and frozen. In the run's own model they were chosen for their "
    "errors, so its rate there is corrected; a checkpoint that fails on much the same samples, such as the epoch "
    "before, shares that choice in part, and a change from it looks too large and too sure. Each interval is of 95% "
    "and for itself; p asks whether the last checkpoint is wrong as often as the first, adjusted over the clusters."
)


def change_sentence(names: Sequence[str], one: FollowedCluster) -> str:
    """How the error rate changed from the first to the last checkpoint, in a sentence (plain text)."""
    if one.p is None:
        rate = one.rates[-1]
        return f"{percent(rate.value)} wrong in {names[-1]} {bracketed(rate, share=True)}."
    way = "fell" if one.change.value < 0 else "rose" if one.change.value > 0 else "stayed"
    if way == "stayed":
        return f"Wrong as often in {names[-1]} as in {names[0]} ({p_value(one.p)})."
    sure = "" if one.p < 0.05 else ": no more than chance may give"
    by = f"{points(one.change.value, sign=True)} {bracketed(one.change, points=True)}"
    return f"From {names[0]} to {names[-1]} the error rate {way}, {by}, {p_value(one.p)}{sure}."
