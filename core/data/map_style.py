"""Images from a map-style data set of PyTorch, or of whatever has a length and gives its n-th sample."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core.data.images.scratch import Spool, spooled
from core.data.tables.batches import png_of
from core.data.tables.cells import texts_of
from core.data.tables.read import Table
from core.data.tables.recognise import recognise
from core.data.tables.roles import Roles
from core.errors import DiagnosisError, InvalidInput
from core.records import NamedItems, Progress, Reporter, no_progress

PicturesLike = str | Path | Any
"""A zip, tar or folder; or a map-style data set."""
_COLUMN = "image"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SpooledImages(NamedItems):
    """Images of a data set, each asked for once and kept as PNG in a file without a name."""

    spool: Spool

    def read(self, index: int) -> bytes:
        return self.spool.read(index)


@dataclass(slots=True, eq=False)
class _Samples:
    """A data set that is gone through once, in order."""

    data: Any
    labels: list[int | str | None] = field(default_factory=list["int | str | None"])

    def pictures(self) -> Iterator[bytes]:
        for row in range(len(self.data)):
            try:
                picture, label = _parts(self.data[row])
                png = png_of(picture, f"data[{row}]", compress_level=1)
            except DiagnosisError:
                raise
            except Exception as error:  # the data set's own code: a file that is gone, a transform that fails
                raise InvalidInput(
                    f"The data set gives no sample {row:,}: {type(error).__name__}: {error}. Mend it, or leave the "
                    "sample out of it and of the table."
                ) from error
            self.labels.append(label)
            yield png


def with_data_set(read: Table, data: Any, roles: Roles = Roles(), progress: Progress = no_progress) -> Table:
    """The table with the images of a data set, and with its labels where the table has none.

    Args:
        read: a row for each sample, in the data set's order.
        data: has a length, and `data[i]` is an image or (image, label, ...), or a dict of "image" and "label". A
            image is one of PIL, or (h, w), (h, w, c) or (c, h, w), an array or tensor of 0 to 255 or 0.0 to 1.0; a
            label a number or a name, numbers named by `data.classes`. Each sample is asked for once, in order.

    Raises:
        InvalidInput: it is no such data set, has not one sample for each row, gives something else, or the table has
            other labels in its rows or images of its own.
    """
    n = _length(data)
    if own := [*read.images, *filter(None, (roles.image,))]:
        raise InvalidInput(f"Images come from a data set and from the table's {own[0]!r}. Leave one of the two out.")
    if n != len(read.frame):
        raise InvalidInput(
            f"The data set has {n:,} samples and the table {len(read.frame):,} rows. Bring one row for each sample, in "
            "its order."
        )
    samples = _Samples(data)
    spool = spooled("The data set", samples.pictures(), Reporter(progress, "unpack images", n))
    column = _COLUMN if _COLUMN not in read.frame else f"{_COLUMN} of the data set"
    store = SpooledImages(tuple(map(str, range(n))), spool)
    return replace(_labelled(read, samples, roles, column), images={column: store})


def _length(data: Any) -> int:
    if not callable(getattr(type(data), "__getitem__", None)):
        loader = "a DataLoader's is its `dataset`" if hasattr(data, "dataset") else "such as a list of images"
        raise InvalidInput(
            "Images are a path, or a data set that gives its n-th sample, `data[n]`: got "
            f"{type(data).__name__}. Bring one, {loader}."
        )
    try:
        return len(data)
    except (TypeError, NotImplementedError) as error:
        raise InvalidInput(f"The data set ({type(data).__name__}) has no length. Bring one that has `len`.") from error


def _parts(sample: Any) -> tuple[Any, int | str | None]:
    """The image and the label of a sample; None where it has none that is one number or name."""
    label: Any = None
    if isinstance(sample, Mapping):
        picture = sample[_COLUMN]
        label = sample.get("label")
    elif isinstance(sample, (tuple, list)):
        picture = sample[0]
        label = sample[1] if len(sample) > 1 else None
    else:
        picture = sample
    if getattr(label, "shape", None) == ():
        label = label.item()  # of numpy or torch
    return picture, label if isinstance(label, (int, str)) else None


def _labelled(read: Table, samples: _Samples, roles: Roles, column: str) -> Table:
    """The table with the labels of the data set, if it has none and these are known of every row."""
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
    note = "The labels are those of the data set."
    return replace(read, frame=read.frame.assign(label=pd.Series(names)), notes=(*read.notes, note))


def _class_names(data: Any) -> dict[int, str]:
    """What a data set calls its classes, by number: in order, or by a dict from or to numbers. Names of one class are
    joined, as ImageNet has them, and two classes of one name told apart by their numbers."""
    while not hasattr(data, "classes") and hasattr(data, "dataset"):
        data = data.dataset  # of a Subset
    given = getattr(data, "classes", None)
    pairs: Any = given.items() if isinstance(given, Mapping) else ()
    if isinstance(given, (list, tuple, np.ndarray)):
        pairs = enumerate(given)
    elif any(isinstance(k, str) for k, _ in pairs):
        pairs = [(k, name) for name, k in pairs]
    named = {k: ", ".join(map(str, v)) if isinstance(v, (tuple, list)) else str(v) for k, v in pairs}
    often = Counter(named.values())
    return {k: name if often[name] == 1 else f"{name} ({k})" for k, name in named.items()}


def _check_order(read: Table, column: str, *labels: list[int | str | None]) -> None:
    """Refuse a table whose labels are the data set's in another order; those that are called otherwise say nothing."""
    ours = texts_of(read.frame[column]).tolist()
    differing = list[tuple[int, str, str]]()
    for theirs in (list(map(str, each)) for each in labels):
        if set(ours) <= set(theirs):
            first = next((row for row, pair in enumerate(zip(ours, theirs)) if pair[0] != pair[1]), None)
            if first is None:
                return
            differing.append((first, ours[first], theirs[first]))
    if differing:
        row, said, given = differing[0]
        raise InvalidInput(
            f"Row {row:,} of the table has {said!r} in {column!r} and the data set {given!r}: the rows must be in the "
            f"data set's order. Evaluate with shuffle=False, or leave {column!r} out if it is no label of the data set."
        )
