"""What the example of real photographs says is true of its table, its images and its run."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from torch import Tensor

from core.errors import InvalidInput
from core.records import F64, Bool, Diagnosis
from core.reports.wording.findings import cluster_title
from core.store import load
from research.examples import make_clothing
from research.examples.make_clothing import (
    CLASSES,
    FOLDER,
    MAX_AUDIT,
    SECOND,
    SHORT_SIDE,
    WITHHELD,
    Photograph,
    choose_audit,
    halves,
    orientation,
    read_photographs,
    shrunk,
)
from research.examples.make_runs import NOTES


def errors_of(table: pd.DataFrame) -> Bool:
    """(n,) what a table says, without our reader."""
    called = table.filter(like="prob_").idxmax(axis=1).str.removeprefix("prob_")
    return (called != table["label"]).to_numpy()


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return pd.read_csv(FOLDER / "table.csv")


@pytest.fixture(scope="module")
def sources() -> pd.DataFrame:
    return pd.read_csv(FOLDER / "sources.csv")


@pytest.fixture(scope="module")
def run() -> Diagnosis:
    return load(FOLDER / "run.errata")


@pytest.fixture(scope="module")
def wrong(table: pd.DataFrame) -> Bool:
    return errors_of(table)


@pytest.fixture(scope="module")
def withheld(sources: pd.DataFrame) -> Bool:
    """(n,) images of the kinds that the diagnosed net was trained without."""
    return sources["garment"].isin(WITHHELD).to_numpy()


def members(run: Diagnosis, scope: str) -> Bool:
    """(n,) the members of the group within that class."""
    (cluster,) = (one for one in run.clusters if one.scope == scope)
    assert cluster.confirmed
    return cluster.membership >= 0.5


def test_each_picture_has_a_row_a_source_and_no_camera_data(table: pd.DataFrame, sources: pd.DataFrame) -> None:
    assert list(sources["file"]) == list(table["file"])
    assert list(sources["participant"]) == list(table["participant"])
    assert sources["source"].is_unique
    garment_class = {garment: name for name, garments in CLASSES.items() for garment in garments}
    assert list(sources["garment"].map(garment_class)) == list(table["label"])
    assert list(sources["garment"].str.lower()) == list(table["garment"])
    with zipfile.ZipFile(FOLDER / "images.zip") as archive:
        assert archive.namelist() == list(table["file"])
        for name, said in zip(table["file"][::50], table["orientation"][::50], strict=True):
            picture = Image.open(io.BytesIO(archive.read(name)))
            assert min(picture.size) == SHORT_SIDE
            assert orientation(*picture.size) == said
            assert not picture.getexif()


def test_the_licence_names_the_source_and_lies_beside_the_pictures() -> None:
    said = (FOLDER / "LICENCES.md").read_text("utf-8")
    assert "CC0 1.0" in said
    assert "https://github.com/alexeygrigorev/clothing-dataset" in said


def test_the_run_is_of_this_table(table: pd.DataFrame, run: Diagnosis, wrong: Bool) -> None:
    scores = table.filter(like="prob_").to_numpy()
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-5)
    assert list(run.samples.ids) == list(table["file"])
    assert run.outcomes.errors is not None
    np.testing.assert_array_equal(run.outcomes.errors, wrong)
    truth = scores[np.arange(len(table)), [list(run.samples.class_names).index(label) for label in table["label"]]]
    np.testing.assert_allclose(run.outcomes.loss, -np.log(np.maximum(truth, 1e-6)), atol=0.01)
    assert run.samples.groups is not None
    people = pd.factorize(table["participant"])[0]
    assert pd.DataFrame({"group": run.samples.groups, "who": people}).groupby("who")["group"].nunique().max() == 1
    assert NOTES["clothing"] in run.notes


def test_the_group_of_bottoms_is_the_skirts_that_were_withheld(
    table: pd.DataFrame, sources: pd.DataFrame, run: Diagnosis, wrong: Bool
) -> None:
    inside = members(run, "bottoms")
    skirts = (sources["garment"] == "Skirt").to_numpy()
    assert run.clusters[0].scope == "bottoms"
    assert cluster_title(run, run.clusters[0]) == "Bottoms with garment: skirt"
    assert skirts[inside].mean() >= 0.7
    assert inside[skirts].mean() >= 0.8
    others = (table["label"] == "bottoms").to_numpy() & ~inside
    assert wrong[inside].mean() > 5 * wrong[others].mean()
    assert table["participant"][inside].nunique() >= 30
    assert table["participant"][inside].value_counts().iloc[0] <= 0.2 * inside.sum()


def test_the_other_withheld_kind_is_a_condition(run: Diagnosis, wrong: Bool, withheld: Bool) -> None:
    (found,) = (one for one in run.insights if one.confirmed and one.scope == "top")
    assert found.text.startswith("garment = undershirt")
    assert withheld[found.mask].all()


def test_a_net_that_saw_every_kind_fails_less_there(table: pd.DataFrame, run: Diagnosis, wrong: Bool) -> None:
    given = pd.read_csv(FOLDER / SECOND)
    errors = errors_of(given)
    assert list(given["file"]) == list(table["file"])
    inside = members(run, "bottoms")
    assert errors[inside].mean() < 0.7 * wrong[inside].mean()


def test_the_readme_says_the_same_figures(
    table: pd.DataFrame, sources: pd.DataFrame, run: Diagnosis, wrong: Bool, withheld: Bool
) -> None:
    text = re.sub(r"\s+", " ", (FOLDER.parent / "README.md").read_text("utf-8"))
    label = table["label"].to_numpy()
    skirts = (sources["garment"] == "Skirt").to_numpy()
    seen = errors_of(pd.read_csv(FOLDER / SECOND))
    sleeveless = withheld & ~skirts
    figures = [
        f"| `clothing` | {len(wrong):,}, {SHORT_SIDE} on the shorter side | {wrong.sum()} ({wrong.mean():.1%})",
        f"wrong on {wrong[skirts].sum()} of the {skirts.sum()} skirts",
        f"{wrong[(label == 'bottoms') & ~skirts].sum()} of the {((label == 'bottoms') & ~skirts).sum()} other bottoms",
        f"{wrong[sleeveless].sum()} of the {sleeveless.sum()} tops without sleeves",
        f"{wrong[(label == 'top') & ~sleeveless].sum()} of the {((label == 'top') & ~sleeveless).sum()} other tops",
        f"wrong on {seen[skirts].sum()} of the same skirts",
        f"{table['participant'].nunique()} people",
    ]
    inside = members(run, "bottoms")
    others = (label == "bottoms") & ~inside
    figures += [
        f"{wrong[inside].sum()} of its {inside.sum()} images are wrong",
        f"{wrong[others].sum()} of the other {others.sum()} bottoms",
        f"{skirts[inside].sum()} of the {inside.sum()} are skirts",
    ]
    for figure in figures:
        assert figure in text, f"assets/examples/README.md should say: {figure}"


def photographs(n: int = 40) -> list[Photograph]:
    """Each garment in turn, taken by ten people."""
    garments = [garment for names in CLASSES.values() for garment in names]
    return [Photograph(f"images/{i}.jpg", str(i % 10), garments[i % len(garments)]) for i in range(n)]


def test_nobody_is_in_both_halves() -> None:
    half = halves([str(i) for i in range(9)])
    assert sorted(half.values()) == [0] * 5 + [1] * 4
    assert half == halves([str(i % 9) for i in range(30)])


def test_a_label_gives_at_most_so_many_images_and_the_rest_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MAX_AUDIT, "Pants", 1)
    given = photographs(48)
    chosen = choose_audit(given)
    assert len(set(chosen)) == len(chosen)
    assert [one.garment for one in chosen].count("Pants") == 1
    assert {one for one in given if one.garment != "Pants"} <= set(chosen)


def test_no_net_is_scored_on_its_own_people_and_the_first_saw_nothing_withheld(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each photograph is gray by its number, so that a stand-in for the training sees which it was given."""
    given = photographs()
    (tmp_path / "images").mkdir()
    for i, one in enumerate(given):
        Image.new("RGB", (8, 8), (6 * i,) * 3).save(tmp_path / one.source, quality=100, subsampling=0)
    with (tmp_path / "images.csv").open("w", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(["image", "sender_id", "label", "kids"])
        lines.writerows([Path(one.source).stem, one.participant, one.garment, "False"] for one in given)
        lines.writerow(["absent", "3", "Pants", "False"])
    assert read_photographs(tmp_path) == given
    trained = list[set[int]]()

    def train(pixels: Tensor, labels: Tensor, *_: object, **__: object) -> None:
        assert len(pixels) == len(labels)
        trained.append({round(gray / 6) for gray in pixels[:, 0, 0, 0].tolist()})

    def probabilities(_: None, pixels: Tensor) -> F64:
        return np.full((len(pixels), len(CLASSES)), 1 / len(CLASSES))

    monkeypatch.setattr(make_clothing, "train_victim", train)
    monkeypatch.setattr(make_clothing, "victim_probabilities", probabilities)
    make_clothing.make(tmp_path, tmp_path / "out")
    half = halves([one.participant for one in given])
    others = {i for i, one in enumerate(given) if half[one.participant] == 0}
    assert trained[1] == others
    assert trained[0] == {i for i in others if given[i].garment not in WITHHELD}
    audited = pd.read_csv(tmp_path / "out" / "sources.csv")["source"]
    assert set(audited) == {one.source for one in given if half[one.participant] == 1}
    assert len(pd.read_csv(tmp_path / "out" / SECOND)) == len(audited)


def test_a_photograph_is_turned_upright_made_small_and_loses_what_the_camera_wrote(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274], exif[271] = 6, "a camera"  # lies on its side
    Image.new("RGB", (400, 300), (200, 40, 40)).save(tmp_path / "photo.jpg", exif=exif)
    again = Image.open(io.BytesIO(shrunk(tmp_path / "photo.jpg")))
    assert again.size == (240, 320)
    assert not again.getexif()


def test_a_folder_without_the_list_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"images\.csv is missing"):
        read_photographs(tmp_path)
