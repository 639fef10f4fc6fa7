"""Files of benchmarks, read with one clear message for each fault: too large, no JSON, of another shape, of the wrong
type."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from core.documents import json_lines, parse_json, read_text
from core.errors import InvalidInput
from core.limits import byte_size
from core.received import open_plain
from core.systems.composition.records import Box

MAX_FILE_BYTES = 200 * 2**20
"""Bytes of one file; the largest published one (the scenes of CLEVR) has about 150 MiB."""
PUBLISHED = "Use the published file."
DATA_SUFFIXES = (".json", ".jsonl", ".ndjson", ".csv", ".tsv")
_HEAD = 2**18  # bytes in which the line of column names must end
Record = dict[str, Any]


def path_of(written: Path | str, what: str) -> Path:
    """The path, with "~" resolved, whether or not something is there.

    Args:
        what: for the message, such as "The benchmark".

    Raises:
        InvalidInput: no file can have that name.
    """
    try:
        path = Path(written).expanduser()
        with suppress(FileNotFoundError):
            path.stat()
    except (OSError, ValueError, RuntimeError) as error:  # too long, a NUL inside, a user that there is not
        why = error.strerror if isinstance(error, OSError) else error
        raise InvalidInput(f"{what} {str(written)[:60]!r} cannot be opened: {why}. Use another path.") from None
    return path


def load_json(path: Path) -> Any:
    """What the file holds.

    Raises:
        InvalidInput: it is not there, too large, not UTF-8, no JSON, nested too deep, names a key twice, or holds NaN,
        an infinity or half of a character.
    """
    return parse_json(_text(path), path.name, strict=True, instead=PUBLISHED)


def load_lines(path: Path) -> Iterator[tuple[str, Any]]:
    """("file, line n", what the line holds) of each line that is not empty.

    Raises:
        InvalidInput: as `load_json`, naming the line.
    """
    yield from json_lines(_text(path), path.name, strict=True, instead=PUBLISHED)


def load_records(path: Path, form: str) -> Iterator[tuple[str, Record]]:
    """("file, record n", the record) of each entry of a list.

    Args:
        form: what a record should hold, for the message.

    Raises:
        InvalidInput: as `load_json`, or the file is not a list of objects.
    """
    for i, row in enumerate(as_list(load_json(path), path.name, "records")):
        where = f"{path.name}, record {i}"
        yield where, as_object(row, where, form)


def load_scenes(path: Path) -> Iterator[tuple[str, str, list[Any]]]:
    """("file, scene n", its image's name, its objects) of each scene of a file in CLEVR's form.

    Raises:
        InvalidInput: as `load_json`, or the file is not {"scenes": [{"image_filename", "objects": [...]}]}.
    """
    scenes = as_object(load_json(path), path.name, "scenes").get("scenes")
    for i, row in enumerate(as_list(scenes, f"{path.name}: scenes", "scenes")):
        where = f"{path.name}, scene {i}"
        scene = as_object(row, where, "image_filename and objects")
        name = text_of(scene, "image_filename", where)
        yield where, name, as_list(scene.get("objects"), f"{where}: objects", "objects")


def header(path: Path) -> list[str]:
    """Column names of a CSV or TSV: its first line, split where it gives the most columns."""
    _check(path)
    try:
        with open_plain(path) as file:
            line = file.read(_HEAD).decode("utf-8-sig", "replace").partition("\n")[0]
        splits = [next(csv.reader([line], delimiter=separator), list[str]()) for separator in ",\t;|"]
    except csv.Error:
        return []
    except OSError as error:
        raise InvalidInput(f"{path.name} cannot be read ({error.strerror}).") from None
    return [name.strip() for name in max(splits, key=len)]


def _check(path: Path) -> None:
    if not path.is_file():
        raise InvalidInput(f"No file {str(path)[:200]!r}. Use the path of a benchmark's file, or its folder.")
    if (size := path.stat().st_size) > MAX_FILE_BYTES:
        raise InvalidInput(f"{path.name} has {byte_size(size)}; the limit is {byte_size(MAX_FILE_BYTES)}. Split it.")


def _text(path: Path) -> str:
    _check(path)
    return read_text(path, most=MAX_FILE_BYTES, instead=PUBLISHED)


def kind_of(value: Any) -> str:
    """What a value is, in words."""
    kinds = {"dict": "an object", "list": "a list", "str": "text", "bool": "true or false", "NoneType": "null"}
    return kinds.get(type(value).__name__, "a number")


def as_object(value: Any, where: str, form: str) -> Record:
    """The value, if it is an object.

    Args:
        form: what the object should hold, for the message, such as "filename, caption and negative_caption".
    """
    if not isinstance(value, dict):
        raise InvalidInput(f"{where} must be an object with {form}: it is {kind_of(value)}. {PUBLISHED}")
    return value


def as_list(value: Any, where: str, form: str, length: int | None = None) -> list[Any]:
    """The value, if it is a list (of that length)."""
    if not isinstance(value, list):
        raise InvalidInput(f"{where} must be a list of {form}: it is {kind_of(value)}. {PUBLISHED}")
    entries: list[Any] = value
    if length is not None and len(entries) != length:
        raise InvalidInput(
            f"{where} must be a list of {form}: it has {len(entries):,} entries, not {length:,}. {PUBLISHED}"
        )
    return entries


def as_text(value: Any, where: str) -> str:
    """The value, if it is text."""
    if not isinstance(value, str):
        raise InvalidInput(f"{where} must be text: it is {kind_of(value)}. Write it in quotes.")
    return value


def text_of(record: Record, key: str, where: str) -> str:
    """The text under a key."""
    if key not in record:
        raise InvalidInput(f"{where} has no {key!r}; it has {few(record)}. {PUBLISHED}")
    return as_text(record[key], f"{where}: {key!r}")


def texts_of(record: Record, key: str, where: str) -> list[str]:
    """The texts of the list under a key."""
    entries = as_list(record.get(key), f"{where}: {key!r}", "texts")
    return [as_text(one, f"{where}: {key!r}, entry {i}") for i, one in enumerate(entries)]


def label_of(record: Record, key: str) -> str:
    """Text or number under a key, as text with single spaces, at most 100 characters; "" for other values."""
    value = record.get(key)
    written = isinstance(value, str | int | float) and not isinstance(value, bool)
    if written:
        return " ".join(str(value).split())[:100]
    return ""


def number_of(record: Record, key: str, where: str) -> float:
    """The finite number under a key; text that says one counts."""
    value = record.get(key)
    try:
        number = float("nan") if value is None or isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = float("nan")
    if not math.isfinite(number):
        raise InvalidInput(f"{where}: {key!r} must be a number: it is {str(value)[:40]!r}. Fix it or remove the row.")
    return number


def box_of(record: Record, keys: Sequence[str], where: str) -> Box:
    """Left, top, width and height under four keys."""
    left, top, width, height = (number_of(record, key, where) for key in keys)
    return left, top, width, height


def few(names: Sequence[str] | Record) -> str:
    """The first names of a list, quoted, for a message."""
    listed = list(names)
    return (
        ", ".join(repr(str(name)[:60]) for name in listed[:5]) + (" and others" if len(listed) > 5 else "")
    ) or "nothing"
