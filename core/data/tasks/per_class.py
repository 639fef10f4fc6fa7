"""Several rows of one image, one for each class: ids, images, embeddings and groups follow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from core.data.samples import DataSet
from core.errors import InvalidInput
from core.limits import MIN_SAMPLES
from core.records import I64, Column, ItemView, Outcomes

MAX_ROWS = 300_000
"""More rows are refused: the search would take hours."""


def by_class(
    audit: DataSet,
    picture_of: I64,
    labels: I64,
    class_names: Sequence[str],
    outcomes: Outcomes,
    *,
    suffixes: Iterable[str],
    columns: Iterable[Column] = (),
    notes: Iterable[str] = (),
) -> DataSet:
    """The audit with one row for each (image, class).

    Args:
        audit: one row for each image; its own outcomes are dropped.
        picture_of: (N,) row of the audit.
        labels: (N,) index into class_names.
        outcomes: of the N rows.
        suffixes: (N,) what a row's id has behind the image's.
        columns: of the N rows, which may serve as conditions.

    Returns:
        N rows; the image is the group, or the audit's own group (patient, video) where it has one.
    """
    n = len(picture_of)
    if not MIN_SAMPLES <= n <= MAX_ROWS:
        too_many = "more than can be searched. Leave out images or classes"
        what = "too few to test anything" if n < MIN_SAMPLES else too_many
        raise InvalidInput(
            f"The images and classes give {n:,} rows, {what}: between {MIN_SAMPLES} and {MAX_ROWS:,} are needed."
        )
    samples = audit.samples
    moved = samples.keep(picture_of)
    rows = replace(
        moved,
        ids=tuple(f"{name}#{suffix}" for name, suffix in zip(moved.ids, suffixes)),
        items=None if samples.items is None else ItemView(samples.items, picture_of, shared=True),
        labels=labels,
        class_names=tuple(class_names),
        metadata=(*moved.metadata, *columns),
        groups=picture_of if moved.groups is None else moved.groups,
        group_name=samples.group_name or "image",
    )
    given = None if audit.embeddings is None else audit.embeddings.keep(picture_of)
    said = f"{len(samples):,} images give {n:,} rows, one for each class of an image."
    return replace(audit, samples=rows, outcomes=outcomes, embeddings=given, notes=(*audit.notes, *notes, said))
