"""ARO's word order: a caption against the same words in other orders."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from core.composition.readers.builder import Builder
from core.composition.readers.fields import as_list, as_object, as_text, load_json, text_of, texts_of
from core.composition.readers.recognise import one_file_of
from core.errors import InvalidInput
from core.records import Benchmark

_STRIPPED = re.compile(r'[.!"()*#:;~]')  # what BLIP's and ARO's code takes out of a caption; commas and hyphens stay
_TRIES = 10


def read_order(path: Path, *, seed: int = 0, max_words: int = 30) -> Benchmark:
    """One item for each caption: the caption, then its foils.

    A record {image, caption_options: [caption, foil, ...]} is used as it is. A record {image, caption: [...]} (Karpathy's split of COCO or
    Flickr30k) gets two foils, drawn from `seed`: its groups of three words in another order, and the words within each group in another order.
    ARO's other two foils shuffle nouns and adjectives, or all but these; they need a tagger and are not made, so that chance is a third, not a
    fifth, and the figure is no published one: a note says so. Captions are lower-cased, without punctuation, and at most `max_words` long.

    Args:
        seed: of the shuffles, 0 or more.
        max_words: at least 2.

    Raises:
        InvalidInput: the file is no list of such records, or an option is out of range.

    Source: Yuksekgonul et al. 2023 (ARO). Departures: we shuffle the words of the tidied caption, so that caption and foil hold the very same
        words (ARO's tokeniser sets punctuation apart in foils alone, which gives them away); a foil that comes out as the caption is drawn anew.
    """
    if isinstance(seed, bool) or seed < 0 or max_words < 2:
        raise InvalidInput(f"seed must be 0 or more and max_words at least 2: got {seed} and {max_words}.")
    file, notes = one_file_of(path, "aro-order")
    book = Builder(
        "aro-order",
        f"ARO, word order ({file.stem})",
        "choice",
        "r@1",
        "Yuksekgonul et al. 2023 (ARO), arXiv 2210.01936",
        "Its pictures are those of COCO 2014 or Flickr30k, after the file's name.",
        notes=list(notes),
    )
    rng, made, short = np.random.default_rng(seed), 0, 0
    for i, row in enumerate(as_list(load_json(file), file.name, "records")):
        where = f"{file.name}, record {i}"
        record = as_object(row, where, "image and caption (or caption_options)")
        picture = book.picture(text_of(record, "image", where), where)
        if "caption_options" in record:
            book.add(str(i), where, (picture,), texts_of(record, "caption_options", where))
            continue
        captions = record.get("caption")
        listed = [captions] if isinstance(captions, str) else as_list(captions, f"{where}: 'caption'", "texts")
        for k, caption in enumerate(listed):
            words = tidy_words(as_text(caption, f"{where}: 'caption', entry {k}"), max_words)
            foils = shuffled(words, rng)
            made, short = made + 1, short + (len(foils) == 1)
            book.add(f"{i}/{k}", where, (picture,), (" ".join(words), *foils))
    if made:
        book.note(
            f"The foils of {made:,} captions were made here (seed {seed}): groups of three words shuffled, and words shuffled within them. ARO's "
            "other two, which shuffle nouns and adjectives or all but these, need a tagger and are missing: chance is higher, and published "
            "figures are no match. Bring records with caption_options for all four."
        )
    if short:
        book.note(f"{short:,} captions are too short for both foils and have one.")
    return book.build()


def tidy_words(caption: str, max_words: int) -> list[str]:
    """The caption's words, in lower case and without . ! " ( ) * # : ; ~"""
    return _STRIPPED.sub(" ", caption.lower()).split()[:max_words]


def shuffled(words: list[str], rng: np.random.Generator) -> tuple[str, ...]:
    """The caption with its groups of three words in another order, and with the words within each group in another order; none twice, and never
    the caption itself."""
    groups = [words[at : at + 3] for at in range(0, len(words), 3)]
    found: dict[str, None] = {}
    for within in (False, True):
        for _ in range(_TRIES):
            mixed = [_permuted(group, rng) for group in groups] if within else [groups[at] for at in rng.permutation(len(groups))]
            foil = " ".join(word for group in mixed for word in group)
            if foil != " ".join(words) and foil not in found:
                found[foil] = None
                break
    return tuple(found)


def _permuted(words: list[str], rng: np.random.Generator) -> list[str]:
    return [words[at] for at in rng.permutation(len(words))]
