"""Pieces of captions: one to three words in a row that several images share. They teach single words and short
phrases, which whole captions do not."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

import numpy as np

from core.records import F32, F64, I64, Bool
from research.weights.embedded.captioned import CaptionCorpus, Reader

LONGEST = 3
"""Words of a piece."""
MIN_PICTURES = 8
"""Images that are fitted on and whose captions hold a piece, at least."""
IDLE = set(
    "a an the in on of and is are with to at his her their by from as for its it while that into through over up "
    "down out off near next there be being has have who which he she they some other another this very each".split()
)
"""Words that end no piece and are none alone."""
_NO_BEGINNING = {"and", "of", "is", "are"}


@dataclass(frozen=True, slots=True, eq=False)
class Fragments:
    """f pieces over n images."""

    texts: list[str]
    sentences: F32
    """(f, 384) unit sentence vectors."""
    shown: Bool
    """(n, f) whether any caption of the image holds the piece; False for images that are not fitted on."""

    @property
    def chances(self) -> F64:
        """(f,) with which a piece is drawn: by the root of its images."""
        roots = np.sqrt(self.shown.sum(0).astype(np.float64))
        return roots / roots.sum()


def pieces_of(caption: str) -> set[str]:
    """The pieces of one caption."""
    words = re.findall(r"[a-z]+", caption.lower())
    runs = (words[start : start + n] for n in range(1, LONGEST + 1) for start in range(len(words) - n + 1))
    return {" ".join(run) for run in runs if run[-1] not in IDLE and run[0] not in _NO_BEGINNING}


def read_fragments(corpus: CaptionCorpus, rows: I64, reader: Reader) -> Fragments:
    """The pieces that captions of the images `rows` share."""
    own = {int(row): set[str]().union(*map(pieces_of, corpus.captions[row])) for row in rows}
    counts = Counter(piece for pieces in own.values() for piece in pieces)
    texts = sorted(piece for piece, n in counts.items() if n >= MIN_PICTURES)
    place = {piece: i for i, piece in enumerate(texts)}
    shown = np.zeros((len(corpus.files), len(texts)), np.bool_)
    for row, pieces in own.items():
        shown[row, [place[piece] for piece in pieces if piece in place]] = True
    return Fragments(texts, reader.sentences(f"pieces {len(texts)}", texts), shown)
