"""The vocabulary: phrases in families, the sentences that contain them, and what is removed before use.

A phrase ("in the dark") belongs to a family ("light") whose templates combine it with a class name. Each template has a
reference, the same sentence without the phrase, so that the difference of the two is the phrase alone. The shipped file
can be exported, edited and read again. docs/phrases.md describes the format.
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
from core.numbers import count

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
    """Something that may be true of a sample, and its family."""

    text: str
    family: str
    examples: Pairs = ()
    """(sentence that the phrase is true of, the same without that): for a phrase about how texts are written, which
    means little in a template."""


@dataclass(frozen=True, slots=True, eq=False)
class Vocabulary:
    """Phrases, and for each family its (template, reference) pairs. `notes` lists what was merged while reading."""

    phrases: tuple[Phrase, ...]
    templates: Mapping[str, Pairs]
    notes: tuple[str, ...] = ()
    modality: str = "image"
    """Of the samples that the phrases describe."""

    def __len__(self) -> int:
        return len(self.phrases)


def read_vocabulary(source: Path | None = None, modality: str = "image") -> Vocabulary:
    """Read the vocabulary of a file; None reads the shipped one for samples of that modality.

    A name that ends in .json is read as JSON in the shipped file's format; anything else as plain text with one phrase
    per line, or "family: phrase". Blank lines and lines that begin with "#" are ignored. An unknown family in a text
    becomes "own", whose templates put the phrase after the noun. Phrases are returned family by family. Repeated
    phrases are merged, and a note counts them.

    Raises:
        InvalidInput: not found, too large, not UTF-8, not JSON of this format, a phrase that is empty or longer than 60
        characters, more than 2,000 phrases, no phrase at all, a template without its placeholders, references that do
        not match the templates one by one, or a file for another modality.
    """
    shipped = SPEECH[modality].vocabulary
    if source is None:
        return replace(_from_json(shipped, _text_of(shipped), {}, modality), modality=modality)
    text = _text_of(source)
    known = read_vocabulary(None, modality).templates
    if source.suffix.lower() == ".json":
        vocabulary = _from_json(source, text, known, modality)
    else:
        vocabulary = _from_lines(source, text, known, modality)
    return replace(vocabulary, modality=modality)


def write_vocabulary(vocabulary: Vocabulary, path: Path) -> None:
    """Write JSON that `read_vocabulary` reads; phrases are written family by family."""
    of: dict[str, list[Any]] = {}
    for phrase in vocabulary.phrases:
        entry: Any = phrase.text
        if phrase.examples:
            entry = {"phrase": phrase.text, "examples": phrase.examples}
        of.setdefault(phrase.family, []).append(entry)
    families: list[dict[str, Any]] = []
    for name, phrases in of.items():
        pairs = vocabulary.templates[name]
        templates = [template for template, _ in pairs]
        references = [reference for _, reference in pairs]
        families.append({"name": name, "templates": templates, "references": references, "phrases": phrases})
    whole = {"version": 1, "modality": vocabulary.modality, "families": families}
    write_text(path, json.dumps(whole, indent=1, ensure_ascii=False) + "\n")


def _text_of(path: Path) -> str:
    if not path.is_file():
        raise InvalidInput(f"{path.name} was not found. Give the path of a .json or .txt file of phrases.")
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise InvalidInput(
            f"{path.name} has {byte_size(size)}; a phrase file may have {byte_size(MAX_BYTES)}. Use fewer phrases."
        )
    return read_text(path, instead="Save the phrases as UTF-8.")


def _from_lines(path: Path, text: str, shipped: Mapping[str, Pairs], modality: str) -> Vocabulary:
    phrases: list[Phrase] = []
    strangers: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        family, colon, rest = line.partition(":")
        name = " ".join(family.split()).casefold()
        where = f"{path.name}, line {number}"
        if not colon:
            phrases.append(Phrase(_check_phrase(line, where), OWN))
            continue
        if name not in shipped:
            if name != OWN:
                strangers.append(name)
            name = OWN
        phrases.append(Phrase(_check_phrase(rest, where), name))
    unknown = [printable(name[:MAX_PHRASE_LENGTH]) for name in dict.fromkeys(strangers)]
    notes: tuple[str, ...] = ()
    if unknown:
        names = ", ".join(unknown[:5])
        if len(unknown) > 5:
            names += f" and {len(unknown) - 5:,} more"
        notes = (f'{path.name}: unknown families are read as "{OWN}": {names}.',)
    return _merge(path, phrases, {**shipped, OWN: SPEECH[modality].templates}, notes)


def _from_json(path: Path, text: str, shipped: Mapping[str, Pairs], modality: str) -> Vocabulary:
    whole = parse_json(text, path.name, instead="Fix it, or use a .txt file with one phrase per line.")
    known: dict[str, Any] = {}
    if isinstance(whole, dict):
        known = cast("dict[str, Any]", whole)
    if known.get("version") != 1 or not isinstance(known.get("families"), list):
        raise InvalidInput(
            f'{path.name}: expected {{"version": 1, "families": [...]}}, got {text[:40]!r}. '
            "Start from an exported file."
        )
    of = known.get("modality", "image")
    if of not in SPEECH or SPEECH[of].vocabulary != SPEECH[modality].vocabulary:  # clips share those of images
        raise InvalidInput(
            f"{path.name}: the phrases are for {printable(str(of)[:20])}s, the samples are {modality}s. "
            f"Start from the shipped ones: `python -m core phrases --modality {modality}`."
        )
    phrases: list[Phrase] = []
    templates: dict[str, Pairs] = {}
    for number, entry in enumerate(cast("list[Any]", known["families"]), 1):
        where = f"{path.name}, family {number}"
        family: dict[str, Any] = {}
        if isinstance(entry, dict):
            family = cast("dict[str, Any]", entry)
        name = " ".join(_texts(where, "name", [family.get("name")])[0].split())
        if not name or name in templates:
            raise InvalidInput(f"{where}: the name {name!r} is empty or repeated. Rename the family.")
        templates[name] = _pairs(f"{where} ({name})", family, shipped.get(name, SPEECH[modality].templates))
        phrases += _phrases(f"{where} ({name})", name, family.get("phrases"))
    return _merge(path, phrases, templates)


def _phrases(where: str, family: str, entries: object) -> list[Phrase]:
    """The phrases of a family: texts, or {"phrase": ..., "examples": [[with, without], ...]}."""
    if not isinstance(entries, list):
        _texts(where, "phrases", entries)
    listed = cast("list[Any]", entries)
    texts = _texts(where, "phrases", [entry.get("phrase") if isinstance(entry, dict) else entry for entry in listed])
    phrases: list[Phrase] = []
    for i, (text, entry) in enumerate(zip(texts, listed), 1):
        text = _check_phrase(text, f"{where}, phrase {i}")
        examples: Pairs = ()
        if isinstance(entry, dict):
            examples = _examples(f"{where}, phrase {i}", cast("dict[str, Any]", entry).get("examples"))
        phrases.append(Phrase(text, family, examples))
    return phrases


def _examples(where: str, pairs: object) -> Pairs:
    listed: list[Any] = []
    if isinstance(pairs, list):
        listed = cast("list[Any]", pairs)
    if not 1 <= len(listed) <= MAX_EXAMPLES or any(not isinstance(pair, list) or len(pair) != 2 for pair in listed):
        raise InvalidInput(
            f"{where}: examples must be 1 to {MAX_EXAMPLES} pairs [sentence with it, the same without]: "
            f"got {str(pairs)[:60]!r}. Fix or remove them."
        )
    texts = [_texts(where, "examples", pair) for pair in listed]
    for pair in texts:
        for text in pair:
            if not words_in(text) or len(text) > MAX_EXAMPLE_LENGTH:
                raise InvalidInput(
                    f"{where}: an example needs words, and at most {MAX_EXAMPLE_LENGTH} characters: got {len(text)} "
                    f"({text[:40]!r}). Fix it."
                )
    for first, second in texts:
        if first.split() == second.split():
            raise InvalidInput(
                f"{where}: both sentences of an example are {first[:40]!r}. Remove the phrase from the second."
            )
    return tuple((first, second) for first, second in texts)


def _pairs(where: str, family: Mapping[str, Any], instead: Pairs) -> Pairs:
    """The family's own pairs, or `instead` if it has none."""
    if "templates" not in family and "references" not in family:
        return instead
    templates, references = (_texts(where, key, family.get(key)) for key in ("templates", "references"))
    if len(templates) != len(references) or not templates:
        raise InvalidInput(
            f"{where}: {len(templates)} templates but {len(references)} references; each template needs one, the same "
            "sentence without the phrase. Make the lists equally long."
        )
    for number, (template, reference) in enumerate(zip(templates, references), 1):
        has_noun = [any(f"{{{key}}}" in text for key in ("noun", "bare", "plural")) for text in (template, reference)]
        if "{phrase}" not in template or "{phrase}" in reference or not all(has_noun):
            raise InvalidInput(
                f"{where}, template {number}: a template needs {{phrase}} and a noun ({{noun}}, {{bare}} or "
                f"{{plural}}), its reference only the noun: got {template!r} and {reference!r}. Fix them."
            )
    return tuple(zip(templates, references))


def _texts(where: str, key: str, value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(v, str) for v in cast("list[object]", value)):
        raise InvalidInput(
            f"{where}: {key} must be text: got {str(value)[:60]!r}. "
            "Put it in double quotes, and lists in square brackets."
        )
    return cast("list[str]", value)


def _check_phrase(text: str, where: str) -> str:
    printed = [c if c.isprintable() else " " for c in text]
    phrase = " ".join("".join(printed).split())
    if not words_in(phrase):
        raise InvalidInput(f"{where}: a phrase needs a word: got {phrase!r}. Add one or remove the entry.")
    if len(phrase) > MAX_PHRASE_LENGTH:
        raise InvalidInput(
            f"{where}: a phrase may have {MAX_PHRASE_LENGTH} characters: got {len(phrase)} "
            f"({phrase[:MAX_PHRASE_LENGTH]!r}...). Shorten it."
        )
    return phrase


def _merge(
    path: Path, phrases: Sequence[Phrase], templates: Mapping[str, Pairs], notes: tuple[str, ...] = ()
) -> Vocabulary:
    """Sort phrases by family, each once."""
    once: dict[tuple[str, ...], Phrase] = {}
    for phrase in phrases:
        once.setdefault(words_in(phrase.text), phrase)
    if not once:
        raise InvalidInput(f"{path.name} contains no phrases. Add some.")
    if len(once) > MAX_PHRASES:
        raise InvalidInput(f"{path.name} has {len(once):,} phrases; {MAX_PHRASES:,} are allowed. Remove some.")
    families = list(dict.fromkeys(p.family for p in once.values()))
    repeated = len(phrases) - len(once)
    if repeated:
        notes = (*notes, f"{path.name}: merged {count(repeated, 'repeated phrase')}.")
    ordered = tuple(sorted(once.values(), key=lambda p: families.index(p.family)))
    return Vocabulary(ordered, {name: templates[name] for name in families}, notes)
