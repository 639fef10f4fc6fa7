"""The commands of composition as their users meet them: what is printed, written and resumed, on a tiny CLIP."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from core.cli.main import main
from core.store import load
from core.systems.composition.commands.compose import PARTS
from core.systems.composition.readers import READERS
from core.systems.composition.readers.recognise import IMAGES
from core.systems.composition.reports.tables import load_result
from core.systems.composition.scenes.shipped import SHIPPED
from research.scenes.write_benchmark import MULTI
from tests.support.commands import said

pytestmark = pytest.mark.usefixtures("few_searched")

# ---- lists and help


def test_every_benchmark_is_listed_with_the_pictures_that_it_needs(capsys: pytest.CaptureFixture[str]) -> None:
    told = said(capsys, "compose", "benchmarks")
    assert set(IMAGES) == set(READERS)
    for name in (*SHIPPED, *READERS):
        assert f"\n  {name}\n" in told
    assert told.count("images: ") == len(READERS)
    assert "facebook/winoground" in told


def test_help_lists_every_part(capsys: pytest.CaptureFixture[str]) -> None:
    told = said(capsys, "compose", "--help").partition("Commands:\n")[2]
    listed = {line.split()[0] for line in told.splitlines() if line.startswith("  ") and line[2:3].strip()}
    assert listed == set(PARTS)


# ---- run


def test_a_run_prints_and_writes_its_figures(
    tiny: str, drawn: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    told = said(capsys, "compose", "run", str(drawn / MULTI), "--encoder", tiny, "--out", str(out), "--name", "mine")
    assert told.startswith("mine: Pairs in Cola's form, 14 items\n")
    assert "Image score (each caption picks its image), the headline" in told
    assert "chance is 25.0" in told
    assert "Published" not in told  # the papers' figures are of other pairs
    result = load_result(out)
    assert (result.name, len(result.ids)) == ("mine", 14)
    assert len(pd.read_parquet(out / "items.parquet")) == 14
    assert (out / "missing.txt").read_text("utf-8") == ""
    assert "mine" in (out / "report.html").read_text("utf-8")
    shown = next(line for line in told.splitlines() if "Image score" in line)
    assert f"{100 * result.correct['image'].mean():.1f}" in shown


def test_two_models_are_compared_item_by_item(
    tiny: str, drawn: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, folder = tmp_path / "out", tmp_path / "adapter"
    train = f"compose adapt {drawn / MULTI} --adapter linear --encoder {tiny} --epochs 1 --no-check".split()
    said(capsys, *train, "--out", str(folder))
    told = said(capsys, "compose", "run", str(drawn / MULTI), "--encoder", tiny, str(folder), "--out", str(out))
    assert "on the same items of one benchmark" in told
    assert (
        "14 of 14 items were in this adapter's training. On those it shows memory, not skill. All its "
        "figures come from them."
    ) in told
    first, second = load_result(out), load_result(out / "second")
    assert first.ids == second.ids
    document = json.loads((out / "comparison.json").read_text("utf-8"))
    row = next(row for row in document["rows"] if (row["key"], row["scope"]) == ("image", "all items"))
    assert row["only_a"] == int((first.correct["image"] & ~second.correct["image"]).sum())
    assert row["difference"]["value"] == pytest.approx(second.correct["image"].mean() - first.correct["image"].mean())
    said(capsys, "compose", "run", str(drawn / MULTI), "--encoder", tiny, "--out", str(out))
    assert not (out / "comparison.json").exists()  # it spoke of the earlier run


@pytest.mark.slow
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
    blind = next(line for line in told.splitlines() if "Without an image: shorter caption" in line)
    assert "100.0" in blind
    assert "kind: a" in told
    assert "Left out: 1 item because an image is missing." in told
    assert "Missing: 1 image, none.png." in told
    assert (tmp_path / "out" / "missing.txt").read_text("utf-8") == "none.png\n"
    assert "Without an image" not in said(capsys, *run, "--no-blind")


def test_needed_and_missing_pictures_are_printed_one_a_line(
    drawn: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compose", "pictures", str(drawn / MULTI)]) == 0
    told = capsys.readouterr()
    assert told.out.splitlines() == [f"pair_{i:05d}.webp" for i in range(28)]
    assert "28 of 28 images are needed" in told.err
    some = tmp_path / "some"
    some.mkdir()
    for i in range(27):
        (some / f"pair_{i:05d}.webp").write_bytes((drawn / "images" / f"pair_{i:05d}.webp").read_bytes())
    assert said(capsys, "compose", "pictures", str(drawn / MULTI), "--images", str(some)) == "pair_00027.webp\n"


@pytest.mark.slow
def test_the_embedded_encoders_failures_become_a_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], plain_map: None, few_phrases: None
) -> None:
    out = tmp_path / "out"
    told = said(
        capsys, "compose", "run", "rendered", "--n", "24", "--diagnose", "--permutations", "100", "--out", str(out)
    )
    verdict = told.split("Where rendered, embedded is wrong:\n")[1].splitlines()[0]
    assert re.match(r"No group is confirmed: |\d+ groups? accounts? for ", verdict)
    assert len(load(out / "diagnosis.errata").samples) == 48  # two captions each
