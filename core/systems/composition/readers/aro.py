"""ARO's relations and attributes: a part of an image, a true caption, and the same with its two things or attributes
swapped."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from core.documents import read_json
from core.errors import InvalidInput
from core.files import ASSETS
from core.systems.composition.readers.builder import Builder
from core.systems.composition.readers.fields import Record, as_list, as_text, load_records, text_of, texts_of
from core.systems.composition.readers.published import Format, Row, listed
from core.systems.composition.readers.recognise import one_file_of
from core.systems.composition.records import Benchmark

MIN_PAIR_ITEMS = 25
"""Items that an attribute pair needs to count in the headline, as in ARO's code."""
SYMMETRIC = frozenset[str](read_json(ASSETS / "composition" / "aro_left_out.json"))
"""Relations that ARO's notebook takes out before its mean. Not all of them are symmetric in meaning; that is the
notebook's name."""
_SOURCE = "Yuksekgonul et al. 2023 (ARO), arXiv 2210.01936"


def _mark_relations(book: Builder, rows: list[Row]) -> None:
    """Tag items of the relations in `SYMMETRIC` as left out: they are scored, and not in the headline."""
    relations = [text_of(row.record, "relation_name", row.where).strip() for row in rows]
    # where all would be left out, there is nothing else to average
    left_out = frozenset[str]() if SYMMETRIC.issuperset(relations) else SYMMETRIC
    for row, relation in zip(rows, relations, strict=True):
        row.tags = {"relation left out" if relation in left_out else "relation": relation}
    if left := sum(relation in left_out for relation in relations):
        book.note(
            f"{left:,} of {len(rows):,} items have one of {len(SYMMETRIC & set(relations)):,} relations that "
            "ARO leaves out of its mean. They are scored, but do not count in the headline."
        )


RELATION = Format(
    name="aro-relation",
    title="ARO, relations",
    source=_SOURCE,
    average="relation",
    one_file=True,
    images=("image_path",),
    captions=("true_caption", "false_caption"),
    box=("bbox_x", "bbox_y", "bbox_w", "bbox_h"),
    rows=listed,
    prepare=_mark_relations,
)
"""`visual_genome_relation.json`, cropped to its boxes. The headline is the mean over relations with equal weights."""


def _mark_attributes(book: Builder, rows: list[Row]) -> None:
    """Tag items of pairs of attributes with fewer than 25 items as left out of the headline."""
    pairs: list[str] = []
    for row in rows:
        attributes = texts_of(row.record, "attributes", row.where)
        if len(attributes) != 2:
            raise InvalidInput(
                f"{row.where}: 'attributes' must name two: it names {len(attributes)}. Use the published file."
            )
        pairs.append(" / ".join(" ".join(attribute.split()) for attribute in attributes))
    sizes = Counter(pairs)
    rare = {pair for pair, n in sizes.items() if n < MIN_PAIR_ITEMS}
    for row, pair in zip(rows, pairs, strict=True):
        row.tags = {"attributes": pair}
        if pair in rare:
            row.tags = {"attributes left out": f"pairs with fewer than {MIN_PAIR_ITEMS} items"}
    if len(rare) == len(sizes):
        book.average = ""
        book.note(
            f"No pair of attributes has {MIN_PAIR_ITEMS} items, so the headline weighs items equally. ARO's is "
            "a mean over pairs."
        )
    elif rare:
        left = sum(sizes[pair] for pair in rare)
        book.note(
            f"{left:,} of {len(rows):,} items belong to {len(rare):,} pairs of attributes with fewer than "
            f"{MIN_PAIR_ITEMS} items, which ARO leaves out of its mean. They are scored, but do not count in "
            "the headline."
        )


ATTRIBUTION = replace(
    RELATION, name="aro-attribution", title="ARO, attributes", average="attributes", prepare=_mark_attributes
)
"""`visual_genome_attribution.json`, cropped to its boxes. The headline is the mean over pairs of attributes with at
least 25 items, with equal weights."""


_STRIPPED = re.compile(r'[.!"()*#:;~]')  # what BLIP's and ARO's code takes out of a caption; commas and hyphens stay
_TRIES = 10


def read_order(path: Path, *, seed: int = 0, max_words: int = 30) -> Benchmark:
    """One item for each caption: the caption, then its foils.

    A record {image, caption_options: [caption, foil, ...]} is used as it is. A record {image, caption: [...]}
    (Karpathy's split of COCO or Flickr30k) gets two foils, drawn from `seed`: its groups of three words in another
    order, and the words within each group in another order. ARO's other two foils shuffle nouns and adjectives, or all
    but these; they need a tagger and are not made, so that chance is a third, not a fifth, and the figure is no
    published one: a note says so. Captions are lower-cased, without punctuation, and at most `max_words` long.

    Args:
        seed: of the shuffles, 0 or more.
        max_words: at least 2.

    Raises:
        InvalidInput: the file is not a list of these records, or an option is out of range.

    Source: Yuksekgonul et al. 2023 (ARO). Departures: we shuffle the words of the tidied caption, so that caption and
    foil hold the very same words (ARO's tokeniser sets punctuation apart in foils alone, which gives them away); a foil
    that equals the caption is drawn again.
    """
    if isinstance(seed, bool) or seed < 0 or max_words < 2:
        raise InvalidInput(f"seed must be 0 or more and max_words at least 2: got {seed} and {max_words}. Fix them.")
    file, notes = one_file_of(path, "aro-order")
    title = f"ARO, word order ({file.stem})"
    book = Builder("aro-order", title, "choice", "r@1", _SOURCE, notes=list(notes))
    rng = np.random.default_rng(seed)
    n_made = 0
    short = 0
    for i, (where, record) in enumerate(load_records(file, "image and caption (or caption_options)")):
        picture = text_of(record, "image", where)
        if "caption_options" in record:
            book.add_choice(str(i), where, picture, texts_of(record, "caption_options", where))
            continue
        for k, caption in enumerate(_captions(record, where)):
            words = tidy_words(as_text(caption, f"{where}: 'caption', entry {k}"), max_words)
            foils = shuffled(words, rng)
            n_made = n_made + 1
            short = short + (len(foils) == 1)
            book.add_choice(f"{i}/{k}", where, picture, (" ".join(words), *foils))
    if n_made:
        book.note(
            f"Errata made the foils of {n_made:,} captions (seed {seed}): shuffled groups of three words, and "
            "shuffled words within them. ARO's other two kinds shuffle nouns and adjectives, or all other "
            "words, and need a tagger. Chance is therefore higher, and published figures do not compare. Use "
            "records with caption_options for all four."
        )
    if short:
        book.note(f"{short:,} captions are too short for both foils and have one.")
    return book.build()


def _captions(record: Record, where: str) -> list[Any]:
    captions = record.get("caption")
    if isinstance(captions, str):
        return [captions]
    return as_list(captions, f"{where}: 'caption'", "texts")


def tidy_words(caption: str, max_words: int) -> list[str]:
    """The caption's words, in lower case and without . ! " ( ) * # : ; ~"""
    return _STRIPPED.sub(" ", caption.lower()).split()[:max_words]


def shuffled(words: list[str], rng: np.random.Generator) -> tuple[str, ...]:
    """The caption with its groups of three words in another order, and with the words within each group in another
    order; none twice, and never the caption itself."""
    groups = [words[at : at + 3] for at in range(0, len(words), 3)]
    foils: dict[str, None] = {}
    for within in (False, True):
        for _ in range(_TRIES):
            mixed = [_permuted(group, rng) for group in groups] if within else _permuted(groups, rng)
            foil = " ".join(word for group in mixed for word in group)
            if foil != " ".join(words) and foil not in foils:
                foils[foil] = None
                break
    return tuple(foils)


_T = TypeVar("_T")


def _permuted(parts: list[_T], rng: np.random.Generator) -> list[_T]:
    return [parts[at] for at in rng.permutation(len(parts))]
