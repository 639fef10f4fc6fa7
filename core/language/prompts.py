"""Phrases as prompts: each phrase with each class in each template; phrases that mean the same are dropped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import lcm
from pathlib import Path

import numpy as np

from core.language.grammar import alternatives, plural, right_articles, singular, spoken, stems, takes_article, words_in
from core.language.speech import SPEECH
from core.language.vocabulary import Phrase, Vocabulary
from core.numbers import count
from core.records import F32, F64, I64


def prompts(
    vocabulary: Vocabulary, nouns: Sequence[str], per_phrase: int = 8
) -> tuple[list[list[str]], list[list[str]]]:
    """For each phrase, `per_phrase` sentences with it and the same sentences without it.

    A phrase with its own examples uses those. Of the others, every phrase gets the same nouns, evenly spaced over the
    list, so that phrases stay comparable and references repeat (and are encoded once). Prompt j takes template j and
    noun j, both in a circle; once both circles close, the nouns move on by one.

    Args:
        nouns: class names; without any, and for texts, the sentences are about a "thing", a "text", ...

    Example:
        >>> from core.language.vocabulary import read_vocabulary
        >>> shipped = read_vocabulary()
        >>> with_phrase, without = prompts(shipped, ["dog", "apple"], 2)
        >>> with_phrase[0], without[0]
        (['a photo of a dog on a plain background', 'an apple on a plain background'], ['a photo of a dog', 'an apple'])
    """
    speech = SPEECH[vocabulary.modality]
    named: list[str] = []
    if speech.of_classes:
        named = [n for n in map(spoken, nouns) if n]
    if not named:
        named = list(speech.nouns)
    if len(named) > per_phrase:
        named = [named[i * len(named) // per_phrase] for i in range(per_phrase)]
    with_phrase: list[list[str]] = []
    without: list[list[str]] = []
    for phrase in vocabulary.phrases:
        if phrase.examples:
            with_phrase.append([text for text, _ in phrase.examples])
            without.append([text for _, text in phrase.examples])
            continue
        pairs = vocabulary.templates[phrase.family]
        cycle = lcm(len(pairs), len(named))
        sentences: list[str] = []
        references: list[str] = []
        for j in range(per_phrase):
            template, reference = pairs[j % len(pairs)]
            noun = named[(j + j // cycle) % len(named)]
            sentences.append(_fill(template, noun, phrase.text))
            references.append(_fill(reference, noun, ""))
        with_phrase.append(sentences)
        without.append(references)
    return with_phrase, without


def _fill(template: str, noun: str, phrase: str) -> str:
    """Fill a template: {noun} with its article, {bare} without, {plural}, and {a}, the noun's article if other words
    stand between."""
    article = "a" if takes_article(noun) else ""
    parts = {
        "{a}": article,
        "{noun}": f"{article} {noun}",
        "{bare}": noun,
        "{plural}": plural(noun),
        "{phrase}": phrase,
    }
    for key, text in parts.items():
        template = template.replace(key, text)
    return right_articles(" ".join(template.split()))


def keep_apart(
    vocabulary: Vocabulary, class_names: Sequence[str], synonyms: Mapping[str, Sequence[str]] | None = None
) -> tuple[Vocabulary, tuple[str, ...]]:
    """Drop phrases that merely restate a class; also notes that count and list them (after the vocabulary's own notes).

    A phrase restates a name or synonym if it contains every word of it ("next to a dog" and "dog"), or a name (not a
    synonym: "merry-go-round") if all its words lie within the name and include its last word ("next to a car" and
    "sports car"); "in the snow" stays beside "snow leopard". Words are compared as stems.
    A phrase with examples is about how texts are written, and stays.
    """
    known = synonyms or {}
    listed = dict[tuple[str, ...], None]()
    others = dict[tuple[str, ...], None]()
    for name in class_names:
        listed.update(dict.fromkeys(map(stems, alternatives(name))))
        others.update(dict.fromkeys(map(stems, known.get(name, ()))))
    names: dict[str, list[tuple[str, ...]]] = {}  # by last word, which a phrase must hold either way
    for name in (*listed, *(o for o in others if o not in listed)):
        if name:
            names.setdefault(name[-1], []).append(name)
    remaining: list[Phrase] = []
    skipped: list[str] = []
    for phrase in vocabulary.phrases:
        words = frozenset(stems(phrase.text))
        restates = False
        for word in words:
            for name in names.get(word, ()):
                restates = restates or words.issuperset(name) or (name in listed and words.issubset(name))
        if restates and not phrase.examples:
            skipped.append(phrase.text)
        else:
            remaining.append(phrase)
    if not skipped:
        return vocabulary, vocabulary.notes
    shown = ", ".join(f'"{text}"' for text in skipped[:12])
    if len(skipped) > 12:
        shown += f" and {len(skipped) - 12:,} more"
    contain = "that contains a class name" if len(skipped) == 1 else "that contain class names"
    note = f"Skipped {count(len(skipped), 'phrase')} {contain}: {shown}."
    return replace(vocabulary, phrases=tuple(remaining)), (*vocabulary.notes, note)


def drop_alike(directions: F32 | F64, most: float = 0.95) -> tuple[I64, dict[int, list[int]]]:
    """Rows to keep, and for each the rows that it replaces.

    Args:
        directions: (P, d) unit rows in vocabulary order; a row is dropped if its cosine with an earlier row that stays
            is above `most`, and is counted with the nearest of them.
    """
    rows: list[int] = []
    dropped: dict[int, list[int]] = {}
    for row, direction in enumerate(directions):
        cosines = np.zeros(0)
        if rows:
            cosines = directions[rows] @ direction
        if len(cosines) and cosines.max() > most:
            dropped.setdefault(rows[int(cosines.argmax())], []).append(row)
        else:
            rows.append(row)
    return np.array(rows, np.int64), dropped


def class_in(text: str, class_names: Sequence[str]) -> int | None:
    """The class that a free text names, or None for no class or more than one.

    Whole words count, in the singular or the plural, with "_" and "-" as blanks; the name with most words wins, so
    "sports cars" is "sports car" and not "car". Two names with equally many words are a tie.

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
    if not lengths.any():
        return None
    best = np.flatnonzero(lengths == lengths.max())
    if len(best) != 1:
        return None
    return int(best[0])


def is_bare_name(text: str, class_name: str) -> bool:
    """Whether a text contains nothing beside the name of a class.

    Example:
        >>> is_bare_name("The sports cars", "sports_car"), is_bare_name("a cat in fog", "cat")
        (True, False)
    """
    words = [singular(w) for w in words_in(text)]
    if words[:1] in (["a"], ["an"], ["the"]):
        words = words[1:]
    return any([singular(w) for w in words_in(name)] == words for name in {class_name, *alternatives(class_name)})


def synonyms_of(class_names: Sequence[str], most: int = 3) -> dict[str, tuple[str, ...]]:
    """Other names of the classes that ImageNet-22k lists, from WordNet's lemmas as timm ships them; empty if timm is
    not installed.

    If several synsets have a name, one of ImageNet-1k's is meant; if that leaves none or several, the class gets no
    synonyms.
    """
    from importlib.util import find_spec

    spec = find_spec("timm")
    folder = Path()
    if spec and spec.origin:
        folder = Path(spec.origin).parent / "data" / "_info"
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
    synonyms: dict[str, tuple[str, ...]] = {}
    for name in class_names:
        key = words_in(name)
        meant = bearers.get(key, [])
        if len(meant) != 1:
            meant = [bearer for bearer in meant if bearer[0] in usual]
        if len(meant) != 1:
            continue
        others = tuple(w for w in meant[0][1] if words_in(w) != key)[:most]
        if others:
            synonyms[name] = others
    return synonyms
