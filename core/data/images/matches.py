"""Whether the files that rows were given are those that the table names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy.typing as npt

from core.records import I64
from core.records.ledger import Ledger

_NUMBERED = re.compile(r"(.*?)(\d{1,18})")


def check_matches(
    written: npt.NDArray[Any], positions: I64, names: Sequence[str], ledger: Ledger, *, top: str, column: str, noun: str
) -> None:
    """Stop where numbers in names are counted from 0 on one side and from 1 on the other, or rows that name different
    files share one; note files that were found by another folder, ending or case.

    Args:
        written: (n,) what each row names, None for nothing.
        positions: (n,) place in `names` of the file that it was given, -1 for none.
        top: the folder that all of these lie in, or "".
        column: that the rows name them in.
        noun: what a file is called.

    Raises:
        InvalidInput: see above.
    """
    found = [(str(text), names[int(place)]) for text, place in zip(written, positions) if place >= 0]
    lacking = [str(text) for text, place in zip(written, positions) if place < 0 and text is not None]
    if lacking and (step := shifted([text for text in written if text is not None], names)):
        ledger.doubt(
            f"{len(lacking):,} {noun}s that {column!r} names are not there, such as {lacking[0][-60:]!r}, and all are "
            f"if each number is 1 {'less' if step < 0 else 'more'}: one side counts from 0, the other from 1, and each "
            f"row would show its neighbor's {noun}. Write the numbers of the files."
        )
    first: dict[str, str] = {}
    for text, name in found:
        if (before := first.setdefault(name, text)) != text and _parts(before)[-2:] != _parts(text)[-2:]:
            ledger.doubt(
                f"{column!r} names {before[-60:]!r} and {text[-60:]!r}, and for both there is one {noun} alone, "
                f"{name[-60:]!r}. Write each row's path below the root of the {noun}s, or leave such rows out."
            )
            break
    for differ, what in ((_other_folder, "in another folder"), (_other_ending, "with another ending or case")):
        pairs = [(text, name) for text, name in found if differ(_parts(text), [top, *_parts(name)][-2:])]
        if pairs:
            text, name = pairs[0]
            ledger.note(
                f"{len(pairs):,} {noun}s were found by name {what}, such as "
                f"{'/'.join([top, name])[-60:].lstrip('/')!r} for {text[-60:]!r}. Check "
                "that they are the same."
            )


def _parts(path: str) -> list[str]:
    return [part for part in path.replace("\\", "/").split("/") if part not in ("", ".")]


def _other_folder(text: list[str], name: list[str]) -> bool:
    return len(text) > 1 and name[-2] != "" and text[-2].casefold() != name[-2].casefold()


def _other_ending(text: list[str], name: list[str]) -> bool:
    """A name without an ending leaves it open."""
    return text[-1] != name[-1] and text[-1] != name[-1].rpartition(".")[0]


def shifted(wanted: Iterable[str], there: Iterable[str]) -> int:
    """1 or -1 where every wanted name is there once its number is changed by so much, and not all are as they stand; 0
    otherwise."""
    asked, held = ({_numbered(name) for name in names} for names in (wanted, there))
    known = {key for key in asked if key is not None}
    if len(known) < len(asked) or len(known) < 2 or known <= held:
        return 0
    return next((step for step in (1, -1) if {(start, number + step) for start, number in known} <= held), 0)


def _numbered(path: str) -> tuple[str, int] | None:
    """Its name before the number that ends it, and that number."""
    last = (_parts(path) or [""])[-1]
    stem = last.rpartition(".")[0] or last
    match = _NUMBERED.fullmatch(stem)
    return (match[1], int(match[2])) if match else None
