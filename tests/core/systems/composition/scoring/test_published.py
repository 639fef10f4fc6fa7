from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from core.systems.common.published import PublishedFigure, published_figures
from core.systems.composition.readers import READERS
from core.systems.composition.scoring.published import FIGURES, figures_for
from research.ladder.cola import published_figure
from tests.support.benchmarks import benchmark, choice, pairs, query

KINDS = ("replace_obj", "replace_att", "replace_rel", "swap_obj", "swap_att", "add_obj", "add_att")


def find(data: str, metric: str, model: str, part: str = "") -> PublishedFigure:
    asked = (data, metric, model, part)
    return next(f for f in published_figures(FIGURES) if (f.data, f.metric, f.model, f.part) == asked)


def test_every_figure_is_a_share_of_a_known_benchmark_with_its_mark_and_source():
    for figure in published_figures(FIGURES):
        assert 0 < figure.value < 100
        assert figure.mark in ("paper", "repo", "2nd", "mem")
        assert figure.source
        assert figure.model
        assert figure.data in READERS
        assert figure.metric in ("image", "text", "group", "pairwise", "map")


def test_no_figure_is_there_twice():
    assert max(Counter((f.model, f.data, f.part, f.metric) for f in published_figures(FIGURES)).values()) == 1


def test_clips_figure_on_cola_is_45_of_210_cut_to_two_decimals():
    figure = published_figure("open_clip:ViT-B-32/openai")
    assert figure is not None
    assert figure.value == 21.42 == int(45 / 210 * 10_000) / 100
    assert figure.with_source == "21.42 (read in the paper)"
    assert (
        figure.sentence == "CLIP ViT-B/32, image: 21.42 (read in the paper), Ray et al. 2023 (Cola), arXiv 2305.03689"
    )


@pytest.mark.parametrize("model", [f.model for f in published_figures(FIGURES) if f.data == "cola"])
def test_each_of_colas_figures_is_a_whole_number_of_210_items(model: str):
    figure = find("cola", "image", model)
    if model != "people":  # several people judged each item
        assert abs(figure.value * 2.1 - round(figure.value * 2.1)) < 0.03


def test_a_figure_from_memory_says_so():
    figure = find("winoground", "group", "CLIP ViT-B/32")
    assert figure.with_source == "8.00 (from memory, check)"


def test_the_mean_over_sugarcrepes_kinds_is_near_the_mean_of_the_kinds():
    for model, gap in (("CLIP ViT-B/32", 0.5), ("NegCLIP ViT-B/32", 0.1)):
        kinds = [find("sugarcrepe", "pairwise", model, kind) for kind in KINDS]
        mean = find("sugarcrepe", "pairwise", model)
        assert sum(f.value for f in kinds) / 7 == pytest.approx(mean.value, abs=gap)


def test_a_mean_is_held_against_a_mean_over_the_same_kinds_alone():
    def sugarcrepe(kinds: tuple[str, ...]):
        items = [choice(kind, i, ("a", "b"), kind=kind) for i, kind in enumerate(kinds)]
        return replace(benchmark("choice", items, "pairwise", average="kind"), name="sugarcrepe")

    assert {f.part for f in figures_for(sugarcrepe(KINDS))} == {""}
    assert {f.part for f in figures_for(sugarcrepe(("swap_obj", "add_att")))} == {"swap_obj", "add_att"}


def test_cola_single_object_figures_are_of_the_file_at_hand():
    made = replace(
        benchmark("retrieval", [query("q", [0], 2)], "map"), name="cola-single", title="Cola, single-object (PACO)"
    )
    assert {f.part for f in figures_for(made)} == {"PACO"}


def test_an_unknown_benchmark_or_model_has_no_figure():
    assert figures_for(pairs(3)) == ()
    assert published_figure("RN50:openai") is None
