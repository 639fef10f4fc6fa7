"""ARO's relations and attributes: a part of a picture, a true caption, and the same with its two things or attributes
swapped."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import numpy as np

from core.composition.readers.builder import Builder
from core.composition.readers.fields import Record, as_list, as_object, as_text, box_of, load_json, text_of, texts_of
from core.composition.readers.recognise import one_file_of
from core.errors import InvalidInput
from core.records import Benchmark

MIN_PAIR_ITEMS = 25
"""Items that an attribute pair needs to count in the headline, as in ARO's code."""
_LEFT_OUT = """
adjusting; attached to; between; bigger than; biting; boarding; brushing; chewing; cleaning; climbing; close to;
coming from; coming out of; contain; crossing; dragging; draped over; drinking; drinking from; driving; driving down;
driving on; eating from; eating in; enclosing; exiting; facing; filled with; floating in; floating on; flying;
flying above; flying in; flying over; flying through; full of; going down; going into; going through; grazing in;
growing in; growing on; guiding; hanging from; hanging in; hanging off; hanging over; higher than; holding onto;
hugging; in between; jumping off; jumping on; jumping over; kept in; larger than; leading; leaning over; leaving;
licking; longer than; looking in; looking into; looking out; looking over; looking through; lying next to;
lying on top of; making; mixed with; mounted on; moving; on the back of; on the edge of; on the front of;
on the other side of; opening; painted on; parked at; parked beside; parked by; parked in; parked in front of;
parked near; parked next to; perched on; petting; piled on; playing; playing in; playing on; playing with; pouring;
reaching for; reading; reflected on; riding on; running in; running on; running through; seen through;
sitting behind; sitting beside; sitting by; sitting in front of; sitting near; sitting next to; sitting under;
skiing down; skiing on; sleeping in; sleeping on; smiling at; sniffing; splashing; sprinkled on; stacked on;
standing against; standing around; standing behind; standing beside; standing in front of; standing near;
standing next to; staring at; stuck in; surrounding; swimming in; swinging; talking to; topped with; touching;
traveling down; traveling on; tying; typing on; underneath; wading in; waiting for; walking across; walking by;
walking down; walking next to; walking through; working in; working on; worn on; wrapped around; wrapped in; by; of;
near; next to; with; beside; on the side of; around
"""
SYMMETRIC = frozenset(" ".join(relation.split()) for relation in _LEFT_OUT.split(";"))
"""Relations that ARO's notebook takes out before its mean. Not all of them are symmetric in meaning; that is the
notebook's name."""
_BOX = ("bbox_x", "bbox_y", "bbox_w", "bbox_h")
_SOURCE = "Yuksekgonul et al. 2023 (ARO), arXiv 2210.01936"
_PICTURES = (
    "Its pictures are those of ARO's own archive (a part of GQA, from Visual Genome), in files such as 2390970.jpg."
)


def read_relation(path: Path) -> Benchmark:
    """The items of `visual_genome_relation.json`, cropped to their boxes.

    The headline is the mean over relations with equal weights. Items of the relations in `SYMMETRIC` stay, under the
    tag "relation left out", and are not in it.

    Raises:
        InvalidInput: the file is no list of such records.

    Source: Yuksekgonul et al. 2023 (ARO).
    """
    file, notes = one_file_of(path, "aro-relation")
    book = Builder(
        "aro-relation",
        "ARO, relations",
        "choice",
        "pairwise",
        _SOURCE,
        _PICTURES,
        average="relation",
        notes=list(notes),
    )
    rows = [
        as_object(row, f"{file.name}, record {i}", "a box, captions and relation_name")
        for i, row in enumerate(as_list(load_json(file), file.name, "records"))
    ]
    relations = [text_of(row, "relation_name", f"{file.name}, record {i}").strip() for i, row in enumerate(rows)]
    all_left = SYMMETRIC.issuperset(relations)  # then there is nothing else to average
    for i, (row, relation) in enumerate(zip(rows, relations, strict=True)):
        tag = "relation left out" if relation in SYMMETRIC and not all_left else "relation"
        _add(book, i, f"{file.name}, record {i}", row, {tag: relation})
    left = sum(relation in SYMMETRIC for relation in relations)
    if left and not all_left:
        book.note(
            f"{left:,} of {len(rows):,} items have one of the {len(SYMMETRIC & set(relations)):,} relations that ARO "
            "leaves out of its mean: they are scored, and not in the headline."
        )
    return book.build()


def read_attribution(path: Path) -> Benchmark:
    """The items of `visual_genome_attribution.json`, cropped to their boxes.

    The headline is the mean over pairs of attributes with at least 25 items, with equal weights; the others are tagged
    "attributes left out".

    Raises:
        InvalidInput: the file is no list of such records.

    Source: Yuksekgonul et al. 2023 (ARO).
    """
    file, notes = one_file_of(path, "aro-attribution")
    book = Builder(
        "aro-attribution",
        "ARO, attributes",
        "choice",
        "pairwise",
        _SOURCE,
        _PICTURES,
        average="attributes",
        notes=list(notes),
    )
    rows = [
        as_object(row, f"{file.name}, record {i}", "a box, captions and attributes")
        for i, row in enumerate(as_list(load_json(file), file.name, "records"))
    ]
    pairs = [_pair(row, f"{file.name}, record {i}") for i, row in enumerate(rows)]
    sizes = Counter(pairs)
    rare = {pair for pair, n in sizes.items() if n < MIN_PAIR_ITEMS}
    if len(rare) == len(sizes):
        book.average = ""
        book.note(
            f"No pair of attributes has {MIN_PAIR_ITEMS} items, so the headline weighs items equally; "
            "ARO's is a mean over such pairs."
        )
    for i, (row, pair) in enumerate(zip(rows, pairs, strict=True)):
        tags = (
            {"attributes left out": f"pairs with fewer than {MIN_PAIR_ITEMS} items"}
            if pair in rare
            else {"attributes": pair}
        )
        _add(book, i, f"{file.name}, record {i}", row, tags)
    if rare and book.average:
        left = sum(sizes[pair] for pair in rare)
        book.note(
            f"{left:,} of {len(rows):,} items belong to the {len(rare):,} pairs of attributes with fewer than "
            f"{MIN_PAIR_ITEMS} items, which ARO leaves out of its mean: they are scored, and not in the headline."
        )
    return book.build()


def _pair(row: Record, where: str) -> str:
    attributes = texts_of(row, "attributes", where)
    if len(attributes) != 2:
        raise InvalidInput(
            f"{where}: 'attributes' must name two: it names {len(attributes)}. Bring the file as it was published."
        )
    return " / ".join(" ".join(attribute.split()) for attribute in attributes)


def _add(book: Builder, i: int, where: str, row: Record, tags: dict[str, str]) -> None:
    picture = book.picture(text_of(row, "image_path", where), where, box_of(row, _BOX, where))
    book.add(
        str(i),
        where,
        (picture,),
        (text_of(row, "true_caption", where), text_of(row, "false_caption", where)),
        tags=tags,
    )


_STRIPPED = re.compile(r'[.!"()*#:;~]')  # what BLIP's and ARO's code takes out of a caption; commas and hyphens stay
_TRIES = 10


def read_order(path: Path, *, seed: int = 0, max_words: int = 30) -> Benchmark:
    """One item for each caption: the caption, then its foils.

    A record {image, caption_options: [caption, foil, ...]} is used as it is. A record {image, caption: [...]}
    (Karpathy's split of COCO or Flickr30k) gets two foils, drawn from `seed`: its groups of three words in another
    order, and the words within each group in another order. ARO's other two foils shuffle nouns and adjectives, or all
    but these; they need a tagger and are not made, so that chance is a third, not a
    fifth, and the figure is no published one: a note says so. Captions are lower-cased, without punctuation, and at
        most `max_words` long.

    Args:
        seed: of the shuffles, 0 or more.
        max_words: at least 2.

    Raises:
        InvalidInput: the file is no list of such records, or an option is out of range.

    Source: Yuksekgonul et al. 2023 (ARO). Departures: we shuffle the words of the tidied caption, so that caption and
    foil hold the very same
        words (ARO's tokeniser sets punctuation apart in foils alone, which gives them away); a foil that comes out as
        the caption is drawn anew.
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
            f"The foils of {made:,} captions were made here (seed {seed}): groups of three words shuffled, and words "
            "shuffled within them. ARO's other two, which shuffle nouns and adjectives or all but these, need a "
            "tagger and are missing: chance is higher, and published figures are no match. Bring records with "
            "caption_options for all four."
        )
    if short:
        book.note(f"{short:,} captions are too short for both foils and have one.")
    return book.build()


def tidy_words(caption: str, max_words: int) -> list[str]:
    """The caption's words, in lower case and without . ! " ( ) * # : ; ~"""
    return _STRIPPED.sub(" ", caption.lower()).split()[:max_words]


def shuffled(words: list[str], rng: np.random.Generator) -> tuple[str, ...]:
    """The caption with its groups of three words in another order, and with the words within each group in another
    order; none twice, and never the caption itself."""
    groups = [words[at : at + 3] for at in range(0, len(words), 3)]
    found: dict[str, None] = {}
    for within in (False, True):
        for _ in range(_TRIES):
            mixed = (
                [_permuted(group, rng) for group in groups]
                if within
                else [groups[at] for at in rng.permutation(len(groups))]
            )
            foil = " ".join(word for group in mixed for word in group)
            if foil != " ".join(words) and foil not in found:
                found[foil] = None
                break
    return tuple(found)


def _permuted(words: list[str], rng: np.random.Generator) -> list[str]:
    return [words[at] for at in rng.permutation(len(words))]
