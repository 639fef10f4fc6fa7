"""Detections in COCO's form: one JSON file of instances, and a list of results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd

from core.data.tables.read import check_records
from core.data.tasks.detection.boxes import NOWHERE, Boxes, BoxRow, Raw, boxes_from
from core.documents import read_json
from core.errors import InvalidInput
from core.limits import Limits
from core.records.ledger import Ledger

_KNOWN = (
    "id image_id category_id bbox area iscrowd segmentation ignore score attributes keypoints num_keypoints".split()
)
_KNOWN_OF_IMAGE = {"id", "file_name", "width", "height", "license", "coco_url", "flickr_url", "attributes"}
_FORM = "COCO's form is {images: [...], annotations: [...], categories: [...]}"
MAX_PIXELS = Limits().max_pixels
Record = Mapping[str, Any]


def read_coco(truth: Path, predictions: Path, limits: Limits = Limits()) -> Raw:
    """Read the instances and the results.

    Args:
        truth: JSON with images (id, file_name, width, height), annotations (id, image_id, category_id, bbox, iscrowd)
            and categories (id, name).
        predictions: JSON list of {image_id, category_id, bbox, score}; a result without bbox but with an RLE
            segmentation gets the mask's box.

    Raises:
        InvalidInput: a file is no JSON of this form, or its ids do not fit the other file's.
    """
    document = _document(truth)
    images, annotations, categories = (
        _records(document, key, truth) for key in ("images", "annotations", "categories")
    )
    results = _results(predictions)
    images, place_of_image, notes = _distinct(images, "image", truth)
    categories, class_of, more = _distinct(categories, "category", truth)
    names = tuple(str(record.get("name", record["id"])) for record in categories)
    if len(set(names)) < len(names):
        names = tuple(f"{name} ({record['id']})" for name, record in zip(names, categories))
    missing = [image for image in images if not isinstance(image.get("file_name"), str)]
    if missing:
        raise InvalidInput(
            f"{truth.name}: every image needs a file_name; {len(missing):,} of {len(images):,} have none. Add it."
        )
    books = Ledger(len(annotations)), Ledger(len(results))
    true = _boxes(annotations, place_of_image, class_of, books[0], images, scored=False)
    predicted = _boxes(results, place_of_image, class_of, books[1], images, scored=True)
    _check_ids(annotations, books[0])
    _check_fit(results, predicted, place_of_image, class_of, predictions)
    sizes = np.array(
        [[_number(image.get("width")), _number(image.get("height"))] for image in images], np.float64
    ).reshape(len(images), 2)
    return Raw(
        names,
        tuple(str(image["file_name"]) for image in images),
        np.where(sizes > 0, sizes, np.nan),
        true,
        predicted,
        *books,
        image_ids=np.array([_number(record["id"]) for record in images]),
        said_images=np.array([_number(record.get("image_id")) for record in results]),
        class_ids=tuple(str(record["id"]) for record in categories),
        said_classes=tuple(str(record.get("category_id")) for record in results),
        image_frame=_extras(images, _KNOWN_OF_IMAGE, truth, limits),
        truth_frame=_extras(annotations, _KNOWN, truth, limits),
        notes=(*notes, *more),
    )


def _load(path: Path) -> Any:
    if not path.is_file():
        raise InvalidInput(
            f"The file {path} was not found. Give the path of a COCO JSON file, or a folder of YOLO labels."
        )
    return read_json(path, instead="Give COCO JSON, or a folder of YOLO labels.")


def _document(path: Path) -> Record:
    document = _load(path)
    if isinstance(document, list):
        raise InvalidInput(
            f"{path.name} holds a list, as results do, and not the truth. "
            f"{_FORM}: are --truth and --detections swapped?"
        )
    if not isinstance(document, dict):
        raise InvalidInput(f"{path.name} holds no truth. {_FORM}.")
    return cast("Record", document)


def _records(document: Record, key: str, path: Path) -> list[Record]:
    found: Any = document.get(key)
    if not isinstance(found, list) or not all(isinstance(record, dict) for record in cast("list[Any]", found)):
        raise InvalidInput(f"{path.name} has no list of {key}. {_FORM}.")
    if not found:
        raise InvalidInput(
            f"{path.name} has no {key}: the list is empty. There is nothing to compare predictions with."
        )
    return cast("list[Record]", found)


def _results(path: Path) -> list[Record]:
    found = _load(path)
    if isinstance(found, dict):
        raise InvalidInput(
            f"{path.name} must hold a list of results, [{{image_id, category_id, bbox, score}}, ...]; "
            "it holds an object. Write the list."
        )
    if not isinstance(found, list) or not all(isinstance(record, dict) for record in cast("list[Any]", found)):
        raise InvalidInput(
            f"{path.name} must hold a list of results, [{{image_id, category_id, bbox, score}}, "
            "...]. Write such a list."
        )
    if not found:
        raise InvalidInput(
            f"{path.name} holds no prediction: the list is empty. Every object would count as missed. "
            "Run the detector again."
        )
    return cast("list[Record]", found)


def _distinct(records: Sequence[Record], what: str, path: Path) -> tuple[list[Record], dict[Any, int], list[str]]:
    """The first record of each id, the place of each id among them, and a note on the others."""
    first: dict[Any, Record] = {}
    for i, record in enumerate(records):
        if _key(record.get("id")) is None:
            raise InvalidInput(f"{path.name}: every {what} needs an id; number {i} (from 0) has none. Add it.")
        first.setdefault(record["id"], record)
    repeated = len(records) - len(first)
    notes = [f"{path.name} repeats {repeated:,} {what} ids: the first entry of each is used."] if repeated else []
    return list(first.values()), {key: i for i, key in enumerate(first)}, notes


def _boxes(
    records: Sequence[Record],
    place_of: Mapping[Any, int],
    class_of: Mapping[Any, int],
    ledger: Ledger,
    images: Sequence[Record],
    *,
    scored: bool,
) -> Boxes:
    rows = list[BoxRow]()
    reasons = [""] * len(records)
    for i, record in enumerate(records):
        place = place_of.get(_key(record.get("image_id")), -1)
        kind = class_of.get(_key(record.get("category_id")), -1)
        named = str(images[place]["file_name"]) if place >= 0 else f"image {record.get('image_id')}"
        name = f"{named}#{f'prediction {i}' if scored else record.get('id', i)}"
        box = _box(record, None if place < 0 else images[place])
        score = _number(record.get("score")) if scored else 1.0
        rows.append((name, place, kind, box, score, not scored and bool(record.get("iscrowd"))))
        if place < 0:
            reasons[i] = f"its image is not in the truth: {record.get('image_id')!r}"
        elif kind < 0:
            reasons[i] = f"its category is not in the truth: {record.get('category_id')!r}"
        elif not np.isfinite(score):
            reasons[i] = "it has no score that is a number"
    ledger.drop(np.array([bool(reason) for reason in reasons], np.bool_), reasons)
    return boxes_from(rows)


def _key(value: Any) -> Any:
    return None if isinstance(value, (list, dict)) else value


def _number(value: Any) -> float:
    """The number as a float; nan where it is none, inf where it is past a float's range."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return float("nan")
    return float(value) if abs(value) < 1e308 else float("inf")


def _box(record: Record, image: Record | None) -> tuple[float, ...]:
    box: Any = record.get("bbox")
    if isinstance(box, (list, tuple)) and len(cast("list[Any]", box)) == 4:
        return tuple(_number(value) for value in cast("list[Any]", box))
    segmentation: Any = record.get("segmentation")
    if box is None and segmentation and image is not None:
        return _box_of_mask(segmentation, image)
    return NOWHERE


def _box_of_mask(segmentation: Any, image: Record) -> tuple[float, ...]:
    """The box around a mask: COCO's polygons, or a run-length code."""
    tools: Any = import_module("pycocotools.mask")
    try:
        if not _fits(segmentation, image):  # the C code of pycocotools takes the sizes' word for it
            return NOWHERE
        if isinstance(segmentation, dict) and isinstance(cast("Record", segmentation).get("counts"), str):
            return tuple(float(v) for v in tools.toBbox(segmentation))
        height = int(image["height"])
        width = int(image["width"])
        if isinstance(segmentation, dict):
            return tuple(float(v) for v in tools.toBbox(tools.frPyObjects(segmentation, height, width)))
        return tuple(float(v) for v in tools.toBbox(tools.merge(tools.frPyObjects(segmentation, height, width))))
    except (TypeError, ValueError, KeyError, IndexError, AssertionError, OverflowError):
        return NOWHERE


def _fits(segmentation: Any, image: Record) -> bool:
    """Whether a mask is of an image's size, and its outlines lie near that: pycocotools ends the whole process for a
    side of 0, or for an outline that is as long as the memory."""
    said: Any = cast("Record", segmentation)["size"] if isinstance(segmentation, dict) else None
    height, width = (image["height"], image["width"]) if said is None else said
    if not all(type(side) is int and side > 0 for side in (height, width)) or height * width > MAX_PIXELS:
        return False
    if isinstance(segmentation, list):
        outlines = cast("list[list[Any]]", segmentation)
        most = 2 * max(height, width)
        return all(
            len(outline) >= 6 and len(outline) % 2 == 0 and all(abs(_number(value)) <= most for value in outline)
            for outline in outlines
        )
    counts: Any = cast("Record", segmentation)["counts"]
    if isinstance(counts, str):
        return counts.isascii()
    return all(type(run) is int and run >= 0 for run in counts) and sum(counts) == height * width


def _check_ids(annotations: Sequence[Record], ledger: Ledger) -> None:
    """An id that occurs again is dropped: which of the two a result of another tool means is not known."""
    seen = set[Any]()
    repeated = np.zeros(len(annotations), np.bool_)
    for i, record in enumerate(annotations):
        name = _key(record.get("id"))
        repeated[i] = name is not None and name in seen
        seen.add(name)
    if repeated.sum() > 0.5 * len(annotations):
        raise InvalidInput(
            f"Annotation ids must differ: {int(repeated.sum()):,} of {len(annotations):,} occur before. "
            "Number the annotations from 1."
        )
    ledger.drop(repeated, [f"its annotation id occurs before: {record.get('id')!r}" for record in annotations])


def _check_fit(
    results: Sequence[Record], predicted: Boxes, places: Mapping[Any, int], classes: Mapping[Any, int], path: Path
) -> None:
    """Say in one message that the two files do not belong together."""
    n = len(results)
    for key, unknown, known, what in (
        ("image_id", predicted.image < 0, places, "images"),
        ("category_id", predicted.category < 0, classes, "categories"),
    ):
        if unknown.sum() > 0.5 * n:
            named = Counter(str(_key(record.get(key))) for record in results)
            examples = ", ".join(repr(value) for value, _ in named.most_common(3))
            raise InvalidInput(
                f"{path.name}: the {key} of {int(unknown.sum()):,} of {n:,} results is not among the {len(known):,} "
                f"{what} of the truth. "
                f"Results say {examples}, the truth {', '.join(map(repr, list(known)[:3]))}. Write the truth's ids."
            )
    scores = predicted.score[np.isfinite(predicted.score)]
    if not len(scores):
        raise InvalidInput(
            f"{path.name}: no result has a score. Each needs one, {{image_id, category_id, bbox, score}}."
        )
    if scores.max() > 1 or scores.min() < 0:
        raise InvalidInput(
            f"{path.name}: scores must lie between 0 and 1: they run from {scores.min():g} to "
            f"{scores.max():g}. Rescale them."
        )


def _extras(records: Sequence[Record], known: Container[str], path: Path, limits: Limits) -> pd.DataFrame:
    """What else was written, as columns; single values only, those inside `attributes` included."""
    rows: list[dict[str, Any]] = []
    for record in records:
        inner: Any = record.get("attributes")
        whole = {**record, **(cast("dict[str, Any]", inner) if isinstance(inner, dict) else {})}
        single = {key: value for key, value in whole.items() if not isinstance(value, (list, dict))}
        rows.append({key: value for key, value in single.items() if key not in known})
    check_records(rows, path.name, path.stat().st_size, limits)
    return pd.DataFrame(rows, index=range(len(rows)))
