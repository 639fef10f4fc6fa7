"""Read every item once: embeddings, properties and near-duplicates, with a cache on disk.

Worker threads read, decode and measure while the encoder runs; a window of a few batches bounds the memory for any
archive.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.data.modality import Unreadable, modality_of
from core.embeddings.cache import CachedImage, EmbeddingCache, entry_key
from core.embeddings.prefetch import none_readable, prefetch, read_bytes
from core.encoders import Encoder
from core.encoders.embedded.lite0_runtime import usable_cores
from core.errors import InvalidInput
from core.records import F32, I64, Column, Embeddings, ItemStore, Progress, Reporter, no_progress

BATCH_ITEMS = 16
_CUT = "cut by the encoder"
"""Cached property: whether an encoder with `is_cut(item)` sees only a part of the item."""


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddedImages:
    """Embeddings and properties of the readable rows of a store, in the store's order."""

    embeddings: Embeddings
    """(n_ok, d) search space."""
    joint: Embeddings
    """(n_ok, d2) space shared with texts."""
    properties: tuple[Column, ...]
    """Measured properties, n_ok rows each."""
    duplicate_groups: I64
    """(n_ok,) group number; near-duplicates share one."""
    kept: I64
    """(n_ok,) readable rows of the store."""
    unreadable: dict[int, str]
    """Row of the store -> reason, a sentence that begins with the image's name."""
    notes: tuple[str, ...]


@dataclass(slots=True)
class _PreparedRow:
    """One row in progress: from the cache, ready for the encoder, or unreadable."""

    row: int
    key: bytes = b""
    entry: CachedImage | None = None
    ready: npt.NDArray[Any] | None = None
    """Output of `Encoder.preprocess`."""
    properties: dict[str, Any] = field(default_factory=dict[str, Any])
    reason: str = ""


def read_images(
    images: ItemStore,
    encoder: Encoder,
    *,
    modality: str = "image",
    cache: Path | None = None,
    progress: Progress = no_progress,
    workers: int | None = None,
) -> EmbeddedImages:
    """Embed and measure every item that can be read.

    Args:
        images: items of any modality, read one at a time by several threads.
        encoder: an encoder of the items' modality; see `core.encoders.load_encoder`.
        cache: folder of the cache; None for no cache.
        progress: called as ("embed", done, total) about twice a second; if it raises, finished items stay cached.
        workers: number of decoding threads (default: the usable cores).

    Raises:
        InvalidInput: no item is readable, or the encoder has another modality.
        Cancelled: from `progress`.
    """
    _check_modality(encoder, modality)
    with ExitStack() as stack:
        store: EmbeddingCache | None = None
        if cache is not None:
            store = EmbeddingCache(cache)
            stack.callback(store.close)
        reader = _VectorReader(images, encoder, store)
        reader.read(progress, workers or usable_cores())
        return reader.result(progress)


@dataclass(frozen=True, slots=True, eq=False)
class EncodedItems:
    """Vectors of n items, without properties that need all of them."""

    entries: dict[int, CachedImage]
    """Readable row of the store -> its vectors and measured properties."""
    keys: dict[int, bytes]
    """Row -> key of its item and encoder (`core.embeddings.cache.entry_key`)."""
    unreadable: dict[int, str]
    """As in `EmbeddedImages`."""


def encode_images(
    images: ItemStore, encoder: Encoder, *, modality: str = "image", workers: int | None = None
) -> EncodedItems:
    """Compute the vectors of `read_images`, equal to the last digit, for a block of a larger set: without
    near-duplicates, and a block can be entirely unreadable.

    Raises:
        InvalidInput: the encoder has another modality.
    """
    _check_modality(encoder, modality)
    reader = _VectorReader(images, encoder, None)
    reader.read(no_progress, workers or usable_cores())
    return EncodedItems({row: reader.entry(row) for row in sorted(reader.measured)}, reader.keys, reader.unreadable)


def _check_modality(encoder: Encoder, modality: str) -> None:
    if encoder.modality != modality:
        raise InvalidInput(
            f"The encoder {encoder.name!r} is for {encoder.modality!r}, but the samples are {modality!r}. "
            f"Choose an encoder for {modality!r}, or use your own embeddings."
        )


class _VectorReader:
    """Reads rows from bytes to vectors; `prepare` runs in worker threads, the other methods in one."""

    def __init__(self, images: ItemStore, encoder: Encoder, cache: EmbeddingCache | None) -> None:
        self.images = images
        self.encoder = encoder
        self.cache = cache
        self.modality = modality_of(encoder.modality)
        # entries hold properties by name, so renaming one must change the key
        names = "/".join(self.modality.meanings)
        self.fingerprint = f"{encoder.fingerprint}/{self.modality.version}/{names}"
        self.embeddings: F32 | None = None
        self.joint: F32 | None = None
        self.keys: dict[int, bytes] = {}
        self.measured: dict[int, dict[str, Any]] = {}
        self.unreadable: dict[int, str] = {}
        self.n_from_cache = 0

    @property
    def n_settled(self) -> int:
        return len(self.measured) + len(self.unreadable)

    def read(self, progress: Progress, workers: int) -> None:
        """Read every row, a window of a few batches at a time."""
        n = len(self.images)
        waiting = list[_PreparedRow]()
        report = Reporter(progress, "embed", len(self.images))
        batch = getattr(self.encoder, "batch_size", BATCH_ITEMS)
        for item in prefetch(self.prepare, range(n), workers, window=2 * batch + 8):
            if not self.settle(item):
                waiting.append(item)
            if len(waiting) == batch:
                self.encode(waiting)
                waiting = []
            report(self.n_settled)
        self.encode(waiting)
        report(n, last=True)

    def entry(self, row: int) -> CachedImage:
        """Return the cache entry of a row that was read."""
        assert self.embeddings is not None
        assert self.joint is not None
        return CachedImage(self.embeddings[row], self.joint[row], self.measured[row])

    def prepare(self, row: int) -> _PreparedRow:
        """Read the row's bytes; take its entry from the cache, or decode, measure and preprocess it."""
        try:
            data = read_bytes(self.images, row)
        except Unreadable as error:
            return _PreparedRow(row, reason=str(error))
        key = entry_key(data, self.fingerprint)
        if self.cache is not None:
            entry = self.cache.get(key)
            if entry is not None:
                return _PreparedRow(row, key, entry)
        try:
            content, measured = self.modality.open(data)
            is_cut = getattr(self.encoder, "is_cut", None)
            if is_cut is not None:
                measured[_CUT] = bool(is_cut(content))
        except Unreadable as error:
            return _PreparedRow(row, key, reason=str(error))
        return _PreparedRow(row, key, ready=self.encoder.preprocess(content), properties=measured)

    def settle(self, item: _PreparedRow) -> bool:
        """Take the row if it needs no encoder; return whether it was taken."""
        if item.reason:
            self.unreadable[item.row] = f"{self.images.name(item.row)} {item.reason}"
        elif item.entry is not None:
            self._keep(item.row, item.key, item.entry)
            self.n_from_cache += 1
        return item.ready is None

    def encode(self, items: list[_PreparedRow]) -> None:
        """Encode these rows and cache them."""
        if not items:
            return
        finding, joint = self.encoder.encode_items(np.stack([item.ready for item in items if item.ready is not None]))
        entries: list[CachedImage] = []
        for item, vector, joint_vector in zip(items, finding, joint):
            if joint is finding:  # the same array, which `_keep` recognizes
                joint_vector = vector
            entries.append(CachedImage(vector, joint_vector, item.properties))
        if self.cache is not None:
            self.cache.put((item.key, entry) for item, entry in zip(items, entries))
        for item, entry in zip(items, entries):
            self._keep(item.row, item.key, entry)

    def _keep(self, row: int, key: bytes, entry: CachedImage) -> None:
        if self.embeddings is None or self.joint is None:
            self.embeddings = np.zeros((len(self.images), len(entry.embedding)), np.float32)
            self.joint = self.embeddings
            if entry.joint is not entry.embedding:
                self.joint = np.zeros((len(self.images), len(entry.joint)), np.float32)
        self.embeddings[row] = entry.embedding
        if self.joint is self.embeddings and entry.joint is not entry.embedding:
            self.joint = self.embeddings.copy()  # so far the two vectors of each row were equal
        if self.joint is not self.embeddings:
            self.joint[row] = entry.joint
        self.keys[row] = key
        self.measured[row] = entry.properties

    def result(self, progress: Progress) -> EmbeddedImages:
        """Collect the result of all readable rows."""
        if self.embeddings is None or self.joint is None:
            raise InvalidInput(none_readable(self.unreadable, f"{self.encoder.modality}s"))

        def still_here(step: str, done: int, total: int) -> None:
            progress("embed", len(self.images), len(self.images))

        rows = np.array(sorted(self.measured), np.int64)
        vectors = self.embeddings[rows]
        joint = vectors
        if self.joint is not self.embeddings:
            joint = self.joint[rows]
        measured = [self.measured[row] for row in rows.tolist()]
        label = f"{self.encoder.name} {self.encoder.fingerprint[:12]}"
        return EmbeddedImages(
            Embeddings(vectors, label, self.encoder.finding_space),
            Embeddings(joint, label, self.encoder.joint_space),
            self.modality.properties(measured),
            self.modality.duplicates([self.keys[row] for row in rows.tolist()], measured, vectors, still_here),
            rows,
            dict(sorted(self.unreadable.items())),
            (*self._notes(), *self.modality.notes(measured)),
        )

    def _notes(self) -> tuple[str, ...]:
        n = len(self.images)
        what = f"{self.encoder.modality}s"
        notes = list[str]()
        n_cut = sum(bool(measured.get(_CUT)) for measured in self.measured.values())
        if n_cut:
            notes.append(f"{n_cut:,} of {n:,} {what} exceed the encoder's limit; it does not see their ends.")
        if self.n_from_cache:
            notes.append(f"{self.n_from_cache:,} of {n:,} {what} came from the cache.")
        if self.unreadable:
            notes.append(f"Skipped {len(self.unreadable):,} of {n:,} {what}: they could not be read.")
        cache = self.cache
        if cache is None:
            return tuple(notes)
        if cache.damaged:
            notes.append(f"Computed {cache.damaged:,} damaged cache entries again.")
        if cache.set_aside:
            notes.append(f"Could not read the cache file: moved it to {cache.set_aside.name} and started a new one.")
        if cache.failure:
            notes.append(f"Could not write the cache ({cache.failure}): the next run computes these {what} again.")
        return tuple(notes)
