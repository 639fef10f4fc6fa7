"""The strip, the classes and the notes; and no text of the user's acts as markup anywhere in Findings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from markupsafe import escape

from core.numbers import percent
from core.records import Diagnosis, Outcomes
from core.records.ledger import Ledger
from core.reports.html.diagnosis import render_report
from core.reports.tables.columns import column_of
from core.reports.terminal import text_summary
from core.reports.wording.verdict import predictability_sentence, verdict
from tests.support.diagnoses import make_diagnosis
from tests.webapp.markup.test_html import Tags
from webapp.explore.cards import cluster_list
from webapp.explore.detail import Selection, selection_pane
from webapp.explore.overview import class_section, notes_section, strip
from webapp.markup.html import sample_facts


def everything(diagnosis: Diagnosis) -> str:
    """All markup that a run can give."""
    rows = np.arange(8)
    panes = [
        selection_pane(diagnosis, Selection(np.flatnonzero(c.membership >= 0.5), diagnosis.insights, c))
        for c in diagnosis.clusters
    ]
    panes += [
        selection_pane(diagnosis, Selection(rows, diagnosis.insights)),
        selection_pane(diagnosis, Selection(rows[:1], ())),
    ]
    return "".join(
        [strip(diagnosis), class_section(diagnosis), cluster_list(diagnosis), notes_section(diagnosis), *panes]
    )


def test_the_result_stands_first_and_how_much_of_the_loss_is_explained_below_the_list() -> None:
    for diagnosis in (make_diagnosis(), make_diagnosis(n_clusters=0)):
        assert f"<h2>{escape(verdict(diagnosis))}</h2>" in strip(diagnosis)
        assert escape(predictability_sentence(diagnosis)) in cluster_list(diagnosis)


def test_hostile_names_stay_text_everywhere() -> None:
    diagnosis = make_diagnosis(hostile=True)
    found = Tags(everything(diagnosis))
    assert not found.names & {"script", "iframe", "object", "style", "link"}
    assert not {a for a in found.attributes if a.startswith("on")}
    assert "<script>alert(1)</script>.png" in found.text
    assert "weather = <b>fog</b>" in found.text


def test_a_run_without_pictures_labels_or_errors_still_has_its_pages() -> None:
    diagnosis = make_diagnosis(with_images=False, with_errors=False)
    said = Tags(everything(diagnosis)).text
    assert "street/0000.png" in said
    assert "Error rate" not in Tags(strip(diagnosis)).text


def test_a_suspected_label_shows_both_probabilities() -> None:
    diagnosis = make_diagnosis()
    scores, labels = diagnosis.outcomes.scores, diagnosis.samples.labels
    assert scores is not None
    assert labels is not None
    row, said = int(diagnosis.label_errors[0]), notes_section(diagnosis)
    other = max((float(v), k) for k, v in enumerate(scores[row]) if k != labels[row])
    for k, value in ((int(labels[row]), float(scores[row, labels[row]])), (other[1], other[0])):
        assert f'<span class="tile-line">{diagnosis.samples.class_names[k]} {percent(value)}</span>' in said
    assert "<details open" not in said


def test_of_a_table_of_losses_alone_nothing_is_called_loss_twice() -> None:
    made = make_diagnosis()
    plain = replace(made, outcomes=Outcomes(made.outcomes.loss, "loss", "loss", "column 'loss'"))
    shown = column_of(plain, "loss")
    assert shown is not None
    assert shown.title == "loss"
    assert "loss, loss" not in strip(plain)
    assert sample_facts(plain, 0)[0].count("loss") == 1


def test_a_table_that_was_taken_as_it_is_says_so_above_its_findings() -> None:
    ledger = Ledger(3, as_is=True)
    ledger.doubt("Two columns do not fit.")
    plain = make_diagnosis()
    taken = replace(plain, notes=(*plain.notes, *ledger.notes))
    for shown in (strip, render_report, text_summary):
        assert "do not fit" not in shown(plain).split("<h2")[0]
        assert "Taken as it is, though it looks like a mistake: Two columns do not fit." in shown(taken).split("<h2")[0]
    assert text_summary(taken).startswith("Taken as it is")
