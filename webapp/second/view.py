"""A second model beside the user's: a sentence, both on one axis, what each takes, and what was broken and mended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.numbers import number, percent, with_interval
from core.records import Comparison, Diagnosis, ModelResult
from core.reports.html.intervals import Mark, axis_of, dot_chart
from webapp.markup.render import render
from webapp.markup.shares import own_model
from webapp.markup.two_models import four_way_view

if TYPE_CHECKING:
    from core.checks.model_cost import ModelCost


@dataclass(frozen=True, slots=True, eq=False)
class SecondModel:
    """A second model's answers on a run's samples, set beside the first."""

    result: ModelResult
    comparison: Comparison
    notes: tuple[str, ...]
    """On the table that it was read from."""
    costs: tuple[ModelCost, ModelCost] | None = None
    """Of the teacher and of the student, where a card was given."""

    @property
    def called(self) -> str:
        """What it is called on the page."""
        return "second model" if self.costs is None else "student"


@dataclass(frozen=True, slots=True)
class CostBar:
    """What the two models take of one thing; shares are of the larger one."""

    name: str
    first: str
    second: str
    first_share: float
    second_share: float


def second_view(diagnosis: Diagnosis, second: SecondModel) -> str:
    """The whole result."""
    from core.reports.wording.second_model import second_headline  # scipy: not needed to start the page

    found = second.comparison
    marks = [
        Mark(e, kind, label, with_interval(e, share=True, digits=1))
        for kind, label, e in (
            ("read", f"{own_model(diagnosis).title} is right on", found.accuracy_a),
            ("observed", f"The {second.called} is right on", found.accuracy_b),
        )
    ]
    return render(
        "second/result.html.j2",
        headline=second_headline(diagnosis, found, second.costs).removesuffix("."),
        name=second.result.name,
        n=len(found.rows),
        noun=diagnosis.samples.modality,
        called=second.called,
        mine=own_model(diagnosis),
        chart=dot_chart(marks, axis_of(marks, least=0.0, most=1.0), percent),
        costs=[] if second.costs is None else cost_bars(*second.costs),
        beside=four_way_view(diagnosis, found, f"the {second.called}", classes=True),
        notes=second.notes,
    )


def cost_bars(teacher: ModelCost, student: ModelCost) -> list[CostBar]:
    """Time, parameters and layers of both."""
    taken = (
        ("Milliseconds a text, one thread", teacher.ms, student.ms, "{} ms"),
        ("Parameters", teacher.parameters / 1e6, student.parameters / 1e6, "{} million"),
        ("Layers", teacher.layers, student.layers, "{}"),
    )
    return [
        CostBar(name, text.format(_said(a)), text.format(_said(b)), a / max(a, b), b / max(a, b))
        for name, a, b, text in taken
    ]


def _said(value: float) -> str:
    return number(value, 0 if value == round(value) else None)
