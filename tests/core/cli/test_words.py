"""The commands that speak words: what they print, what they write, and how they fail."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core.checks.audit_table import audit_table
from core.cli.main import main
from core.files import ASSETS
from core.language.vocabulary import read_vocabulary
from core.records import Diagnosis
from core.reports.wording.findings import cluster_title
from core.store import load, save
from tests.support.commands import refused, report_of, results_of, said
from tests.support.diagnoses import make_diagnosis
from tests.support.stored import member
from tests.support.words import AxisEncoder, made_prediction, with_words


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stored run that can be asked, and the encoder that speaks its words."""
    save(with_words(), tmp_path / "run.errata")
    monkeypatch.setattr("core.encoders.load_encoder", lambda name, **options: AxisEncoder())
    return tmp_path / "run.errata"


def test_what_ask_and_audit_print(
    run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, golden: Callable[..., None]
) -> None:
    found = with_words()
    assert found.words is not None
    save(replace(found, words=replace(found.words, line=1e9)), run.parent / "alike.errata")
    asked = {
        "A question, with its best matches": (run, "in the dark"),
        "Every match, on request": (run, "in the dark", "--images"),
        "The first compared with each further one": (run, "in the dark", "red", "blurred"),
        "Of several a bare class is refused alone": (run, "in the dark", "a bus"),
        "Nothing is like them: no matches": (run.parent / "alike.errata", "an elephant", "red"),
        "A text that begins with a dash": (run, "-dark"),
    }
    scenes = {title: said(capsys, "ask", *map(str, words)) for title, words in asked.items()}
    for width in ("100", "40"):
        monkeypatch.setenv("COLUMNS", width)
        scenes[f"The audit, {width} columns wide"] = said(capsys, "audit", str(run), "--most", "3")
    golden("ask_and_audit.txt", scenes)


def test_the_number_shown_can_be_set(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain, seven = (
        json.loads(said(capsys, "ask", str(run), "in the dark", "--json", *more))["questions"][0]
        for more in ((), ("--top", "7"))
    )
    assert (seven["support"], seven["p"]) == (7, plain["p"])
    assert seven["matches"] == plain["matches"]
    assert plain["support"] == round(plain["expected"])
    assert main(["ask", str(run), "in the dark", "--top", "0"]) == 2


def test_the_p_of_each_question_counts_the_others(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = json.loads(said(capsys, "ask", str(run), "red", "--json"))["questions"][0]
    three = json.loads(said(capsys, "ask", str(run), "red", "blurred", "on grass", "--json"))["questions"]
    assert (one["asked"], [q["asked"] for q in three]) == (1, [3, 3, 3])
    assert three[0]["p_alone"] == one["p_alone"]
    assert three[0]["p"] == pytest.approx(min(1, 3 * one["p"]))
    assert "for all 3 you asked" in three[0]["sentence"]


def test_of_texts_the_best_matches_are_read_out(capsys: pytest.CaptureFixture[str]) -> None:
    example = ASSETS / "examples" / "definitions" / "run.errata"
    lines, texts = said(capsys, "ask", str(example), "about food").splitlines(), load(example).samples.items
    assert texts is not None
    at = next(n for n, line in enumerate(lines) if line.startswith("  Best matches, and "))
    assert len(lines) == at + 6
    whole = {texts.read(row).decode() for row in range(len(texts))}
    for line in lines[at + 1 :]:
        shown = line.split(": ", 1)[1].removesuffix(" ...")
        assert any(text.startswith(shown) for text in whole)


def test_a_question_in_the_words_of_a_confirmed_condition_is_answered_from_what_was_counted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = said(capsys, "ask", str(ASSETS / "examples" / "definitions" / "run.errata"), "place, no capital letter")
    assert out.startswith("Counted from the table. Place with no capital letter: wrong on 17 of 43 (40%), 1.3% of ")


def test_a_question_that_names_a_condition_in_other_words_points_to_it(capsys: pytest.CaptureFixture[str]) -> None:
    example = str(ASSETS / "examples" / "scenes" / "run.errata")
    asked = json.loads(said(capsys, "ask", example, "a dark animal", "a bright animal", "--json"))["questions"]
    (own,) = [i for i in load(Path(example)).insights if (i.scope, i.text) == ("animal", "light = dark")]
    assert [question["condition"] and question["condition"]["text"] for question in asked] == ["light = dark", None]
    assert asked[0]["condition"]["p"] == pytest.approx(own.p)
    run = load(Path(example))
    own = next(c for c in run.clusters if c.scope == "animal")
    assert [question["cluster"] and question["cluster"]["id"] for question in asked] == [own.id, None]
    assert asked[0]["labelled"] == asked[0]["support"]
    assert asked[0]["known"]["text"] == "light = dark"
    assert asked[0]["known"]["matches"] == asked[0]["support"]
    assert "have light = dark." in asked[0]["paragraphs"][1]
    title = cluster_title(run, own)
    assert "dark" in title.lower()
    assert asked[0]["sentence"].startswith("Within animal: ")
    assert f'Group {own.id + 1}, "{title}", is confirmed: ' in asked[0]["sentence"]
    assert '"light = dark" is in the table and confirmed in animal.' in asked[0]["sentence"]
    assert " ".join(asked[0]["paragraphs"]) == asked[0]["sentence"]
    assert [paragraph.split(" ", 2)[0] for paragraph in asked[0]["paragraphs"]] == [
        "Within",
        "About",
        "Group",
        '"light',
    ]
    lines = said(capsys, "ask", example, "a dark animal", "a bright animal").splitlines()
    assert [*lines[:7:2], *lines[1:6:2]] == [*asked[0]["paragraphs"], "", "", ""]


def test_a_text_that_nothing_is_like_gets_no_matches(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = with_words()
    assert found.words is not None
    save(replace(found, words=replace(found.words, line=1e9)), run)
    told = json.loads(said(capsys, "ask", str(run), "an elephant", "--json"))["questions"][0]
    assert (told["shown"], told["support"], told["matches"], told["p"]) == (False, 0, [], None)


def test_a_question_that_repeats_is_answered_once(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    once = said(capsys, "ask", str(run), "in the dark", "red")
    assert said(capsys, "ask", str(run), "in the dark", "in  the dark ", "red", "red") == once
    assert said(capsys, "ask", str(run), "red", "red") == said(capsys, "ask", str(run), "red")


def test_answers_come_as_json(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = json.loads(said(capsys, "ask", str(run), "a bus in the rain", "red", "--json"))
    first = document["questions"][0]
    assert (first["refused"], first["untested"], first["guessed"]) == ("", "", True)
    assert first["scope"] == "bus"
    assert len(first["matches"]) == min(5, first["support"])
    assert first["sentence"].startswith(f'Within bus: {first["support"]} images match "a bus in the rain": ')
    assert [d["second"] for d in document["differences"]] == ["red"]


def test_a_text_may_begin_with_a_dash(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "ask", str(run), "--json", "--", "--dark").count('"text": "--dark"') == 1
    assert main(["ask", str(run), "--dark"]) == 2
    assert "No such option '--dark'. Put -- before a text with a dash." in capsys.readouterr().err


def test_a_class_that_the_search_left_out_is_still_the_scope_of_a_question(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = load(run)
    save(replace(before, settings={**before.settings, "within": ("car",)}), run)
    told = json.loads(said(capsys, "ask", str(run), "a bus in the rain", "in the dark", "--json"))["questions"]
    assert [one["scope"] for one in told] == ["bus", "all samples"]
    assert [one["unsearched"] for one in told] == ["", ""]


@pytest.mark.parametrize("kind", ["csv", "parquet", "json", "html"])
def test_the_audit_can_be_written(run: Path, tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new" / f"audit.{kind}"
    assert said(capsys, "audit", str(run), "--phrases", "red", "blurred", "--out", str(out)).endswith(
        f"Written: {out}\n"
    )
    if kind == "html":
        assert "default-src 'none'" in out.read_text("utf-8")
        return
    readers: dict[str, Any] = {"csv": pd.read_csv, "parquet": pd.read_parquet, "json": pd.read_json}
    table = readers[kind](out)
    assert table["phrase"].tolist() == ["red"] * 4 + ["blurred"] * 4
    np.testing.assert_allclose(
        table["observed"], [c.observed.value for c in audit_table(load(run), ["red", "blurred"])]
    )


def test_a_prediction_is_printed_kept_with_the_run_and_reported(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, Any] = {}

    def foretold(diagnosis: Diagnosis, table: Path, **options: Any) -> Diagnosis:
        asked.update(options, table=table)
        return replace(diagnosis, prediction=replace(made_prediction(), source=table.name))

    monkeypatch.setattr("core.checks.fresh.predict_fresh", foretold)
    thumbnails = member(run, "thumbnails")
    arguments = ["--fresh", "new.csv", "--images", "new.zip", "--label", "y", "--out", str(tmp_path / "p.csv")]
    assert main(["predict", str(run), *arguments]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("Frozen: ")
    assert (out + err).count("are also among the diagnosed ones") == 1  # a note
    assert "SHA-256 " in out.splitlines()[0]
    assert "Tested on 320 new samples (new.csv): 1 of 2 findings holds, 1 at the expected rate" in out
    assert asked["roles"].label == "y"
    assert asked["table"] == Path("new.csv")
    results = results_of(run)
    assert json.loads((results / "prediction.json").read_text("utf-8"))["n_fresh"] == 320
    assert json.loads((results / "diagnosis.json").read_text("utf-8"))["prediction"]["source"] == "new.csv"
    assert "<h2>New data</h2>" in report_of(run)
    table = pd.read_csv(tmp_path / "p.csv")
    assert table["as_predicted"].astype("boolean").tolist() == [True, False, pd.NA, pd.NA, False]
    assert "Trust the new data over the original p-values" in out
    assert "The findings were also checked on 320 new samples (new.csv). Trust those results more" in said(
        capsys, "ask", str(run), "in the dark"
    )
    again = load(run)
    assert again.prediction is not None
    assert again.prediction.source == "new.csv"
    assert member(run, "thumbnails") == thumbnails  # images lose nothing by being saved again


def test_the_digest_is_printed_before_the_fresh_samples_are_opened(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = run.read_bytes()
    assert main(["predict", str(run), "--fresh", "absent.csv"]) == 2
    told = capsys.readouterr()
    assert told.out.startswith("Frozen: ")
    assert "absent.csv" in told.err
    assert run.read_bytes() == state


def test_the_shipped_phrases_can_be_written_edited_and_read_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shipped = read_vocabulary()
    lines = said(capsys, "phrases").splitlines()
    assert len(lines) == len(shipped)
    for kind in ("json", "txt"):
        out = tmp_path / f"phrases.{kind}"
        assert f"{len(shipped)} phrases written" in said(capsys, "phrases", "--out", str(out))
        back = read_vocabulary(out)
        assert [(p.text, p.family) for p in back.phrases] == [(p.text, p.family) for p in shipped.phrases]


REFUSED = {
    "No run": (
        "ask absent snow",
        "audit absent",
        "predict absent --fresh t.csv",
        "assign absent --embeddings e.npy --out x.csv",
        "export absent",
    ),
    "An ending that is not written": (
        "audit absent --out x.png",
        "predict absent --fresh t.csv --out x.html",
        "phrases --out x.csv",
        "assign absent --embeddings e.npy --out x.xlsx",
    ),
    "Parquet on a terminal": ("export absent --format parquet",),
    "A run without words": ("ask plain.errata snow", "audit plain.errata"),
    "A run without a model": ("assign plain.errata --embeddings e.npy --out x.csv",),
    "No adapter, and one where there are no images": (
        "ask example.errata dinner --rerank nowhere",
        "ask example.errata dinner --rerank adapter",
    ),
    "Nothing to diagnose, a table that is not there, an option that speaks of what is left out": (
        "diagnose --out out.errata",
        "diagnose --table absent.csv --embeddings e.npy --out out.errata",
        "diagnose --table t.csv --out out.errata --no-words --naming embedded",
    ),
    "No folder to serve": ("serve --root absent",),
}


def test_what_cannot_be_used_exits_with_2_and_one_line_that_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], golden: Callable[..., None]
) -> None:
    monkeypatch.chdir(tmp_path)
    save(make_diagnosis(), tmp_path / "plain.errata")
    Path("adapter").mkdir()
    Path("adapter/adapter.json").write_text("{}")
    (tmp_path / "example.errata").symlink_to(ASSETS / "examples" / "definitions" / "run.errata")
    scenes = {title: [refused(capsys, *line.split()).rstrip() for line in lines] for title, lines in REFUSED.items()}
    golden("refusals.txt", scenes)


def test_the_word_options_of_diagnose_reach_the_diagnosis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}

    def stop(audit: Any, **options: Any) -> None:
        asked.update(options)
        raise KeyboardInterrupt

    monkeypatch.setattr("core.diagnose.diagnose_data_set", stop)
    monkeypatch.setattr("core.data.tasks.read.read_task", lambda *_: None)
    given = ["--naming", "open_clip:x", "--vocabulary", "v.txt", "--hold-back", "0.3"]
    assert main(["diagnose", "--table", "t.csv", "--out", str(tmp_path / "o.errata"), *given]) == 130
    embedding = asked["embedding"]
    assert (embedding.naming, embedding.vocabulary, asked["hold_back"]) == ("open_clip:x", Path("v.txt"), 0.3)
    assert (asked["settings"].words, asked["settings"].map) == (True, True)
    assert main(["diagnose", "--table", "t.csv", "--out", str(tmp_path / "o.errata"), "--no-words", "--no-map"]) == 130
    assert (asked["settings"].words, asked["settings"].map) == (False, False)
    assert main(["diagnose", "--table", "t.csv", "--out", str(tmp_path / "o.errata")]) == 130
    assert (asked["embedding"].naming, asked["embedding"].vocabulary, asked["hold_back"]) == (None, None, 0.0)
