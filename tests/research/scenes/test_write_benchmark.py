"""What is written has the shapes that Cola, CLEVR and NegCLIP are published in, and says what was drawn."""

import ast
import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.errors import InvalidInput
from core.systems.composition.readers import read_benchmark
from core.systems.composition.scenes.items import RenderedPlan, draw_items
from core.systems.composition.scenes.render import render_scene
from core.systems.composition.scenes.shapes import Scene, Shape
from research.scenes.retrieval import draw_retrieval
from research.scenes.write_benchmark import MULTI, SINGLE, Form, truth, write_benchmark
from tests.support.scenes import scene_of

PLAN = RenderedPlan()
ITEMS = draw_items(PLAN, 7, 0, "unseen")
TRAIN = draw_items(PLAN, 5, 0, "train")
SINGLES = draw_retrieval(PLAN, 9, 6, 0, "unseen")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("rendered")
    written = write_benchmark(place, ITEMS, SINGLES, TRAIN, PLAN.held_out, size=48, form="png")
    assert (written.pictures, written.items, written.queries, written.training_rows) == (
        14 + 9 + 10,
        7,
        len(SINGLES.queries),
        10,
    )
    assert written.picture_bytes == sum(path.stat().st_size for path in (place / "images").iterdir())
    return place


def loaded(path: Path) -> object:
    return json.loads(path.read_text("utf-8"))


def test_the_matching_file_is_a_list_of_picture_caption_picture_caption(folder: Path):
    rows: list[list[str]] = loaded(folder / MULTI)  # type: ignore[assignment]
    assert [row[1::2] for row in rows] == [list(item.captions) for item in ITEMS]
    for row, item in zip(rows, ITEMS, strict=True):
        for name, scene in zip(row[::2], item.scenes, strict=True):
            np.testing.assert_array_equal(np.asarray(Image.open(folder / name)), np.asarray(render_scene(scene, 48)))


def test_the_single_object_file_has_labels_and_rows_of_picture_annotation_label_hard(folder: Path):
    document: dict[str, list] = loaded(folder / SINGLE)  # type: ignore[assignment, type-arg]
    assert document["labels"] == list(SINGLES.captions)
    assert [row[2] for row in document["data"]] == SINGLES.labels.T.astype(int).tolist()
    assert [row[3] for row in document["data"]] == SINGLES.hard.T.astype(int).tolist()
    assert all((folder / row[0]).is_file() and len(row[1]) >= 3 for row in document["data"])
    assert document["seen"] == [c for c, split in zip(SINGLES.captions, SINGLES.splits, strict=True) if split == "seen"]


def test_the_scenes_are_in_clevrs_form_and_can_be_drawn_again(folder: Path):
    scenes: list[dict] = loaded(folder / "scenes.json")["scenes"]  # type: ignore[index, type-arg]
    assert [scene["image_index"] for scene in scenes] == list(range(33))
    assert {scene["image_filename"] for scene in scenes} == {path.name for path in (folder / "images").iterdir()}
    for told in scenes[::5]:
        assert set(told["objects"][0]) >= {"shape", "color", "material", "size", "pixel_coords"}
        picture = np.asarray(Image.open(folder / "images" / told["image_filename"]))
        np.testing.assert_array_equal(picture, np.asarray(render_scene(scene_of(told["scene"]), 48)))


def test_the_truth_has_clevrs_keys_and_says_who_is_left_of_whom():
    things = (
        Shape("cube", "red", "striped", "small", 0.2, 0.5, 0.2),
        Shape("ball", "blue", "matte", "large", 0.7, 0.52, 0.4),
        Shape("ball", "green", "dotted", "small", 0.7, 0.1, 0.2),
    )
    told = truth(Scene(things), 3, "a.webp", "seen", side=224)
    assert (told["image_index"], told["image_filename"], told["split"]) == (3, "a.webp", "seen")
    assert told["objects"][1] == {
        **{"shape": "ball", "color": "blue", "material": "matte", "size": "large"},
        **{"pixel_coords": [157, 116, 0], "rotation": 0.0},
    }
    assert told["relationships"]["left"] == [[], [0], [0]]
    assert told["relationships"]["above"] == [[2], [2], []]


def test_the_training_table_names_the_swapped_caption_and_the_other_pictures_row(folder: Path):
    with (folder / "train.tsv").open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert list(rows[0]) == ["title", "filepath", "neg_caption", "neg_image"]
    for i, row in enumerate(rows):
        (other,) = ast.literal_eval(row["neg_image"])
        assert other == i + (1 if i % 2 == 0 else -1)
        assert ast.literal_eval(row["neg_caption"]) == [rows[other]["title"]]
        assert (row["title"], (folder / row["filepath"]).is_file()) == (TRAIN[i // 2].captions[i % 2], True)


def test_tags_and_held_out_pairs_are_written_beside(folder: Path):
    assert loaded(folder / "tags.json") == {str(i): dict(item.tags) for i, item in enumerate(ITEMS)}
    assert loaded(folder / "held_out.json") == {
        "colour": sorted(map(list, PLAN.held_out.colour)),
        "material": sorted(map(list, PLAN.held_out.material)),
    }


@pytest.mark.parametrize(
    ("name", "file", "captions"),
    [
        ("cola", MULTI, [item.captions for item in ITEMS]),
        ("cola-single", SINGLE, [(caption,) for caption in SINGLES.captions]),
    ],
)
def test_our_own_readers_of_cola_read_them(folder: Path, name: str, file: str, captions: list[tuple[str, ...]]):
    benchmark = read_benchmark(name, folder / file)
    assert [item.captions for item in benchmark.items] == captions
    assert not benchmark.excluded


@pytest.mark.parametrize("name", ["clevr", "negclip"])
def test_our_own_readers_of_scenes_and_training_tables_read_them(folder: Path, name: str):
    benchmark = read_benchmark(name, folder / {"clevr": "scenes.json", "negclip": "train.tsv"}[name])
    assert len(benchmark) > 0
    assert {Path(picture.name).name for picture in benchmark.pictures} <= {
        path.name for path in (folder / "images").iterdir()
    }


@pytest.mark.parametrize("form", ["webp", "webp lossless"])
def test_webp_is_close_to_the_drawing_and_lossless_is_equal(tmp_path: Path, form: Form):
    write_benchmark(tmp_path, ITEMS[:1], form=form)
    apart = np.abs(
        np.asarray(Image.open(tmp_path / "images" / "pair_00000.webp"), float)
        - np.asarray(render_scene(ITEMS[0].scenes[0]), float)
    )
    assert apart.mean() == 0 if form == "webp lossless" else apart.mean() < 4


def test_only_what_was_given_is_written(tmp_path: Path):
    write_benchmark(tmp_path, train=TRAIN, size=32)
    assert {path.name for path in tmp_path.iterdir()} == {"images", "train.tsv", "scenes.json"}


def test_items_of_the_test_are_no_training_table(tmp_path: Path):
    with pytest.raises(InvalidInput, match="unseen"):
        write_benchmark(tmp_path, train=ITEMS)


def test_a_folder_with_pictures_is_not_written_into(tmp_path: Path):
    write_benchmark(tmp_path, ITEMS[:1], size=32)
    with pytest.raises(InvalidInput, match="already holds pictures"):
        write_benchmark(tmp_path, ITEMS[:1], size=32)


def test_an_unknown_form_is_refused(tmp_path: Path):
    with pytest.raises(InvalidInput, match="gif"):
        write_benchmark(tmp_path, ITEMS, form="gif")  # type: ignore[arg-type]
