"""Bad input to the commands of composition: exit code and one clear message each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from research.scenes.write_benchmark import MULTI
from tests.support.commands import refused, said


def cola(folder: Path, *rows: Any) -> str:
    """The path of a file in Cola's form."""
    (folder / "cola.json").write_text(json.dumps(rows), "utf-8")
    return str(folder / "cola.json")


# ---- benchmarks


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{}", "does not have the shape of a known benchmark"),
        ("[1, 2]", "does not have the shape of a known benchmark"),
        ('[["a.png", "one", "b.png"]]', "does not have the shape of a known benchmark"),
        ('[["a.png", "one", "b.png", "two"], ["a.png", "one", "b.png"]]', "row 1 must be a list of four texts"),
        ("", "invalid JSON"),
    ],
)
def test_a_file_of_the_wrong_shape_is_refused(
    text: str, said: str, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = pictures.parent / "file.json"
    file.write_text(text, "utf-8")
    assert said in refused(capsys, "compose", "run", str(file), "--images", str(pictures))
    assert said in refused(capsys, "compose", "pictures", str(file))


def test_the_wrong_format_is_named_with_the_form_that_it_has(
    pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = cola(pictures, ["a.png", "one", "b.png", "two"])
    assert "must be an object" in refused(
        capsys, "compose", "run", file, "--format", "sugarcrepe", "--images", str(pictures)
    )
    assert "Unknown benchmark 'cola2'" in refused(
        capsys, "compose", "run", file, "--format", "cola2", "--images", str(pictures)
    )


@pytest.mark.usefixtures("drawn")
def test_items_that_cannot_be_asked_are_counted_beside_those_that_can(
    tiny: str, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        ["a.png", "one", "b.png", "two"],
        ["a.png", "one", "a.png", "two"],
        ["a.png", "one", "b.png", "  One "],
        ["a.png", "one", "c.png", "two"],
    ]
    told = said(capsys, "compose", "run", cola(pictures, *rows), "--images", str(pictures), "--encoder", tiny)
    assert ", 1 item\n" in told
    for reason in ("both images are the same", "captions are equal", "an image is missing"):
        assert f"1 item because {reason}" in told
    assert "Missing: 1 image, c.png." in told


def test_no_usable_picture_is_said_with_what_to_bring(pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = cola(pictures.parent, ["x/1.jpg", "one", "x/2.jpg", "two"])
    told = refused(capsys, "compose", "run", file, "--images", str(pictures))
    assert "2 of its 2 images are not in 'pictures' (1.jpg, 2.jpg)" in told
    assert "If the images are in another place, add --images." in refused(capsys, "compose", "run", file)
    (pictures / "a.png").write_bytes(b"")
    (pictures / "b.png").write_text("no image")
    told = refused(
        capsys, "compose", "run", cola(pictures.parent, ["a.png", "one", "b.png", "two"]), "--images", str(pictures)
    )
    assert "an image cannot be used" in told
    assert "were not found" in refused(capsys, "compose", "run", file, "--images", str(pictures / "none"))


def test_thousands_of_captions_of_one_picture_are_scored_or_refused_by_their_length(
    tiny: str, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = {"image": "a.png", "caption": "one", "foils": [f"number {i}" for i in range(2000)]}
    file = pictures.parent / "own.json"
    file.write_text(json.dumps([row]), "utf-8")
    told = said(capsys, "compose", "run", str(file), "--images", str(pictures), "--encoder", tiny, "--no-blind")
    assert "Recall at 1" in told
    file.write_text(json.dumps([{**row, "caption": "long " * 1000}]), "utf-8")
    assert "no item can be used (1 item because a caption is longer than 2,000 characters)" in refused(
        capsys, "compose", "run", str(file), "--images", str(pictures)
    )
    captions = [f"number {i}" for i in range(3000)]
    pair = f"compose pair --image {pictures / 'a.png'} --encoder {tiny} --foil none".split()
    assert "got 3,001" in refused(capsys, *pair, "--caption", *captions)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "nowhere"], "No benchmark 'nowhere'"),
        (["pictures", "nowhere"], "No benchmark 'nowhere'"),
        (["pictures", "rendered"], "you need none"),
        (["run", "rendered", "--n", "3"], "even number"),
        (["run", "rendered", "--images", "."], "ships with its images"),
        (["run", "rendered", "--max-words", "3"], "ships with its images"),
        (["run", "rendered", "--diagnose"], "Add --out"),
        (["run", "rendered", "--seed", "-1"], "seed"),
        (["run", "rendered", "--encoder", "a/b", "c/d", "e/f"], "got 3"),
        (["run", "rendered", "--name", "a", "b"], "got 2."),
        (["run", "rendered", "--name", "model"], "'model' is reserved"),
        (["run", "rendered", "--encoder", "no-such"], "Unknown encoder 'no-such'"),
    ],
)
def test_options_that_make_no_run_are_refused(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said in refused(capsys, "compose", *arguments)


def test_what_is_no_kept_result_of_the_same_benchmark_is_not_compared(
    tiny: str, drawn: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a, b = str(tmp_path / "a"), str(tmp_path / "b")
    compare = ["compose", "compare", a, b]
    assert f"No result of composition in {a}" in refused(capsys, *compare)
    said(capsys, "compose", "run", str(drawn / MULTI), "--encoder", tiny, "--out", a)
    said(capsys, "compose", "run", "rendered", "--n", "4", "--encoder", tiny, "--out", b)
    assert "Run both on one" in refused(capsys, *compare)
    assert "--out must end in .json: got" in refused(capsys, *compare, "--out", "c.csv")
    assert "seed" in refused(capsys, *compare, "--seed", "-1")


def test_results_of_one_name_and_options_of_another_format_are_refused(
    tiny: str, drawn: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(drawn / MULTI)
    assert "have the name 'a'" in refused(capsys, "compose", "run", file, "--encoder", tiny, tiny, "--name", "a", "a")
    assert "has no option 'max_words'" in refused(capsys, "compose", "run", file, "--max-words", "3")
    assert "--n works for shipped benchmarks" in refused(capsys, "compose", "run", file, "--n", "4")
    assert "holds several benchmarks" in refused(capsys, "compose", "run", str(drawn))


@pytest.mark.parametrize("path", ["x" * 5000, "~nobody-of-this-name/x"])
def test_a_path_that_no_file_can_have_is_refused(path: str, pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = cola(pictures, ["a.png", "one", "b.png", "two"])
    assert "cannot be opened" in refused(capsys, "compose", "run", path)
    assert "cannot be opened" in refused(capsys, "compose", "run", file, "--images", path)
    assert "cannot be opened" in refused(capsys, "compose", "run", file, "--images", str(pictures), "--encoder", path)


@pytest.mark.parametrize("caption", ["\u200b", "\0", "\ufeff \u202e"])
def test_a_caption_that_nobody_can_see_is_empty(
    caption: str, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = cola(pictures, ["a.png", caption, "b.png", "two"])
    assert "1 item because a caption is empty" in refused(capsys, "compose", "run", file, "--images", str(pictures))
