"""Read detections in COCO's form: one JSON file of instances, and a list of results."""

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
from core.numbers import count
from core.records.ledger import Ledger

_ANNOTATION_KEYS = (
    "id image_id category_id bbox area iscrowd segmentation ignore score attributes keypoints num_keypoints".split()
)
_IMAGE_KEYS = {"id", "file_name", "width", "height", "license", "coco_url", "flickr_url", "attributes"}
_TRUTH_FORM = "Use COCO's form {images: [...], annotations: [...], categories: [...]}."
_RESULTS_FORM = "[{image_id, category_id, bbox, score}, ...]"
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
        InvalidInput: a file is not JSON of this form, or its ids do not fit the other file's.
    """
    document: Any = _load(truth)
    if isinstance(document, list):
        raise InvalidInput(
            f"{truth.name} holds a list, like results: are --truth and --detections swapped? {_TRUTH_FORM}"
        )
    if not isinstance(document, dict):
        raise InvalidInput(f"{truth.name} does not hold the truth. {_TRUTH_FORM}")
    images = _records(document, "images", truth)
    annotations = _records(document, "annotations", truth)
    categories = _records(document, "categories", truth)
    results: Any = _load(predictions)
    if not _is_list_of_records(results):
        raise InvalidInput(f"{predictions.name} must hold a list of results. Write {_RESULTS_FORM}.")
    if not results:
        raise InvalidInput(f"{predictions.name}: the list of predictions is empty. Run the detector again.")
    images, index_of_image, image_notes = _distinct(images, "image", truth)
    categories, index_of_class, class_notes = _distinct(categories, "category", truth)
    names = tuple(str(record.get("name", record["id"])) for record in categories)
    if len(set(names)) < len(names):
        names = tuple(f"{name} ({record['id']})" for name, record in zip(names, categories))
    missing = [image for image in images if not isinstance(image.get("file_name"), str)]
    if missing:
        raise InvalidInput(f"{truth.name}: {len(missing):,} of {len(images):,} images lack a file_name. Add it.")
    truth_ledger = Ledger(len(annotations))
    predictions_ledger = Ledger(len(results))
    true = _boxes(annotations, index_of_image, index_of_class, truth_ledger, images, scored=False)
    predicted = _boxes(results, index_of_image, index_of_class, predictions_ledger, images, scored=True)
    _drop_repeated_ids(annotations, truth_ledger)
    _check_fit(results, predicted, index_of_image, index_of_class, predictions)
    sides = [[_number(image.get("width")), _number(image.get("height"))] for image in images]
    sizes = np.array(sides, np.float64).reshape(len(images), 2)
    return Raw(
        names,
        tuple(str(image["file_name"]) for image in images),
        np.where(sizes > 0, sizes, np.nan),
        true,
        predicted,
        truth_ledger,
        predictions_ledger,
        image_ids=np.array([_number(record["id"]) for record in images]),
        predicted_image_ids=np.array([_number(record.get("image_id")) for record in results]),
        class_ids=tuple(str(record["id"]) for record in categories),
        predicted_class_ids=tuple(str(record.get("category_id")) for record in results),
        image_frame=_extras(images, _IMAGE_KEYS, truth, limits),
        truth_frame=_extras(annotations, _ANNOTATION_KEYS, truth, limits),
        notes=(*image_notes, *class_notes),
    )


def _load(path: Path) -> Any:
    instead = "Use COCO JSON, or a folder of YOLO labels."
    if not path.is_file():
        raise InvalidInput(f"{path} was not found. {instead}")
    return read_json(path, instead=instead)


def _records(document: Any, key: str, path: Path) -> list[Record]:
    records: Any = document.get(key)
    if not _is_list_of_records(records):
        raise InvalidInput(f"{path.name} lacks a list of {key}. {_TRUTH_FORM}")
    if not records:
        raise InvalidInput(f"{path.name}: the list of {key} is empty. Add the {key} of the truth.")
    return cast("list[Record]", records)


def _is_list_of_records(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(record, dict) for record in cast("list[Any]", value))


def _distinct(records: Sequence[Record], what: str, path: Path) -> tuple[list[Record], dict[Any, int], list[str]]:
    """The first record of each id, the index of each id among these, and a note on the others."""
    first: dict[Any, Record] = {}
    for i, record in enumerate(records):
        if _key(record.get("id")) is None:
            raise InvalidInput(f"{path.name}: {what} {i} (from 0) lacks an id. Add it.")
        first.setdefault(record["id"], record)
    notes = list[str]()
    repeated = len(records) - len(first)
    if repeated:
        notes.append(f"Skipped {count(repeated, 'entry')} of {path.name}: the id is that of an earlier {what}.")
    return list(first.values()), {key: i for i, key in enumerate(first)}, notes


def _boxes(
    records: Sequence[Record],
    index_of_image: Mapping[Any, int],
    index_of_class: Mapping[Any, int],
    ledger: Ledger,
    images: Sequence[Record],
    *,
    scored: bool,
) -> Boxes:
    rows = list[BoxRow]()
    reasons = [""] * len(records)
    for i, record in enumerate(records):
        index = index_of_image.get(_key(record.get("image_id")), -1)
        category = index_of_class.get(_key(record.get("category_id")), -1)
        image = None
        image_name = f"image {record.get('image_id')}"
        if index >= 0:
            image = images[index]
            image_name = str(image["file_name"])
        if scored:
            name = f"{image_name}#prediction {i}"
            score = _number(record.get("score"))
            crowd = False
        else:
            name = f"{image_name}#{record.get('id', i)}"
            score = 1.0
            crowd = bool(record.get("iscrowd"))
        rows.append((name, index, category, _box(record, image), score, crowd))
        if index < 0:
            reasons[i] = f"its image is not in the truth: {record.get('image_id')!r}"
        elif category < 0:
            reasons[i] = f"its category is not in the truth: {record.get('category_id')!r}"
        elif not np.isfinite(score):
            reasons[i] = "its score is missing or not a number"
    ledger.drop(np.array([bool(reason) for reason in reasons], np.bool_), reasons)
    return boxes_from(rows)


def _key(value: Any) -> Any:
    """The value as a key of a dict; None for a list or object."""
    return None if isinstance(value, (list, dict)) else value


def _number(value: Any) -> float:
    """The number as a float; nan for other values, inf past a float's range."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return float("nan")
    if abs(value) >= 1e308:
        return float("inf")
    return float(value)


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
        if not _fits(segmentation, image):  # pycocotools' C code trusts the sizes
            return NOWHERE
        code = segmentation
        if isinstance(segmentation, list) or not isinstance(cast("Record", segmentation).get("counts"), str):
            code = tools.frPyObjects(segmentation, int(image["height"]), int(image["width"]))
        if isinstance(segmentation, list):
            code = tools.merge(code)
        return tuple(float(v) for v in tools.toBbox(code))
    except (TypeError, ValueError, KeyError, IndexError, AssertionError, OverflowError):
        return NOWHERE


def _fits(segmentation: Any, image: Record) -> bool:
    """Whether a mask has the image's size, and outlines near the image: pycocotools ends the whole process for a side
    of 0, or for an outline as long as the memory."""
    height: Any = image.get("height")
    width: Any = image.get("width")
    if isinstance(segmentation, dict):
        size: Any = cast("Record", segmentation)["size"]
        if size is not None:
            height, width = size
    if not all(type(side) is int and side > 0 for side in (height, width)) or height * width > MAX_PIXELS:
        return False
    if isinstance(segmentation, list):
        farthest = 2 * max(height, width)
        for outline in cast("list[list[Any]]", segmentation):
            if len(outline) < 6 or len(outline) % 2 or any(not abs(_number(value)) <= farthest for value in outline):
                return False
        return True
    counts: Any = cast("Record", segmentation)["counts"]
    if isinstance(counts, str):
        return counts.isascii()
    return all(type(run) is int and run >= 0 for run in counts) and sum(counts) == height * width


def _drop_repeated_ids(annotations: Sequence[Record], ledger: Ledger) -> None:
    """Drop annotations that repeat an id: the results of another tool could mean either."""
    seen = set[Any]()
    repeated = np.zeros(len(annotations), np.bool_)
    for i, record in enumerate(annotations):
        name = _key(record.get("id"))
        repeated[i] = name is not None and name in seen
        seen.add(name)
    if repeated.sum() > 0.5 * len(annotations):
        raise InvalidInput(
            f"Annotation ids must be unique: {int(repeated.sum()):,} of {len(annotations):,} repeat an earlier one. "
            "Number the annotations from 1."
        )
    ledger.drop(repeated, [f"its annotation id occurs before: {record.get('id')!r}" for record in annotations])


def _check_fit(
    results: Sequence[Record],
    predicted: Boxes,
    index_of_image: Mapping[Any, int],
    index_of_class: Mapping[Any, int],
    path: Path,
) -> None:
    """Refuse, in one message, two files that do not belong together."""
    n = len(results)
    for key, unknown, known, what in (
        ("image_id", predicted.image < 0, index_of_image, "images"),
        ("category_id", predicted.category < 0, index_of_class, "categories"),
    ):
        if unknown.sum() > 0.5 * n:
            counts = Counter(str(_key(record.get(key))) for record in results)
            examples = ", ".join(repr(value) for value, _ in counts.most_common(3))
            raise InvalidInput(
                f"{path.name}: the {key} of {int(unknown.sum()):,} of {n:,} results is not among the {len(known):,} "
                f"{what} of the truth. Results have {examples}, the truth {', '.join(map(repr, list(known)[:3]))}. "
                "Use the truth's ids."
            )
    scores = predicted.score[np.isfinite(predicted.score)]
    if not len(scores):
        raise InvalidInput(f"{path.name}: the results lack scores. Write {_RESULTS_FORM}.")
    if scores.max() > 1 or scores.min() < 0:
        raise InvalidInput(
            f"{path.name}: scores must lie between 0 and 1: they run from {scores.min():g} to {scores.max():g}. "
            "Rescale them."
        )


def _extras(records: Sequence[Record], known: Container[str], path: Path, limits: Limits) -> pd.DataFrame:
    """Further values as columns: single values only, and those inside `attributes`."""
    rows: list[dict[str, Any]] = []
    for record in records:
        values = dict(record)
        attributes: Any = record.get("attributes")
        if isinstance(attributes, dict):
            values.update(cast("dict[str, Any]", attributes))
        rows.append({k: v for k, v in values.items() if k not in known and not isinstance(v, (list, dict))})
    check_records(rows, path.name, path.stat().st_size, limits)
    return pd.DataFrame(rows, index=range(len(rows)))
