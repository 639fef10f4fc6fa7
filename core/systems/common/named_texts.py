"""Texts by class name: a JSON object of lists, matched with the classes of a data set, and a message for each fault."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.documents import parse_json, read_text
from core.errors import InvalidInput
from core.language.grammar import fold_name
from core.limits import byte_size
from core.options import check_text

MAX_TEXT_BYTES = 50 * 2**20
"""Size limit of a file; the largest published one has 3 MiB."""


def read_object(source: str, what: str, form: str) -> tuple[dict[str, Any], str]:
    """A JSON object, and its name for messages.

    Args:
        source: path of a file, or the JSON itself (text that starts with a bracket).
        what: name for messages, such as "descriptions".
        form: required form, such as 'an object of lists, {"class": ["text", ...], ...}'.

    Raises:
        InvalidInput: the file is missing or larger than 50 MiB, is not valid JSON or not an object, or repeats a key.
    """
    text = source.strip()
    where = what
    if not text.startswith(("{", "[")):
        path = Path(text).expanduser()
        where = f"{what} ({path.name})"
        try:
            text = read_text(path, most=MAX_TEXT_BYTES).strip()
        except InvalidInput as error:
            raise InvalidInput(f"{what}: {error} Use the path of a JSON file, or its text.") from None
    if len(text) > MAX_TEXT_BYTES:
        raise InvalidInput(
            f"{where}: at most {byte_size(MAX_TEXT_BYTES)} are allowed: got {byte_size(len(text))}. Remove other "
            "classes."
        )
    document = parse_json(text, where, strict=True)
    if not isinstance(document, dict):
        raise InvalidInput(f"{where}: must be {form}: it is {_json_kind(document)}. Fix it.")
    return {str(key): value for key, value in document.items()}, where


def read_lists(source: str, what: str) -> dict[str, tuple[str, ...]]:
    """Lists of texts by key of a JSON object; spaces and line breaks inside a text become single spaces.

    Args:
        source, what: as in `read_object`.

    Raises:
        InvalidInput: as in `read_object`, or a value is not a list of texts; the message names its key.
    """
    document, where = read_object(source, what, 'an object of lists, {"class": ["text", ...], ...}')
    lists = {key: _texts(value, key, where) for key, value in document.items()}
    if not any(lists.values()):
        raise InvalidInput(f"{where}: no text. Write at least one for a class.")
    return lists


def _texts(value: Any, key: str, where: str) -> tuple[str, ...]:
    """The texts of a list, with repetitions; an empty list stays. Published files have both."""
    if not isinstance(value, list):
        raise InvalidInput(f"{where}: {key[:80]!r} must be a list of texts: it is {_json_kind(value)}. Fix it.")
    items: list[Any] = value
    for i, item in enumerate(items, 1):
        if not isinstance(item, str):
            raise InvalidInput(f"{where}: {key[:80]!r}, entry {i} must be text: it is {_json_kind(item)}. Fix it.")
        check_text(item, f"{where}: {key[:80]!r}, entry {i}")
        if not item.strip():
            raise InvalidInput(f"{where}: {key[:80]!r}, entry {i} is empty. Fill or remove it.")
    return tuple(" ".join(item.split()) for item in items)


def _json_kind(value: Any) -> str:
    kinds = {"dict": "an object", "list": "a list", "str": "text", "bool": "true or false", "NoneType": "null"}
    return kinds.get(type(value).__name__, "a number")


def by_class(
    lists: dict[str, tuple[str, ...]], class_names: Sequence[str], what: str
) -> tuple[tuple[tuple[str, ...], ...], tuple[str, ...]]:
    """The texts of each class, () without any, and the keys that match no class. Spaces and case do not matter.

    Raises:
        InvalidInput: two keys match one class, or no key matches any.
    """
    keys: dict[str, str] = {}
    for key in lists:
        twin = keys.setdefault(fold_name(key), key)
        if twin != key:
            raise InvalidInput(f"{what}: {twin[:80]!r} and {key[:80]!r} are the same name. Merge them.")
    wanted = [fold_name(name) for name in class_names]
    strangers = tuple(key for name, key in keys.items() if name not in set(wanted))
    if len(strangers) == len(keys):
        few = ", ".join(repr(key[:40]) for key in list(lists)[:3])
        raise InvalidInput(
            f"{what}: none of its names ({len(keys):,}) is a class. It has {few}; the classes are "
            f"{few_names(class_names)}. Rename them."
        )
    texts = {name: lists[key] for name, key in keys.items()}
    return tuple(texts.get(name, ()) for name in wanted), strangers


def strangers_note(strangers: Sequence[str], what: str) -> str:
    """A note on keys that are not classes, which may be misspelled."""
    if len(strangers) == 1:
        return f"1 name in the {what} is not a class and was not used: {few_names(strangers)}."
    return f"{len(strangers):,} names in the {what} are not classes and were not used: {few_names(strangers)}."


def few_names(names: Sequence[str]) -> str:
    few = ", ".join(repr(name[:40]) for name in names[:3])
    if len(names) > 3:
        return f"{few} and others"
    return few
