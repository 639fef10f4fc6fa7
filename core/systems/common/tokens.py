"""Tokens of a tower for every image and caption, in memory or in a cache on disk that survives interruptions.

Worker threads read and decode while the tower runs; a window of a few batches bounds the memory.
`core.embeddings.embed` measures further properties of images.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from core.data.images import decoding
from core.data.images.decoding import decode
from core.data.modality import Unreadable
from core.embeddings.embed import BATCH_ITEMS
from core.embeddings.prefetch import none_readable, prefetch, read_bytes
from core.encoders import Encoder
from core.encoders.embedded.lite0_runtime import usable_cores
from core.encoders.tokens import ImageTokens, TextTokens, TokenTower
from core.errors import InvalidInput
from core.limits import Limits
from core.locks import lock
from core.records import F32, I64, ItemStore, Progress, Reporter, no_progress
from core.systems.common.token_files import Block, TokenFiles

F16 = npt.NDArray[np.float16]
_BATCH_TEXTS = 256
_MAX_HALF = float(np.finfo(np.float16).max)
"""Largest number in half precision."""


@dataclass(frozen=True, slots=True, eq=False)
class PictureTokens:
    """Tokens of the readable images in the store's order: n images of P patches."""

    tokens: F16
    """(n, P, di) in half precision; a read-only memory map with a cache."""
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
class _PreparedPixels:
    row: int
    pixels: F32 | None = None
    reason: str = ""


@dataclass(slots=True, eq=False)
class _Memory:
    """The tokens in memory, with the interface of `TokenFiles`."""

    blocks: list[Block] = field(default_factory=list[Block])
    shapes: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    damaged: int = 0
    _parts: dict[str, list[npt.NDArray[Any]]] = field(default_factory=dict[str, list[npt.NDArray[Any]]])

    @property
    def next_row(self) -> int:
        if not self.blocks:
            return 0
        return self.blocks[-1].stop

    def append(self, block: Block, arrays: dict[str, npt.NDArray[Any]]) -> None:
        self.blocks.append(block)
        for name, array in arrays.items():
            self.shapes.setdefault(name, list(array.shape[1:]))
            self._parts.setdefault(name, []).append(array)

    def open(self, name: str) -> npt.NDArray[Any]:
        return np.concatenate(self._parts[name])


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
        cache: folder of the cache, with a subfolder for each set of images and tower; None keeps all in memory. A
            ViT-B/32 takes 77 kB an image, the embedded encoder 79 kB.
        progress: called as ("hash images", done, total), only with a cache, and ("tokens", done, total). If it raises,
            finished blocks stay cached, and the next call resumes after them.
        workers: decoding threads (default: the cores that the process may use).

    Raises:
        InvalidInput: all images are unreadable, or the cache cannot be written.
        Cancelled: from `progress`.
    """
    threads = workers or usable_cores()
    reader = _TokenReader(images, encoder, tower)
    if cache is None:
        return _fill(_Memory(), reader, progress, threads)
    folder = cache / "tokens" / _key(images, tower, progress, threads)

    def waiting() -> None:
        progress("tokens", 0, len(images))  # while another pass writes the same tokens

    with lock(folder, waiting):
        return _fill(TokenFiles(folder, len(images)), reader, progress, threads)


def _key(images: ItemStore, tower: TokenTower, progress: Progress, threads: int) -> str:
    """Digest of the tower and of the bytes of all images in order."""

    def content(row: int) -> bytes:
        try:
            return hashlib.sha256(read_bytes(images, row)).digest()
        except Unreadable as error:
            return hashlib.sha256(f"{row} {error}".encode()).digest()

    digest = hashlib.sha256(f"{tower.fingerprint}/{decoding.VERSION}/{Limits().max_pixels}/tokens 2".encode())
    report = Reporter(progress, "hash images", len(images))
    for row, part in enumerate(prefetch(content, range(len(images)), threads, window=2 * BATCH_ITEMS)):
        digest.update(part)
        report(row + 1)
    return digest.hexdigest()[:32]


def _fill(store: TokenFiles | _Memory, reader: _TokenReader, progress: Progress, threads: int) -> PictureTokens:
    """Compute the missing blocks of the store, and return all its tokens."""
    n = len(reader.images)
    ready = store.next_row
    report = Reporter(progress, "tokens", n)
    report(ready)
    for block, arrays in reader.blocks(ready, threads):
        store.append(block, arrays)
        report(block.stop)
    report(n, last=True)
    unreadable = dict[int, str]()
    readable = list[int]()
    for block in store.blocks:
        unreadable |= block.unreadable
        readable += block.rows
    if not store.shapes:
        raise InvalidInput(none_readable(unreadable))
    notes = _notes(store, n, ready, len(unreadable))
    rows = np.array(readable, np.int64)
    return PictureTokens(store.open("tokens"), store.open("pooled"), rows, unreadable, notes)


def _notes(store: TokenFiles | _Memory, n: int, ready: int, n_unreadable: int) -> tuple[str, ...]:
    notes = list[str]()
    if ready:
        notes.append(f"The tokens of {ready:,} of {n:,} images came from the cache.")
    if n_unreadable:
        notes.append(f"Skipped {n_unreadable:,} of {n:,} images: they could not be read.")
    if store.damaged:
        notes.append(f"Computed {store.damaged:,} damaged blocks of the token cache again.")
    clipped = sum(block.clipped for block in store.blocks)
    if clipped:
        notes.append(
            f"Clipped the tokens of {clipped:,} images to {_MAX_HALF:,.0f}, the largest number in half precision."
        )
    return tuple(notes)


class _TokenReader:
    """From images to tokens; `prepare` runs in worker threads, the tower in one."""

    def __init__(self, images: ItemStore, encoder: Encoder, tower: TokenTower) -> None:
        self.images = images
        self._encoder = encoder
        self._tower = tower
        self._batch: int = getattr(encoder, "batch_size", BATCH_ITEMS)

    def prepare(self, row: int) -> _PreparedPixels:
        """The row's pixels for the tower, or the reason why it is unreadable."""
        try:
            return _PreparedPixels(row, self._encoder.preprocess(decode(read_bytes(self.images, row)).image))
        except Unreadable as error:
            return _PreparedPixels(row, reason=f"{self.images.name(row)} {error}")

    def blocks(self, first: int, threads: int) -> Iterator[tuple[Block, dict[str, npt.NDArray[Any]]]]:
        """The blocks from row `first` on, a batch each."""
        waiting: list[_PreparedPixels] = []
        for item in prefetch(self.prepare, range(first, len(self.images)), threads, window=2 * self._batch + 8):
            waiting.append(item)
            if len(waiting) == self._batch:
                yield self._block(waiting)
                waiting = []
        if waiting:
            yield self._block(waiting)

    def _block(self, items: list[_PreparedPixels]) -> tuple[Block, dict[str, npt.NDArray[Any]]]:
        start = items[0].row
        stop = items[-1].row + 1
        unreadable = {item.row: item.reason for item in items if item.pixels is None}
        pixels = [item.pixels for item in items if item.pixels is not None]
        if not pixels:
            return Block(start, stop, unreadable), {}
        batch = self._tower.image_tokens(np.stack(pixels))
        clipped = int((np.abs(batch.tokens) > _MAX_HALF).any((1, 2)).sum())
        arrays: dict[str, npt.NDArray[Any]] = {"tokens": _as_half(batch.tokens), "pooled": batch.pooled}
        return Block(start, stop, unreadable, clipped), arrays


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
