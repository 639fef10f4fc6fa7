"""Foils of an image that has captions: what is changed must not be what another of its captions says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.language import grammar
from core.systems.composition.captions.edits import Edit, apply_edits
from core.systems.composition.captions.parse import read_caption
from core.systems.composition.captions.records import ParsedCaption
from core.systems.composition.foils.drafts import is_kind, is_vague
from core.systems.composition.foils.make import MAX_CAPTION_LENGTH, make_foils

Change = Literal["swap", "replace", "add"]
COLOURS = ("red", "blue", "green", "yellow", "pink", "purple", "orange")
LEAST_NAMED = 5
"""Captions that must name a thing before it is added to another image."""


@dataclass(frozen=True, slots=True)
class CaptionFoil:
    """A caption of an image and one that is almost it."""

    caption: str
    foil: str
    change: Change
    kind: str
    """`core.systems.composition.foils.drafts.Kind`, "add object" or "add attribute"."""


def things_named(captions: Iterable[str]) -> tuple[str, ...]:
    """The things that at least `LEAST_NAMED` captions name with "a" or "an", in the alphabet's order; people, animals,
    parts and views are left out."""
    counts = Counter[str]()
    for caption in captions:
        reading = read_caption(_cut(caption))
        counts.update(
            {
                thing.head
                for thing in reading.things
                if thing.determiner in ("a", "an") and not is_vague(thing) and not is_kind(thing, "person")
            }
        )
    return tuple(sorted(head for head, n in counts.items() if n >= LEAST_NAMED and grammar.takes_article(head)))


def caption_foils(
    captions: Sequence[str], things: Sequence[str], rng: np.random.Generator, *, beside: Sequence[str] = ()
) -> list[CaptionFoil]:
    """One foil of each kind, of the first caption that allows it; none brings in a word that any caption of the image
    says.

    Args:
        captions: of one image.
        things: `things_named` of all captions: what may be added.
        rng: draws what is added.
        beside: further captions of the image, of which no foil is made.

    Source: the three changes are SugarCrepe's (Hsieh et al. 2023, arXiv 2306.14610). Departure: there a language model
    writes them and people look at each; here rules do, so some sound odd and a few are true of their image.
    """
    seen_words = {word for caption in (*captions, *beside) for word in _keys(caption)}
    foils: dict[str, CaptionFoil] = {}
    for caption in map(_cut, captions):
        if not any(character.isalpha() for character in caption):
            continue
        caption_words = set(_keys(caption))
        for foil in make_foils(caption).foils:
            if not (set(_keys(foil.text)) - caption_words) & seen_words:
                change: Change = "swap" if foil.kind.startswith("swap") else "replace"
                foils.setdefault(foil.kind, CaptionFoil(caption, foil.text, change, foil.kind))
        reading = read_caption(caption)
        for kind, added in (("add attribute", _coloured), ("add object", _joined)):
            if kind not in foils and (foil := next(added(reading, seen_words, things, rng), "")):
                foils[kind] = CaptionFoil(caption, foil, "add", kind)
    return sorted(foils.values(), key=lambda foil: foil.kind)


def _coloured(
    reading: ParsedCaption, seen_words: set[str], things: Sequence[str], rng: np.random.Generator
) -> Iterator[str]:
    """The first plain thing in a colour that no caption speaks of."""
    free = [colour for colour in COLOURS if colour not in seen_words]
    plain = (
        noun
        for noun in reading.things
        if noun.heads and not (noun.attributes or is_vague(noun) or is_kind(noun, "person")) and noun.determiner
    )
    for noun in plain:
        if free:
            at = reading.tokens[noun.heads[0]].start
            yield apply_edits(reading.text, [Edit(at, at, f"{free[rng.integers(len(free))]} ")])


def _joined(
    reading: ParsedCaption, seen_words: set[str], things: Sequence[str], rng: np.random.Generator
) -> Iterator[str]:
    """The caption beside a thing that none of the image's captions speaks of."""
    free = [thing for thing in things if not set(_keys(thing)) & seen_words]
    if free and reading.things:
        end = len(reading.text.rstrip(".!? "))
        yield apply_edits(reading.text, [Edit(end, end, f" near a {free[rng.integers(len(free))]}")])


def _cut(caption: str) -> str:
    return " ".join(caption.split())[:MAX_CAPTION_LENGTH]


def _keys(text: str) -> tuple[str, ...]:
    return tuple(grammar.singular(word) for word in grammar.words_in(text))
