"""Columns whose cells look like file paths, for a message where none was recognized by name."""

from __future__ import annotations

import pandas as pd

from core.data.modality import modality_by_name
from core.data.tables.cells import texts_of
from core.errors import quoted

SAMPLED_CELLS = 50
"""Cells read of each column, a convention."""


def path_columns(frame: pd.DataFrame) -> list[str]:
    """Columns in which most of the first cells end as files of images, clips or scans do."""
    names = list[str]()
    for name in frame.columns:
        if not pd.api.types.is_numeric_dtype(frame[name]):
            texts = [text for text in texts_of(frame[name].dropna().head(SAMPLED_CELLS)) if text]
            if texts and sum(modality_by_name(text) is not None for text in texts) > 0.5 * len(texts):
                names.append(name)
    return names


def image_hint(frame: pd.DataFrame) -> str:
    """A sentence that names these columns and the options that take them; "" without any."""
    names = path_columns(frame)
    if not names:
        return ""
    if len(names) == 1:
        return f"{names[0]!r} holds file paths: name it with --image."
    hint = f"{quoted(*names)} hold file paths: name the images with --image"
    if len(names) > 2:
        hint += " and the true and predicted masks with --masks"
    return f"{hint}."


def masks_hint(frame: pd.DataFrame, *taken: str | None) -> str:
    """A sentence on a pair of masks, if two columns of paths have no role yet; "" otherwise."""
    names = [name for name in path_columns(frame) if name not in taken]
    if len(names) < 2:
        return ""
    return f"If {quoted(*names)} hold masks, name the true and predicted masks with --masks."
