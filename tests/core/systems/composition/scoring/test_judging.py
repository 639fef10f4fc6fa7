from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.errors import InvalidInput
from core.systems.composition.scoring.judging import judge
from core.systems.composition.scoring.precision import average_precision
from tests.support.benchmarks import benchmark, choice, choices, pair, pairs, queries, query, random_scores

IMAGE_ONLY = np.array([[0.9, 0.95], [0.1, 0.96]])  # each caption picks its image; image 0 prefers caption 1
TEXT_ONLY = IMAGE_ONLY.T
BOTH = np.array([[0.9, 0.1], [0.2, 0.8]])
NEITHER = np.array([[0.1, 0.9], [0.8, 0.2]])


def test_image_text_and_group_score_of_hand_made_matrices() -> None:
    found = judge(pairs(4), [IMAGE_ONLY, TEXT_ONLY, BOTH, NEITHER])
    assert found.correct["image"].tolist() == [True, False, True, False]
    assert found.correct["text"].tolist() == [False, True, True, False]
    assert found.correct["group"].tolist() == [False, False, True, False]
    assert not any(t.any() for t in found.ties.values())


def test_the_margin_is_of_the_headline_and_positive_exactly_where_it_is_right() -> None:
    matrices = [IMAGE_ONLY, TEXT_ONLY, BOTH, NEITHER]
    for headline in ("image", "text", "group"):
        found = judge(replace(pairs(4), headline=headline), matrices)
        assert ((found.margin > 0) == found.correct[headline]).all()
    assert judge(pairs(1), [IMAGE_ONLY]).margin[0] == pytest.approx(0.01)  # 0.96 - 0.95


def test_captions_that_stand_crossed_are_matched_to_their_picture() -> None:
    made = benchmark("pairs", [pair("x", crossed=True)], "group")
    assert judge(made, [BOTH[:, ::-1]]).correct["group"].tolist() == [True]
    assert judge(made, [BOTH]).correct["group"].tolist() == [False]


@pytest.mark.parametrize("levels", [0, 3])
def test_pairs_agree_with_a_plain_loop(levels: int) -> None:
    made = pairs(200)
    matrices = random_scores(made, np.random.default_rng(1), levels)
    found = judge(made, matrices)
    for row, s in enumerate(matrices):
        image, text = s[0, 0] > s[1, 0] and s[1, 1] > s[0, 1], s[0, 0] > s[0, 1] and s[1, 1] > s[1, 0]
        assert [found.correct[k][row] for k in ("image", "text", "group")] == [image, text, image and text]
        no_wrong_above = s[0, 0] >= s[1, 0] and s[1, 1] >= s[0, 1]
        assert found.ties["image"][row] == (no_wrong_above and not image)


def test_random_scores_reach_chance_of_each_pair_metric() -> None:
    made, n = pairs(4000), 4000
    found = judge(made, random_scores(made, np.random.default_rng(2)))
    for key, right in found.correct.items():
        chance = found.chance[key][0]
        assert right.mean() == pytest.approx(chance, abs=4 * np.sqrt(chance * (1 - chance) / n))


def test_a_constant_scorer_gets_nothing_and_all_its_ties_are_counted() -> None:
    for made in (pairs(5), choices(5), choices(5, t=4)):
        found = judge(made, [np.zeros((len(i.pictures), len(i.captions))) for i in made.items])
        for key, right in found.correct.items():
            worst = key.startswith("r@") and int(key[2:]) >= 4
            assert right.sum() == (5 if worst else 0)
            assert found.ties[key].sum() == (0 if worst else 5)
        assert found.tied.all()


@pytest.mark.parametrize("t", [2, 3, 12])
@pytest.mark.parametrize("levels", [0, 4])
def test_ranks_agree_with_a_plain_loop(t: int, levels: int) -> None:
    made = replace(choices(80, t), headline="r@1")
    matrices = random_scores(made, np.random.default_rng(t), levels)
    found = judge(made, matrices)
    for row, s in enumerate(matrices):
        true, foils = s[0, 0], s[0, 1:].tolist()
        rank = 1 + sum(f >= true for f in foils)
        assert found.values["mean rank"][row] == rank
        assert found.margin[row] == true - max(foils)
        for key, right in found.correct.items():
            assert right[row] == (rank <= int(key[2:]))
    assert list(found.correct) == [f"r@{k}" for k in (1, 3, 5, 10) if k < t]


def test_chance_of_a_choice_follows_the_number_of_captions() -> None:
    made = benchmark("choice", [choice("a", 0, "xy"), choice("b", 0, "wxyz")], "r@1")
    found = judge(made, [np.arange(2.0)[None], np.arange(4.0)[None]])
    assert found.chance["r@1"].tolist() == [0.5, 0.25]
    assert found.chance["r@3"].tolist() == [1.0, 0.75]
    assert found.chance["mean rank"].tolist() == [1.5, 2.5]


def test_average_precision_is_over_hard_pictures_and_over_all() -> None:
    made = benchmark("retrieval", [query("red cube", [0], 4, hard=[0, 2])], "map")
    found = judge(made, [np.array([[0.5], [0.9], [0.1], [0.8]])])  # two images that are not hard score higher
    assert found.values["map"].tolist() == [1.0]
    assert found.values["map all"].tolist() == [pytest.approx(1 / 3)]
    assert not found.correct


def test_a_retrieval_benchmark_without_hard_pictures_has_one_figure() -> None:
    assert list(judge(benchmark("retrieval", [query("q", [1], 3)], "map"), [np.arange(3.0)[:, None]]).values) == ["map"]


def test_queries_agree_with_a_plain_loop_and_skip_what_could_not_be_read() -> None:
    rng = np.random.default_rng(3)
    made = queries(9, 20, rng)
    matrices = random_scores(made, rng, 6)
    lost = frozenset({19, 4})
    for m in matrices:
        m[list(lost)] = np.nan
    found = judge(made, matrices, lost)
    for row, item in enumerate(made.items):
        rows = [p for p in range(20) if p not in lost and item.hard[p]]
        true = np.array([(p, 0) in item.match for p in rows])
        np.testing.assert_equal(found.values["map"][row], average_precision(matrices[row][rows, 0], true))
        one, other = matrices[row][rows, 0][true], matrices[row][rows, 0][~true]
        assert found.tied[row] == bool(set(one) & set(other))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_score_that_is_no_number_is_refused_by_name(bad: float) -> None:
    with pytest.raises(InvalidInput, match="'p1' is nan or infinite"):
        judge(pairs(2), [BOTH, np.array([[bad, 0], [0, 1]])])


def test_a_matrix_of_another_shape_is_refused() -> None:
    with pytest.raises(InvalidInput, match="'p0' needs 2 x 2 scores"):
        judge(pairs(1), [np.zeros((2, 3))])


def test_an_item_of_another_kind_is_refused() -> None:
    odd = replace(pair("odd"), match=((0, 0), (0, 1)))
    with pytest.raises(InvalidInput, match="'odd' must have two images and two captions"):
        judge(benchmark("pairs", [odd], "image"), [BOTH])
    with pytest.raises(InvalidInput, match="Pairwise accuracy needs one foil"):
        judge(replace(choices(1, 3), headline="pairwise"), [np.zeros((1, 3))])
