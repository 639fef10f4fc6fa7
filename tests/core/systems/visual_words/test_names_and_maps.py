"""A visual word names a cluster only where nothing else may and the search with words confirmed both; maps show its
cells."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.discovery.called import cluster_name
from core.records import Bool, ClusterName, Diagnosis
from core.systems.common.run_pictures import pictures_of
from core.systems.visual_words.html import shown_maps, shown_names, shown_words, visual_page
from core.systems.visual_words.maps import MAP_PIXELS, maps_of, outline
from core.systems.visual_words.names import auroc_of, unnamed, word_names
from core.systems.visual_words.search import VisualSearch, search_words
from core.systems.visual_words.tables import visual_document
from core.systems.visual_words.wording import map_legend, no_outline, unnamed_sentence, visual_lines
from tests.support.patched import PLANTED, N, planted_run


@pytest.fixture(scope="module")
def searched(cells: Path) -> tuple[Diagnosis, VisualSearch, Bool]:
    run, _, touched = planted_run()
    nothing = tuple(replace(c, called=ClusterName("Mixed pictures", "none", grade="mixed")) for c in run.clusters)
    run = replace(run, clusters=nothing)
    return run, search_words(run, size=64, cache=cells), touched


@pytest.mark.slow
def test_the_patch_names_the_cluster_that_has_no_likely_title(searched: tuple[Diagnosis, VisualSearch, Bool]) -> None:
    run, search, _ = searched
    assert run.clusters
    assert search.n_unnamed == len(run.clusters)
    assert len(search.names) == 1
    name = search.names[0]
    members = run.clusters[0].membership >= 0.5
    assert name.finding.confirmed
    assert (name.inside, name.size) == (int((members & name.finding.rows).sum()), int(members.sum()))
    assert (name.others, name.of) == (int((~members & name.finding.rows).sum()), N - int(members.sum()))
    assert name.auroc >= 0.75
    said = next(line for line in visual_lines(search) if "these patches" in line)
    assert f"in {name.inside} of its {name.size} images and in {name.others} of {name.of} others" in said
    assert "adjusted p = 0.005" in said
    assert name.alike == len(search.places[0].findings) > 1
    assert f"{name.alike} visual words mark the same region in" in said
    assert f"{name.alike} words mark the same region in" in visual_lines(search)[0]


@pytest.mark.slow
def test_named_clusters_unconfirmed_words_and_lost_clusters_get_none(
    searched: tuple[Diagnosis, VisualSearch, Bool],
) -> None:
    run, search, _ = searched
    given = (search.rows, search.diagnosis, search.findings)
    assert word_names(run, *given)
    guessed = ClusterName("Perhaps: dark pictures", "property", grade="perhaps")
    assert unnamed(replace(run, clusters=tuple(replace(c, called=guessed) for c in run.clusters)))
    named = replace(
        run,
        clusters=tuple(
            replace(c, called=ClusterName("Dark pictures", "property", grade="likely")) for c in run.clusters
        ),
    )
    assert not unnamed(named)
    assert not word_names(named, *given)
    doubtful = [replace(finding, confirmed=False) for finding in search.findings]
    assert not word_names(run, search.rows, search.diagnosis, doubtful)
    assert not word_names(run, search.rows, replace(search.diagnosis, clusters=()), search.findings)
    elsewhere = [replace(finding, scope="dog") for finding in search.findings]
    assert not word_names(run, search.rows, search.diagnosis, elsewhere)
    assert "1 group still has no likely title" in unnamed_sentence(replace(search, names=(), n_unnamed=1))
    assert unnamed_sentence(search) == ""


def test_the_area_of_having_a_thing_is_that_of_its_ranking() -> None:
    has = np.array([True] * 3 + [False] + [True] + [False] * 5)
    members = np.arange(10) < 4
    pairs = [(has[i] > has[j]) + 0.5 * (has[i] == has[j]) for i in range(4) for j in range(4, 10)]
    assert auroc_of(3, 4, 1, 6) == pytest.approx(np.mean(pairs))
    assert bool(members.any())
    assert auroc_of(0, 0, 1, 6) == 0.5


@pytest.mark.slow
def test_maps_hold_the_cells_of_confirmed_words_alone(searched: tuple[Diagnosis, VisualSearch, Bool]) -> None:
    _, search, touched = searched
    maps = maps_of(search)
    own = maps.cells == 0
    assert touched[own].mean() > 0.9
    np.testing.assert_array_equal(own, search.words.maps == maps.findings[0].word)
    with_patch, without = maps.of_row(0), maps.of_row(PLANTED + 1)
    assert with_patch is not None
    assert without is not None
    assert no_outline(maps, with_patch) == ""
    legend = dict(map_legend(maps, with_patch))
    n = int((with_patch == 0).sum())
    assert legend[0].startswith(f"{maps.findings[0].name}: {n} of 196 cells; in ")
    assert "this image has none" in no_outline(maps, np.full((14, 14), -1, np.int16))
    assert "was not readable" in no_outline(maps, maps.of_row(N))
    assert "none goes with failure" in no_outline(replace(maps, findings=()), without)
    assert maps.of_row(N) is None
    one = maps_of(search, 1)
    assert (len(one.findings), one.left_out) == (1, len(search.confirmed) - 1)
    np.testing.assert_array_equal(one.cells == 0, own)
    assert maps_of(search, None).left_out == 0


def test_an_outline_encloses_its_cells_also_beside_the_centred_square() -> None:
    grey = io.BytesIO()
    Image.new("RGB", (280, 140), "grey").save(grey, "PNG")
    cells = np.full((14, 14), -1, np.int16)
    cells[0, 0] = cells[7, 7:9] = 0
    shown = np.asarray(Image.open(io.BytesIO(outline(grey.getvalue(), cells))).convert("RGB")).astype(int)
    assert shown.shape == (MAP_PIXELS // 2, MAP_PIXELS, 3)
    yellow = (shown[..., 0] > 200) & (shown[..., 1] > 150) & (shown[..., 2] < 110)
    side, left = MAP_PIXELS / 2, MAP_PIXELS / 4
    columns, rows = np.flatnonzero(yellow.any(0)), np.flatnonzero(yellow.any(1))
    assert abs(columns.min() - left) <= 4
    assert abs(columns.max() - (left + 9 / 14 * side)) <= 4
    assert abs(rows.max() - 8 / 14 * side) <= 4
    middle = round(left + 8 / 14 * side)
    assert not yellow[round(7.5 / 14 * side), middle]  # no line between two cells of one word


@pytest.mark.slow
def test_the_page_and_the_json_tell_names_and_maps(searched: tuple[Diagnosis, VisualSearch, Bool]) -> None:
    run, search, touched = searched
    ids = tuple(f"<b>{i}" for i in run.samples.ids)
    search = replace(search, diagnosis=replace(search.diagnosis, samples=replace(search.diagnosis.samples, ids=ids)))
    images = pictures_of(run)
    names, maps = shown_names(search, images, run), shown_maps(search, images)
    page = visual_page(search, shown_words(search, images), names, maps)
    assert "Group 1: these patches" in page
    assert "Whole images" in page
    assert page.count("cells of confirmed words outlined") == len(maps) == 12
    assert "<b>1" not in page
    losses = [search.diagnosis.outcomes.loss[ids.index(shown.id)] for shown in maps]
    assert losses == sorted(losses, reverse=True)
    members = np.flatnonzero(run.clusters[0].membership >= 0.5)
    assert {crop.id for crop in names[0].crops} <= {ids[row] for row in members}
    document = visual_document(search)
    assert document["names"][0]["cluster"] == 1
    assert document["unnamed"] == 1
    first = maps_of(search).findings[0].name
    told = {one["id"]: one["cells"].get(first, []) for one in document["maps"]}
    assert touched[0].reshape(-1)[told[ids[0]]].mean() > 0.5


@pytest.mark.slow
def test_an_old_run_has_its_names_decided_now(searched: tuple[Diagnosis, VisualSearch, Bool]) -> None:
    run = searched[0]
    old = replace(run, clusters=tuple(replace(c, called=None) for c in run.clusters))
    assert isinstance(cluster_name(old, old.clusters[0]), ClusterName)
    assert cluster_name(old, old.clusters[0]) is cluster_name(old, old.clusters[0])  # once, not for each sample
