"""Items and scores as samples with a loss."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core.errors import InvalidInput
from core.records import F64
from core.systems.composition.failures.samples import caption_samples, sample_margins
from core.systems.composition.records import Benchmark, CompositionResult
from core.systems.composition.scoring.run import run_composition
from tests.support.benchmarks import Given, benchmark, choices, pair, pairs, pictured, queries, random_scores


def scored(made: Benchmark, scores: tuple[F64, ...] | None = None, **more: Any) -> CompositionResult:
    given = random_scores(made, np.random.default_rng(0)) if scores is None else scores
    return run_composition(pictured(made), Given(given, **more), blind=False)


@pytest.mark.parametrize("headline", ["image", "text", "group"])
def test_an_item_of_pairs_is_right_if_and_only_if_both_its_samples_are(headline: str) -> None:
    made = replace(pairs(50), headline=headline)
    result = scored(made)
    found = caption_samples(pictured(made), result)
    assert found.outcomes.errors is not None
    wrong = found.outcomes.errors.reshape(-1, 2)
    np.testing.assert_array_equal(~wrong.any(1), result.correct[headline])
    np.testing.assert_allclose(-found.outcomes.loss.reshape(-1, 2).max(1), result.margin)


def test_margins_match_the_plain_formula() -> None:
    s = np.array([[0.5, 0.1], [0.3, 0.9]])
    match = ((0, 0), (1, 1))
    np.testing.assert_allclose(sample_margins(s, match, "image"), [0.5 - 0.3, 0.9 - 0.1])
    np.testing.assert_allclose(sample_margins(s, match, "text"), [0.5 - 0.1, 0.9 - 0.3])
    np.testing.assert_allclose(sample_margins(s, match, "group"), [0.2, 0.6])


def test_a_crossed_item_shows_each_picture_with_its_own_caption() -> None:
    made = benchmark("pairs", [pair("x", (0, 1), ("of one", "of nought"), crossed=True)], "image")
    found = caption_samples(pictured(made), scored(made, (np.array([[0.1, 0.9], [0.8, 0.2]]),)))
    assert sorted(zip(found.pictures.tolist(), found.captions)) == [(0, "of nought"), (1, "of one")]
    assert found.outcomes.errors is not None
    assert not found.outcomes.errors.any()
    assert found.foils == tuple((("of nought",), ("of one",))[caption == "of nought"] for caption in found.captions)


def test_a_tie_is_wrong() -> None:
    made = choices(3)
    found = caption_samples(pictured(made), scored(made, tuple(np.zeros((1, 2)) for _ in range(3))))
    assert found.outcomes.errors is not None
    assert found.outcomes.errors.all()


def test_a_choice_stands_against_its_best_foil() -> None:
    made = choices(2, 3)
    found = caption_samples(pictured(made), scored(made, (np.array([[0.5, 0.7, 0.1]]), np.array([[0.5, 0.2, 0.4]]))))
    np.testing.assert_allclose(found.outcomes.loss, [0.2, -0.1])
    assert found.ids == ("c0", "c1")
    assert found.foils[0] == ("foil 0 1", "foil 0 2")


def test_a_query_is_shown_with_the_picture_that_is_ranked_last_and_its_loss_is_what_precision_lacks() -> None:
    made = queries(12, 20, np.random.default_rng(3))
    result = scored(made)
    found = caption_samples(pictured(made), result)
    assert found.outcomes.errors is None
    np.testing.assert_allclose(found.outcomes.loss, 1 - result.margin)
    of = {item.id: (item, s) for item, s in zip(made.items, result.matrices)}
    for name, picture in zip(found.ids, found.pictures.tolist()):
        item, s = of[name]
        hard = [p for p, _ in item.match if item.hard is None or item.hard[p]]
        assert picture == item.pictures[min(hard, key=lambda p: s[p, 0])]


def test_items_that_share_a_picture_are_one_group() -> None:
    apart = [pair(f"p{i}", (2 * i, 2 * i + 1)) for i in range(30)]
    made = benchmark("pairs", [*apart, pair("shares", (0, 60)), pair("shares on", (60, 61))], "image")
    found = caption_samples(pictured(made), scored(made))
    of = {name.split(",")[0]: group for name, group in zip(found.ids, found.groups.tolist())}
    assert of["p0"] == of["shares"] == of["shares on"]
    assert len(set(found.groups.tolist())) == 30
    assert found.groups[0] == found.groups[1]


def test_items_that_were_not_scored_are_counted_with_the_reason() -> None:
    made = choices(4)
    result = scored(made)
    fewer = replace(result, ids=result.ids[:3], matrices=result.matrices[:3], margin=result.margin[:3])
    assert caption_samples(pictured(made), fewer).excluded == (("c3", "given has not scored it."),)


def test_a_result_of_another_benchmark_is_refused() -> None:
    with pytest.raises(InvalidInput, match="is not in Made pairs"):
        caption_samples(pictured(pairs(4)), scored(choices(4)))


def test_binding_ignores_what_a_picture_or_a_caption_adds_to_all_of_its_scores() -> None:
    made = pairs(5)
    rng = np.random.default_rng(4)
    plain = random_scores(made, rng)
    moved = tuple(s + rng.normal(size=(2, 1)) + rng.normal(size=(1, 2)) for s in plain)
    one, other = (caption_samples(pictured(made), scored(made, s), "binding") for s in (plain, moved))
    np.testing.assert_allclose(one.outcomes.loss, other.outcomes.loss)
    np.testing.assert_allclose(one.outcomes.loss[::2], [-(s[0, 0] + s[1, 1] - s[0, 1] - s[1, 0]) / 2 for s in plain])
    np.testing.assert_array_equal(one.outcomes.loss[::2], one.outcomes.loss[1::2])


def test_items_in_which_one_picture_wins_both_captions_are_counted() -> None:
    attracted, bound = np.array([[0.9, 0.8], [0.2, 0.3]]), np.array([[0.9, 0.2], [0.3, 0.8]])
    found = caption_samples(pictured(pairs(3)), scored(pairs(3), (attracted, attracted, bound)))
    assert any("In 2 of 3 items one image wins both captions" in note for note in found.notes)


def test_binding_of_choices_is_refused() -> None:
    with pytest.raises(InvalidInput, match='Use "margin"'):
        caption_samples(pictured(choices(4)), scored(choices(4)), "binding")
