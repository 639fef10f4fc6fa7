"""Pools read from folders and archives."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.errors import Cancelled, InvalidInput
from core.records import F32
from core.systems.probes.few_shot.pools import label_by_folder, read_aliases, read_pool

NAMES = ("great white shark", "Airplane", "dog")


class Colours:
    """An image is its mean color."""

    modality = "image"
    name, fingerprint, joint_space = "colours", "c" * 16, "colors joint"
    description, finding_space, logit_scale = "made", "made", 20.0

    def preprocess(self, image: Image.Image) -> F32:
        return np.asarray(image.resize((2, 2)), np.float32).transpose(2, 0, 1)

    def encode_items(self, batch: F32) -> tuple[F32, F32]:
        rows = batch.mean((2, 3)) + 1
        rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
        return rows, rows

    def encode_texts(self, texts: Sequence[str]) -> F32:
        return np.tile(np.eye(1, 3, dtype=np.float32), (len(texts), 1))

    def count_truncated(self, texts: Sequence[str]) -> int:
        return 0


def picture(path: Path, colour: tuple[int, int, int]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (32, 32), colour).save(path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    top = tmp_path / "pool"
    picture(top / "plane" / "1.png", (250, 0, 0))
    picture(top / "Great_White  Shark" / "1.png", (0, 250, 0))
    picture(top / "Great_White  Shark" / "2.png", (0, 0, 250))
    picture(top / "zebra" / "1.png", (200, 200, 0))
    return top


def test_folders_are_matched_by_name_and_never_by_their_order(folder: Path) -> None:
    pool = read_pool(folder, Colours(), NAMES, aliases={"Plane": "airplane"})
    by_id = dict(zip(pool.images.ids, pool.images.labels.tolist()))
    assert by_id == {"plane/1.png": 1, "Great_White  Shark/1.png": 0, "Great_White  Shark/2.png": 0}
    assert any("'zebra' (1)" in note for note in pool.notes)
    assert any("no folder for 'dog'" in note for note in pool.notes)


def test_a_zip_reads_as_its_folder_does(folder: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "pool.zip", "w") as archive:
        for path in sorted(folder.rglob("*.png")):
            archive.write(path, f"top/{path.relative_to(folder).as_posix()}")
    zipped, plain = (read_pool(path, Colours(), NAMES) for path in (tmp_path / "pool.zip", folder))
    order = [zipped.images.ids.index(name) for name in plain.images.ids]
    np.testing.assert_array_equal(zipped.images.features[order], plain.images.features)
    np.testing.assert_array_equal(zipped.images.labels[order], plain.images.labels)


def test_a_pool_without_class_folders_has_no_labels(tmp_path: Path) -> None:
    picture(tmp_path / "pool" / "a.png", (250, 0, 0))
    picture(tmp_path / "pool" / "some" / "b.png", (0, 250, 0))
    pool = read_pool(tmp_path / "pool", Colours(), NAMES)
    assert pool.images.labels is None
    assert len(pool.images) == 2


def test_folders_may_be_passed_over_or_insisted_on(folder: Path) -> None:
    assert read_pool(folder, Colours(), NAMES, folders="none").images.labels is None
    with pytest.raises(InvalidInput, match=r"No folder of the pool .* has a class's name"):
        read_pool(folder, Colours(), ("cat", "cow"), folders="classes")
    with pytest.raises(InvalidInput, match="folders must be one of"):
        read_pool(folder, Colours(), NAMES, folders="maybe")
    with pytest.raises(InvalidInput, match=r"No folder of the pool \(it has none\) has a class's name"):
        label_by_folder(["a.png", "b.png"], ("cat", "cow"), must=True)


def test_few_matching_folders_leave_the_pool_unlabelled() -> None:
    names = ("dog/a.png", "x/b.png", "x/c.png")
    assert label_by_folder(names, NAMES)[0] is None
    labels, _ = label_by_folder(names, NAMES, must=True)
    assert labels.tolist() == [2, -1, -1]


def test_the_innermost_folder_with_a_class_name_counts() -> None:
    labels, _ = label_by_folder(("dog/airplane/a.png", "dog/puppies/b.png"), NAMES)
    assert labels.tolist() == [1, 2]


def test_unreadable_pictures_are_counted_with_their_reasons(folder: Path) -> None:
    (folder / "plane" / "broken.png").write_bytes(b"no picture")
    pool = read_pool(folder, Colours(), NAMES, folders="none")
    assert len(pool.images) == 4
    assert len(pool.unreadable) == 1
    assert "broken.png" in pool.unreadable[0]
    assert any("Skipped 1 unreadable images of the pool" in note for note in pool.notes)


def test_images_that_are_scored_are_dropped_whatever_their_name(folder: Path) -> None:
    whole = read_pool(folder, Colours(), NAMES, folders="none")
    pool = read_pool(folder, Colours(), NAMES, folders="none", samples=whole.images.features[:1])
    assert pool.images.ids == whole.images.ids[1:]
    assert any(note.startswith("Removed 1 of the pool's 4 images") for note in pool.notes)
    with pytest.raises(InvalidInput, match="Every image of the pool is also among the samples"):
        read_pool(folder, Colours(), NAMES, folders="none", samples=whole.images.features)


def test_a_pool_without_pictures_is_refused(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("nothing here")
    with pytest.raises(InvalidInput, match="has no images"):
        read_pool(tmp_path, Colours(), NAMES)


def test_reading_can_be_cancelled(folder: Path) -> None:
    def stop(*_: object) -> None:
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        read_pool(folder, Colours(), NAMES, progress=stop)


def test_the_cache_gives_the_same_vectors(folder: Path, tmp_path: Path) -> None:
    first, again = (read_pool(folder, Colours(), NAMES, cache=tmp_path / "kept") for _ in range(2))
    np.testing.assert_array_equal(first.images.features, again.images.features)


def test_other_names_are_read_from_text_or_file_in_either_shape(tmp_path: Path) -> None:
    assert read_aliases('{"plane": "airplane"}', NAMES) == {"plane": "Airplane"}
    (tmp_path / "names.json").write_text(json.dumps({"airplane": ["plane", "jet"], "dog": "puppy"}))
    assert read_aliases(tmp_path / "names.json", NAMES) == {"plane": "Airplane", "jet": "Airplane", "puppy": "dog"}
    assert read_aliases("", NAMES) == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"plane": ', "invalid JSON"),
        ('{"plane": "boat"}', "neither 'plane' nor 'boat' is a class"),
        ('{"dog": [1]}', "must be text or a list"),
        ("missing.json", "File 'missing.json' not found"),
    ],
)
def test_other_names_that_say_nothing_are_refused(text: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        read_aliases(text, NAMES)


@pytest.mark.parametrize("text", ["a\0b", '{"a":' * 50_000, '{"dog": ' + "1" * 6000 + "}", "[1]"])
def test_other_names_that_are_no_sound_json_are_bad_input(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"[Oo]ther names"):
        read_aliases(text, NAMES)


def test_other_names_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "n.json").write_text('{"plane": "airplane"}', "utf-8-sig")
    assert read_aliases(tmp_path / "n.json", NAMES) == {"plane": "Airplane"}


def test_folders_match_a_class_however_its_accents_are_composed() -> None:
    labels, _ = label_by_folder(["cafe\u0301/1.png", "b/2.png"], ["caf\u00e9", "b"])
    assert labels is not None
    assert labels.tolist() == [0, 1]
