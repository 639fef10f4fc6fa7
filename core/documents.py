"""JSON and YAML that a user brings, read within limits of bytes, memory, depth, digits and repetition.

Every reader of a user's documents goes through this file, so that each fault is found, and told, in one way.
"""

from __future__ import annotations

import errno
import json
import re
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from typing import Any, cast

from core.errors import InvalidInput
from core.limits import Limits, byte_size
from core.options import check_text
from core.received import MAX_STORED_MEMORY, open_plain, read_plain

MAX_BYTES = Limits().max_document_bytes
MAX_STORED_BYTES = 256 * 2**20
"""Of a JSON file that Errata wrote."""
MAX_DEPTH = 64
"""Lists and objects inside each other."""
MAX_DIGITS = 300
"""Digits of a whole number: a larger one is no number that can be computed with."""
MAX_YAML_BYTES = 2**20
"""Of a YAML file; one with the names of 20,000 classes has half of that."""
AGAIN = "Write the file again."
_LONG_NUMBER = re.compile(rf"[0-9]{{{MAX_DIGITS + 1}}}")
_LONG_SUM = re.compile(rf"[-+]?[0-9][0-9_:.]{{{MAX_DIGITS},}}")
"""YAML reads 1:30:00 as a number in base 60, and 1_000 as one thousand."""
_ESCAPE = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)
_HALF = re.compile(r"\\u[dD][89a-fA-F]")
_FOUR_BYTES = re.compile(rb"[\xf0-\xff]")
_TWO_BYTES = re.compile(rb"[\xc4-\xef]")
"""How UTF-8 begins a character past U+FFFF, and one past U+00FF: by the largest Python stores the whole text."""
_WEIGHTS = {"{": 232, "[": 88, ",": 36, '"': 28}
"""Bytes of memory for each object, list, entry and quote of JSON, by what Python's own take at most."""


def read_text(
    path: Path, *, most: int = MAX_BYTES, instead: str = AGAIN, below: Path | None = None, errors: str = "strict"
) -> str:
    """The text of a UTF-8 file, without its byte order mark.

    Args:
        most: bytes that are read.
        instead: what to do about a fault, a sentence.
        below: the received folder that it lies in, out of which no link is followed.
        errors: "replace" where a text that is not UTF-8 is read all the same.

    Raises:
        InvalidInput: there is no such file, it is larger, is no plain file, or is not UTF-8.
    """
    name = path.name[:200]
    try:
        data = read_plain(path, most, below=below)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        raise InvalidInput(f"There is no file {name!r}. Check the path.") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        if isinstance(error, OSError) and error.errno == errno.EFBIG:
            raise InvalidInput(f"{reason}. Split it.") from None
        raise InvalidInput(f"{name!r} cannot be read: {reason}. Check the path.") from None
    try:
        return data.decode("utf-8-sig", errors).replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path.name} is not UTF-8 text (byte {error.start:,}). {instead}") from None


def read_json(
    path: Path, *, strict: bool = False, instead: str = AGAIN, most: int = MAX_BYTES, below: Path | None = None
) -> Any:
    """What a JSON file holds; see `read_text` and `parse_json`."""
    text = read_text(path, most=most, instead=instead, below=below)
    return parse_json(text, path.name, strict=strict, instead=instead)


def read_stored(path: Path, most: int = MAX_STORED_BYTES, *, below: Path | None = None) -> Any:
    """What JSON a file holds that Errata wrote; see `stored_json`.

    Raises:
        OSError: as `core.received.open_plain`.
        ValueError: as `stored_json`.
    """
    with open_plain(path, most, below=below) as file:
        return stored_json(file, path.name)


def stored_json(source: BufferedReader | bytes | bytearray, called: str = "it") -> Any:
    """What JSON the open file or the bytes of one hold that Errata wrote, and others may have changed.

    Raises:
        ValueError: it is no JSON in UTF-8, is nested too deep, or would take more than `MAX_STORED_MEMORY`.
    """
    data = source.read() if isinstance(source, BufferedReader) else source
    if stored_memory(data) > MAX_STORED_MEMORY:
        raise ValueError(f"{called} would take more than {byte_size(MAX_STORED_MEMORY)} of memory")
    try:
        text = data.decode("utf-8")
        del data, source
        return json.loads(text)
    except RecursionError:
        raise ValueError(f"{called} is nested too deep") from None
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise ValueError(f"{called} is no valid JSON") from None


def stored_memory(data: bytes | bytearray) -> int:
    """Bytes of memory that JSON takes at most while it is read: its text, the strings in it, and its values."""
    wide = 4 if _FOUR_BYTES.search(data) else 2 if _TWO_BYTES.search(data) else 1  # of a character, in Python
    return 2 * wide * len(data) + _memory_of(data)


def parse_json(text: str, where: str, *, strict: bool = False, instead: str = AGAIN, size: int | None = None) -> Any:
    """What JSON says.

    Args:
        where: what it is called in messages: a file, or a file and a line of it.
        strict: refuse NaN, infinities, and a key that stands twice in one object, all of which Python takes.
        instead: what to do about a fault, a sentence.
        size: bytes of the file that the text is a part of; by default those of the text.

    Raises:
        InvalidInput: it is no JSON, is nested too deep, would take too much memory, or holds a number of more than 300
        digits or half of a surrogate pair.
    """
    _check_memory(text, where, size or len(text))
    given = dict(_STRICT) if strict else {}
    if _LONG_NUMBER.search(text):
        given["parse_int"] = _whole
    try:
        found = json.loads(text, **given)
    except RecursionError:
        raise InvalidInput(_too_deep(where, instead)) from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno:,}, column {error.colno:,}" if "\n" in text else f"column {error.colno:,}"
        raise InvalidInput(f"{where}: no valid JSON at {place}: {error.msg}. {instead}") from None
    except ValueError as error:
        raise InvalidInput(f"{where}: no JSON that can be read: {str(error)[:160]}. {instead}") from None
    if text.count("[") + text.count("{") > MAX_DEPTH and not _is_shallow(found):
        raise InvalidInput(_too_deep(where, instead))
    if _HALF.search(text):
        _check_escapes(text, where)
    return found


def json_lines(text: str, where: str, *, strict: bool = False, instead: str = AGAIN) -> Iterator[tuple[str, Any]]:
    """("file, line n", what it holds) of each line that is not empty.

    Raises:
        InvalidInput: as `parse_json`, naming the line.
    """
    _check_memory(text, where, len(text))
    decode = json.JSONDecoder(**(_STRICT if strict else {})).decode
    doubtful = _LONG_NUMBER.search(text) or _HALF.search(text)
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        at = f"{where}, line {number:,}"
        if not doubtful and line.count("[") + line.count("{") <= MAX_DEPTH:  # most lines, at once
            try:
                found: Any = decode(line)
            except ValueError:  # `parse_json` says what is wrong
                found = parse_json(line, at, strict=strict, instead=instead, size=len(text))
        else:
            found = parse_json(line, at, strict=strict, instead=instead, size=len(text))
        yield at, found


def parse_yaml(text: str, where: str, *, instead: str = AGAIN) -> Any:
    """What YAML of plain lists, keys, texts and numbers says.

    Raises:
        InvalidInput: it is no such YAML, is larger than 1 MiB, is nested too deep, repeats a part by a name (which lets
        a few lines stand for millions), or holds a number of more than 300 digits or half of a surrogate pair.
    """
    import yaml

    if len(text) > MAX_YAML_BYTES:
        raise InvalidInput(f"{where} has {len(text):,} bytes; of YAML at most {MAX_YAML_BYTES:,} are read. Split it.")
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the one in C where PyYAML was built with it
    try:
        _check_events(cast("Any", yaml).parse(text, Loader=loader), where, instead)
        return yaml.load(text, Loader=loader)  # a safe one: plain values only
    except yaml.YAMLError as error:
        raise InvalidInput(
            f"{where} is no YAML that can be read ({' '.join(str(error).split())[:160]}). {instead}"
        ) from None
    except (ValueError, OverflowError, TypeError, RecursionError) as error:  # 2020-13-45 is meant as a date
        raise InvalidInput(f"{where} holds a value that cannot be read ({str(error)[:120]}). {instead}") from None


def _check_events(events: Iterator[Any], where: str, instead: str) -> None:
    """Refuse what would grow, before anything is built."""
    depth = 0
    for event in events:
        kind = type(event).__name__
        line = event.start_mark.line + 1
        if kind == "AliasEvent":
            raise InvalidInput(
                f"{where}, line {line:,}: *{event.anchor[:60]} repeats another part. Write that part out."
            )
        depth += (kind in ("SequenceStartEvent", "MappingStartEvent")) - (
            kind in ("SequenceEndEvent", "MappingEndEvent")
        )
        if depth > MAX_DEPTH:
            raise InvalidInput(_too_deep(f"{where}, line {line:,}", instead))
        if kind == "ScalarEvent":
            if not event.style and (_LONG_NUMBER.search(event.value) or _LONG_SUM.fullmatch(event.value)):
                raise InvalidInput(f"{where}, line {line:,}: a number has more than {MAX_DIGITS} digits. {instead}")
            check_text(event.value, f"{where}, line {line:,}")


def _check_escapes(text: str, where: str) -> None:
    """Refuse JSON that spells half of a surrogate pair: \\ud83d without the other half after it."""
    for found in _ESCAPE.finditer(text):
        if found[1]:
            line = text.count("\n", 0, found.start()) + 1
            place = found.start() - text.rfind("\n", 0, found.start())
            raise InvalidInput(
                f"{where}{f', line {line:,}' if line > 1 else ''}: character {place:,} is no character "
                f"('\\{found[1]}'): the text was cut or is no UTF-8. Write it anew."
            )


def _is_shallow(value: Any) -> bool:
    """Whether lists and objects lie at most 64 deep in each other."""
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        inner: list[Any] = []
        for one in level:
            if type(one) is dict or type(one) is list:
                values: Any = cast("dict[str, Any]", one).values() if type(one) is dict else one
                inner += [part for part in values if type(part) is dict or type(part) is list]
        if not inner:
            return True
        level = inner
    return False


def _too_deep(where: str, instead: str) -> str:
    return (
        f"{where}: nested too deep to be read: at most {MAX_DEPTH} lists and objects may lie in each other. {instead}"
    )


def _whole(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"a number has more than {MAX_DIGITS} digits, too many digits for any computation")
    return int(digits)


def _no_constant(name: str) -> None:
    raise ValueError(f"it holds {name}, which is no number")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen = set[str]()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))
        raise ValueError(f"the key {twice[:60]!r} is there twice in one object")
    return found


_STRICT: dict[str, Any] = {"object_pairs_hook": _once, "parse_constant": _no_constant}


def _check_memory(text: str, where: str, size: int) -> None:
    Limits().check_memory(where, len(text) + _memory_of(text), size, "Split it.")


def _memory_of(text: str | bytes | bytearray) -> int:
    """Bytes that the values of JSON take, without the letters of its strings."""
    if isinstance(text, str):
        return sum(weight * text.count(mark) for mark, weight in _WEIGHTS.items())
    return sum(weight * text.count(mark.encode()) for mark, weight in _WEIGHTS.items())
