"""Descriptions of labels that replace examples (names, related terms, dictionary lines, sentences), and patterns for a
label's word.

Files: `manual_24.tsv` and `prompts.tsv` in the layout of Gao et al. 2023 ("The Benefits of Label-Description Training
for Zero-Shot Text Classification", EMNLP, arXiv 2305.02239).
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
from core.systems.common.named_texts import MAX_TEXT_BYTES, by_class, few_names, read_lists, strangers_note

MASK = "<mask>"
PATTERNS = ("topic", "sentiment", "photo", "trait", "photo trait")
"""Shipped sets of fourteen patterns, in Errata's own words."""
FAILURE_CAUSES = ASSETS / "prompts" / "failure_causes.json"
"""Descriptions of sixty known causes of errors of text models."""
PATTERN_COLUMNS = ("pattern type", "pattern id", "before/after", "string", "mask position")
_MAX_PATTERNS = 200


@dataclass(frozen=True, slots=True)
class Pattern:
    """A sentence with a slot for a label's word."""

    kind: str
    """The file's pattern type, such as "qa"."""
    number: int
    after_text: bool
    """Whether the pattern follows the classified text ("before" in the file: the text comes before)."""
    string: str
    """The sentence, with "<mask>" once."""
    mask_position: int
    """In tokens of RoBERTa, from the file: from the end if the pattern follows the text, else from the start."""

    @property
    def name(self) -> str:
        """Title such as "qa 1: Question: ..."."""
        return f"{self.kind} {self.number}: {self.string}"

    def filled(self, word: str) -> str:
        """The pattern with the word in place of the mask."""
        return self.string.replace(MASK, word)

    def around(self, text: str, word: str = MASK) -> str:
        """The text with the filled pattern after or before it."""
        if self.after_text:
            return f"{text} {self.filled(word)}"
        return f"{self.filled(word)} {text}"


@dataclass(frozen=True, slots=True)
class LabelDescriptions:
    """k labels and their descriptions, in the file's order."""

    labels: tuple[str, ...]
    """Names, or numbers in a file with numbered labels."""
    texts: tuple[tuple[str, ...], ...]
    """At least one per label; with numbered labels, the first is the label's term."""
    numbered: bool = False

    @property
    def n_texts(self) -> int:
        return sum(map(len, self.texts))


def read_descriptions(source: str) -> LabelDescriptions:
    """The descriptions of a file, or of its text.

    Args:
        source: path, or text, of JSON ({"label": ["text", ...], ...}) or of lines in the official layout without a
            header: label TAB description TAB comment, cells with tabs or quotes quoted as in CSV.

    Raises:
        InvalidInput: the file is missing, or a line or key breaks the rule; the message names it.
    """
    text = source.strip()
    if text.startswith(("{", "[")) or ("\n" not in text and "\t" not in text and text.lower().endswith(".json")):
        lists = {label: texts for label, texts in read_lists(source, "descriptions").items() if texts}
        return LabelDescriptions(tuple(lists), tuple(lists.values()))
    where, text = _text_of(source, "descriptions", "a .tsv file as of Gao et al., or a JSON file of lists")
    texts_of_label: dict[str, list[str]] = {}
    for number, row in enumerate(_rows(text, where), 1):
        if not row or not any(cell.strip() for cell in row):
            continue
        label = row[0].strip()
        description = " ".join("".join(row[1:2]).split())
        if not label or not description or len(row) > 3:
            raise InvalidInput(
                f"{where}, line {number}: got {len(row)} cells, {str(row)[:80]}. Write label TAB description, "
                "optionally TAB comment."
            )
        check_text(description, f"{where}, line {number}")
        texts_of_label.setdefault(label, []).append(description)
    if not texts_of_label:
        raise InvalidInput(f"{where}: no description. Write lines of label TAB description.")
    numbered = all(label.isdecimal() for label in texts_of_label)
    return LabelDescriptions(tuple(texts_of_label), tuple(map(tuple, texts_of_label.values())), numbered)


def of_classes(
    descriptions: LabelDescriptions, class_names: Sequence[str], order: str = ""
) -> tuple[tuple[tuple[str, ...], ...], tuple[str, ...]]:
    """The descriptions of each class, () for a class without any, and notes.

    A label matches a class by its name. Numbered labels match by `order`, else by their first description.

    Args:
        order: class names in the order of the file's numbers, separated by commas.

    Raises:
        InvalidInput: the labels do not match the classes.
    """
    labels = descriptions.labels
    known = {*map(fold_name, class_names)}
    if descriptions.numbered and not order.strip() and not {*map(fold_name, labels)} & known:
        terms = [texts[0] for texts in descriptions.texts]
        if {*map(fold_name, terms)} != known:
            raise InvalidInput(
                f"descriptions: the labels are numbers ({few_names(labels)}) with the terms {few_names(terms)}; "
                f"the classes are {few_names(class_names)}. Set order to 'first class, second class, ...' in the "
                "order of the numbers."
            )
        descriptions = LabelDescriptions(tuple(terms), descriptions.texts)
    elif descriptions.numbered and order.strip():
        descriptions = _ordered(descriptions, class_names, order)
    lists = dict(zip(descriptions.labels, descriptions.texts, strict=True))
    class_texts, strangers = by_class(lists, class_names, "descriptions")
    missing = [name for name, texts in zip(class_names, class_texts) if not texts]
    notes: list[str] = []
    if missing:
        notes.append(f"Classes without a description use their names alone: {few_names(missing)}.")
    if strangers:
        notes.append(strangers_note(strangers, "descriptions"))
    n_classes = Counter[str]()
    for texts in class_texts:
        n_classes.update(set(texts))
    shared = sorted(text for text, n in n_classes.items() if n > 1)
    if shared:
        subject = "1 description belongs"
        if len(shared) > 1:
            subject = f"{len(shared):,} descriptions belong"
        notes.append(f"{subject} to more than one class and cannot separate them: {few_names(shared)}.")
    return class_texts, tuple(notes)


def terms_of(descriptions: LabelDescriptions, class_texts: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """The term of each class: its first text in a file with numbered labels, else ""."""
    if not descriptions.numbered:
        return ("",) * len(class_texts)
    return tuple("".join(texts[:1]) for texts in class_texts)


def _ordered(descriptions: LabelDescriptions, class_names: Sequence[str], order: str) -> LabelDescriptions:
    """The descriptions with the class names of `order` in place of the numbers."""
    names = [name.strip() for name in order.split(",") if name.strip()]
    numbers = sorted(descriptions.labels, key=int)
    known = {*map(fold_name, class_names)}
    strange = [name for name in names if fold_name(name) not in known]
    if len(names) != len(numbers) or strange or len({*map(fold_name, names)}) < len(names):
        why = f"it has {len(names)} names"
        if strange:
            why = f"{strange[0]!r} is not a class"
        raise InvalidInput(
            f"order must name a class for each of the {len(numbers)} numbers of the descriptions, once: {why}. "
            f"The classes are {few_names(class_names)}."
        )
    texts = dict(zip(descriptions.labels, descriptions.texts, strict=True))
    return LabelDescriptions(tuple(names), tuple(texts[number] for number in numbers))


def read_patterns(source: str) -> tuple[Pattern, ...]:
    """The patterns of a shipped set, of a file in the official layout, or of lines.

    Args:
        source: one of `PATTERNS`; or path or text of `prompts.tsv` (with its header); or lines with "<mask>" each.

    Raises:
        InvalidInput: the file is missing, or a line breaks the rule; the message names it.
    """
    text = source.strip()
    if text in PATTERNS:
        file = ASSETS / "prompts" / f"patterns_{text.replace(' ', '_')}.tsv"
        return _table("patterns", file.read_text("utf-8"))
    where = "patterns"
    if "\n" not in text and MASK not in text:
        where, text = _text_of(source, "patterns", "a prompts.tsv file, or lines with <mask> each")
    if text.split("\n", 1)[0].split("\t")[0].strip() == PATTERN_COLUMNS[0]:
        patterns = _table(where, text)
    else:
        lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
        patterns = tuple(Pattern("line", i, True, _checked(where, i, line), 0) for i, line in enumerate(lines, 1))
    if not 1 <= len(patterns) <= _MAX_PATTERNS:
        raise InvalidInput(
            f"{where} holds {len(patterns):,} patterns, and 1 to {_MAX_PATTERNS} are allowed. Change the file."
        )
    return patterns


def _table(where: str, text: str) -> tuple[Pattern, ...]:
    head, *rows = [row for row in _rows(text, where) if row]
    columns = " TAB ".join(PATTERN_COLUMNS)
    if tuple(cell.strip() for cell in head) != PATTERN_COLUMNS:
        raise InvalidInput(f"{where}: the first line must be {columns}: got {str(head)[:120]}. Fix it.")
    patterns: list[Pattern] = []
    for number, row in enumerate(rows, 2):
        cells = [cell.strip() for cell in row]
        try:
            kind, id_, side, string, position = cells
            pattern = Pattern(kind, int(id_), side == "before", _checked(where, number, string), int(position))
        except ValueError:
            raise InvalidInput(
                f"{where}, line {number}: must be {columns}, with whole numbers: got {str(cells)[:120]}. Fix it."
            ) from None
        if side not in ("before", "after") or pattern.after_text != (pattern.mask_position < 0):
            raise InvalidInput(
                f"{where}, line {number}: 'before' needs a mask position below 0 (from the end), 'after' one of at "
                f"least 0: got {side[:20]!r} and {position}. Fix one of them."
            )
        patterns.append(pattern)
    return tuple(patterns)


def _checked(where: str, number: int, string: str) -> str:
    check_text(string, f"{where}, line {number}")
    if string.count(MASK) != 1:
        raise InvalidInput(
            f"{where}, line {number}: {string[:80]!r} has {MASK} {string.count(MASK)} times. Use it exactly once, for "
            "the word."
        )
    return string


def read_words(source: str, names: Sequence[str], terms: Sequence[str] = ()) -> tuple[str, ...]:
    """The word of each label in a pattern (its verbalizer): from `source`, else its term, else its name.

    Args:
        source: lines "name: word", or "".
        terms: the first description of each name, or "".

    Raises:
        InvalidInput: a line does not name a label, or lacks a word.
    """
    words = [term or name for term, name in zip(terms or [""] * len(names), spoken_names(names), strict=True)]
    index = {fold_name(name): i for i, name in enumerate(names)}
    for number, line in enumerate(source.splitlines(), 1):
        if not line.strip():
            continue
        name, _, word = line.rpartition(":")
        if fold_name(name) not in index or not word.strip():
            raise InvalidInput(
                f"words, line {number}: got {line.strip()[:80]!r}. Write a class, a colon and its word, as in "
                f"'negative: awful'. The classes are {few_names(names)}."
            )
        check_text(word, f"words, line {number}")
        words[index[fold_name(name)]] = word.strip()
    return tuple(words)


def _text_of(source: str, what: str, form: str) -> tuple[str, str]:
    """(name for messages, text) of a path, or of a text of several cells."""
    if "\n" in source or "\t" in source:
        if len(source) > MAX_TEXT_BYTES:
            raise InvalidInput(
                f"{what}: at most {MAX_TEXT_BYTES:,} characters are allowed: got {len(source):,}. Remove some."
            )
        return what, source
    path = Path(source.strip()).expanduser()
    try:
        return f"{what} ({path.name})", read_text(path, most=MAX_TEXT_BYTES)
    except InvalidInput as error:
        raise InvalidInput(f"{what}: {error} Use {form}.") from None


def _rows(text: str, where: str) -> list[list[str]]:
    try:
        return list(csv.reader(StringIO(text, newline=""), delimiter="\t"))
    except csv.Error as error:
        raise InvalidInput(f"{where}: not a table with tabs ({error}). Save it again.") from None
