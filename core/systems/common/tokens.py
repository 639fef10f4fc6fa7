"""Read every image once into the tokens of a tower, and every caption: in memory, or behind a cache on disk that
survives an interruption.

Worker threads read and decode while the tower runs; a window of a few batches bounds the memory, whatever the set
holds. Nothing else is
measured of the images: see `core.embeddings.embed` for that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
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
_TEXTS = 256
_LIMIT = float(np.finfo(np.float16).max)


@dataclass(frozen=True, slots=True, eq=False)
class PictureTokens:
    """The tokens of the images that could be read, in the store's order: n of P patches."""

    tokens: F16
    """(n, P, di) in half precision; a read-only memory map where there is a cache."""
    pooled: F32
    """(n, d) unit rows of the joint space."""
    kept: I64
    """(n,) rows of the store that could be read."""
    unreadable: dict[int, str]
    """Row of the store -> why it could not be read, a sentence that begins with the image's name."""
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.kept)

    def rows(self, at: I64) -> ImageTokens:
        """Those images in memory, in that order, in single precision; `at` are places among the n, not rows of the
        store."""
        return ImageTokens(self.tokens[at].astype(np.float32), np.asarray(self.pooled[at], np.float32))


@dataclass(frozen=True, slots=True, eq=False)
class _PreparedPixels:
    row: int
    pixels: F32 | None = None
    reason: str = ""


@dataclass(slots=True, eq=False)
class _Memory:
    """What `TokenFiles` does, in memory."""

    blocks: list[Block] = field(default_factory=list[Block])
    shapes: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    damaged: int = 0
    _parts: dict[str, list[npt.NDArray[Any]]] = field(default_factory=dict[str, list[npt.NDArray[Any]]])

    @property
    def next_row(self) -> int:
        return self.blocks[-1].stop if self.blocks else 0

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
    """The tokens of every image that can be read.

    Args:
        images: opened one at a time, by several threads.
        encoder: makes an image ready for its tower.
        tower: `encoder.token_tower()`.
        cache: folder of the cache, in which each set of images and tower gets a folder of its own; None keeps
            everything in memory. A ViT-B/32 takes 77 kB an image, the embedded encoder 79 kB.
        progress: called as ("hash images", done, total), only with a cache, and ("tokens", done, total); where it
            raises, what was done stays cached and the next call goes on from there.
        workers: threads that decode; by default the cores that the process may use.

    Raises:
        InvalidInput: not one image could be read, or the cache cannot be written.
        Cancelled: from `progress`.
    """
    threads = workers or usable_cores()
    reader = _TokenReader(images, encoder, tower)
    if cache is None:
        return _filled(_Memory(), reader, progress, threads)
    folder = cache / "tokens" / _key(images, tower, progress, threads)

    def waiting() -> None:
        progress("tokens", 0, len(images))  # another pass writes the same tokens

    with lock(folder, waiting):
        return _filled(TokenFiles(folder, len(images)), reader, progress, threads)


def _key(images: ItemStore, tower: TokenTower, progress: Progress, threads: int) -> str:
    """Stands for the tower and the bytes of all images in their order."""

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


def _filled(store: TokenFiles | _Memory, reader: _TokenReader, progress: Progress, threads: int) -> PictureTokens:
    n = len(reader.images)
    ready = store.next_row
    report = Reporter(progress, "tokens", n)
    report(ready)
    for block, arrays in reader.blocks(ready, threads):
        store.append(block, arrays)
        report(block.stop)
    report(n, last=True)
    unreadable = {row: reason for block in store.blocks for row, reason in block.unreadable.items()}
    if not store.shapes:
        raise InvalidInput(none_readable(unreadable))
    kept = np.array([row for block in store.blocks for row in block.rows], np.int64)
    notes = _notes(store, n, ready, len(unreadable))
    return PictureTokens(store.open("tokens"), store.open("pooled"), kept, unreadable, notes)


def _notes(store: TokenFiles | _Memory, n: int, ready: int, n_unreadable: int) -> tuple[str, ...]:
    clipped = sum(block.clipped for block in store.blocks)
    told = (
        (ready, f"The tokens of {ready:,} of {n:,} images came from the cache."),
        (n_unreadable, f"{n_unreadable:,} of {n:,} images could not be read and are left out."),
        (store.damaged, f"{store.damaged:,} damaged blocks of the token cache were computed again."),
        (
            clipped,
            f"The tokens of {clipped:,} images hold numbers above {_LIMIT:,.0f}, the limit of half "
            "precision, and were cut to it.",
        ),
    )
    return tuple(sentence for count, sentence in told if count)


class _TokenReader:
    """Images on their way from bytes to tokens; `prepare` runs in worker threads, the rest in one."""

    def __init__(self, images: ItemStore, encoder: Encoder, tower: TokenTower) -> None:
        self.images = images
        self._encoder = encoder
        self._tower = tower
        self._batch: int = getattr(encoder, "batch_size", BATCH_ITEMS)

    def prepare(self, row: int) -> _PreparedPixels:
        """The row ready for the tower, or the reason why not."""
        try:
            return _PreparedPixels(row, self._encoder.preprocess(decode(read_bytes(self.images, row)).image))
        except Unreadable as error:
            return _PreparedPixels(row, reason=f"{self.images.name(row)} {error}")

    def blocks(self, first: int, threads: int) -> Iterator[tuple[Block, dict[str, npt.NDArray[Any]]]]:
        """Rows `first` and on, a batch at a time."""
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
        found = self._tower.image_tokens(np.stack(pixels))
        beyond = int((np.abs(found.tokens) > _LIMIT).any((1, 2)).sum())
        arrays: dict[str, npt.NDArray[Any]] = {
            "tokens": np.clip(found.tokens, -_LIMIT, _LIMIT).astype(np.float16),
            "pooled": found.pooled,
        }
        return Block(start, stop, unreadable, beyond), arrays


def read_text_tokens(captions: Sequence[str], tower: TokenTower, *, progress: Progress = no_progress) -> TextTokens:
    """The tokens of every caption, a few hundred at a time, padded to the longest of all; `tokens` in half precision.

    Args:
        captions: give each one once; m of T tokens take 2 m T dt bytes.
        progress: called as ("caption tokens", done, total).
    """
    parts: list[TextTokens] = []
    for start in range(0, max(len(captions), 1), _TEXTS):
        found = tower.text_tokens(captions[start : start + _TEXTS])
        half = np.clip(found.tokens, -_LIMIT, _LIMIT).astype(np.float16)
        parts.append(TextTokens(cast(F32, half), found.ids, found.words, found.seen, found.pooled, found.pieces))
        progress("caption tokens", min(start + _TEXTS, len(captions)), len(captions))
    longest = max(part.ids.shape[1] for part in parts)
    padding = next((int(part.ids[~part.seen][0]) for part in parts if not part.seen.all()), 0)
    return TextTokens(
        np.concatenate([_widened(part.tokens, longest) for part in parts]),
        np.concatenate([_widened(part.ids, longest, padding) for part in parts]),
        np.concatenate([_widened(part.words, longest) for part in parts]),
        np.concatenate([_widened(part.seen, longest) for part in parts]),
        np.concatenate([part.pooled for part in parts]),
        tuple(pieces for part in parts for pieces in part.pieces),
    )


def _widened(array: npt.NDArray[Any], length: int, fill: int = 0) -> npt.NDArray[Any]:
    """(m, length, ...) with `fill` behind what is there."""
    return np.pad(array, [(0, 0), (0, length - array.shape[1]), *[(0, 0)] * (array.ndim - 2)], constant_values=fill)
