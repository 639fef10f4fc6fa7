"""What the example of real photographs says is true of its table, its images and its run."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from core.errors import InvalidInput
from core.records import F64, Bool, Diagnosis
from core.statistics.ranking import auroc
from core.store import load
from research.examples.make_clothing import FOLDER, Photograph, find, orientation, read_sources, shrunk
from tests.support.scenes import chance_of


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return pd.read_csv(FOLDER / "table.csv")


@pytest.fixture(scope="module")
def run() -> Diagnosis:
    return load(FOLDER / "run.errata")


@pytest.fixture(scope="module")
def wrong(table: pd.DataFrame) -> Bool:
    """(n,) what the table says, without our reader."""
    called = table.filter(like="prob_").idxmax(axis=1).str.removeprefix("prob_")
    return (called != table["label"]).to_numpy()


@pytest.fixture(scope="module")
def inside(run: Diagnosis) -> Bool:
    """(n,) the members of the first cluster."""
    return run.clusters[0].membership >= 0.5


def measured(run: Diagnosis, name: str) -> F64:
    return next(column.values for column in run.samples.metadata if column.name == name)


def test_each_picture_has_a_row_a_source_and_no_camera_data(table: pd.DataFrame) -> None:
    sources = read_sources(FOLDER / "sources.csv")
    assert [one.file for one in sources] == list(table["file"])
    assert [one.label for one in sources] == list(table["label"])
    assert [int(one.participant) for one in sources] == list(table["participant"])
    assert len({one.source for one in sources}) == len(sources)
    with zipfile.ZipFile(FOLDER / "images.zip") as archive:
        assert archive.namelist() == list(table["file"])
        for name, said in zip(table["file"][::50], table["orientation"][::50]):
            picture = Image.open(io.BytesIO(archive.read(name)))
            assert min(picture.size) == 160
            assert orientation(*picture.size) == said
            assert not picture.getexif()


def test_the_licence_names_the_source_and_lies_beside_the_pictures() -> None:
    said = (FOLDER / "LICENCES.md").read_text("utf-8")
    assert "CC0 1.0" in said
    assert "https://github.com/alexeygrigorev/clothing-dataset-small" in said


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


def test_what_is_found_fails_more_than_the_rest_and_is_no_one_persons(
    table: pd.DataFrame, run: Diagnosis, wrong: Bool, inside: Bool
) -> None:
    first = run.clusters[0]
    assert first.confirmed
    assert (first.scope, first.size) == ("all samples", int(inside.sum()))
    assert first.error_rate is not None
    assert 0.7 * wrong[inside].mean() < first.error_rate.value <= wrong[inside].mean()  # less what the search added
    assert first.error_outside == pytest.approx(wrong[~inside].mean())
    assert wrong[inside].mean() > 1.5 * wrong[~inside].mean()
    assert first.excess_loss.low > 0
    assert table["participant"][inside].value_counts().iloc[0] <= 0.25 * inside.sum()
    assert table["label"][inside].value_counts().iloc[0] <= 0.25 * inside.sum()


def test_its_pictures_are_on_patterned_grounds_and_such_grounds_fail(run: Diagnosis, wrong: Bool, inside: Bool) -> None:
    """Two measurements that do not come from the encoder bear out what a person sees."""
    plain = measured(run, "plain border")
    assert auroc(-plain, inside) > 0.6
    assert auroc(measured(run, "edge density"), inside) > 0.6
    least = plain <= np.quantile(plain, 0.1)
    assert wrong[least].mean() > 1.4 * wrong[~least].mean()
    assert chance_of(pd.crosstab(least, wrong)) < 0.001


def test_the_readme_says_the_same_figures(run: Diagnosis, wrong: Bool, inside: Bool) -> None:
    said = re.sub(r"\s+", " ", (FOLDER.parent / "README.md").read_text("utf-8"))
    n, errors, first = len(wrong), int(wrong.sum()), run.clusters[0]
    within, outside, rest = int(wrong[inside].sum()), int(wrong[~inside].sum()), int((~inside).sum())
    assert f"| `clothing` | {n}, 160 on the shorter side | {errors} ({errors / n:.1%})" in said
    assert first.error_rate is not None
    rate, low, high = (100 * v for v in (first.error_rate.value, first.error_rate.low, first.error_rate.high))
    for figure in (
        f"{within} of its {first.size}",
        f"{outside} of the other {rest}",
        f"{rate:.0f}% (95% {low:.0f} to {high:.0f}%)",
        f"{first.excess_loss.value:.2f} nats",
        f"{first.excess_loss.low:.2f} to {first.excess_loss.high:.2f}",
    ):
        assert figure in said, f"assets/examples/README.md should say: {figure}"


def test_a_photograph_is_turned_upright_made_small_and_loses_what_the_camera_wrote(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274], exif[271] = 6, "a camera"  # lies on its side
    Image.new("RGB", (400, 300), (200, 40, 40)).save(tmp_path / "photo.jpg", exif=exif)
    again = Image.open(io.BytesIO(shrunk(tmp_path / "photo.jpg")))
    assert again.size == (160, 213)
    assert not again.getexif()


def test_a_photograph_is_found_at_either_place_and_missed_by_name(tmp_path: Path) -> None:
    one = Photograph("0000.webp", "train/hat/abc.jpg", "7")
    with pytest.raises(InvalidInput, match=r"hat/abc\.jpg is missing"):
        find(one, tmp_path)
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "abc.jpg").touch()
    assert find(one, tmp_path).parent.name == "images"
    (tmp_path / "train" / "hat").mkdir(parents=True)
    (tmp_path / one.source).touch()
    assert find(one, tmp_path) == tmp_path / one.source
