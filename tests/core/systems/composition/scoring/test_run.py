from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.errors import Cancelled, InvalidInput
from core.numbers import with_interval
from core.systems.composition.scoring.compare import compare_results
from core.systems.composition.scoring.encoder import EncoderScorer
from core.systems.composition.scoring.judging import judge
from core.systems.composition.scoring.measures import metrics_of
from core.systems.composition.scoring.run import run_composition
from tests.support.benchmarks import (
    Given,
    benchmark,
    choice,
    choices,
    colour_encoder,
    pair,
    pairs,
    pictured,
    queries,
    query,
    random_scores,
)


def figures(metrics):
    return [(m.key, m.value.to_dict(), m.n, m.chance, m.ties) for m in metrics]


def test_the_result_holds_what_the_scores_say():
    made = pairs(40)
    matrices = random_scores(made, np.random.default_rng(0))
    result = run_composition(pictured(made), Given(matrices))
    judged = judge(made, matrices)
    assert figures(result.metrics) == figures(metrics_of(judged))
    assert (result.name, result.model, result.headline) == ("pairs, given", "given", "image")
    assert result.ids == tuple(item.id for item in made.items)
    assert ((result.margin > 0) == result.correct["image"]).all()
    assert result.tags == {"half": ("0", "1") * 20}
    assert [t.value for t in result.by_tag] == ["0", "1"]
    assert result.groups is None
    assert result.foil_similarity is None  # these scores have no text side


def test_items_that_a_model_learned_from_are_in_no_figure_and_the_headline_on_all_is_told():
    made = pairs(12)
    matrices, taught = random_scores(made, np.random.default_rng(3)), frozenset({0, 1, 7})
    whole = run_composition(pictured(made), Given(matrices))
    result = run_composition(pictured(made), Given(matrices, taught=taught))
    unseen = [i for i in range(12) if i not in taught]
    assert result.ids == tuple(whole.ids[i] for i in unseen)
    assert [reason for _, reason in result.excluded] == ["the adapter learned from it"] * 3
    (metric,) = [m for m in result.metrics if m.key == result.headline]
    assert metric.value.value == pytest.approx(whole.correct["image"][unseen].mean())
    (note,) = [n for n in result.notes if "memory, not skill" in n]
    assert note.startswith("3 of 12 items were in this adapter's training")
    assert f"On all 12: {metric.title}, {with_interval(whole.metrics[0].value, share=True)}." in note
    both = compare_results(whole, result).rows[0]
    assert both.n == len(unseen)  # the frozen encoder is compared on those too


def test_where_a_model_learned_from_every_item_all_are_scored_and_that_is_said():
    made = pairs(4)
    matrices = random_scores(made, np.random.default_rng(3))
    result = run_composition(pictured(made), Given(matrices, taught=frozenset(range(4))))
    assert len(result.ids) == 4
    assert not result.excluded
    assert any(note.endswith("All its figures come from them.") for note in result.notes)


def test_an_item_whose_picture_cannot_be_read_is_excluded_and_no_other_is_touched():
    made = pairs(12)
    encoder = colour_encoder(made, np.random.default_rng(1))
    whole = run_composition(pictured(made), EncoderScorer(encoder))
    result = run_composition(pictured(made, [5]), EncoderScorer(encoder))
    assert [name for name, _ in result.excluded] == ["p2"]
    assert result.excluded[0][1].startswith("an image cannot be read: 5.png")
    kept = [i for i in range(12) if i != 2]
    assert result.ids == tuple(whole.ids[i] for i in kept)
    np.testing.assert_array_equal(result.margin, whole.margin[kept])
    assert result.foil_similarity is not None
    assert whole.foil_similarity is not None
    np.testing.assert_array_equal(result.foil_similarity, whole.foil_similarity[kept])
    assert all(np.isfinite(m).all() for m in result.matrices)
    assert any("1 image could not be read" in note for note in result.notes)


def test_a_query_is_ranked_without_the_picture_that_cannot_be_read():
    made = benchmark("retrieval", [query("q0", [0, 1], 6, [0, 1, 2, 3]), query("q1", [4], 6, [3, 4, 5])], "map")
    encoder = colour_encoder(made, np.random.default_rng(2))
    result = run_composition(pictured(made, [4]), EncoderScorer(encoder))
    assert result.ids == ("q0",)
    assert result.excluded == (("q1", "no image fits the query, without the unreadable images"),)
    whole = run_composition(pictured(made), EncoderScorer(encoder))
    assert result.values["map"][0] == whole.values["map"][0]  # image 4 is not hard for q0
    assert any("Queries are ranked without it. Left out: 1 item because no image fits" in note for note in result.notes)


def test_no_readable_item_is_one_message():
    made = benchmark("pairs", [pair("a", (0, 1)), pair("b", (1, 2))], "image")
    encoder = colour_encoder(made, np.random.default_rng(0))
    with pytest.raises(InvalidInput, match=r"No item of Made pairs can be scored.*1\.png"):
        run_composition(pictured(made, [1]), EncoderScorer(encoder))


def test_nan_where_every_picture_was_read_is_refused():
    made = pairs(2)
    with pytest.raises(InvalidInput, match="nan or infinite"):
        run_composition(pictured(made), Given((np.eye(2), np.full((2, 2), np.nan))))
    with pytest.raises(InvalidInput, match="scored 1 of the 2 items"):
        run_composition(pictured(made), Given((np.eye(2),)))


def test_blind_baselines_stand_beside_a_choice_and_not_beside_pairs():
    made = choices(60)
    right = Given(tuple(np.array([[1.0, 0.0]]) for _ in made.items))
    result = run_composition(pictured(made), right)
    assert [name for name, _ in result.blind] == ["shorter caption", "longer caption", "learned from other captions"]
    learned = dict(result.blind)["learned from other captions"][0]
    assert learned.value.value > 0.9  # "true" and "foil" are words of the captions
    assert run_composition(pictured(made), right, blind=False).blind == ()
    paired = run_composition(pictured(pairs(60)), Given((np.eye(2),) * 60))
    assert paired.blind == ()
    assert any("blind baseline does not apply" in note for note in paired.notes)


def test_the_headline_is_averaged_over_the_tag_that_the_benchmark_names():
    made = replace(choices(30), average="kind")
    result = run_composition(
        pictured(made), Given(tuple(np.array([[1.0, float(2 * (i % 3 == 0))]]) for i in range(30)))
    )
    assert result.metrics[0].value.value == pytest.approx(2 / 3)
    assert (result.metrics[0].n, result.average) == (30, "kind")
    assert {t.value: t.metrics[0].value.value for t in result.by_tag} == {"kind 0": 0, "kind 1": 1, "kind 2": 1}


def test_foil_similarity_is_the_cosine_with_the_nearest_foil_in_the_text_tower():
    made = choices(6, 4)
    encoder = colour_encoder(made, np.random.default_rng(3))
    result = run_composition(pictured(made), EncoderScorer(encoder), blind=False)
    assert result.foil_similarity is not None
    for item, found in zip(made.items, result.foil_similarity):
        true, *foils = (encoder.texts[c] for c in item.captions)
        assert found == pytest.approx(max(float(true @ foil) for foil in foils), abs=1e-6)
    assert len(encoder.read) == 24  # not read a second time for this


def test_items_that_share_pictures_are_grouped_and_said_to_be():
    made = benchmark("choice", [choice(f"{i}", i // 2, (f"a {i}", f"b {i}")) for i in range(80)], "pairwise")
    result = run_composition(pictured(made), Given(random_scores(made, np.random.default_rng(0))), blind=False)
    assert result.groups is not None
    assert len(set(result.groups.tolist())) == 40
    assert any("in 40 sets" in note for note in result.notes)


def test_queries_over_one_gallery_say_what_their_interval_means():
    made = queries(12, 20, np.random.default_rng(0))
    result = run_composition(pictured(made), Given(random_scores(made, np.random.default_rng(1))))
    assert list(result.values) == ["map", "map all"]
    assert not result.correct
    np.testing.assert_array_equal(result.margin, result.values["map"])
    assert any("not other images" in note for note in result.notes)


def test_published_figures_are_shown_where_the_benchmark_has_some():
    made = replace(pairs(210), name="cola", headline="image")
    result = run_composition(pictured(made), Given((np.eye(2),) * 210))
    assert any(line.startswith("CLIP ViT-B/32, image: 21.42 (read in the paper)") for line in result.published)


def test_published_figures_do_not_stand_beside_a_fragment_or_other_pairs_of_that_form():
    fragment = replace(
        pairs(20),
        name="cola",
        headline="image",
        excluded=tuple((f"gone {i}", "its image is missing") for i in range(190)),
    )
    result = run_composition(pictured(fragment), Given((np.eye(2),) * 20))
    assert result.published == ()
    assert any("all 210 items, and only 20 are scored" in note for note in result.notes)
    other = run_composition(pictured(replace(pairs(5), name="cola", headline="image")), Given((np.eye(2),) * 5))
    assert other.published == ()
    assert not any("figures are not shown" in note for note in other.notes)


def test_a_tie_is_wrong_and_counted_in_the_result():
    result = run_composition(pictured(pairs(4)), Given((np.ones((2, 2)),) * 4))
    assert [(m.value.value, m.ties) for m in result.metrics] == [(0.0, 4)] * 3
    assert all(m.value.high > 0 for m in result.metrics)
    assert result.tied.all()


def test_the_same_seed_gives_the_same_result():
    for made in choices(60), queries(20, 12, np.random.default_rng(1)):
        scorer = Given(random_scores(made, np.random.default_rng(0)))
        one, other = (run_composition(pictured(made), scorer, seed=4) for _ in range(2))
        assert figures(one.metrics) == figures(other.metrics)
        assert [figures(m) for _, m in one.blind] == [figures(m) for _, m in other.blind]


def test_a_run_can_be_stopped():
    def stop(step: str, done: int, total: int) -> None:
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        run_composition(pictured(pairs(3)), Given((np.eye(2),) * 3), progress=stop)
