"""A cluster of two kinds lists each part with its own figures, the same in words and in JSON."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.discovery.cluster_parts import cluster_parts
from core.records import Diagnosis, Insight
from core.reports.html.diagnosis import render_report
from core.reports.tables.diagnosis import to_document
from core.reports.terminal import text_summary
from core.reports.wording.cluster_parts import part_sentences
from core.reports.wording.findings import how_sure
from tests.support.diagnoses import make_diagnosis
from tests.support.page import Page
from tests.support.words import in_two_parts, with_words
from webapp.explore.cards import cluster_list
from webapp.explore.detail import Selection, selection_pane


@pytest.fixture
def two() -> Diagnosis:
    return in_two_parts(with_words())


def saying(two: Diagnosis, text: str, **changed: object) -> Insight:
    """A confirmed phrase of the cluster's scope."""
    own = next(i for i in two.insights if i.text == "in the rain")
    return replace(own, **{"text": text, "scope": two.clusters[0].scope, "p": 0.002, **changed})  # type: ignore[arg-type]


def test_each_part_has_the_size_and_the_error_rate_of_its_own_rows(two: Diagnosis) -> None:
    cluster, errors = two.clusters[0], two.outcomes.errors
    assert errors is not None
    large, small = cluster_parts(two, cluster)
    assert large.size + small.size == cluster.size
    assert large.size > small.size
    for found in (large, small):
        assert found.size == len(found.part.rows)
        assert found.error_rate == errors[found.part.rows].mean()
        assert found.mean_loss == two.outcomes.loss[found.part.rows].mean()
    assert not cluster_parts(two, two.clusters[1])


def test_a_part_says_what_was_confirmed_of_its_words_in_the_scope_and_nothing_else(two: Diagnosis) -> None:
    cluster = two.clusters[0]
    others = (
        saying(two, "at night", scope="bus"),
        saying(two, "at night", confirmed=False, p=None),
        saying(two, "on grass"),
    )
    assert [p.confirmed for p in cluster_parts(replace(two, insights=others), cluster)] == [None, None]
    weak, strong = saying(two, "at night", p=0.04), saying(two, "at night")
    large, small = cluster_parts(replace(two, insights=(*others, weak, strong)), cluster)
    assert (large.confirmed, small.confirmed) == (None, strong)


def test_a_confirmed_condition_says_what_its_end_of_a_property_is_called(two: Diagnosis) -> None:
    cluster = two.clusters[0]
    assert cluster.called is not None
    first, second = cluster.called.parts
    darker = replace(cluster, called=replace(cluster.called, parts=(replace(first, words=("dark",)), second)))
    dark = saying(two, "brightness at most 0.31", kind="condition", tests=(("brightness", "<=", 0.31),))
    bright = replace(dark, text="brightness at least 0.31", tests=(("brightness", ">=", 0.31),))
    said = [[p.confirmed for p in cluster_parts(replace(two, insights=(i,)), darker)] for i in (dark, bright)]
    assert said == [[dark, None], [None, None]]


def test_a_line_says_rate_and_p_or_the_mean_loss_where_errors_are_unknown(two: Diagnosis) -> None:
    first, second = part_sentences(two, two.clusters[0])
    assert first == ("Images with weather: fog: 10 samples, 100% wrong; weather = fog is confirmed, adjusted p = 0.002")
    assert second == "At night: 5 samples, 100% wrong"
    losses = in_two_parts(with_words(make_diagnosis(120, with_errors=False)))
    mean = losses.outcomes.loss[cluster_parts(losses, losses.clusters[0])[0].part.rows].mean()
    assert f"10 samples, mean loss {mean:.2f} nats" in part_sentences(losses, losses.clusters[0])[0]


def test_command_line_report_page_and_json_have_the_same_parts(two: Diagnosis) -> None:
    cluster = two.clusters[0]
    pane = selection_pane(two, Selection(np.flatnonzero(cluster.membership >= 0.5), (), cluster))
    shown = [Page(made).text for made in (render_report(two), cluster_list(two), pane)]
    for text in (text_summary(two), *shown):
        assert [line in text for line in part_sentences(two, cluster)] == [True, True]
    for text in shown:
        assert text.count(how_sure(two, cluster)) == 1
    told, none = to_document(two)["clusters"]
    assert [(p["title"], p["size"], p["error_rate"]) for p in told["parts"]] == [
        (p.part.title, p.size, p.error_rate) for p in cluster_parts(two, cluster)
    ]
    assert [p["confirmed"] for p in told["parts"]] == [{"text": "weather = fog", "kind": "condition", "p": 0.002}, None]
    assert [len(p["ids"]) for p in told["parts"]] == [p["size"] for p in told["parts"]]
    assert none["parts"] == []
