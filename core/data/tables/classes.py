"""One numbering of the classes for labels, predictions and probability columns, whatever way each was written."""

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
    """The classes and where each row's label and prediction lie among them; -1 where missing or unknown."""

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
    given: Sequence[str] = (),
    spelled: Mapping[str, str] | None = None,
) -> Classes:
    """Number the classes.

    The order is the one given, else that of the probability columns, else 0..k-1 for numeric labels and sorted for
    words.

    Args:
        labels, predictions: as written in the table.
        columns: the classes that the names of the probability columns say.
        k: how many classes an array of probabilities has.
        given: class names in the order of the probabilities, from the user.
        spelled: what each label's text stands for, if another column spells it out.

    Raises:
        InvalidInput: the numbers of classes disagree, the numbering seems to start at 1, or no label fits.
    """
    spelled = spelled or {}
    words = _distinct(labels)
    if given and k is not None and len(given) != k:
        raise InvalidInput(
            f"class_names has {len(given)} names but there are {k} probabilities in a row. "
            "Give one for each, in their order."
        )
    if len(set(given)) < len(given):
        raise InvalidInput("class_names holds a name twice. Give each class its own name.")
    note = ""
    if given or columns or (k is not None and all(map(_is_whole, words))):
        order = list(given or columns) or [str(i) for i in range(k or 0)]
        lookup = _lookup(order, words, spelled)
    elif k is not None:
        order, note = _sorted_words(words, k)
        lookup = {word: i for i, word in enumerate(order)}
    else:
        order, lookup = _pool(words, _distinct(predictions), spelled)
    names = tuple(spelled.get(name, name) for name in order)
    names = names if len(set(names)) == len(names) else tuple(order)
    coded = _code(labels, lookup.get)
    if coded is not None and words and (coded < 0).all():
        raise InvalidInput(
            f"None of the labels ({', '.join(words[:4])}) is one of the {len(order)} classes "
            f"({', '.join(order[:6])}). Write the labels as the scores do, or list the classes as the labels do, in "
            "the order of the scores (--class-names, in Python Roles(class_names=...))."
        )
    return Classes(names, coded, _code(predictions, ({name: i for i, name in enumerate(names)} | lookup).get), note)


def class_of_columns(
    names: Sequence[str], words: Collection[str | None] = ()
) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The classes that probability columns name, and the order of the columns.

    The common beginning is cut at its last separator or before numbers ("prob_cat" gives "cat", "p0" gives "0"), but
    where that leaves none of the labels, `words`, as written, at the last that leaves some ("prob_class_0" gives
    "class_0"); if whole numbers are all that is left, the columns are ordered by them.
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
    found = set[str]() if texts is None else {text for text in texts if text is not None}
    return sorted(found, key=lambda text: (0, int(text), text) if _is_whole(text) else (1, 0, text))


def _is_whole(text: str) -> bool:
    """Whether the text is a whole number; one of more than 300 digits is a name, as is a superscript."""
    return len(text) <= MAX_DIGITS and re.fullmatch(r"-?\d+", text) is not None


def _sorted_words(words: list[str], k: int) -> tuple[list[str], str]:
    if len(words) != k:
        raise InvalidInput(
            f"There are {len(words)} different labels but {k} probabilities in a row, so their order is unknown. "
            f"List all {k} in their order (--class-names, in Python Roles(class_names=...))."
        )
    shown = ", ".join(words[:6]) + (", ..." if k > 6 else "")
    return sorted(words), f"The probabilities were taken in the sorted order of the labels: {shown}."


def _lookup(order: list[str], words: list[str], spelled: Mapping[str, str]) -> dict[str, int]:
    """From a label's text to its place: by name, by the spelled-out name, or by number."""
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
            names = ", ".join(str(i + 1) for i in range(len(order))) if len(order) < 5 else f"1, 2, ..., {len(order)}"
            raise InvalidInput(
                f"Labels run from 1 to {len(order)} but places in the {len(order)} probabilities are counted from 0, "
                f"so each would be read one off. Subtract 1, or list them (--class-names {names.replace(',', '')})."
            )
        return lookup | {str(i): i for i in range(len(order))}
    if set(words) <= {"False", "True"} and len(order) == 2:
        return lookup | {"False": 0, "True": 1}
    return lookup


def _pool(labels: list[str], predictions: list[str], spelled: Mapping[str, str]) -> tuple[list[str], dict[str, int]]:
    """All values of labels and predictions as classes; a prediction may be the spelled-out name of a label."""
    back = {name: word for word, name in spelled.items()}
    known = set(labels)
    read = [back.get(text, text) if text not in known else text for text in predictions]
    if labels and read and not set(labels) & set(read) and all(map(_is_whole, labels)) != all(map(_is_whole, read)):
        raise InvalidInput(
            f"Labels such as {labels[0]!r} and predictions such as {predictions[0]!r} are written in different ways, "
            "so they cannot be compared. Write both as numbers or both as names."
        )
    order = _distinct(np.array([*labels, *read], dtype=object))
    return order, {word: i for i, word in enumerate(order)}


def _code(texts: Texts | None, find: Callable[[str], int | None]) -> I64 | None:
    if texts is None:
        return None
    places = [-1 if text is None else find(text) for text in texts]
    return np.array([-1 if place is None else place for place in places], dtype=np.int64)
