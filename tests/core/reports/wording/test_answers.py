"""Answers and differences in plain sentences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from core.checks.answers import difference
from core.checks.questions import Answer, Difference, ask
from core.records import Estimate
from core.reports.wording.answers import answer_parts, answer_sentence, difference_sentence, p_value_text
from tests.support.words import AxisEncoder, with_words

NAN = float("nan")


def answer(**changes: object) -> Answer:
    made = Answer(
        text="a bus in snow",
        scope="bus",
        rows=np.arange(20),
        scores=np.zeros(120),
        observed=Estimate(1.2, 0.9, 1.5),
        rest=0.5,
        error_rate=Estimate(0.55, 0.34, 0.74),
        error_rest=0.12,
        p=0.009,
        p_alone=0.003,
        asked=3,
        expected=19.6,
        measure="error rate",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def test_answers_are_told(golden: Callable[..., None]) -> None:
    run = with_words()
    chance = answer(p=0.4, p_alone=0.2, least=0.31)
    known = replace(run.insights[0], confirmed=True, p=0.004)
    scenes = {
        "Counts, rates and both p": [answer(), answer(rows=np.arange(1), error_rate=Estimate(1.0, 0.2, 1.0))],
        "Sure of the loss alone: told in losses": [
            answer(measure="mean loss", error_rest=0.7),
            answer(measure="mean loss", p=0.4),
        ],
        "What it does not know: chance, the least that would be confirmed": [
            chance,
            replace(chance, least=None),
            replace(chance, error_rate=None),
        ],
        "How many have the label that the text names, where the scope does not say it": [
            answer(labelled=12, scope="all samples"),
            answer(labelled=20),
        ],
        "Too few groups": [answer(p=None, p_alone=None, untested="too few groups")],
        "A guessed number": [answer(guessed=True)],
        "A not is hardly heard; notable has none": [answer(text="a bus, not in snow"), answer(text="a notable bus")],
        "So many questions that none can be confirmed, and nearly so many": [
            answer(p=0.06, p_alone=0.0001, asked=600, least=0.31),
            answer(p=0.4, p_alone=0.001, asked=400),
        ],
        "The words of a condition: asked as a text, counted, counted in another scope": [
            answer(condition=known, named=known.text),
            answer(condition=known, counted=known.text, scope=known.scope),
            answer(condition=known, counted="dark", scope="nowhere"),
        ],
    }
    firsts = [answer(asked=1, p=0.003), answer(p_alone=None), answer(p=None, p_alone=None)]
    differences = [
        Difference("snow", "grass", Estimate(-0.8, -1.2, -0.4), 1),
        Difference("snow", "grass", Estimate(0.1, -0.2, 0.4), 0),
        Difference("snow", "in snow", Estimate(NAN, NAN, NAN), 12),
    ]
    golden(
        "answers.txt",
        {title: [str(answer_parts(run, one)) for one in answers] for title, answers in scenes.items()}
        | {"The p of a first question, of what the run tested, of none": [p_value_text(one) for one in firsts]}
        | {"Differences: clear, not shown, of the same": [difference_sentence(run, one) for one in differences]},
    )
    for one in (answer(), *scenes["The words of a condition: asked as a text, counted, counted in another scope"]):
        assert answer_sentence(run, one) == " ".join(answer_parts(run, one).paragraphs)


def test_a_real_question_is_answered_from_the_pictures_that_match() -> None:
    diagnosis = with_words()
    dark, red = ask(diagnosis, ["in the dark", "red"], encoder=AxisEncoder())  # type: ignore[arg-type]
    said = answer_sentence(diagnosis, dark)
    assert said.startswith(f'{dark.support} images match "in the dark": {dark.support} wrong (100%, ')
    assert "Confirmed" in said
    assert "for all 2 you asked" in said
    assert difference_sentence(diagnosis, difference(diagnosis, dark, red)).startswith(
        'The mean loss of "in the dark" is '
    )
