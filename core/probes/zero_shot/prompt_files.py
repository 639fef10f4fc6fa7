"""Files and text boxes that speak of classes: templates, other names, descriptions. Read with one clear message for
each fault, and written back."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from core.documents import parse_json, read_text
from core.errors import InvalidInput, MissingDependency
from core.language.grammar import fold_name, spoken_names
from core.limits import byte_size
from core.options import check_text

LIMIT = 50 * 2**20
"""Bytes of the largest file that is read; the largest published one has 3 MiB."""


def read_templates(which: str, own: str = "") -> tuple[str, ...]:
    """Sentences that hold {} once each.

    Args:
        which: "simple", "7" (CLIP's best seven), "80" (CLIP's for ImageNet) or "own".
        own: one template a line, for "own".

    Raises:
        InvalidInput: an own template does not hold {} exactly once, there is none, or there is no such set.
        MissingDependency: open_clip, which carries the 7 and the 80, is not installed.
    """
    if which == "simple":
        return ("a photo of a {}.",)
    if which in ("7", "80"):
        return _published("SIMPLE_IMAGENET_TEMPLATES" if which == "7" else "OPENAI_IMAGENET_TEMPLATES")
    if which != "own":
        raise InvalidInput(f"templates must be one of simple, 7, 80, own: got {which[:60]!r}.")
    lines = [(i, line.strip()) for i, line in enumerate(own.splitlines(), 1) if line.strip()]
    if not lines:
        raise InvalidInput(
            "templates is 'own', and own_templates is empty. Write one sentence a line, such as: a photo of a {}."
        )
    for i, line in lines:
        if (holes := line.count("{}")) != 1:
            raise InvalidInput(
                f"own_templates, line {i}: each template must hold {{}} exactly once, where the name goes: "
                f"{line[:80]!r} holds it {holes} times."
            )
    return tuple(dict.fromkeys(line for _, line in lines))


@cache
def _published(constant: str) -> tuple[str, ...]:
    """Templates of the installed open_clip, whose one file is run by itself: importing the package would load torch."""
    package = importlib.util.find_spec("open_clip")
    if package is None or not package.submodule_search_locations:
        raise MissingDependency(
            "The 7 and the 80 templates are read from open_clip. "
            "Run `pip install open_clip_torch`, or use 'simple' or 'own'."
        )
    file = Path(package.submodule_search_locations[0]) / "zero_shot_metadata.py"
    spec = importlib.util.spec_from_file_location("_open_clip_templates", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made: Sequence[Callable[[str], str]] = getattr(module, constant)
    return tuple(template("{}") for template in made)


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
            raise InvalidInput(f"{what}: {error} Give the path of a JSON file, or its text.") from None
    if len(text) > LIMIT:
        raise InvalidInput(
            f"{where}: at most {byte_size(LIMIT)} are read, and these are {byte_size(len(text))}. "
            "Keep the classes that you have."
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
        raise InvalidInput(f"{where}: there is no text in it. Write at least one for a class.")
    return lists


def _texts(value: Any, key: str, where: str) -> tuple[str, ...]:
    """A list's texts. A text given twice counts twice, and an empty list stays one: published files have both."""
    if not isinstance(value, list):
        raise InvalidInput(f"{where}: {key[:80]!r} must hold a list of texts: it holds {_kind(value)}.")
    items: list[Any] = value
    for i, item in enumerate(items, 1):
        if not isinstance(item, str):
            raise InvalidInput(f"{where}: {key[:80]!r}, entry {i} must be text: it is {_kind(item)}.")
        check_text(item, f"{where}: {key[:80]!r}, entry {i}")
        if not item.strip():
            raise InvalidInput(f"{where}: {key[:80]!r}, entry {i} is empty. Write something or take it out.")
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
            raise InvalidInput(f"{what}: {twin[:80]!r} and {key[:80]!r} are the same name. Put their texts under one.")
    wanted = [fold_name(name) for name in class_names]
    strangers = tuple(key for name, key in keys.items() if name not in set(wanted))
    if len(strangers) == len(keys):
        few = ", ".join(repr(key[:40]) for key in list(lists)[:3])
        raise InvalidInput(
            f"{what}: none of its names ({len(keys):,}) is a class. It has {few}; the classes are {_few(class_names)}."
        )
    return tuple(lists[keys[name]] if name in keys else () for name in wanted), strangers


def strangers_note(strangers: Sequence[str], what: str) -> str:
    """The keys of a file that are no class: misspelt ones perhaps."""
    many = "1 name in the {} is" if len(strangers) == 1 else f"{len(strangers):,} names in the {{}} are"
    return f"{many.format(what)} no class and went unused: {_few(strangers)}."


def _few(names: Sequence[str]) -> str:
    return ", ".join(repr(name[:40]) for name in names[:3]) + (" and others" if len(names) > 3 else "")


def read_synonyms(source: str, class_names: Sequence[str]) -> tuple[tuple[tuple[str, ...], ...], tuple[str, ...]]:
    """For each class its own tidy name and its other names; and notes.

    Args:
        source: lines "class: name, name", or JSON of lists or the path of such a file (for names with commas).

    Raises:
        InvalidInput: a line names no class, or a name belongs to two classes.
    """
    own, text = spoken_names(class_names), source.strip()
    if not text:
        return tuple((name,) for name in own), ()
    notes: tuple[str, ...] = ()
    if text.startswith(("{", "[")) or ("\n" not in text and text.casefold().endswith(".json")):
        others, strangers = by_class(read_lists(text, "synonyms"), class_names, "synonyms")
        if strangers:
            notes = (strangers_note(strangers, "synonyms"),)
    else:
        others = _from_lines(text, class_names)
    owner = {fold_name(name): i for i, name in enumerate(own)}
    found: list[tuple[str, ...]] = []
    for i, (name, more) in enumerate(zip(own, others, strict=True)):
        for other in more:
            if (of := owner.setdefault(fold_name(other), i)) != i:
                raise InvalidInput(
                    f"synonyms: {other[:60]!r} would name both {own[of]!r} and {name!r}. Keep it with one of them."
                )
        distinct = {fold_name(n): n for n in reversed((name, *spoken_names(more)))}  # the first spelling stays
        found.append(tuple(reversed(distinct.values())))
    return tuple(found), notes


def _from_lines(text: str, class_names: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    place = {fold_name(name): i for i, name in enumerate(class_names)}
    found: list[tuple[str, ...]] = [() for _ in class_names]
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        cuts = [at for at, character in enumerate(line) if character in ":：" and fold_name(line[:at]) in place]
        if not cuts:  # the longest name that is a class goes before the colon, for a name may hold colons itself
            raise InvalidInput(
                f"synonyms, line {number}: must start with a class name and a colon, as in 'sofa: couch, settee': "
                f"got {line.strip()[:80]!r}. The classes are {_few(class_names)}."
            )
        names = line[cuts[-1] + 1 :].replace("，", ",").replace("、", ",").split(",")
        found[place[fold_name(line[: cuts[-1]])]] += tuple(name.strip() for name in names if name.strip())
    return tuple(found)
