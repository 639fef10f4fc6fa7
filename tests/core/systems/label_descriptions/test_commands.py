"""The commands `tag` and `learn`: what they print and write, and how they fail."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from core.store import load, save
from tests.support.commands import refused, said
from tests.support.diagnoses import make_diagnosis
from tests.support.documented import described_keys
from tests.support.tiny_language_models import DESCRIPTIONS, write_llama, write_roberta

FAST = ("--permutations", "300")


def test_tags_are_printed_with_their_share_lift_p_and_wordings(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = said(capsys, "tag", str(run), "--names", "in the dark, on grass", *FAST).splitlines()
    assert lines[0].startswith("Failures carry “in the dark” ")
    assert re.search(r"; adjusted p .*\. \d+ of 14 other wordings agree\.$", lines[0])
    assert lines[1].startswith("Errata tagged 120 images with 2 tags; ")
    assert re.search(
        r"in the dark: .* of failures, .* of the others. Lift .*; adjusted p .*In 14 other wordings: lift", lines[2]
    )
    assert "Note: Each p is adjusted over this list of tags" in "\n".join(lines)
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
    told = described_keys(repository, "`python -m core tag RUN")
    assert {*document, *document["tags"][0], *document["tags"][0]["wordings"][0]} <= told


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--names", "failure-causes"), "are causes for texts, but the samples are images"),
        (("--names", "a, a"), "Two tags have the same name"),
        (("--names", "a", "--out", "x.txt"), "--out must end in .csv, .parquet or .json"),
        (("--names", "a", "--samples", "x.txt"), "--samples must end in"),
        (("--names", "a", "--patterns", "it is"), "patterns: File 'it is' not found"),
    ],
)
def test_what_cannot_be_tagged_is_refused(
    run: Path, capsys: pytest.CaptureFixture[str], more: tuple[str, ...], message: str
) -> None:
    assert message in refused(capsys, "tag", str(run), *more)


def test_a_run_without_words_says_the_way_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save(make_diagnosis(), tmp_path / "plain.errata")
    assert "Diagnose again with --images or --texts" in refused(
        capsys, "tag", str(tmp_path / "plain.errata"), "--names", "a"
    )


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A tiny masked model, a tiny causal one, and labeled texts with descriptions of their classes."""
    folder = tmp_path_factory.mktemp("learn")
    rows = [(text, name) for name, own in zip(("bad", "good"), DESCRIPTIONS, strict=True) for text in own] * 5
    pd.DataFrame([(f"{text} {i}", name) for i, (text, name) in enumerate(rows)], columns=["review", "kind"]).to_csv(
        folder / "texts.csv", index=False
    )
    (folder / "said.json").write_text(json.dumps(dict(zip(("bad", "good"), DESCRIPTIONS, strict=True))), "utf-8")
    made = {"masked": str(write_roberta(folder / "masked")), "causal": str(write_llama(folder / "causal"))}
    return made | {"table": str(folder / "texts.csv"), "descriptions": str(folder / "said.json")}


def learning(labelled: dict[str, str], kind: str = "masked", *more: str) -> list[str]:
    given = ("--descriptions", labelled["descriptions"], "--table", labelled["table"], "--texts", "review")
    asked = ("--words", "bad: awful; good: great", "--patterns", "It was <mask>\nOpinion: <mask>")
    fast = "--label kind --lr 0.003 --batch 7 --steps 140".split()
    return ["learn", labelled[kind], *given, *asked, *fast, *more]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["masked", "causal"])
def test_a_model_learns_descriptions_and_says_what_that_brought(
    labelled: dict[str, str], kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, answers = tmp_path / "found.json", tmp_path / "answers.csv"
    told = said(capsys, *learning(labelled, kind, "--out", str(out), "--answers", str(answers)))
    assert f"{kind} ({kind}) is right on " in told
    assert "of 35 texts after 7 descriptions" in told
    assert "After, by pattern: SD " in told
    document = json.loads(out.read_text("utf-8"))
    assert len(document["runs"]) == 2
    assert document["classes"][0]["word"] == "awful"
    table = pd.read_csv(answers)
    assert list(table) == ["id", "text", "label", "prediction", "prob_bad", "prob_good"]
    assert (table["prob_bad"] + table["prob_good"]).to_numpy() == pytest.approx(1)


def test_every_key_that_learn_writes_is_described(
    labelled: dict[str, str], capsys: pytest.CaptureFixture[str], repository: Path
) -> None:
    document = json.loads(said(capsys, *learning(labelled, "masked", "--json", "--steps", "7")))
    told = described_keys(repository, "`python -m core learn MODEL")
    assert {*document, *document["runs"][0], *document["classes"][0], *document["spread"]["after"]} <= told


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--words", "bad: horrendous; good: great"), "must be one token: it is"),
        (("--words", "worse: awful"), "words, line 1: got"),
        (("--lr", "2"), "lr must be"),
        (("--out", "x.csv"), "--out must end in .json"),
        (("--patterns", "no mask"), "File 'no mask' not found"),
        (("--freeze", "most"), "freeze must be one of half, none, layers"),
    ],
)
def test_what_cannot_be_learned_is_refused_with_one_message(
    labelled: dict[str, str], capsys: pytest.CaptureFixture[str], more: tuple[str, ...], message: str
) -> None:
    told = refused_last(capsys, *learning(labelled, "masked", *more))
    assert message in told


def refused_last(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The last line on stderr: a model's bar may stand above it."""
    from core.cli.main import main

    assert main(list(arguments)) == 2
    return capsys.readouterr().err.strip().splitlines()[-1]
