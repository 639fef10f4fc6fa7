"""Read every item once: embeddings, properties and near-duplicates, behind a cache on disk.

Worker threads read, decode and measure while the encoder runs; a window of a few batches bounds the memory, whatever
the archive holds.
"""

from __future__ import annotations

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

BATCH = 16
_CUT = "cut by the encoder"
"""Name under which it travels in the cache whether an encoder that has `is_cut(item)` sees only a part of an item."""


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddedImages:
    """What the images gave. Rows are the store's readable rows, in the store's order."""

    embeddings: Embeddings
    """(n_ok, d) finding space."""
    joint: Embeddings
    """(n_ok, d2) space shared with texts."""
    properties: tuple[Column, ...]
    """Measured, n_ok rows each."""
    duplicate_groups: I64
    """(n_ok,) group number; near-duplicates share one."""
    kept: I64
    """(n_ok,) rows of the store that could be read."""
    unreadable: dict[int, str]
    """Row of the store -> why it could not be read, a sentence that begins with the image's name."""
    notes: tuple[str, ...]


@dataclass(slots=True)
class _PreparedRow:
    """One row on its way through: either known from the cache, or ready for the encoder, or unreadable."""

    row: int
    key: bytes = b""
    entry: CachedImage | None = None
    ready: npt.NDArray[Any] | None = None
    """As `Encoder.preprocess` gives it."""
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
        images: items of any modality, opened one at a time, by several threads.
        encoder: see `core.encoders.load_encoder`; of the items' modality.
        cache: folder of the cache; None reads everything anew and keeps nothing.
        progress: called as ("embed", done, total) about twice a second; where it raises, what was done stays cached.
        workers: threads that decode; by default the cores that the process may use.

    Raises:
        InvalidInput: not one item could be read, or the encoder is of another modality.
        Cancelled: from `progress`.
    """
    _check_modality(encoder, modality)
    reader = _VectorReader(images, encoder, None if cache is None else EmbeddingCache(cache))
    try:
        reader.read(progress, workers or usable_cores())
        return reader.result(progress)
    finally:
        if reader.cache is not None:
            reader.cache.close()


@dataclass(frozen=True, slots=True, eq=False)
class EncodedItems:
    """What an encoder makes of n items, before anything is asked of them together."""

    entries: dict[int, CachedImage]
    """Row of the store -> its vectors and what was measured, of the readable ones."""
    keys: dict[int, bytes]
    """Row -> what tells it from another item and encoder (`core.embeddings.cache.entry_key`)."""
    unreadable: dict[int, str]
    """As in `EmbeddedImages`."""


def encode_images(
    images: ItemStore, encoder: Encoder, *, modality: str = "image", workers: int | None = None
) -> EncodedItems:
    """The vectors of `read_images`, number for number, of a block of a larger set: near-duplicates are not looked for,
    and a block may hold nothing that can be read.

    Raises:
        InvalidInput: the encoder is of another modality.
    """
    _check_modality(encoder, modality)
    reader = _VectorReader(images, encoder, None)
    reader.read(no_progress, workers or usable_cores())
    return EncodedItems({row: reader.entry(row) for row in sorted(reader.measured)}, reader.keys, reader.unreadable)


def _check_modality(encoder: Encoder, modality: str) -> None:
    if encoder.modality != modality:
        raise InvalidInput(
            f"An encoder must be of the samples' modality: {encoder.name!r} embeds {encoder.modality!r} and the "
            f"samples are {modality!r}. Choose an encoder of {modality!r}, or bring embeddings of your own."
        )


class _VectorReader:
    """Rows on their way from bytes to vectors; `prepare` runs in worker threads, the rest in one."""

    def __init__(self, images: ItemStore, encoder: Encoder, cache: EmbeddingCache | None) -> None:
        self.images = images
        self.encoder = encoder
        self.cache = cache
        self.modality = modality_of(encoder.modality)
        self.fingerprint = f"{encoder.fingerprint}/{self.modality.version}"
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
        """Settle every row, a window of a few batches at a time."""
        n = len(self.images)
        waiting = list[_PreparedRow]()
        report = Reporter(progress, "embed", len(self.images))
        batch = getattr(self.encoder, "batch_size", BATCH)
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
        """What the cache would keep of a row that was read."""
        assert self.embeddings is not None
        assert self.joint is not None
        return CachedImage(self.embeddings[row], self.joint[row], self.measured[row])

    def prepare(self, row: int) -> _PreparedRow:
        """Read the row's bytes; from the cache if it is there, else decoded, measured and made ready for the
        encoder."""
        try:
            data = read_bytes(self.images, row)
        except Unreadable as error:
            return _PreparedRow(row, reason=str(error))
        key = entry_key(data, self.fingerprint)
        entry = None if self.cache is None else self.cache.get(key)
        if entry is not None:
            return _PreparedRow(row, key, entry)
        try:
            content, measured = self.modality.open(data)
            if (is_cut := getattr(self.encoder, "is_cut", None)) is not None:
                measured[_CUT] = bool(is_cut(content))
        except Unreadable as error:
            return _PreparedRow(row, key, reason=str(error))
        return _PreparedRow(row, key, ready=self.encoder.preprocess(content), properties=measured)

    def settle(self, item: _PreparedRow) -> bool:
        """Take the row if it needs no encoder; says whether that was so."""
        if item.reason:
            self.unreadable[item.row] = f"{self.images.name(item.row)} {item.reason}"
        elif item.entry is not None:
            self._keep(item.row, item.key, item.entry)
            self.n_from_cache += 1
        return item.ready is None

    def encode(self, items: list[_PreparedRow]) -> None:
        """Run the encoder over these rows and put them in the cache."""
        if not items:
            return
        finding, joint = self.encoder.encode_items(np.stack([item.ready for item in items if item.ready is not None]))
        entries = [
            CachedImage(finding[i], finding[i] if joint is finding else joint[i], item.properties)
            for i, item in enumerate(items)
        ]
        if self.cache is not None:
            self.cache.put((item.key, entry) for item, entry in zip(items, entries))
        for item, entry in zip(items, entries):
            self._keep(item.row, item.key, entry)

    def _keep(self, row: int, key: bytes, entry: CachedImage) -> None:
        if self.embeddings is None or self.joint is None:
            self.embeddings = np.zeros((len(self.images), len(entry.embedding)), np.float32)
            same = entry.joint is entry.embedding
            self.joint = self.embeddings if same else np.zeros((len(self.images), len(entry.joint)), np.float32)
        self.embeddings[row] = entry.embedding
        if self.joint is self.embeddings and entry.joint is not entry.embedding:
            self.joint = self.embeddings.copy()  # until now each row's two vectors were equal
        if self.joint is not self.embeddings:
            self.joint[row] = entry.joint
        self.keys[row], self.measured[row] = key, entry.properties

    def result(self, progress: Progress) -> EmbeddedImages:
        """The reading of all rows that were kept."""
        if self.embeddings is None or self.joint is None:
            raise InvalidInput(none_readable(self.unreadable, f"{self.encoder.modality}s"))

        def still_here(step: str, done: int, total: int) -> None:
            progress("embed", len(self.images), len(self.images))

        kept = np.array(sorted(self.measured), np.int64)
        vectors = self.embeddings[kept]
        joint = vectors if self.joint is self.embeddings else self.joint[kept]
        measured = [self.measured[row] for row in kept.tolist()]
        label = f"{self.encoder.name} {self.encoder.fingerprint[:12]}"
        return EmbeddedImages(
            Embeddings(vectors, label, self.encoder.finding_space),
            Embeddings(joint, label, self.encoder.joint_space),
            self.modality.properties(measured),
            self.modality.duplicates([self.keys[row] for row in kept.tolist()], measured, vectors, still_here),
            kept,
            dict(sorted(self.unreadable.items())),
            (*self._notes(), *self.modality.notes(measured)),
        )

    def _notes(self) -> tuple[str, ...]:
        n = len(self.images)
        what = f"{self.encoder.modality}s"
        notes = list[str]()
        if cut := sum(bool(measured.get(_CUT)) for measured in self.measured.values()):
            notes.append(f"{cut:,} of {n:,} {what} are longer than the encoder reads: it does not see their ends.")
        if self.n_from_cache:
            notes.append(f"{self.n_from_cache:,} of {n:,} {what} came from the cache.")
        if self.unreadable:
            notes.append(f"{len(self.unreadable):,} of {n:,} {what} could not be read and are left out.")
        if self.cache is not None and self.cache.damaged:
            notes.append(f"{self.cache.damaged:,} damaged cache entries were computed again.")
        if self.cache is not None and self.cache.set_aside:
            notes.append(
                f"The cache file could not be read; it was moved to {self.cache.set_aside.name} and a new one begun."
            )
        if self.cache is not None and self.cache.failure:
            notes.append(
                f"The cache could not be written ({self.cache.failure}): the next run will compute these {what} again."
            )
        return tuple(notes)
