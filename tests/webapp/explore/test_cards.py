"""The list of clusters, or what stands in its place."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.discovery.called import scope_rows
from core.numbers import percent
from core.records import Estimate, FailureCluster
from core.reports.wording.findings import cluster_title
from core.statistics.counts import wrong_members
from tests.support.diagnoses import confirmed_without_clusters, make_diagnosis
from tests.support.page import Page
from tests.webapp.markup.test_html import Tags
from webapp.explore.cards import CARD_IMAGES, cluster_list


def test_cards_stand_in_rank_order_with_images_that_are_wrong_and_central() -> None:
    diagnosis = make_diagnosis()
    errors = diagnosis.outcomes.errors
    assert errors is not None
    clusters = list[FailureCluster]()
    for cluster in diagnosis.clusters:
        others = scope_rows(diagnosis, cluster.scope) & (cluster.membership < 0.5)
        clusters.append(replace(cluster, error_outside=float(errors[others].mean())))
    diagnosis = replace(diagnosis, clusters=tuple(clusters))
    markup = cluster_list(diagnosis)
    places = [markup.index(cluster_title(diagnosis, c)) for c in diagnosis.clusters]
    assert places == sorted(places)
    first, second = markup.split('class="card"')[1:3]
    for cluster, card in zip(diagnosis.clusters, (first, second)):
        shown = wrong_members(diagnosis, cluster, CARD_IMAGES)
        assert card.split("</button>")[0].count('class="shot"') == len(shown)
        members = cluster.membership >= 0.5
        n_wrong = int(errors[members].sum())
        assert errors[shown].sum() == min(n_wrong, CARD_IMAGES)
        assert f"<b>{n_wrong} of {members.sum()}</b> wrong" in card
        others = errors[scope_rows(diagnosis, cluster.scope) & ~members]
        assert f": {others.sum()} of {len(others)}</span>" in card
        for rate in (errors[members].mean(), others.mean()):
            assert f"</span>{percent(float(rate))}</span>" in card


def test_wrong_members_come_by_membership_and_right_ones_only_where_too_few_are_wrong() -> None:
    diagnosis = make_diagnosis()
    n = len(diagnosis.samples)
    errors = np.zeros(n, bool)
    errors[[1, 3]] = True
    membership = np.zeros(n)
    membership[[1, 2, 3, 4]] = (0.6, 0.9, 0.8, 0.7)
    diagnosis = replace(diagnosis, outcomes=replace(diagnosis.outcomes, errors=errors))
    cluster = replace(diagnosis.clusters[0], membership=membership, size=4)
    assert wrong_members(diagnosis, cluster, 3).tolist() == [3, 1, 2]
    losses = replace(diagnosis.outcomes, errors=None, loss=np.where(errors, 9.0, 0.1))
    assert wrong_members(replace(diagnosis, outcomes=losses), cluster, 3).tolist() == [3, 1, 2]


def test_the_rate_to_expect_stands_beside_a_count_that_is_far_from_it() -> None:
    diagnosis = make_diagnosis()
    cluster = diagnosis.clusters[0]
    assert cluster.error_rate is not None
    members = cluster.membership >= 0.5
    assert diagnosis.outcomes.errors is not None
    counted = float(diagnosis.outcomes.errors[members].mean())
    for value, stands in ((counted - 0.03, False), (counted - 0.2, True)):
        rate = Estimate(value, value - 0.1, value + 0.1)
        shown = cluster_list(replace(diagnosis, clusters=(replace(cluster, error_rate=rate),)))
        assert (f"About {percent(value)} on new data" in shown) == stands


def test_a_run_without_errors_leads_with_its_loss() -> None:
    diagnosis = make_diagnosis(with_errors=False)
    card = Page(cluster_list(diagnosis).split('class="card"')[1].split("</button>")[0]).text
    assert f"mean {diagnosis.outcomes.name}" in card
    assert "wrong" not in card


def test_nothing_found_says_what_would_have_been_found() -> None:
    said = Tags(cluster_list(make_diagnosis(n_clusters=0))).text
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
    assert "Errors are scattered" not in said


def test_what_is_confirmed_without_a_cluster_stands_open_above_advice_and_is_not_called_nothing() -> None:
    page = Page(cluster_list(confirmed_without_clusters()))
    for wrong in ("Errors are scattered", "Check that ids match"):
        assert wrong not in page.text
    places = [
        page.text.index(said)
        for said in ("What goes with errors 1", "weather = fog", "What to try next", "Detection limits")
    ]
    assert places == sorted(places)
    assert page.text.count("What goes with errors 1") == 1
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
