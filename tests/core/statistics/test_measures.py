"""The strongest finding stands first, and in every place that shows findings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.records import ClusterName, Diagnosis, Estimate
from core.reports.html.diagnosis import render_report
from core.reports.tables.diagnosis import insights_table, to_document
from core.reports.tables.findings import findings_table
from core.reports.terminal import text_summary
from core.statistics.measures import strongest_first
from core.store import load, save
from tests.support.diagnoses import make_diagnosis
from tests.support.page import Page
from webapp.explore.cards import cluster_list
from webapp.explore.detail import selection_pane
from webapp.explore.picked import describe_selection
from webapp.state.session import Session

ORDER = ["rate = sure", "vague dusk", "loss = large", "loss = small", "fits = well", "fits = badly"]
"""The last two are exploratory."""
EXAMPLES = Path(__file__).parents[3] / "assets/examples"


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Diagnosis:
    """A run of before on disk, whose first cluster has findings of either measure, the strongest last."""
    made, nan = make_diagnosis(), float("nan")
    one = replace(made.insights[0], retrieval=0.65, proxies=(), p=0.01)
    rates = {"measure": "error rate", "effect": Estimate(9.0, 8.0, 10.0)}
    found = (
        replace(one, text="rate = sure", error_difference=Estimate(0.3, 0.2, 0.4), **rates),
        replace(one, text="vague dusk", kind="phrase", error_difference=Estimate(0.5, 0.1, 0.9), **rates),
        replace(one, text="loss = large", measure="mean loss", effect=Estimate(3.0, nan, nan)),
        replace(one, text="loss = small", measure="mean loss", effect=Estimate(5.0, 0.1, 9.9), retrieval=0.99),
        replace(one, text="fits = well", confirmed=False, p=None, retrieval=0.95),
        replace(one, text="fits = badly", confirmed=False, p=None, effect=Estimate(99.0, 98.0, 100.0)),
    )
    clusters = tuple(replace(c, called=ClusterName("Mixed images", "none", grade="mixed")) for c in made.clusters)
    save(
        replace(made, clusters=clusters, insights=(*found[::-1], made.insights[1])),
        folder := tmp_path_factory.mktemp("run") / "run.errata",
    )
    return load(folder)


def test_what_is_confirmed_stands_by_its_least_excess_before_what_fits_well(mixed: Diagnosis) -> None:
    assert [i.text for i in strongest_first(i for i in mixed.insights if i.cluster == 0)] == ORDER


def test_tables_and_json_keep_the_order_cluster_by_cluster(mixed: Diagnosis) -> None:
    assert insights_table(mixed)["text"].tolist() == [*ORDER, "weather = fog"]
    assert [one["text"] for one in to_document(mixed)["insights"]] == [*ORDER, "weather = fog"]
    told = findings_table(mixed)
    assert told["title"][told["kind"].isin(["condition", "phrase"])].tolist() == ORDER[:4]


def test_report_and_pane_show_the_order_and_card_and_terminal_begin_with_it(mixed: Diagnosis) -> None:
    card = mixed.clusters[0]
    session, rows = Session("run", cluster=card.id), np.flatnonzero(card.membership >= 0.5)
    pane = Page(selection_pane(mixed, describe_selection(session, mixed, rows))).text
    report = Page(render_report(mixed)).text.split("Similar, but right")[0]
    for said in (pane[pane.index("Images with rate = sure") :], report[report.index("Images with rate = sure") :]):
        places = [said.index(text) for text in ORDER]
        assert places == sorted(places)
    first = Page(str(cluster_list(mixed))).text.split("of the group have")[1]
    assert first.startswith(" rate = sure.")
    assert "     100% of the group have rate = sure." in text_summary(mixed).splitlines()
