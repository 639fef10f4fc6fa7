"""Read images from a map-style data set, PyTorch's or any object with a length and an n-th sample."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core.data.images.scratch import Spool, spool_pieces
from core.data.tables.batches import png_of
from core.data.tables.cells import texts_of
from core.data.tables.read import Table
from core.data.tables.recognise import recognise
from core.data.tables.roles import Roles
from core.errors import DiagnosisError, InvalidInput
from core.limits import Limits
from core.received import read_plain
from core.records import NamedItems, Progress, Reporter, no_progress

PicturesLike = str | Path | Any
"""A zip, tar or folder; or a map-style data set."""
_COLUMN = "image"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SpooledImages(NamedItems):
    """Images of a data set, each requested once and stored encoded in an unnamed file."""

    spool: Spool

    def read(self, index: int) -> bytes:
        return self.spool.read(index)


@dataclass(slots=True, eq=False)
class _Samples:
    """Data set that is read once, in order."""

    data: Any
    labels: list[int | str | None] = field(default_factory=list["int | str | None"])

    def encoded(self) -> Iterator[bytes]:
        for row in range(len(self.data)):
            try:
                image, label = _parts(self.data[row])
                if image is None:
                    raise InvalidInput(f"Sample {row:,} of the data set has no image. Remove it, and its row.")
                if isinstance(image, str | os.PathLike):
                    image = read_plain(Path(image), Limits().max_file_bytes)
                if not isinstance(image, bytes):
                    image = png_of(image, f"data[{row}]", compress_level=1)
            except DiagnosisError:
                raise
            except Exception as error:  # the data set's code: a missing file, a transform that fails
                raise InvalidInput(
                    f"Cannot read sample {row:,} of the data set: {type(error).__name__}: {error}. "
                    "Fix it, or remove it there and in the table."
                ) from error
            self.labels.append(label)
            yield image


def with_data_set(read: Table, data: Any, roles: Roles = Roles(), progress: Progress = no_progress) -> Table:
    """Add the images of a data set to the table, and its labels where the table has none.

    Args:
        read: a row for each sample, in the data set's order.
        data: has a length, and `data[i]` is an image or (image, label, ...), or a dict of "image" and "label". An
            image is PIL's, a path, the bytes of a file, or an array or tensor (h, w), (h, w, c) or (c, h, w) of 0 to
            255 or 0.0 to 1.0; a label a number or a name, numbers named by `data.classes`. Each sample is requested
            once, in order.

    Raises:
        InvalidInput: `data` is not such a data set, its length differs from the table's, or the table has other labels
            in its rows or its own images.
    """
    n = _length(data)
    image_columns = [*read.images, *filter(None, (roles.image,))]
    if image_columns:
        raise InvalidInput(
            f"Both the data set and the table's {image_columns[0]!r} hold images. Remove one of the two."
        )
    if n != len(read.frame):
        raise InvalidInput(
            f"{n:,} samples in the data set, {len(read.frame):,} rows in the table. "
            "Use one row per sample, in the same order."
        )
    samples = _Samples(data)
    spool = spool_pieces("The data set", samples.encoded(), Reporter(progress, "unpack images", n))
    column = _COLUMN if _COLUMN not in read.frame else f"{_COLUMN} of the data set"
    store = SpooledImages(tuple(map(str, range(n))), spool)
    return replace(_with_labels(read, samples, roles, column), images={column: store})


def _length(data: Any) -> int:
    if not callable(getattr(type(data), "__getitem__", None)):
        next_step = "Use a list of images, for example."
        if hasattr(data, "dataset"):
            next_step = "Use the DataLoader's `dataset`."
        raise InvalidInput(
            f"Images must be a path, or a data set with `data[n]`: got {type(data).__name__}. {next_step}"
        )
    try:
        return len(data)
    except (TypeError, NotImplementedError) as error:
        raise InvalidInput(f"The data set ({type(data).__name__}) has no length. Use one with `len`.") from error


def _parts(sample: Any) -> tuple[Any, int | str | None]:
    """The image and the label of a sample; None for a label that is not one number or name."""
    label: Any = None
    image = sample
    if isinstance(sample, Mapping):
        image = sample[_COLUMN]
        label = sample.get("label")
    elif isinstance(sample, (tuple, list)):
        image = sample[0]
        if len(sample) > 1:
            label = sample[1]
    if getattr(label, "shape", None) == ():
        label = label.item()  # of numpy or torch
    if not isinstance(label, (int, str)):
        return image, None
    return image, label


def _with_labels(read: Table, samples: _Samples, roles: Roles, column: str) -> Table:
    """Add the data set's labels to the table, if it has none and every sample has one."""
    if None in samples.labels:
        return read
    numbers = samples.labels
    classes = _class_names(samples.data)
    names = [classes.get(k, k) if isinstance(k, int) else k for k in numbers]
    known = recognise(read.frame, roles, [column]).roles
    if known.label is not None:
        _check_order(read, known.label, names, numbers)
        return read
    if known.target is not None or "label" in read.frame:
        return read
    note = "The labels come from the data set."
    return replace(read, frame=read.frame.assign(label=pd.Series(names)), notes=(*read.notes, note))


def _class_names(data: Any) -> dict[int, str]:
    """Class names of a data set, by number: in order, or by a dict from or to numbers. Several names of a class are
    joined, as in ImageNet, and classes with the same name get their number appended."""
    while not hasattr(data, "classes") and hasattr(data, "dataset"):
        data = data.dataset  # of a Subset
    classes = getattr(data, "classes", None)
    pairs: Any = ()
    if isinstance(classes, (list, tuple, np.ndarray)):
        pairs = enumerate(classes)
    elif isinstance(classes, Mapping):
        pairs = classes.items()
        if any(isinstance(k, str) for k, _ in pairs):
            pairs = [(k, name) for name, k in pairs]
    names: dict[Any, str] = {}
    for k, name in pairs:
        names[k] = ", ".join(map(str, name)) if isinstance(name, (tuple, list)) else str(name)
    counts = Counter(names.values())
    return {k: name if counts[name] == 1 else f"{name} ({k})" for k, name in names.items()}


def _check_order(read: Table, column: str, *labels: list[int | str | None]) -> None:
    """Refuse a table whose labels are the data set's in another order; labels with other names cannot be compared."""
    ours = texts_of(read.frame[column]).tolist()
    differing = list[tuple[int, str, str]]()
    for theirs in (list(map(str, each)) for each in labels):
        if set(ours) <= set(theirs):
            first = next((row for row, pair in enumerate(zip(ours, theirs)) if pair[0] != pair[1]), None)
            if first is None:
                return
            differing.append((first, ours[first], theirs[first]))
    if differing:
        row, ours_there, theirs_there = differing[0]
        raise InvalidInput(
            f"Row {row:,}: {column!r} is {ours_there!r} in the table but {theirs_there!r} in the data set. "
            f"Evaluate with shuffle=False, or remove {column!r} if it is not the label."
        )
