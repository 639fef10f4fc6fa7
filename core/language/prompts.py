"""Phrases as prompts: a phrase spoken of each class in each template, and phrases that would say the same dropped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import lcm
from pathlib import Path

import numpy as np

from core.language.grammar import alternatives, plural, right_articles, singular, spoken, stems, takes_article, words_in
from core.language.speech import SPEECH
from core.language.vocabulary import Phrase, Vocabulary
from core.records import F32, F64, I64


def prompts(
    vocabulary: Vocabulary, nouns: Sequence[str], per_phrase: int = 8
) -> tuple[list[list[str]], list[list[str]]]:
    """For each phrase, `per_phrase` sentences with it and the same ones without it.

    A phrase with examples of its own is spoken by those. Of the others, every phrase meets the same nouns, evenly
    spaced over the list, so that phrases stay comparable and references repeat (and are encoded once). Prompt j takes
    template j and noun j, both in a circle; once both circles close, the nouns move on by one.

    Args:
        nouns: class names; where there are none, and of texts, the sentences speak of a "thing", a "text", ...

    Example:
        >>> from core.language.vocabulary import read_vocabulary
        >>> shipped = read_vocabulary()
        >>> with_phrase, without = prompts(shipped, ["dog", "apple"], 2)
        >>> with_phrase[0], without[0]
        (['a photo of a dog on a plain background', 'an apple on a plain background'], ['a photo of a dog', 'an apple'])
    """
    speech = SPEECH[vocabulary.modality]
    named = ([n for n in map(spoken, nouns) if n] if speech.of_classes else []) or list(speech.nouns)
    chosen = [named[i * len(named) // per_phrase] for i in range(per_phrase)] if len(named) > per_phrase else named
    with_phrase: list[list[str]] = []
    without: list[list[str]] = []
    for phrase in vocabulary.phrases:
        if phrase.examples:
            with_phrase.append([text for text, _ in phrase.examples])
            without.append([text for _, text in phrase.examples])
            continue
        pairs = vocabulary.templates[phrase.family]
        drawn = [
            (pairs[j % len(pairs)], chosen[(j + j // lcm(len(pairs), len(chosen))) % len(chosen)])
            for j in range(per_phrase)
        ]
        with_phrase.append([_fill(template, noun, phrase.text) for (template, _), noun in drawn])
        without.append([_fill(reference, noun, "") for (_, reference), noun in drawn])
    return with_phrase, without


def _fill(template: str, noun: str, phrase: str) -> str:
    """{noun} with its article, {bare} without, {plural}, and {a}: the noun's article where other words stand
    between."""
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
    """The vocabulary without phrases that merely restate a class, and notes that count and name them (after the
    vocabulary's own notes).

    A phrase restates a name or synonym if it holds every word of it ("next to a dog" and "dog"), or a name (not a
    synonym: "merry-go-round") if all that it says lies within the name and includes its last word ("next to a car" and
    "sports car"); "in the snow" stays beside "snow leopard". Words are compared as stems.
    A phrase with examples says how texts are written, and stays.
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
        restates = not phrase.examples and any(
            said.issuperset(name) or (name in listed and said.issubset(name)) for name in near
        )
        out.append(phrase.text) if restates else kept.append(phrase)
    if not out:
        return vocabulary, vocabulary.notes
    shown = ", ".join(f'"{text}"' for text in out[:12]) + (f" and {len(out) - 12:,} more" if len(out) > 12 else "")
    note = f"{len(out):,} phrase{'s' if len(out) > 1 else ''} left out because a class is called so: {shown}."
    return replace(vocabulary, phrases=tuple(kept)), (*vocabulary.notes, note)


def drop_alike(directions: F32 | F64, most: float = 0.95) -> tuple[I64, dict[int, list[int]]]:
    """Row numbers to keep, and for each kept row those that it stands for.

    Args:
        directions: (P, d) unit rows in vocabulary order; a row is dropped if its cosine with an earlier kept row is
            above `most`, and goes with the nearest of them.
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


def class_in(text: str, class_names: Sequence[str]) -> int | None:
    """Which class a free text speaks of, or None for no class or more than one.

    Whole words count, in the singular or the plural, with "_" and "-" as blanks; the name of most words wins, so
    "sports cars" is "sports car" and not "car". Two names of equally many words are a tie.

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


def is_bare_name(text: str, class_name: str) -> bool:
    """Whether a text says nothing beside the name of a class.

    Example:
        >>> is_bare_name("The sports cars", "sports_car"), is_bare_name("a cat in fog", "cat")
        (True, False)
    """
    words = [singular(w) for w in words_in(text)]
    said = words[1:] if words[:1] in (["a"], ["an"], ["the"]) else words
    return any([singular(w) for w in words_in(name)] == said for name in {class_name, *alternatives(class_name)})


def synonyms_of(class_names: Sequence[str], most: int = 3) -> dict[str, tuple[str, ...]]:
    """Other names of those classes that ImageNet-22k lists, from WordNet's lemmas as timm ships them; empty where timm
    is not installed.

    Of several synsets that bear a name, one of ImageNet-1k's is meant; where that leaves none or more than one, the
    class has no synonyms here.
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
