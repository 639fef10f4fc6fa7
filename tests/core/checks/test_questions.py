"""Questions: the right images, figures that no loss chose, and a p that counts the questions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core.checks.answers import by_picture, difference
from core.checks.asked_text import AskedText, about_run, scoped
from core.checks.audit_table import audit_table
from core.checks.questions import MIN_SHOWN, Answer, ask
from core.encoders.arithmetic import unit
from core.errors import InvalidInput
from core.language.chance import GUESS
from core.records import Embeddings, Outcomes
from core.reports.wording.answers import answer_sentence
from tests.support.planted_words import WordTower, planted_run
from tests.support.word_tower import WIDTH, WordTower as Words
from tests.support.words import AxisEncoder, with_words


def test_a_question_about_the_planted_failure_is_confirmed_and_another_is_not() -> None:
    found, audit, _ = planted_run("rare")
    snow, city = ask(found, ["a dog in snow", "a dog in the city"], encoder=WordTower(audit))
    assert snow.scope == city.scope == "dog"
    assert audit.slices[0][snow.rows].mean() > 0.3
    assert snow.confirmed
    assert not city.confirmed
    assert city.least is not None
    assert 0.05 < city.least < 0.9
    assert snow.error_rate.value == pytest.approx(audit.errors[snow.rows].mean())
    assert snow.observed.low > snow.rest


def test_a_class_is_that_which_is_named_beside_a_condition_and_not_in_it() -> None:
    names, tested = ["cat", "dog"], [("predicted = cat", (("predicted", "=", "cat"),), None)]
    for text, label in (("dog predicted = cat", 1), ("predicted = cat", None), ("a cat in snow", 0)):
        asked = AskedText(text, label=0)
        assert scoped(asked, names, tested) == AskedText(text, label=label)


def test_as_many_are_shown_as_the_chances_add_up_to_and_no_loss_has_a_say() -> None:
    found, audit, _ = planted_run("rare")
    snow = ask(found, ["a dog in snow"], encoder=WordTower(audit))[0]
    inside = np.isfinite(snow.scores)
    assert snow.expected == pytest.approx(GUESS.of(snow.scores[inside]).sum())
    assert snow.support == round(snow.expected)
    assert snow.guessed
    other = replace(found, outcomes=replace(found.outcomes, loss=found.outcomes.loss[::-1], errors=audit.errors[::-1]))
    again = ask(other, ["a dog in snow"], encoder=WordTower(audit))[0]
    np.testing.assert_array_equal(again.rows, snow.rows)
    assert again.error_rate.value != snow.error_rate.value


@pytest.mark.parametrize("top", [1, 7, 100, 10**9])
def test_the_number_shown_can_be_set_and_moves_the_figures_and_not_the_p(top: int) -> None:
    found, audit, _ = planted_run("rare")
    plain, some = (ask(found, "a dog in snow", top=t, encoder=WordTower(audit))[0] for t in (None, top))
    dogs = int(np.isfinite(plain.scores).sum())
    assert some.support == min(top, dogs - 1)
    n = min(some.support, plain.support)
    np.testing.assert_array_equal(some.rows[:n], plain.rows[:n])
    assert some.error_rate.value == pytest.approx(audit.errors[some.rows].mean())
    assert (some.p_alone, some.p, some.expected) == (plain.p_alone, plain.p, plain.expected)
    assert plain.support >= MIN_SHOWN


@pytest.mark.parametrize("top", [0, -1, 2.5, float("nan"), float("inf"), "3", True])
def test_only_a_whole_number_from_one_can_be_shown(top: Any) -> None:
    found, audit, _ = planted_run("rare")
    with pytest.raises(InvalidInput, match="must be a whole number from 1"):
        ask(found, "a dog in snow", top=top, encoder=WordTower(audit))


def test_no_questions_have_no_answers_and_without_pictures_each_row_is_alone() -> None:
    found, audit, _ = planted_run("rare")
    assert ask(found, [], encoder=WordTower(audit)) == []
    alone = by_picture(replace(found.samples, items=None), np.array([4, 2, 7]))
    assert [rows.tolist() for rows in alone] == [[4], [2], [7]]


@pytest.mark.parametrize("what", ["samples", "losses"])
def test_where_nothing_varies_nothing_could_be_confirmed(what: str) -> None:
    found, audit, _ = planted_run("rare")
    words, n = found.words, len(found.samples)
    assert words is not None
    joint = replace(words.joint, vectors=np.tile(words.joint.vectors[:1], (n, 1)))
    same = replace(found, outcomes=Outcomes(np.full(n, 0.5), "loss", "loss", "given"))
    run = replace(found, words=replace(words, joint=joint)) if what == "samples" else same
    answer = ask(run, "a dog in snow", encoder=WordTower(audit))[0]
    assert (answer.p, answer.least) == (1, None)


def test_every_different_question_makes_the_p_of_each_larger() -> None:
    found, audit, _ = planted_run("rare")
    tower = WordTower(audit)
    alone = ask(found, "a dog in snow", encoder=tower)[0]
    assert (alone.asked, alone.p) == (1, alone.p_alone)
    three = ask(found, ["a dog in snow", "A  dog in SNOW", "a dog in fog", "a cat in fog"], encoder=tower)
    assert [answer.asked for answer in three] == [3] * 4
    assert three[0].p_alone == alone.p_alone
    assert all(answer.p == pytest.approx(min(1, 3 * (answer.p_alone or 0))) for answer in three)
    later = ask(found, "a dog in snow", before=["a dog in fog", "a dog in snow", "rain"], encoder=tower)[0]
    one = ask(found, "a dog in snow", before="a dog in fog", encoder=tower)[0]
    assert one.asked == 2  # a string is one text
    assert (later.asked, later.p) == (3, three[0].p)
    many = ask(found, "a dog in snow", before=[f"question {i}" for i in range(20_000)], encoder=tower)[0]
    assert (many.p, many.confirmed) == (1.0, False)


def test_a_string_is_one_question_and_one_phrase_and_never_its_letters() -> None:
    found, audit, _ = planted_run("rare")
    (alone,) = ask(found, "a dog in snow", encoder=WordTower(audit))
    (listed,) = ask(found, ["a dog in snow"], encoder=WordTower(audit))
    assert alone.text == "a dog in snow"
    np.testing.assert_array_equal(alone.rows, listed.rows)
    assert {cell.phrase for cell in audit_table(found, "in snow")} == {"in snow"}


def test_samples_that_fail_less_are_never_confirmed() -> None:
    found, audit, _ = planted_run("rare")
    fewer = replace(found, outcomes=replace(found.outcomes, loss=-found.outcomes.loss, errors=~audit.errors))
    snow, less = (ask(run, ["a dog in snow"], encoder=WordTower(audit))[0] for run in (found, fewer))
    assert snow.confirmed
    assert less.observed.value < less.rest
    assert less.p == 1


def test_a_run_of_before_is_answered_as_one_of_today() -> None:
    found, audit, _ = planted_run("rare")
    now, before = (
        ask(run, ["a dog in snow"], encoder=WordTower(audit))[0] for run in (found, replace(found, family_null=None))
    )
    assert now.p == before.p
    np.testing.assert_array_equal(now.rows, before.rows)


def test_the_matching_images_are_those_of_highest_score_best_first() -> None:
    found, audit, _ = planted_run("rare")
    answer = ask(found, ["snow"], encoder=WordTower(audit))[0]
    assert answer.scope == "all samples"
    own = answer.scores[answer.rows]
    assert (np.diff(own) <= 0).all()
    assert own.min() >= np.delete(answer.scores, answer.rows).max()


def test_the_same_question_has_the_same_answer_twice() -> None:
    found, audit, _ = planted_run("null")
    one, two = (ask(found, ["a dog in fog"], encoder=WordTower(audit))[0] for _ in range(2))
    assert (one.p, one.observed.to_dict(), one.least) == (two.p, two.observed.to_dict(), two.least)


def test_related_rows_count_once_and_with_few_groups_nothing_is_tested() -> None:
    found, audit, _ = planted_run("rare")
    n = len(found.samples)
    few = replace(found, samples=replace(found.samples, groups=np.arange(n) // 100))
    answer = ask(few, ["a dog in snow"], encoder=WordTower(audit))[0]
    assert (answer.p, answer.p_alone, answer.untested, answer.confirmed) == (None, None, "too few groups", False)
    assert answer.shown
    assert "too few independent rows" in answer_sentence(few, answer)
    order = np.argsort(~audit.slices[0])  # the planted rows in a few groups
    groups = np.empty(n, np.int64)
    groups[order] = np.arange(n) // 8
    related = replace(found, samples=replace(found.samples, groups=groups))
    single = ask(found, ["a dog in snow"], encoder=WordTower(audit))[0]
    assert ask(related, ["a dog in snow"], encoder=WordTower(audit))[0].p_alone > single.p_alone  # type: ignore[operator]


def test_the_difference_of_two_questions_is_that_of_their_images() -> None:
    found, audit, _ = planted_run("rare")
    snow, fog = ask(found, ["a dog in snow", "a dog in fog"], encoder=WordTower(audit))
    both = difference(found, snow, fog)
    losses = found.outcomes.fitted
    assert both.observed.value == pytest.approx(losses[snow.rows].mean() - losses[fog.rows].mean())
    assert both.shared == len(set(snow.rows) & set(fog.rows))
    assert both.observed.low < both.observed.value < both.observed.high


@pytest.mark.parametrize(
    ("text", "said"), [("  ", "needs words"), ("🦊🦊", "needs words"), ("dog " * 200, "300 are allowed")]
)
def test_a_text_that_is_no_question_is_named(text: str, said: str) -> None:
    found, audit, _ = planted_run()
    with pytest.raises(InvalidInput, match=said):
        ask(found, [text], encoder=WordTower(audit))


def test_a_run_without_words_says_what_to_do() -> None:
    found, audit, _ = planted_run()
    for call in (
        lambda: ask(replace(found, words=None), ["a dog"], encoder=WordTower(audit)),
        lambda: audit_table(replace(found, words=None)),
    ):
        with pytest.raises(InvalidInput, match="Diagnose again"):
            call()
    scans = replace(found, words=None, samples=replace(found.samples, modality="scan"))
    with pytest.raises(InvalidInput, match=r"trained without text\. Its clusters are named by conditions"):
        ask(scans, ["a dog"], encoder=WordTower(audit))


def test_a_text_that_nothing_is_like_is_answered_with_nothing_and_a_shown_one_as_before() -> None:
    diagnosis = with_words()
    words = diagnosis.words
    assert words is not None
    plain = ask(diagnosis, ["in the dark"], encoder=AxisEncoder())[0]  # type: ignore[arg-type]
    low, high = (replace(diagnosis, words=replace(words, line=line)) for line in (-1.0, 1e9))
    same = ask(low, ["in the dark"], encoder=AxisEncoder())[0]  # type: ignore[arg-type]
    assert same.shown
    assert same.rows.tolist() == plain.rows.tolist()
    assert same.p == plain.p
    none = ask(high, ["an elephant"], encoder=AxisEncoder())[0]  # type: ignore[arg-type]
    assert not none.shown
    assert not none.confirmed
    assert (none.support, none.p, none.error_rate) == (0, None, None)
    with pytest.raises(InvalidInput, match="No sample matches 'an elephant'"):
        difference(high, plain, none)


def below_the_line() -> tuple[list[Answer], list[Answer]]:
    """The same questions with no line and below one that nothing reaches: one that is confirmed over all samples, one
    that is not, and two of classes."""
    found, audit, _ = planted_run("rare")
    assert found.words is not None
    high = replace(found, words=replace(found.words, line=1e9))
    texts = ["snow", "the city", "a dog in snow", "a cat in fog"]
    plain, below = (list(ask(one, texts, encoder=WordTower(audit))) for one in (found, high))
    return plain, below


def test_what_is_confirmed_is_answered_even_below_the_line() -> None:
    plain, below = below_the_line()
    assert {answer.confirmed for answer in plain[:2]} == {True, False}
    assert [answer.shown for answer in below[:2]] == [answer.confirmed for answer in plain[:2]]


def test_a_class_whose_name_the_encoder_does_not_know_is_shown_by_its_samples() -> None:
    plain, below = below_the_line()
    assert [answer.scope for answer in plain[2:]] == ["dog", "cat"]
    assert not all(answer.confirmed for answer in plain[2:])
    for before, after in zip(plain[2:], below[2:]):
        assert after.shown
        assert after.rows.tolist() == before.rows.tolist()


def test_within_a_class_that_the_encoder_knows_nothing_is_shown_of_what_is_not_there() -> None:
    tower, rng = Words(), np.random.default_rng(0)
    found = with_words()
    assert found.words is not None
    n, bus = len(found.samples), found.samples.class_names.index("bus")
    assert found.samples.labels is not None
    name = np.where(found.samples.labels == bus, "bus", "boat")
    vectors = tower.encode_texts([f"red {one}" for one in name]) + rng.normal(0, 0.02, (n, WIDTH))
    joint = Embeddings(unit(vectors.astype(np.float32)), "words", tower.joint_space)
    made = replace(found.words, joint=joint, directions=tower.encode_texts(found.words.phrases), line=6.0)
    run = replace(found, words=made)
    red, other = ask(run, ["a red bus", "a bus with an orange elephant by a purple castle"], encoder=tower)
    assert red.shown
    assert not other.shown
    assert "No image clearly matches" in answer_sentence(run, other)


def test_a_class_of_few_is_looked_for_among_all_samples_and_a_larger_one_is_its_own_scope() -> None:
    found, audit, _ = planted_run("rare")
    within, alone = ask(found, ["a dog in snow", "in snow"], encoder=WordTower(audit))
    assert (within.scope, within.unsearched, alone.unsearched) == ("dog", "", "")
    assert found.samples.labels is not None
    dogs = np.flatnonzero(found.samples.labels == found.samples.class_names.index("dog"))
    labels = np.where(np.isin(np.arange(len(found.samples)), dogs[19:]), 0, found.samples.labels)
    few = replace(found, samples=replace(found.samples, labels=labels))
    outside = ask(few, ["a dog in snow"], encoder=WordTower(audit))[0]
    assert (outside.scope, outside.unsearched) == ("all samples", "dog")
    assert 'The class "dog" is too small (19 samples)' in answer_sentence(few, outside)
    assert "too small" not in answer_sentence(found, within)
    has = int((labels[outside.rows] == found.samples.class_names.index("dog")).sum())
    assert outside.labelled == has < outside.support


@pytest.mark.parametrize(
    ("text", "said"), [("a dog", "See class dog"), ("Dogs", "See class dog"), ("  ", "needs words")]
)
def test_of_several_texts_each_carries_its_own_refusal(text: str, said: str) -> None:
    found, audit, _ = planted_run("rare")
    snow, refused = ask(found, ["a dog in snow", text], encoder=WordTower(audit))
    assert snow.confirmed
    assert not refused.shown
    assert said in refused.refused
    assert (refused.support, refused.p, refused.confirmed) == (0, None, False)
    assert said in answer_sentence(found, refused)
    with pytest.raises(InvalidInput, match=said):
        ask(found, [text, text], encoder=WordTower(audit))


def test_what_the_pictures_show_lies_above_the_line_and_what_they_do_not_below() -> None:
    """Images along the words of a tower that knows every word: what they are made of is shown, an elephant is not."""
    tower, rng = Words(), np.random.default_rng(0)
    diagnosis = with_words()
    assert diagnosis.words is not None
    n = len(diagnosis.samples)
    boats = unit((tower.encode_texts(["boat"] * n) + rng.normal(0, 0.05, (n, WIDTH))).astype(np.float32))
    directions = tower.encode_texts(diagnosis.words.phrases)
    joint = Embeddings(boats, "words", tower.joint_space)
    made = replace(diagnosis.words, joint=joint, directions=directions, line=3.0)
    boat, elephant = ask(replace(diagnosis, words=made), ["a red boat", "an orange elephant"], encoder=tower)
    assert boat.shown
    assert not elephant.shown


@pytest.mark.parametrize("wrong", [False, True])
def test_untested_rows_of_a_few_groups_that_are_all_alike_leave_the_error_rate_open(wrong: bool) -> None:
    """A bootstrap of rows that are all right or all wrong has no width, and single rows would count too much."""
    found, audit, _ = planted_run("rare")
    n = len(found.samples)
    samples = replace(found.samples, groups=np.arange(n) // 40)
    run = replace(found, samples=samples, outcomes=replace(found.outcomes, errors=np.full(n, wrong)))
    text = "a dog in snow and fog and rain and grass and night"
    rate = ask(run, [text], encoder=WordTower(audit))[0].error_rate
    assert rate is not None
    assert rate.value == float(wrong)
    assert rate.high - rate.low > 0.15


@pytest.mark.parametrize(
    "text", ["how many images are wrong?", "Which class is worst?", "what is the accuracy", "how often does it fail"]
)
def test_what_the_runs_own_figures_answer_is_answered_by_them(text: str) -> None:
    found, audit, _ = planted_run("rare")
    with pytest.raises(
        InvalidInput, match=rf"^{audit.errors.sum():,} of {len(audit.errors):,} images are wrong"
    ) as told:
        ask(found, text, encoder=WordTower(audit))
    names, labels = found.samples.class_names, found.samples.labels
    rates = [audit.errors[labels == c].mean() for c in range(len(names))]
    assert f"By class: {names[int(np.argmax(rates))]} " in str(told.value)


@pytest.mark.parametrize(
    "text", ["how many dogs are in snow", "a wrong turn", "which dog in snow is wrong", "what is wrong in the city"]
)
def test_what_asks_for_more_is_a_question_like_any_other(text: str) -> None:
    found, audit, _ = planted_run("rare")
    assert not about_run(text, found)
    assert ask(found, text, encoder=WordTower(audit))[0].refused == ""
