"""Hold the boxes of objects and predictions, and check them alike for every format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from core.errors import InvalidInput
from core.numbers import plural
from core.records import F64, I64, Bool
from core.records.ledger import Ledger


@dataclass(frozen=True, slots=True, eq=False)
class Boxes:
    """n boxes, in the order of their file."""

    ids: tuple[str, ...]
    image: I64
    """(n,) index of the image, -1 for an unknown one."""
    category: I64
    """(n,) index into the class names, -1 for an unknown class."""
    xywh: F64
    """(n, 4) left, top, width, height in pixels; nan where they could not be read."""
    score: F64
    """(n,) the model's confidence; 1 for true objects."""
    crowd: Bool
    """(n,) regions of many objects, which count neither as objects nor as mistakes."""

    def __len__(self) -> int:
        return len(self.ids)

    def keep(self, rows: I64) -> Boxes:
        """The boxes of `rows`, in that order."""
        ids = tuple(self.ids[int(row)] for row in rows)
        return Boxes(ids, self.image[rows], self.category[rows], self.xywh[rows], self.score[rows], self.crowd[rows])


@dataclass(frozen=True, slots=True, eq=False)
class Raw:
    """Both sides as written; bad boxes are marked in the ledgers and still present."""

    class_names: tuple[str, ...]
    image_names: tuple[str, ...]
    """Path of each image, as written."""
    sizes: F64
    """(m, 2) width and height in pixels; nan if the image files are to be measured."""
    truth: Boxes
    predictions: Boxes
    truth_ledger: Ledger
    predictions_ledger: Ledger
    image_ids: F64
    """(m,) number of each image, nan for an id that is not a number."""
    predicted_image_ids: F64
    """(predictions,) number of its image."""
    class_ids: tuple[str, ...]
    """Of each class, as written."""
    predicted_class_ids: tuple[str, ...]
    """(predictions,) id of its class, as written."""
    relative: bool = False
    """The boxes are shares of the image's width and height."""
    image_frame: pd.DataFrame = field(default_factory=pd.DataFrame)
    """(m rows) further values of each image."""
    truth_frame: pd.DataFrame = field(default_factory=pd.DataFrame)
    """(n rows) further values of each true object."""
    notes: tuple[str, ...] = ()


NOWHERE = (float("nan"),) * 4
"""The box of a line or record that cannot be read."""
BoxRow = tuple[str, int, int, tuple[float, ...], float, bool]
"""id, image, category, (left, top, width, height), score and crowd of one box, as `Boxes` has them."""


def boxes_from(rows: Sequence[BoxRow]) -> Boxes:
    """The boxes, in the order of their rows."""
    return Boxes(
        ids=tuple(row[0] for row in rows),
        image=np.array([row[1] for row in rows], np.int64),
        category=np.array([row[2] for row in rows], np.int64),
        xywh=np.array([row[3] for row in rows], np.float64).reshape(len(rows), 4),
        score=np.array([row[4] for row in rows], np.float64),
        crowd=np.array([row[5] for row in rows], np.bool_),
    )


def in_pixels(boxes: Boxes, sizes: F64) -> Boxes:
    """Convert boxes from shares of the image's sides to pixels; those of unknown images stay as they are."""
    scale = _sizes_of(boxes, sizes, boxes.image >= 0, otherwise=1.0)
    return replace(boxes, xywh=boxes.xywh * np.concatenate([scale, scale], axis=1))


def _sizes_of(boxes: Boxes, sizes: F64, known: Bool, otherwise: float) -> F64:
    """(n, 2) width and height of each box's image, `otherwise` if it is not `known`."""
    if not len(sizes):
        return np.full((len(boxes), 2), otherwise)
    return np.where(known[:, None], sizes[np.maximum(boxes.image, 0)], otherwise)


def check_boxes(boxes: Boxes, sizes: F64, ledger: Ledger, what: str) -> Boxes:
    """Drop unusable boxes in the ledger, and cut the others at the image's border.

    Args:
        what: "truth" or "predictions", for messages.

    Raises:
        InvalidInput: the boxes look like left, top, right, bottom.
    """
    standing = ledger.standing()
    ledger.drop(standing & ~np.isfinite(boxes.xywh).all(axis=1), "the box is not four finite numbers")
    standing = ledger.standing()
    size = _sizes_of(boxes, sizes, standing, otherwise=np.nan)
    with np.errstate(invalid="ignore"):
        start = boxes.xywh[:, :2]
        length = boxes.xywh[:, 2:]
        beyond = standing & (start + length > 1.01 * size + 2).any(axis=1)
        as_corners = standing & (length >= start).all(axis=1) & (length <= 1.01 * size + 2).all(axis=1)
        if beyond.sum() > standing.sum() / 3 and as_corners.sum() >= 0.95 * standing.sum():
            example = ", ".join(f"{v:g}" for v in boxes.xywh[np.flatnonzero(beyond)[0]])
            raise InvalidInput(
                f"The boxes of the {what} look like left, top, right, bottom: {int(beyond.sum()):,} of "
                f"{int(standing.sum()):,} reach beyond their image, such as [{example}]. Write them as left, top, "
                "width, height."
            )
        outside = beyond | (standing & (start < -0.01 * size - 2).any(axis=1))
        if outside.sum() > 0.5 * standing.sum():
            example = boxes.ids[int(np.flatnonzero(outside)[0])]
            raise InvalidInput(
                f"{int(outside.sum()):,} of {int(standing.sum()):,} boxes of the {what} reach beyond their image, such "
                f"as {example}. Write them as left, top, width, height in pixels of these images."
            )
        ledger.drop(standing & (length <= 0).any(axis=1), "the box has no width or no height")
        low = np.maximum(start, 0)
        high = np.minimum(start + length, size)
        ledger.drop(ledger.standing() & (high <= low).any(axis=1), "the box lies wholly outside its image")
        cut = ledger.standing() & ((start < -1) | (start + length > size + 1)).any(axis=1)
    n_cut = int(cut.sum())
    if n_cut:
        ledger.note(
            f"Cut {n_cut:,} {plural(n_cut, 'box', 'boxes')} of the {what} at the border of the image: over a pixel lay "
            "outside."
        )
    return replace(boxes, xywh=np.concatenate([low, high - low], axis=1))


def geometry(boxes: Boxes, sizes: F64) -> dict[str, F64]:
    """Measure location and size of each box, (n,) each; in shares of the image unless the name has the unit."""
    size = sizes[boxes.image]
    start = boxes.xywh[:, :2]
    length = boxes.xywh[:, 2:]
    off = (start + length / 2) / size - 0.5  # (n, 2), -0.5 to 0.5: the distance is 1 in a corner
    gap = np.minimum(start, size - start - length).min(axis=1)
    return {
        "area share": length.prod(axis=1) / size.prod(axis=1),
        "width / height": length[:, 0] / length[:, 1],
        "distance to the center": np.sqrt((off**2).sum(axis=1) / 0.5),
        "gap to the border": np.maximum(gap, 0) / size.min(axis=1),
    }
