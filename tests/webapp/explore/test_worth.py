"""What the sentences on a sample are worth: nothing before it is measured, and kept afterwards."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.checks import faithfulness
from core.errors import InvalidInput
from core.records import Diagnosis, Faithfulness, Progress
from core.reports.wording.reasons import reason_sentence
from core.store import save
from tests.support.diagnoses import make_diagnosis
from tests.support.faithfulness import made_faithfulness
from tests.webapp.markup.test_html import Tags
from webapp.explore import worth
from webapp.explore.closing import on_measured
from webapp.explore.detail import Selection, selection_pane
from webapp.explore.overview import notes_section
from webapp.explore.worth import NOT_MEASURED, on_measure, opened, worth_of
from webapp.state.jobs import JOBS
from webapp.state.runs import RUNS
from webapp.state.session import Session

SAID = "(AUROC 0.70, 95% CI 0.60 to 0.80; held-out halves"


@pytest.fixture(autouse=True)
def measured(monkeypatch: pytest.MonkeyPatch) -> None:
    def measure(diagnosis: Diagnosis, *, progress: Progress) -> Faithfulness:
        progress("try the causes", 0, 2)
        return made_faithfulness()

    monkeypatch.setattr(faithfulness, "measure_faithfulness", measure)
    monkeypatch.setattr(worth, "_OF_EXAMPLES", {})


@pytest.fixture
def shipped(tmp_path: Path) -> str:
    save(make_diagnosis(), tmp_path / "shipped" / "run.errata")
    return RUNS.offer(tmp_path / "shipped" / "run.errata")


def named_row(diagnosis: Diagnosis) -> int:
    return next(row for row in range(60) if reason_sentence(diagnosis, row))


def sample_pane(diagnosis: Diagnosis, row: int) -> str:
    return selection_pane(diagnosis, Selection(np.array([row]), ()))


def test_before_it_is_measured_the_page_says_so_and_offers_it() -> None:
    diagnosis = make_diagnosis()
    pane, notes = sample_pane(diagnosis, named_row(diagnosis)), notes_section(diagnosis)
    assert NOT_MEASURED in Tags(pane).text
    assert 'data-open="worth"' in pane
    assert NOT_MEASURED in Tags(notes).text
    assert 'data-do="worth"' in notes
    assert "not measured" in Tags(notes).text


def test_a_sample_of_which_nothing_is_said_and_a_run_that_names_nothing_offer_nothing() -> None:
    diagnosis = make_diagnosis()
    silent = next(row for row in range(60) if not reason_sentence(diagnosis, row))
    assert "worth" not in sample_pane(diagnosis, silent)
    found = make_diagnosis(n_clusters=0)
    predictability = replace(found.estimate.predictability, confirmed=False)
    nothing = replace(found, classes=(), insights=(), estimate=replace(found.estimate, predictability=predictability))
    assert worth_of(nothing) == ""
    assert "What naming a cause is worth" not in notes_section(nothing)


def test_a_visitors_run_keeps_it_and_shows_it_beside_the_sentence() -> None:
    session = Session(RUNS.add(make_diagnosis()), row=named_row(make_diagnosis()))
    *steps, last = on_measure(session)
    job, status, made, cancel = steps[0]
    assert job
    assert made == ""
    assert cancel["visible"] is True
    job, status, made, cancel = last
    assert (job, made, cancel["visible"]) == ("", session.run, False)
    assert "Done" in status
    kept = RUNS.get(session.run).faithfulness
    assert kept is not None
    pane, notes = on_measured(session, made)
    assert SAID in Tags(pane).text
    assert "data-open" not in pane
    assert '<details id="worth" open>' in notes["value"]
    assert "conditions it meets" in Tags(notes["value"]).text
    assert "data-do" not in notes["value"]
    report = RUNS.file(session.run, "report.html").read_text("utf-8")
    assert "AUROC 0.70" in report


def test_an_example_shows_it_to_everybody_and_its_files_stay(shipped: str) -> None:
    before = RUNS.path(shipped).read_bytes()
    assert opened(shipped).faithfulness is None
    list(on_measure(Session(shipped)))
    assert opened(shipped).faithfulness is not None
    assert RUNS.path(shipped).read_bytes() == before


def test_another_run_that_was_opened_meanwhile_stays_as_it_is(shipped: str) -> None:
    other = Session(RUNS.add(make_diagnosis()))
    *_, (_, _, made, _) = on_measure(Session(shipped))
    assert all("value" not in skipped for skipped in on_measured(other, made))
    with pytest.raises(InvalidInput, match="No run is open"):
        list(on_measure(Session()))


def test_it_can_be_stopped_and_leaves_the_run_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(diagnosis: Diagnosis, *, progress: Progress) -> Faithfulness:
        while True:
            progress("try the causes", 0, 2)

    monkeypatch.setattr(faithfulness, "measure_faithfulness", endless)
    session = Session(RUNS.add(make_diagnosis()))
    steps = on_measure(session)
    job = next(steps)[0]
    assert JOBS.cancel(job)
    *_, (last, status, made, cancel) = steps
    assert (last, made, cancel["visible"]) == ("", "", False)
    assert "Stopped" in status
    assert RUNS.get(session.run).faithfulness is None


def test_what_was_refused_is_said_and_not_offered_again() -> None:
    found = replace(make_diagnosis(), faithfulness=Faithfulness(refused="At least 40 samples are needed."))
    text = Tags(notes := notes_section(found)).text
    assert "were not tested on held-out samples: At least 40 samples are needed." in text
    assert "not known" in text
    assert "data-do" not in notes
