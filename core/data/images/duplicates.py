"""Near-duplicates: copies of one image that were re-encoded, resized or made a little brighter or darker.

Two images are near-duplicates if their 256-bit perceptual hashes differ in at most 24 bits, their embeddings
have a cosine of at least `MIN_COSINE`, and their colors on a 4 x 4 grid are alike. Copies that were cropped by more
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
import numpy.typing as npt
from PIL import Image

from core.data.images.near_hashes import near_hashes
from core.records import F32, I64, Progress, Reporter, no_progress
from core.statistics.groups import joined

MIN_COSINE = 0.75
MAX_COLOUR_DISTANCE = 0.15 * 255
"""Mean absolute difference over the 4 x 4 x 3 grid."""
VERSION = "hash 1"
"""Change it with anything that changes a hash: it is part of the cache's key."""
HASH = "near-duplicate hash"
"""Name under which an image's hash travels with an item's properties in the cache."""
_ROWS = 256
_OTHERS = 4096
"""Vectors that are compared with how many others at a time."""


class ToldByHash:
    """Of a modality whose `open` measures a `picture_hash` under `HASH`: of the item, or of an image made of it."""

    def duplicates(
        self,
        contents: Sequence[bytes],
        measured: Sequence[Mapping[str, Any]],
        vectors: F32,
        progress: Progress = no_progress,
    ) -> I64:
        return duplicate_groups(contents, [row[HASH] for row in measured], vectors, progress)


def picture_hash(image: Image.Image) -> str:
    """160 hexadecimal digits: 256 bits of the perceptual hash, then a 4 x 4 RGB grid."""
    imagehash: Any = import_module("imagehash")
    bits = np.asarray(imagehash.phash(image, hash_size=16).hash, np.bool_)
    grid = image.resize((4, 4), Image.Resampling.BOX)
    return np.packbits(bits.ravel()).tobytes().hex() + grid.tobytes().hex()


def duplicate_groups(
    contents: Sequence[bytes], hashes: Sequence[str], vectors: F32, progress: Progress = no_progress
) -> I64:
    """(n,) group numbers from 0, in order of first appearance.

    Args:
        contents: a digest of each file; equal digests are duplicates whatever else holds.
        hashes: from `picture_hash`.
        vectors: (n, d) unit rows.
        progress: called as ("compare images", done, total) while each is compared with all.
    """
    n = len(hashes)
    first_with: dict[bytes, int] = {}
    first = np.array([first_with.setdefault(content, row) for row, content in enumerate(contents)], np.int64)
    distinct = np.array(sorted(first_with.values()), np.int64)
    # what looks the same is looked up once, such as a thousand blank pages
    looks: dict[str, int] = {}
    look = np.array([looks.setdefault(str(hashes[row]), len(looks)) for row in distinct.tolist()], np.int64)
    raw = np.frombuffer(bytes.fromhex("".join(looks)), np.uint8).reshape(len(looks), 80)
    alike = _Alike(vectors, distinct, look)
    report = Reporter(progress, "compare images", n)
    report(0)
    alike.join_inside()
    for share, (one, other) in near_hashes(np.ascontiguousarray(raw[:, :32]).view(np.uint64), lambda: alike.of_look):
        report(int(share * n))
        alike.join_looks(*_of_one_colour(raw[:, 32:], one, other))
    # each row shares itself with the first of its content, and with those that look alike
    return joined(n, np.arange(n), alike.components()[first])


def _of_one_colour(grids: npt.NDArray[np.uint8], one: I64, other: I64) -> tuple[I64, I64]:
    """Those of the pairs whose colors are alike."""
    close = np.abs(np.subtract(grids[one], grids[other], dtype=np.int16)).mean(1) <= MAX_COLOUR_DISTANCE
    return one[close], other[close]


class _Alike:
    """Which rows hang together by what was compared so far: pairs that do are not compared again, so that a thousand
    images of one look take a thousand comparisons and not a million.

    Args:
        vectors: (n, d) unit rows.
        rows: (m,) those that are compared.
        look: (m,) number of the look of each.
    """

    def __init__(self, vectors: F32, rows: I64, look: I64) -> None:
        self.vectors = vectors
        self.of = np.arange(len(vectors))
        self.rows = rows[np.argsort(look, kind="stable")]
        self.sizes = np.bincount(look)
        self.starts = np.cumsum(self.sizes) - self.sizes
        self.of_look = self._of_look()
        """(looks,) the component of each look; below 0, and its own, where its rows are of several."""
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
        """(n,) a number for each row, one for those that hang together."""
        if self._waiting:
            left, right = (self.of[np.concatenate(side)] for side in zip(*self._waiting))
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

    def join_looks(self, one: I64, other: I64) -> None:
        """Compare the rows of `one` with those of `other`, both (k,) numbers of looks."""
        single = (self.sizes[one] == 1) & (self.sizes[other] == 1)
        left, right = (self.rows[self.starts[side[single]]] for side in (one, other))
        for start in range(0, len(left), _OTHERS):
            a = left[start : start + _OTHERS]
            b = right[start : start + _OTHERS]
            alike = np.einsum("ij,ij->i", self.vectors[a], self.vectors[b]) >= MIN_COSINE
            self._join(a[alike], b[alike])
        for a, b in zip(one[~single].tolist(), other[~single].tolist()):
            self._compare(self._members(a), self._members(b))

    def _members(self, look: int) -> I64:
        return self.rows[self.starts[look] : self.starts[look] + self.sizes[look]]

    def _compare(self, some: I64, others: I64) -> None:
        """Each of `some` with each of `others`; the first by itself, since all may turn out to be like it."""
        for start in (0, *range(1, len(some), _ROWS)):
            part = some[start : start + _ROWS] if start else some[:1]
            own = self.of[part]
            left = others[self.of[others] != own[0]] if (own == own[0]).all() else others
            for begin in range(0, len(left), _OTHERS):
                these = left[begin : begin + _OTHERS]
                a, b = np.nonzero(self.vectors[part] @ self.vectors[these].T >= MIN_COSINE)
                self._join(part[a], these[b])

    def _join(self, left: I64, right: I64) -> None:
        if len(left):
            self._waiting.append((left, right))
            self._n_waiting += len(left)
        if self._n_waiting > len(self.of) // 8:
            self.components()
