"""The commands of composition as their users meet them: what is printed, written, resumed and reproduced, on a tiny
CLIP."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core.cli import adapt as commands_compose_train
from core.cli.compose import COLA, PARTS, PICTURES
from core.cli.main import main
from core.cli.terminal import TerminalProgress
from core.composition.readers import READERS
from core.options import settings_of
from core.reports.tables.composition import load_result
from core.scenes.shipped import SHIPPED
from core.scenes.write import MULTI
from core.training.adapted import load_adapted
from core.training.adapters import ADAPTERS
from core.training.forgetting_file import read_check
from core.training.loop import Training
from tests.core.cli.test_probe import refused, said
from tests.core.encoders.open_clip.test_token_tower import TWO
from tests.support.tiny_clip import write_model
from tests.test_layering import HEAVY, loaded_by


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a tiny open_clip model with random weights."""
    return f"local-dir:{write_model(tmp_path_factory.mktemp('clip') / 'model', TWO)}"


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 14 rendered pairs in Cola's form."""
    folder = tmp_path_factory.mktemp("drawn") / "set"
    assert main(["compose", "draw", "--n", "14", "--split", "train", "--seed", "3", "--out", str(folder)]) == 0
    return folder


# ---- lists and help


def test_every_benchmark_is_listed_with_the_pictures_that_it_needs(capsys: pytest.CaptureFixture[str]) -> None:
    told = said(capsys, "compose", "benchmarks")
    assert set(PICTURES) == set(READERS)
    for name in (*SHIPPED, *READERS):
        assert f"\n  {name}\n" in told
    assert told.count("pictures: ") == len(READERS)
    assert "facebook/winoground" in told


def test_help_lists_every_part_and_loads_nothing_heavy(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = said(capsys, "compose", "--help").partition("Commands:\n")[2]
    listed = {line.split()[0] for line in told.splitlines() if line.startswith("  ") and line[2:3].strip()}
    assert listed == set(PARTS)
    code = (
        "from core.cli.main import main\ntry:\n    main(['compose', 'adapt', '--help'])\nexcept SystemExit:\n    pass"
    )
    assert not loaded_by(code, repository) & {*HEAVY, "numpy"}


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
    assert "32 parameters on " in told  # prompt tuning: as wide as the text tower's tokens
    assert "--layers: Transformer layers on each side; 1 to 4 (default 1)" in told


# ---- run


def test_a_run_prints_and_writes_its_figures(
    tiny: str, drawn: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    told = said(capsys, "compose", "run", str(drawn / MULTI), "--encoder", tiny, "--out", str(out), "--name", "mine")
    assert told.startswith("mine: Pairs in Cola's form, 14 items\n")
    assert "Image score (each caption picks its picture), the headline" in told
    assert "chance is 25.0" in told
    assert "Published" not in told  # the papers' figures are of other pairs
    result, benchmark = load_result(out)
    assert (result.name, len(result.ids), len(benchmark)) == ("mine", 14, 14)
    assert len(pd.read_parquet(out / "items.parquet")) == 14
    assert (out / "missing.txt").read_text("utf-8") == ""
    assert "mine" in (out / "report.html").read_text("utf-8")
    shown = next(line for line in told.splitlines() if "Image score" in line)
    assert f"{100 * result.correct['image'].mean():.1f}" in shown


def test_two_models_are_compared_item_by_item(
    tiny: str, drawn: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, folder = tmp_path / "out", tmp_path / "adapter"
    train = [
        "compose",
        "adapt",
        str(drawn / MULTI),
        "--adapter",
        "linear",
        "--encoder",
        tiny,
        "--epochs",
        "1",
        "--no-check",
    ]
    said(capsys, *train, "--out", str(folder))
    told = said(capsys, "compose", "run", str(drawn / MULTI), "--encoder", tiny, str(folder), "--out", str(out))
    assert "on the same items of one benchmark" in told
    assert "14 of 14 items were in this adapter's training: on those it shows memory, not skill." in told
    first, second = load_result(out)[0], load_result(out / "second")[0]
    assert first.ids == second.ids
    document = json.loads((out / "comparison.json").read_text("utf-8"))
    row = next(row for row in document["rows"] if (row["key"], row["scope"]) == ("image", "all items"))
    assert row["only_a"] == int((first.correct["image"] & ~second.correct["image"]).sum())
    assert row["difference"]["value"] == pytest.approx(second.correct["image"].mean() - first.correct["image"].mean())
    said(capsys, "compose", "run", str(drawn / MULTI), "--encoder", tiny, "--out", str(out))
    assert not (out / "comparison.json").exists()  # it spoke of the earlier run


def test_two_kept_results_are_compared_as_if_they_were_run_together(
    tiny: str, drawn: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = ["compose", "run", str(drawn / MULTI), "--no-blind", "--out"]
    together = said(capsys, *run, str(tmp_path / "both"), "--encoder", tiny, "embedded")
    said(capsys, *run, str(tmp_path / "a"), "--encoder", tiny)
    said(capsys, *run, str(tmp_path / "b"), "--encoder", "embedded")
    compare = ["compose", "compare", str(tmp_path / "a"), str(tmp_path / "b")]
    out = tmp_path / "new" / "c.json"
    told = said(capsys, *compare, "--out", str(out))
    assert told.removesuffix(f"Written: {out}\n") in together
    document = json.loads(out.read_text("utf-8"))
    assert document == json.loads((tmp_path / "both" / "comparison.json").read_text("utf-8"))
    assert json.loads(said(capsys, *compare, "--json")) == document
    alike = said(capsys, "compose", "compare", str(tmp_path / "a"), str(tmp_path / "a"))
    assert str(tmp_path / "a") in alike  # of one name: told apart by their folders


def test_a_run_as_json_is_all_that_is_printed(tiny: str, capsys: pytest.CaptureFixture[str]) -> None:
    document = json.loads(
        said(capsys, "compose", "run", "rendered", "--n", "12", "--encoder", tiny, tiny, "--name", "a", "b", "--json")
    )
    assert [result["name"] for result in document["results"]] == ["a", "b"]
    assert document["results"][0]["n"] == 12
    assert {row["p"] for row in document["comparison"]["rows"] if row["scope"] == "all items"} == {1.0}


def test_a_choice_stands_beside_baselines_that_see_no_picture(
    tiny: str, drawn: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [f"images/pair_{2 * i:05d}.webp,a red cube,a red cube which is not there,{'ab'[i % 2]}" for i in range(12)]
    table = tmp_path / "own.csv"
    table.write_text("\n".join(["image,caption,foil,kind", *rows, "images/none.png,a cube,a ball,a"]), "utf-8")
    run = ["compose", "run", str(table), "--images", str(drawn), "--encoder", tiny]
    told = said(capsys, *run, "--out", str(tmp_path / "out"))
    blind = next(line for line in told.splitlines() if "Without a picture: shorter caption" in line)
    assert "100.0" in blind
    assert "kind: a" in told
    assert "Left out: 1 item because a picture is not among the images." in told
    assert "Missing: 1 picture, none.png." in told
    assert (tmp_path / "out" / "missing.txt").read_text("utf-8") == "none.png\n"
    assert "Without a picture" not in said(capsys, *run, "--no-blind")


def test_needed_and_missing_pictures_are_printed_one_a_line(
    drawn: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compose", "pictures", str(drawn / MULTI)]) == 0
    told = capsys.readouterr()
    assert told.out.splitlines() == [f"pair_{i:05d}.webp" for i in range(28)]
    assert "28 of 28 pictures are needed" in told.err
    some = tmp_path / "some"
    some.mkdir()
    for i in range(27):
        (some / f"pair_{i:05d}.webp").write_bytes((drawn / "images" / f"pair_{i:05d}.webp").read_bytes())
    assert said(capsys, "compose", "pictures", str(drawn / MULTI), "--images", str(some)) == "pair_00027.webp\n"


@pytest.mark.slow
def test_the_embedded_encoders_failures_become_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    told = said(
        capsys, "compose", "run", "rendered", "--n", "60", "--diagnose", "--permutations", "200", "--out", str(out)
    )
    assert "The failures of rendered, embedded:" in told
    assert "failure cluster" in told
    assert (out / "diagnosis" / "report.html").is_file()
    assert (out / "diagnosis" / "diagnosis.json").is_file()


# ---- own pairs, grid and drawing


def test_foils_are_printed_with_their_kinds(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compose", "foils", "a red cube and a blue ball"]) == 0
    told = capsys.readouterr()
    assert told.out.splitlines()[0].split("  ")[0] == "a blue cube and a red ball"
    assert "swap attributes" in told.out
    assert "it means the same as the caption" in told.err


def test_a_picture_is_scored_with_foils_that_are_made_for_it(
    tiny: str, drawn: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = str(drawn / "images" / "pair_00000.webp")
    told = said(
        capsys, "compose", "pair", "--image", picture, "--caption", "a red cube and a blue ball", "--encoder", tiny
    )
    assert told.startswith("pair_00000.webp, ")
    assert "a blue cube and a red ball" in told
    assert "Captions and foils in the text tower alone" in told
    document = json.loads(
        said(
            capsys,
            "compose",
            "pair",
            "--image",
            picture,
            "--caption",
            "a cube",
            "--foil",
            "a ball",
            "a cone",
            "--encoder",
            tiny,
            "--json",
        )
    )
    assert [caption["foil_of"] for caption in document["captions"]] == [None, 0, 0]
    assert np.sum(document["shares"][0]) == pytest.approx(1)


def test_two_pictures_take_a_caption_each(tiny: str, drawn: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [str(drawn / "images" / f"pair_0000{i}.webp") for i in (0, 1)]
    document = json.loads(
        said(capsys, "compose", "pair", "--image", *files, "--caption", "a b", "b a", "--encoder", tiny, "--json")
    )
    assert [caption["pictures"] for caption in document["captions"]] == [[0], [1]]
    told = said(capsys, "compose", "pair", "--image", *files, "--caption", "a b", "b a", "--encoder", tiny)
    assert "The two captions have a cosine of" in told


def test_a_grid_is_read_from_columns_captions_and_scenes(
    tiny: str, drawn: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [f"images/pair_{i:05d}.webp" for i in range(24)]
    colours, shapes = ("red", "blue"), ("cube", "ball")
    table = pd.DataFrame(
        {"file": names, "a": [colours[i % 2] for i in range(24)], "o": [shapes[i // 12] for i in range(24)]}
    )
    table["a2"], table["o2"] = [colours[1 - i % 2] for i in range(24)], [shapes[1 - i // 12] for i in range(24)]
    table["said"] = "a " + table["a"] + " " + table["o"] + " and a " + table["a2"] + " " + table["o2"]
    table.to_csv(tmp_path / "table.csv", index=False)
    grid = ["compose", "grid", str(tmp_path / "table.csv"), "--images", str(drawn), "--encoder", tiny]
    columns = ["--attribute", "a", "--object", "o", "--attribute-2", "a2", "--object-2", "o2"]
    told = said(capsys, *grid, *columns, "--out", str(tmp_path / "new" / "grid.csv"))
    assert "binding" in told
    figures = pd.read_csv(tmp_path / "new" / "grid.csv")
    assert figures["n"].tolist() == [24, 12, 12, 12, 12]
    assert figures["binds_chance"].tolist() == [0.5] * 5
    said(capsys, *grid, "--caption", "said", "--out", str(tmp_path / "captions.csv"))
    same = pd.read_csv(tmp_path / "captions.csv")
    pd.testing.assert_frame_equal(
        same.sort_values(["attribute", "object"]), figures.sort_values(["attribute", "object"])
    )
    assert "cannot show whether attribute and object are bound" in said(capsys, *grid, *columns[:4])
    scenes = said(capsys, "compose", "grid", str(drawn / "scenes.json"), "--encoder", tiny, "--attribute", "material")
    assert "on scenes.json" in scenes


def test_drawing_again_with_the_same_seed_gives_the_same_files(
    drawn: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = said(
        capsys, "compose", "draw", "--n", "14", "--split", "train", "--seed", "3", "--out", str(tmp_path / "again")
    )
    assert "Written: 28 pictures of 14 items" in told
    for name in (MULTI, "images/pair_00003.webp", "held_out.json"):
        assert (tmp_path / "again" / name).read_bytes() == (drawn / name).read_bytes()
    told = said(
        capsys, "compose", "draw", "--n", "2", "--queries", "2", "--kinds", "colour", "--out", str(tmp_path / "more")
    )
    assert "and 2 queries" in told
    assert MULTI == COLA


# ---- training


@pytest.mark.slow
def test_an_adapter_is_trained_checked_saved_and_tested_on_the_rest(
    tiny: str, drawn: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "adapter"
    arguments = [
        "compose",
        "adapt",
        str(drawn / MULTI),
        "--adapter",
        "linear",
        "--encoder",
        tiny,
        "--epochs",
        "1",
        "--batch",
        "2",
    ]
    told = said(capsys, *arguments, "--share", "0.6", "--out", str(folder))
    assert "learned from 7 items of Pairs in Cola's form, stopped by 1 others" in told
    assert "<- kept" in told
    assert "What it cost" in told
    assert "Zero-shot, 240 pictures" in told
    assert "On the items that were kept apart" in told
    assert load_adapted(folder).record.n_training == 7
    assert not (folder / "training").exists()
    found = read_check(folder)
    document = json.loads((folder / "check.json").read_text("utf-8"))
    assert found.sentence == document["sentence"]
    assert len(found.rows) == len(document["rows"]) == 5
    tested = load_result(folder / "test")[0]
    assert len(tested.ids) == 6
    assert "100 pictures of the shipped scenes" in (folder / "test" / "report.html").read_text("utf-8")


class _Stops(TerminalProgress):
    """The user's Ctrl-C in the second epoch."""

    def __call__(self, step: str, done: int, total: int) -> None:
        if step == "train" and done > total // 2:
            raise KeyboardInterrupt


def test_a_stopped_training_goes_on_and_ends_as_if_it_had_not_stopped(
    tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [
        "compose",
        "adapt",
        "--adapter",
        "linear",
        "--encoder",
        tiny,
        "--n",
        "12",
        "--kinds",
        "colour",
        "--epochs",
        "2",
        "--batch",
        "4",
    ]
    with monkeypatch.context() as patched:
        patched.setattr(commands_compose_train, "TerminalProgress", _Stops)
        assert main([*arguments, "--no-check", "--out", str(tmp_path / "a")]) == 130
    told = capsys.readouterr().err
    assert "Run the same command again to go on." in told
    assert (tmp_path / "a" / "training").is_dir()
    assert "holds the state of another training" in refused(
        capsys, *arguments, "--seed", "1", "--no-check", "--out", str(tmp_path / "a")
    )
    said(capsys, *arguments, "--no-check", "--out", str(tmp_path / "a"))
    said(capsys, *arguments, "--no-check", "--out", str(tmp_path / "b"))
    a, b = (load_adapted(tmp_path / name) for name in "ab")
    assert a.fingerprint == b.fingerprint
    assert [epoch.validation_loss for epoch in a.record.curve] == [epoch.validation_loss for epoch in b.record.curve]


# ---- Cola's figure


def test_colas_figure_is_set_beside_the_published_one(
    tiny: str, drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["reproduce", "cola", "--images", str(drawn / "images"), "--out", str(tmp_path / "out")]
    assert "No figure is published for this encoder" in said(capsys, *arguments, "--encoder", tiny)
    from core.training import scorers

    real: Any = scorers.scorer_of
    monkeypatch.setattr(scorers, "scorer_of", lambda name: real(tiny))
    told = said(capsys, *arguments, "--encoder", "ViT-B-32:openai")
    right = int(load_result(tmp_path / "out")[0].correct["image"].sum())
    assert f"{right} of 14 items are right" in told
    assert "published for CLIP ViT-B/32: 3 of 14 (21.43 %; printed as 21.42 (read in the paper))" in told
    assert ("within the 2 that are allowed" in told) == (abs(right - 3) <= 2)
    document = json.loads((tmp_path / "out" / "reproduced.json").read_text("utf-8"))
    assert (document["right"], document["n"], document["missing"]) == (right, 14, 0)
