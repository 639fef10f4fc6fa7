"""Results of a student of labels and reasons in plain lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from core.numbers import clock, count, interval, percent, points
from core.records import Estimate
from core.reports.wording.effects import CI, with_ci
from core.systems.common.student_card import cut_lines

if TYPE_CHECKING:
    from core.systems.step_by_step.student_folder import ReasonedCard

_CONTROLS = {"standard": "labels alone", "shuffled": "shuffled reasons"}


def reasoned_lines(card: ReasonedCard) -> list[str]:
    """Accuracy on held-out texts, gains over the controls, and the training."""
    figures = card.figures
    data = card.data
    settings = card.settings
    lines = [
        f"The student is right on {_share(figures['accuracy'])} of {count(figures['n'], 'held-out text')}; "
        f"the most frequent label is right on {percent(figures['most_frequent'])}."
    ]
    if figures["rationale"] is not None:
        lines.append(f"Its reasons equal the table's word for word on {_share(figures['rationale'])}.")
    if figures["no_class"]:
        lines.append(f"It answered {count(figures['no_class'], 'text')} without a class; Errata counts them as wrong.")
    for method, control in card.controls.items():
        difference = Estimate(**control["gain"])
        lines.append(
            f"A student of {_CONTROLS[method]} is right on {_share(control['accuracy'])}. {_verdict(difference)}: "
            f"{points(difference.value, sign=True)} ({CI} {interval(difference, points=True)})."
        )
    lines.append(
        f"The student learned from {count(data['learned'], 'row')} ({data['without_rationale']:,} without a reason) "
        f"by the method {settings['method']}: {settings['updates']:,} updates of {settings['batch']} rows, "
        f"{clock(card.seconds)} of computing, {card.student['parameters'] / 1e6:.1f} M parameters."
    )
    return [*lines, *cut_lines(data, settings["max_tokens"])]


def _share(figures: Mapping[str, float]) -> str:
    estimate = Estimate(**figures)
    return f"{percent(estimate.value)} {with_ci(estimate, share=True)}"


def _verdict(difference: Estimate) -> str:
    if difference.low > 0:
        return "The reasons helped"
    if difference.high > 0:
        return "No gain from the reasons shown"
    return "The reasons did harm"
