from __future__ import annotations

from collections import Counter

import pytest

from core.systems.common.published import published_figures
from research.ladder.published import FIGURES, find, means
from research.ladder.steps import ladder
from research.ladder.transfer import harmonic


def test_every_figure_is_a_share_with_its_mark_and_source():
    for figure in published_figures(FIGURES):
        assert 0 < figure.value < 100
        assert figure.mark in ("repo", "2nd", "mem")
        assert figure.source
        assert figure.metric in ("accuracy", "base", "new", "h")
        assert figure.setting in ("all classes", "base-to-new", "trained on imagenet")


def test_every_figure_is_of_a_step_that_it_can_stand_beside():
    assert {figure.model for figure in published_figures(FIGURES)} <= {step.name for step in ladder("all")}


def test_no_figure_is_there_twice():
    keys = Counter((f.model, f.encoder, f.data, f.setting, f.shots, f.metric) for f in published_figures(FIGURES))
    assert max(keys.values()) == 1


@pytest.mark.parametrize("method", ["zero-shot", "coop", "cocoop"])
def test_each_published_h_is_the_harmonic_mean_of_its_two_figures(method):
    shots = None if method == "zero-shot" else 16
    own = {
        m: means(method, "ViT-B-16:openai", shots=shots, setting="base-to-new", metric=m)[0].value
        for m in ("base", "new", "h")
    }
    assert harmonic(own["base"], own["new"]) == pytest.approx(own["h"], abs=0.011)


def test_means_over_ten_sets_are_the_means_of_the_ten():
    for method, shots, setting in (
        ("zero-shot-80", None, "all classes"),
        ("coop", 16, "trained on imagenet"),
        ("cocoop", 16, "trained on imagenet"),
    ):
        own = [
            f
            for f in published_figures(FIGURES)
            if (f.model, f.encoder, f.setting, f.shots) == (method, "RN50:openai", setting, shots) and f.mark == "repo"
        ]
        ten = [
            f.value
            for f in own
            if f.source == "README of kdiAAA/TDA"
            and not f.data.startswith("mean")
            and not f.data.startswith("imagenet")
        ]
        (mean,) = (f.value for f in own if f.data == "mean of 10 sets")
        assert len(ten) == 10
        assert sum(ten) / 10 == pytest.approx(mean, abs=0.06)


def test_a_figure_is_found_by_any_spelling_of_encoder_and_data_set():
    wanted = find("coop", "RN50:openai", "pets", shots=16, setting="trained on imagenet")
    assert wanted is not None
    assert wanted.value == 87.0
    assert (
        find("coop", "open_clip:RN50/openai", "split_zhou_OxfordPets.json", shots=16, setting="trained on imagenet")
        == wanted
    )
    assert find("coop", "RN50:openai", "clothing", shots=16) is None
    assert (
        find("coop", "RN50:openai", "pets", shots=16) is None
    )  # trained on ImageNet is another thing than trained on pets


def test_a_figure_from_memory_says_so():
    found = find("sus-x", "RN50:openai", "imagenet")
    assert found is not None
    assert found.with_source == "61.89 (from memory, check)"
    assert (
        means("cocoop", "ViT-B-16:openai", shots=16, setting="base-to-new", metric="h")[0].with_source
        == "75.83 (published with the code)"
    )
