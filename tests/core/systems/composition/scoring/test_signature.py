"""What a model's mistakes on pairs say: a bag of words takes one image for both captions, a guess does not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.errors import InvalidInput
from core.records import F64
from core.systems.composition.records import CompositionResult
from core.systems.composition.scoring.run import run_composition
from core.systems.composition.scoring.signature import Signature, signature_of
from tests.support.benchmarks import Given, benchmark, choices, pair, pairs, pictured


def made(matrices: F64, *, crossed: bool = False) -> tuple[CompositionResult, Signature]:
    n = len(matrices)
    items = [pair(f"p{i}", (2 * i, 2 * i + 1), (f"a{i}", f"b{i}"), crossed=crossed) for i in range(n)]
    bench = benchmark("pairs", items, "image")
    result = run_composition(pictured(bench), Given(tuple(matrices)))
    found = signature_of(result, bench)
    assert found is not None
    return result, found


def bag_of_words(n: int, rng: np.random.Generator, knows: float = 0.0) -> F64:
    """Each image and each caption has its own liking; of what belongs to what there is `knows`, and a little
    noise."""
    likings = rng.normal(size=(n, 2, 1)) + rng.normal(size=(n, 1, 2))
    return likings + 0.1 * rng.normal(size=(n, 2, 2)) + knows * np.eye(2)


def test_a_bag_of_words_is_blind_and_its_likings_do_not_count_as_binding() -> None:
    result, found = made(bag_of_words(300, np.random.default_rng(0)))
    assert found.verdict == "blind to binding"
    assert found.captions.same.value > 0.85
    assert found.captions.right.value < 0.15
    assert found.binding.low < 0.5 < found.binding.high
    assert found.captions.right.value == float(result.correct["image"].mean())
    assert found.pictures.right.value == float(result.correct["text"].mean())
    assert "not what belongs to what" in found.sentence


def test_a_guess_is_called_one() -> None:
    _, found = made(np.random.default_rng(1).normal(size=(400, 2, 2)))
    assert found.verdict == "guesses"
    assert found.captions.same.value == pytest.approx(0.5, abs=0.08)
    assert "guesses between these captions" in found.sentence


def test_a_little_knowledge_under_strong_likings_is_seen() -> None:
    _, found = made(bag_of_words(300, np.random.default_rng(2), knows=0.1))
    assert found.verdict == "nearly blind to binding"
    assert found.binding.low > 0.5


def test_knowledge_is_seen_and_so_are_matches_that_are_the_wrong_way_round() -> None:
    scores = bag_of_words(200, np.random.default_rng(3), knows=3.0)
    assert made(scores)[1].verdict == "tells them apart"
    assert made(scores[:, :, ::-1])[1].verdict == "takes them crossed"
    assert made(scores[:, :, ::-1], crossed=True)[1].verdict == "tells them apart"


def test_the_four_shares_add_up_and_match_a_plain_count() -> None:
    rng = np.random.default_rng(4)
    scores = rng.integers(0, 3, (150, 2, 2)).astype(np.float64)  # many ties
    _, found = made(scores)
    counts = {"right": 0, "same": 0, "crossed": 0, "tied": 0}
    for s in scores:
        picked = ["tied" if s[0, c] == s[1, c] else int(s[1, c] > s[0, c]) for c in (0, 1)]
        outcomes = {"01": "right", "10": "crossed", "00": "same", "11": "same"}
        counts[outcomes.get(f"{picked[0]}{picked[1]}", "tied")] += 1
    assert {name: round(150 * getattr(found.captions, name).value) for name in counts} == counts
    for picks in (found.captions, found.pictures):
        assert sum(s.value for s in (picks.right, picks.same, picks.crossed, picks.tied)) == pytest.approx(1)


def test_a_scorer_that_says_the_same_of_everything_ties_and_binds_nothing() -> None:
    _, found = made(np.zeros((40, 2, 2)))
    assert found.captions.tied.value == 1.0
    assert np.isnan(found.binding.value)
    assert found.verdict == "open"


def test_captions_that_read_the_same_to_the_model_are_blindness_and_not_a_crossed_match() -> None:
    liking = np.random.default_rng(6).normal(size=(60, 2, 1)).repeat(2, axis=2)
    _, found = made(liking)
    assert found.verdict == "blind to binding"
    assert (found.captions.same.value, found.pictures.tied.value) == (1.0, 1.0)
    assert "cannot tell the two captions" in found.sentence


def test_few_items_leave_it_open() -> None:
    _, found = made(bag_of_words(4, np.random.default_rng(5)))
    assert found.verdict == "open"


def test_choices_have_no_signature_and_another_benchmark_is_refused() -> None:
    bench = choices(6)
    result = run_composition(pictured(bench), Given(tuple(np.eye(2)[:1] for _ in range(6))), blind=False)
    assert signature_of(result, bench) is None
    other, _ = made(np.random.default_rng(0).normal(size=(5, 2, 2)))
    with pytest.raises(InvalidInput, match="is not in Made pairs"):
        signature_of(replace(other, ids=("elsewhere", *other.ids[1:])), pairs(5))
