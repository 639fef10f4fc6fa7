"""Which parts of an image speak for which word of a caption.

Two ways. Occlusion works with every encoder: a cell of the image is greyed out, and what the caption loses is read
word by word. The patch map reads each patch by itself in the joint space, where a tower offers that. Both say what the
encoder makes of the image, not what is in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from PIL import Image

from core.encoders import Encoder
from core.encoders.arithmetic import products
from core.errors import InvalidInput
from core.language import grammar as nouns
from core.records import F32
from core.systems.composition.captions.lexicon import read_lexicon
from core.systems.composition.captions.parse import phrase_at, read_caption
from core.systems.composition.captions.records import NounPhrase, ParsedCaption

GRID = 7
"""Cells a side: 50 encodings an image."""
_MAX_WORDS = 16
_BATCH = 32
_NEUTRAL = "a photo of something."

Method = Literal["occlusion", "patches"]


@dataclass(frozen=True, slots=True)
class CaptionWord:
    """A word of the caption, or a noun of several ("fire hydrant"). Places are characters, `stop` exclusive."""

    text: str
    start: int
    stop: int
    without: str
    """The caption with the word left out."""
    prompt: str
    """The word in a sentence of its own."""


@dataclass(frozen=True, slots=True, eq=False)
class PatchWords:
    """Maps of R x C cells over the image as the encoder crops it, one for each of w words."""

    caption: str
    words: tuple[CaptionWord, ...]
    maps: F32
    """(w, R, C) above 0 where the cell speaks for the word, below 0 where it speaks against it. Differences of cosines:
    one scale for all words."""
    scores: F32
    """(w,) how far the whole image speaks for the word, in the same unit."""
    method: Method
    note: str
    """How it was made and how to read it."""
    whole: F32 | None = None
    """(R, C) the same for the whole caption (occlusion only)."""


def offers_patches(tower: Any) -> bool:
    """Whether `read_patches` works with this token tower: it can bring single patches into the joint space."""
    return bool(getattr(tower, "has_patch_vectors", False))


def content_words(caption: str) -> tuple[CaptionWord, ...]:
    """The attributes, nouns and verbs of a caption, in order; nouns that belong together are one.

    >>> [word.text for word in content_words("A small red cube is next to a fire hydrant.")]
    ['small', 'red', 'cube', 'fire hydrant']
    >>> [word.without for word in content_words("a dog chasing a cat")]
    ['chasing a cat', 'a dog a cat', 'a dog chasing']
    """
    reading = read_caption(caption)
    inside = {at: thing for thing in reading.things for at in range(thing.start, thing.stop)}
    words: list[CaptionWord] = []
    for first, last in _runs(reading, inside):
        tokens = reading.tokens[first : last + 1]
        text = " ".join(token.text for token in tokens)
        without = _without(reading, inside.get(first), first, last)
        prompt = _prompt(reading, inside, first)
        words.append(CaptionWord(text, tokens[0].start, tokens[-1].end, without, prompt))
    return tuple(words)


def _runs(reading: ParsedCaption, inside: dict[int, NounPhrase]) -> Iterator[tuple[int, int]]:
    """(first token, last token) of each word that carries meaning."""
    lexicon = read_lexicon()
    folded = [token.word for token in reading.tokens]
    at = 0
    while at < len(folded):
        noun = inside.get(at)
        if noun is not None and noun.heads and at == noun.heads[0] and noun.heads[-1] - at == len(noun.heads) - 1:
            yield at, noun.heads[-1]
            at = noun.heads[-1] + 1
            continue
        size = phrase_at(folded, at, lexicon.phrases["prepositions"], lexicon.longest["prepositions"])
        small = folded[at] in lexicon.words["stops"] or folded[at] in lexicon.words["determiners"]
        if not size and not small and nouns.stems(folded[at]):
            yield at, at
        at += max(size, 1)


def _without(reading: ParsedCaption, noun: NounPhrase | None, first: int, last: int) -> str:
    """The caption without these tokens, and without the article before them where nothing is left for it to stand
    by."""
    bare = (
        noun is not None
        and first > noun.start
        and last + 1 == noun.stop
        and first - noun.start == int(bool(noun.determiner))
    )
    start = reading.tokens[noun.start if bare and noun is not None else first].start
    rest = f"{reading.text[:start]} {reading.text[reading.tokens[last].end :]}"
    # a final stop stays: it counts in texts
    cleaned = nouns.right_articles(re.sub(r"\s+(?=[.,;!?])", "", " ".join(rest.split())).lstrip(" ,.;"))
    if re.search(r"\w", cleaned):
        return cleaned
    return "something"


def _prompt(reading: ParsedCaption, inside: dict[int, NounPhrase], first: int) -> str:
    """Such as "a photo of a dog.", "a photo of something red." and "a photo of two things."."""
    noun = inside.get(first)
    word = reading.tokens[first].word
    if noun is not None and noun.heads and first == noun.heads[0]:
        name = " ".join(reading.tokens[at].word for at in noun.heads)
        return nouns.right_articles(f"a photo of {'a ' if nouns.takes_article(name) else ''}{name}.")
    if noun is not None and first == noun.count_at:
        return f"a photo of {word} things."
    described = noun is not None and any(attribute.start <= first < attribute.stop for attribute in noun.attributes)
    return f"a photo of {'something ' if described else ''}{word}."


def _words_of(caption: str) -> tuple[CaptionWord, ...]:
    words = content_words(caption)
    if not words:
        raise InvalidInput(f"The caption {caption!r} has no noun, attribute or verb. Use one that names something.")
    return words


def read_occlusion(image: Image.Image, caption: str, encoder: Encoder, *, grid: int = GRID) -> PatchWords:
    """What each word of the caption loses when a cell of the image is greyed out.

    A word's score is the cosine of the image with the caption minus its cosine with the caption without the word; a
    cell's value is the score of the whole image minus that of the image with the cell in plain mid-grey. Occlusion
    as in Zeiler and Fergus 2014 (arXiv 1311.2901, section 4.2), on cells side by side; taking the word out of the
    caption is ours. An object larger than a cell may hide its weight: each of its cells alone is hardly missed.

    Args:
        image: upright RGB.
        grid: cells a side, 2 to 16: grid x grid + 1 images are encoded.

    Raises:
        InvalidInput: the caption has no content word, or the grid is out of range.
    """
    if not 2 <= grid <= _MAX_WORDS:
        raise InvalidInput(f"grid must be 2 to {_MAX_WORDS} cells a side: got {grid}. {GRID} is a good choice.")
    words = _words_of(caption)
    texts = encoder.encode_texts([caption, *(word.without for word in words)])
    directions = np.concatenate([texts[:1], texts[:1] - texts[1:]])  # (1 + w, d)
    parts = [encoder.encode_items(batch)[1] for batch in _occluded(image.convert("RGB"), encoder, grid)]
    read = products(np.concatenate(parts), directions)  # (1 + cells, 1 + w)
    lost = (read[0] - read[1:]).T.reshape(1 + len(words), grid, grid).astype(np.float32)
    note = (
        f"Occlusion: each of {grid} x {grid} cells was covered with gray in turn. A cell is stronger if more of "
        "the word's share in the caption's score goes with it. Gray also changes an image, so weak cells mean "
        "little. A word for something absent has a map too."
    )
    return PatchWords(caption, words, lost[1:], read[0, 1:].astype(np.float32), "occlusion", note, lost[0])


def _occluded(image: Image.Image, encoder: Encoder, grid: int) -> Iterator[F32]:
    """The image, then the image without each cell, row by row, in batches."""
    pixels = encoder.preprocess(image)
    grey = encoder.preprocess(Image.new("RGB", image.size, (128, 128, 128)))
    rows = cell_edges(pixels.shape[1], grid)
    columns = cell_edges(pixels.shape[2], grid)
    waiting = [pixels]
    for cell in range(grid * grid):
        r, c = divmod(cell, grid)
        hidden = pixels.copy()
        window = np.s_[:, rows[r] : rows[r + 1], columns[c] : columns[c + 1]]
        hidden[window] = grey[window]
        waiting.append(hidden)
        if len(waiting) == _BATCH:
            yield np.stack(waiting)
            waiting = []
    if waiting:
        yield np.stack(waiting)


def cell_edges(size: int, cells: int) -> list[int]:
    """Where `cells` equal parts of `size` pixels begin, and the end of the last."""
    return [k * size // cells for k in range(cells + 1)]


def read_patches(image: Image.Image, caption: str, encoder: Encoder, tower: Any) -> PatchWords:
    """How well each patch by itself matches each word of the caption.

    The patches are brought into the joint space as MaskCLIP does (Zhou et al. 2022, arXiv 2112.01071): see
    `patch_vectors`. A word is a prompt of its own, "a photo of a dog."; a patch's value is its cosine with that prompt
    minus its cosine with "a photo of something.", so that how close a patch is to texts at large does not count (ours:
    MaskCLIP takes a softmax over classes).

    Args:
        image: upright RGB.
        tower: of this encoder; see `offers_patches`.

    Raises:
        InvalidInput: the caption has no content word, or the tower gives no vectors of patches.
    """
    words = _words_of(caption)
    texts = encoder.encode_texts([_NEUTRAL, *(word.prompt for word in words)])
    directions = texts[1:] - texts[:1]  # (w, d)
    pixels = encoder.preprocess(image.convert("RGB"))[None]
    patches = tower.patch_vectors(pixels)[0]
    whole = encoder.encode_items(pixels)[1]
    maps = products(patches, directions).T.reshape(len(words), *tower.grid)
    note = (
        "Patch map: each patch by itself in the joint space (the value path of the last attention, as in "
        "MaskCLIP), against each word alone. It shows where an object is, not whether the model ties it to its "
        "attribute."
    )
    return PatchWords(
        caption, words, maps.astype(np.float32), products(whole, directions)[0].astype(np.float32), "patches", note
    )


def strongest(maps: PatchWords) -> float:
    """The largest value of any map of a word, without sign: one scale by which all can be drawn."""
    return float(np.abs(maps.maps).max())
