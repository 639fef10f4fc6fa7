"""Answers and differences in plain sentences."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.checks.answers import difference
from core.checks.questions import Answer, Difference, ask
from core.records import Estimate
from core.reports.wording.answers import answer_parts, answer_sentence, difference_sentence, p_told
from tests.support.words import AxisEncoder, with_words

NAN, NB = float("nan"), "\u00a0"


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


def test_an_answer_tells_its_counts_its_rates_and_both_p() -> None:
    assert answer_sentence(with_words(), answer()) == (
        f'"a bus in snow": within bus, the 20 images most like it are wrong in 11 of 20 cases (55{NB}%, 95{NB}% 34 to '
        f"74{NB}%), the others in 12{NB}%. Confirmed: images that are more like it are wrong more often than the "
        "others (p = 0.003 if this was your only question, p = 0.009 since you asked 3). About 20 images may show it."
    )
    one = answer_sentence(with_words(), answer(rows=np.arange(1), error_rate=Estimate(1.0, 0.2, 1.0)))
    assert "the image most like it is wrong in 1 of 1 case" in one


def test_the_first_question_has_one_p_and_what_the_run_tested_has_its_own() -> None:
    assert p_told(answer(asked=1, p=0.003)) == "p = 0.003; it is your only question so far"
    assert p_told(answer(p_alone=None)) == "adjusted p = 0.009, which counts everything that the run tested"
    assert p_told(answer(p=None, p_alone=None)) == ""


def test_an_answer_that_is_sure_of_the_loss_alone_is_told_in_losses() -> None:
    said = answer_sentence(with_words(), answer(measure="mean loss", error_rest=0.7))
    assert f"have a mean loss of 1.20 nats (95{NB}% 0.90 to 1.50), the others 0.50" in said
    assert (
        "Confirmed: images that are more like it have a higher mean loss than the others (p = 0.003 of the mean loss"
        in said
    )
    assert "are wrong in 11" in answer_sentence(with_words(), answer(measure="mean loss", p=0.4))


def test_an_answer_says_what_it_does_not_know() -> None:
    diagnosis = with_words()
    said = answer_sentence(diagnosis, answer(p=0.4, p_alone=0.2, least=0.31))
    assert "Not confirmed: this could be chance (p = 0.20 if this was your only question, p = 0.40 since you " in said
    assert "A difference of 31 points would be confirmed 8 times in 10." in said
    assert "8 times in 10" not in answer_sentence(diagnosis, answer(p=0.4))
    assert "of 0.31 nats would be" in answer_sentence(diagnosis, answer(p=0.4, least=0.31, error_rate=None))
    few = answer_sentence(diagnosis, answer(p=None, p_alone=None, untested="too few groups"))
    assert "Not tested: there are too few groups of related rows to shuffle." in few
    assert "onfirmed" not in few
    assert "That number is a guess" in answer_sentence(diagnosis, answer(guessed=True))
    assert "guess" not in said
    assert 'hardly hear a "not"' in answer_sentence(diagnosis, answer(text="a bus, not in snow"))
    assert 'hardly hear a "not"' not in answer_sentence(diagnosis, answer(text="a notable bus"))


def test_so_many_questions_that_none_can_be_confirmed_are_said() -> None:
    said = answer_sentence(with_words(), answer(p=0.06, p_alone=0.0001, asked=600, least=0.31))
    assert "After 600 questions none can be confirmed any more: a p is at least 0.0001" in said
    assert "8 times in 10" not in said
    assert "any more" not in answer_sentence(with_words(), answer(p=0.4, p_alone=0.001, asked=400))


def test_an_answer_is_told_in_paragraphs_that_of_the_very_text_first() -> None:
    run = with_words()
    alone = answer_parts(run, answer(text="not in snow"))
    assert alone.direct.endswith("since you asked 3).")
    assert alone.likeness.startswith("About 20 images may show it.")
    assert 'hardly hear a "not"' in alone.likeness
    assert alone.paragraphs == (alone.direct, alone.likeness)
    known = replace(run.insights[0], confirmed=True, p=0.004)
    both = answer_parts(run, answer(condition=known, named=known.text))
    assert both.direct.startswith('"a bus in snow": within bus')
    assert both.condition.startswith("The words may also mean")
    assert str(both) == f"{both.direct}\n\n{both.likeness}\n\n{both.condition}"
    counted = answer_parts(run, answer(condition=known, counted=known.text, scope=known.scope))
    assert counted.paragraphs == (counted.direct,)
    assert "was counted, not guessed" in counted.direct
    other = answer_parts(run, answer(condition=known, counted="dark", scope="nowhere"))
    assert "the 20 images with dark are wrong in 11 of 20 cases" in other.direct
    assert "Confirmed: images that have it are wrong more often" in other.direct
    assert other.paragraphs == (other.direct, other.condition)


def test_a_real_question_is_answered_from_the_pictures_that_match() -> None:
    diagnosis = with_words()
    dark, red = ask(diagnosis, ["in the dark", "red"], encoder=AxisEncoder())  # type: ignore[arg-type]
    said = answer_sentence(diagnosis, dark)
    assert said.startswith(f'"in the dark": the {dark.support} images most like it are wrong in {dark.support} of ')
    assert "Confirmed" in said
    assert "since you asked 2" in said
    assert difference_sentence(diagnosis, difference(diagnosis, dark, red)).startswith(
        'The mean loss of "in the dark" is '
    )


def test_a_difference_whose_interval_holds_zero_is_not_called_one() -> None:
    diagnosis = with_words()
    clear = difference_sentence(diagnosis, Difference("snow", "grass", Estimate(-0.8, -1.2, -0.4), 1))
    assert clear == (
        'The mean loss of "snow" is 0.80 nats below that of "grass" (difference −0.80, '
        f"95{NB}% −1.20 to −0.40). 1 image matches both."
    )
    assert difference_sentence(diagnosis, Difference("snow", "grass", Estimate(0.1, -0.2, 0.4), 0)).startswith(
        "No difference shown: the mean loss"
    )
    same = difference_sentence(diagnosis, Difference("snow", "in snow", Estimate(NAN, NAN, NAN), 12))
    assert same == '"snow" and "in snow" have the same matches: there is no difference to tell. 12 images match both.'
