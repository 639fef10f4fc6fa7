"""The parts of the published protocols do what they say."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from core.systems.peers.engines.rows import EngineRows, fit_engine
from research.evidence.published import blindspots, imagenet_x, metashift
from research.evidence.published.blindspot_rates import blindspot_rates
from research.evidence.published.spotcheck import (
    APART,
    COLOURS,
    GROUNDS,
    TARGET,
    BlindspotConfiguration,
    draw_configuration,
    draw_pictures,
)
from research.scoreboard.errata import ErrataEngine

N = 100


def rows_of(*spans: tuple[int, int]) -> np.ndarray:
    found = np.zeros(N, bool)
    for start, stop in spans:
        found[start:stop] = True
    return found


def test_a_blindspot_is_discovered_by_groups_that_belong_to_it_together():
    first, second = rows_of((0, 20)), rows_of((20, 30))
    half, other = rows_of((0, 8), (50, 52)), rows_of((8, 16))  # 8 of 10 rows inside: it just belongs
    astray, mixed = rows_of((60, 80)), rows_of((20, 27), (60, 63))  # 7 of 10: it does not
    found = blindspot_rates([half, astray, other, mixed], [first, second])
    assert (found.covered, found.blindspots, found.dr) == (1, 2, 0.5)
    assert (found.groups, found.false_groups) == (4, 2)
    assert (found.groups_needed, found.false_needed) == (3, 1)
    assert blindspot_rates([half], [first]).covered == 0
    assert blindspot_rates([mixed], [second], precision=0.7, recall=0.7).covered == 1


def test_no_groups_discover_nothing_and_one_without_rows_is_false():
    found = blindspot_rates([], [rows_of((0, 10))])
    assert (found.dr, found.groups, found.groups_needed) == (0, 0, 0)
    assert blindspot_rates([rows_of()], [rows_of((0, 10))]).false_groups == 1


@pytest.mark.parametrize("seed", range(20))
def test_a_configuration_is_as_the_released_generator_draws_it(seed):
    found = draw_configuration(np.random.default_rng(seed))
    n_options = len(found.rolled) - len(found.layers) - 2  # without the square's presence and place
    assert 1 <= len(found.layers) <= 3
    assert 5 <= len(found.layers) + n_options <= 7
    assert found.n_buckets == 2 ** (len(found.layers) + n_options + 1)
    assert 1 <= len(found.blindspots) <= 3
    for blindspot in found.blindspots:
        clauses = len(blindspot.having) + len(blindspot.lacking)
        assert 5 <= clauses <= 7  # the square's presence and four to six more
        assert 0 in blindspot.having  # there is a square
        there = {found.rolled[i][0] for i in blindspot.having if found.rolled[i][1] == "presence"} | {"background"}
        fixed = [found.rolled[i] for i in (*blindspot.having, *blindspot.lacking)]
        assert all(option == "presence" or name in there for name, option in fixed)
    for one, other in combinations(found.blindspots, 2):
        assert len({*one.having} & {*other.lacking}) + len({*one.lacking} & {*other.having}) >= 2


def test_pictures_show_what_is_rolled():
    rolled = (
        (TARGET, "presence"), ("circle", "presence"), (TARGET, "size"), (TARGET, "colour"), (TARGET, "number"),
        ("background", "colour"), ("background", "relative position"),
    )  # fmt: skip
    pixels, values = draw_pictures(BlindspotConfiguration(("circle",), rolled, ()), 400, np.random.default_rng(0))
    square, circle, small, orange, two, grey, above = values.T
    assert abs(values[:, :-1].mean(axis=0) - 0.5).max() < 0.1
    bare = ~square & ~circle
    assert (pixels[:, :, 0, 0][bare] == np.array(GROUNDS)[grey[bare].astype(int)][:, None]).all()
    alone = square & ~circle
    inked = (pixels == COLOURS[orange.astype(int)][:, :, None, None]).all(axis=1)
    sizes = np.where(small, 5, 10) ** 2 * (1 + two)
    np.testing.assert_array_equal(inked[alone].sum(axis=(1, 2)), sizes[alone])
    one = alone & ~two
    middles = np.array([np.flatnonzero(picture.any(axis=1)).mean() for picture in inked[one]])
    np.testing.assert_array_equal(middles + 0.5 < 28, above[one])
    assert not above[~square].any()
    assert APART == 1


def test_groups_are_cut_and_a_method_that_stops_returns_none():
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(400, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    wrong = vectors[:, 0] > 0.4
    truth = np.where(wrong, 0.1, 0.9)
    rows = EngineRows(vectors, np.ones(400, np.int64), -np.log(truth), wrong, np.c_[1 - truth, truth])
    (group,) = blindspots.groups_of("error logistic", rows, 0)
    assert group.sum() == wrong.sum()
    assert wrong[group].mean() > 0.9
    right = EngineRows(vectors, rows.labels, rows.losses, wrong & False, rows.probabilities)
    assert blindspots.groups_of("error logistic", right, 0) == []


def test_a_factor_s_line_keeps_what_errata_saw_from_what_it_did_not():
    has, seen = np.array([1, 1, 0, 0] * 2, bool), np.arange(8) < 4
    wrong = np.array([1, 0, 0, 0, 1, 1, 1, 0], bool)
    line = imagenet_x.factor_line("pose", has, wrong, seen, None)
    assert (line["n"], line["ratio_seen"], line["ratio_unseen"]) == (2, 2.0, 1 / 0.75)
    assert (line["difference_unseen"], line["claimed"]) == (0.5, False)


def test_every_model_has_a_published_ratio_for_every_factor():
    assert len(imagenet_x.FACTORS) == 16
    assert {name: len(ratios) for name, ratios in imagenet_x.PUBLISHED.items()} == dict.fromkeys(imagenet_x.MODELS, 16)


def test_prototypes_are_left_out_and_ratios_are_computed_as_published(tmp_path):
    names = [f"{i}.JPEG" for i in range(8)]
    frame = pd.DataFrame({"file_name": names, "top_factor": ["pose", "texture"] * 4, "class": 1})
    for model in imagenet_x.MODELS:
        frame[f"{model}_pred"] = [
            1,
            0,
            1,
            0,
            0,
            1,
            1,
            1,
        ]  # of the six kept, one of three poses and two of three textures
    frame.to_parquet(tmp_path / "imagenet_x_val.parquet")
    pd.DataFrame({"file_name": names[6:]}).to_csv(tmp_path / "left_out.csv")
    rows = imagenet_x.read_rows(tmp_path, tmp_path / "left_out.csv")
    assert rows["file_name"].tolist() == names[:6]
    assert imagenet_x.farthest_ratio(rows) == pytest.approx(2.39 - 4 / 3)  # ResNet50's texture


def test_a_method_s_line_holds_its_rates_and_the_table_its_means():
    rng = np.random.default_rng(1)
    inside = np.arange(600) < 60
    vectors = (rng.normal(size=(600, 4)) * 0.1 + np.where(inside, 1, -1)[:, None]).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    truth = np.where(inside, 0.1, 0.9)
    rows = EngineRows(
        vectors, np.ones(600, np.int64), -np.log(truth), inside & (rng.random(600) < 0.9), np.c_[1 - truth, truth]
    )
    facts = {"seed": 7, "n": 600, "planted": 2, "real": 1, "errors": [0.9, 0.0], "errors_elsewhere": 0.0}
    world = blindspots.BlindspotWorld({"trunk": rows}, (inside,), inside, facts)
    (tree,) = blindspots.measure(world, "trunk", ["error tree"])
    assert tree["at_0.8"]["covered"] == 1
    assert tree["in_any"][0] == 1
    assert "| error tree | 1 | 1.00 [1.00, 1.00] |" in blindspots.table([tree], "trunk")
    assert "error tree" not in blindspots.table([tree], "own layer")
    assert blindspots.models_line([tree]).startswith("1 of 2 planted blindspots of 1 models are real; error there 0.45")
    nowhere = blindspots.BlindspotWorld({"trunk": rows}, (), inside, facts)
    assert "left_out" in blindspots.measure(nowhere, "trunk", ["error tree"])[0]


def test_words_for_the_animal_are_taken_out_of_a_caption():
    assert (
        metashift.without_animal("A cat's bed and two Dogs with catalogues")
        == "A animal bed and two animal with catalogues"
    )


def test_errata_s_groups_are_its_confirmed_clusters_and_its_candidates():
    rng = np.random.default_rng(2)
    inside = np.arange(600) < 60
    vectors = (0.3 * rng.normal(size=(600, 4)) + np.where(inside, 1, -1)[:, None]).astype(np.float32)
    vectors[300:] = vectors[300]  # half the rows are one vector
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    wrong = rng.random(600) < np.where(inside, 0.9, 0.05)
    truth = np.where(wrong, 0.1, 0.9)
    rows = EngineRows(vectors, np.ones(600, np.int64), -np.log(truth), wrong, np.c_[1 - truth, truth])
    confirmed, _ = blindspots.our_groups(rows, 0)
    assert any(inside[group].mean() > 0.9 for group in confirmed)
    made = [ErrataEngine(n_permutations=199, group_copies=copies) for copies in (True, False)]
    together, apart = (fit_engine(engine, rows).result_.samples.groups for engine in made)
    assert together is not None
    assert len(np.unique(together)) == 301
    assert apart is None
