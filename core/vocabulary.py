"""The vocabulary: phrases in families, the sentences that speak them, and what is taken out before they are used.

A phrase ("in the dark") belongs to a family ("light") whose templates put it beside a class name; each template has a reference,
the same sentence without the phrase, so that the difference of the two is the phrase alone. The shipped file can be written out,
edited and brought back. The format is described in docs/phrases.md.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import lcm
from pathlib import Path
from typing import Any, cast

import numpy as np

from core.errors import InvalidInput
from core.files import ASSETS, write_text
from core.nouns import alternatives, plural, right_articles, singular, spoken, stems, takes_article, words_in
from core.records import F32, F64, I64

SHIPPED = ASSETS / "phrases" / "phrases.json"
LONGEST = 60
"""Characters of a phrase."""
MOST = 2_000
"""Phrases of a vocabulary."""
MOST_BYTES = 4 * 2**20
OWN = "own"
NOUNS = ("thing", "scene", "object", "view")
"""What the prompts speak of where no class is named."""
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


# ---- reading and writing


def read_vocabulary(source: Path | None = None) -> Vocabulary:
    """The vocabulary of a file; None gives the shipped one.

    A name that ends in .json is read as JSON of the shipped file's shape; anything else as plain text with one phrase a line, or
    "family: phrase". Blank lines and lines that begin with "#" are passed over. A family of the text that is not shipped becomes "own", whose
    templates put the phrase after the noun. Phrases come out family by family. Repeated phrases are folded, and a note counts them.

    Raises:
        InvalidInput: not found, too large, not UTF-8, not JSON of this shape, a phrase that is empty or longer than 60 characters, more than 2,000
            phrases, no phrase at all, a template without its places, or references that do not match the templates one by one.
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
    if (size := path.stat().st_size) > MOST_BYTES:
        raise InvalidInput(f"{path.name}: a phrase file has at most {MOST_BYTES // 2**20} MB: got {size:,} bytes. Bring fewer phrases.")
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path.name}: the phrases must be UTF-8 text, and byte {error.start} is not. Save the file as UTF-8.") from error


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
    unknown = tuple(dict.fromkeys(strangers))
    notes = (f'{path.name}: unknown families are read as "{OWN}": {", ".join(unknown)}.',) if unknown else ()
    return _folded(path, found, {**shipped, OWN: _OWN_TEMPLATES}, notes)


def _from_json(path: Path, text: str, shipped: Mapping[str, tuple[tuple[str, str], ...]]) -> Vocabulary:
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"{path.name}: this is not JSON ({error}). Mend it, or bring a .txt file with one phrase a line.") from error
    known = cast("dict[str, Any]", whole) if isinstance(whole, dict) else {}
    if known.get("version") != 1 or not isinstance(known.get("families"), list):
        raise InvalidInput(f'{path.name}: a phrase file reads {{"version": 1, "families": [...]}}: got {text[:40]!r}. Start from an exported one.')
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
            f"{where}: each template has one reference, the same sentence without the phrase: got {len(templates)} templates and "
            f"{len(references)} references. Make the two lists equally long."
        )
    for number, (template, reference) in enumerate(zip(templates, references), 1):
        has_noun = [any(f"{{{key}}}" in text for key in ("noun", "bare", "plural")) for text in (template, reference)]
        if "{phrase}" not in template or "{phrase}" in reference or not all(has_noun):
            raise InvalidInput(
                f"{where}, template {number}: a template has {{phrase}} and a noun ({{noun}}, {{bare}} or {{plural}}), its reference the noun alone: "
                f"got {template!r} and {reference!r}. Add what is missing."
            )
    return tuple(zip(templates, references))


def _texts(where: str, key: str, value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(v, str) for v in cast("list[object]", value)):
        raise InvalidInput(f"{where}: {key} must be text: got {str(value)[:60]!r}. Put it in double quotes, and lists in square brackets.")
    return cast("list[str]", value)


def _checked(text: str, where: str) -> str:
    phrase = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    if not words_in(phrase):
        raise InvalidInput(f"{where}: a phrase has at least one word: got {phrase!r}. Write one or delete the entry.")
    if len(phrase) > LONGEST:
        raise InvalidInput(f"{where}: a phrase has at most {LONGEST} characters: got {len(phrase)} ({phrase[:LONGEST]!r}...). Shorten it.")
    return phrase


def _folded(path: Path, found: Sequence[Phrase], templates: Mapping[str, tuple[tuple[str, str], ...]], notes: tuple[str, ...] = ()) -> Vocabulary:
    """Family by family, each phrase once."""
    once: dict[tuple[str, ...], Phrase] = {}
    for phrase in found:
        once.setdefault(words_in(phrase.text), phrase)
    if not 1 <= len(once) <= MOST:
        raise InvalidInput(f"{path.name}: a vocabulary has 1 to {MOST:,} phrases: got {len(once):,}. {'Shorten it' if once else 'Write some'}.")
    families = list(dict.fromkeys(p.family for p in once.values()))
    phrases = tuple(sorted(once.values(), key=lambda p: families.index(p.family)))
    repeated = len(found) - len(once)
    said = (f"{path.name}: {repeated:,} repeated phrase{'s were' if repeated > 1 else ' was'} folded.",) if repeated else ()
    return Vocabulary(phrases, {name: templates[name] for name in families}, (*notes, *said))


# ---- sentences


def prompts(vocabulary: Vocabulary, nouns: Sequence[str], per_phrase: int = 8) -> tuple[list[list[str]], list[list[str]]]:
    """For each phrase, `per_phrase` sentences with it and the same ones without it.

    Every phrase meets the same nouns, evenly spaced over the list, so that phrases stay comparable and references repeat (and are encoded once).
    Prompt j takes template j and noun j, both in a circle; once both circles close, the nouns move on by one.

    Args:
        nouns: class names; where there are none, the sentences speak of a "thing", a "scene", ...

    Example:
        >>> shipped = read_vocabulary()
        >>> with_phrase, without = prompts(shipped, ["dog", "apple"], 2)
        >>> with_phrase[0], without[0]
        (['a photo of a dog on a plain background', 'an apple on a plain background'], ['a photo of a dog', 'an apple'])
    """
    named = [n for n in map(spoken, nouns) if n] or list(NOUNS)
    chosen = [named[i * len(named) // per_phrase] for i in range(per_phrase)] if len(named) > per_phrase else named
    with_phrase: list[list[str]] = []
    without: list[list[str]] = []
    for phrase in vocabulary.phrases:
        pairs = vocabulary.templates[phrase.family]
        drawn = [(pairs[j % len(pairs)], chosen[(j + j // lcm(len(pairs), len(chosen))) % len(chosen)]) for j in range(per_phrase)]
        with_phrase.append([_fill(template, noun, phrase.text) for (template, _), noun in drawn])
        without.append([_fill(reference, noun, "") for (_, reference), noun in drawn])
    return with_phrase, without


def _fill(template: str, noun: str, phrase: str) -> str:
    """{noun} with its article, {bare} without, {plural}, and {a}: the noun's article where other words stand between."""
    article = "a" if takes_article(noun) else ""
    parts = {"{a}": article, "{noun}": f"{article} {noun}", "{bare}": noun, "{plural}": plural(noun), "{phrase}": phrase}
    for key, text in parts.items():
        template = template.replace(key, text)
    return right_articles(" ".join(template.split()))


# ---- what is taken out


def keep_apart(
    vocabulary: Vocabulary, class_names: Sequence[str], synonyms: Mapping[str, Sequence[str]] | None = None
) -> tuple[Vocabulary, tuple[str, ...]]:
    """The vocabulary without phrases that merely restate a class, and notes that count and name them (after the vocabulary's own notes).

    A phrase restates a name or synonym if it holds every word of it ("next to a dog" and "dog"), or a name (not a synonym: "merry-go-round") if all
    that it says lies within the name and includes its last word ("next to a car" and "sports car"); "in the snow" stays beside "snow leopard".
    Words are compared as stems.
    """
    known = synonyms or {}
    listed = dict.fromkeys(stems(t) for name in class_names for t in alternatives(name))
    others = dict.fromkeys(stems(t) for name in class_names for t in known.get(name, ()))
    names: dict[str, list[tuple[str, ...]]] = {}  # by last word, which a phrase must hold either way
    for name in (*listed, *(o for o in others if o not in listed)):
        if name:
            names.setdefault(name[-1], []).append(name)
    kept: list[Phrase] = []
    out: list[str] = []
    for phrase in vocabulary.phrases:
        said = frozenset(stems(phrase.text))
        near = [name for word in said for name in names.get(word, ())]
        restates = any(said.issuperset(name) or (name in listed and said.issubset(name)) for name in near)
        out.append(phrase.text) if restates else kept.append(phrase)
    if not out:
        return vocabulary, vocabulary.notes
    shown = ", ".join(f'"{text}"' for text in out[:12]) + (f" and {len(out) - 12:,} more" if len(out) > 12 else "")
    note = f"{len(out):,} phrase{'s' if len(out) > 1 else ''} left out because a class is called so: {shown}."
    return replace(vocabulary, phrases=tuple(kept)), (*vocabulary.notes, note)


def drop_alike(directions: F32 | F64, most: float = 0.95) -> tuple[I64, dict[int, list[int]]]:
    """Row numbers to keep, and for each kept row those that it stands for.

    Args:
        directions: (P, d) unit rows in vocabulary order; a row is dropped if its cosine with an earlier kept row is above `most`,
            and goes with the nearest of them.
    """
    kept: list[int] = []
    dropped: dict[int, list[int]] = {}
    for row, direction in enumerate(directions):
        cosines = directions[kept] @ direction if kept else np.zeros(0)
        if len(cosines) and cosines.max() > most:
            dropped.setdefault(kept[int(cosines.argmax())], []).append(row)
        else:
            kept.append(row)
    return np.array(kept, np.int64), dropped


# ---- classes


def class_in(text: str, class_names: Sequence[str]) -> int | None:
    """Which class a free text speaks of, or None for no class or more than one.

    Whole words count, in the singular or the plural, with "_" and "-" as blanks; the name of most words wins, so "sports cars" is "sports car" and
    not "car". Two names of equally many words are a tie.

    Example:
        >>> class_in("blurred cats on grass", ["cattle", "cat"]), class_in("a cat and a dog", ["cat", "dog"])
        (1, None)
    """
    words = tuple(singular(w) for w in words_in(text))
    lengths = np.zeros(len(class_names), np.int64)
    for number, name in enumerate(class_names):
        for text_of_name in {name, *alternatives(name)}:
            parts = tuple(singular(w) for w in words_in(text_of_name))
            if parts and any(words[i : i + len(parts)] == parts for i in range(len(words) - len(parts) + 1)):
                lengths[number] = max(lengths[number], len(parts))
    best = np.flatnonzero(lengths == lengths.max()) if lengths.any() else lengths[:0]
    return int(best[0]) if len(best) == 1 else None


def synonyms_of(class_names: Sequence[str], most: int = 3) -> dict[str, tuple[str, ...]]:
    """Other names of those classes that ImageNet-22k lists, from WordNet's lemmas as timm ships them; empty where timm is not installed.

    Of several synsets that bear a name, one of ImageNet-1k's is meant; where that leaves none or more than one, the class has no synonyms here.
    """
    from importlib.util import find_spec

    spec = find_spec("timm")
    folder = Path(spec.origin).parent / "data" / "_info" if spec and spec.origin else Path()
    files = [folder / "imagenet_synset_to_lemma.txt", folder / "imagenet_synsets.txt"]
    if not all(f.is_file() for f in files):
        return {}
    lines = [line.split("\t", 1) for line in files[0].read_text("utf-8").splitlines()]
    usual = frozenset(files[1].read_text("utf-8").split())
    bearers: dict[tuple[str, ...], list[tuple[str, list[str]]]] = {}
    for synset, listed in lines:
        lemmas = [w.strip() for w in listed.split(",")]
        for key in {words_in(w) for w in lemmas}:
            bearers.setdefault(key, []).append((synset, lemmas))
    found: dict[str, tuple[str, ...]] = {}
    for name in class_names:
        key = words_in(name)
        meant = bearers.get(key, [])
        meant = meant if len(meant) == 1 else [bearer for bearer in meant if bearer[0] in usual]
        others = tuple(w for w in meant[0][1] if words_in(w) != key)[:most] if len(meant) == 1 else ()
        if others:
            found[name] = others
    return found
