"""Captions below the visual words: what a visitor sees of the described clusters, and what is refused."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import InvalidInput
from core.records import Diagnosis
from core.systems.vl_t5.describe import MAX_LENGTH
from tests.webapp.callbacks import last, press
from tests.webapp.markup.test_html import Tags
from webapp.ask.kept import MAX_CHARACTERS, MAX_SAVED_RUNS, KeptState, Made, on_show
from webapp.state.runs import RUNS
from webapp.state.session import Session
from webapp.systems.vl_t5.captions import FILES, MAX_CAPTIONS, PART, checked_captions, intro, on_file

pytestmark = pytest.mark.usefixtures("plain")


LIST = "a dark street\na field of grass\na red thing\na view from above"


def described(session: Session, text: str = LIST, state: Any = None) -> Made:
    return last(PART.start(session, state or KeptState(session.run), text, None))[-1]


def test_a_sentence_comes_first_then_each_cluster_with_quotations_and_words(
    worded: Diagnosis, session: Session
) -> None:
    made = described(session)
    document = json.loads(made.files[0].read_text("utf-8"))
    assert [path.name for path in made.files] == [name for name, _ in FILES]
    assert made.view.index("<h3") < made.view.index("<h4")
    assert made.view.count("<section") == len(worded.clusters) == len(document["clusters"])
    passed = [sum(word["confirmed"] for word in one["words"]) for one in document["clusters"]]
    assert sum(n > 0 for n in passed) >= 1
    assert f"set {sum(n > 0 for n in passed)} of {len(passed)} groups apart" in made.view
    assert made.view.count(">passes<") == sum(passed)
    assert "<q>a dark street</q>" in made.view
    assert "even where none fits" in made.view
    rows = list(csv.DictReader(made.files[1].read_text("utf-8").splitlines()))
    assert len(rows) == sum(len(one["words"]) for one in document["clusters"])
    assert len(list(csv.DictReader(made.files[2].read_text("utf-8").splitlines()))) == len(worded.samples)


def test_where_no_word_passes_all_stays_a_suggestion(session: Session) -> None:
    everywhere = described(session, "zebra\nthe zebra")
    assert "No word could be tested" in everywhere.view
    assert "no word is in enough captions" in everywhere.view.lower()
    assert ">passes<" not in everywhere.view


def test_hostile_captions_and_classes_stay_text(session: Session) -> None:
    made = described(session, "dark <img src=x onerror=alert(1)>\n<script>alert(2)</script>\na view")
    assert "alert(1)" in made.view
    assert "onerror" not in Tags(made.view).attributes
    assert "<script" not in made.view


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", r"holds 0 different captions; 2 to 2,000 are needed"),
        ("one", r"holds 1 different caption; 2 to 2,000"),
        ("\n".join(map(str, range(MAX_CAPTIONS + 1))), r"holds 2,001 different captions; 2 to 2,000"),
        ("a\nb\n" + "x" * (MAX_LENGTH + 1), r"line 3: 301 characters, at most 300 allowed"),
        ("a\nhalf \ud83d", r"line 2: character 6 is not valid UTF-8"),
        ("x\n" * MAX_CHARACTERS, r"400,000 characters, more than 200,000"),
    ],
)
def test_what_cannot_be_described_gets_a_message_with_the_value_and_the_limit(text: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        checked_captions(text)


def test_a_file_fills_the_field_and_is_refused_as_the_field_is(tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    path.write_text("﻿a dog\n\n a  cat\na dog\n", "utf-8")
    text, file, line = on_file(str(path))
    assert (text, file) == ("a dog\na cat", None)
    assert "2 captions from mine.txt" in line
    path.write_bytes(b"a\nb\xff\n")
    with pytest.raises(InvalidInput, match="not UTF-8"):
        on_file(str(path))
    path.write_text("only\n", "utf-8")
    with pytest.raises(InvalidInput, match=r"mine\.txt holds 1 different caption"):
        on_file(str(path))


def test_a_run_without_words_or_clusters_says_so_and_cannot_be_described(worded: Diagnosis) -> None:
    bare, none = replace(worded, words=None), replace(worded, clusters=())
    assert "Captions need an encoder for text" in intro(bare)
    assert "No group to describe" in intro(none)
    assert "A caption is a suggestion" in intro(worded)
    for run, usable in ((bare, False), (none, False), (worded, True)):
        fold, _, button, *_ = PART.reopen(Session(RUNS.add(run)), KeptState())
        assert (fold["visible"], button["interactive"]) == (True, usable)
    with pytest.raises(InvalidInput, match="no encoder with a text tower"):
        described(Session(RUNS.add(bare)))


def test_captions_are_not_offered_to_a_run_of_texts(worded: Diagnosis) -> None:
    texts = replace(worded, samples=replace(worded.samples, modality="text"))
    assert not PART.reopen(Session(RUNS.add(texts)), KeptState())[0]["visible"]
    with pytest.raises(InvalidInput, match="the samples of this run are texts"):
        described(Session(RUNS.add(texts)))


def test_what_was_made_is_kept_by_run_and_lists_are_counted(worded: Diagnosis, session: Session) -> None:
    state, line, view, *files = PART.receive(session, KeptState(session.run), described(session))
    assert "Done" in line
    assert "lists were tested" not in view["value"]
    assert [Path(file["value"]).name for file in files] == [name for name, _ in FILES]
    second = described(session, "fog\nnight", state)
    assert "You tested 2 lists on this run" in second.view
    other = Session(RUNS.add(worded))
    state, line, view, *_ = PART.receive(other, state, second)
    assert "belongs to another run" in line
    assert "__type__" in str(view)
    *_, state, line, empty, _, _, _ = PART.reopen(other, state)
    downloads = PART.reopen(other, KeptState())[-3:]
    assert (state.current, line, empty) == (None, "", "")
    assert all(not one["interactive"] for one in downloads)
    _, _, _, state, _, view, *_ = PART.reopen(session, state)
    assert view["value"] == second.view
    for name in map(str, range(MAX_SAVED_RUNS)):
        state = PART.receive(session, state, replace(second, run=name))[0]
    assert state.current is None


def test_a_press_shows_the_cluster_on_the_map(worded: Diagnosis, session: Session) -> None:
    state = KeptState(session.run, (described(session),))
    tabs, shown, pane, _ = on_show(session, state, press(do="cluster", place="1"))
    assert tabs["selected"] == "explore"
    assert shown.cluster == worded.clusters[1].id
    assert "pane-title" in pane
    for other, place in ((KeptState("another", state.saved), "0"), (state, "99"), (KeptState(session.run), "0")):
        with pytest.raises(InvalidInput, match="another run"):
            on_show(session, other, press(do="cluster", place=place))


def test_only_members_are_pictured(worded: Diagnosis, session: Session) -> None:
    view, cluster = described(session).view, worded.clusters[0]
    first = view[view.index("<section") : view.index("</section>")]
    rows = [int(part.split('"')[0]) for part in first.split('data-row="')[1:]]
    assert rows
    assert np.all(cluster.membership[rows] >= 0.5)
