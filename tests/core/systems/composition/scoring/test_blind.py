from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import Cancelled
from core.systems.composition.readers import read_benchmark
from core.systems.composition.records import Benchmark, LoadedBenchmark, Scorer
from core.systems.composition.scoring.blind import LearnedScorer, LengthScorer, blind_scorers
from core.systems.composition.scoring.judging import judge
from core.systems.composition.scoring.measures import metrics_of, tags_of
from tests.support.benchmarks import benchmark, choice, choices, pairs, pictured

COLOURS = ("red", "blue", "green", "black", "white", "yellow", "brown", "grey")
THINGS = ("cube", "ball", "chair", "table", "dog", "cat", "cup", "car")


def drawn(n: int, foil: Any, seed: int = 0) -> Benchmark:
    """n items "a red cube and a blue ball", each foil made of (colour, thing, colour, thing)."""
    rng = np.random.default_rng(seed)
    items = []
    for i in range(n):
        (c, d), (a, b) = rng.choice(COLOURS, 2, replace=False), rng.choice(THINGS, 2, replace=False)
        items.append(choice(f"{i}", i // 2, (f"a {c} {a} and a {d} {b}", foil(c, a, d, b))))
    return benchmark("choice", items, "pairwise")


def accuracy(made: Benchmark, scorer: Scorer) -> float:
    return float(judge(made, scorer.score(pictured(made)).matrices).correct["pairwise"].mean())


def test_foils_that_carry_a_word_of_their_own_are_told_without_pictures() -> None:
    assert accuracy(drawn(120, lambda c, a, d, b: f"a {c} {a} and not a {d} {b}"), LearnedScorer()) > 0.98


def test_foils_that_are_as_likely_as_the_truth_are_not() -> None:
    # Swapped colours: every foil is some other item's true caption.
    found = [
        accuracy(drawn(300, lambda c, a, d, b: f"a {d} {a} and a {c} {b}", seed), LearnedScorer(seed))
        for seed in range(4)
    ]
    assert np.mean(found) == pytest.approx(0.5, abs=0.06)


def test_no_item_is_scored_by_a_fit_that_saw_its_picture() -> None:
    # An image's four items say the same two words, which no other image's say: worth everything to a fit that saw
    # one of them.
    words = np.random.default_rng(0).permutation([f"{a}{b}{a}{b}" for a in "bdfgklmn" for b in "aeiouy"]).tolist()
    items = [
        choice(f"{i}", i // 4, (f"a dog called {words[i // 4]}", f"a dog called {words[24 + i // 4]}"))
        for i in range(96)
    ]
    made = benchmark("choice", items, "pairwise")
    assert accuracy(made, LearnedScorer()) < 0.7
    apart = replace(
        made, items=tuple(replace(item, pictures=(i,)) for i, item in enumerate(items)), pictures=choices(96).pictures
    )
    assert accuracy(apart, LearnedScorer()) > 0.9  # as if each item had an image of its own


def test_length_takes_the_shorter_or_the_longer_caption() -> None:
    made = drawn(10, lambda c, a, d, b: f"a big {c} {a} and a {d} {b}")
    assert accuracy(made, LengthScorer()) == 1.0
    assert accuracy(made, LengthScorer(longer=True)) == 0.0


def test_captions_of_equal_length_are_ties_for_both_lengths() -> None:
    made = drawn(10, lambda c, a, d, b: f"a {d} {a} and a {c} {b}")
    for longer in (False, True):
        judged = judge(made, LengthScorer(longer).score(pictured(made)).matrices)
        assert judged.ties["pairwise"].all()
        assert not judged.correct["pairwise"].any()


def test_many_foils_an_item_are_ranked() -> None:
    rng = np.random.default_rng(0)
    items = []
    for i in range(80):
        words = [f"{rng.choice(COLOURS)} {rng.choice(THINGS)}" for _ in range(3)]
        items.append(choice(f"{i}", i, (f"a {words[0]}", f"an {words[1]}", f"an {words[2]}")))
    made = benchmark("choice", items, "r@1")
    scores = LearnedScorer().score(pictured(made))
    assert [m.shape for m in scores.matrices] == [(1, 3)] * 80
    assert judge(made, scores.matrices).correct["r@1"].mean() > 0.95


def test_small_kinds_are_learned_from_all_items() -> None:
    made = drawn(120, lambda c, a, d, b: f"a {c} {a} and not a {d} {b}")
    items = tuple(replace(item, tags={"kind": "large" if i > 10 else "small"}) for i, item in enumerate(made.items))
    assert accuracy(replace(made, items=items, average="kind"), LearnedScorer()) > 0.98


def test_a_kind_of_one_picture_is_learned_from_the_others() -> None:
    made = drawn(120, lambda c, a, d, b: f"a {c} {a} and not a {d} {b}")
    items = tuple(
        replace(item, pictures=(0,) if i < 60 else item.pictures, tags={"kind": str(i < 60)})
        for i, item in enumerate(made.items)
    )
    assert accuracy(replace(made, items=items, average="kind"), LearnedScorer()) > 0.9


def test_pairs_and_queries_have_no_blind_baseline_and_small_sets_no_learned_one() -> None:
    assert blind_scorers(pairs(200))[0] == ()
    assert "A blind baseline does not apply" in blind_scorers(pairs(200))[1][0]
    scorers, notes = blind_scorers(choices(20))
    assert [s.name for s in scorers] == ["shorter caption", "longer caption"]
    assert "this benchmark has 20 of 20" in notes[0]
    assert [s.name for s in blind_scorers(choices(60))[0]] == [
        "shorter caption",
        "longer caption",
        "learned from other captions",
    ]


def test_a_scorer_that_does_not_look_is_never_right_on_pairs() -> None:
    made = pairs(30)
    metrics = metrics_of(judge(made, LengthScorer().score(pictured(made)).matrices))
    assert [m.value.value for m in metrics] == [0.0, 0.0, 0.0]


def test_learning_can_be_stopped() -> None:
    def stop(step: str, done: int, total: int) -> None:
        if done == 2:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        LearnedScorer().score(pictured(choices(60)), progress=stop)


@pytest.mark.slow
def test_sugarcrepes_additions_are_told_by_length_and_its_swaps_least_of_all(shared_data: Path) -> None:
    """A third of each kind; `python -m research.evidence.blind` measures all."""
    whole = read_benchmark("sugarcrepe", shared_data / "sugarcrepe")
    made = replace(whole, items=whole.items[::3])
    without: Any = LoadedBenchmark(made, pictured(choices(1)).store)
    kinds = np.array(tags_of(made.items)["kind"])
    learned, shorter = (
        judge(made, s.score(without).matrices).correct["pairwise"] for s in (LearnedScorer(), LengthScorer())
    )
    assert all(shorter[kinds == kind].mean() > 0.95 for kind in ("add_obj", "add_att"))
    shares = {kind: learned[kinds == kind].mean() for kind in set(kinds.tolist())}
    assert (
        max(shares["swap_obj"], shares["swap_att"])
        < 0.68
        < min(v for kind, v in shares.items() if not kind.startswith("swap"))
    )
