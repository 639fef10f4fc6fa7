"""Captions that are almost right: from one caption, swaps and replacements of what it says, each a sentence that is
false of its image.

As in the benchmarks of composition (Winoground, Thrush et al. 2022, arXiv 2204.03162; SugarCrepe, Hsieh et al. 2023,
arXiv 2306.14610), but by rules and word lists, so the same caption gives the same foils. What the rules cannot know is
whether a foil happens to be true of the image as well: a person looks at each before it is scored.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from core.errors import InvalidInput
from core.systems.composition.captions.edits import apply_edits
from core.systems.composition.captions.meaning import same_meaning_key
from core.systems.composition.captions.parse import read_caption
from core.systems.composition.captions.records import ParsedCaption
from core.systems.composition.foils.counts import count_replacements, count_swaps
from core.systems.composition.foils.drafts import Draft, Kind
from core.systems.composition.foils.replacements import attribute_replacements, relation_replacements
from core.systems.composition.foils.swaps import attribute_moves, attribute_swaps, object_swaps

MAX_CAPTION_LENGTH = 300
"""Characters of a caption."""
MAX_FOILS = 24
"""Foils of a caption."""
SAME_TEXT = "it reads the same as the caption"
SAME_MEANING = 'it means the same as the caption: "and" and "next to" join in any order'
TWICE = "another foil reads the same"
BEYOND = f"beyond the {MAX_FOILS} most telling"


@dataclass(frozen=True, slots=True)
class Foil:
    """A caption that differs from the true one in one point."""

    text: str
    kind: Kind
    why: str
    """What was done, such as 'red and blue change places'."""


@dataclass(frozen=True, slots=True)
class Foils:
    """The foils of a caption, most telling first."""

    caption: str
    """Without blanks at its ends, and single blanks inside."""
    foils: tuple[Foil, ...]
    left_out: tuple[tuple[str, str], ...]
    """(text, reason) of every change that was made and is not offered."""
    note: str
    """What a caption without foils would need; "" where there are some."""


def make_foils(caption: str) -> Foils:
    """Foils of a caption: swaps first, then replacements, in the same order each time.

    Raises:
        InvalidInput: the caption has no word, or more than 300 characters.

    Example:
        >>> [foil.text for foil in make_foils("a red cube and a blue ball").foils][:2]
        ['a blue cube and a red ball', 'a blue cube and a blue ball']
    """
    text = " ".join(caption.split())
    if not any(character.isalpha() for character in text):
        raise InvalidInput(
            f'A caption needs at least one word: got {caption[:40]!r}. Write what the image shows, such as "a '
            'red cube and a blue ball".'
        )
    if len(text) > MAX_CAPTION_LENGTH:
        raise InvalidInput(
            f"A caption may have at most {MAX_CAPTION_LENGTH} characters: got {len(text):,}. Shorten it."
        )
    reading = read_caption(text)
    foils = list[Foil]()
    left_out = list[tuple[str, str]]()
    seen = {_plain(text): SAME_TEXT}
    keys = {same_meaning_key(text): SAME_MEANING}
    for draft in sorted(_drafts(reading), key=lambda draft: (draft.rank, draft.place)):
        foil_text = apply_edits(text, draft.edits)
        key = same_meaning_key(foil_text)
        reason = seen.get(_plain(foil_text)) or keys.get(key) or (BEYOND if len(foils) == MAX_FOILS else "")
        if reason:
            left_out.append((foil_text, reason))
            continue
        seen[_plain(foil_text)], keys[key] = TWICE, TWICE
        foils.append(Foil(foil_text, draft.kind, draft.why))
    return Foils(text, tuple(foils), tuple(left_out), "" if foils else _needed(left_out))


def _drafts(reading: ParsedCaption) -> Iterator[Draft]:
    yield from islice(attribute_swaps(reading), 10)
    yield from islice(count_swaps(reading), 3)
    yield from islice(object_swaps(reading), 4)
    yield from islice(attribute_moves(reading), 2)
    yield from relation_replacements(reading)
    yield from attribute_replacements(reading)
    yield from count_replacements(reading)


def _plain(text: str) -> str:
    return " ".join(text.casefold().rstrip(".!? ").split())


def _needed(left_out: list[tuple[str, str]]) -> str:
    if left_out:
        return (
            f"No foil made: each of the {len(left_out)} changes tried keeps the meaning. Give the two objects "
            "different attributes."
        )
    return (
        "No foil made: the caption needs two objects that can swap, an attribute (color, size, material, age, "
        '...), a number, or a position such as "on" or "left of".'
    )
