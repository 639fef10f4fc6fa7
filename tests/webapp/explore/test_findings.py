"""What describes a cluster or a selection, in words and by conditions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.data.images.properties import PROPERTIES
from core.records import Column, Diagnosis, Estimate
from tests.support.diagnoses import make_diagnosis
from tests.support.showcase import add_words
from webapp.explore.detail import Selection, selection_pane
from webapp.explore.findings import meaning_of, phrases_of_rows, shown_findings


@pytest.fixture(scope="module")
def worded() -> Diagnosis:
    return add_words(make_diagnosis(240))


def test_words_stand_among_conditions_and_a_phrase_that_was_not_confirmed_is_last_and_greyed(worded: Diagnosis) -> None:
    own = tuple(i for i in worded.insights if i.cluster == 0)
    shown, folded = shown_findings(worded, own[::-1])
    marks = [(row.subject, row.verdict) for row, _ in shown]
    assert sorted(marks[:2]) == [('Images like "in the dark"', "confirmed"), ("Images with weather = fog", "confirmed")]
    assert (marks[2:], folded) == ([('Images like "in fog"', "not tested")], [])
    said = selection_pane(worded, Selection(np.arange(9), own))
    assert said.count('<span class="mark">not tested</span>') == 1
    assert "at night" in said


def test_what_has_nothing_to_say_is_left_out(worded: Diagnosis) -> None:
    assert shown_findings(worded, ()) == ([], [])
    assert "Nothing tested describes" in selection_pane(worded, Selection(np.arange(9), ()))


def test_a_measured_property_is_explained_with_its_unit_and_a_column_of_the_user_is_not(worded: Diagnosis) -> None:
    one = next(i for i in worded.insights if i.kind == "condition")
    for column, said in (
        (Column("file size", "number", np.arange(240.0), True), "File size: kilobytes"),
        (  # of a row that is a crop
            Column("megapixels of the image", "number", np.arange(240.0), True),
            f"Megapixels of the image: {PROPERTIES['megapixels']}",
        ),
        (Column("noise", "number", np.arange(240.0)), ""),
    ):
        samples = replace(worded.samples, metadata=(column,))
        assert meaning_of(replace(worded, samples=samples), replace(one, columns=(column.name,))) == said


def test_a_finding_of_the_error_rate_shows_that_difference_and_no_interval_of_the_loss(worded: Diagnosis) -> None:
    one = next(i for i in worded.insights if i.kind == "condition")
    of_loss = replace(one, measure="mean loss", effect=Estimate(0.59, 0.1, 2.8))
    of_errors = replace(
        one, measure="error rate", effect=Estimate(0.59, -1.3, 2.8), error_difference=Estimate(0.4, 0.1, 0.7)
    )
    shown, _ = shown_findings(worded, [of_loss, of_errors])
    effects = [row.details[0] for row, _ in shown]
    assert effects == ["+40 points (+10 to +70)", "+0.59 nats (0.10 to 2.80)"]


def test_a_fifth_finding_stands_open_and_more_are_folded(worded: Diagnosis) -> None:
    one = next(i for i in worded.insights if i.kind == "condition")
    assert [len(part) for part in shown_findings(worded, [one] * 5)] == [5, 0]
    assert [len(part) for part in shown_findings(worded, [one] * 7)] == [4, 3]
    assert "<summary>3 more</summary>" in selection_pane(worded, Selection(np.arange(9), (one,) * 7))


def test_a_selection_is_described_in_words_without_a_p(worded: Diagnosis) -> None:
    dark = np.flatnonzero(np.arange(240) % 4 == 0)
    found = phrases_of_rows(worded, dark)
    assert 'like "in the dark"' in [row.subject for _, row in found]
    assert {row.verdict for _, row in found} == {"not tested"}
    assert "not tested" in selection_pane(worded, Selection(dark, (), described=found))
    large = add_words(make_diagnosis(4800, with_images=False))
    many = phrases_of_rows(large, np.flatnonzero(np.arange(4800) % 4 == 0))
    assert 'like "in the dark"' in [row.subject for _, row in many]
    assert phrases_of_rows(worded, dark[:1]) == ()
    assert phrases_of_rows(make_diagnosis(), np.arange(9)) == ()


def test_what_of_many_samples_was_looked_at_is_said(worded: Diagnosis) -> None:
    rows = np.arange(0, len(worded.samples), 4)
    assert not any("searched on" in row.text for _, row in phrases_of_rows(worded, rows))
    many = add_words(make_diagnosis(2400, with_images=False))
    found = phrases_of_rows(many, np.arange(0, 2400, 4))
    assert found
    assert all("of the folds, searched on 1,500 samples." in row.text for _, row in found)
