#!/usr/bin/env python
"""Print what captions often say and the shipped phrases do not: candidates for assets/phrases/phrases.json.

    python -m research.weights.embedded.mine_phrases CAPTIONS.csv [--split train] [--least 30]

What follows a preposition ("in the snow", "on a bench") is a place or a thing; what ends in -ing is a doing, alone
("jumping") or with what it is done to ("riding a bike"). Each comes in the words that most captions use, with the
images of which at least two captions say it, and with the shipped phrase whose pattern picks out the most similar
images. A person chooses: who does it ("with a surfer") is said by what is done, and a class is no phrase.
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise, takewhile
from pathlib import Path

import numpy as np

from core.checks.competence import MIN_MENTIONS, mentions, read_shown
from core.data.caption_cells import captions_in
from core.data.tables.read import read_table
from core.language.grammar import right_articles, stems, words_in

BEFORE = frozenset("in on at near by through with over under across into down behind around against inside".split())
ARTICLES = frozenset("a an the some his her their its".split())
NO_NAME = frozenset(
    "and is are of to up out off that who which while as it for one two three four other another each very next front "
    "has have be there he she him them all both or not top side back middle edge large small man men woman women boy "
    "boys girl girls child children kid kids baby person people guy lady dog dogs puppy group couple player".split()
)
Key = tuple[str, ...]
"""One or two stems."""


def frames_in(caption: str) -> Iterator[tuple[Key, str]]:
    """What a caption says, by the stems of one or two words that carry meaning, and in which words.

    >>> sorted(frames_in("A girl riding her bike in the snow"))
    [(('bike',), 'riding a bike'), (('rid',), 'riding'), (('rid', 'bike'), 'riding a bike'), (('snow',), 'in the snow')]
    """
    words = words_in(caption)
    for at, word in enumerate(words):
        doing = word.endswith("ing") and len(word) > 4
        if doing:
            yield stems(word), word
        elif word not in BEFORE:
            continue
        article = next((w for w in words[at + 1 : at + 2] if w in ARTICLES), "")
        later = words[at + 1 + bool(article) : at + 4 + bool(article)]
        named = list(takewhile(lambda w: w not in NO_NAME | BEFORE | ARTICLES and not w.endswith("ing"), later))
        if 1 <= len(named) <= 2:
            given = {"the": "the", "": "", "some": ""}.get(article, "a")
            said = right_articles(" ".join(f"{word} {given} {' '.join(named)}".split()))
            yield stems(" ".join(named)), said
            if doing and len(named) == 1:
                yield stems(f"{word} {named[0]}"), said


def mined(pictures: Sequence[Sequence[str]]) -> dict[str, list[int]]:
    """The images of which at least two captions say a thing, by the words that most captions use for it."""
    spoken: defaultdict[Key, Counter[str]] = defaultdict(Counter)
    often: defaultdict[Key, list[int]] = defaultdict(list)
    for number, captions in enumerate(pictures):
        for key, said in (frame for caption in captions for frame in frames_in(caption)):
            spoken[key][said] += 1
        each = [stems(caption) for caption in captions]
        heard = Counter(key for own in each for key in {*((stem,) for stem in own), *pairwise(own)})
        for key in (key for key, times in heard.items() if times >= MIN_MENTIONS):
            often[key].append(number)
    keys = sorted(often.keys() & spoken.keys(), key=lambda key: (len(often[key]), key))
    return {spoken[key].most_common(1)[0][0]: often[key] for key in keys}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("captions", type=Path)
    parser.add_argument("--split")
    parser.add_argument("--least", type=int, default=30)
    given = parser.parse_args()
    frame = read_table(given.captions).frame
    rows = frame if given.split is None else frame[frame["split"] == given.split]
    said = rows[[name for name in rows.columns if str(name).startswith("caption")]]
    pictures = [[text for cell in row for text in captions_in(cell)] for row in said.itertuples(index=False)]
    folded = [[" ".join(words_in(caption)) for caption in own] for own in pictures]
    known = {text: p for text, p in read_shown().captions.items() if not p.startswith("!")}
    shipped = {text: set(np.flatnonzero(mentions(p, folded) >= MIN_MENTIONS).tolist()) for text, p in known.items()}
    print("pictures\tcandidate\tmost like the shipped\tshared")
    for text, found in sorted(mined(pictures).items(), key=lambda one: -len(one[1])):
        if len(found) >= given.least:
            shared, like = max((len(own & set(found)) / len(own | set(found)), name) for name, own in shipped.items())
            print(f"{len(found)}\t{text}\t{like}\t{shared:.2f}")


if __name__ == "__main__":
    main()
