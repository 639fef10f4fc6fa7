"""The views of a training: its curve, the facts of the trained module, and its cost on other tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from core.numbers import count, number
from core.systems.composition.reports.html_tables import forgetting_rows
from core.systems.composition.reports.training import reranking_sentence
from core.systems.composition.reports.training_curve import training_curve
from webapp.state.jobs import duration
from webapp.systems.composition.render import render

if TYPE_CHECKING:
    from core.systems.common.epochs import Epoch
    from core.systems.composition.training.adapted import AdapterRecord
    from core.systems.composition.training.forgetting import ForgettingCheck

ITEM_EPOCH_S = {"linear": 0.001, "local": 0.018, "mm-adapter": 0.029}
"""CPU seconds of one item in one epoch by adapter, measured with the embedded encoder; others have wider tokens."""
READ_S = 0.15
"""Measured CPU seconds to render an item's two images and to compute their tokens."""


def estimate_view(adapter: str, n: int | None, epochs: int) -> str:
    """The estimated time of a training.

    Args:
        n: items; None for a part of the open benchmark.
    """
    if n is None:
        text = "The training uses half of the open benchmark's items, or those that its file tags “train”."
        return render("estimate.html.j2", said=text)
    reading = n * READ_S
    training = n * epochs * ITEM_EPOCH_S.get(adapter, 0.03)
    whole = duration(reading + training)
    part = duration(reading)
    text = f"About {whole} on one core with the embedded encoder, {part} of them to draw and read."
    return render("estimate.html.j2", said=text)


def curve_view(epochs: Sequence[Epoch]) -> str:
    """The accuracy on validation items by epoch, as a line above its figures."""
    if epochs:
        return render("curve.html.j2", curve=training_curve(epochs))
    return ""


def trained_view(name: str, record: AdapterRecord, cost: ForgettingCheck | str, *, stopped: bool) -> str:
    """The curve, the facts of the trained module, and its cost, or the reason that it is unknown."""
    best = f"epoch {record.best} of {len(record.curve) - 1}"
    if stopped:
        best += ", stopped"
    facts = (
        ("Learned from", f"{count(record.n_training, 'item')}, {record.n_validation:,} to stop it"),
        ("Parameters", f"{record.n_parameters:,}"),
        ("Best", best),
        ("CPU time", f"{number(record.seconds)} s"),
        ("Encoder", record.encoder),
    )
    curve = None
    if record.curve:
        curve = training_curve(record.curve)
    forgetting: dict[str, Any] = {"unknown": cost}
    if not isinstance(cost, str):
        reranked = forgetting_rows(cost.reranked)
        forgetting = {"unknown": "", "check": cost, "rows": forgetting_rows(cost.rows), "reranked": reranked}
    reranking = reranking_sentence(record)
    return render("trained.html.j2", name=name, facts=facts, curve=curve, reranking=reranking, **forgetting)
