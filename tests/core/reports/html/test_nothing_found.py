"""What the report says where no cluster was found."""

from __future__ import annotations

from core.reports.html.diagnosis import render_report
from tests.support.diagnoses import confirmed_without_clusters, make_diagnosis
from tests.support.page import Page


def test_nothing_found_is_said_with_the_smallest_pattern_that_would_be_found() -> None:
    text = Page(render_report(make_diagnosis(n_clusters=0))).text
    assert "No failure cluster was confirmed" in text
    assert "that always fails would be found 8 to 9 times in 10 (33 of 40 planted were found" in text
    assert "Failure clusters" not in text


def test_what_is_confirmed_without_a_cluster_is_not_called_nothing() -> None:
    text = Page(render_report(confirmed_without_clusters())).text
    told = (
        "No cluster was found beyond what is confirmed: 1 class (“Whole classes”), 1 confused pair (“Whole classes”) "
        "and 1 condition or phrase (“Outside any one cluster”). What else would have been found: A pattern "
    )
    assert told in text
    assert all(text.count(place) == n for place, n in (("Whole classes", 3), ("Outside any one cluster", 2)))
    assert "“nothing”" not in text
    nothing = Page(render_report(make_diagnosis(n_clusters=0))).text
    assert "What “nothing” means here." in nothing
    assert "beyond what is confirmed" not in nothing
