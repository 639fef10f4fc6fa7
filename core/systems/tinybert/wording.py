"""A student's figures as lines for the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from core.numbers import clock, count, number, percent
from core.systems.common.student_card import cut_lines

if TYPE_CHECKING:
    from core.systems.tinybert.student_folder import StudentCard

FIGURE_LABELS = {
    "cosine": "mean cosine to the teacher's vectors",
    "rank_correlation": "rank correlation of the similarities",
    "recall_at_1": "share nearest to the same text's teacher vector",
    "agreement": "share with the teacher's class",
    "divergence": "divergence from the teacher's class probabilities, nats",
    "speedup": "times as fast, one thread",
}


def student_lines(card: StudentCard) -> list[str]:
    """The result in one sentence, then sizes, data, figures and license."""
    figures = card.figures
    data = card.data
    layers = ", ".join(map(str, card.map))
    lines = [
        _result(figures, data["held_out"]),
        f"Student: {_sizes(card.student)}; teacher: {_sizes(card.teacher)}.",
        f"The student's layers learned from the teacher's {layers}.",
        f"Trained on {count(data['learned'], 'text')} and {count(data['copies'], 'changed copy')} in "
        f"{clock(card.seconds)} of CPU time; measured on {data['held_out']:,} held-out texts:",
    ]
    lines += cut_lines(data, data.get("most_tokens", 0))
    for name, label in FIGURE_LABELS.items():
        if name in figures:
            low, high = figures[name]["low"], figures[name]["high"]
            lines.append(f"  {label}: {figures[name]['value']:.3f} (95% CI {low:.3f} to {high:.3f})")
    lines.append(f"  milliseconds per text: {figures['student_ms']:.2f}, teacher {figures['teacher_ms']:.2f}")
    lines.append(f"License of the teacher, which also covers the student: {card.licence}.")
    return lines


def _result(figures: Mapping[str, Any], n: int) -> str:
    faster = f"{figures['speedup']['value']:.1f} times as fast as its teacher"
    if "cosine" in figures:
        cosine = number(figures["cosine"]["value"], 3)
        return f"The student is {faster}; their vectors' mean cosine is {cosine} on {n:,} held-out texts."
    if "agreement" in figures:
        same = percent(figures["agreement"]["value"])
        return f"The student is {faster} and gives the teacher's class on {same} of {n:,} held-out texts."
    return f"The student is {faster}. Only its layers are trained: train it on a task next, with --start."


def _sizes(sizes: Mapping[str, Any]) -> str:
    millions = sizes["parameters"] / 1e6
    without = sizes["parameters_without_words"] / 1e6
    return f"{sizes['layers']} layers x {sizes['width']}, {millions:.1f} M parameters ({without:.1f} M without words)"
