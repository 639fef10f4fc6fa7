"""What a student of labels and reasons learned, in lines for the command line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from core.numbers import clock, count, interval, percent, points, with_interval
from core.records import Estimate
from core.systems.common.wording import cut_lines

if TYPE_CHECKING:
    from core.systems.step_by_step.student_folder import ReasonedCard

_WITHOUT = {"standard": "of the labels alone", "shuffled": "of shuffled reasons"}


def reasoned_lines(card: ReasonedCard) -> list[str]:
    """One sentence, then the figures."""
    figures = card.figures
    data = card.data
    settings = card.settings
    lines = [
        f"The student gives the right label for {_share(figures['accuracy'])} of {count(figures['n'], 'new text')}; "
        f"the most frequent label is right for {percent(figures['most_frequent'])}."
    ]
    if figures["rationale"] is not None:
        lines.append(f"Its reasons are word for word those of the table for {_share(figures['rationale'])}.")
    if figures["no_class"]:
        lines.append(f"For {count(figures['no_class'], 'text')} it wrote no class, which counts as wrong.")
    for method, said in card.controls.items():
        difference = Estimate(**said["gain"])
        lines.append(
            f"A student {_WITHOUT[method]}, on the same rows and updates: {_share(said['accuracy'])}. Difference "
            f"{points(difference.value, sign=True)} ({interval(difference, points=True)}){_verdict(difference)}"
        )
    lines.append(
        f"Learned from {count(data['learned'], 'row')} ({data['without_rationale']:,} without a reason) by the method "
        f'"{settings["method"]}", {settings["updates"]:,} updates of {settings["batch"]}, in {clock(card.seconds)} of '
        f"computing; {card.student['parameters'] / 1e6:.1f} M parameters."
    )
    return [*lines, *cut_lines(data, settings["max_tokens"])]


def _share(said: Mapping[str, float]) -> str:
    return with_interval(Estimate(**said), share=True)


def _verdict(difference: Estimate) -> str:
    if difference.low > 0:
        return "."
    return ": the reasons did not help beyond chance." if difference.high > 0 else ": the reasons did harm."
