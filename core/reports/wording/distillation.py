"""What a student, or another checkpoint, learned and lost, in lines for the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from core.checks.checkpoints.follow import FollowedCluster
from core.checks.paired_errors import ALPHA
from core.numbers import bracketed, clock, count, interval, number, p_value, percent, points
from core.records import Comparison, Diagnosis, FourWay

if TYPE_CHECKING:
    from core.training.distillation.student_folder import ModelCost, StudentCard

_SAID = {
    "cosine": "mean cosine to the teacher's vectors",
    "rank_correlation": "rank correlation of the similarities",
    "recall_at_1": "nearest teacher's vector is that of the same text",
    "agreement": "gives the teacher's class",
    "divergence": "divergence from the teacher's class shares, nats",
    "speedup": "times as fast, one thread",
}


def student_lines(card: StudentCard) -> list[str]:
    """One sentence, then the figures."""
    mine, theirs, figures, data = card.student, card.teacher, card.figures, card.data
    given = ", ".join(map(str, card.map))
    lines = [
        _first(figures, data["held_out"]),
        f"{_sizes(mine)}; the teacher: {_sizes(theirs)}. Its layers learned from the teacher's {given}.",
        f"Learned from {count(data['learned'], 'text')} and {count(data['copies'], 'changed copy')} in "
        f"{clock(card.seconds)} of computing; measured on {data['held_out']:,} others:",
    ]
    lines += cut_lines(data, data.get("most_tokens", 0))
    lines += [f"  {text}: {_estimate(figures[name])}" for name, text in _SAID.items() if name in figures]
    lines.append(f"  milliseconds a text: {figures['student_ms']:.2f}, the teacher {figures['teacher_ms']:.2f}")
    lines.append(f"Licence of the teacher: {card.licence}. What is made from it falls under it too.")
    return lines


def cut_lines(data: Mapping[str, Any], most: int) -> list[str]:
    """How many texts were cut to the most tokens that are read; none where no text was, or a card of before does not
    say."""
    n = int(data.get("cut", 0))
    return [f"{count(n, 'text')} {'is' if n == 1 else 'are'} longer than {most:,} tokens and cut there."] if n else []


def _first(figures: Mapping[str, Any], n: int) -> str:
    faster = f"{figures['speedup']['value']:.1f} times as fast as its teacher"
    if "cosine" in figures:
        cosine = number(figures["cosine"]["value"], 3)
        return f"The student is {faster}; on {n:,} new texts its vectors have a cosine of {cosine} to the teacher's."
    if "agreement" in figures:
        same = percent(figures["agreement"]["value"])
        return f"The student is {faster} and gives the teacher's class on {same} of {n:,} new texts."
    return f"The student is {faster}. It learned layers alone: teach it a task next, with --start."


def _estimate(found: Mapping[str, float]) -> str:
    return f"{found['value']:.3f} [{found['low']:.3f}, {found['high']:.3f}]"


def _sizes(said: Mapping[str, Any]) -> str:
    millions = said["parameters"] / 1e6
    without = said["parameters_without_words"] / 1e6
    return f"{said['layers']} layers x {said['width']}, {millions:.1f} M parameters ({without:.1f} M without words)"


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
    n, total = len(found.rows), len(diagnosis.samples)
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
    n, untested = len(tested), len(found.clusters) - len(tested)
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
    "before, shares that choice in part, and a change from it looks too large and too sure. Each interval is of 95 % "
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
