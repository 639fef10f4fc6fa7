"""Adapters trained on the command line: what is checked, saved, resumed and refused."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from core.cli.main import main
from core.cli.terminal import TerminalProgress
from core.options import settings_of
from core.systems.composition.adapters import ADAPTERS
from core.systems.composition.commands import adapt as commands_compose_train
from core.systems.composition.reports.tables import load_result
from core.systems.composition.training.adapted import load_adapted
from core.systems.composition.training.forgetting_file import read_check
from core.systems.composition.training.loop import Training
from research.ladder.cola import COLA
from research.scenes.write_benchmark import MULTI
from tests.support.commands import refused, said

pytestmark = pytest.mark.usefixtures("few_searched")


def asked(*arguments: str) -> dict[str, Any]:
    """What `compose adapt` is called with."""
    return commands_compose_train.adapt.make_context("adapt", list(arguments)).params


@pytest.mark.parametrize("name", ["linear", "mm-adapter"])
def test_an_adapters_settings_and_those_of_its_training_are_options(name: str) -> None:
    for chosen in (["--adapter", name], [f"--adapter={name}"]):
        given = asked(*chosen, "--out", "o", "--epochs", "3", "--lr", "-1")
        assert (given["settings"], given["training"]) == ({}, {"epochs": "3", "lr": "-1"})
    for setting in settings_of(Training):
        option = f"--{setting.name.replace('_', '-')}"
        assert asked("--adapter", name, "--out", "o", option, "1")["training"] == {setting.name: "1"}


def test_adapters_are_listed_with_their_numbers_of_parameters(tiny: str, capsys: pytest.CaptureFixture[str]) -> None:
    told = said(capsys, "compose", "adapters", "--encoder", tiny)
    assert [line for line in told.splitlines() if line and not line.startswith(" ")] == list(ADAPTERS)
    assert "    546 parameters on " in told  # linear: two layers of 16 x 16 + 16, a scale and an offset
    assert "--layers: Transformer layers on each side; 1 to 4 (default 1)" in told


@pytest.mark.slow
def test_an_adapter_is_trained_checked_saved_and_tested_on_the_rest(
    tiny: str, drawn: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "adapter"
    arguments = f"compose adapt {drawn / MULTI} --adapter linear --encoder {tiny} --epochs 1 --batch 2".split()
    words = "".join(f"{i}.png,train,A dog by fence {i} .\n" for i in range(20))
    (tmp_path / "captions.csv").write_text(f"image,split,caption\n{words}1.png,dev,A cat .\n")
    for i in range(20):
        Image.new("RGB", (32, 32), (12 * i, 255 - 12 * i, 40)).save(tmp_path / f"{i}.png")
    everyday = ("--everyday", str(tmp_path / "captions.csv"), "--everyday-n", "16")
    told = said(capsys, *arguments, "--share", "0.6", *everyday, "--out", str(folder))
    assert re.search(
        r"learned from \d+ items and was stopped by \d+ others of .*, and 8 everyday pairs of captions", told
    )
    assert "<- kept" in told
    assert "What it cost" in told
    assert "Zero-shot, 40 images" in told
    assert "On the held-out items" in told
    record = load_adapted(folder).record
    assert record.n_training + record.n_validation == 8 + 8
    assert record.rerank in [row.weight for row in record.weighed]
    assert not (folder / "training").exists()
    found = read_check(folder)
    document = json.loads((folder / "check.json").read_text("utf-8"))
    assert found.sentence == document["sentence"]
    assert len(found.rows) == len(document["rows"]) == 5
    tested = load_result(folder / "test")
    assert len(tested.ids) == 6
    assert "20 images of the shipped scenes" in (folder / "test" / "report.html").read_text("utf-8")
    run = ["compose", "run", str(drawn / MULTI), "--encoder", tiny]
    told = said(capsys, *run, str(folder), "--rerank")
    assert ", re-ranked by " in told
    assert "--rerank needs an adapter" in refused(capsys, *run, "--rerank")


class _Stops(TerminalProgress):
    """The user's Ctrl-C in the second epoch."""

    def __call__(self, step: str, done: int, total: int) -> None:
        if step == "train" and done > total // 2:
            raise KeyboardInterrupt


@pytest.mark.slow
def test_a_stopped_training_goes_on_and_ends_as_if_it_had_not_stopped(
    tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = f"compose adapt --adapter linear --encoder {tiny} --n 12 --kinds colour --epochs 2 --batch 4".split()
    with monkeypatch.context() as patched:
        patched.setattr(commands_compose_train, "TerminalProgress", _Stops)
        assert main([*arguments, "--no-check", "--out", str(tmp_path / "a")]) == 130
    told = capsys.readouterr().err
    assert "Run the same command again to continue." in told
    assert (tmp_path / "a" / "training").is_dir()
    with monkeypatch.context() as patched:  # nothing is drawn or read for a training that cannot go on
        patched.setattr(commands_compose_train, "_to_learn", None)
        assert "has the state of another training" in refused(
            capsys, *arguments, "--seed", "1", "--no-check", "--out", str(tmp_path / "a")
        )
    said(capsys, *arguments, "--no-check", "--out", str(tmp_path / "a"))
    said(capsys, *arguments, "--no-check", "--out", str(tmp_path / "b"))
    a, b = (load_adapted(tmp_path / name) for name in "ab")
    assert a.fingerprint == b.fingerprint
    assert [epoch.validation_loss for epoch in a.record.curve] == [epoch.validation_loss for epoch in b.record.curve]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--epochs", "0"], "epochs must be"),
        (["--epochs", "many"], "epochs must be a whole number"),
        (["--n", "2"], "--n must be 8 to"),
        (["--share", "0.5"], "--share must lie between 0 and 1 and needs a benchmark of yours"),
        (["rendered", "--n", "20"], "Leave them out"),
        (["--images", "."], "describe your own benchmark"),
        (["--check", "nowhere"], "No benchmark 'nowhere'"),
        (["--no-check", "--check", "rendered"], "Remove one of the two"),
        (["--kinds", "taste"], "kinds must be"),
        (["--everyday", "rendered", "--everyday-n", "-3"], "--everyday-n must be 8 to 100,000 images: got -3"),
        (["--everyday-images", "."], "--everyday-images names the images of --everyday"),
        (["--encoder", "no-such"], "Unknown encoder"),
    ],
)
def test_a_training_that_cannot_be_is_refused_before_it_starts(
    arguments: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said in refused(capsys, "compose", "adapt", "--adapter", "linear", "--out", str(tmp_path / "o"), *arguments)


def test_unknown_and_foreign_settings_are_no_options(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in "none", "linear --layers 2", "local --epoch 2":
        assert main(["compose", "adapt", "--out", str(tmp_path), "--adapter", *arguments.split()]) == 2
        assert capsys.readouterr().err.startswith("Usage:")


def test_a_damaged_check_beside_an_adapter_is_said(
    tiny: str, drawn: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "adapter"
    train = f"compose adapt {drawn / COLA} --adapter linear --encoder {tiny} --epochs 1 --no-check".split()
    said(capsys, *train, "--out", str(folder))
    (folder / "check.json").write_text('{"rows": 1}')
    run = ["compose", "run", "rendered", "--n", "4", "--encoder", str(folder)]
    assert "check.json is damaged" in refused(capsys, *run, "--out", str(tmp_path / "o"))
    assert main([*train, "--out", str(folder)]) == 0
    assert "Replaced the earlier adapter" in capsys.readouterr().err
    assert not (folder / "check.json").exists()
    (folder / "adapter.safetensors").write_bytes(b"")
    assert "Train the adapter again" in refused(capsys, *run)
