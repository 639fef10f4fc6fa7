"""Texts under the names of classes: a JSON object of lists, brought to the classes of a data set, with one clear
message for each fault."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.documents import parse_json, read_text
from core.errors import InvalidInput
from core.language.grammar import fold_name
from core.limits import byte_size
from core.options import check_text

LIMIT = 50 * 2**20
"""Bytes of the largest file that is read; the largest published one has 3 MiB."""


def read_object(source: str, what: str, form: str) -> tuple[dict[str, Any], str]:
    """A JSON object, and what it is called in messages.

    Args:
        source: path of a file, or the JSON itself (text that starts with a bracket).
        what: what it is called in messages, such as "descriptions".
        form: what it must be, such as 'an object of lists, {"class": ["text", ...], ...}'.

    Raises:
        InvalidInput: no such file, larger than 50 MiB, no valid JSON, not an object, or a key is there twice.
    """
    text = source.strip()
    where = what
    if not text.startswith(("{", "[")):
        path = Path(text).expanduser()
        where = f"{what} ({path.name})"
        try:
            text = read_text(path, most=LIMIT).strip()
        except InvalidInput as error:
            raise InvalidInput(f"{what}: {error} Use the path of a JSON file, or its text.") from None
    if len(text) > LIMIT:
        raise InvalidInput(
            f"{where}: at most {byte_size(LIMIT)} are allowed: got {byte_size(len(text))}. Remove other classes."
        )
    found = parse_json(text, where, strict=True)
    if not isinstance(found, dict):
        raise InvalidInput(f"{where}: must be {form}: it is {_kind(found)}.")
    return {str(key): value for key, value in found.items()}, where


def read_lists(source: str, what: str) -> dict[str, tuple[str, ...]]:
    """A JSON object of lists of texts, key by key; spaces and line breaks inside a text become single spaces.

    Args:
        source, what: as of `read_object`.

    Raises:
        InvalidInput: as of `read_object`, or of another shape; the message names the key.
    """
    found, where = read_object(source, what, 'an object of lists, {"class": ["text", ...], ...}')
    lists = {key: _texts(value, key, where) for key, value in found.items()}
    if not any(lists.values()):
        raise InvalidInput(f"{where}: no text. Write at least one for a class.")
    return lists


def _texts(value: Any, key: str, where: str) -> tuple[str, ...]:
    """A list's texts. A text given twice counts twice, and an empty list stays one: published files have both."""
    if not isinstance(value, list):
        raise InvalidInput(f"{where}: {key[:80]!r} must be a list of texts: it is {_kind(value)}.")
    items: list[Any] = value
    for i, item in enumerate(items, 1):
        if not isinstance(item, str):
            raise InvalidInput(f"{where}: {key[:80]!r}, entry {i} must be text: it is {_kind(item)}.")
        check_text(item, f"{where}: {key[:80]!r}, entry {i}")
        if not item.strip():
            raise InvalidInput(f"{where}: {key[:80]!r}, entry {i} is empty. Fill or remove it.")
    return tuple(" ".join(item.split()) for item in items)


def _kind(value: Any) -> str:
    kinds = {"dict": "an object", "list": "a list", "str": "text", "bool": "true or false", "NoneType": "null"}
    return kinds.get(type(value).__name__, "a number")


def by_class(
    lists: dict[str, tuple[str, ...]], class_names: Sequence[str], what: str
) -> tuple[tuple[tuple[str, ...], ...], tuple[str, ...]]:
    """For each class the texts under its name, spelled with other spaces or case perhaps, and the keys that are no
    class.

    Raises:
        InvalidInput: two keys are one class, or no key is a class.
    """
    keys: dict[str, str] = {}
    for key in lists:
        if (twin := keys.setdefault(fold_name(key), key)) != key:
            raise InvalidInput(f"{what}: {twin[:80]!r} and {key[:80]!r} are the same name. Merge them.")
    wanted = [fold_name(name) for name in class_names]
    strangers = tuple(key for name, key in keys.items() if name not in set(wanted))
    if len(strangers) == len(keys):
        few = ", ".join(repr(key[:40]) for key in list(lists)[:3])
        raise InvalidInput(
            f"{what}: none of its names ({len(keys):,}) is a class. It has {few}; the classes are "
            f"{few_names(class_names)}. Rename them."
        )
    return tuple(lists[keys[name]] if name in keys else () for name in wanted), strangers


def strangers_note(strangers: Sequence[str], what: str) -> str:
    """A note on the keys of a file that are not classes, which may be misspelled."""
    if len(strangers) == 1:
        return f"1 name in the {what} is not a class and was not used: {few_names(strangers)}."
    return f"{len(strangers):,} names in the {what} are not classes and were not used: {few_names(strangers)}."


def few_names(names: Sequence[str]) -> str:
    return ", ".join(repr(name[:40]) for name in names[:3]) + (" and others" if len(names) > 3 else "")
