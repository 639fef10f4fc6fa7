"""What a student learned and lost, in lines for the command line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from core.numbers import clock, count, number, percent
from core.systems.common.wording import cut_lines

if TYPE_CHECKING:
    from core.systems.tinybert.student_folder import StudentCard

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
    mine = card.student
    theirs = card.teacher
    figures = card.figures
    data = card.data
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
    lines.append(f"License of the teacher: {card.licence}. What is made from it falls under it too.")
    return lines


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
