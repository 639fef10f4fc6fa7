"""Records as text and markup: figures right, and nothing of the user's able to act as markup."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
from markupsafe import escape

from core.numbers import percent
from core.records import Diagnosis, ProbeResult
from core.reports.wording.findings import cluster_title
from core.reports.wording.summary import predictability_in_brief
from tests.support.diagnoses import make_diagnosis
from webapp.explore.cards import cluster_list, lead_insight, worst_members
from webapp.explore.detail import Selection, probed, selection_pane, typical_rows
from webapp.explore.overview import class_section, notes_section, strip
from webapp.markup.html import picture, table_csv, tile


class Tags(HTMLParser):
    """The elements and attributes of a piece of markup."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data + " "


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


def test_a_clusters_detail_says_what_the_latest_probe_does_there(streets: Diagnosis, result: ProbeResult) -> None:
    cluster, wrong, mine = streets.clusters[0], result.outcomes.errors, streets.outcomes.errors
    assert wrong is not None
    assert mine is not None
    assert probed(streets, cluster) is None
    odd = replace(streets, probes=(replace(result, name="older"), replace(result, name="<b>newest</b>")))
    said = selection_pane(odd, Selection(np.flatnonzero(cluster.membership >= 0.5), (), cluster))
    inside = cluster.membership >= 0.5
    assert "<b>&lt;b&gt;newest&lt;/b&gt;</b>, the latest probe" in said
    assert "older" not in said
    assert f"wrong on {percent(float(wrong[inside].mean()))} of the {inside.sum()} members" in said
    assert (
        f"fixes {(mine & ~wrong)[inside].sum()} that your model gets wrong and breaks {(~mine & wrong)[inside].sum()}."
        in said
    )
    own = replace(odd, probes=(replace(result, name="own"),), extras={**streets.extras, "probe": "own"})
    assert probed(own, cluster) is None  # the model of that run is the probe itself
    losses = replace(odd, outcomes=replace(streets.outcomes, errors=None, predictions=None, scores=None))
    found = probed(losses, cluster)
    assert found is not None
    assert "fixes" not in found[1]


def test_the_strip_says_how_much_of_the_loss_the_embedding_predicts() -> None:
    for diagnosis in (make_diagnosis(), make_diagnosis(n_clusters=0)):
        assert f'<p class="strip-sentence">{escape(predictability_in_brief(diagnosis))}</p>' in strip(diagnosis)


def test_hostile_names_stay_text_everywhere() -> None:
    diagnosis = make_diagnosis(hostile=True)
    found = Tags(everything(diagnosis))
    assert not found.names & {"script", "iframe", "object", "style", "link"}
    assert not {a for a in found.attributes if a.startswith("on")}
    assert "<script>alert(1)</script>.png" in found.text
    assert "weather = <b>fog</b>" in found.text


def test_cards_stand_in_rank_order_with_their_lead_condition_and_worst_pictures() -> None:
    diagnosis = make_diagnosis()
    markup = cluster_list(diagnosis)
    places = [markup.index(cluster_title(diagnosis, c)) for c in diagnosis.clusters]
    assert places == sorted(places)
    assert markup.count('class="card"') == 2
    lead = lead_insight(diagnosis.insights, 0)
    assert lead is not None
    assert lead.confirmed
    worst = worst_members(diagnosis, diagnosis.clusters[0], 4)
    members = np.flatnonzero(diagnosis.clusters[0].membership >= 0.5)
    assert set(worst) <= set(members.tolist())
    assert diagnosis.outcomes.loss[worst[0]] == diagnosis.outcomes.loss[members].max()


def test_nothing_found_says_what_would_have_been_found() -> None:
    said = Tags(cluster_list(make_diagnosis(n_clusters=0))).text
    assert "No failure cluster" in said
    assert "+0.70 nats" in said
    assert "often missed" in said


def test_a_lasso_is_called_exploratory_and_carries_no_p() -> None:
    diagnosis = make_diagnosis()
    said = Tags(selection_pane(diagnosis, Selection(np.arange(10), ()))).text
    assert "Exploratory" in said
    assert "Adjusted p" not in said
    assert "10" in said


def test_a_run_without_pictures_labels_or_errors_still_has_its_pages() -> None:
    diagnosis = make_diagnosis(with_images=False, with_errors=False)
    said = Tags(everything(diagnosis)).text
    assert "street/0000.png" in said
    assert "Error rate" not in Tags(strip(diagnosis)).text


def test_typical_members_run_from_the_highest_membership_down(diagnosis: Diagnosis) -> None:
    cluster = diagnosis.clusters[0]
    rows = typical_rows(diagnosis, Selection(np.flatnonzero(cluster.membership >= 0.5), (), cluster))
    assert (np.diff(cluster.membership[rows]) <= 0).all()


def test_a_picture_travels_inside_the_page(diagnosis: Diagnosis) -> None:
    assert picture(diagnosis, 0).startswith("data:image/webp;base64,")
    assert picture(make_diagnosis(with_images=False), 0) == ""


def test_a_wrong_prediction_stands_on_a_line_of_its_own_and_whole() -> None:
    diagnosis = make_diagnosis()
    labels, predictions = diagnosis.samples.labels, diagnosis.outcomes.predictions
    assert labels is not None
    assert predictions is not None
    row = int(np.flatnonzero(labels != predictions)[0])
    names = diagnosis.samples.class_names
    shown = tile(diagnosis, row)
    assert f'<span class="tile-line">→ {names[predictions[row]]}</span>' in shown
    assert f"<span>{names[labels[row]]}</span>" in shown
    assert "tile-line" not in tile(diagnosis, int(np.flatnonzero(labels == predictions)[0]))


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


def test_the_spreadsheet_starts_no_formula() -> None:
    diagnosis = make_diagnosis(hostile=True)
    rows = list(csv.reader(io.StringIO(table_csv(diagnosis).decode("utf-8"))))
    assert len(rows) == 61
    assert rows[2][0] == "'=HYPERLINK(1).png"
    assert float(rows[3][1]) == diagnosis.outcomes.loss[2]
