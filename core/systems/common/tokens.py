"""Tokens of a tower for every image and caption; those of images in memory, or in a cache that survives interruptions.

Worker threads read and decode while the tower runs; a window of a few batches bounds the memory.
`core.embeddings.embed` measures further properties of images.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from core.data.images import decoding
from core.data.images.decoding import decode
from core.data.modality import Unreadable
from core.embeddings.cache import Cache, entry_key
from core.embeddings.embed import BATCH_ITEMS
from core.embeddings.prefetch import none_readable, prefetch, read_bytes
from core.encoders import Encoder
from core.encoders.embedded.lite0_runtime import usable_cores
from core.encoders.tokens import ImageTokens, TextTokens, TokenTower
from core.errors import InvalidInput
from core.limits import Limits, byte_size
from core.records import F32, I64, ItemStore, Progress, Reporter, no_progress

F16 = npt.NDArray[np.float16]
_BATCH_TEXTS = 256
_MAX_HALF = float(np.finfo(np.float16).max)
"""Largest number in half precision."""
_WAYS_OUT = "Free space, use fewer images, or set ERRATA_CACHE to a writable folder."


@dataclass(frozen=True, slots=True, eq=False)
class StoredTokens:
    """(n, P, di) tokens in half precision on disk, read where they are indexed."""

    cache: Cache
    keys: tuple[bytes, ...]
    """Of the entry of each of the n images."""
    joint_width: int
    shape: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.keys)

    def __getitem__(self, at: I64 | slice) -> F16:
        rows = np.arange(len(self.keys))[at]
        tokens = np.empty((len(rows), *self.shape[1:]), np.float16)
        for i, row in enumerate(rows.tolist()):
            entry = self.cache.read(self.keys[row])
            if entry is None:
                raise InvalidInput(f"The token cache {self.cache.path} has lost an entry. Run the command again.")
            tokens[i] = _unpacked(entry, self.joint_width, self.shape[2])[1]
        return tokens


@dataclass(frozen=True, slots=True, eq=False)
class PictureTokens:
    """Tokens of the readable images in the store's order: n images of P patches."""

    tokens: F16 | StoredTokens
    """(n, P, di) in half precision."""
    pooled: F32
    """(n, d) unit rows of the joint space."""
    kept_rows: I64
    """(n,) rows of the store with a readable image."""
    unreadable: dict[int, str]
    """Reason by row of the store, a sentence that begins with the image's name."""
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.kept_rows)

    def rows(self, at: I64) -> ImageTokens:
        """The images in memory in single precision.

        Args:
            at: (m,) indices among the n images, not rows of the store.
        """
        return ImageTokens(self.tokens[at].astype(np.float32), np.asarray(self.pooled[at], np.float32))


@dataclass(frozen=True, slots=True, eq=False)
class _PreparedRow:
    """One row in progress: from the cache, ready for the tower, or unreadable."""

    row: int
    key: bytes = b""
    entry: bytes | None = None
    pixels: F32 | None = None
    reason: str = ""


def read_image_tokens(
    images: ItemStore,
    encoder: Encoder,
    tower: TokenTower,
    *,
    cache: Path | None = None,
    progress: Progress = no_progress,
    workers: int | None = None,
) -> PictureTokens:
    """The tokens of every readable image.

    Args:
        images: read one at a time, by several threads.
        encoder: preprocesses the images for its tower.
        tower: `encoder.token_tower()`.
        cache: folder of the cache, which has an entry for each image and tower; None keeps all in memory. A ViT-B/32
            takes 77 kB an image, the embedded encoder 79 kB.
        progress: called as ("tokens", done, total). If it raises, finished images stay cached, and the next call
            resumes after them.
        workers: decoding threads (default: the cores that the process may use).

    Raises:
        InvalidInput: all images are unreadable, or the cache cannot be written.
        Cancelled: from `progress`.
    """
    store = None
    if cache is not None:
        store = Cache(cache, "tokens")
    try:
        return _TokenReader(images, encoder, tower, store).read(progress, workers or usable_cores())
    finally:
        if store is not None:
            store.close()  # of the threads that decoded; it opens again where tokens are indexed


class _TokenReader:
    """From images to tokens; `prepare` runs in worker threads, the tower in one."""

    def __init__(self, images: ItemStore, encoder: Encoder, tower: TokenTower, store: Cache | None) -> None:
        self.images = images
        self.store = store
        self._encoder = encoder
        self._tower = tower
        self._fingerprint = f"{tower.fingerprint}/{decoding.VERSION}/{Limits().max_pixels}/tokens 3"
        self._keys: dict[int, bytes] = {}
        self._tokens: dict[int, F16] = {}
        """Without a cache."""
        self._pooled: dict[int, F32] = {}
        self._unreadable: dict[int, str] = {}
        self._shape: tuple[int, ...] = ()
        self._n_from_cache = 0
        self._n_clipped = 0

    def read(self, progress: Progress, threads: int) -> PictureTokens:
        """Read every row, and return all tokens."""
        n = len(self.images)
        report = Reporter(progress, "tokens", n)
        batch: int = getattr(self._encoder, "batch_size", BATCH_ITEMS)
        waiting = list[_PreparedRow]()
        for item in prefetch(self.prepare, range(n), threads, window=2 * batch + 8):
            if item.reason:
                self._unreadable[item.row] = item.reason
            elif item.entry is not None:
                self._keep(item, item.entry)
                self._n_from_cache += 1
            else:
                waiting.append(item)
            if len(waiting) == batch:
                self._encode(waiting)
                waiting = []
            report(len(self._pooled) + len(self._unreadable))
        if waiting:
            self._encode(waiting)
        report(n, last=True)
        if not self._pooled:
            raise InvalidInput(none_readable(self._unreadable))
        rows = sorted(self._pooled)
        if self.store is None:
            tokens = np.stack([self._tokens[row] for row in rows])
        else:
            keys = tuple(self._keys[row] for row in rows)
            tokens = StoredTokens(self.store, keys, self._tower.joint_width, (len(rows), *self._shape))
        pooled = np.stack([self._pooled[row] for row in rows])
        return PictureTokens(tokens, pooled, np.array(rows, np.int64), self._unreadable, self._notes())

    def prepare(self, row: int) -> _PreparedRow:
        """The row's entry in the cache, its pixels for the tower, or the reason why it is unreadable."""
        try:
            data = read_bytes(self.images, row)
            key = entry_key(data, self._fingerprint)
            entry = None
            if self.store is not None:
                entry = self.store.read(key)
            if entry is not None:
                return _PreparedRow(row, key, entry)
            return _PreparedRow(row, key, pixels=self._encoder.preprocess(decode(data).image))
        except Unreadable as error:
            return _PreparedRow(row, reason=f"{self.images.name(row)} {error}")

    def _encode(self, items: list[_PreparedRow]) -> None:
        """Compute the tokens of these rows and cache them."""
        batch = self._tower.image_tokens(np.stack([item.pixels for item in items if item.pixels is not None]))
        entries = list[bytes]()
        for tokens, pooled in zip(batch.tokens, batch.pooled, strict=True):
            entries.append(pooled.astype("<f4").tobytes() + _as_half(tokens).astype("<f2").tobytes())
        if self.store is not None:
            n = len(self.images)
            free = shutil.disk_usage(self.store.path.parent).free
            if not self._keys and n * len(entries[0]) > free:
                sizes = f"{byte_size(n * len(entries[0]))}, and {self.store.path.parent} has {byte_size(free)} free"
                raise InvalidInput(f"The tokens of {n:,} images take {sizes}. {_WAYS_OUT}")
            self.store.write((item.key, entry) for item, entry in zip(items, entries))
            if self.store.failure:
                raise InvalidInput(
                    f"The tokens of {n:,} images cannot be saved in {self.store.path} ({self.store.failure}). "
                    f"{_WAYS_OUT}"
                )
        for item, entry in zip(items, entries):
            self._keep(item, entry)

    def _keep(self, item: _PreparedRow, entry: bytes) -> None:
        pooled, tokens = _unpacked(entry, self._tower.joint_width, self._tower.image_width)
        self._pooled[item.row] = pooled
        self._shape = tokens.shape
        self._n_clipped += bool((np.abs(tokens) == _MAX_HALF).any())
        if self.store is None:
            self._tokens[item.row] = tokens
        else:
            self._keys[item.row] = item.key

    def _notes(self) -> tuple[str, ...]:
        n = len(self.images)
        notes = list[str]()
        if self._n_from_cache:
            notes.append(f"The tokens of {self._n_from_cache:,} of {n:,} images came from the cache.")
        if self._unreadable:
            notes.append(f"Skipped {len(self._unreadable):,} of {n:,} images: they could not be read.")
        store = self.store
        if store is not None and store.damaged:
            notes.append(f"Computed {store.damaged:,} damaged entries of the token cache again.")
        if store is not None and store.set_aside:
            notes.append(f"Could not read the token cache: moved it to {store.set_aside.name} and started a new one.")
        if self._n_clipped:
            notes.append(
                f"Clipped the tokens of {self._n_clipped:,} images to {_MAX_HALF:,.0f}, the largest number in half "
                "precision."
            )
        return tuple(notes)


def _unpacked(entry: bytes, joint_width: int, image_width: int) -> tuple[F32, F16]:
    """(d,) pooled vector and (P, di) tokens of an image's entry."""
    pooled = np.frombuffer(entry, "<f4", joint_width).astype(np.float32)
    tokens = np.frombuffer(entry, "<f2", offset=4 * joint_width).astype(np.float16)
    return pooled, tokens.reshape(-1, image_width)


def _as_half(tokens: F32) -> F16:
    """Half precision, clipped to its limits."""
    return np.clip(tokens, -_MAX_HALF, _MAX_HALF).astype(np.float16)


def read_text_tokens(captions: Sequence[str], tower: TokenTower, *, progress: Progress = no_progress) -> TextTokens:
    """The tokens of every caption, padded to the longest; `tokens` in half precision.

    Args:
        captions: m different ones; with T tokens they take 2 m T dt bytes.
        progress: called as ("caption tokens", done, total).
    """
    parts: list[TextTokens] = []
    for start in range(0, max(len(captions), 1), _BATCH_TEXTS):
        batch = tower.text_tokens(captions[start : start + _BATCH_TEXTS])
        parts.append(replace(batch, tokens=cast(F32, _as_half(batch.tokens))))
        progress("caption tokens", min(start + _BATCH_TEXTS, len(captions)), len(captions))
    longest = max(part.ids.shape[1] for part in parts)
    padding = next((int(part.ids[~part.seen][0]) for part in parts if not part.seen.all()), 0)
    return TextTokens(
        np.concatenate([_padded(part.tokens, longest) for part in parts]),
        np.concatenate([_padded(part.ids, longest, padding) for part in parts]),
        np.concatenate([_padded(part.words, longest) for part in parts]),
        np.concatenate([_padded(part.seen, longest) for part in parts]),
        np.concatenate([part.pooled for part in parts]),
        tuple(chain.from_iterable(part.pieces for part in parts)),
    )


def _padded(array: npt.NDArray[Any], length: int, fill: int = 0) -> npt.NDArray[Any]:
    """(m, length, ...) with `fill` after the array's columns."""
    return np.pad(array, [(0, 0), (0, length - array.shape[1]), *[(0, 0)] * (array.ndim - 2)], constant_values=fill)
