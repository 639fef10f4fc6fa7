"""The list of clusters, or what stands in its place."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.reports.wording.findings import cluster_title
from tests.support.diagnoses import confirmed_without_clusters, make_diagnosis
from tests.support.page import Page
from tests.webapp.markup.test_html import Tags
from webapp.explore.cards import cluster_list, worst_members


def test_cards_stand_in_rank_order_with_their_worst_pictures() -> None:
    diagnosis = make_diagnosis()
    markup = cluster_list(diagnosis)
    places = [markup.index(cluster_title(diagnosis, c)) for c in diagnosis.clusters]
    assert places == sorted(places)
    assert markup.count('class="card"') == 2
    worst = worst_members(diagnosis, diagnosis.clusters[0], 4)
    members = np.flatnonzero(diagnosis.clusters[0].membership >= 0.5)
    assert set(worst) <= set(members.tolist())
    assert diagnosis.outcomes.loss[worst[0]] == diagnosis.outcomes.loss[members].max()


def test_nothing_found_says_what_would_have_been_found() -> None:
    said = Tags(cluster_list(make_diagnosis(n_clusters=0))).text
    assert "No confirmed group" in said
    assert "that are always wrong would usually be found (33 of 40 planted)" in said
    assert said.count("% wrong") >= 2
    assert "What else" not in said


def test_the_picture_of_what_would_be_found_can_be_read_cell_by_cell() -> None:
    for n_clusters in (0, 2):
        cells = [a for a in Page(cluster_list(make_diagnosis(n_clusters=n_clusters))).named("td") if "data-said" in a]
        assert len(cells) == 12
        assert all(a["tabindex"] == "-1" and a["data-said"] == a["aria-label"] for a in cells)


def test_where_nothing_was_tested_chance_is_not_spoken_of() -> None:
    found = make_diagnosis(n_clusters=0)
    untested = replace(found.estimate, predictability=replace(found.estimate.predictability, p=None))
    said = Tags(cluster_list(replace(found, estimate=untested))).text
    assert "too few independent rows to test anything" in said
    assert "Errors are scattered" not in said


def test_what_is_confirmed_without_a_cluster_stands_open_above_advice_and_is_not_called_nothing() -> None:
    page = Page(cluster_list(confirmed_without_clusters()))
    for wrong in ("No confirmed group", "Errors are scattered", "Check that ids match"):
        assert wrong not in page.text
    assert "No group is confirmed, but 1 class, 1 confused pair and 1 condition or phrase are." in page.text
    places = [
        page.text.index(said)
        for said in ("Confirmed outside groups 1", "weather = fog", "Detection limits", "What to try next")
    ]
    assert places == sorted(places)
    assert page.text.count("Confirmed outside groups 1") == 1
    (fold,) = [a for a in page.named("details") if "alone" in (a.get("class") or "")]
    assert "open" in fold


def test_nothing_confirmed_at_all_keeps_the_advice_about_ids() -> None:
    said = Tags(cluster_list(make_diagnosis(n_clusters=0))).text
    assert "Check that ids match" in said
    assert "beyond what is confirmed" not in said
    assert "Errors are scattered" in said


def test_beside_clusters_what_stands_alone_is_folded() -> None:
    found = make_diagnosis()
    alone = replace(found.insights[0], cluster=None, retrieval=None)
    page = Page(cluster_list(replace(found, insights=(*found.insights, alone))))
    (fold,) = [a for a in page.named("details") if "alone" in (a.get("class") or "")]
    assert "open" not in fold
    assert "beyond what is confirmed" not in page.text
