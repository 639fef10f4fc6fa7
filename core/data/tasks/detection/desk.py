"""Whether a detector's boxes lie at objects as they are written, and name the classes as the truth does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
from scipy.stats import binom

from core.data.desk.classes import ALPHA, MIN_KAPPA, renamed
from core.data.desk.numbers import MIN_PAIRS
from core.data.tasks.detection.boxes import Boxes, Raw, in_pixels
from core.data.tasks.detection.matching import FAINT, match
from core.numbers import percent
from core.records import F64, I64, Bool
from core.records.ledger import Ledger

IOU = 0.5
"""Overlap from which a box is at an object, whatever threshold errors are counted with."""
MAX_OBJECTS = 2_000
"""Objects that are looked at, of images drawn at random: 2 s where no way to read the boxes fits."""
MAX_WAYS = 24
"""Ways to read boxes of which the best is chosen: a test of each, so that the chance of one is smaller by as much."""
ROUNDS = 5
"""Of fitting a scale to the pairs that the last one gave."""


def check_detections(raw: Raw, truth: Boxes, place: I64, sizes: F64, ledger: Ledger) -> None:
    """Stop where boxes are at objects only if their images, form or scale are read otherwise, or where classes are
    numbered in two ways; note boxes that are anywhere, and images without a prediction.

    Args:
        raw: both sides as written.
        truth: the good objects, in pixels of the images.
        place: (m + 1,) where the image of each image as written lies among `sizes`; -1 for none, and at the end.
        sizes: (p, 2) width and height of the images.

    Raises:
        InvalidInput: what a mistake alone explains.
    """
    objects = truth.keep(np.flatnonzero(~truth.crowd))
    said = raw.predictions
    # as many of the surest as there are objects: how many more a file holds says nothing of their form
    surest = np.argsort(-np.nan_to_num(said.score, nan=-1), kind="stable")[: len(objects)]
    surest = surest[np.isfinite(said.xywh[surest]).all(axis=1)]
    chosen = np.random.default_rng(0).permutation(np.unique(objects.image))
    counts = np.bincount(objects.image, minlength=len(sizes))
    chosen = chosen[np.cumsum(counts[chosen]) - counts[chosen] < MAX_OBJECTS]
    objects = objects.keep(np.flatnonzero(np.isin(objects.image, chosen)))
    boxes = replace(said.keep(surest), image=place[said.image[surest]])
    boxes = in_pixels(boxes, sizes) if raw.relative else boxes
    if not len(boxes):
        return
    _check_places(raw, surest, boxes, objects, place, sizes, ledger)
    at = _at(objects, boxes)
    found = at >= 0
    if found.any():
        _check_numbers(raw, objects.category[found], surest[at[found]], ledger)
    seen = np.isin(np.arange(len(sizes)), place[said.image])
    _check_seen(counts, np.bincount(objects.image[found], minlength=len(sizes)), seen, ledger)


def _at(objects: Boxes, boxes: Boxes, iou: float = IOU) -> I64:
    """(n,) which box is at each object, one to one and whatever their classes; -1 for none."""
    good = (boxes.image >= 0) & np.isfinite(boxes.xywh).all(axis=1) & (boxes.xywh[:, 2:] > 0).all(axis=1)
    rows = np.flatnonzero(good)
    alike = [replace(one, category=one.category * 0) for one in (objects, boxes.keep(rows))]
    n_images = int(max(objects.image.max(initial=0), boxes.image.max(initial=0))) + 1
    return np.r_[rows, -1][match(*alike, n_images=n_images, n_classes=1, iou=iou).prediction_of]


def _hits(objects: Boxes, boxes: Boxes) -> tuple[int, int]:
    """How many boxes are at objects, and how many may be."""
    n = min(len(objects), int(np.isin(boxes.image, objects.image).sum()))
    return int((_at(objects, boxes) >= 0).sum()), n


def _check_places(raw: Raw, surest: I64, boxes: Boxes, objects: Boxes, place: I64, sizes: F64, ledger: Ledger) -> None:
    hits, n = _hits(objects, boxes)
    if not n or hits >= MIN_KAPPA * n:
        return
    pictures = np.unique(objects.image)
    elsewhere = replace(objects, image=np.roll(pictures, 1)[np.searchsorted(pictures, objects.image)])
    written = f"{hits:,} of {n:,} predictions are at an object as written (IoU at least {IOU:g})"
    images = ((text, replace(boxes, image=place[image])) for text, image in _pictures(raw, surest))
    near = boxes.keep(np.flatnonzero(np.isin(boxes.image, pictures)))
    best = (0.0, "")
    forms = _forms(near, sizes, raw.relative)
    scales = _scales(near, objects, sizes, raw.relative)
    for ways in ([*images, *forms], scales):
        text, moved = max(ways, key=lambda way: _hits(objects, way[1])[0])
        mended, of = _hits(objects, moved)
        chance = max((hits + 1) / n, (_hits(elsewhere, moved)[0] + 1) / max(of, 1))
        # boxes that fit the objects of other images as well tell nothing of how they are to be read
        told = of > 0 and binom.sf(mended - 1, of, min(chance, 1.0)) < ALPHA / MAX_WAYS
        # a scale that was fitted to objects is by some way nearer to them
        if told and hits / n < MIN_KAPPA * mended / of and (ways is not scales or mended >= MIN_KAPPA * of):
            best = max(best, (mended / of, f"{mended:,} of {of:,} if they are read as {text}"))
        if best[0] >= MIN_KAPPA:
            break
    if best[1]:
        form = "center, width and height in shares" if raw.relative else "left, top, width and height in pixels"
        say = ledger.doubt if best[0] >= MIN_KAPPA else ledger.note
        say(f"{written}, and {best[1]}. Give each box to its own image, as {form} of it.")
        return
    chance = _hits(elsewhere, boxes)[0] / n
    if binom.sf(hits - 1, n, chance) >= ALPHA > binom.cdf(hits, n, (1 + chance) / 2):
        ledger.note(
            f"{written}, hardly more than at the objects of another image. Check that they are of these images, "
            "and in their pixels."
        )


def _pictures(raw: Raw, rows: I64) -> Iterator[tuple[str, I64]]:
    """Other images that the predictions of these rows may mean, and what is then said of them."""
    said = raw.said_images[rows]
    ids = raw.image_ids.tolist()
    place_of = {value: i for i, value in enumerate(ids)}
    for step, what in ((1, "more"), (-1, "less")):
        yield (
            f"boxes of the image whose number is 1 {what} (numbered from 0 on one side, from 1 on the other)",
            np.array([place_of.get(value + step, -1) for value in said.tolist()], np.int64),
        )
    for order, what in ((range(len(ids)), ""), (np.argsort(np.array(raw.image_names)), " sorted by name")):
        for start in (0, 1):
            at = np.nan_to_num(said - start, nan=-1)
            known = np.where((at >= 0) & (at < len(ids)), at, -1).astype(np.int64)
            yield f"numbering the images{what} from {start}, in place of their ids", np.r_[np.array(order), -1][known]


def _forms(boxes: Boxes, sizes: F64, relative: bool) -> Iterator[tuple[str, Boxes]]:
    """The boxes as if their four numbers meant something else."""
    size = sizes[boxes.image]
    extent = boxes.xywh[:, 2:]
    start = boxes.xywh[:, :2] + extent / 2 if relative else boxes.xywh[:, :2]
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
    """The boxes as if they were in shares, or in the pixels of images of another size, with a border or without."""
    longer = np.repeat(sizes.max(axis=1, keepdims=True), 2, axis=1)
    for form, moved in _forms(boxes, sizes, relative):
        for what, unit, origin in (
            ("the whole image is {0} by {1}", sizes, 0 * sizes),
            ("the longer side is {0}", longer, 0 * sizes),
            ("the longer side is {0}, with a border", longer, sizes / 2),
        ):
            full, scaled = _scaled(moved, objects, unit, origin)
            yield f"{form}, where {what.format(*(f'{value:.3g}' for value in full))}", scaled


def _scaled(boxes: Boxes, objects: Boxes, unit: F64, origin: F64) -> tuple[Iterable[float], Boxes]:
    """The boxes on a scale, and from an origin, of each axis that bring their centers onto those of objects: first by
    quartiles, then by least squares over pairs.

    Args:
        unit: (p, 2) pixels of a unit in each image.
        origin: (p, 2) the pixel that is 0.
    """
    said, true = (one.xywh[:, :2] + one.xywh[:, 2:] / 2 for one in (boxes, objects))
    true = (true - origin[objects.image]) / unit[objects.image]
    x = np.quantile(said, (0.25, 0.75), axis=0)
    y = np.quantile(true, (0.25, 0.75), axis=0)
    moved = boxes
    slope = np.ones(2)
    for _ in range(ROUNDS):
        with np.errstate(invalid="ignore", divide="ignore"):
            slope = ((x - x.mean(axis=0)) * (y - y.mean(axis=0))).sum(axis=0) / x.var(axis=0) / len(x)
            middle = (said - x.mean(axis=0)) * slope + y.mean(axis=0)
            extent = boxes.xywh[:, 2:] * slope * unit[boxes.image]
            first = middle * unit[boxes.image] + origin[boxes.image] - extent / 2
        moved = replace(boxes, xywh=np.concatenate([first, extent], axis=1))
        at = _at(objects, moved, FAINT)
        if (at >= 0).sum() < MIN_PAIRS:
            break
        x = said[at[at >= 0]]
        y = true[at >= 0]
    return (1 / np.where(slope, slope, np.nan)).tolist(), moved


def _check_numbers(raw: Raw, category: I64, rows: I64, ledger: Ledger) -> None:
    """Stop where another numbering of classes makes sense of boxes that are at objects.

    Args:
        category: (r,) class of the object.
        rows: (r,) the prediction at it.
    """
    names = [*(raw.class_ids[i] for i in category.tolist()), *(raw.said_classes[i] for i in rows.tolist())]
    known, codes = np.unique(np.array(names), return_inverse=True)
    moved, own, other, partner = renamed(codes[: len(rows)], codes[len(rows) :])
    if moved and other.kappa >= MIN_KAPPA and own.below(max(own.chance, other.chance)):
        of = [(i, str(known[int(partner[int(np.flatnonzero(known == i)[0])])])) for i in raw.class_ids if i in known]
        called = dict(zip(raw.class_ids, raw.class_names))
        pairs = [f"{a} ({called[a]!r}) of the truth goes with {b}" for a, b in of if a != b]
        ledger.doubt(
            f"Predictions number the classes otherwise than the truth: {', '.join(pairs[:3])}"
            f"{', ...' if len(pairs) > 3 else ''}. Of {own.n:,} predictions at such objects "
            f"{percent(own.hits / own.n)} are of their class as written, and {percent(other.hits / own.n)} if they are "
            "renumbered so. Write the truth's numbers; one side may count from 0, the other from 1."
        )


def _check_seen(counts: I64, located: I64, seen: Bool, ledger: Ledger) -> None:
    """Note more images without any prediction than there would be if objects were missed by chance.

    The chance of an object is that of images in which one was found, given that one was.

    Args:
        counts: (p,) objects of each image.
        located: (p,) how many have a prediction at their place.
        seen: (p,) whether it has any prediction.
    """
    some = located > 0
    none = (counts > 0) & ~seen
    surplus = float(located.sum()) - 1
    if not none.any() or surplus <= some.sum():
        return
    n = counts[some]
    share = surplus / float(counts[some].sum())
    for _ in range(100):
        share = surplus / float((n / (1 - (1 - share) ** n)).sum())
    judged = some | none
    chance = float(((1 - share) ** counts[judged]).mean())
    if binom.sf(none.sum() - 1, judged.sum(), chance) < ALPHA:
        ledger.note(
            f"{int(none.sum()):,} of {int((counts > 0).sum()):,} images with objects have no prediction, and if "
            f"objects were missed by chance {chance * judged.sum():.2g} would have none. Check that the detector has "
            "run over all of them: of images that it has not seen every object counts as missed."
        )
