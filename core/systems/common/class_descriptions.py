"""Descriptions of labels that replace examples: a name, related terms, a line of a dictionary, sentences; and the
patterns around a label's word.

Read as Gao et al. 2023 ("The Benefits of Label-Description Training for Zero-Shot Text Classification", EMNLP,
arXiv 2305.02239) lay them out, unchanged: `manual_24.tsv` and `prompts.tsv`.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from core.documents import read_text
from core.errors import InvalidInput
from core.files import ASSETS
from core.language.grammar import fold_name, spoken_names
from core.options import check_text
from core.systems.common.named_texts import LIMIT, by_class, few_names, read_lists, strangers_note

MASK = "<mask>"
PATTERNS = ("topic", "sentiment", "photo", "trait", "photo trait")
"""Sets of fourteen patterns that ship, in our own words."""
FAILURE_CAUSES = ASSETS / "prompts" / "failure_causes.json"
"""Sixty causes for which models of texts are known to fail, described."""
HEAD = ("pattern type", "pattern id", "before/after", "string", "mask position")
_MAX_PATTERNS = 200


@dataclass(frozen=True, slots=True)
class Pattern:
    """A sentence with a place for a label's word."""

    kind: str
    """As the file says, such as "qa"."""
    number: int
    after_text: bool
    """Whether it follows the text that is classified ("before" in the file: the text is before it)."""
    string: str
    """Holds "<mask>" once."""
    mask_position: int
    """In tokens of RoBERTa, as the file says: from the end where the pattern follows the text, else from its start."""

    @property
    def name(self) -> str:
        """ "qa 1: Question: ..."."""
        return f"{self.kind} {self.number}: {self.string}"

    def filled(self, word: str) -> str:
        """The pattern with the word in its place."""
        return self.string.replace(MASK, word)

    def around(self, text: str, word: str = MASK) -> str:
        """The text with the filled pattern behind it, or before it."""
        return f"{text} {self.filled(word)}" if self.after_text else f"{self.filled(word)} {text}"


@dataclass(frozen=True, slots=True)
class LabelDescriptions:
    """k labels and their descriptions, in the file's order."""

    labels: tuple[str, ...]
    """Names, or the numbers of a file that numbers its labels."""
    texts: tuple[tuple[str, ...], ...]
    """For each at least one; where the file numbers its labels, the first is the label's term."""
    numbered: bool = False

    @property
    def n_texts(self) -> int:
        return sum(map(len, self.texts))


def read_descriptions(source: str) -> LabelDescriptions:
    """The descriptions of a file, or of a text that is one.

    Args:
        source: path, or text, of JSON ({"label": ["text", ...], ...}) or of lines in the official layout without a
            header: label TAB description TAB comment, cells with tabs or quotes quoted as in CSV.

    Raises:
        InvalidInput: there is no such file, or a line or key breaks the rule; the message names it.
    """
    text = source.strip()
    if text.startswith(("{", "[")) or ("\n" not in text and "\t" not in text and text.lower().endswith(".json")):
        lists = {key: own for key, own in read_lists(source, "descriptions").items() if own}
        return LabelDescriptions(tuple(lists), tuple(lists.values()))
    where, text = _text_of(source, "descriptions", "a .tsv file as of Gao et al., or a JSON file of lists")
    found: dict[str, list[str]] = {}
    for number, row in enumerate(_rows(text, where), 1):
        if not row or not any(cell.strip() for cell in row):
            continue
        label = row[0].strip()
        said = " ".join(row[1].split()) if len(row) > 1 else ""
        if not label or not said or len(row) > 3:
            raise InvalidInput(
                f"{where}, line {number}: got {len(row)} cells, {str(row)[:80]}. Write label TAB description, "
                "optionally TAB comment."
            )
        check_text(said, f"{where}, line {number}")
        found.setdefault(label, []).append(said)
    if not found:
        raise InvalidInput(f"{where}: no description. Write lines of label TAB description.")
    numbered = all(label.isdecimal() for label in found)
    return LabelDescriptions(tuple(found), tuple(map(tuple, found.values())), numbered)


def of_classes(
    given: LabelDescriptions, class_names: Sequence[str], order: str = ""
) -> tuple[tuple[tuple[str, ...], ...], tuple[str, ...]]:
    """For each class its descriptions (none for a class that the file leaves out); and notes.

    A label is a class by its name or, where the file numbers its labels, by the class that `order` puts there, else by
    its first description.

    Args:
        order: class names in the order of the file's numbers, with commas between them.

    Raises:
        InvalidInput: the labels cannot be told to be the classes.
    """
    if given.numbered and not order.strip() and not {*map(fold_name, given.labels)} & {*map(fold_name, class_names)}:
        terms = [texts[0] for texts in given.texts]
        if {*map(fold_name, terms)} != {*map(fold_name, class_names)}:
            raise InvalidInput(
                f"descriptions: the labels are numbers ({few_names(given.labels)}) with the terms {few_names(terms)}; "
                f"the classes are {few_names(class_names)}. Set order to 'first class, second class, ...' in the "
                "order of the numbers."
            )
        given = LabelDescriptions(tuple(terms), given.texts)
    elif given.numbered and order.strip():
        given = _ordered(given, class_names, order)
    found, strangers = by_class(dict(zip(given.labels, given.texts, strict=True)), class_names, "descriptions")
    missing = [name for name, texts in zip(class_names, found) if not texts]
    notes: list[str] = []
    if missing:
        notes.append(f"Classes without a description use their names alone: {few_names(missing)}.")
    if strangers:
        notes.append(strangers_note(strangers, "descriptions"))
    notes += _shared_note(found)
    return found, tuple(notes)


def _shared_note(found: Sequence[Sequence[str]]) -> list[str]:
    """Of the descriptions that several classes have."""
    times = Counter[str]()
    for texts in found:
        times.update(set(texts))
    shared = [text for text, n in times.items() if n > 1]
    if not shared:
        return []
    have = "1 description belongs" if len(shared) == 1 else f"{len(shared):,} descriptions belong"
    return [f"{have} to more than one class and cannot separate them: {few_names(sorted(shared))}."]


def terms_of(given: LabelDescriptions, texts: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Of each class's texts the one that is its term, "" where none is: the first in a file that numbers its labels."""
    return tuple(own[0] if own and given.numbered else "" for own in texts)


def _ordered(given: LabelDescriptions, class_names: Sequence[str], order: str) -> LabelDescriptions:
    said = [name.strip() for name in order.split(",") if name.strip()]
    numbers = sorted(given.labels, key=int)
    known = {*map(fold_name, class_names)}
    strange = [name for name in said if fold_name(name) not in known]
    if len(said) != len(numbers) or strange or len({*map(fold_name, said)}) < len(said):
        why = f"it has {len(said)} names"
        if strange:
            why = f"{strange[0]!r} is not a class"
        raise InvalidInput(
            f"order must name a class for each of the {len(numbers)} numbers of the descriptions, once: {why}. "
            f"The classes are {few_names(class_names)}."
        )
    return LabelDescriptions(tuple(said), tuple(given.texts[given.labels.index(number)] for number in numbers))


def read_patterns(source: str) -> tuple[Pattern, ...]:
    """The patterns of a set that ships, of a file in the official layout, or of lines.

    Args:
        source: one of PATTERNS; or path or text of `prompts.tsv` (with its header); or lines that hold "<mask>" each.

    Raises:
        InvalidInput: there is no such file, or a line breaks the rule; the message names it.
    """
    text = source.strip()
    if text in PATTERNS:
        file = ASSETS / "prompts" / f"patterns_{text.replace(' ', '_')}.tsv"
        return _table("patterns", file.read_text("utf-8"))
    where = "patterns"
    if "\n" not in text and MASK not in text:
        where, text = _text_of(source, "patterns", "a prompts.tsv file, or lines that hold <mask> each")
    if text.split("\n", 1)[0].split("\t")[0].strip() == HEAD[0]:
        found = _table(where, text)
    else:
        lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
        found = tuple(Pattern("line", i, True, _checked(where, i, line), 0) for i, line in enumerate(lines, 1))
    if not 1 <= len(found) <= _MAX_PATTERNS:
        raise InvalidInput(f"{where}: 1 to {_MAX_PATTERNS} patterns are allowed, and it has {len(found):,}.")
    return found


def _table(where: str, text: str) -> tuple[Pattern, ...]:
    head, *rows = [row for row in _rows(text, where) if row]
    if tuple(cell.strip() for cell in head) != HEAD:
        raise InvalidInput(f"{where}: the first line must be {' TAB '.join(HEAD)}: got {str(head)[:120]}.")
    found: list[Pattern] = []
    for number, row in enumerate(rows, 2):
        cells = [cell.strip() for cell in row]
        try:
            kind, own, side, string, position = cells
            pattern = Pattern(kind, int(own), side == "before", _checked(where, number, string), int(position))
        except ValueError:
            raise InvalidInput(
                f"{where}, line {number}: must be {' TAB '.join(HEAD)}, with whole numbers: got {str(cells)[:120]}."
            ) from None
        if side not in ("before", "after") or pattern.after_text != (pattern.mask_position < 0):
            raise InvalidInput(
                f"{where}, line {number}: 'before' goes with a mask position below 0 (from the end), 'after' with one "
                f"of at least 0: got {side[:20]!r} and {position}."
            )
        found.append(pattern)
    return tuple(found)


def _checked(where: str, number: int, string: str) -> str:
    check_text(string, f"{where}, line {number}")
    if string.count(MASK) != 1:
        raise InvalidInput(
            f"{where}, line {number}: {string[:80]!r} has {MASK} {string.count(MASK)} times. Use it exactly once, for "
            "the word."
        )
    return string


def read_words(source: str, names: Sequence[str], terms: Sequence[str] = ()) -> tuple[str, ...]:
    """The word that stands for each label in a pattern (its verbalizer): as said, else its term, else its name.

    Args:
        source: lines "name: word", or "".
        terms: for each name the first description, or "".

    Raises:
        InvalidInput: a line names no label, or has no word.
    """
    found = [term or name for term, name in zip(terms or [""] * len(names), spoken_names(names), strict=True)]
    place = {fold_name(name): i for i, name in enumerate(names)}
    for number, line in enumerate(source.splitlines(), 1):
        if not line.strip():
            continue
        name, _, word = line.rpartition(":")
        if fold_name(name) not in place or not word.strip():
            raise InvalidInput(
                f"words, line {number}: got {line.strip()[:80]!r}. Write a class, a colon and its word, as in "
                f"'negative: awful'. The classes are {few_names(names)}."
            )
        check_text(word, f"words, line {number}")
        found[place[fold_name(name)]] = word.strip()
    return tuple(found)


def _text_of(source: str, what: str, form: str) -> tuple[str, str]:
    """(what it is called in messages, the text) of a path or a text of several cells."""
    if "\n" in source or "\t" in source:
        if len(source) > LIMIT:
            raise InvalidInput(f"{what}: at most {LIMIT:,} characters are allowed: got {len(source):,}. Remove some.")
        return what, source
    path = Path(source.strip()).expanduser()
    try:
        return f"{what} ({path.name})", read_text(path, most=LIMIT)
    except InvalidInput as error:
        raise InvalidInput(f"{what}: {error} Use {form}.") from None


def _rows(text: str, where: str) -> list[list[str]]:
    try:
        return list(csv.reader(StringIO(text, newline=""), delimiter="\t"))
    except csv.Error as error:
        raise InvalidInput(f"{where}: not a table with tabs ({error}). Save it again.") from None
