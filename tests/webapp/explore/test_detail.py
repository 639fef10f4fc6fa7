"""What is said of a cluster or a selection."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.numbers import percent
from core.records import Diagnosis, Estimate
from core.systems.probes.records import ProbeResult, with_results
from tests.support.diagnoses import MemoryImages, make_diagnosis
from tests.webapp.markup.test_html import Tags
from webapp.explore.detail import Selection, nearest_rows, probed, selection_pane, typical_rows


def test_a_clusters_detail_says_what_the_latest_probe_does_there(streets: Diagnosis, result: ProbeResult) -> None:
    cluster, wrong, mine = streets.clusters[0], result.outcomes.errors, streets.outcomes.errors
    assert wrong is not None
    assert mine is not None
    assert probed(streets, cluster) is None
    odd = with_results(streets, (replace(result, name="older"), replace(result, name="<b>newest</b>")))
    said = selection_pane(odd, Selection(np.flatnonzero(cluster.membership >= 0.5), (), cluster))
    inside = cluster.membership >= 0.5
    assert "<b>&lt;b&gt;newest&lt;/b&gt;</b> (latest probe) is" in said
    assert "older" not in said
    assert (
        f"wrong on {wrong[inside].sum()} of {inside.sum()} scored members ({percent(float(wrong[inside].mean()))})"
        in said
    )
    assert (
        f"fixes {(mine & ~wrong)[inside].sum()} and breaks {(~mine & wrong)[inside].sum()} answers of your model."
        in said
    )
    own = with_results(replace(odd, extras={**streets.extras, "probe": "own"}), (replace(result, name="own"),))
    assert probed(own, cluster) is None  # the model of that run is the probe itself
    losses = replace(odd, outcomes=replace(streets.outcomes, errors=None, predictions=None, scores=None))
    found = probed(losses, cluster)
    assert found is not None
    assert "fixes" not in found[1]


def test_a_lasso_is_called_exploratory_and_carries_no_p() -> None:
    diagnosis = make_diagnosis()
    said = Tags(selection_pane(diagnosis, Selection(np.arange(10), ()))).text
    assert "Not tested" in said
    assert "adjusted p" not in said
    assert "10" in said


def test_typical_members_run_from_the_highest_membership_down(diagnosis: Diagnosis) -> None:
    cluster = diagnosis.clusters[0]
    rows = typical_rows(diagnosis, Selection(np.flatnonzero(cluster.membership >= 0.5), (), cluster))
    assert (np.diff(cluster.membership[rows]) <= 0).all()


def test_the_p_says_of_what_it_is_where_the_interval_beside_it_holds_0(diagnosis: Diagnosis) -> None:
    cluster = replace(diagnosis.clusters[0], measure="error rate", error_difference=Estimate(0.28, 0.09, 0.47))
    unsure = replace(cluster, excess_loss=Estimate(0.4, -0.1, 0.9))
    said = [Tags(selection_pane(diagnosis, Selection(np.arange(9), (), one))).text for one in (cluster, unsure)]
    assert ["The test is of the error rate; a higher mean loss is not shown." in text for text in said] == [False, True]


def test_pictures_stand_before_the_sentence_and_the_sentence_before_figures(diagnosis: Diagnosis) -> None:
    cluster = diagnosis.clusters[0]
    own = tuple(i for i in diagnosis.insights if i.cluster == cluster.id)
    said = selection_pane(diagnosis, Selection(np.flatnonzero(cluster.membership >= 0.5), own, cluster))
    places = [said.index(part) for part in ('class="tile"', 'class="plain-words"', "of all errors", 'class="insight')]
    assert places == sorted(places)


def test_a_sample_is_shown_with_those_most_like_it_and_without_itself(diagnosis: Diagnosis) -> None:
    vectors = diagnosis.embeddings.vectors
    near = nearest_rows(diagnosis, 7)
    others = [row for row in range(len(vectors)) if row != 7]
    assert near == sorted(others, key=lambda row: -float(vectors[row] @ vectors[7]))[:8]
    said = selection_pane(diagnosis, Selection(np.array([7]), ()))
    assert all(f'data-row="{row}"' in said for row in (7, *near))
    few = replace(diagnosis, embeddings=replace(diagnosis.embeddings, vectors=vectors[:3]))
    assert sorted(nearest_rows(few, 1)) == [0, 2]


def test_of_rows_that_show_one_picture_the_nearest_is_shown_once(diagnosis: Diagnosis) -> None:
    items = diagnosis.samples.items
    assert items is not None
    places = np.arange(len(items))
    most = nearest_rows(diagnosis, 7)
    places[most[:2]], places[most[3]] = 7, most[2]
    several = items.keep(places)
    near = nearest_rows(replace(diagnosis, samples=replace(diagnosis.samples, items=several)), 7)
    shown = [several.name(row) for row in near]
    assert len(set(shown)) == len(near) == 8
    assert several.name(7) not in shown
    assert near[0] == most[2]


def test_the_nearest_are_those_of_a_whole_sort_also_where_all_are_alike_or_show_little_else() -> None:
    diagnosis = make_diagnosis(400, with_images=False)
    vectors = diagnosis.embeddings.vectors[np.arange(400) % 3]  # three places, 133 rows at each
    alike = replace(diagnosis, embeddings=replace(diagnosis.embeddings, vectors=vectors))
    order = np.argsort(-(vectors @ vectors[1]), kind="stable")
    assert nearest_rows(alike, 1, most=200) == [row for row in order.tolist() if row != 1][:200]
    pictures = MemoryImages(tuple(f"{min(i % 3, 1)}-{i // 300}.png" for i in range(400)), ())
    few = replace(alike, samples=replace(alike.samples, items=pictures))
    assert nearest_rows(few, 1) == [301, 0, 300]


def test_galleries_are_called_after_what_the_samples_are() -> None:
    diagnosis = make_diagnosis()
    scans = replace(diagnosis, samples=replace(diagnosis.samples, modality="scan"))
    cluster = diagnosis.clusters[0]
    picked = Selection(np.flatnonzero(cluster.membership >= 0.5), (), cluster)
    assert 'aria-label="Images"' in selection_pane(diagnosis, picked)
    assert 'aria-label="Scans"' in selection_pane(scans, picked)
