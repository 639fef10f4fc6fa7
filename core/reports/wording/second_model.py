"""What a second model, or another checkpoint, brings and costs, in lines for the command line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.checks.checkpoints.follow import FollowedCluster
from core.checks.paired_errors import ALPHA
from core.numbers import bracketed, count, interval, number, p_value, percent, plural, points
from core.records import Comparison, Diagnosis, FourWay
from core.reports.wording.findings import sample_noun

if TYPE_CHECKING:
    from core.checks.model_cost import ModelCost


def second_lines(
    diagnosis: Diagnosis, comparison: Comparison, costs: tuple[ModelCost, ModelCost] | None = None
) -> list[str]:
    """The headline, and of a student what it saved."""
    headline = second_headline(diagnosis, comparison, costs)
    if costs is None:
        return [headline]
    return [headline, compression_sentence(*costs)]


def second_headline(
    diagnosis: Diagnosis, comparison: Comparison, costs: tuple[ModelCost, ModelCost] | None = None
) -> str:
    """What a second model brings and costs beside the one under diagnosis, in one sentence; of a student, whose card
    gives what teacher and student take, also its speed. Of a part of the run's samples it says so first."""
    who = "The second model"
    faster = ""
    if costs is not None:
        who = "The student"
        faster = f"is {number(costs[0].ms / costs[1].ms, 1)} times as fast and "
    n = len(comparison.rows)
    total = len(diagnosis.samples)
    if n < total:
        part = f"{n:,} of the run's {count(total, sample_noun(diagnosis))}"
        who = f"On {part}, {who[0].lower()}{who[1:]}"
    return f"{who} {faster}{_changed(comparison.overall)}. {_groups_worse(comparison)}"


def plain_headline(diagnosis: Diagnosis, comparison: Comparison, who: str) -> tuple[str, str]:
    """(what another model fixed and broke in all, how many groups got worse or better), without intervals.

    Args:
        who: what it is called, such as "second model".
    """
    overall = comparison.overall
    scope = count(overall.n, sample_noun(diagnosis))
    chance = ""
    if overall.p is not None and overall.verdict not in ("fixed", "broken"):
        chance = ", which could be chance"
    headline = f"The {who} fixed {overall.fixed:,} and broke {overall.broken:,} of {scope}{chance}"
    return headline, _groups_worse(comparison)


def _changed(scope: FourWay) -> str:
    gain = scope.difference
    if not gain.value:
        return "is right as often"
    verb = "gains" if gain.value > 0 else "loses"
    text = f"{verb} {points(abs(gain.value), digits=1)}"
    if scope.p is None:
        return f"{text} (not tested)"
    chance = "" if scope.verdict in ("fixed", "broken") else "could be chance; "
    return f"{text} ({chance}95% CI {interval(gain, points=True, digits=1)}; {p_value(scope.p)})"


def _groups_worse(comparison: Comparison) -> str:
    """How many groups got worse, how many are fixed, and how many remain hard."""
    tested = [f for f in comparison.clusters if f.p is not None]
    n = len(tested)
    untested = len(comparison.clusters) - n
    if not comparison.clusters:
        return "No group was confirmed, so none could get worse."
    if not n:
        return f"{count(untested, 'group')} {plural(untested, 'was', 'were')} not tested."
    n_worse = sum(f.p is not None and f.p <= ALPHA and f.difference.value < 0 for f in tested)
    n_hard = sum(f.verdict in ("same", "shared", "partly") for f in tested)
    n_better = sum(f.verdict in ("fixed", "partly") for f in tested)
    worse = f"{n_worse or 'None'} of the {n} groups got worse beyond chance"
    if n == 1:
        got = "did not get"
        if n_worse:
            got = "got"
        worse = f"The tested group {got} worse beyond chance"
    parts = [worse]
    if n_better:
        parts.append(f"{n_better} got better")
    if n_hard:
        parts.append(f"{n_hard} {plural(n_hard, 'remains', 'remain')} hard")
    if untested:
        parts.append(f"{untested} had too few of these samples")
    return f"{'; '.join(parts)}."


def compression_sentence(teacher: ModelCost, student: ModelCost) -> str:
    """What the student saved."""
    return (
        f"The student has {student.layers} layers x {student.width}, the teacher {teacher.layers} x {teacher.width}; "
        f"{student.parameters / 1e6:.1f} M parameters, the teacher {teacher.parameters / 1e6:.1f} M; "
        f"{student.ms:.2f} ms a text on one thread, the teacher {teacher.ms:.2f}."
    )


FOLLOWED = (
    "The groups are those of the run, frozen. They were chosen for the errors of the run's own model, so its rate is "
    "corrected. A checkpoint that is wrong on nearly the same samples shares that choice in part, so a change from it "
    "looks too large and too sure. Each 95% interval stands alone; p compares the last checkpoint with the first, "
    "adjusted over the groups."
)


def plain_change(names: Sequence[str], followed: FollowedCluster) -> str:
    """The error rate at the first and the last checkpoint, without intervals: "40% wrong in epoch1, 22% in epoch9:
    fell." """
    last = followed.rates[-1]
    if not followed.n[-1]:
        return f"{names[-1]} answers none of these samples."
    first = followed.rates[0]
    if len(names) == 1 or not followed.n[0]:
        return f"{percent(last.value)} wrong in {names[-1]}."
    rates = f"{percent(first.value)} wrong in {names[0]}, {percent(last.value)} in {names[-1]}"
    if followed.p is None:
        return f"{rates}. Not tested."
    if followed.p >= ALPHA:
        return f"{rates}. Could be chance."
    way = "fell" if followed.change.value < 0 else "rose"
    return f"{rates}. It {way}."


def change_sentence(names: Sequence[str], cluster: FollowedCluster) -> str:
    """How the error rate changed from the first to the last checkpoint, in a sentence (plain text)."""
    if cluster.p is None:
        rate = cluster.rates[-1]
        if not cluster.n[-1]:
            return f"{names[-1]} answers none of these samples."
        return f"{percent(rate.value)} wrong in {names[-1]} {bracketed(rate, share=True)}."
    change = cluster.change
    size = max(cluster.n) if cluster.cluster is None else cluster.cluster.size
    shared = ""
    if min(cluster.n[0], cluster.n[-1]) < size:
        shared = " on the samples that both answer"
    if not change.value:
        return f"Wrong as often in {names[-1]} as in {names[0]}{shared} ({p_value(cluster.p)})."
    direction = "fell" if change.value < 0 else "rose"
    figures = f"{points(change.value, sign=True)} {bracketed(change, points=True)}, {p_value(cluster.p)}"
    sentence = f"From {names[0]} to {names[-1]} the error rate {direction}{shared}: {figures}"
    if cluster.p < 0.05:
        return f"{sentence}."
    return f"{sentence}; could be chance."
