"""Prompts whose meaning for light, sharpness, color, place and so on is known, because they are put together so: for
fitting the text side of the words."""

from __future__ import annotations

import numpy as np

from core.encoders.embedded.photo_words import CONDITIONS
from core.records import F32
from research.weights.embedded.frames import (
    BARE_FRAMES,
    COLOUR_THINGS,
    FREE_FRAMES,
    FREE_PHRASES,
    PHOTO_FRAMES,
    PLACE_FRAMES,
    THING_FRAMES,
    TOPICS,
)
from research.weights.embedded.phrases import COLOURS, FitPhrase


def _vector(*means: tuple[tuple[str, float], ...]) -> F32:
    row = np.zeros(len(CONDITIONS), np.float32)
    for part in means:
        for name, value in part:
            row[CONDITIONS.index(name)] = value
    return row


def _with(phrase: FitPhrase, noun: str, rng: np.random.Generator, inner: str | None = None) -> str:
    def choose(frames: tuple[str, ...]) -> str:
        return frames[int(rng.integers(len(frames)))]

    photo = phrase.means[0][0] in {"light", "colour", "contrast", "blur", "noise", *COLOURS, "turned"}
    if phrase.form == "adjective":
        frame = choose(PHOTO_FRAMES if photo and rng.random() < 0.75 else THING_FRAMES)
    else:
        frame = choose(PLACE_FRAMES if phrase.form == "place" else BARE_FRAMES)
    article = "an" if phrase.text[0] in "aeiou" else "a"
    return frame.format(a=article, c=phrase.text, n=inner or noun)


def make_prompts(nouns: list[str], phrases: list[FitPhrase], n: int, seed: int) -> tuple[list[str], F32]:
    """`n` prompts with conditions: (texts, (n, len(CONDITIONS)) activations)."""
    rng = np.random.default_rng(seed)
    groups: dict[str, list[FitPhrase]] = {}
    for phrase in phrases:
        groups.setdefault(phrase.group, []).append(phrase)
    names = list(groups)
    texts: list[str] = []
    rows: list[F32] = []
    for number in range(n):
        group = groups[names[number % len(names)]]  # every meaning equally often
        phrase = group[int(rng.integers(len(group)))]
        noun = nouns[int(rng.integers(len(nouns)))]
        if phrase.form == "bare" and rng.random() < 0.5:
            texts.append(phrase.text)
            rows.append(_vector(phrase.means))
            continue
        if rng.random() < 0.22:  # two at a time
            other = phrases[int(rng.integers(len(phrases)))]
            apart = not any(phrase.means[0][0] in topic and other.means[0][0] in topic for topic in TOPICS)
            if apart and other.form == "place" and phrase.form == "adjective":
                texts.append(f"{_with(phrase, noun, rng)} {other.text}")
                rows.append(_vector(phrase.means, other.means))
                continue
        texts.append(_with(phrase, noun, rng))
        rows.append(_vector(phrase.means))
    return texts, np.array(rows)


def make_free_prompts(nouns: list[str], n: int, seed: int) -> tuple[list[str], F32]:
    """`n` prompts that say nothing of any condition, all nouns bare among them, and some of a colored thing, which
    counts 0.6 of its color."""
    rng = np.random.default_rng(seed)
    texts = [*FREE_PHRASES, *nouns, *(f"a photo of a {noun}." for noun in nouns)]
    for _ in range(max(0, n - len(texts))):
        noun = nouns[int(rng.integers(len(nouns)))]
        other = nouns[int(rng.integers(len(nouns)))]
        texts.append(FREE_FRAMES[int(rng.integers(len(FREE_FRAMES)))].format(n=noun, m=other))
    rows = [np.zeros(len(CONDITIONS), np.float32) for _ in texts]
    for number in range(n // 8):
        hue = list(COLOURS)[number % len(COLOURS)]
        texts.append(
            COLOUR_THINGS[int(rng.integers(len(COLOUR_THINGS)))].format(h=hue, n=nouns[int(rng.integers(len(nouns)))])
        )
        rows.append(_vector(((hue, 0.6),)))
    return texts, np.array(rows)
