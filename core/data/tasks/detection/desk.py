"""Check that a detector's boxes lie on objects as written, and number the classes as the truth does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from scipy.stats import binom

from core.data.desk.classes import ALPHA, MIN_KAPPA, renamed
from core.data.desk.numbers import MIN_PAIRS
from core.data.tasks.detection.boxes import Boxes, Raw, in_pixels
from core.data.tasks.detection.matching import MIN_OVERLAP, match
from core.numbers import percent
from core.records import F64, I64, Bool
from core.records.ledger import Ledger

MIN_IOU = 0.5
"""Overlap from which a box lies on an object here, whatever the `iou` of the matching."""
MAX_OBJECTS = 2_000
"""Checked objects, of images drawn at random: they take 2 s if no other reading of the boxes fits."""
MAX_READINGS = 24
"""Most readings of the boxes (`_scales`) of which the best is tested; the level of that test is divided by it
(Bonferroni)."""
N_FITS = 5
"""Rounds of fitting a scale to the pairs that the last round matched."""


def check_detections(raw: Raw, truth: Boxes, new_index: I64, sizes: F64, ledger: Ledger) -> None:
    """Stop where boxes lie on objects only if their images, form or scale are read differently, or where classes are
    numbered in two ways; note boxes that are no better than chance, and images without a prediction.

    Args:
        raw: both sides as written.
        truth: the good objects, in pixels of the images.
        new_index: (m + 1,) index among `sizes` of each image as written; -1 for none, and at the end.
        sizes: (p, 2) width and height of the usable images.

    Raises:
        InvalidInput: only a mistake explains the boxes.
    """
    objects = truth.keep(np.flatnonzero(~truth.crowd))
    # as many predictions as there are objects, highest score first: the others say nothing about the form of the file
    by_score = np.argsort(-np.nan_to_num(raw.predictions.score, nan=-1), kind="stable")
    rows = by_score[: len(objects)]
    rows = rows[np.isfinite(raw.predictions.xywh[rows]).all(axis=1)]
    counts = np.bincount(objects.image, minlength=len(sizes))
    images = np.random.default_rng(0).permutation(np.unique(objects.image))
    images = images[np.cumsum(counts[images]) - counts[images] < MAX_OBJECTS]
    objects = objects.keep(np.flatnonzero(np.isin(objects.image, images)))
    boxes = replace(raw.predictions.keep(rows), image=new_index[raw.predictions.image[rows]])
    if raw.relative:
        boxes = in_pixels(boxes, sizes)
    if not len(boxes):
        return
    _check_readings(raw, rows, boxes, objects, new_index, sizes, ledger)
    box_of = _locate(objects, boxes)
    located = box_of >= 0
    if located.any():
        _check_classes(raw, objects.category[located], rows[box_of[located]], ledger)
    has_prediction = np.isin(np.arange(len(sizes)), new_index[raw.predictions.image])
    n_located = np.bincount(objects.image[located], minlength=len(sizes))
    _check_images_without_prediction(counts, n_located, has_prediction, ledger)


def _locate(objects: Boxes, boxes: Boxes, min_iou: float = MIN_IOU) -> I64:
    """(n,) the box on each object, one to one and of any class; -1 for none."""
    good = (boxes.image >= 0) & np.isfinite(boxes.xywh).all(axis=1) & (boxes.xywh[:, 2:] > 0).all(axis=1)
    rows = np.flatnonzero(good)
    objects = replace(objects, category=np.zeros_like(objects.category))
    candidates = boxes.keep(rows)
    candidates = replace(candidates, category=np.zeros_like(candidates.category))
    n_images = int(max(objects.image.max(initial=0), boxes.image.max(initial=0))) + 1
    matches = match(objects, candidates, n_images=n_images, n_classes=1, iou=min_iou)
    return np.r_[rows, -1][matches.prediction_of]


def _hits(objects: Boxes, boxes: Boxes) -> tuple[int, int]:
    """How many boxes lie on objects, and how many could."""
    n = min(len(objects), int(np.isin(boxes.image, objects.image).sum()))
    return int((_locate(objects, boxes) >= 0).sum()), n


def _check_readings(
    raw: Raw, rows: I64, boxes: Boxes, objects: Boxes, new_index: I64, sizes: F64, ledger: Ledger
) -> None:
    """Stop or note where another reading of the boxes fits the objects far better; note boxes no better than chance.

    Args:
        rows: (r,) the predictions of `boxes` among all of `raw`.
    """
    hits, n = _hits(objects, boxes)
    if not n or hits >= MIN_KAPPA * n:
        return
    images = np.unique(objects.image)
    # the null: objects of another image, where boxes fit by chance alone
    elsewhere = replace(objects, image=np.roll(images, 1)[np.searchsorted(images, objects.image)])
    as_written = f"{hits:,} of {n:,} predictions lie on an object (IoU at least {MIN_IOU:g})"
    near = boxes.keep(np.flatnonzero(np.isin(boxes.image, images)))
    readings = [(text, replace(boxes, image=new_index[image])) for text, image in _other_images(raw, rows)]
    readings += _forms(near, sizes, raw.relative)
    best = (0.0, "")
    for fitted, ways in ((False, readings), (True, _scales(near, objects, sizes, raw.relative))):
        text, moved = max(ways, key=lambda way: _hits(objects, way[1])[0])
        hits_read, n_read = _hits(objects, moved)
        # boxes that fit the objects of other images as well do not show how to read them
        chance = max((hits + 1) / n, (_hits(elsewhere, moved)[0] + 1) / max(n_read, 1))
        beyond_chance = n_read > 0 and binom.sf(hits_read - 1, n_read, min(chance, 1.0)) < ALPHA / MAX_READINGS
        # a scale fitted to objects always comes somewhat nearer to them, so it must reach MIN_KAPPA of them
        enough = not fitted or hits_read >= MIN_KAPPA * n_read
        if beyond_chance and enough and hits / n < MIN_KAPPA * hits_read / n_read:
            best = max(best, (hits_read / n_read, f"{hits_read:,} of {n_read:,} if they are read as {text}"))
        if best[0] >= MIN_KAPPA:
            break
    if best[1]:
        form = "left, top, width and height in pixels"
        if raw.relative:
            form = "center, width and height in shares"
        report = ledger.note
        if best[0] >= MIN_KAPPA:
            report = ledger.doubt
        report(f"{as_written}, but {best[1]}. Write each box for its own image, as {form}.")
        return
    chance = _hits(elsewhere, boxes)[0] / n
    # not beyond chance, and clearly below half the way from chance to always: a few boxes alone show neither
    if binom.sf(hits - 1, n, chance) >= ALPHA > binom.cdf(hits, n, (1 + chance) / 2):
        ledger.note(
            f"{as_written}, hardly more than on objects of another image. Check that the boxes belong to these images "
            "and use their pixels."
        )


def _other_images(raw: Raw, rows: I64) -> Iterator[tuple[str, I64]]:
    """Other images that these predictions may mean: the reading in words, and (r,) the image of each, -1 for none."""
    numbers = raw.predicted_image_ids[rows]
    ids = raw.image_ids.tolist()
    index = {number: i for i, number in enumerate(ids)}
    for step, what in ((1, "higher"), (-1, "lower")):
        yield (
            f"boxes of the image numbered 1 {what} (one side may count from 0, the other from 1)",
            np.array([index.get(number + step, -1) for number in numbers.tolist()], np.int64),
        )
    by_name = np.argsort(np.array(raw.image_names))
    for order, what in ((np.arange(len(ids)), "images"), (by_name, "images sorted by name")):
        for start in (0, 1):
            position = np.nan_to_num(numbers - start, nan=-1)
            known = np.where((position >= 0) & (position < len(ids)), position, -1).astype(np.int64)
            yield f"positions in the list of {what} from {start}, instead of ids", np.r_[order, -1][known]


def _forms(boxes: Boxes, sizes: F64, relative: bool) -> Iterator[tuple[str, Boxes]]:
    """The boxes if their four numbers meant something else, with the reading in words."""
    size = sizes[boxes.image]
    extent = boxes.xywh[:, 2:]
    start = boxes.xywh[:, :2]
    if relative:
        start = start + extent / 2
    for what, order in (("", slice(None)), (", x and y exchanged", slice(None, None, -1))):
        a = start[:, order]
        b = extent[:, order]
        for form, first, length in (
            ("left, top, width, height", a, b),
            ("center, width, height", a - b / 2, b),
            ("left, top, right, bottom", a, b - a),
        ):
            yield form + what, replace(boxes, xywh=np.concatenate([first, length], axis=1))
    mirrored = size - boxes.xywh[:, :2] - extent
    for axis, what in enumerate(("counted from the right", "counted from the bottom")):
        first = np.where(np.arange(2) == axis, mirrored, boxes.xywh[:, :2])
        yield what, replace(boxes, xywh=np.concatenate([first, extent], axis=1))


def _scales(boxes: Boxes, objects: Boxes, sizes: F64, relative: bool) -> Iterator[tuple[str, Boxes]]:
    """The boxes if they were in shares, or in pixels of images of another size, with or without a border."""
    longer = np.repeat(sizes.max(axis=1, keepdims=True), 2, axis=1)
    for form, moved in _forms(boxes, sizes, relative):
        for what, unit, origin in (
            ("the whole image is {0} by {1}", sizes, 0 * sizes),
            ("the longer side is {0}", longer, 0 * sizes),
            ("the longer side is {0}, with a border", longer, sizes / 2),
        ):
            full, scaled = _fit_scale(moved, objects, unit, origin)
            yield f"{form}, where {what.format(*(f'{side:.3g}' for side in full))}", scaled


def _fit_scale(boxes: Boxes, objects: Boxes, unit: F64, origin: F64) -> tuple[list[float], Boxes]:
    """Fit a scale and an origin of each axis that bring the boxes' centers onto objects: first by quartiles, which need
    no pairs, then by least squares over pairs.

    Args:
        unit: (p, 2) pixels of a unit in each image.
        origin: (p, 2) the pixel at 0.

    Returns:
        Width and height of a unit in the numbers of the boxes, and the boxes in pixels.
    """
    centers = boxes.xywh[:, :2] + boxes.xywh[:, 2:] / 2
    true_centers = objects.xywh[:, :2] + objects.xywh[:, 2:] / 2
    true_centers = (true_centers - origin[objects.image]) / unit[objects.image]
    x = np.quantile(centers, (0.25, 0.75), axis=0)
    y = np.quantile(true_centers, (0.25, 0.75), axis=0)
    moved = boxes
    slope = np.ones(2)
    for _ in range(N_FITS):
        with np.errstate(invalid="ignore", divide="ignore"):
            slope = ((x - x.mean(axis=0)) * (y - y.mean(axis=0))).sum(axis=0) / x.var(axis=0) / len(x)
            moved_centers = (centers - x.mean(axis=0)) * slope + y.mean(axis=0)
            extent = boxes.xywh[:, 2:] * slope * unit[boxes.image]
            first = moved_centers * unit[boxes.image] + origin[boxes.image] - extent / 2
        moved = replace(boxes, xywh=np.concatenate([first, extent], axis=1))
        box_of = _locate(objects, moved, MIN_OVERLAP)
        located = box_of >= 0
        if located.sum() < MIN_PAIRS:
            break
        x = centers[box_of[located]]
        y = true_centers[located]
    return (1 / np.where(slope, slope, np.nan)).tolist(), moved


def _check_classes(raw: Raw, category: I64, rows: I64, ledger: Ledger) -> None:
    """Stop where another numbering of classes fits the boxes that lie on objects.

    Args:
        category: (r,) class of the object.
        rows: (r,) the prediction on it.
    """
    true_ids = [raw.class_ids[i] for i in category.tolist()]
    predicted_ids = [raw.predicted_class_ids[i] for i in rows.tolist()]
    known, codes = np.unique(np.array(true_ids + predicted_ids), return_inverse=True)
    n_moved, as_written, renumbered, partner = renamed(codes[: len(rows)], codes[len(rows) :])
    if not n_moved or renumbered.kappa < MIN_KAPPA:
        return
    if not as_written.below(max(as_written.chance, renumbered.chance)):
        return
    code_of = {str(name): code for code, name in enumerate(known.tolist())}
    pairs = list[str]()
    for number, name in zip(raw.class_ids, raw.class_names):
        if number in code_of:
            partner_id = str(known[partner[code_of[number]]])
            if partner_id != number:
                pairs.append(f"{number} ({name!r}) in the truth is {partner_id} in the predictions")
    listed = ", ".join(pairs[:3])
    if len(pairs) > 3:
        listed += ", ..."
    n = as_written.n
    ledger.doubt(
        f"Predictions number the classes differently from the truth: {listed}. Of {n:,} predictions on these objects, "
        f"{percent(as_written.hits / n)} have the right class as written, {percent(renumbered.hits / n)} if "
        "renumbered. Use the truth's numbers; one side may count from 0, the other from 1."
    )


def _check_images_without_prediction(counts: I64, n_located: I64, has_prediction: Bool, ledger: Ledger) -> None:
    """Note more images without a prediction than independent misses would leave.

    The chance to find an object is estimated on images with a found object, by the maximum likelihood of a binomial
    truncated at zero, since the others may be images that the detector never saw.

    Args:
        counts: (p,) objects of each image.
        n_located: (p,) how many have a prediction on them.
        has_prediction: (p,) whether the image has any prediction.
    """
    some = n_located > 0
    empty = (counts > 0) & ~has_prediction
    # one hit fewer than counted: with a lower share more images are empty by chance, so the note is rarer
    surplus = float(n_located.sum()) - 1
    if not empty.any() or surplus <= some.sum():
        return
    n = counts[some]
    share = surplus / float(n.sum())
    for _ in range(100):  # the fixed point of the likelihood equation
        share = surplus / float((n / (1 - (1 - share) ** n)).sum())
    judged = some | empty
    chance = float(((1 - share) ** counts[judged]).mean())
    if binom.sf(empty.sum() - 1, judged.sum(), chance) < ALPHA:
        ledger.note(
            f"{int(empty.sum()):,} of {int((counts > 0).sum()):,} images with objects have no prediction, about "
            f"{chance * judged.sum():.2g} would by chance. Run the detector on all images: each object in an image "
            "without predictions counts as missed."
        )
