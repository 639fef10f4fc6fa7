"""A frozen encoder as a scorer: the cosine of each image with each caption of its item."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from core.embeddings.embed import read_images
from core.embeddings.texts import encode_texts
from core.encoders import Encoder
from core.encoders.arithmetic import unit_rows
from core.errors import InvalidInput
from core.records import F32, F64, I64, Progress, no_progress
from core.systems.composition.records import Item, LoadedBenchmark, Scores, distinct_captions

BATCH = 256
"""Captions between two reports of progress; each batch is kept in the cache by itself, so a run that was stopped goes
on from there."""
DECIMALS = 12
"""Decimals to which cosines are rounded: equal vectors then tie whatever the order of the summation. Vectors
are exact to about 7."""


@dataclass(slots=True, eq=False)
class EncoderScorer:
    """An `Encoder` as a `Scorer`: a pair's score is the cosine of its two vectors in the joint space, from -1 to 1."""

    encoder: Encoder
    _last: tuple[tuple[str, ...], F32] | None = field(default=None, init=False, repr=False)
    """The captions that were read last: what is asked after the scores does not read them again."""

    @property
    def name(self) -> str:
        return self.encoder.name

    @property
    def fingerprint(self) -> str:
        return self.encoder.fingerprint

    def score(
        self, pictured: LoadedBenchmark, *, cache: Path | None = None, progress: Progress = no_progress
    ) -> Scores:
        """Each image and each caption is encoded once; only pairs within an item are scored, so memory stays bounded.

        Args:
            cache: folder where vectors of images and captions are kept; None keeps nothing.
            progress: called as ("embed", done, total) and ("read captions", done, total).

        Raises:
            InvalidInput: the benchmark has no items, or none of its images could be read.
            Cancelled: from `progress`; what was encoded stays in the cache.
        """
        items = pictured.benchmark.items
        if not items:
            raise InvalidInput(
                f"{pictured.benchmark.title} has no item left to score. Add its images, or check why items are "
                "excluded."
            )
        used = np.unique([at for item in items for at in item.pictures]).astype(np.int64)
        reading = read_images(pictured.store.keep(used), self.encoder, cache=cache, progress=progress)
        row_of = np.full(len(pictured.benchmark.pictures), -1, np.int64)
        row_of[used[reading.kept]] = np.arange(len(reading.kept))
        texts = distinct_captions(items)
        captions = self.read_captions(texts.captions, cache=cache, progress=progress)
        return Scores(
            self.name,
            self.fingerprint,
            tuple(_cosines(item, reading.joint.vectors, row_of, captions[at]) for item, at in zip(items, texts.at)),
            (*reading.notes, *_cut(self.encoder, texts.captions)),
            {int(used[row]): reason for row, reason in reading.unreadable.items()},
        )

    def read_captions(
        self, captions: Sequence[str], *, cache: Path | None = None, progress: Progress = no_progress
    ) -> F32:
        """(m, d) unit rows of m captions, read in batches."""
        wanted = tuple(captions)
        if self._last is None or self._last[0] != wanted:
            parts: list[F32] = []
            for start in range(0, len(wanted), BATCH):
                progress("read captions", start, len(wanted))
                parts.append(unit_rows(encode_texts(self.encoder, wanted[start : start + BATCH], cache)))
            progress("read captions", len(wanted), len(wanted))
            self._last = wanted, np.concatenate(parts)
        return self._last[1]


def cosines(a: F32 | F64, b: F32 | F64) -> F64:
    """(n, m) cosines of unit rows, in double precision, so that close scores are not made equal."""
    return np.round(a.astype(np.float64) @ b.astype(np.float64).T, DECIMALS)


def _cosines(item: Item, vectors: F32, row_of: I64, captions: F32) -> F64:
    """(I, T), with nan in the rows of images that have no vector."""
    rows = row_of[list(item.pictures)]
    scores = np.full((len(rows), len(captions)), np.nan)
    scores[rows >= 0] = cosines(vectors[rows[rows >= 0]], captions)
    return scores


def _cut(encoder: Encoder, captions: Sequence[str]) -> tuple[str, ...]:
    n = encoder.count_truncated(captions)
    if not n:
        return ()
    which = "1 caption is"
    if n != 1:
        which = f"{n:,} captions are"
    return (
        (
            f"{which} longer than the text tower of {encoder.name} reads, of {len(captions):,}. Text beyond its "
            "limit plays no part."
        ),
    )
