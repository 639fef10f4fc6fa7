"""The commands of probes: options from settings, what is printed and written, and how they fail."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest

from core.cli.main import main
from core.cli.probe import probe, with_result
from core.embeddings.projection import pca_map
from core.errors import InvalidInput
from core.language.vocabulary import read_vocabulary
from core.options import settings_of
from core.probes import PROBES
from core.probes.base import Needs, ProbeInput, Scored
from core.records import Diagnosis, Embeddings
from core.store import load, save
from tests.support.diagnoses import draw_picture, make_diagnosis
from tests.support.probes import made_probe
from tests.support.words import AxisEncoder, with_words
from tests.test_layering import HEAVY, loaded_by


@dataclass(frozen=True, slots=True)
class Guess:
    """Says the class that the image's first letter of the id and the settings say; learns from shots if asked."""

    title: ClassVar[str] = "Guess"
    what: ClassVar[str] = "A probe for tests."
    source: ClassVar[str] = "Nobody 2026"

    shots: int = field(default=0, metadata={"help": "labelled images a class", "low": 0, "high": 10})
    way: str = field(default="first", metadata={"help": "what to say", "choices": ("first", "turn")})
    loud: bool = field(default=True, metadata={"help": "be sure, 100 % of the time"})
    scale: float | None = field(default=None, metadata={"help": "how sure"})
    pooled: bool = False

    def needs(self) -> Needs:
        return Needs(shots=self.shots, pool=self.pooled)

    def estimate(self, n: int, k: int, folds: int) -> float:
        return 75.0

    def run(self, part: ProbeInput) -> Scored:
        m, k = len(part.test), len(part.class_names)
        said = np.zeros(m, np.int64) if self.way == "first" else np.arange(m) % k
        logits = np.random.default_rng(part.seed).normal(0, 0.1, (m, k))
        logits[np.arange(m), said] += 3.0 if self.loud else 0.5
        return Scored(
            logits, controls={"zero-shot": np.zeros((1, m), np.int64)}, support=part.shots, notes=("guessed",)
        )


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stored run with words, the encoder that speaks them, and the probe "zero-shot" replaced by a guess."""
    save(with_words(), tmp_path / "run")
    for module in (
        "core.language.phrases",
        "core.encoders",
    ):  # the first is imported before the second is changed, so that it does not keep the fake
        monkeypatch.setattr(f"{module}.load_encoder", lambda name, **options: AxisEncoder())
    monkeypatch.setitem(PROBES, "zero-shot", f"{__name__}:Guess")
    return tmp_path / "run"


@pytest.fixture
def plain_map(monkeypatch: pytest.MonkeyPatch) -> None:
    """The map as a PCA view: compiling UMAP takes longer than all else."""
    monkeypatch.setattr("core.discovery.method.umap_map", lambda embeddings, **_: pca_map(embeddings))


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(list(arguments)) == 0
    return capsys.readouterr().out


def refused(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 2) -> str:
    assert main(list(arguments)) == code
    told = capsys.readouterr()
    assert told.err.startswith("errata: ")
    assert told.err.count("\n") == 1
    return told.err


def test_a_probe_is_run_printed_stored_exported_and_reported(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = said(capsys, "probe", "zero-shot", str(run), "--way", "turn")
    assert out.startswith("zero-shot is right on ")
    assert "  Control, zero-shot: right on " in out
    assert "your model" in out
    assert "By failure cluster" in out
    assert "  Note: guessed" in out
    found = load(run)
    assert [p.name for p in found.probes] == ["zero-shot"]
    assert found.probes[0].settings["way"] == "turn"
    document = json.loads((run / "diagnosis.json").read_text("utf-8"))
    assert document["probes"][0]["settings"]["way"] == "turn"
    assert "Would another model fail here too?" in (run / "report.html").read_text("utf-8")
    assert len(pd.read_parquet(run / "probes.parquet")) == len(found.samples)
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
    kept = load(run).probes[0]
    assert (
        kept.name,
        kept.settings["shots"],
        kept.settings["loud"],
        kept.settings["scale"],
        kept.settings["seed"],
    ) == ("zero-shot, 2 shots", 2, False, 0.5, 7)
    assert kept.support is not None


def test_a_result_of_the_same_name_is_replaced_and_that_is_said(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said(capsys, "probe", "zero-shot", str(run))
    assert main(["probe", "zero-shot", str(run), "--way", "turn"]) == 0
    assert "The earlier result 'zero-shot' was replaced" in capsys.readouterr().err
    said(capsys, "probe", "zero-shot", str(run), "--name", "another")
    assert [(p.name, p.settings["way"]) for p in load(run).probes] == [("zero-shot", "turn"), ("another", "first")]


def test_json_is_all_that_is_printed_on_request(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = json.loads(said(capsys, "probe", "zero-shot", str(run), "--json"))
    assert document["n"] == 120
    assert document["comparison"]["a"] == "model"


def test_long_work_is_announced(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["probe", "zero-shot", str(run)]) == 0
    assert "about 1:15 of computing" in capsys.readouterr().err


def test_a_split_column_and_a_draw_say_who_teaches(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parted = with_words()
    splits = np.array(["train" if i % 4 else "test" for i in range(120)], dtype=object)
    save(replace(parted, samples=replace(parted.samples, splits=splits)), run)
    out = said(capsys, "probe", "zero-shot", str(run), "--split", "column", "--shots", "1")
    assert "of 30 images" in out
    said(
        capsys,
        "probe",
        "zero-shot",
        str(run),
        "--shots",
        "1",
        "--save-draw",
        str(tmp_path / "draws" / "d.json"),
        "--name",
        "first",
    )
    said(
        capsys,
        "probe",
        "zero-shot",
        str(run),
        "--shots",
        "1",
        "--split",
        str(tmp_path / "draws" / "d.json"),
        "--name",
        "again",
        "--seed",
        "9",
    )
    first, again = load(run).probes[-2:]
    assert first.support is not None
    assert again.support is not None
    assert sorted(first.support.ids) == sorted(again.support.ids)


@pytest.mark.slow
@pytest.mark.usefixtures("plain_map")
def test_the_probes_own_failures_become_a_run_of_their_own(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "own"
    out = said(capsys, "probe", "zero-shot", str(run), "--way", "turn", "--diagnose", str(own), "--permutations", "300")
    assert "The probe's own failures:" in out
    found = load(own)
    assert found.extras["probe"] == "zero-shot"
    np.testing.assert_array_equal(found.outcomes.loss, load(run).probes[0].outcomes.loss)
    assert (own / "report.html").is_file()
    assert "itself the probe 'zero-shot'" in refused_twice(capsys, own)
    said(capsys, "probe", "zero-shot", str(own), "--name", "other")
    beside = said(capsys, "compare", str(own), "model", "other")
    assert beside.startswith("On the same 120 images zero-shot is right on 100")
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
        replace(
            diagnosis, probes=(made_probe(diagnosis, name="a"), made_probe(diagnosis, name="b", right=0.3, seed=5))
        ),
        run,
    )
    out = tmp_path / "new" / f"c.{kind}"
    told = said(capsys, "compare", str(run), "a", "b", "--out", str(out))
    assert told.startswith("On the same 117 images a is right on ")
    assert told.endswith(f"Written: {out}\n")
    if kind == "html":
        assert "<h1>a beside b</h1>" in out.read_text("utf-8")
    elif kind == "json":
        assert json.loads(out.read_text("utf-8"))["b"] == "b"
    else:
        table = pd.read_csv(out) if kind == "csv" else pd.read_parquet(out)
        assert table["kind"].tolist() == ["all"] + ["cluster"] * len(diagnosis.clusters) + ["class"] * 3
    assert said(capsys, "compare", str(run)).startswith("On the same 117 images your model is right on ")


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


def test_help_of_all_probes_loads_nothing_heavy(repository: Path) -> None:
    for arguments in (["probe", "--help"], ["probes", "--help"], ["compare", "--help"], ["reproduce", "--help"]):
        code = f"from core.cli.main import main\ntry:\n    main({arguments!r})\nexcept SystemExit:\n    pass"
        assert loaded_by(code, repository).isdisjoint((*HEAVY, "numpy")), arguments


def test_a_package_that_a_probe_needs_is_named_with_exit_code_3(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def gone(name: str) -> Any:
        raise ModuleNotFoundError("No module named 'torch'", name="torch")

    monkeypatch.setattr("core.registry.import_module", gone)
    assert "needs torch" in refused(capsys, "probe", "coop", str(run), code=3)
    assert "not here: The probe coop needs torch" in said(capsys, "probes")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["probe", "zero-shot"], "nothing to probe"),
        (["probe", "zero-shot", "absent"], "no finished run"),
        (["probe", "zero-shot", "absent", "--shots", "many"], "shots must be a whole number"),
        (["probe", "zero-shot", "absent", "--shots", "11"], "shots must be 0 to 10"),
        (["probe", "zero-shot", "absent", "--way", "last"], "way must be one of first, turn"),
        (["probe", "zero-shot", "absent", "--name", "model"], "cannot be called 'model'"),
        (["probe", "zero-shot", "absent", "--seed", "-1"], "seed must be at least 0"),
        (["probe", "zero-shot", "RUN", "--table", "t.csv"], "--table beside it"),
        (["probe", "zero-shot", "RUN", "--split-column", "part"], "--split-column beside it"),
        (["probe", "zero-shot", "RUN", "--pool", "p.zip"], "no use for --pool"),
        (["probe", "zero-shot", "RUN", "--split", "parts.csv"], '"column" or a JSON file'),
        (["probe", "zero-shot", "RUN", "--split", "absent.json"], "absent.json cannot be read"),
        (["probe", "zero-shot", "RUN", "--save-draw", "d.json"], "learns from none"),
        (["probe", "zero-shot", "--table", "t.csv"], "Add --out"),
        (["probe", "zero-shot", "--table", "t.csv", "--out", "o", "--diagnose", "d"], "Leave --diagnose out"),
        (["probe", "zero-shot", "--table", "absent.csv", "--out", "o"], "absent.csv"),
        (["compare", "RUN", "model", "nobody"], "no result called 'nobody'"),
        (["compare", "RUN"], "No probe was run"),
        (["compare", "RUN", "--out", "x.png"], "must end in"),
    ],
)
def test_bad_input_exits_with_2_and_one_line(
    run: Path,
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    before = (run / "state.json").read_bytes()
    assert message in refused(capsys, *[str(run) if a == "RUN" else a for a in arguments])
    assert (run / "state.json").read_bytes() == before


@pytest.mark.parametrize(
    "arguments",
    [["probe", "nonsense", "run"], ["probe"], ["probe", "zero-shot", "run", "--nonsense", "1"], ["reproduce", "x"]],
)
def test_a_malformed_command_exits_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert capsys.readouterr().err.startswith("Usage:")


def test_a_run_without_words_or_labels_says_the_way_out(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(make_diagnosis(), tmp_path / "plain")
    assert "Diagnose again with --images and without --no-words" in refused(
        capsys, "probe", "zero-shot", str(tmp_path / "plain")
    )
    spoken = with_words()
    save(replace(spoken, samples=replace(spoken.samples, labels=None)), tmp_path / "blind")
    assert "a table with a label column" in refused(capsys, "probe", "zero-shot", str(tmp_path / "blind"))
    assert spoken.words is not None
    joint = Embeddings(spoken.words.joint.vectors, "older", "older-space")
    save(replace(spoken, words=replace(spoken.words, joint=joint)), tmp_path / "older")
    assert main(["probe", "zero-shot", str(tmp_path / "older")]) == 2
    assert "Use one encoder" in capsys.readouterr().err


def test_a_result_takes_the_place_of_its_namesake_alone() -> None:
    run = make_diagnosis()
    first, second = made_probe(run, name="a"), made_probe(run, name="b")
    once, replaced = with_result(replace(run, probes=(first, second)), made_probe(run, name="a", seed=3))
    assert replaced
    assert [p.name for p in once.probes] == ["b", "a"]
    own: Diagnosis = replace(run, extras={"probe": "a"})
    with pytest.raises(InvalidInput, match="itself the probe 'a'"):
        with_result(own, first)


def make_folders(top: Path, classes: Sequence[str], n: int) -> None:
    for c, name in enumerate(classes):
        (top / name).mkdir(parents=True)
        for i in range(n):
            (top / name / f"{i}.png").write_bytes(draw_picture(100 * c + i, size=24))


@pytest.mark.slow
@pytest.mark.usefixtures("plain_map")
def test_class_folders_alone_become_a_run_whose_model_is_the_probe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shipped = read_vocabulary()
    monkeypatch.setattr(
        "core.language.phrases.read_vocabulary", lambda path: replace(shipped, phrases=shipped.phrases[:12])
    )  # for speed
    make_folders(tmp_path / "set", ("bus", "car"), 30)
    out = said(
        capsys,
        "probe",
        "zero-shot",
        "--images",
        str(tmp_path / "set"),
        "--out",
        str(tmp_path / "run"),
        "--permutations",
        "300",
    )
    assert "zero-shot is right on " in out
    assert "The probe's own failures:" in out
    found = load(tmp_path / "run")
    assert found.samples.class_names == ("bus", "car")
    assert found.outcomes.name == "cross-entropy"
    assert any(note.startswith("The model of this run is the probe 'zero-shot'") for note in found.notes)
    out = said(capsys, "probe", "linear-probe", str(tmp_path / "run"), "--shots", "2")
    assert "On the same 60 images zero-shot is right on" in out


@pytest.mark.slow
def test_the_shipped_example_takes_a_probe(
    repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(repository / "assets" / "examples" / "scenes", tmp_path / "scenes")
    run = tmp_path / "scenes" / "run"
    document = json.loads(said(capsys, "probe", "zero-shot", str(run), "--json"))
    everything, *others = document["comparison"]["scopes"]
    assert (
        everything["n"]
        == everything["fixed"] + everything["broken"] + everything["both"] + everything["neither"]
        == 960
    )
    assert sum(scope["n"] for scope in others if scope["kind"] == "class") == 960
    assert document["accuracy"]["value"] == pytest.approx((everything["fixed"] + everything["neither"]) / 960)
    assert document["accuracy"]["value"] > 0.25  # chance is 1 in 8
    assert len(load(run).probes) == 1
