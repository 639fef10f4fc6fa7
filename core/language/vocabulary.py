"""The vocabulary: phrases in families, the sentences that speak them, and what is taken out before they are used.

A phrase ("in the dark") belongs to a family ("light") whose templates put it beside a class name; each template has a
reference, the same sentence without the phrase, so that the difference of the two is the phrase alone. The shipped file
can be written out, edited and brought back. The format is described in docs/phrases.md.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from core.documents import parse_json, read_text
from core.errors import InvalidInput, printable
from core.files import ASSETS, write_text
from core.language.grammar import words_in
from core.limits import byte_size

SHIPPED = ASSETS / "phrases" / "phrases.json"
MAX_PHRASE_LENGTH = 60
"""Characters of a phrase."""
MAX_PHRASES = 2_000
"""Phrases of a vocabulary."""
MAX_BYTES = 4 * 2**20
OWN = "own"
_OWN_TEMPLATES = tuple(
    (f"{start}{{noun}}{link}{{phrase}}", f"{start}{{noun}}")
    for start, link in (
        ("a photo of ", " "), ("", " "), ("a picture of ", " "), ("an image of ", " "),
        ("a photo of ", ", "), ("", ", "), ("a photograph of ", " "), ("this shows ", " "),
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Phrase:
    """Something that can be said of a picture, and its family."""

    text: str
    family: str


@dataclass(frozen=True, slots=True, eq=False)
class Vocabulary:
    """Phrases, and for each family its (template, reference) pairs. `notes` says what was folded while reading."""

    phrases: tuple[Phrase, ...]
    templates: Mapping[str, tuple[tuple[str, str], ...]]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.phrases)


def read_vocabulary(source: Path | None = None) -> Vocabulary:
    """The vocabulary of a file; None gives the shipped one.

    A name that ends in .json is read as JSON of the shipped file's shape; anything else as plain text with one phrase a
    line, or "family: phrase". Blank lines and lines that begin with "#" are passed over. A family of the text that is
    not shipped becomes "own", whose templates put the phrase after the noun. Phrases come out family by family.
    Repeated phrases are folded, and a note counts them.

    Raises:
        InvalidInput: not found, too large, not UTF-8, not JSON of this shape, a phrase that is empty or longer than 60
        characters, more than 2,000 phrases, no phrase at all, a template without its places, or references that do not
        match the templates one by one.
    """
    if source is None:
        return _from_json(SHIPPED, _text_of(SHIPPED), {})
    text, shipped = _text_of(source), read_vocabulary().templates
    return _from_json(source, text, shipped) if source.suffix.lower() == ".json" else _from_lines(source, text, shipped)


def write_vocabulary(vocabulary: Vocabulary, path: Path) -> None:
    """Write JSON that `read_vocabulary` gives back; phrases are written family by family."""
    of: dict[str, list[str]] = {}
    for phrase in vocabulary.phrases:
        of.setdefault(phrase.family, []).append(phrase.text)
    families = [
        {
            "name": name,
            "templates": [t for t, _ in vocabulary.templates[name]],
            "references": [r for _, r in vocabulary.templates[name]],
            "phrases": texts,
        }
        for name, texts in of.items()
    ]
    write_text(path, json.dumps({"version": 1, "families": families}, indent=1, ensure_ascii=False) + "\n")


def _text_of(path: Path) -> str:
    if not path.is_file():
        raise InvalidInput(f"The phrase file {path.name} was not found. Give the path of a .json or .txt file.")
    if (size := path.stat().st_size) > MAX_BYTES:
        raise InvalidInput(
            f"{path.name}: a phrase file has at most {byte_size(MAX_BYTES)}: got {byte_size(size)}. "
            "Bring fewer phrases."
        )
    return read_text(path, instead="Save the phrases as UTF-8.")


def _from_lines(path: Path, text: str, shipped: Mapping[str, tuple[tuple[str, str], ...]]) -> Vocabulary:
    found: list[Phrase] = []
    strangers: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        family, colon, rest = line.partition(":")
        name = " ".join(family.split()).casefold()
        if colon and name != OWN and name not in shipped:
            strangers.append(name)
        known = bool(colon) and name in shipped
        found.append(Phrase(_checked(rest if colon else line, f"{path.name}, line {number}"), name if known else OWN))
    unknown = [printable(name[:MAX_PHRASE_LENGTH]) for name in dict.fromkeys(strangers)]
    some = ", ".join(unknown[:5]) + (f" and {len(unknown) - 5:,} more" if len(unknown) > 5 else "")
    notes = (f'{path.name}: unknown families are read as "{OWN}": {some}.',) if unknown else ()
    return _folded(path, found, {**shipped, OWN: _OWN_TEMPLATES}, notes)


def _from_json(path: Path, text: str, shipped: Mapping[str, tuple[tuple[str, str], ...]]) -> Vocabulary:
    whole = parse_json(text, path.name, instead="Mend it, or bring a .txt file with one phrase a line.")
    known = cast("dict[str, Any]", whole) if isinstance(whole, dict) else {}
    if known.get("version") != 1 or not isinstance(known.get("families"), list):
        raise InvalidInput(
            f'{path.name}: a phrase file reads {{"version": 1, "families": [...]}}: got {text[:40]!r}. '
            "Start from an exported one."
        )
    found: list[Phrase] = []
    templates: dict[str, tuple[tuple[str, str], ...]] = {}
    for number, entry in enumerate(cast("list[Any]", known["families"]), 1):
        where = f"{path.name}, family {number}"
        family = cast("dict[str, Any]", entry) if isinstance(entry, dict) else {}
        name = " ".join(_texts(where, "name", [family.get("name")])[0].split())
        if not name or name in templates:
            raise InvalidInput(f"{where}: each family has a name of its own: got {name!r}. Rename it.")
        templates[name] = _pairs(f"{where} ({name})", family, shipped.get(name, _OWN_TEMPLATES))
        texts = _texts(f"{where} ({name})", "phrases", family.get("phrases"))
        found += [Phrase(_checked(t, f"{where} ({name}), phrase {i}"), name) for i, t in enumerate(texts, 1)]
    return _folded(path, found, templates)


def _pairs(where: str, family: Mapping[str, Any], instead: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """The family's own pairs, or `instead` where it brings none."""
    if "templates" not in family and "references" not in family:
        return instead
    templates, references = (_texts(where, key, family.get(key)) for key in ("templates", "references"))
    if len(templates) != len(references) or not templates:
        raise InvalidInput(
            f"{where}: each template has one reference, the same sentence without the phrase: got {len(templates)} "
            f"templates and {len(references)} references. Make the two lists equally long."
        )
    for number, (template, reference) in enumerate(zip(templates, references), 1):
        has_noun = [any(f"{{{key}}}" in text for key in ("noun", "bare", "plural")) for text in (template, reference)]
        if "{phrase}" not in template or "{phrase}" in reference or not all(has_noun):
            raise InvalidInput(
                f"{where}, template {number}: a template has {{phrase}} and a noun ({{noun}}, {{bare}} or {{plural}}), "
                f"its reference the noun alone: got {template!r} and {reference!r}. Add what is missing."
            )
    return tuple(zip(templates, references))


def _texts(where: str, key: str, value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(v, str) for v in cast("list[object]", value)):
        raise InvalidInput(
            f"{where}: {key} must be text: got {str(value)[:60]!r}. "
            "Put it in double quotes, and lists in square brackets."
        )
    return cast("list[str]", value)


def _checked(text: str, where: str) -> str:
    phrase = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    if not words_in(phrase):
        raise InvalidInput(f"{where}: a phrase has at least one word: got {phrase!r}. Write one or delete the entry.")
    if len(phrase) > MAX_PHRASE_LENGTH:
        raise InvalidInput(
            f"{where}: a phrase has at most {MAX_PHRASE_LENGTH} characters: got {len(phrase)} "
            f"({phrase[:MAX_PHRASE_LENGTH]!r}...). Shorten it."
        )
    return phrase


def _folded(
    path: Path,
    found: Sequence[Phrase],
    templates: Mapping[str, tuple[tuple[str, str], ...]],
    notes: tuple[str, ...] = (),
) -> Vocabulary:
    """Family by family, each phrase once."""
    once: dict[tuple[str, ...], Phrase] = {}
    for phrase in found:
        once.setdefault(words_in(phrase.text), phrase)
    if not 1 <= len(once) <= MAX_PHRASES:
        raise InvalidInput(
            f"{path.name}: a vocabulary has 1 to {MAX_PHRASES:,} phrases: got {len(once):,}. "
            f"{'Shorten it' if once else 'Write some'}."
        )
    families = list(dict.fromkeys(p.family for p in once.values()))
    phrases = tuple(sorted(once.values(), key=lambda p: families.index(p.family)))
    repeated = len(found) - len(once)
    said = (
        (f"{path.name}: {repeated:,} repeated phrase{'s were' if repeated > 1 else ' was'} folded.",)
        if repeated
        else ()
    )
    return Vocabulary(phrases, {name: templates[name] for name in families}, (*notes, *said))
