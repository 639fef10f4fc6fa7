"""Check that the files matched to rows are those that the table names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy.typing as npt

from core.numbers import count
from core.records import I64
from core.records.ledger import Ledger

_NUMBERED = re.compile(r"(.*?)(\d{1,18})")


def check_matches(
    written: npt.NDArray[Any], positions: I64, names: Sequence[str], ledger: Ledger, *, top: str, column: str, noun: str
) -> None:
    """Doubt numbers in names that count from 0 on one side and from 1 on the other, and different paths that share one
    file; note files that matched in another folder or with another ending or case.

    Args:
        written: (n,) path in each row, None for an empty cell.
        positions: (n,) index in `names` of the matched file, -1 for none.
        top: the folder that holds all of `names`, or "".
        column: the table's column of paths.
        noun: what a file is called in messages.

    Raises:
        InvalidInput: a doubt, unless the ledger takes the table as it is.
    """
    matches = list[tuple[str, str]]()
    missing = list[str]()
    for text, position in zip(written, positions):
        if position >= 0:
            matches.append((str(text), names[int(position)]))
        elif text is not None:
            missing.append(str(text))
    step = 0
    if missing:
        step = find_shift([text for text in written if text is not None], names)
    if step:
        ledger.doubt(
            f"{count(len(missing), noun)} in {column!r} cannot be found, for example {missing[0][-60:]!r}. "
            f"All match with numbers 1 {'lower' if step < 0 else 'higher'}: one side counts from 0, the other from 1. "
            f"Each row would show its neighbor's {noun}. Fix the numbers."
        )
    first: dict[str, str] = {}
    for text, name in matches:
        before = first.setdefault(name, text)
        if before != text and _parts(before)[-2:] != _parts(text)[-2:]:
            ledger.doubt(
                f"{column!r} names {before[-60:]!r} and {text[-60:]!r}, but both match the same {noun}, "
                f"{name[-60:]!r}. Write each path below the root of the {noun}s, or remove these rows."
            )
            break
    for differ, where in ((_other_folder, "in another folder"), (_other_ending, "with another ending or case")):
        pairs = [(text, name) for text, name in matches if differ(_parts(text), [top, *_parts(name)][-2:])]
        if pairs:
            text, name = pairs[0]
            path = "/".join([top, name])[-60:].lstrip("/")
            ledger.note(
                f"Matched {count(len(pairs), noun)} by name {where}, for example {path!r} for {text[-60:]!r}. "
                "Check that they are the same."
            )


def _parts(path: str) -> list[str]:
    return [part for part in path.replace("\\", "/").split("/") if part not in ("", ".")]


def _other_folder(text: list[str], name: list[str]) -> bool:
    return len(text) > 1 and name[-2] != "" and text[-2].casefold() != name[-2].casefold()


def _other_ending(text: list[str], name: list[str]) -> bool:
    """Whether endings or case differ; a name without an ending matches any."""
    return text[-1] != name[-1] and text[-1] != name[-1].rpartition(".")[0]


def find_shift(wanted: Iterable[str], existing: Iterable[str]) -> int:
    """Return 1 or -1 if every wanted name exists once its number changes by that, and not all exist unchanged; else
    0."""
    wanted_keys = set[tuple[str, int]]()
    for name in wanted:
        key = _split_number(name)
        if key is None:
            return 0
        wanted_keys.add(key)
    existing_keys = {_split_number(name) for name in existing}
    if len(wanted_keys) < 2 or wanted_keys <= existing_keys:
        return 0
    for step in (1, -1):
        if {(start, number + step) for start, number in wanted_keys} <= existing_keys:
            return step
    return 0


def _split_number(path: str) -> tuple[str, int] | None:
    """Split a file's name into the text before its last number, and that number; None without a number at the end."""
    last = (_parts(path) or [""])[-1]
    stem = last.rpartition(".")[0] or last
    match = _NUMBERED.fullmatch(stem)
    if match is None:
        return None
    return match[1], int(match[2])
