"""Build several rows of one image, one for each class; ids, images, embeddings and groups follow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from core.data.samples import DataSet
from core.errors import InvalidInput
from core.limits import MIN_SAMPLES
from core.numbers import count
from core.records import I64, Column, ItemView, Outcomes

MAX_ROWS = 300_000
"""More rows are refused: the search would take hours."""


def by_class(
    data: DataSet,
    image_of: I64,
    labels: I64,
    class_names: Sequence[str],
    outcomes: Outcomes,
    *,
    suffixes: Iterable[str],
    columns: Iterable[Column] = (),
    notes: Iterable[str] = (),
) -> DataSet:
    """Build one row for each (image, class).

    Args:
        data: one row for each image; its outcomes are dropped.
        image_of: (N,) row of `data`.
        labels: (N,) index into class_names.
        outcomes: of the N rows.
        suffixes: (N,) a row's id is the image's id, "#" and the suffix.
        columns: of the N rows, which may serve as conditions.

    Returns:
        N rows; the image is the group, unless `data` has groups (patient, video).

    Raises:
        InvalidInput: too few or too many rows.
    """
    n = len(image_of)
    if not MIN_SAMPLES <= n <= MAX_ROWS:
        next_step = "Add images."
        if n > MAX_ROWS:
            next_step = "Remove images or classes."
        raise InvalidInput(
            f"Images and classes make {n:,} rows: between {MIN_SAMPLES} and {MAX_ROWS:,} are needed. {next_step}"
        )
    samples = data.samples
    repeated = samples.keep(image_of)
    items = None
    if samples.items is not None:
        items = ItemView(samples.items, image_of, shared=True)
    groups = repeated.groups
    if groups is None:
        groups = image_of
    rows = replace(
        repeated,
        ids=tuple(f"{name}#{suffix}" for name, suffix in zip(repeated.ids, suffixes)),
        items=items,
        labels=labels,
        class_names=tuple(class_names),
        metadata=(*repeated.metadata, *columns),
        groups=groups,
        group_name=samples.group_name or "image",
    )
    embeddings = None
    if data.embeddings is not None:
        embeddings = data.embeddings.keep(image_of)
    note = f"Split {count(len(samples), 'image')} into {n:,} rows, one for each class of an image."
    return replace(data, samples=rows, outcomes=outcomes, embeddings=embeddings, notes=(*data.notes, *notes, note))
