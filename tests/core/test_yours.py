"""A person's own sets and marks: kept with the run, bounded, and never in the way of what was tested."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core.cli.diagnose import TABLES
from core.cli.output import write_table
from core.errors import InvalidInput
from core.records import Diagnosis
from core.reports.html.diagnosis import render_report
from core.reports.tables.diagnosis import to_document
from core.reports.tables.yours import yours_table
from core.store import load, save
from core.yours import (
    KEY,
    MAX_ENTRIES,
    MAX_NOTE,
    MAX_TITLE,
    OwnMark,
    new_set,
    with_mark,
    with_set,
    without_set,
    yours_of,
)
from tests.support.diagnoses import make_diagnosis

EVIL = "=<script>alert(7)</script>"


@pytest.fixture(scope="module")
def plain() -> Diagnosis:
    return make_diagnosis()


@pytest.fixture(scope="module")
def marked(plain: Diagnosis) -> Diagnosis:
    made = with_set(plain, new_set(plain, EVIL, np.array([5, 3, 3]), "an outline on the map", EVIL))
    words = OwnMark("cluster", 0, title=EVIL, note="seen in\nMay", dismissed="the label is wrong", pinned=True)
    made = with_mark(made, words)
    return with_mark(made, OwnMark("sample", 7, note=EVIL))


def test_they_come_back_from_the_store_as_they_were(marked: Diagnosis, tmp_path: Path) -> None:
    save(marked, tmp_path / "run.errata")
    back, before = yours_of(load(tmp_path / "run.errata")), yours_of(marked)
    assert [one.rows.tolist() for one in back.sets] == [[3, 5]]
    assert [(s.id, s.title, s.note, s.made_of, s.when) for s in back.sets] == [
        (s.id, s.title, s.note, s.made_of, s.when) for s in before.sets
    ]
    mark = back.mark_of("cluster", 0)
    assert (mark.title, mark.note, mark.dismissed, mark.pinned) == (EVIL, "seen in\nMay", "the label is wrong", True)


def told(document: dict[str, Any]) -> list[Any]:
    """Its sections without what a person says of a group."""
    for section in document["sections"]:
        for row in section["rows"]:
            row["details"] = [line for line in row["details"] if "by a person" not in line]
    return document["sections"]


def test_nothing_that_was_tested_changes(plain: Diagnosis, marked: Diagnosis) -> None:
    before, after = to_document(plain), to_document(marked)
    assert before.pop("yours") is None
    said = after.pop("yours")
    assert before | {"sections": told(before)} == after | {"sections": told(after)}
    assert said["sets"][0]["samples"] == [plain.samples.ids[3], plain.samples.ids[5]]
    assert said["marks"][0]["tested_title"] == after["clusters"][0]["title"]
    assert "Not tested" in said["sentence"]


def test_an_empty_mark_goes_and_a_set_is_replaced_and_deleted(marked: Diagnosis) -> None:
    one = yours_of(marked).sets[0]
    renamed = with_set(marked, replace(one, title="mine"))
    assert [s.title for s in yours_of(renamed).sets] == ["mine"]
    assert not yours_of(without_set(renamed, one.id)).sets
    assert [m.kind for m in yours_of(with_mark(marked, OwnMark("cluster", 0))).marks] == ["sample"]


def test_bounds_are_said(plain: Diagnosis) -> None:
    rows = np.arange(3)
    with pytest.raises(InvalidInput, match="at most 120 characters: got 121"):
        new_set(plain, "x" * (MAX_TITLE + 1), rows, "")
    with pytest.raises(InvalidInput, match="at most 2,000 characters"):
        new_set(plain, "x", rows, "", "x" * (MAX_NOTE + 1))
    with pytest.raises(InvalidInput, match="Give the set a title"):
        new_set(plain, " \n ", rows, "")
    for wrong in ([], [-1], [60]):
        with pytest.raises(InvalidInput, match="no sample of this run"):
            new_set(plain, "x", np.array(wrong, np.int64), "")
    with pytest.raises(InvalidInput, match="no cluster 9"):
        with_mark(plain, OwnMark("cluster", 9, title="x"))
    full = plain
    for i in range(MAX_ENTRIES):
        full = with_set(full, new_set(plain, f"set {i}", rows, ""))
    with pytest.raises(InvalidInput, match="at most 200 sets and marks"):
        with_mark(full, OwnMark("sample", 0, note="x"))


def test_letters_that_steer_are_shown_as_codes(plain: Diagnosis, tmp_path: Path) -> None:
    made = new_set(plain, "a\u202eb\ud800\x00\x1b[2J", np.arange(3), "", "one\r\ntwo\x1b")
    assert made.title == "a\\u202eb\\ud800\\x00\\x1b[2J"
    assert made.note == "one\ntwo\\x1b"
    save(with_set(plain, made), tmp_path / "run.errata")  # half a character could not be written


@pytest.mark.parametrize(
    "kept",
    [
        "text",
        {"sets": "text", "marks": {"kind": "cluster"}},
        {"sets": [1, {"id": "../../etc", "title": "x", "rows": "AAAA"}, {"id": "0" * 8, "title": 4, "rows": None}]},
        {"sets": [{"id": "0" * 8, "title": "x", "rows": "/w=="}, {"id": "1" * 8, "title": "x", "rows": "%%%"}]},
        {"marks": [{"kind": "cluster", "number": 99, "note": "x"}, {"kind": "sample", "number": True, "note": "x"}]},
        {"marks": [{"kind": ["cluster"], "number": 0, "note": "x"}, {"kind": "sample", "number": 1e9, "note": "x"}]},
    ],
)
def test_what_was_altered_by_hand_is_passed_over(plain: Diagnosis, kept: Any) -> None:
    altered = replace(plain, extras={KEY: kept})
    assert yours_of(altered).sets == yours_of(altered).marks == ()
    assert to_document(altered)["yours"] is None


def test_the_report_says_whose_it_is_and_escapes_it(marked: Diagnosis, plain: Diagnosis) -> None:
    page = render_report(marked)
    assert "<script" not in page
    assert "&lt;script&gt;alert(7)" in page
    assert page.count("yours, not tested") >= 3
    assert "by a person (not tested)." in page
    assert "the label is wrong" in page
    assert "<h2>Yours</h2>" not in render_report(plain)


def test_the_table_of_the_command_line_runs_no_formula(marked: Diagnosis, plain: Diagnosis, tmp_path: Path) -> None:
    assert "own" in TABLES
    write_table(yours_table(marked), tmp_path / "own.csv")
    table = pd.read_csv(tmp_path / "own.csv")
    assert table["kind"].tolist() == ["set", "cluster", "sample"]
    assert table["title"][0] == f"'{EVIL}"
    assert table["note"][2] == f"'{EVIL}"
    assert table["samples"][0].split(" | ") == [marked.samples.ids[3], marked.samples.ids[5]]
    assert list(yours_table(plain).columns) == list(yours_table(marked).columns)
