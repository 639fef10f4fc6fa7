"""Questions: the right images, the right answer, and a p that pays for every question that could be asked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.checks.answers import difference
from core.checks.audit_table import audit_table
from core.checks.questions import CLOSE, Answer, QuestionReader, ask
from core.discovery.design import measures
from core.encoders.arithmetic import unit
from core.errors import InvalidInput
from core.records import Diagnosis, Embeddings
from core.reports.wording.answers import answer_sentence
from core.statistics.permutation import permutation_p, studentised_excess
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
    assert snow.through == "in snow"
    assert not snow.extrapolation


def test_a_string_is_one_question_and_one_phrase_and_never_its_letters() -> None:
    found, audit, _ = planted_run("rare")
    (alone,) = ask(found, "a dog in snow", encoder=WordTower(audit))
    (listed,) = ask(found, ["a dog in snow"], encoder=WordTower(audit))
    assert alone.text == "a dog in snow"
    np.testing.assert_array_equal(alone.rows, listed.rows)
    assert {cell.phrase for cell in audit_table(found, "in snow")} == {"in snow"}


def test_what_is_shown_is_what_the_run_tested() -> None:
    found, audit, _ = planted_run("rare")
    snow = ask(found, ["a dog in snow"], encoder=WordTower(audit))[0]
    sentence = next(i for i in found.insights if i.kind == "phrase" and i.text == "in snow" and i.scope == "dog")
    assert set(snow.rows) == set(np.flatnonzero(sentence.mask))
    assert snow.p == sentence.p
    assert (snow.error_rate.value, snow.error_rest) == (sentence.error_inside, sentence.error_outside)


def reader_of(kind: str = "rare") -> tuple[QuestionReader, Diagnosis]:
    found = planted_run(kind)[0]
    assert found.words is not None
    return QuestionReader(found, found.words), found


def test_the_p_is_that_of_the_excess_of_the_shown_rows_whatever_is_asked() -> None:
    """Every phrase and many directions near one, in every scope: the p is recomputed from the rows on show."""
    reader, found = reader_of()
    assert found.family_null is not None
    scores, rng = measures(found.outcomes, reader.design).scores, np.random.default_rng(0)
    tested = 0
    phrases = reader.words.directions
    near = unit((phrases + 0.1 * rng.normal(size=phrases.shape)).astype(np.float32))
    for direction in (*phrases, *near):
        for label in (None, 0, 1):
            answer = reader.answer("", direction, label)
            if answer.p is None:
                continue
            inside, scope = scores[answer.rows], scores[np.isfinite(answer.scores)]
            sums = [x[None] for x in (inside.sum(0), (inside**2).sum(0), scope.sum(0), (scope**2).sum(0))]
            size, whole = (np.full((1, 1), float(len(x))) for x in (inside, scope))
            statistic = studentised_excess(size, whole, sums[0], sums[1], sums[2], sums[3])
            assert answer.p == permutation_p(float(statistic.max()), found.family_null)
            assert answer.measure == reader.test.names[int(statistic.argmax())]
            tested += 1
    assert tested > 20


def test_of_two_phrases_that_are_as_close_the_one_of_the_stronger_excess_answers() -> None:
    reader, _ = reader_of()
    snow, fog = reader.words.directions[:2]
    for lean in (0.02, -0.02):  # a little nearer to either
        between = unit((snow + fog + lean * (snow - fog))[None])[0]
        answer = reader.answer("", between, 1)
        assert answer.through == "in snow"
        assert answer.p == reader.answer("", snow, 1).p
        assert answer.closeness == pytest.approx(float(snow @ between))


@pytest.mark.parametrize("text", ["in fog", "In FOG", "a dog in fog", "the dogs in fog"])
def test_a_phrase_said_word_for_word_answers_whatever_another_shows(text: str) -> None:
    reader, found = reader_of()
    snow, fog = reader.words.directions[:2]
    between = unit((snow + fog + 0.02 * (fog - snow))[None])[0]
    answer = reader.answer(text, between, 1)
    assert (answer.through, answer.nearest, answer.exact) == ("in fog", "in fog", True)
    assert answer.p == reader.answer("", fog, 1).p  # so it is a member of the family that was tested
    assert "strongest excess" not in answer_sentence(found, answer)
    other = reader.answer("foggy", between, 1)
    assert (other.through, other.exact) == ("in snow", False)
    assert "(of the phrases about as near, the one with the strongest excess)" in answer_sentence(found, other)


def test_rows_that_fail_less_are_never_confirmed() -> None:
    """The opposite of the planted failure: its rows fail less than the rest, by as much as can be."""
    reader, _ = reader_of()
    snow = reader.answer("", reader.words.directions[0], 1)
    less = reader.answer("", -reader.words.directions[0], 1)
    assert snow.confirmed
    assert less.observed.value < less.rest
    assert not less.confirmed


def test_no_text_reaches_more_sets_than_were_tested() -> None:
    """Somebody asks 40 directions of all samples and of each class: those with a p are the phrases' sets."""
    reader, found = reader_of("null")
    rng, sets = np.random.default_rng(0), set[bytes]()
    d = reader.words.directions.shape[1]
    for weights in rng.normal(size=(40, len(reader.words.directions))):
        direction = unit((weights**3 @ reader.words.directions + 0.1 * rng.normal(size=d)).astype(np.float32)[None])[0]
        answers = [reader.answer("", direction, label) for label in (None, 0, 1)]
        sets |= {np.sort(a.rows).tobytes() for a in answers if a.p is not None}
    assert 6 < len(sets) <= 3 * len(reader.words.phrases)
    assert not found.insights or all(not i.confirmed for i in found.insights)


def test_a_question_far_from_every_phrase_shows_its_most_similar_fifth_without_a_p() -> None:
    found, audit, _ = planted_run("rare")
    many = ask(found, ["a dog in snow and fog and rain and grass and night"], encoder=WordTower(audit))[0]
    assert many.closeness < CLOSE
    assert (many.through, many.p, many.untested) == (None, None, "far from every phrase")
    assert not many.confirmed
    assert many.support == round(0.2 * np.isfinite(many.scores).sum())


def test_a_run_of_before_is_answered_without_a_p() -> None:
    found, audit, _ = planted_run("rare")
    now, before = (
        ask(run, ["a dog in snow"], encoder=WordTower(audit))[0] for run in (found, replace(found, family_null=None))
    )
    assert now.p is not None
    assert (before.p, before.untested, before.confirmed) == (None, "a run of before", False)
    assert before.through == "in snow"
    assert before.support == round(0.2 * np.isfinite(before.scores).sum())  # no depth was chosen by its losses


def test_the_matching_images_are_those_of_highest_score_best_first() -> None:
    found, audit, _ = planted_run("rare")
    answer = ask(found, ["snow"], encoder=WordTower(audit))[0]
    assert answer.scope == "all samples"
    own = answer.scores[answer.rows]
    assert (np.diff(own) <= 0).all()
    assert own.min() >= np.delete(answer.scores, answer.rows).max()


def test_an_interval_for_any_question_leaves_the_rest_out_where_the_question_is_confirmed_and_is_no_bootstrap() -> None:
    reader, _ = reader_of()
    snow = reader.answer("", reader.words.directions[0], 1)
    assert snow.error_rate is not None
    assert snow.error_rest is not None
    error = np.sqrt(snow.error_rate.value * (1 - snow.error_rate.value) / snow.support)
    assert snow.error_rate.low > snow.error_rest
    assert snow.error_rate.high - snow.error_rate.low > 1.5 * 2 * 1.96 * error


def test_the_difference_of_two_questions_is_that_of_their_images_for_any_two() -> None:
    found, audit, _ = planted_run("rare")
    snow, fog, none = ask(
        found,
        ["a dog in snow", "a dog in fog", "a dog in snow and fog and rain and grass and night"],
        encoder=WordTower(audit),
    )
    both = difference(found, snow, fog)
    losses = found.outcomes.fitted
    assert both.observed.value == pytest.approx(losses[snow.rows].mean() - losses[fog.rows].mean())
    assert both.shared == len(set(snow.rows) & set(fog.rows))
    assert both.any_pair
    assert both.observed.low == snow.observed.low - fog.observed.high
    alone = difference(found, snow, none)
    assert not alone.any_pair
    assert alone.observed.high - alone.observed.low < both.observed.high - both.observed.low


@pytest.mark.parametrize(
    ("text", "said"), [("  ", "needs words"), ("🦊🦊", "needs words"), ("dog " * 200, "at most 300 characters")]
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
    with pytest.raises(InvalidInput, match=r"taught no words\. Its clusters are named by conditions"):
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
    with pytest.raises(InvalidInput, match="Nothing is shown for 'an elephant'"):
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


def test_a_class_is_shown_by_its_samples_whatever_the_encoder_knows_of_its_name() -> None:
    plain, below = below_the_line()
    assert [answer.scope for answer in plain[2:]] == ["dog", "cat"]
    assert not all(answer.confirmed for answer in plain[2:])
    for before, after in zip(plain[2:], below[2:]):
        assert after.shown
        assert after.rows.tolist() == before.rows.tolist()


def test_a_class_that_was_not_searched_is_named_and_a_searched_one_is_not() -> None:
    found, audit, _ = planted_run("rare")
    within, alone = ask(found, ["a dog in snow", "in snow"], encoder=WordTower(audit))
    assert (within.scope, within.unsearched, alone.unsearched) == ("dog", "", "")
    others = replace(found, settings={**found.settings, "within": ("cat",)})
    outside = ask(others, ["a dog in snow"], encoder=WordTower(audit))[0]
    assert (outside.scope, outside.unsearched) == ("all samples", "dog")
    assert 'This is not about the class "dog" alone' in answer_sentence(others, outside)
    assert "alone: it" not in answer_sentence(found, within)
    assert found.samples.labels is not None
    dogs = int((found.samples.labels[outside.rows] == found.samples.class_names.index("dog")).sum())
    assert outside.labelled == dogs < outside.support
    assert f"{dogs} ha{'s' if dogs == 1 else 've'} the label dog" in answer_sentence(found, outside)


@pytest.mark.parametrize(
    ("text", "said"), [("a dog", "table of classes"), ("Dogs", "table of classes"), ("  ", "needs words")]
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
    """Pictures along the words of a tower that knows every word: what they are made of is shown, an elephant is not."""
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
