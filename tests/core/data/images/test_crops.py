"""Rows that share images are embedded from crop and image, and stay together."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

from core.data.images.columns import FrameImages
from core.data.images.crops import CropImages, DrawnBoxes, crop_images
from core.data.images.outlines import box_mask
from core.embeddings.embed import read_images
from core.embeddings.rows import CONTEXT_WEIGHT, read_rows
from core.errors import InvalidInput
from core.records import ItemView


class Encoder:
    """Mean colors of the four quarters: enough to tell images apart."""

    name, description, modality, fingerprint = "quarters", "test", "image", "0" * 64
    finding_space, joint_space = "finding", "joint"
    logit_scale = 100.0

    def preprocess(self, image):
        return np.asarray(image.resize((2, 2), Image.Resampling.BOX), np.float32).transpose(2, 0, 1)

    def encode_items(self, batch):
        rows = batch.reshape(len(batch), -1) + 1
        unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return unit, unit[:, ::-1]

    def encode_texts(self, texts):
        raise NotImplementedError

    def count_truncated(self, texts):
        return 0


def encoded(image):
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def base():
    """Three images of different grounds, each with a red and a green square; the last cannot be read."""
    pictures = []
    for ground in ("navy", "olive", "gray"):
        picture = Image.new("RGB", (100, 80), ground)
        draw = ImageDraw.Draw(picture)
        draw.rectangle((10, 10, 29, 29), fill="red")
        draw.rectangle((60, 40, 79, 59), fill="lime")
        pictures.append(encoded(picture))
    pictures[2] = b"broken"
    return FrameImages(("a.png", "b.png", "c.png"), pictures)


@pytest.fixture
def crops(base):
    boxes = np.array(
        [[10, 10, 20, 20], [60, 40, 20, 20], [10, 10, 20, 20], [60, 40, 20, 20], [10, 10, 20, 20]], np.float64
    )
    sizes = np.array([[100, 80]] * 3, np.float64)
    return crop_images(base, np.array([0, 0, 1, 1, 2]), boxes, sizes, ["a#0", "a#1", "b#0", "b#1", "c#0"])


def test_a_crop_shows_its_box_with_a_margin(crops):
    picture = Image.open(io.BytesIO(crops.read(0)))
    assert picture.size == (32, 32)  # the smallest side, which is more than 28
    assert picture.getpixel((16, 16)) == (255, 0, 0)
    assert picture.getpixel((0, 0)) == Image.new("RGB", (1, 1), "navy").getpixel((0, 0))


def test_a_crop_of_a_large_box_is_what_the_picture_has(base):
    store = crop_images(base, np.array([0]), np.array([[0.0, 0, 95, 80]]), np.array([[100.0, 80]]), ["a#0"])
    assert Image.open(io.BytesIO(store.read(0))).size == (100, 80)


def test_the_finding_vector_joins_crop_and_picture(crops):
    reading = read_rows(crops, Encoder())
    assert reading.kept.tolist() == [0, 1, 2, 3]
    whole = read_images(crops.base.keep(np.array([0, 1])), Encoder()).embeddings.vectors[[0, 0, 1, 1]]
    alone = read_images(FrameImages(tuple("abcd"), [crops.read(i) for i in range(4)]), Encoder())
    expected = np.concatenate([alone.embeddings.vectors, CONTEXT_WEIGHT * whole], axis=1)
    np.testing.assert_allclose(
        reading.embeddings.vectors, expected / np.linalg.norm(expected, axis=1, keepdims=True), rtol=1e-5
    )
    np.testing.assert_allclose(np.linalg.norm(reading.embeddings.vectors, axis=1), 1, rtol=1e-5)
    # as the docstring says: the cosine is the weighted mean of both cosines
    both = alone.embeddings.vectors @ alone.embeddings.vectors.T + CONTEXT_WEIGHT**2 * whole @ whole.T
    np.testing.assert_allclose(
        reading.embeddings.vectors @ reading.embeddings.vectors.T, both / (1 + CONTEXT_WEIGHT**2), rtol=1e-4
    )
    assert reading.embeddings.space != "finding"  # vectors of plain images must not be compared with these
    words = alone.joint.vectors + CONTEXT_WEIGHT * whole[:, ::-1]
    np.testing.assert_allclose(reading.joint.vectors, words / np.linalg.norm(words, axis=1, keepdims=True), rtol=1e-5)
    assert reading.joint.space == "joint"


def test_properties_say_whether_they_are_of_the_crop_or_of_the_picture(crops):
    columns = {column.name: column.values for column in read_rows(crops, Encoder()).properties}
    assert columns["brightness"][0] != columns["brightness"][1]
    assert columns["brightness of the image"][0] == columns["brightness of the image"][1]
    assert not {"width", "file size", "file format"} & set(columns)


def test_noise_and_tint_are_those_of_the_picture():
    """A crop of a red ball on gray is red all over and as rough as its texture; its image is neither."""
    rough = np.full((200, 200, 3), 128, np.uint8)
    rough[60:120, 60:120] = np.random.default_rng(0).integers(0, 2, (60, 60, 1)) * np.array([180, 10, 10], np.uint8)
    store = FrameImages(("ball",), [encoded(Image.fromarray(rough))])
    box = np.array([[70.0, 70, 30, 30]])
    rows = crop_images(store, np.zeros(1, np.int64), box, np.array([[200.0, 200]]), ["0"])
    assert {c.name: c.values[0] for c in read_images(rows, Encoder()).properties}["noise"] > 0.05
    columns = {column.name: column.values[0] for column in read_rows(rows, Encoder()).properties}
    assert (columns["noise"], columns["tint"]) == (0, "none")
    assert columns["tint strength"] < 0.25


def test_a_picture_that_cannot_be_read_takes_all_its_rows_along(crops):
    reading = read_rows(crops, Encoder())
    assert set(reading.unreadable) == {4}
    assert "c.png" in reading.unreadable[4]


def test_objects_of_one_look_are_not_near_duplicates(base):
    """Ten equal boxes of one image, and a copy of that image: only the copies belong together."""
    store = FrameImages(("a", "b", "copy of a"), [base.read(0), base.read(1), base.read(0)])
    rows = crop_images(
        store,
        np.arange(3).repeat(4),
        np.tile([10.0, 10, 20, 20], (12, 1)),
        np.array([[100.0, 80]] * 3),
        list(map(str, range(12))),
    )
    groups = read_rows(rows, Encoder()).duplicate_groups
    assert len(set(groups[[0, 1, 2, 3, 8, 9, 10, 11]].tolist())) == 1
    assert len(set(groups[4:8].tolist())) == 4  # that they share an image says their own group


def test_pictures_that_rows_share_are_read_once(base):
    counted = []

    class Counting(FrameImages):
        def read(self, index):
            counted.append(index)
            return super().read(index)

    store = Counting(("a", "b"), [base.read(0), base.read(1)])
    rows = ItemView(store, np.array([1, 0, 1, 1]), shared=True)
    reading = read_rows(rows, Encoder())
    assert sorted(counted) == [0, 1]
    assert [rows.name(i) for i in range(4)] == ["b", "a", "b", "b"]
    vectors = reading.embeddings.vectors
    np.testing.assert_array_equal(vectors[[0, 2]], vectors[[2, 3]])
    assert not np.array_equal(vectors[0], vectors[1])
    assert rows.keep(np.array([1])).read(0) == base.read(0)


def test_a_crop_of_a_broken_picture_names_the_picture(crops):
    assert isinstance(crops, CropImages)
    with pytest.raises(InvalidInput, match=r"c\.png"):
        crops.read(4)


def test_boxes_are_drawn_where_they_lie_in_the_crop(base):
    objects = DrawnBoxes(np.array([0, 0, 1]), np.array([[10.0, 10, 20, 20], [60, 40, 20, 20], [0, 0, 100, 80]]))
    predictions = DrawnBoxes(np.array([1]), np.array([[0.0, 0, 5, 5]]))
    sizes = np.array([[100.0, 80]] * 3)
    store = crop_images(base, np.array([0]), objects.boxes[:1], sizes, ["a#0"], (objects, predictions))
    true, predicted = store.marks(0)
    picture = np.asarray(Image.open(io.BytesIO(store.read(0))))
    assert ((picture == (255, 0, 0)).all(2) == (true > 0)).all()  # the red square, and nothing of the green one
    assert not predicted.any()  # a missed object: a line without dashes
    assert store.keep([0]).marks(0)[0].any()


def test_boxes_written_for_another_scale_are_drawn_at_that_of_the_image(base):
    objects = DrawnBoxes(np.array([0]), np.array([[20.0, 20, 40, 40]]))
    store = crop_images(base, np.array([0]), objects.boxes, np.array([[200.0, 160]]), ["a#0"], (objects, objects))
    picture = np.asarray(Image.open(io.BytesIO(store.read(0))))
    assert ((picture == (255, 0, 0)).all(2) == (store.marks(0)[0] > 0)).all()


def test_a_small_box_lies_above_a_large_one():
    mask = box_mask(np.array([[4.0, 4, 4, 4], [0, 0, 20, 20]]), (0, 0, 40, 20), 20)
    assert mask.shape == (10, 20)
    assert len(set(np.unique(mask))) == 3
    assert mask[3, 3] != mask[0, 0] != 0
    assert not mask[:, 10:].any()
