"""The program `research.ladder`: what is printed, written and said."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from core.errors import MissingDependency
from core.records import Estimate
from core.systems.composition.reports.tables import load_result
from core.systems.composition.training import scorers
from research.ladder.__main__ import main
from research.ladder.cola import COLA
from research.ladder.reproduce import LadderRow, SupportPool
from research.ladder.steps import LadderChoices
from tests.support.commands import make_folders


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(list(arguments)) == 0
    return capsys.readouterr().out


def refused(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 2) -> str:
    assert main(list(arguments)) == code
    return capsys.readouterr().err


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """No encoder's weights can be had."""

    def fail(name: str, **options: Any) -> Any:
        raise MissingDependency(f"The weights of {name} are not here.")

    for module in ("core.language.phrases", "research.ladder.data_sets", "core.encoders"):
        monkeypatch.setattr(f"{module}.load_encoder", fail)


@pytest.mark.usefixtures("offline")
def test_missing_weights_exit_with_3(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_folders(tmp_path / "set", ("bus", "car"), 30)
    line = f"sus-x --dataset {tmp_path / 'set'} --encoder ViT-B-32:openai --out {tmp_path / 'o'}"
    assert "ViT-B-32/openai are not here" in refused(capsys, *line.split(), code=3)


def test_a_reproduction_is_printed_with_the_published_figures_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: dict[str, Any] = {}
    rows = (
        LadderRow(
            "zero-shot",
            None,
            "all classes",
            "accuracy",
            Estimate(0.5, 0.4, 0.6),
            (0.5,),
            published=("63.70 (from memory, check)",),
            protocol="no image teaches",
            here=("other images", "other words"),
        ),
        LadderRow(
            "coop",
            4,
            "base-to-new",
            "h",
            Estimate(0.7, 0.6, 0.8),
            (0.6, 0.8),
            {"zero-shot": Estimate(0.2, 0.1, 0.3)},
            (),
            3.5,
        ),
        LadderRow("cocoop", 4, "all classes", "", None, note="skipped: no text tower"),
    )

    def climb(
        method: str, dataset: Path, encoder: str, seeds: tuple[int, ...], **options: Any
    ) -> tuple[LadderRow, ...]:
        asked.update(options, method=method, dataset=dataset, encoder=encoder, seeds=seeds)
        return rows

    monkeypatch.setattr("research.ladder.__main__.run_method", climb)
    out = tmp_path / "new"
    line = f"""all --dataset pets --encoder ViT-B-32:openai --seeds 2 --shots 4 --init "" --target cars dtd
        --pool laion.zip --per-class 100 --out {out}"""
    told = said(capsys, *shlex.split(line))
    lines = told.splitlines()
    assert lines[0].startswith("zero-shot ")
    assert lines[0].endswith("50% (40 to 60%); published: 63.70 (from memory, check)")
    assert lines[1:3] == ["    published: no image teaches.", "    here: other images; other words."]
    del lines[1:3]
    assert lines[1].startswith("coop, 4 shots, base-to-new, h")
    assert lines[1].endswith("over zero-shot +20 points (+10 to +30)")
    assert lines[2].endswith("skipped: no text tower")
    assert (asked["seeds"], asked["state"]) == ((0, 1), out / "steps.json")
    assert asked["choices"] == LadderChoices((4,), init="", per_class=100)
    assert asked["targets"] == (Path("cars"), Path("dtd"))
    assert asked["pool"] == SupportPool(Path("laion.zip"))
    table = pd.read_csv(out / "reproduced.csv")
    assert table["value_low"].tolist()[:2] == [0.4, 0.6]
    assert table["gain over zero-shot_high"].tolist()[1] == 0.3
    assert table["here"].tolist()[0] == "other images | other words"
    document = json.loads((out / "reproduced.json").read_text("utf-8"))
    assert document["rows"][2]["value"] is None
    assert (document["rows"][0]["protocol"], document["rows"][0]["here"][0]) == ("no image teaches", "other images")
    assert (document["method"], document["seeds"]) == ("all", 2)
    assert "at least 1" in refused(capsys, "coop", "--dataset", "pets", "--seeds", "0", "--out", str(out))


@pytest.mark.parametrize(
    ("method", "given", "told"),
    [
        ("sus-x", ["--pool-folders", "classes"], "say how --pool is read"),
        ("sus-x", ["--pool-names", "nowhere.json"], "say how --pool is read"),
        ("sus-x", ["--per-class", "0"], "per_class must be 1 to 1000: got 0"),
        ("sus-x", ["--target", "nowhere"], "no use for --target. Leave that out, or reproduce coop or cocoop"),
        ("coop", ["--pool", "p.zip", "--per-class", "20"], "no use for --pool and --per-class. Leave that out, or re"),
        ("few-shot", ["--init", "a photo of a"], "few-shot has no use for --init"),
        ("zero-shot", ["--images", "x", "--per-class", "9"], "--per-class and --images. Leave that out, or reproduce"),
        ("cola", ["--init", "", "--pool-folders", "none"], "cola has no use for --pool-folders and --init"),
        ("coop", ["--init", "a " * 600], "leave no room for a class name"),
        ("coop", ["--init", "\u200b"], "reads no word in"),
    ],
)
def test_a_wrong_choice_is_said_before_the_data_set_is_read(
    method: str, given: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = [method, "--dataset", "nowhere", "--out", str(tmp_path / "o"), *given]
    assert told in refused(capsys, *asked)


def test_an_empty_path_is_not_the_folder_that_the_command_is_run_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["sus-x", "--dataset", "nowhere", "--out", str(tmp_path / "o"), "--pool", ""]
    assert main(asked) == 2
    assert "The path is empty" in capsys.readouterr().err
    assert not (tmp_path / "o").exists()


# ---- Cola


def test_cola_without_pictures_file_or_weights(
    drawn: Path, pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cola = ["cola", "--encoder", "ViT-B-32:openai", "--out", str(tmp_path / "out")]
    assert "Visual Genome (and GQA), in files such as 2390970.jpg" in refused(capsys, *cola)
    assert f"Cola's file {COLA} is neither in" in refused(capsys, *cola, "--images", str(pictures))
    assert "not in 'pictures'" in refused(capsys, *cola, "--images", str(pictures), "--file", str(drawn / COLA))
    assert "Leave --dataset out" in refused(capsys, *cola, "--images", str(pictures), "--dataset", str(pictures))
    assert "The weights of ViT-B-32 openai are not on this machine" in refused(
        capsys, *cola, "--images", str(drawn), code=3
    )
    assert "Name its folder, table or split file with --dataset." in refused(
        capsys, "sus-x", "--out", str(tmp_path / "out")
    )


def test_colas_figure_is_set_beside_the_published_one(
    tiny: str, drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["cola", "--images", str(drawn / "images"), "--out", str(tmp_path / "out")]
    assert "No figure is published for this encoder" in said(capsys, *arguments, "--encoder", tiny)
    real: Any = scorers.scorer_of
    monkeypatch.setattr(scorers, "scorer_of", lambda name, **how: real(tiny))
    told = said(capsys, *arguments, "--encoder", "ViT-B-32:openai")
    right = int(load_result(tmp_path / "out").correct["image"].sum())
    assert f"{right} of 14 items are right" in told
    assert "published for CLIP ViT-B/32: 3 of 14 (21.43%; printed as 21.42 (read in the paper))" in told
    assert ("within the 2 that are allowed" in told) == (abs(right - 3) <= 2)
    document = json.loads((tmp_path / "out" / "reproduced.json").read_text("utf-8"))
    assert (document["right"], document["n"], document["missing"]) == (right, 14, 0)
