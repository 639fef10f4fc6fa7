"""Mistakes with several labels an image, with boxes, and with files."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from tests.mistakes.judging import Mistake
from tests.mistakes.right import SIDES, Brought, World, boxes, softmax, yolo_files, yolo_line
from tests.mistakes.words import BOXES, CODES, SHARES


def _results(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Brought, World], Brought]:
    """The change in each of a detector's results."""
    return lambda t, w: t.file("results.json", lambda rows: [{**one, **change(one)} for one in rows])


def _found(line: Callable[[dict[str, Any], list[float]], list[float]]) -> Callable[[Brought, World], Brought]:
    """Other lines in a detector's YOLO files, from the result and the right line."""

    def make(t: Brought, w: World) -> Brought:
        results = boxes(w)[2]
        return replace(t, files={**t.files, **yolo_files(results, "found", lambda one: line(one, yolo_line(one)))})

    return make


def _corners(box: list[float]) -> list[float]:
    return [box[0], box[1], box[0] + box[2], box[1] + box[3]]


def _times(box: list[float], *factors: float) -> list[float]:
    return [value * factor for value, factor in zip(box, factors * 2)]


def _in_other_order(t: Brought, w: World) -> Brought:
    rows = map(json.loads, t.values("probabilities"))
    return t.put(probabilities=[json.dumps([row[i] for i in (2, 0, 3, 1)]) for row in rows])


def _of_training(files: Mapping[str, Any]) -> dict[str, Any]:
    """Other images of the same names, in another folder."""
    return dict(zip([name.replace("val", "train") for name in files], reversed(list(files.values()))))


SHARE = 1 / SIDES[0], 1 / SIDES[1]
AS_LOGITS = "--labels true_* --logits prob_*"

MISTAKES = [
    Mistake("percent for each label", "several", "percent|100",
            lambda t, w: t.each("prob", lambda p: 100 * p)),
    Mistake("percent for each label, named as logits as a message advises", "several", "percent|100|negative",
            lambda t, w: replace(t.each("prob", lambda p: 100 * p), options=AS_LOGITS)),
    Mistake("probabilities of several labels as logits", "several", SHARES,
            lambda t, w: replace(t, options=AS_LOGITS)),
    Mistake("softmax over classes that may come together", "several", "softmax|sum to 1",
            lambda t, w: t.each("prob", lambda p: softmax(np.log(p / (1 - p))))),
    Mistake("lists in two orders of the classes", "several lists", CODES, _in_other_order),
    Mistake("1 for absent", "several", "revers|chance|absent|below|swap|invert",
            lambda t, w: t.each("true", lambda v: 1 - v)),
    Mistake("-1 for absent", "several", "0 or 1",
            lambda t, w: t.each("true", lambda v: 2 * v - 1)),
    Mistake("corners for left, top, width, height", "coco", BOXES,
            _results(lambda one: {"bbox": _corners(one["bbox"])})),
    Mistake("boxes in shares of the image", "coco", BOXES,
            _results(lambda one: {"bbox": _times(one["bbox"], *SHARE)})),
    Mistake("boxes in the pixels of the network", "coco", BOXES,
            _results(lambda one: {"bbox": _times(one["bbox"], 128 / SIDES[0], 128 / SIDES[1])})),
    Mistake("x and y exchanged", "coco", BOXES,
            _results(lambda one: {"bbox": [one["bbox"][i] for i in (1, 0, 3, 2)]})),
    Mistake("categories of results from 0", "coco", CODES,
            _results(lambda one: {"category_id": one["category_id"] - 1})),
    Mistake("file names as image ids", "coco", "image_id",
            _results(lambda one: {"image_id": f"{one['image_id']:04d}.png"})),
    Mistake("places in the list as image ids", "coco", f"{CODES}|{BOXES}",
            _results(lambda one: {"image_id": one["image_id"] - 1})),
    Mistake("scores in percent", "coco", "scores",
            _results(lambda one: {"score": 100 * one["score"]})),
    Mistake("results of the first half of the images", "coco",
            r"no (prediction|result)|without (a )?(prediction|result)|(images|images) have",
            lambda t, w: t.file("results.json", lambda rows: [one for one in rows if one["image_id"] <= 15])),
    Mistake("class ids of predictions from 1", "yolo", CODES,
            _found(lambda one, line: [line[0] + 1, *line[1:]])),
    Mistake("corners for center and size", "yolo", BOXES,
            _found(lambda one, line: [line[0], *_times(_corners(one["bbox"]), *SHARE), line[5]])),
    Mistake("pixels for shares", "yolo", f"{BOXES}|pixels",
            _found(lambda one, line: [line[0], *_times(line[1:5], *SIDES), line[5]])),
    Mistake("val/a0.png in the table, train/a0.png in the folder", "files", "base name|file name|by name|folder",
            lambda t, w: replace(t, files=_of_training(t.files))),
    Mistake("A0.PNG for a0.png", "files", "case|capital|letter",
            lambda t, w: t.put(file=[path.upper() for path in t.values("file")])),
    Mistake("files counted from 1", "files", r"shift|one off|count(s|ed)? from",
            lambda t, w: t.put(file=[f"val/a{i + 1}.png" for i in range(len(w.truth))])),
    Mistake("ids without their zeros", "vectors", "zero|no embedding|none of the embeddings",
            lambda t, w: t.put(id=np.arange(len(w.truth)))),
]  # fmt: skip
