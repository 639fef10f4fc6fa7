"""Tags below the questions: the callbacks and the markup of a list that was tested."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import InvalidInput
from core.records import Diagnosis
from core.store import save
from core.systems.label_descriptions.tagging import TagReport, tag_samples
from core.systems.label_descriptions.tags import read_tags
from tests.support.diagnoses import make_diagnosis
from tests.support.showcase import PlainEncoder
from tests.support.words import made_prediction
from tests.webapp.callbacks import last, press
from tests.webapp.markup.test_html import Tags
from webapp.ask.kept import MAX_CHARACTERS, KeptState, Made, on_show
from webapp.state.runs import RUNS
from webapp.state.session import Session, selected_rows
from webapp.systems.label_descriptions.panel import (
    EXAMPLES,
    FILES,
    PART,
    checked_names,
    intro,
    make_tags,
    on_pick,
    on_strongest,
)
from webapp.systems.label_descriptions.view import MAX_IMAGES, carriers, tagged_view, tags_view

pytestmark = pytest.mark.usefixtures("plain")


NAMES = "in the dark, fog, grass"


def silent(*_: Any) -> None:
    """A progress that nobody sees."""


@pytest.fixture(scope="module")
def report(worded: Diagnosis) -> TagReport:
    tower: Any = PlainEncoder()
    return tag_samples(worded, read_tags(NAMES, "image"), n_permutations=300, encoder=tower)


def test_a_plain_sentence_stands_first_and_each_tag_has_its_line(report: TagReport) -> None:
    said = tags_view(report, 1)
    assert said.index("in the dark") < said.index("<table")
    assert "times as often as their classes explain" in said
    assert said.count('data-do="tag"') == 3
    assert said.count(">confirmed<") == sum(report.is_confirmed(tag) for tag in report.tags) >= 1
    assert said.count(">not confirmed<") == 3 - said.count(">confirmed<")
    assert said.count('class="at wording"') == 3 * 14 + 3  # and the key's
    assert "lists were tested" not in said
    assert "held-back" not in said
    assert "also checked on 320 held-out samples" in tags_view(report, 1, made_prediction())


def test_a_p_stands_beside_the_difference_of_the_measure_that_it_is_of(report: TagReport) -> None:
    first = report.tags[0]
    for measure, beside in (("mean loss", r"mean loss [+−]\S+ \("), ("error rate", r"error rate [+−]\S+ points \(")):
        said = tags_view(replace(report, tags=(replace(first, measure=measure), *report.tags[1:])), 1)
        assert re.search(rf"<td>(&lt;|<)?[^<]*<small>{beside}", said)
        assert "The verdict follows p, which tests the measure beside it" in said


def test_a_second_list_in_one_visit_is_told_to_be_a_second_test(report: TagReport) -> None:
    assert "You tested 2 lists on this run in this visit" in tags_view(report, 2)


def test_a_tag_that_could_not_be_tested_is_called_so_and_shows_no_p(report: TagReport) -> None:
    one = replace(report, tags=(replace(report.tags[0], p=None),))
    said = tags_view(one, 1)
    assert "No tag could be tested." in said
    assert ">not tested<" in said
    assert "<td>–</td>" in said


def test_a_tag_shows_its_strongest_carriers_and_every_wording(worded: Diagnosis, report: TagReport) -> None:
    rows = carriers(report, 0)
    assert report.carried[rows, 0].all()
    assert len(rows) == report.tags[0].size
    assert (np.diff(report.scores[rows, 0]) <= 0).all()
    said = tagged_view(worded, report, 0)
    shown = [int(part.split('"')[1]) for part in said.split("data-row=")[1:]]
    assert shown == rows[:MAX_IMAGES].tolist()
    assert said.count("<tr>") == 1 + 14


def test_markup_in_a_name_stays_text(worded: Diagnosis, report: TagReport) -> None:
    hostile = "<img src=x onerror=alert(1)>"
    marked = replace(report, tags=(replace(report.tags[0], name=hostile), *report.tags[1:]))
    found = Tags(tags_view(marked, 1) + tagged_view(worded, marked, 0))
    assert not {a for a in found.attributes if a.startswith("on")}
    assert "onerror=alert(1)" in found.text


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (None, "Name at least one tag"),
        ("  ", "Name at least one tag"),
        ("/etc/names.txt", "Paste the file’s text"),
        ("a, b.JSON", "Paste the file’s text"),
        ("rows.tsv", "Paste the file’s text"),
        ("a" * (MAX_CHARACTERS + 1), "more than 200,000"),
    ],
)
def test_what_names_no_tags_or_is_a_path_is_refused_before_a_place_in_line_is_taken(
    worded: Diagnosis, said: Any, message: str
) -> None:
    with pytest.raises(InvalidInput, match=message):
        next(PART.start(Session(RUNS.add(worded)), KeptState(), said))


def test_names_and_pasted_json_are_taken_as_they_are() -> None:
    for said in (NAMES, "one\ntwo", '{"a.json": ["x"]}', '{"a": ["see b.json"]}'):
        assert checked_names(f" {said} ") == said


@pytest.mark.parametrize(("said", "message"), [("a, A", "the same name"), ("{", "JSON"), ("failure-causes", "texts")])
def test_what_core_refuses_ends_the_job_in_its_one_message(worded: Diagnosis, said: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        last(PART.start(Session(RUNS.add(worded)), KeptState(), said))


def test_a_list_is_tested_shown_counted_and_written(worded: Diagnosis) -> None:
    session = Session(RUNS.add(worded))
    *_, made = last(PART.start(session, KeptState(session.run), NAMES))
    state, _, table, *files = PART.receive(session, KeptState(session.run), made)
    tagged = on_strongest(session, state)
    assert state.next_count(session.run) == 2
    assert "You tested 2 lists" in last(PART.start(session, state, NAMES))[-1].view
    assert "in the dark" in table["value"]
    assert "data-row=" in tagged["value"]
    paths = [Path(file["value"]) for file in files]
    assert [path.name for path in paths] == [name for name, _ in FILES]
    document = json.loads(paths[0].read_text("utf-8"))
    assert document["permutations"] == 5000
    with paths[1].open(encoding="utf-8") as file:
        assert [row["name"] for row in csv.DictReader(file)] == [tag["name"] for tag in document["tags"]]
    with paths[2].open(encoding="utf-8") as file:
        assert sum("in the dark" in row["tags"] for row in csv.DictReader(file)) == document["tags"][0]["size"]


def shown_state(session: Session, report: TagReport) -> KeptState:
    picks = tuple({"rows": tuple(carriers(report, i).tolist()), "title": "T"} for i in range(len(report.tags)))
    return KeptState(session.run, (Made(session.run, "", (), picks, about=report),))


def test_a_press_shows_a_tag_and_its_samples_on_the_map(worded: Diagnosis, report: TagReport) -> None:
    session = Session(RUNS.add(worded))
    state = shown_state(session, report)
    assert f"with “{report.tags[1].name}”" in on_pick(session, state, press(do="tag", place="1"))
    assert "data-row=" in on_strongest(session, state)["value"]
    assert on_strongest(session, KeptState(session.run))["value"] == ""
    tabs, shown, _, _ = on_show(session, state, press(do="show", place="0"))
    assert tabs["selected"] == "explore"
    assert sorted(selected_rows(shown, worded)) == sorted(carriers(report, 0))
    for other in (state, replace(state, run="another")):
        with pytest.raises(InvalidInput, match="belongs to another run"):
            on_pick(session, other, press(do="tag", place="7"))


def test_of_an_example_the_first_list_is_tested_at_once_and_of_a_visitors_run_nothing(
    worded: Diagnosis, tmp_path: Path
) -> None:
    save(worded, tmp_path / "tagged" / "run.errata")
    shared = Session(RUNS.offer(tmp_path / "tagged" / "run.errata"))
    text, *_, made = last(PART.start_first(shared, KeptState(shared.run)))
    assert text == EXAMPLES["image"][0][0]
    assert len(made.about.tags) == len(text.split(","))
    clips = replace(worded, samples=replace(worded.samples, modality="clip"))  # there is no first list for these
    save(clips, tmp_path / "clips" / "run.errata")
    nothing = Session(RUNS.offer(tmp_path / "clips" / "run.errata")), KeptState()
    own = Session(RUNS.add(worded)), KeptState()
    for session, state in (own, (shared, shown_state(shared, made.about)), nothing):
        assert all("__type__" in str(part) for part in last(PART.start_first(session, state)))


def test_a_run_is_offered_the_lists_that_fit_its_samples(worded: Diagnosis) -> None:
    fold, said, button, *_ = PART.reopen(Session(RUNS.add(worded)), KeptState("another"))
    assert button["interactive"]
    assert fold["visible"]
    assert said == intro(worded)
    texts = intro(replace(worded, samples=replace(worded.samples, modality="text")))
    assert "failure-causes" in texts
    assert "failure-causes" not in said


def test_a_run_without_words_is_refused_with_what_to_do() -> None:
    run = RUNS.add(make_diagnosis())
    assert not PART.reopen(Session(run), KeptState())[0]["visible"]
    with pytest.raises(InvalidInput, match="Tags need a text encoder"):
        make_tags(Session(run), NAMES, 1, silent)
    with pytest.raises(InvalidInput, match="No run is open"):
        next(PART.start(Session(), KeptState(), NAMES))
