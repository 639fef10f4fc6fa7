"""The vocabulary: phrases in families, the sentences that speak them, and what is taken out before they are used.

A phrase ("in the dark") belongs to a family ("light") whose templates put it beside a class name; each template has a
reference, the same sentence without the phrase, so that the difference of the two is the phrase alone. The shipped file
can be written out, edited and brought back. The format is described in docs/phrases.md.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from core.documents import parse_json, read_text
from core.errors import InvalidInput, printable
from core.files import write_text
from core.language.grammar import words_in
from core.language.speech import SPEECH, Pairs
from core.limits import byte_size

MAX_PHRASE_LENGTH = 60
"""Characters of a phrase."""
MAX_PHRASES = 2_000
"""Phrases of a vocabulary."""
MAX_BYTES = 4 * 2**20
OWN = "own"
MAX_EXAMPLES = 50
"""Pairs of sentences of a phrase."""
MAX_EXAMPLE_LENGTH = 500
"""Characters of a sentence."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """Something that can be said of a sample, and its family."""

    text: str
    family: str
    examples: Pairs = ()
    """(sentence that the phrase is true of, the same without that): of a phrase about how texts are written, which says
    little put into a template."""


@dataclass(frozen=True, slots=True, eq=False)
class Vocabulary:
    """Phrases, and for each family its (template, reference) pairs. `notes` says what was folded while reading."""

    phrases: tuple[Phrase, ...]
    templates: Mapping[str, Pairs]
    notes: tuple[str, ...] = ()
    modality: str = "image"
    """Of the samples that the phrases speak of."""

    def __len__(self) -> int:
        return len(self.phrases)


def read_vocabulary(source: Path | None = None, modality: str = "image") -> Vocabulary:
    """The vocabulary of a file; None gives the one that ships for samples of that modality.

    A name that ends in .json is read as JSON of the shipped file's shape; anything else as plain text with one phrase a
    line, or "family: phrase". Blank lines and lines that begin with "#" are passed over. A family of the text that is
    not shipped becomes "own", whose templates put the phrase after the noun. Phrases come out family by family.
    Repeated phrases are folded, and a note counts them.

    Raises:
        InvalidInput: not found, too large, not UTF-8, not JSON of this shape, a phrase that is empty or longer than 60
        characters, more than 2,000 phrases, no phrase at all, a template without its places, or references that do not
        match the templates one by one, or a file that says it is of another modality.
    """
    shipped = SPEECH[modality].vocabulary
    if source is None:
        return replace(_from_json(shipped, _text_of(shipped), {}, modality), modality=modality)
    text = _text_of(source)
    known = read_vocabulary(None, modality).templates
    read = _from_json if source.suffix.lower() == ".json" else _from_lines
    return replace(read(source, text, known, modality), modality=modality)


def write_vocabulary(vocabulary: Vocabulary, path: Path) -> None:
    """Write JSON that `read_vocabulary` gives back; phrases are written family by family."""
    of: dict[str, list[Any]] = {}
    for phrase in vocabulary.phrases:
        said = {"phrase": phrase.text, "examples": phrase.examples} if phrase.examples else phrase.text
        of.setdefault(phrase.family, []).append(said)
    families = [
        {
            "name": name,
            "templates": [t for t, _ in vocabulary.templates[name]],
            "references": [r for _, r in vocabulary.templates[name]],
            "phrases": phrases,
        }
        for name, phrases in of.items()
    ]
    whole = {"version": 1, "modality": vocabulary.modality, "families": families}
    write_text(path, json.dumps(whole, indent=1, ensure_ascii=False) + "\n")


def _text_of(path: Path) -> str:
    if not path.is_file():
        raise InvalidInput(f"The phrase file {path.name} was not found. Give the path of a .json or .txt file.")
    if (size := path.stat().st_size) > MAX_BYTES:
        raise InvalidInput(
            f"{path.name}: a phrase file has at most {byte_size(MAX_BYTES)}: got {byte_size(size)}. "
            "Bring fewer phrases."
        )
    return read_text(path, instead="Save the phrases as UTF-8.")


def _from_lines(path: Path, text: str, shipped: Mapping[str, Pairs], modality: str) -> Vocabulary:
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
    return _folded(path, found, {**shipped, OWN: SPEECH[modality].own}, notes)


def _from_json(path: Path, text: str, shipped: Mapping[str, Pairs], modality: str) -> Vocabulary:
    whole = parse_json(text, path.name, instead="Mend it, or bring a .txt file with one phrase a line.")
    known = cast("dict[str, Any]", whole) if isinstance(whole, dict) else {}
    if known.get("version") != 1 or not isinstance(known.get("families"), list):
        raise InvalidInput(
            f'{path.name}: a phrase file reads {{"version": 1, "families": [...]}}: got {text[:40]!r}. '
            "Start from an exported one."
        )
    of = known.get("modality", "image")
    if of not in SPEECH or SPEECH[of].vocabulary != SPEECH[modality].vocabulary:  # clips share those of images
        raise InvalidInput(
            f"{path.name}: these phrases speak of {printable(str(of)[:20])}s and the samples are {modality}s. "
            f"Start from those that ship for {modality}s: `python -m core phrases --modality {modality}`."
        )
    found: list[Phrase] = []
    templates: dict[str, Pairs] = {}
    for number, entry in enumerate(cast("list[Any]", known["families"]), 1):
        where = f"{path.name}, family {number}"
        family = cast("dict[str, Any]", entry) if isinstance(entry, dict) else {}
        name = " ".join(_texts(where, "name", [family.get("name")])[0].split())
        if not name or name in templates:
            raise InvalidInput(f"{where}: each family has a name of its own: got {name!r}. Rename it.")
        templates[name] = _pairs(f"{where} ({name})", family, shipped.get(name, SPEECH[modality].own))
        found += _phrases(f"{where} ({name})", name, family.get("phrases"))
    return _folded(path, found, templates)


def _phrases(where: str, family: str, entries: object) -> list[Phrase]:
    """The phrases of a family: texts, or {"phrase": ..., "examples": [[with, without], ...]}."""
    listed = cast("list[Any]", entries) if isinstance(entries, list) else [entries]
    bare = [entry.get("phrase") if isinstance(entry, dict) else entry for entry in listed]
    texts = _texts(where, "phrases", bare if isinstance(entries, list) else entries)
    return [
        Phrase(
            _checked(text, f"{where}, phrase {i}"),
            family,
            _examples(f"{where}, phrase {i}", entry.get("examples")) if isinstance(entry, dict) else (),
        )
        for i, (text, entry) in enumerate(zip(texts, listed), 1)
    ]


def _examples(where: str, pairs: object) -> Pairs:
    listed = cast("list[Any]", pairs) if isinstance(pairs, list) else []
    if not 1 <= len(listed) <= MAX_EXAMPLES or any(not isinstance(pair, list) or len(pair) != 2 for pair in listed):
        raise InvalidInput(
            f"{where}: examples are 1 to {MAX_EXAMPLES} pairs [sentence with it, the same without]: "
            f"got {str(pairs)[:60]!r}. Write such pairs, or leave examples out."
        )
    texts = [_texts(where, "examples", pair) for pair in listed]
    for text in (text for pair in texts for text in pair):
        if not words_in(text) or len(text) > MAX_EXAMPLE_LENGTH:
            raise InvalidInput(
                f"{where}: an example has words, and at most {MAX_EXAMPLE_LENGTH} characters: got {len(text)} "
                f"({text[:40]!r}). Mend it."
            )
    for first, second in texts:
        if first.split() == second.split():
            raise InvalidInput(
                f"{where}: an example is a sentence with it and the same without: both are {first[:40]!r}. Mend it."
            )
    return tuple((first, second) for first, second in texts)


def _pairs(where: str, family: Mapping[str, Any], instead: Pairs) -> Pairs:
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
    path: Path, found: Sequence[Phrase], templates: Mapping[str, Pairs], notes: tuple[str, ...] = ()
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
