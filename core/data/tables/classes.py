"""Number the classes once for labels, predictions and probability columns, however each was written."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from core.documents import MAX_DIGITS
from core.errors import InvalidInput
from core.records import I64

Texts = npt.NDArray[Any]
"""(n,) object array of str, None where missing (`core.data.tables.cells.texts_of`)."""


@dataclass(frozen=True, slots=True, eq=False)
class Classes:
    """Class names, and each row's label and prediction as a class number; -1 where missing or unknown."""

    names: tuple[str, ...]
    labels: I64 | None
    predictions: I64 | None
    note: str = ""


def encode_classes(
    labels: Texts | None,
    predictions: Texts | None,
    *,
    columns: Sequence[str] = (),
    k: int | None = None,
    class_names: Sequence[str] = (),
    spelled: Mapping[str, str] | None = None,
) -> Classes:
    """Number the classes.

    The order is that of `class_names`, else that of the probability columns, else 0..k-1 for numeric labels and sorted
    for words.

    Args:
        labels, predictions: as written in the table.
        columns: classes from the names of the probability columns.
        k: number of classes in an array of probabilities.
        class_names: from the user, in the order of the probabilities.
        spelled: name of each label's text, if another column spells it out.

    Raises:
        InvalidInput: the numbers of classes disagree, the numbering seems to start at 1, or no label fits.
    """
    spelled = spelled or {}
    words = _distinct(labels)
    if class_names and k is not None and len(class_names) != k:
        raise InvalidInput(
            f"class_names has {len(class_names)} names for {k} probabilities per row. List one name each, in order."
        )
    if len(set(class_names)) < len(class_names):
        raise InvalidInput("class_names holds a name twice. Use a different name for each class.")
    note = ""
    if class_names or columns or (k is not None and all(map(_is_whole, words))):
        order = list(class_names or columns) or [str(i) for i in range(k or 0)]
        lookup = _lookup(order, words, spelled)
    elif k is not None:
        if len(words) != k:
            raise InvalidInput(
                f"{len(words)} different labels for {k} probabilities per row, so their order is unknown. "
                f"List all {k} classes in their order: --class-names, in Python Roles(class_names=...)."
            )
        shown = ", ".join(words[:6])
        if k > 6:
            shown += ", ..."
        order = sorted(words)
        note = f"Read the probabilities in the sorted order of the labels: {shown}."
        lookup = {word: i for i, word in enumerate(order)}
    else:
        order, lookup = _pool(words, _distinct(predictions), spelled)
    names = tuple(spelled.get(name, name) for name in order)
    if len(set(names)) < len(names):
        names = tuple(order)
    coded = _code(labels, lookup.get)
    if coded is not None and words and (coded < 0).all():
        raise InvalidInput(
            f"No label ({', '.join(words[:4])}) is one of the {len(order)} classes ({', '.join(order[:6])}). "
            "List the labels' classes in the order of the scores: --class-names, in Python Roles(class_names=...)."
        )
    return Classes(names, coded, _code(predictions, ({name: i for i, name in enumerate(names)} | lookup).get), note)


def class_of_columns(
    names: Sequence[str], words: Collection[str | None] = ()
) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Read the classes from the names of probability columns, and the order of the columns.

    The common beginning is cut at its last separator or before numbers ("prob_cat" gives "cat", "p0" gives "0"). Where
    that leaves none of the labels, `words`, as written, it is cut at the last separator that leaves some
    ("prob_class_0" gives "class_0"). Columns that are whole numbers then are ordered by them.
    """
    first = names[0]
    cuts = [0]
    known = set(words)
    for end in range(1, len(first)):
        if not all(name.startswith(first[:end]) and len(name) > end for name in names):
            break
        before_numbers = all(name[end:].isdigit() for name in names) and not first[end - 1].isdigit()
        if first[end - 1] in "_-. " or before_numbers:
            cuts.append(end)
    fitting = [cut for cut in cuts if not known.isdisjoint(name[cut:] for name in names)]
    classes = [name[(fitting or cuts)[-1] :] for name in names]
    if all(map(_is_whole, classes)) and not any(name.startswith("-") for name in classes):
        order = tuple(sorted(range(len(names)), key=lambda i: int(classes[i])))
        return tuple(str(int(classes[i])) for i in order), order
    return tuple(classes), tuple(range(len(names)))


def _distinct(texts: Texts | None) -> list[str]:
    def order(text: str) -> tuple[int, int, str]:
        if _is_whole(text):
            return 0, int(text), text
        return 1, 0, text

    if texts is None:
        return []
    return sorted({text for text in texts if text is not None}, key=order)


def _is_whole(text: str) -> bool:
    """Whether the text is a whole number; more than 300 digits, or a superscript, make a name."""
    return len(text) <= MAX_DIGITS and re.fullmatch(r"-?\d+", text) is not None


def _lookup(order: list[str], words: list[str], spelled: Mapping[str, str]) -> dict[str, int]:
    """Map a label's text to its class number: by name, by the spelled-out name, or by number."""
    lookup = {name: i for i, name in enumerate(order)}
    counted = order == [str(i) for i in range(len(order))]
    if any(word in lookup for word in words) and not counted:
        return lookup
    through = {word: lookup[name] for word, name in spelled.items() if name in lookup}
    if through:
        return lookup | through
    if words and all(map(_is_whole, words)):
        numbers = [int(word) for word in words]
        if min(numbers) == 1 and max(numbers) == len(order):
            names = f"1 2 ... {len(order)}"
            if len(order) < 5:
                names = " ".join(str(i + 1) for i in range(len(order)))
            raise InvalidInput(
                f"Labels run from 1 to {len(order)}, but the {len(order)} probabilities count from 0. "
                f"Subtract 1, or list the classes (--class-names {names})."
            )
        return lookup | {str(i): i for i in range(len(order))}
    if set(words) <= {"False", "True"} and len(order) == 2:
        return lookup | {"False": 0, "True": 1}
    return lookup


def _pool(labels: list[str], predictions: list[str], spelled: Mapping[str, str]) -> tuple[list[str], dict[str, int]]:
    """Make classes of all labels and predictions; a prediction may be the spelled-out name of a label."""
    label_of_text = {name: word for word, name in spelled.items()} | {label: label for label in labels}
    read = [label_of_text.get(text, text) for text in predictions]
    if labels and read and not set(labels) & set(read) and all(map(_is_whole, labels)) != all(map(_is_whole, read)):
        raise InvalidInput(
            f"Labels ({labels[0]!r}, ...) and predictions ({predictions[0]!r}, ...) are written differently. "
            "Write both as numbers or both as names."
        )
    order = _distinct(np.array([*labels, *read], dtype=object))
    return order, {word: i for i, word in enumerate(order)}


def _code(texts: Texts | None, find: Callable[[str], int | None]) -> I64 | None:
    if texts is None:
        return None
    codes = np.full(len(texts), -1, np.int64)
    for row, text in enumerate(texts):
        code = None if text is None else find(text)
        if code is not None:
            codes[row] = code
    return codes
