"""What a condition, the rest of a class and another cluster mean for the members of a cluster."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from core.discovery.called import scope_rows
from core.numbers import bracketed, percent
from core.records import I64, ClusterName, Diagnosis, FailureCluster
from tests.support.diagnoses import make_diagnosis
from tests.webapp.markup.test_html import Tags
from webapp.explore.cards import cluster_list
from webapp.explore.detail import CHOSEN_BY_QUESTION, NOT_TESTED, Selection, selection_pane
from webapp.explore.findings import met_by


def with_members(cluster: FailureCluster, rows: list[int], n: int, **kwargs: object) -> FailureCluster:
    return replace(cluster, membership=np.isin(np.arange(n), rows).astype(float), size=len(rows), **kwargs)  # type: ignore[arg-type]


def members_of(cluster: FailureCluster) -> I64:
    return np.flatnonzero(cluster.membership >= 0.5)


def plain(text: str) -> str:
    return text.replace("\u00a0", " ").replace("\u00a0", " ")


def cards(diagnosis: Diagnosis) -> list[str]:
    """What stands before the cards of the list, then each card; what follows them is left out."""
    return cluster_list(diagnosis).split('<details class="candidates')[0].split('class="card"')


def two_clusters(first: list[int], second: list[int], scope: str = "all samples") -> Diagnosis:
    made = make_diagnosis()
    n = len(made.samples)
    return replace(
        made,
        clusters=(with_members(made.clusters[0], first, n), with_members(made.clusters[1], second, n, scope=scope)),
    )


def test_a_condition_is_told_with_the_share_of_members_and_of_the_rest() -> None:
    diagnosis = make_diagnosis()  # every fourth of 60 meets the condition
    assert (
        plain(met_by(diagnosis, diagnosis.insights[0], np.array([0, 1, 2, 3]))) == "25% of members, 25% of the others"
    )
    assert plain(met_by(diagnosis, diagnosis.insights[0], np.arange(0, 60, 4))) == "100% of members, 0% of the others"
    within = replace(diagnosis.insights[0], scope="bus")  # rows 0, 3, ..., 57, of which 0, 12, ..., 48 meet it
    assert plain(met_by(diagnosis, within, np.array([0, 3]))) == "50% of members, 22% of the others"


def test_cards_and_panes_carry_the_share_and_mark_what_is_exploratory() -> None:
    diagnosis = make_diagnosis()
    _, confirmed, exploratory = cards(diagnosis)
    assert "100% of the group have weather = fog." in plain(confirmed)
    assert "adjusted p" in confirmed
    assert "of the group have" not in exploratory
    pane = selection_pane(
        diagnosis, Selection(members_of(diagnosis.clusters[0]), diagnosis.insights[:1], diagnosis.clusters[0])
    )
    assert "100% of members" in plain(pane)


def test_members_that_lie_in_a_cluster_ranked_before_are_counted() -> None:
    diagnosis = two_clusters([0, 4, 8, 12], [8, 12, 16])
    second = diagnosis.clusters[1]
    head, *shown = cards(diagnosis)
    assert ["also in group" in part for part in (head, *shown)] == [False, False, True]
    assert "2 of these 3 are also in group 1." in shown[1]
    assert "2 of these 3 are also in group 1." in selection_pane(diagnosis, Selection(members_of(second), (), second))
    apart = two_clusters([0, 4], [8, 12])
    assert "also in group" not in cluster_list(apart)


def test_a_cluster_of_a_class_is_compared_with_the_rest_of_its_class() -> None:
    diagnosis = two_clusters([0], [3, 6], scope="bus")
    second = diagnosis.clusters[1]
    said = " ".join(plain(Tags(selection_pane(diagnosis, Selection(members_of(second), (), second))).text).split())
    assert diagnosis.outcomes.errors is not None
    rest = diagnosis.outcomes.errors[scope_rows(diagnosis, "bus") & ~np.isin(np.arange(60), [3, 6])].mean()
    assert f"other buses {percent(float(rest))}" in said
    assert "10% of bus" in said


def test_what_a_question_chose_is_not_called_chosen_after_its_losses() -> None:
    diagnosis, rows = make_diagnosis(), np.arange(6)
    asked = selection_pane(diagnosis, Selection(rows, (), title="Looks like “fog”", scope="bus"))
    assert "other buses" in asked
    assert CHOSEN_BY_QUESTION in asked
    assert "stands in Ask" not in asked  # nothing was asked there where the words were searched for on the page
    assert NOT_TESTED not in asked
    assert NOT_TESTED in selection_pane(diagnosis, Selection(rows, ()))


def test_the_matches_of_words_are_shown_most_alike_first() -> None:
    diagnosis = make_diagnosis()
    rows = np.array([7, 2, 30, 11])
    asked = selection_pane(diagnosis, Selection(rows, (), title="Looks like “fog”"))
    panel = asked.split('id="panel-alike"')[1].split('role="tabpanel"')[0]
    assert re.findall(r'data-row="(\d+)"', panel) == ["7", "2", "30", "11"]
    assert asked.index("Best matches") < asked.index("Highest loss")
    assert "Best matches" not in selection_pane(diagnosis, Selection(rows, ()))


def test_what_is_worth_a_look_stands_apart_with_how_likely_it_is_to_be_nothing() -> None:
    made, title = make_diagnosis(), "Perhaps: trams on grass"
    candidate = replace(made.candidates[0], called=ClusterName(title, "phrase", (), "perhaps", 0.5))
    diagnosis = replace(made, candidates=(candidate,))
    clusters, _, looks = cluster_list(diagnosis).partition("Hints that may be noise")
    assert title not in clusters
    assert title in looks
    assert looks.count("A guess: right for about 50 of 100 real groups titled this way.") == 1
    assert "70% likely to be noise" in looks
    assert "adjusted" not in looks  # no p
    assert looks.split("</article>")[0].count("<img") == 6
    assert "Hints" not in cluster_list(replace(diagnosis, candidates=()))
    untested = replace(diagnosis.candidates[0], chance=None, local_fdr=None)  # of a run of before, or too few groups
    assert "1 hint, not tested." in cluster_list(replace(diagnosis, candidates=(untested,)))


def test_candidates_have_intervals_all_or_none() -> None:
    diagnosis = make_diagnosis()
    one = diagnosis.candidates[0]
    other = replace(one, excess_loss=replace(one.excess_loss, low=float("nan"), high=float("nan")))
    interval = bracketed(one.excess_loss)[1:]
    assert interval
    mixed = replace(diagnosis, candidates=(one, other))
    alone, with_other = (selection_pane(d, Selection(members_of(one), (), one)) for d in (diagnosis, mixed))
    assert interval in alone
    assert interval not in with_other
