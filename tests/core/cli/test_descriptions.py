"""The command `tag`: what it prints and writes, and how it fails."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from core.store import load, save
from tests.support.commands import refused, said
from tests.support.diagnoses import make_diagnosis

FAST = ("--permutations", "300")


def test_tags_are_printed_with_their_share_lift_p_and_wordings(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = said(capsys, "tag", str(run), "--names", "in the dark, on grass", *FAST).splitlines()
    assert lines[0].startswith("2 tags on 120 images, of which ")
    assert "More often among the failures than chance allows: in the dark." in lines[0]
    assert re.search(
        r"in the dark: .* of the failures against .*; lift .*; adjusted p .*In 14 other wordings: lift", lines[1]
    )
    assert "Note: A p here holds for this list of tags alone" in "\n".join(lines)
    assert "300 permutations are a preview" in "\n".join(lines)


def test_the_files_hold_each_tag_and_each_sample(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, each = tmp_path / "tags.json", tmp_path / "each.csv"
    files = ("--out", str(out), "--samples", str(each))
    document = json.loads(said(capsys, "tag", str(run), "--names", "in the dark, red", "--json", *FAST, *files))
    assert json.loads(out.read_text("utf-8")) == document
    assert [tag["name"] for tag in document["tags"]] == ["in the dark", "red"]
    assert len(document["tags"][0]["wordings"]) == 14
    table, found = pd.read_csv(each), load(run)
    assert table["id"].tolist() == list(found.samples.ids)
    assert table["tags"].fillna("").str.contains("in the dark").sum() == document["tags"][0]["size"]
    said(capsys, "tag", str(run), "--names", "red", *FAST, "--out", str(tmp_path / "tags.csv"))
    assert pd.read_csv(tmp_path / "tags.csv")["name"].tolist() == ["red"]


def test_every_key_of_the_document_is_described(
    run: Path, capsys: pytest.CaptureFixture[str], repository: Path
) -> None:
    document = json.loads(said(capsys, "tag", str(run), "--names", "in the dark", "--json", *FAST))
    told = (repository / "docs" / "schema.md").read_text("utf-8").split("`python -m core tag DIR")[1].split("\n\n")[0]
    described = set(re.findall(r"`([a-z_]+)`", told))
    assert {*document, *document["tags"][0], *document["tags"][0]["wordings"][0]} <= described


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--names", "failure-causes"), "are causes of texts, and the samples are images"),
        (("--names", "a, a"), "Two tags have the same name"),
        (("--names", "a", "--out", "x.txt"), "--out must end in .csv, .parquet or .json"),
        (("--names", "a", "--samples", "x.txt"), "--samples must end in"),
        (("--names", "a", "--patterns", "it is"), "patterns: There is no file 'it is'"),
    ],
)
def test_what_cannot_be_tagged_is_refused(
    run: Path, capsys: pytest.CaptureFixture[str], more: tuple[str, ...], message: str
) -> None:
    assert message in refused(capsys, "tag", str(run), *more)


def test_a_run_without_words_says_the_way_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save(make_diagnosis(), tmp_path / "plain")
    assert "Diagnose again with --images or --texts" in refused(capsys, "tag", str(tmp_path / "plain"), "--names", "a")
