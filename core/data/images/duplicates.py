"""Near-duplicates: copies of one picture that were re-encoded, resized or made a little brighter or darker.

Two pictures are near-duplicates if their 256-bit perceptual hashes differ in at most `MAX_BITS` bits, their embeddings
have a cosine of at least `MIN_COSINE`, and their colours on a 4 x 4 grid are alike. Copies that were cropped by more
than about 1%, turned or mirrored are not found.

Why these bounds: over 1,000 photographs of clothes and 1,000 of ImageNet the nearest pair of different pictures lay 56
and 86 bits apart, while copies at JPEG quality 20, at half size or 20% brighter lay at most 22 bits away with cosines
around 0.9. Stylised variants of one outline come within 16 bits, but with cosines below 0.6. docs/encoder.md has the
measurement.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from core.records import F32, I64, Progress, Reporter, no_progress
from core.statistics.groups import joined

MAX_BITS = 24
MIN_COSINE = 0.75
MAX_COLOUR_DISTANCE = 0.15 * 255
"""Mean absolute difference over the 4 x 4 x 3 grid."""
VERSION = "hash 1"
"""Change it with anything that changes a hash: it is part of the cache's key."""
HASH = "near-duplicate hash"
"""Name under which a picture's hash travels with an item's properties in the cache."""
_WORDS = 4
_BLOCK = 512


class ToldByHash:
    """Of a modality whose `open` measures a `picture_hash` under `HASH`: of the item, or of a picture made of it."""

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
        progress: called as ("compare pictures", done, total) while each is compared with all.
    """
    n = len(hashes)
    first_with: dict[bytes, int] = {}
    first = np.array([first_with.setdefault(content, row) for row, content in enumerate(contents)], np.int64)
    distinct = np.array(sorted(first_with.values()), np.int64)
    raw = np.frombuffer(bytes.fromhex("".join(hashes)), np.uint8).reshape(n, 80)[distinct]
    words = np.ascontiguousarray(raw[:, :32]).view(np.uint64)
    pairs = list(_alike(words, raw[:, 32:].astype(np.float32), vectors[distinct], progress))
    left, right = distinct[np.array(pairs, np.int64).reshape(-1, 2)].T
    # each row shares itself with the first of its content, and with those that look alike
    return joined(n, np.r_[np.arange(n), left], np.r_[first, right])


def _alike(
    words: npt.NDArray[np.uint64], grids: F32, vectors: F32, progress: Progress = no_progress
) -> Iterator[tuple[int, int]]:
    """The pairs (i, j), i < j, that meet all three bounds."""
    n = len(words)
    report = Reporter(progress, "compare pictures", n)
    for start in range(0, n, _BLOCK):
        report(start)
        rows = words[start : start + _BLOCK]
        # A quarter of the bits differs in no more places than all of them: most pairs end here.
        near = np.bitwise_count(rows[:, None, 0] ^ words[None, start:, 0]) <= MAX_BITS
        left, right = np.nonzero(np.triu(near, 1))
        left, right = left + start, right + start
        for word in range(1, _WORDS):
            close = np.bitwise_count(words[left, : word + 1] ^ words[right, : word + 1]).sum(1) <= MAX_BITS
            left, right = left[close], right[close]
        close = np.abs(grids[left] - grids[right]).mean(1) <= MAX_COLOUR_DISTANCE
        left, right = left[close], right[close]
        for i, j in zip(left.tolist(), right.tolist()):
            if float(vectors[i] @ vectors[j]) >= MIN_COSINE:
                yield i, j
