"""Read a user's JSON and YAML within limits of bytes, memory, depth, digits and repetition.

Every reader of a user's documents uses this file, so each fault is detected and reported in the same way.
"""

from __future__ import annotations

import errno
import json
import re
from collections import Counter
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
"""Size of a JSON file that Errata wrote."""
MAX_DEPTH = 64
"""Nested lists and objects."""
MAX_DIGITS = 300
"""Digits of an integer; a float overflows at 309."""
MAX_YAML_BYTES = 2**20
"""Size of a YAML file; one with 20,000 class names has half of this."""
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
"""First bytes in UTF-8 of a character past U+FFFF, and past U+00FF: the largest sets Python's width for the whole
text."""
_WEIGHTS = {"{": 232, "[": 88, ",": 36, '"': 28}
"""Bytes of memory for each object, list, entry and quote of JSON: the maximum of Python's objects."""


def read_text(
    path: Path, *, most: int = MAX_BYTES, instead: str = AGAIN, below: Path | None = None, errors: str = "strict"
) -> str:
    """Read a UTF-8 file, without its byte order mark.

    Args:
        most: maximum size in bytes.
        instead: the next step after a fault, a sentence.
        below: the received folder of the file; links out of it are refused.
        errors: "replace" to read a text that is not UTF-8.

    Raises:
        InvalidInput: the file is missing, too large, not a plain file, or not UTF-8.
    """
    name = path.name[:200]
    try:
        data = read_plain(path, most, below=below)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        raise InvalidInput(f"File {name!r} not found. Check the path.") from None
    except (OSError, ValueError) as error:
        reason = str(error)
        if isinstance(error, OSError):
            reason = error.strerror
            if error.errno == errno.EFBIG:
                raise InvalidInput(f"{reason}. Split it.") from None
        raise InvalidInput(f"{name!r} cannot be read: {reason}. Check the path.") from None
    try:
        return data.decode("utf-8-sig", errors).replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path.name} is not UTF-8 text (byte {error.start:,}). {instead}") from None


def read_json(
    path: Path, *, strict: bool = False, instead: str = AGAIN, most: int = MAX_BYTES, below: Path | None = None
) -> Any:
    """Read a JSON file; see `read_text` and `parse_json`."""
    text = read_text(path, most=most, instead=instead, below=below)
    return parse_json(text, path.name, strict=strict, instead=instead)


def read_stored(path: Path, most: int = MAX_STORED_BYTES, *, below: Path | None = None) -> Any:
    """Read a JSON file that Errata wrote; see `stored_json`.

    Raises:
        OSError: as `core.received.open_plain`.
        ValueError: as `stored_json`.
    """
    with open_plain(path, most, below=below) as file:
        return stored_json(file, path.name)


def stored_json(source: BufferedReader | bytes | bytearray, called: str = "it") -> Any:
    """Parse JSON that Errata wrote and others may have changed, from an open file or its bytes.

    Raises:
        ValueError: invalid JSON or UTF-8, nested too deep, or too large for `MAX_STORED_MEMORY`.
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
        raise ValueError(f"{called} is not valid JSON") from None


def stored_memory(data: bytes | bytearray) -> int:
    """Estimate the maximum memory in bytes while JSON is read: its text, strings, and values."""
    wide = 1  # bytes of a character in Python
    if _FOUR_BYTES.search(data):
        wide = 4
    elif _TWO_BYTES.search(data):
        wide = 2
    return 2 * wide * len(data) + _memory_of(data)


def parse_json(text: str, where: str, *, strict: bool = False, instead: str = AGAIN, size: int | None = None) -> Any:
    """Parse JSON.

    Args:
        where: name in messages: a file, or a file and a line.
        strict: refuse NaN, infinities, and a repeated key in an object, which Python accepts.
        instead: the next step after a fault, a sentence.
        size: bytes of the whole file, if the text is a part (default: those of the text).

    Raises:
        InvalidInput: invalid JSON, nested too deep, too large for memory, a number of more than 300 digits, or half of
            a surrogate pair.
    """
    _check_memory(text, where, size or len(text))
    hooks = dict(_STRICT) if strict else {}
    if _LONG_NUMBER.search(text):
        hooks["parse_int"] = _parse_integer
    try:
        value = json.loads(text, **hooks)
    except RecursionError:
        raise InvalidInput(_too_deep(where, instead)) from None
    except json.JSONDecodeError as error:
        position = f"column {error.colno:,}"
        if "\n" in text:
            position = f"line {error.lineno:,}, {position}"
        raise InvalidInput(f"{where}: invalid JSON at {position}: {error.msg}. {instead}") from None
    except ValueError as error:
        raise InvalidInput(f"{where}: unreadable JSON: {str(error)[:160]}. {instead}") from None
    if text.count("[") + text.count("{") > MAX_DEPTH and not _is_shallow(value):
        raise InvalidInput(_too_deep(where, instead))
    if _HALF.search(text):
        _check_escapes(text, where)
    return value


def json_lines(text: str, where: str, *, strict: bool = False, instead: str = AGAIN) -> Iterator[tuple[str, Any]]:
    """Parse each line that is not empty: ("file, line n", value).

    Raises:
        InvalidInput: as for `parse_json`; names the line.
    """
    _check_memory(text, where, len(text))
    decode = json.JSONDecoder(**(_STRICT if strict else {})).decode
    doubtful = _LONG_NUMBER.search(text) or _HALF.search(text)
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        at = f"{where}, line {number:,}"
        if not doubtful and line.count("[") + line.count("{") <= MAX_DEPTH:  # fast path for most lines
            try:
                yield at, decode(line)
                continue
            except ValueError:  # `parse_json` reports the fault
                pass
        yield at, parse_json(line, at, strict=strict, instead=instead, size=len(text))


def parse_yaml(text: str, where: str, *, instead: str = AGAIN) -> Any:
    """Parse YAML of plain lists, keys, strings and numbers.

    Raises:
        InvalidInput: invalid YAML, larger than 1 MiB, nested too deep, aliases (a few lines could expand to millions),
            a number of more than 300 digits, or half of a surrogate pair.
    """
    import yaml

    if len(text) > MAX_YAML_BYTES:
        raise InvalidInput(f"{where} has {len(text):,} bytes; the limit for YAML is {MAX_YAML_BYTES:,}. Split it.")
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # faster, if PyYAML was built with it
    try:
        _check_events(cast("Any", yaml).parse(text, Loader=loader), where, instead)
        return yaml.load(text, Loader=loader)  # a safe one: plain values only
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())[:160]
        raise InvalidInput(f"{where} is not valid YAML ({reason}). {instead}") from None
    except (ValueError, OverflowError, TypeError, RecursionError) as error:  # for example 2020-13-45, read as a date
        raise InvalidInput(f"{where} holds a value that cannot be read ({str(error)[:120]}). {instead}") from None


def _check_events(events: Iterator[Any], where: str, instead: str) -> None:
    """Refuse aliases, depth and long numbers before any value is built."""
    depth = 0
    for event in events:
        kind = type(event).__name__
        line = event.start_mark.line + 1
        if kind == "AliasEvent":
            raise InvalidInput(
                f"{where}, line {line:,}: the alias *{event.anchor[:60]} is not supported. Write that part out."
            )
        if kind in ("SequenceStartEvent", "MappingStartEvent"):
            depth += 1
        elif kind in ("SequenceEndEvent", "MappingEndEvent"):
            depth -= 1
        if depth > MAX_DEPTH:
            raise InvalidInput(_too_deep(f"{where}, line {line:,}", instead))
        if kind == "ScalarEvent":
            if not event.style and (_LONG_NUMBER.search(event.value) or _LONG_SUM.fullmatch(event.value)):
                raise InvalidInput(f"{where}, line {line:,}: a number has more than {MAX_DIGITS} digits. {instead}")
            check_text(event.value, f"{where}, line {line:,}")


def _check_escapes(text: str, where: str) -> None:
    """Refuse JSON with half of a surrogate pair: \\ud83d without the other half after it."""
    for match in _ESCAPE.finditer(text):
        if match[1]:
            start = match.start()
            line = text.count("\n", 0, start) + 1
            column = start - text.rfind("\n", 0, start)
            if line > 1:
                where = f"{where}, line {line:,}"
            raise InvalidInput(
                f"{where}: character {column:,} is not valid UTF-8 ('\\{match[1]}'). Re-save the text as UTF-8."
            )


def _is_shallow(value: Any) -> bool:
    """Whether lists and objects are nested at most 64 deep."""
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        inner: list[Any] = []
        for node in level:
            values: Any = ()
            if type(node) is dict:
                values = cast("dict[str, Any]", node).values()
            elif type(node) is list:
                values = node
            inner += [part for part in values if type(part) is dict or type(part) is list]
        if not inner:
            return True
        level = inner
    return False


def _too_deep(where: str, instead: str) -> str:
    return f"{where}: nested too deep: lists and objects can have at most {MAX_DEPTH} levels. {instead}"


def _parse_integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"a number has more than {MAX_DIGITS} digits")
    return int(digits)


def _no_constant(name: str) -> None:
    raise ValueError(f"it holds {name}, which is not a number")


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) == len(pairs):
        return mapping
    counts = Counter(key for key, _ in pairs)
    twice = next(key for key, n in counts.items() if n > 1)
    raise ValueError(f"the key {twice[:60]!r} appears twice in one object")


_STRICT: dict[str, Any] = {"object_pairs_hook": _unique_keys, "parse_constant": _no_constant}


def _check_memory(text: str, where: str, size: int) -> None:
    Limits().check_memory(where, len(text) + _memory_of(text), size, "Split it.")


def _memory_of(text: str | bytes | bytearray) -> int:
    """Estimate the memory in bytes of the values of JSON, without the characters of its strings."""
    if isinstance(text, str):
        return sum(weight * text.count(mark) for mark, weight in _WEIGHTS.items())
    return sum(weight * text.count(mark.encode()) for mark, weight in _WEIGHTS.items())
