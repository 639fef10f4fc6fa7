"""Own pairs, foils, grids and drawings on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.cli.main import main
from tests.support.commands import refused, said


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
    own = ("--caption", "a cube", "--foil", "a ball", "a cone", "--json")
    document = json.loads(said(capsys, "compose", "pair", "--image", picture, "--encoder", tiny, *own))
    assert [caption["foil_of"] for caption in document["captions"]] == [None, 0, 0]
    assert np.sum(document["shares"][0]) == pytest.approx(1)


def test_two_pictures_take_a_caption_each(tiny: str, drawn: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [str(drawn / "images" / f"pair_0000{i}.webp") for i in (0, 1)]
    document = json.loads(
        said(capsys, "compose", "pair", "--image", *files, "--caption", "a b", "b a", "--encoder", tiny, "--json")
    )
    assert [caption["pictures"] for caption in document["captions"]] == [[0], [1]]
    told = said(capsys, "compose", "pair", "--image", *files, "--caption", "a b", "b a", "--encoder", tiny)
    assert "gives the two captions a cosine of" in told


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
    assert "cannot test binding of attribute and object" in said(capsys, *grid, *columns[:4])
    scenes = said(capsys, "compose", "grid", str(drawn / "scenes.json"), "--encoder", tiny, "--attribute", "material")
    assert "on scenes.json" in scenes


def test_pairs_that_fit_no_form_are_refused(tiny: str, pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, b = str(pictures / "a.png"), str(pictures / "b.png")
    pair = ["compose", "pair", "--encoder", tiny]
    assert "Two images need two captions" in refused(capsys, *pair, "--image", a, b, "--caption", "one")
    assert "Name two different images, or one" in refused(capsys, *pair, "--image", a, a, "--caption", "one", "two")
    assert "cannot be opened" in refused(capsys, *pair, "--image", "x" * 5000, "--caption", "one")
    assert "Caption 2 is empty" in refused(capsys, *pair, "--image", a, "--caption", "one", "--foil", "\u200b\0")
    assert "got 3" in refused(capsys, *pair, "--image", a, b, a, "--caption", "one", "two", "three")
    assert "No image" in refused(capsys, *pair, "--image", a + "x", "--caption", "one")
    assert "Or write your own foils with --foil." in refused(capsys, *pair, "--image", a, "--caption", "thing")
    for same in "one", "One":
        assert "are the same" in refused(capsys, *pair, "--image", a, "--caption", "one", "--foil", same)
    assert "at least one word" in refused(capsys, *pair, "--image", a, "--caption", "...")
    Path(a).write_bytes(b"broken")
    assert "Cannot read any of the 1 images" in refused(
        capsys, *pair, "--image", a, "--caption", "a red cube and a blue ball"
    )


def test_a_caption_without_foils_says_what_it_needs(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "compose", "foils", "thing").startswith("No foil made")


def test_a_grid_without_columns_or_pictures_is_refused(pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = pictures / "t.csv"
    table.write_text("file,a,o\na.png,red,cube\nb.png,blue,ball\n", "utf-8")
    grid = ["compose", "grid", str(table)]
    both = ["--attribute", "a", "--object", "o"]
    assert "Name two columns" in refused(capsys, *grid, "--attribute", "a")
    assert "has no column 'x'" in refused(capsys, *grid, "--attribute", "x", "--object", "o")
    assert "Give both --attribute-2 and --object-2" in refused(capsys, *grid, *both, "--object-2", "o")
    assert "Use --caption, or" in refused(capsys, *grid, *both, "--caption", "a")
    assert "--one works with captions and scenes" in refused(capsys, *grid, *both, "--one")
    assert "it has no column 'x'" in refused(capsys, *grid, *both, "--image", "x")
    assert "--out must end in" in refused(capsys, *grid, *both, "--out", "grid.txt")
    assert "was not found" in refused(capsys, "compose", "grid", str(pictures / "none.csv"), *both)
    assert 'needs "{}" once' in refused(capsys, *grid, *both, "--template", "a photo")
    table.write_text("which,a,o\na.png,red,cube\n", "utf-8")
    assert "no column is recognized as their paths" in refused(capsys, *grid, *both)
    table.write_text("file,a,o\nnone.png,red,cube\n", "utf-8")
    assert "'none.png' is not there, 'a.png' is" in refused(capsys, *grid, *both)
