"""Near-duplicates: versions of one image that were re-encoded, resized or made a little brighter or darker.

Two images are near-duplicates if their 256-bit perceptual hashes differ in at most 24 bits, their embeddings
have a cosine of at least `MIN_COSINE`, and their colors on a 4 x 4 grid are close. Copies that were cropped by more
than about 1%, turned or mirrored are not found.

Why these bounds: over 1,000 photographs of clothes and 1,000 of ImageNet the nearest pair of different images lay 56
and 86 bits apart, while copies at JPEG quality 20, at half size or 20% brighter lay at most 22 bits away with cosines
around 0.9. Stylized variants of one outline come within 16 bits, but with cosines below 0.6. docs/encoder.md has the
measurement.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

import numpy as np
from PIL import Image

from core.data.images.near_hashes import near_hashes
from core.records import F32, I64, Progress, Reporter, no_progress
from core.statistics.groups import joined

MIN_COSINE = 0.75
MAX_COLOUR_DISTANCE = 0.15 * 255
"""Mean absolute difference over the 4 x 4 x 3 grid, in bytes."""
VERSION = "hash 1"
"""Change it with anything that changes a hash: it is part of the cache's key."""
HASH = "near-duplicate hash"
"""Name under which an image's hash travels with an item's properties in the cache."""
_BLOCK_ROWS = 256
_BLOCK_COLUMNS = 4096
"""Vectors that are compared at a time: the shape of the block of cosines in memory."""


class HashedDuplicates:
    """Find near-duplicates for a modality whose `open` measures a `picture_hash` under `HASH`, of the item or of an
    image drawn from it."""

    def duplicates(
        self,
        contents: Sequence[bytes],
        measured: Sequence[Mapping[str, Any]],
        vectors: F32,
        progress: Progress = no_progress,
    ) -> I64:
        return duplicate_groups(contents, [row[HASH] for row in measured], vectors, progress)


def picture_hash(image: Image.Image) -> str:
    """Hash an image to 160 hexadecimal digits: 256 bits of the perceptual hash, then a 4 x 4 RGB grid."""
    imagehash: Any = import_module("imagehash")
    bits = np.asarray(imagehash.phash(image, hash_size=16).hash, np.bool_)
    grid = image.resize((4, 4), Image.Resampling.BOX)
    return np.packbits(bits.ravel()).tobytes().hex() + grid.tobytes().hex()


def duplicate_groups(
    contents: Sequence[bytes], hashes: Sequence[str], vectors: F32, progress: Progress = no_progress
) -> I64:
    """Group near-duplicates: (n,) group numbers from 0, in order of first appearance.

    Args:
        contents: a digest of each file; equal digests are duplicates whatever their vectors.
        hashes: from `picture_hash`.
        vectors: (n, d) unit rows.
        progress: called as ("compare images", done, total) while each is compared with all.
    """
    n = len(hashes)
    first_with: dict[bytes, int] = {}
    first = np.array([first_with.setdefault(content, row) for row, content in enumerate(contents)], np.int64)
    distinct = np.array(sorted(first_with.values()), np.int64)
    # equal hashes are looked up once, for example a thousand blank pages
    looks: dict[str, int] = {}
    look = np.array([looks.setdefault(str(hashes[row]), len(looks)) for row in distinct.tolist()], np.int64)
    raw = np.frombuffer(bytes.fromhex("".join(looks)), np.uint8).reshape(len(looks), 80)
    alike = _Components(vectors, distinct, look)
    report = Reporter(progress, "compare images", n)
    report(0)
    alike.join_inside()
    bits = np.ascontiguousarray(raw[:, :32]).view(np.uint64)
    grids = raw[:, 32:]
    for share, (left, right) in near_hashes(bits, lambda: alike.of_look):
        report(int(share * n))
        close = np.abs(np.subtract(grids[left], grids[right], dtype=np.int16)).mean(1) <= MAX_COLOUR_DISTANCE
        alike.join_looks(left[close], right[close])
    # each row is joined with the first row of its content, and so with those that look like it
    return joined(n, np.arange(n), alike.components()[first])


class _Components:
    """Connected components of the rows compared so far. Pairs inside one are not compared again, so that a thousand
    images of one look take a thousand comparisons instead of a million.

    Args:
        vectors: (n, d) unit rows.
        rows: (m,) the rows to compare.
        look: (m,) number of each row's look (rows of equal hash share a look).
    """

    def __init__(self, vectors: F32, rows: I64, look: I64) -> None:
        self.vectors = vectors
        self.of = np.arange(len(vectors))
        self.rows = rows[np.argsort(look, kind="stable")]
        self.sizes = np.bincount(look)
        self.starts = np.cumsum(self.sizes) - self.sizes
        self.of_look = self._of_look()
        """(looks,) the component of each look; a distinct negative number where its rows are in several."""
        self._waiting: list[tuple[I64, I64]] = []
        self._n_waiting = 0

    def _of_look(self) -> I64:
        if not len(self.rows):
            return self.rows
        of = self.of[self.rows]
        lowest = np.minimum.reduceat(of, self.starts)
        highest = np.maximum.reduceat(of, self.starts)
        return np.where(lowest == highest, lowest, -1 - np.arange(len(lowest)))

    def components(self) -> I64:
        """(n,) component of each row, once the waiting pairs are joined."""
        if self._waiting:
            left = self.of[np.concatenate([pair[0] for pair in self._waiting])]
            right = self.of[np.concatenate([pair[1] for pair in self._waiting])]
            of = np.arange(len(self.of))
            self.of = joined(len(of), np.r_[of, left], np.r_[of, right])[self.of]
            self.of_look = self._of_look()
            self._waiting = []
            self._n_waiting = 0
        return self.of

    def join_inside(self) -> None:
        """Compare the rows of each look with each other."""
        for look in np.flatnonzero(self.sizes > 1).tolist():
            self._compare(self._members(look), self._members(look))

    def join_looks(self, left_looks: I64, right_looks: I64) -> None:
        """Compare the rows of each pair of looks, both (k,)."""
        single = (self.sizes[left_looks] == 1) & (self.sizes[right_looks] == 1)
        left = self.rows[self.starts[left_looks[single]]]
        right = self.rows[self.starts[right_looks[single]]]
        for start in range(0, len(left), _BLOCK_COLUMNS):
            a = left[start : start + _BLOCK_COLUMNS]
            b = right[start : start + _BLOCK_COLUMNS]
            alike = np.einsum("ij,ij->i", self.vectors[a], self.vectors[b]) >= MIN_COSINE
            self._join(a[alike], b[alike])
        for a, b in zip(left_looks[~single].tolist(), right_looks[~single].tolist()):
            self._compare(self._members(a), self._members(b))

    def _members(self, look: int) -> I64:
        return self.rows[self.starts[look] : self.starts[look] + self.sizes[look]]

    def _compare(self, some: I64, others: I64) -> None:
        """Compare each of `some` with each of `others`. The first goes by itself: if all are near it, they end in one
        component and no further comparison is needed."""
        for start, end in ((0, 1), *((row, row + _BLOCK_ROWS) for row in range(1, len(some), _BLOCK_ROWS))):
            part = some[start:end]
            components = self.of[part]
            remaining = others
            if (components == components[0]).all():
                remaining = others[self.of[others] != components[0]]
            for begin in range(0, len(remaining), _BLOCK_COLUMNS):
                these = remaining[begin : begin + _BLOCK_COLUMNS]
                a, b = np.nonzero(self.vectors[part] @ self.vectors[these].T >= MIN_COSINE)
                self._join(part[a], these[b])

    def _join(self, left: I64, right: I64) -> None:
        if len(left):
            self._waiting.append((left, right))
            self._n_waiting += len(left)
        if self._n_waiting > len(self.of) // 8:
            self.components()
