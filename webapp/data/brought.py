"""Sort the files that a visitor drops together into the fields of the form."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from core.data.tasks.recognise import PREDICTIONS, TRUTH, side_of_detections
from core.errors import InvalidInput
from webapp.state.choices import IMAGES, PHRASES, TABLES, VECTORS

ACCEPTED = tuple(sorted({*TABLES, *IMAGES, *VECTORS, *PHRASES}))
"""Suffixes of the files that the form takes."""
NOUNS = {"table": "table", "images": "archive of images", "vectors": "file of embeddings", "phrases": "file of phrases"}


def sort_files(paths: Sequence[str], held: str = "") -> dict[str, str]:
    """Return the paths by the form's fields: table, images, vectors, phrases, second. A Parquet file beside another
    table holds embeddings.

    Args:
        held: the table, or the JSON file of detections, that the form holds already.

    Raises:
        InvalidInput: two files are for one field.
    """
    by_field = dict[str, str]()
    tables = [path for path in paths if Path(path).suffix.lower() in TABLES]
    if len(tables) > 1 and any(not _is_parquet(path) for path in tables):
        tables = [path for path in tables if not _is_parquet(path)]
    first = tables[:-1] or [held]
    if len(first) == 1 and tables:
        sides = {side_of_detections(Path(path)) for path in (first[0], tables[-1]) if path}
        if sides == {TRUTH, PREDICTIONS}:  # the true and the predicted boxes, in any order
            by_field["second"] = tables.pop()
    for path in paths:
        if path == by_field.get("second"):
            continue
        field = _field_of(path, path in tables)
        if field in by_field:
            raise InvalidInput(
                f"A run takes one {NOUNS[field]}: got {Path(by_field[field]).name} and {Path(path).name}. Drop one."
            )
        by_field[field] = path
    return by_field


def _is_parquet(path: str) -> bool:
    return Path(path).suffix.lower() == ".parquet"


def _field_of(path: str, is_table: bool) -> str:
    suffix = Path(path).suffix.lower()
    if is_table:
        return "table"
    if suffix in IMAGES:
        return "images"
    if suffix in VECTORS:
        return "vectors"
    return "phrases"
