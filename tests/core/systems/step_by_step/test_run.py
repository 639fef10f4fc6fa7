"""From rows to a student with its card: who learns, who measures."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.errors import InvalidInput
from core.systems.step_by_step.loop import Curve
from core.systems.step_by_step.rationales import RationaleSet, gather
from core.systems.step_by_step.run import split, teach_and_measure
from core.systems.step_by_step.settings import StepByStep
from core.systems.step_by_step.student import T5Student
from core.systems.step_by_step.wording import reasoned_lines
from tests.support.tiny_t5 import settings, some_rows


def free_rows() -> RationaleSet:
    numbers = range(40)
    texts = [f"he has {i} and gives {i % 3} away" for i in numbers]
    return gather(
        "sums", texts, [f"( {i} - {i % 3} )" for i in numbers], [f"{i} less {i % 3}" for i in numbers], classes=None
    )


def test_rows_of_one_text_lie_on_one_side() -> None:
    rows = some_rows(30)
    learn, held = split(rows.keep([*range(30), *range(30)]), settings(held_out=0.3))
    assert (len(learn), len(held)) == (42, 18)
    assert not set(learn.texts) & set(held.texts)


def test_the_held_out_rows_are_the_same_however_many_are_learned_from() -> None:
    rows = some_rows(60)
    few, many = (teach_and_measure(rows, settings(learn_from=n, updates=1))[1] for n in (10, 40))
    assert (few.data["learned"], many.data["learned"]) == (10, 40)
    assert few.figures["n"] == many.figures["n"] == 12
    assert few.data["cut"] == 0


def test_texts_that_are_cut_are_counted() -> None:
    rows = some_rows(60)
    long = replace(rows, texts=(rows.texts[0] + " a" * StepByStep().max_tokens, *rows.texts[1:]))
    _, card = teach_and_measure(long, settings(updates=1))
    most = card.settings["max_tokens"]
    assert card.data["cut"] == 1
    assert reasoned_lines(card)[-1] == f"Truncated 1 text to {most} tokens."


def test_free_answers_can_be_learned_from_few_rows() -> None:
    _, card = teach_and_measure(free_rows(), settings(learn_from=5, updates=1, controls=True))
    assert card.classes == ()
    assert card.data["learned"] == 5
    assert card.figures["no_class"] == 0
    assert set(card.controls) == {"standard", "shuffled"}


def test_a_single_targets_controls_have_its_form(monkeypatch: pytest.MonkeyPatch) -> None:
    taught: list[tuple[str, tuple[str, ...]]] = []

    def watched(student: T5Student, rows: RationaleSet, how: StepByStep, *rest: object) -> Curve:
        taught.append((how.method, rows.rationales))
        return Curve((1.0,), 0.0)

    monkeypatch.setattr("core.systems.step_by_step.run.teach", watched)
    _, card = teach_and_measure(some_rows(40), settings(method="single-task", controls=True, updates=1))
    assert [method for method, _ in taught] == ["single-task", "standard", "single-task"]
    own, _, others = (reasons for _, reasons in taught)
    assert own != others
    assert sorted(own) == sorted(others)
    assert set(card.controls) == {"standard", "shuffled"}


def test_too_few_texts_are_refused() -> None:
    with pytest.raises(InvalidInput, match="has 10 different texts with labels: at least 20 are needed"):
        teach_and_measure(some_rows(10), settings())
