"""Columns whose cells read like paths of files, for a message where none was recognized by name."""

from __future__ import annotations

import pandas as pd

from core.data.modality import modality_by_name
from core.data.tables.cells import texts_of
from core.errors import quoted

LOOKED_AT = 50
"""Cells of a column that are read."""


def path_columns(frame: pd.DataFrame) -> list[str]:
    """Columns in which most of the first cells end as files of images, clips or scans do."""
    found = list[str]()
    for name in frame.columns:
        if not pd.api.types.is_numeric_dtype(frame[name]):
            texts = [text for text in texts_of(frame[name].dropna().head(LOOKED_AT)) if text]
            if texts and sum(modality_by_name(text) is not None for text in texts) > 0.5 * len(texts):
                found.append(name)
    return found


def image_hint(frame: pd.DataFrame) -> str:
    """A sentence that names such columns and the options that take them; "" where there are none."""
    found = path_columns(frame)
    if len(found) < 2:
        return f"{found[0]!r} reads like paths of files: name it with --image." if found else ""
    masks = " and, if two are masks, the true and the predicted one with --masks" if len(found) > 2 else ""
    return f"{quoted(*found)} read like paths of files: name the one you mean with --image{masks}."


def masks_hint(frame: pd.DataFrame, *taken: str | None) -> str:
    """The same where a pair of masks would do, if two such columns play no part yet."""
    found = [name for name in path_columns(frame) if name not in taken]
    if len(found) < 2:
        return ""
    return f"If {quoted(*found)} name masks, give the true and the predicted one with --masks."
