"""What the report of a diagnosis says of the result of composition that it explains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.numbers import interval, number, percent
from core.records import Diagnosis, Estimate
from core.reports.html.render import render
from core.systems.composition.failures.names import COMPOSITION
from core.systems.composition.templates import TEMPLATES
from core.systems.contract import Pictures, Section


def sections(diagnosis: Diagnosis) -> list[Section]:
    """Which result was diagnosed; none of any other run."""
    said = diagnosis.extras.get(COMPOSITION)
    if not isinstance(said, Mapping):
        return []
    sentence = _sentence(said)

    def drawn(pictures: Pictures) -> str:
        return render("explained.html.j2", TEMPLATES, composition=sentence)

    return [Section("A model of composition", drawn, place="lead")]


def _sentence(said: Mapping[str, Any]) -> str:
    what = f"{said['model']} on {said['title']} ({said['name']})"
    if said.get("metric") is None:
        return f"{what}."
    found = Estimate(said["value"], said["low"], said["high"])
    ranks = said["headline"] == "mean rank"
    value = number(found.value) if ranks else percent(found.value)
    chance = said.get("chance")
    against = "" if chance is None else f"; chance is {number(chance) if ranks else percent(chance)}"
    return (
        f"{what}: {said['metric']} {value}, 95% interval {interval(found, share=not ranks)}, n = "
        f"{said['n']:,}{against}."
    )
