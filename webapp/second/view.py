"""A second model compared with the user's: a sentence, both on one axis, costs, and answers fixed and broken."""

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
    """A second model's answers on a run's samples, compared with the first."""

    result: ModelResult
    comparison: Comparison
    notes: tuple[str, ...]
    """Notes on its table."""
    costs: tuple[ModelCost, ModelCost] | None = None
    """Costs of teacher and student, from a card."""

    @property
    def called(self) -> str:
        """Its name on the page."""
        if self.costs is None:
            return "second model"
        return "student"


@dataclass(frozen=True, slots=True)
class CostBar:
    """One cost of the two models; shares are relative to the larger one."""

    name: str
    first: str
    second: str
    first_share: float
    second_share: float


def second_view(diagnosis: Diagnosis, second: SecondModel) -> str:
    """Render the whole result."""
    from core.reports.wording.second_model import second_headline  # scipy: not needed to start the page

    comparison = second.comparison
    both = (
        ("read", own_model(diagnosis).title, comparison.accuracy_a),
        ("observed", f"The {second.called}", comparison.accuracy_b),
    )
    marks = list[Mark]()
    for kind, name, accuracy in both:
        marks.append(Mark(accuracy, kind, f"{name} is right on", with_interval(accuracy, share=True, digits=1)))
    costs = list[CostBar]()
    if second.costs is not None:
        costs = cost_bars(*second.costs)
    return render(
        "second/result.html.j2",
        headline=second_headline(diagnosis, comparison, second.costs).removesuffix("."),
        name=second.result.name,
        n=len(comparison.rows),
        noun=diagnosis.samples.modality,
        called=second.called,
        mine=own_model(diagnosis),
        chart=dot_chart(marks, axis_of(marks, least=0.0, most=1.0), percent),
        costs=costs,
        beside=four_way_view(diagnosis, comparison, f"the {second.called}", classes=True),
        notes=second.notes,
    )


def cost_bars(teacher: ModelCost, student: ModelCost) -> list[CostBar]:
    """Return time, parameters, and layers of both models."""
    taken = (
        ("Milliseconds a text, one thread", teacher.ms, student.ms, "{} ms"),
        ("Parameters", teacher.parameters / 1e6, student.parameters / 1e6, "{} million"),
        ("Layers", teacher.layers, student.layers, "{}"),
    )
    bars = list[CostBar]()
    for name, first, second, unit in taken:
        most = max(first, second)
        texts = (unit.format(_plain(first)), unit.format(_plain(second)))
        bars.append(CostBar(name, *texts, first / most, second / most))
    return bars


def _plain(value: float) -> str:
    if value == round(value):
        return number(value, 0)
    return number(value)
