"""The commands of probes: options from settings, what is printed and written, and how they fail."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.cli.main import main
from core.errors import InvalidInput, MissingDependency
from core.language.vocabulary import read_vocabulary
from core.options import settings_of
from core.records import Diagnosis
from core.store import load, save
from core.systems.probes import PROBES
from core.systems.probes.commands import probe
from core.systems.probes.records import results_of, with_result, with_results
from tests.support.commands import make_folders, refused, report_of, results_of as written_of, said
from tests.support.diagnoses import make_diagnosis
from tests.support.probes import made_probe
from tests.support.words import with_words
from tests.test_layering import HEAVY, loaded_by


def test_a_probe_is_run_printed_stored_exported_and_reported(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = said(capsys, "probe", "zero-shot", str(run), "--way", "turn")
    assert out.startswith("zero-shot is right on ")
    assert "  Control, zero-shot: right on " in out
    assert "your model" in out
    assert "Note: guessed" in out
    found = load(run)
    assert [p.name for p in results_of(found)] == ["zero-shot"]
    assert results_of(found)[0].settings["way"] == "turn"
    written = written_of(run)
    document = json.loads((written / "diagnosis.json").read_text("utf-8"))
    assert document["probes"][0]["settings"]["way"] == "turn"
    assert "Would another model fail here too?" in report_of(run)
    assert len(pd.read_parquet(written / "probes.parquet")) == len(found.samples)
    table = pd.read_json(said_to_file(tmp_path, run, "comparison"))
    assert table["kind"].iloc[0] == "all"
    assert len(pd.read_json(said_to_file(tmp_path, run, "probes"))) == len(found.samples)


def said_to_file(tmp_path: Path, run: Path, what: str) -> Path:
    out = tmp_path / f"{what}.json"
    assert main(["export", str(run), "--what", what, "--format", "json", "--out", str(out)]) == 0
    return out


def test_options_may_come_before_the_folder_and_flags_can_be_turned_off(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said(capsys, "probe", "zero-shot", "--shots", "2", "--no-loud", "--scale", "0.5", str(run), "--seed", "7")
    kept = results_of(load(run))[0]
    assert kept.name == "zero-shot, 2 shots"
    assert [kept.settings[name] for name in ("shots", "loud", "scale", "seed")] == [2, False, 0.5, 7]
    assert kept.support is not None


def test_a_result_of_the_same_name_is_replaced_and_that_is_said(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said(capsys, "probe", "zero-shot", str(run))
    assert main(["probe", "zero-shot", str(run), "--way", "turn"]) == 0
    told = capsys.readouterr().err
    assert "Replaced the earlier result 'zero-shot'" in told
    assert "about 1:15 of CPU time" in told
    said(capsys, "probe", "zero-shot", str(run), "--name", "another")
    assert [(p.name, p.settings["way"]) for p in results_of(load(run))] == [("zero-shot", "turn"), ("another", "first")]


def test_a_split_column_and_a_draw_say_who_teaches(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parted = with_words()
    splits = np.array(["train" if i % 4 else "test" for i in range(120)], dtype=object)
    save(replace(parted, samples=replace(parted.samples, splits=splits)), run)
    out = said(capsys, "probe", "zero-shot", str(run), "--split", "column", "--shots", "1")
    assert "of 30 images" in out
    asked, draw = ("probe", "zero-shot", str(run), "--shots", "1"), str(tmp_path / "draws" / "d.json")
    said(capsys, *asked, "--save-draw", draw, "--name", "first")
    said(capsys, *asked, "--split", draw, "--name", "again", "--seed", "9")
    first, again = results_of(load(run))[-2:]
    assert first.support is not None
    assert again.support is not None
    assert sorted(first.support.ids) == sorted(again.support.ids)


@pytest.mark.slow
@pytest.mark.usefixtures("plain_map")
def test_the_probes_own_failures_become_a_run_of_their_own(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "own.errata"
    out = said(capsys, "probe", "zero-shot", str(run), "--way", "turn", "--diagnose", str(own), "--permutations", "300")
    assert "The probe's own failures:" in out
    found = load(own)
    assert found.extras["probe"] == "zero-shot"
    np.testing.assert_array_equal(found.outcomes.loss, results_of(load(run))[0].outcomes.loss)
    assert "itself the probe 'zero-shot'" in refused_twice(capsys, own)
    said(capsys, "probe", "zero-shot", str(own), "--name", "other")
    beside = said(capsys, "compare", str(own), "model", "other")
    assert beside.startswith("other beside zero-shot\nother fixed 0 and broke 80 of 120 images: ")
    assert "your model" not in beside


def refused_twice(capsys: pytest.CaptureFixture[str], own: Path) -> str:
    assert main(["probe", "zero-shot", str(own)]) == 2
    return capsys.readouterr().err


@pytest.mark.parametrize("kind", ["csv", "parquet", "json", "html"])
def test_a_comparison_is_printed_and_written(
    run: Path, tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    diagnosis = load(run)
    save(
        with_results(diagnosis, (made_probe(diagnosis, name="a"), made_probe(diagnosis, name="b", right=0.3, seed=5))),
        run,
    )
    out = tmp_path / "new" / f"c.{kind}"
    told = said(capsys, "compare", str(run), "a", "b", "--out", str(out))
    assert told.startswith("b beside a\nb fixed ")
    assert told.endswith(f"Written: {out}\n")
    if kind == "html":
        assert "<h1>b beside a</h1>" in out.read_text("utf-8")
    elif kind == "json":
        assert json.loads(out.read_text("utf-8"))["b"] == "b"
    else:
        table = pd.read_csv(out) if kind == "csv" else pd.read_parquet(out)
        assert table["kind"].tolist() == ["all"] + ["cluster"] * len(diagnosis.clusters) + ["class"] * 3
    assert said(capsys, "compare", str(run)).startswith("b beside your model\nb fixed ")


def test_the_list_names_every_probe_with_its_settings(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = said(capsys, "probes")
    assert [line for line in out.splitlines() if not line.startswith(" ")] == list(PROBES)
    assert "Guess. A probe for tests." in out
    assert "--way: what to say; one of first, turn (default first)" in out


def test_every_probe_can_be_asked_for_its_settings(capsys: pytest.CaptureFixture[str]) -> None:
    for name in PROBES:
        out = said(capsys, "probe", name, "--help")
        assert probe.make_context("probe", [name, "x"]).params["settings"] == {}  # nothing that was not given
        for setting in settings_of(PROBES.load(name)):
            assert f"-{setting.name.replace('_', '-')}" in out


def test_missing_weights_exit_with_3(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(name: str, **options: object) -> object:
        raise MissingDependency(f"The weights of {name} are not here.")

    monkeypatch.setattr("core.encoders.load_encoder", fail)
    monkeypatch.setattr("core.language.phrases.load_encoder", fail)
    make_folders(tmp_path / "set", ("bus", "car"), 30)
    out = str(tmp_path / "run.errata")
    asked = ["zero-shot", "--images", str(tmp_path / "set"), "--encoder", "ViT-B-32/openai", "--out", out]
    assert "ViT-B-32/openai are not here" in refused(capsys, "probe", *asked, code=3)


def test_help_of_all_probes_loads_nothing_heavy(repository: Path) -> None:
    for arguments in (["probe", "--help"], ["probes", "--help"], ["compare", "--help"]):
        code = f"from core.cli.main import main\ntry:\n    main({arguments!r})\nexcept SystemExit:\n    pass"
        assert loaded_by(code, repository).isdisjoint((*HEAVY, "numpy")), arguments


def test_a_result_takes_the_place_of_its_namesake_alone() -> None:
    run = make_diagnosis()
    first, second = made_probe(run, name="a"), made_probe(run, name="b")
    once, replaced = with_result(with_results(run, (first, second)), made_probe(run, name="a", seed=3))
    assert replaced
    assert [p.name for p in results_of(once)] == ["b", "a"]
    own: Diagnosis = replace(run, extras={"probe": "a"})
    with pytest.raises(InvalidInput, match="itself the probe 'a'"):
        with_result(own, first)


@pytest.mark.slow
@pytest.mark.usefixtures("plain_map")
def test_class_folders_alone_become_a_run_whose_model_is_the_probe(
    tmp_path: Path, few_phrases: None, capsys: pytest.CaptureFixture[str]
) -> None:
    make_folders(tmp_path / "set", ("bus", "car"), 30)
    given = ("--images", str(tmp_path / "set"), "--out", str(tmp_path / "run.errata"), "--permutations", "300")
    out = said(capsys, "probe", "zero-shot", *given)
    assert "zero-shot is right on " in out
    assert "The probe's own failures:" in out
    found = load(tmp_path / "run.errata")
    assert found.samples.class_names == ("bus", "car")
    assert found.outcomes.name == "cross-entropy"
    assert any(note.startswith("The model of this run is the probe 'zero-shot'") for note in found.notes)
    out = said(capsys, "probe", "linear-probe", str(tmp_path / "run.errata"), "--shots", "2")
    assert "of 60 images: " in out[out.index("linear-probe, 2 shots beside zero-shot") :]


def test_texts_alone_become_a_run_and_take_probes_but_no_pool_and_no_learned_prompts(
    tmp_path: Path, plain_map: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shipped = read_vocabulary(None, "text")
    monkeypatch.setattr(
        "core.language.phrases.read_vocabulary", lambda path, modality: replace(shipped, phrases=shipped.phrases[:6])
    )  # for speed
    said_of = {"food": ("soup", "bread", "cheese", "rice"), "travel": ("train", "boat", "plane", "road")}
    rows = [
        (f"The {word} was number {i}.", kind) for kind, words in said_of.items() for i in range(8) for word in words
    ]
    pd.DataFrame(rows, columns=["note", "kind"]).to_csv(tmp_path / "notes.csv", index=False)
    run = str(tmp_path / "run.errata")
    given = ("--table", str(tmp_path / "notes.csv"), "--texts", "note", "--label", "kind", "--out", run)
    out = said(capsys, "probe", "label-desc", *given, "--permutations", "300")
    assert "of 64 texts" in out
    assert "one word in each pattern, mean of 14 repeats (SD " in out
    assert "of 64 texts: " in said(capsys, "probe", "zero-shot", run)
    assert "has none. Use zero-shot" in refused(capsys, "probe", "coop", run)
    assert "--pool takes images" in refused(capsys, "probe", "sus-x", run, "--pool", str(tmp_path))


@pytest.mark.slow
def test_the_shipped_example_takes_a_probe(
    repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(repository / "assets" / "examples" / "scenes", tmp_path / "scenes")
    run = tmp_path / "scenes" / "run.errata"
    document = json.loads(said(capsys, "probe", "zero-shot", str(run), "--json"))
    assert (document["n"], document["comparison"]["a"]) == (960, "model")
    everything, *others = document["comparison"]["scopes"]
    assert everything["n"] == sum(everything[way] for way in ("fixed", "broken", "both", "neither")) == 960
    assert sum(scope["n"] for scope in others if scope["kind"] == "class") == 960
    assert document["accuracy"]["value"] == pytest.approx((everything["fixed"] + everything["neither"]) / 960)
    assert document["accuracy"]["value"] > 0.25  # chance is 1 in 8
    assert len(results_of(load(run))) == 1
