"""An adapted encoder as a scorer: the tokens of a benchmark's images and captions, read once, and what the adapter
says of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from core.encoders import Encoder
from core.encoders.tokens import tower_of
from core.errors import InvalidInput
from core.records import F64, ItemStore, Progress, no_progress
from core.systems.common.tokens import read_image_tokens, read_text_tokens
from core.systems.composition.records import Benchmark, Item, LoadedBenchmark, Scores, distinct_captions
from core.systems.composition.training.adapted import Adapted
from core.systems.composition.training.matching import score_pairs, score_questions
from core.systems.composition.training.pairs import PairData, pair_data


@dataclass(frozen=True, slots=True, eq=False)
class BenchmarkTokens:
    """The tokens of a benchmark's images and captions."""

    data: PairData
    benchmark: Benchmark
    """Only its items whose images could all be read, in order."""
    places: tuple[int, ...]
    """Place of each of these among the items that were asked for."""
    unreadable: Mapping[int, str]
    """Place in the benchmark's images -> why it could not be read."""
    notes: tuple[str, ...]


def read_tokens(
    pictured: LoadedBenchmark, encoder: Encoder, *, cache: Path | None = None, progress: Progress = no_progress
) -> BenchmarkTokens:
    """Tokens of every image and caption, each read once.

    An item with an image that cannot be read is left out; a retrieval item goes on without it.

    Raises:
        InvalidInput: the encoder gives no tokens, no image could be read, or no item is left.
    """
    benchmark = pictured.benchmark
    tower = tower_of(encoder)
    used = np.unique([at for item in benchmark.items for at in item.pictures]).astype(np.int64)
    if not len(used):
        raise InvalidInput(
            f"{benchmark.title} has no item left to read. Add its images, or check why items are excluded."
        )
    images = read_image_tokens(pictured.store.keep(used), encoder, tower, cache=cache, progress=progress)
    row_of = np.full(len(benchmark.pictures), -1, np.int64)
    row_of[used[images.kept_rows]] = np.arange(len(images.kept_rows))
    left = [(i, _readable(item, row_of, benchmark.kind)) for i, item in enumerate(benchmark.items)]
    usable = [(i, item) for i, item in left if item is not None]
    if not usable:
        raise InvalidInput(
            f"No item of {benchmark.title} has readable images. The first: {next(iter(images.unreadable.values()))}"
        )
    items = tuple(replace(item, pictures=tuple(row_of[list(item.pictures)].tolist())) for _, item in usable)
    whole = replace(
        benchmark, items=items, pictures=tuple(benchmark.pictures[at] for at in used[images.kept_rows].tolist())
    )
    texts = read_text_tokens(distinct_captions(items).captions, tower, progress=progress)
    unreadable = {int(used[row]): reason for row, reason in images.unreadable.items()}
    data = pair_data(whole, images, texts)  # type: ignore[arg-type]
    return BenchmarkTokens(data, whole, tuple(i for i, _ in usable), unreadable, images.notes)


def _readable(item: Item, row_of: np.ndarray[tuple[int], np.dtype[np.int64]], kind: str) -> Item | None:
    """The item over the images that could be read, or None where it cannot go on."""
    seen = row_of[list(item.pictures)] >= 0
    if seen.all():
        return item
    if kind != "retrieval":
        return None
    new = np.cumsum(seen) - 1
    match = tuple((int(new[picture]), caption) for picture, caption in item.match if seen[picture])
    if not match or len(match) == seen.sum():
        return None
    pictures = tuple(at for at, readable in zip(item.pictures, seen) if readable)
    return replace(item, pictures=pictures, match=match, hard=None if item.hard is None else item.hard[seen])


class AdaptedScorer:
    """An adapted encoder as a `core.records.Scorer`: a pair's score is the adapter's logit."""

    def __init__(self, adapted: Adapted) -> None:
        self.adapted = adapted
        self.name = adapted.name
        self.fingerprint = adapted.fingerprint

    def score(
        self, pictured: LoadedBenchmark, *, cache: Path | None = None, progress: Progress = no_progress
    ) -> Scores:
        """(I, T) logits of every item; nan in the rows of images that could not be read.

        Raises:
            InvalidInput: no image could be read.
            Cancelled: by `progress`.
        """
        read = read_tokens(pictured, self.adapted.encoder, cache=cache, progress=progress)
        scores = dict(zip(read.places, score_questions(self.adapted.module, read.data, progress)))
        matrices = tuple(
            _over_all(scores.get(i), item, read.unreadable) for i, item in enumerate(pictured.benchmark.items)
        )
        taught = self.adapted.seen_in_training(pictured.benchmark)
        return Scores(self.name, self.fingerprint, matrices, read.notes, dict(read.unreadable), taught)

    def matrix(
        self, images: ItemStore, texts: Sequence[str], *, cache: Path | None = None, progress: Progress = no_progress
    ) -> F64:
        """(n, m) logits of every image with every text; an image that cannot be read is a row of nan."""
        tower = tower_of(self.adapted.encoder)
        read = read_image_tokens(images, self.adapted.encoder, tower, cache=cache, progress=progress)
        captions = tuple(dict.fromkeys(texts))
        data = PairData(read, read_text_tokens(captions, tower, progress=progress), captions, ())  # type: ignore[arg-type]
        n = len(read.kept_rows)
        m = len(captions)
        pairs = np.stack(np.meshgrid(np.arange(n), np.arange(m), indexing="ij"), 2).reshape(-1, 2)
        out = np.full((len(images), m), np.nan)
        out[read.kept_rows] = score_pairs(self.adapted.module, data, pairs, progress).reshape(n, m)
        return out[:, [captions.index(text) for text in texts]]


def _over_all(scores: F64 | None, item: Item, unreadable: Mapping[int, str]) -> F64:
    """The scores over all of an item's images."""
    out = np.full((len(item.pictures), len(item.captions)), np.nan)
    if scores is not None:
        out[[at not in unreadable for at in item.pictures]] = scores
    return out
