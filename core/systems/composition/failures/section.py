"""What the report of a diagnosis says of the result of composition that it explains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.numbers import interval, number, percent
from core.records import Diagnosis, Estimate, Pictures, Section
from core.reports.html.render import render
from core.systems.composition.templates import TEMPLATES

COMPOSITION = "composition"
"""Key of `Diagnosis.extras`: what was diagnosed (name, model, benchmark, title, kind, headline, loss, value, low, high,
n)."""


def sections(diagnosis: Diagnosis) -> list[Section]:
    """Which result was diagnosed; none of any other run."""
    document = diagnosis.extras.get(COMPOSITION)
    if not isinstance(document, Mapping):
        return []
    sentence = _sentence(document)

    def drawn(pictures: Pictures) -> str:
        return render("explained.html.j2", TEMPLATES, composition=sentence)

    return [Section("A model of composition", figure=drawn, place="lead")]


def _sentence(document: Mapping[str, Any]) -> str:
    what = f"{document['model']} on {document['title']} ({document['name']})"
    if document.get("metric") is None:
        return f"{what}."
    estimate = Estimate(document["value"], document["low"], document["high"])
    ranks = document["headline"] == "mean rank"
    value = number(estimate.value) if ranks else percent(estimate.value)
    chance = document.get("chance")
    against = ""
    if chance is not None:
        against = f"; chance is {number(chance) if ranks else percent(chance)}"
    return (
        f"{what}: {document['metric']} {value}, 95% interval {interval(estimate, share=not ranks)}, n = "
        f"{document['n']:,}{against}."
    )
