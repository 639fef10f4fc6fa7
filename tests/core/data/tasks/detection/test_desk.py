"""Boxes and classes that are written in another way than the truth's stop the reading; a poor detector does not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.data.tasks.detection.boxes import Boxes, Raw
from core.data.tasks.detection.desk import check_detections
from core.errors import InvalidInput
from core.records.ledger import TAKEN_AS_IS, Ledger
from tests.support.detections import audited, refused

N, NAMES = 60, ("cat", "dog", "bus")


def drawn(seed=0, *, found=0.7, off=0.05, called=0.9, each=3, relative=False):
    """Images of many sizes, and a detector that places boxes `off` by a share of their sides."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(200, 800, (N, 2)).astype(float)
    image = np.repeat(np.arange(N), each)
    extent = rng.uniform(0.06, 0.3, (len(image), 2)) * sizes[image]
    start = rng.uniform(0, 1, (len(image), 2)) * (sizes[image] - extent)
    kind = rng.choice(3, len(image), p=(0.5, 0.3, 0.2))
    truth = boxes(image, kind, np.concatenate([start, extent], axis=1), np.ones(len(image)))
    rows = np.flatnonzero(rng.random(len(image)) < found)
    said = truth.xywh[rows] + rng.normal(0, off, (len(rows), 4)) * truth.xywh[rows][:, [2, 3, 2, 3]]
    guess = np.where(rng.random(len(rows)) < called, kind[rows], rng.integers(0, 3, len(rows)))
    results = boxes(image[rows], guess, said, rng.uniform(0.3, 1, len(rows)))
    names = tuple(f"{i:03d}.png" for i in range(N))
    books, ids = (Ledger(len(truth)), Ledger(len(results))), np.arange(1, N + 1, dtype=np.float64)
    numbers = ids[results.image], tuple(map(str, range(3))), tuple(map(str, guess.tolist()))
    return Raw(NAMES, names, sizes, truth, results, *books, ids, *numbers, relative=relative), truth, sizes


def boxes(image, kind, xywh, score):
    return Boxes(tuple(map(str, range(len(image)))), image, kind, xywh, score, np.zeros(len(image), np.bool_))


def notes(raw, truth, sizes, *, as_is=False):
    ledger = Ledger(N, as_is=as_is)
    check_detections(raw, truth, np.r_[np.arange(N), -1], sizes, ledger)
    return ledger.notes


def stopped(raw, truth, sizes, **predictions):
    changed = replace(raw, predictions=replace(raw.predictions, **predictions))
    with pytest.raises(InvalidInput) as caught:
        notes(changed, truth, sizes)
    assert notes(changed, truth, sizes, as_is=True)[0].removeprefix(f"{TAKEN_AS_IS} ") in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(
    "detector",
    [{}, {"found": 0.2}, {"off": 0.25}, {"off": 0.4}, {"called": 0.0}, {"each": 1}, {"found": 0.03}, {"found": 0.0}],
    ids=str,
)
def test_no_word_about_a_detector_good_or_poor(detector, seed):
    assert notes(*drawn(seed, **detector)) == []


def test_a_detector_of_no_more_than_chance_is_noted():
    raw, truth, sizes = drawn()
    anywhere = np.roll(raw.predictions.xywh, 7, axis=0)
    said = notes(replace(raw, predictions=replace(raw.predictions, xywh=anywhere)), truth, sizes)
    assert len(said) == 1
    assert "hardly more than on objects of another image" in said[0]


longer = lambda size: np.repeat(size.max(axis=1, keepdims=True), 2, axis=1)  # noqa: E731
FORMS = {
    "left, top, right, bottom.": lambda at, of, size: (at, at + of),
    "center, width, height.": lambda at, of, size: (at + of / 2, of),
    "left, top, width, height, x and y exchanged.": lambda at, of, size: (at[:, ::-1], of[:, ::-1]),
    "counted from the bottom.": lambda at, of, size: (np.c_[at[:, 0], (size - at - of)[:, 1]], of),
    "counted from the right.": lambda at, of, size: (np.c_[(size - at - of)[:, 0], at[:, 1]], of),
    "left, top, width, height, where the whole image is 1 by": lambda at, of, size: (at / size, of / size),
    "left, top, right, bottom, where the whole image is 1 by": lambda at, of, size: (at / size, (at + of) / size),
    "left, top, width, height, where the whole image is 96 by 6": lambda at, of, size: (
        at / size * (96, 64), of / size * (96, 64),
    ),
    "left, top, width, height, where the longer side is 1": lambda at, of, size: (
        at / longer(size) * 128, of / longer(size) * 128,
    ),
    "left, top, width, height, where the longer side is 1.*with a border": lambda at, of, size: (
        64 + (at - size / 2) / longer(size) * 128, of / longer(size) * 128,
    ),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_boxes_of_another_form_or_scale_are_refused_with_what_they_are(form):
    raw, truth, sizes = drawn(off=0.01)
    said = raw.predictions
    written = FORMS[form](said.xywh[:, :2], said.xywh[:, 2:], sizes[said.image])
    message = stopped(raw, truth, sizes, xywh=np.concatenate(written, axis=1))
    assert f"of {len(said)} if they are read as {form.split('.*')[0]}" in message
    assert form.split(".*")[-1] in message


@pytest.mark.parametrize("form", ["left, top, width, height", "left, top, right, bottom"])
def test_yolo_boxes_that_begin_at_a_corner_are_refused(form):
    raw, truth, sizes = drawn(relative=True)
    size = sizes[raw.predictions.image]
    start, extent = raw.predictions.xywh[:, :2] / size, raw.predictions.xywh[:, 2:] / size
    raw = replace(raw, predictions=replace(raw.predictions, xywh=np.concatenate([start, extent], axis=1)))
    assert notes(raw, truth, sizes) == []
    extent = start + extent if "right" in form else extent  # read as the center, and turned into a corner
    message = stopped(raw, truth, sizes, xywh=np.concatenate([start - extent / 2, extent], axis=1))
    assert f"read as {form}. Write each box for its own image, as center, width and height in shares" in message


@pytest.mark.parametrize(
    ("images", "expected"),
    [
        (lambda image: image - 1, "numbered 1 higher"),
        (lambda image: image + 1, "numbered 1 lower"),
        (lambda image: np.argsort(np.argsort(np.arange(N)[::-1]))[image], "sorted by name"),
    ],
)
def test_results_of_other_pictures_are_refused(images, expected):
    raw, truth, sizes = drawn()
    raw = replace(raw, image_names=raw.image_names[::-1])
    image = images(raw.predictions.image)
    there = (image >= 0) & (image < N)
    raw = replace(raw, predicted_image_ids=image + 1.0)
    assert expected in stopped(raw, truth, sizes, image=np.where(there, image, -1))


def test_ids_that_are_places_in_the_list_are_refused():
    raw, truth, sizes = drawn()
    ids = np.random.default_rng(0).permutation(N) + 1.0
    place = {number: i for i, number in enumerate(ids.tolist())}
    raw = replace(raw, image_ids=ids, predicted_image_ids=raw.predictions.image + 1.0)
    other = np.array([place[number] for number in raw.predicted_image_ids.tolist()])
    assert "positions in the list of images from 1, instead of ids" in stopped(raw, truth, sizes, image=other)


def test_boxes_that_would_fit_any_picture_are_not_taken_for_another_form():
    raw, _, sizes = drawn(each=1, found=1)
    rng = np.random.default_rng(0)
    middle = sizes[np.arange(N)] * 0.5
    objects = boxes(
        np.arange(N), np.zeros(N, np.int64), np.concatenate([middle - 40, 0 * middle + 80], axis=1), np.ones(N)
    )
    xywh = objects.xywh + np.concatenate([rng.normal(60, 5, (N, 2)), np.zeros((N, 2))], axis=1)
    said = notes(replace(raw, predictions=replace(raw.predictions, xywh=xywh)), objects, sizes)
    assert ["hardly more than" in note for note in said] == [True]


@pytest.mark.parametrize("numbers", [("1", "2", "3"), ("2", "0", "1")])
def test_classes_numbered_otherwise_are_refused_with_both_numbers(numbers):
    raw, truth, sizes = drawn()
    raw = replace(raw, predicted_class_ids=tuple(numbers[int(one)] for one in raw.predicted_class_ids))
    message = stopped(raw, truth, sizes)
    pairs = [f"{i} ({name!r}) in the truth is {numbers[i]} in the predictions" for i, name in enumerate(NAMES[:2])]
    assert ", ".join(pairs) in message
    assert "if renumbered" in message


@pytest.mark.parametrize("unseen", [range(30), range(0, 60, 3)])
def test_pictures_that_the_detector_has_not_seen_are_noted(unseen):
    raw, truth, sizes = drawn()
    keep = np.flatnonzero(~np.isin(raw.predictions.image, unseen))
    raw = replace(raw, predictions=raw.predictions.keep(keep), predicted_image_ids=raw.predicted_image_ids[keep],
                  predicted_class_ids=tuple(raw.predicted_class_ids[i] for i in keep))  # fmt: skip
    said = notes(raw, truth, sizes)
    assert len(said) == 1
    assert f"{len(unseen)} of 60 images with objects have no prediction" in said[0]


def test_files_that_are_written_so_are_refused_and_read_as_they_are_if_told_so(made):
    results = [one | {"bbox": [one["bbox"][i] for i in (1, 0, 3, 2)]} for one in made.results]
    refused(made, "x and y exchanged.*--as-is", results=results)
    audit = audited(made, as_is=True)
    assert [note for note in audit.notes if "x and y exchanged" in note]
    assert len(audit.samples) == len(made.annotations)
