"""ARO's relations and attributes: a part of a picture, a true caption, and the same with its two things or attributes swapped."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from core.composition.readers.builder import Builder
from core.composition.readers.fields import Record, as_list, as_object, box_of, load_json, text_of, texts_of
from core.composition.readers.recognise import one_file_of
from core.errors import InvalidInput
from core.records import Benchmark

FEWEST = 25
"""Items that an attribute pair needs to count in the headline, as in ARO's code."""
_LEFT_OUT = """
adjusting; attached to; between; bigger than; biting; boarding; brushing; chewing; cleaning; climbing; close to; coming from; coming out of;
contain; crossing; dragging; draped over; drinking; drinking from; driving; driving down; driving on; eating from; eating in; enclosing;
exiting; facing; filled with; floating in; floating on; flying; flying above; flying in; flying over; flying through; full of; going down;
going into; going through; grazing in; growing in; growing on; guiding; hanging from; hanging in; hanging off; hanging over; higher than;
holding onto; hugging; in between; jumping off; jumping on; jumping over; kept in; larger than; leading; leaning over; leaving; licking;
longer than; looking in; looking into; looking out; looking over; looking through; lying next to; lying on top of; making; mixed with;
mounted on; moving; on the back of; on the edge of; on the front of; on the other side of; opening; painted on; parked at; parked beside;
parked by; parked in; parked in front of; parked near; parked next to; perched on; petting; piled on; playing; playing in; playing on;
playing with; pouring; reaching for; reading; reflected on; riding on; running in; running on; running through; seen through;
sitting behind; sitting beside; sitting by; sitting in front of; sitting near; sitting next to; sitting under; skiing down; skiing on;
sleeping in; sleeping on; smiling at; sniffing; splashing; sprinkled on; stacked on; standing against; standing around; standing behind;
standing beside; standing in front of; standing near; standing next to; staring at; stuck in; surrounding; swimming in; swinging;
talking to; topped with; touching; traveling down; traveling on; tying; typing on; underneath; wading in; waiting for; walking across;
walking by; walking down; walking next to; walking through; working in; working on; worn on; wrapped around; wrapped in; by; of; near;
next to; with; beside; on the side of; around
"""
SYMMETRIC = frozenset(" ".join(relation.split()) for relation in _LEFT_OUT.split(";"))
"""Relations that ARO's notebook takes out before its mean. Not all of them are symmetric in meaning; that is the notebook's name."""
_BOX = ("bbox_x", "bbox_y", "bbox_w", "bbox_h")
_SOURCE = "Yuksekgonul et al. 2023 (ARO), arXiv 2210.01936"
_PICTURES = "Its pictures are those of ARO's own archive (a part of GQA, from Visual Genome), in files such as 2390970.jpg."


def read_relation(path: Path) -> Benchmark:
    """The items of `visual_genome_relation.json`, cropped to their boxes.

    The headline is the mean over relations with equal weights. Items of the relations in `SYMMETRIC` stay, under the tag "relation left out",
    and are not in it.

    Raises:
        InvalidInput: the file is no list of such records.

    Source: Yuksekgonul et al. 2023 (ARO).
    """
    file, notes = one_file_of(path, "aro-relation")
    book = Builder("aro-relation", "ARO, relations", "choice", "pairwise", _SOURCE, _PICTURES, average="relation", notes=list(notes))
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
            f"{left:,} of {len(rows):,} items have one of the {len(SYMMETRIC & set(relations)):,} relations that ARO leaves out of its mean: they "
            "are scored, and not in the headline."
        )
    return book.build()


def read_attribution(path: Path) -> Benchmark:
    """The items of `visual_genome_attribution.json`, cropped to their boxes.

    The headline is the mean over pairs of attributes with at least 25 items, with equal weights; the others are tagged "attributes left out".

    Raises:
        InvalidInput: the file is no list of such records.

    Source: Yuksekgonul et al. 2023 (ARO).
    """
    file, notes = one_file_of(path, "aro-attribution")
    book = Builder("aro-attribution", "ARO, attributes", "choice", "pairwise", _SOURCE, _PICTURES, average="attributes", notes=list(notes))
    rows = [
        as_object(row, f"{file.name}, record {i}", "a box, captions and attributes")
        for i, row in enumerate(as_list(load_json(file), file.name, "records"))
    ]
    pairs = [_pair(row, f"{file.name}, record {i}") for i, row in enumerate(rows)]
    sizes = Counter(pairs)
    rare = {pair for pair, n in sizes.items() if n < FEWEST}
    if len(rare) == len(sizes):
        book.average = ""
        book.note(f"No pair of attributes has {FEWEST} items, so the headline weighs items equally; ARO's is a mean over such pairs.")
    for i, (row, pair) in enumerate(zip(rows, pairs, strict=True)):
        tags = {"attributes left out": f"pairs with fewer than {FEWEST} items"} if pair in rare else {"attributes": pair}
        _add(book, i, f"{file.name}, record {i}", row, tags)
    if rare and book.average:
        left = sum(sizes[pair] for pair in rare)
        book.note(
            f"{left:,} of {len(rows):,} items belong to the {len(rare):,} pairs of attributes with fewer than {FEWEST} items, which ARO leaves out "
            "of its mean: they are scored, and not in the headline."
        )
    return book.build()


def _pair(row: Record, where: str) -> str:
    attributes = texts_of(row, "attributes", where)
    if len(attributes) != 2:
        raise InvalidInput(f"{where}: 'attributes' must name two: it names {len(attributes)}. Bring the file as it was published.")
    return " / ".join(" ".join(attribute.split()) for attribute in attributes)


def _add(book: Builder, i: int, where: str, row: Record, tags: dict[str, str]) -> None:
    picture = book.picture(text_of(row, "image_path", where), where, box_of(row, _BOX, where))
    book.add(str(i), where, (picture,), (text_of(row, "true_caption", where), text_of(row, "false_caption", where)), tags=tags)
