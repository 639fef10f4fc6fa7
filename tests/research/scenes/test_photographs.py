"""Scenes on tiny cut-outs and photographs made here: no package, no network."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from core.errors import InvalidInput
from research.scenes.photographs import SceneObject, SceneSpec, caption, render
from tests.support.scenes import chance_of, photograph_of

EXAMPLES = Path(__file__).parents[3] / "assets" / "examples"


@pytest.fixture(scope="module")
def cutouts() -> dict[str, Image.Image]:
    """A disc and a box on a ground that is transparent but, below its alpha, pure green: a fringe of it would show."""

    def drawn(shape: str, colour: tuple[int, int, int]) -> Image.Image:
        mask = Image.new("L", (64, 64))
        getattr(ImageDraw.Draw(mask), shape)((8, 8, 55, 55), fill=255)
        image = Image.composite(Image.new("RGB", (64, 64), colour), Image.new("RGB", (64, 64), (0, 255, 0)), mask)
        image.putalpha(mask)
        return image

    red, blue = (220, 30, 30), (30, 30, 220)
    return {"red disc": drawn("ellipse", red), "blue disc": drawn("ellipse", blue), "red box": drawn("rectangle", red)}


@pytest.fixture(scope="module")
def photographs() -> dict[str, Image.Image]:
    return {"wall": Image.new("RGB", (90, 60), (120, 120, 120)), "floor": Image.new("RGB", (80, 40), (120, 120, 120))}


def scene(**changes: object) -> SceneSpec:
    """A red disc of half the side, standing in the middle before the gray wall."""
    thing = SceneObject("disc", "red disc", size=0.5, x=0.5, y=0.75)
    plain = {"objects": (thing,), "photograph": "wall", "environment": "wall", "crop": (0.0, 0.0, 1.0)}
    return SceneSpec(**{**plain, **changes})  # type: ignore[arg-type]


def test_the_same_spec_gives_the_same_pixels_and_another_seed_other_flakes(cutouts, photographs):
    first, again = (np.asarray(render(scene(weather="snow", seed=3), cutouts, photographs, size=96)) for _ in range(2))
    other = np.asarray(render(scene(weather="snow", seed=4), cutouts, photographs, size=96))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_the_object_has_the_size_and_place_that_the_spec_says(cutouts, photographs):
    pixels = np.asarray(render(scene(), cutouts, photographs, size=200), np.int64)
    rows, columns = np.nonzero(pixels[..., 0] - pixels[..., 2] > 100)  # red against gray
    assert abs((np.ptp(rows) + 1) / 200 - 0.5) < 0.02
    assert abs((np.ptp(columns) + 1) / 200 - 0.5) < 0.02
    assert abs(rows.max() / 200 - 0.75) < 0.02
    assert abs(columns.mean() / 200 - 0.5) < 0.02


@pytest.mark.parametrize("angle", [0.0, 17.0])
def test_no_fringe_of_the_hidden_ground_shows(cutouts, photographs, angle):
    thing = SceneObject("disc", "red disc", size=0.5, x=0.5, y=0.75, angle=angle)
    pixels = np.asarray(render(scene(objects=(thing,)), cutouts, photographs, size=160), np.int64)
    assert (
        pixels[..., 1] - np.maximum(pixels[..., 0], pixels[..., 2])
    ).max() < 12  # grain alone; a green fringe is 100 and more


def test_each_light_is_darker_than_the_one_before_and_fog_takes_contrast_away(cutouts, photographs):
    means = [
        np.asarray(render(scene(light=k, exposure=e), cutouts, photographs)).mean()
        for k, e in (("bright", 1.0), ("dim", 0.68), ("dark", 0.38))
    ]
    assert means[0] > 1.2 * means[1] > 1.2 * 1.2 * means[2]
    clear, fog = (np.asarray(render(scene(weather=w), cutouts, photographs)).std() for w in ("clear", "fog"))
    assert fog < 0.9 * clear


def test_a_dark_photograph_is_exposed_like_a_bright_one(cutouts):
    dark, bright = ({"wall": Image.new("RGB", (90, 60), (v, v, v))} for v in (66, 140))
    difference = np.asarray(render(scene(), cutouts, bright)).mean() - np.asarray(render(scene(), cutouts, dark)).mean()
    assert abs(difference) < 8


def test_the_last_object_is_in_front(cutouts, photographs):
    red, blue = (SceneObject("disc", f"{c} disc", size=0.5, x=0.5, y=0.75) for c in ("red", "blue"))
    middle = np.asarray(render(scene(objects=(red, blue)), cutouts, photographs, size=100))[50, 50]
    assert middle[2] > middle[0]


def test_a_scene_survives_json():
    assert photograph_of(json.loads(json.dumps(scene().to_dict()))) == scene()


def test_the_caption_names_the_factors():
    small = SceneObject("bird", "swan", size=0.3, x=0.2, y=0.8)
    big = SceneObject("animal", "goat", size=0.7, x=0.6, y=0.9)
    assert caption(scene(objects=(small,), weather="fog", light="dark", environment="lake")) == (
        "a small bird on the left, in fog, in the dark, with a lake behind"
    )
    assert (
        caption(scene(objects=(small, big)))
        == "a small bird on the left and a large animal in the middle, with a wall behind"
    )


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"photograph": "moon"}, "photograph 'moon'"),
        ({"objects": (SceneObject("disc", "green disc", 0.5, 0.5, 0.7),)}, "cut-out 'green disc'"),
        ({"weather": "hail"}, "'hail'"),
        ({"crop": (0.0, 0.0, 1.5)}, "1.5"),
        ({"objects": (SceneObject("disc", "red disc", 0.0, 0.5, 0.7),)}, "0.0"),
    ],
)
def test_an_impossible_scene_is_refused_by_name(cutouts, photographs, changes, names):
    with pytest.raises(InvalidInput, match=names):
        render(scene(**changes), cutouts, photographs)


@pytest.mark.parametrize(("name", "n_planted"), [("scenes", 3), ("nothing_to_find", 0)])
def test_the_shipped_examples_agree_with_their_truth(name, n_planted):
    pd = pytest.importorskip("pandas")
    folder = EXAMPLES / name
    table, truth = pd.read_csv(folder / "table.csv"), json.loads((folder / "truth.json").read_text())
    with zipfile.ZipFile(folder / "images.zip") as archive:
        assert archive.namelist() == list(table["file"]) == list(truth["scenes"])
        with archive.open(table["file"][0]) as file:
            assert Image.open(file).size == (320, 320)
    scores = table.filter(like="prob_")
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-5)
    wrong = scores.idxmax(axis=1).str.removeprefix("prob_") != table["label"]
    assert wrong.sum() == truth["errors"]
    assert len(truth["planted"]) == n_planted
    for fact in truth["planted"]:
        inside = table["file"].isin(fact["files"])
        assert inside.equals((table[list(fact["conditions"])] == pd.Series(fact["conditions"])).all(axis=1))
        assert fact["errors_inside"] == [wrong[inside].sum(), inside.sum()]
        assert wrong[inside].mean() > 2 * wrong[~inside].mean()
    for row, spec in zip(table.to_dict("records"), truth["scenes"].values()):
        known = photograph_of(spec)
        assert (known.weather, known.light, known.objects[0].identity) == (
            row["weather"],
            row["light"],
            row["identity"],
        )


def test_nothing_to_find_has_errors_that_follow_no_column():
    pd = pytest.importorskip("pandas")
    table = pd.read_csv(EXAMPLES / "nothing_to_find" / "table.csv")
    wrong = table.filter(like="prob_").idxmax(axis=1).str.removeprefix("prob_") != table["label"]
    assert wrong.sum() >= 20
    for column in ("label", "weather", "light", "object_size", "environment", "position"):
        assert chance_of(pd.crosstab(table[column], wrong)) > 0.01, column
