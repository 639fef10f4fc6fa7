"""Questions: the right images, the right answer, and a p that pays for every question that could be asked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.checks.audit_table import audit_table
from core.checks.questions import Answer, ask, difference
from core.discovery.design import failure_score, make_design
from core.discovery.question_null import question_null
from core.encoders.arithmetic import unit
from core.errors import InvalidInput
from core.records import Embeddings
from core.statistics.permutation import Permuter
from tests.support.planted_words import WordTower, planted_run, samples_of
from tests.support.word_tower import WIDTH, WordTower as Words
from tests.support.words import AxisEncoder, with_words


def test_a_question_about_the_planted_failure_is_confirmed_and_another_is_not() -> None:
    found, audit, _ = planted_run("rare")
    snow, city = ask(found, ["a dog in snow", "a dog in the city"], encoder=WordTower(audit))
    assert snow.scope == city.scope == "dog"
    assert audit.slices[0][snow.rows].mean() > 0.3
    assert snow.confirmed
    assert not city.confirmed
    assert snow.error_rate.value == pytest.approx(audit.errors[snow.rows].mean())
    assert snow.observed.low > snow.rest
    assert snow.read.value > city.read.value
    assert snow.through == "in snow"
    sentence = next(i for i in found.insights if i.kind == "phrase" and i.text == "in snow" and i.scope == "dog")
    assert snow.p == sentence.p  # whatever is asked, no more than the vocabulary was tested
    assert not snow.extrapolation


def test_a_question_far_from_every_phrase_is_tested_against_all_directions_and_says_how_much_of_it() -> None:
    found, audit, _ = planted_run("rare")
    both = ask(found, ["a dog in snow and fog and rain"], encoder=WordTower(audit))[0]
    assert both.through is None
    assert both.inside == pytest.approx(1, abs=0.05)  # its direction is a sum of the vocabulary's
    assert both.p is not None
    assert 0 < both.p <= 1
    gone = replace(found, question_null=None)
    assert ask(gone, ["a dog in snow and fog and rain"], encoder=WordTower(audit))[0].p is None


def test_the_matching_images_are_those_of_highest_score_best_first() -> None:
    found, audit, _ = planted_run("rare")
    answer = ask(found, ["snow"], encoder=WordTower(audit))[0]
    assert answer.scope == "all samples"
    own = answer.scores[answer.rows]
    assert (np.diff(own) <= 0).all()
    assert own.min() >= np.delete(answer.scores, answer.rows).max()


def test_the_difference_of_two_questions_is_that_of_their_images() -> None:
    found, audit, _ = planted_run("rare")
    snow, fog = ask(found, ["a dog in snow", "a dog in fog"], encoder=WordTower(audit))
    both = difference(found, snow, fog)
    losses = found.outcomes.fitted
    assert both.observed.value == pytest.approx(losses[snow.rows].mean() - losses[fog.rows].mean())
    assert both.observed.low > 0
    assert both.shared == len(set(snow.rows) & set(fog.rows))


@pytest.mark.slow
def test_no_direction_of_the_span_beats_the_null_of_all_directions() -> None:
    """The closed form is the largest correlation that any question could have, in the same permutation."""
    _, audit, _ = planted_run()
    samples, outcomes, _, words = samples_of(audit)
    design = make_design(samples)
    scores = failure_score(outcomes, design)
    null = question_null(words, design, scores, seed=4, n_permutations=20)
    draw = Permuter(design.blocks).draw(20, np.random.default_rng([4, 3]))
    centred = (
        words.joint.vectors - np.stack([words.joint.vectors[audit.labels == c].mean(0) for c in (0, 1)])[audit.labels]
    )
    rng = np.random.default_rng(0)
    best = np.zeros(20)
    for _ in range(300):
        along = centred @ (rng.normal(size=len(words.leading)) @ words.leading)
        for scope in design.scopes:
            for column in range(20):
                own = scores[draw[:, column]][scope.rows]
                best[column] = max(best[column], np.corrcoef(along[scope.rows], own)[0, 1] * np.sqrt(len(own)))
    assert (best <= null + 1e-3).all()
    assert (best > 0.5 * null).all()  # and it is no empty bound


def test_on_shuffled_losses_no_phrase_of_the_vocabulary_is_confirmed_as_a_question() -> None:
    _, audit, _ = planted_run()
    samples, outcomes, _, words = samples_of(audit)
    order = np.random.default_rng(5).permutation(len(samples))
    shuffled = replace(outcomes, loss=outcomes.loss[order], errors=outcomes.errors[order])
    design = make_design(samples)
    null = question_null(words, design, failure_score(shuffled, design), seed=0, n_permutations=199)
    found = replace(planted_run()[0], outcomes=shuffled, question_null=null, phrase_p=None)
    answers = ask(
        found, [f"a {c} in {w}" for c in ("cat", "dog") for w in ("snow", "fog", "grass")], encoder=WordTower(audit)
    )
    assert not any(a.confirmed for a in answers)


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
    assert (none.support, none.p, none.error_rate, none.read) == (0, None, None, None)
    with pytest.raises(InvalidInput, match="Nothing here shows 'an elephant'"):
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


@pytest.mark.parametrize("text", ["a dog", "Dogs", "the dog"])
def test_a_text_that_only_names_a_class_is_sent_to_the_table_of_classes(text: str) -> None:
    found, audit, _ = planted_run()
    with pytest.raises(InvalidInput, match="table of classes"):
        ask(found, ["a dog in snow", text], encoder=WordTower(audit))


def test_what_the_pictures_show_lies_above_the_line_and_what_they_do_not_below() -> None:
    """Pictures along the words of a tower that knows every word: what they are made of is shown, an elephant is not."""
    tower, rng = Words(), np.random.default_rng(0)
    diagnosis = with_words()
    assert diagnosis.words is not None
    n = len(diagnosis.samples)
    boats = unit((tower.encode_texts(["boat"] * n) + rng.normal(0, 0.05, (n, WIDTH))).astype(np.float32))
    directions = tower.encode_texts(diagnosis.words.phrases)
    joint = Embeddings(boats, "words", tower.joint_space)
    made = replace(diagnosis.words, joint=joint, directions=directions, leading=directions[:2], line=3.0)
    boat, elephant = ask(
        replace(diagnosis, words=made, reader=None), ["a red boat", "an orange elephant"], encoder=tower
    )
    assert boat.shown
    assert not elephant.shown
