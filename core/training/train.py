"""From pictures to a trained adapter, and from an adapter to scores: the tokens are read here."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from core.composition.scoring.encoder import EncoderScorer
from core.embeddings.tokens import read_image_tokens, read_text_tokens
from core.encoders import Encoder
from core.encoders.tokens import tower_of
from core.errors import InvalidInput
from core.probes.epochs import Epoch
from core.records import (
    F64,
    Benchmark,
    Bool,
    Item,
    ItemStore,
    LoadedBenchmark,
    Progress,
    Scores,
    distinct_captions,
    no_progress,
)
from core.training.adapted import Adapted, make_adapted
from core.training.adapters import make_adapter
from core.training.checkpoints import STATE, WEIGHTS, read_tensors
from core.training.loop import Trained, Training, fit, picture_groups, split_items
from core.training.matching import score_pairs, score_questions
from core.training.pairs import PairData, pair_data
from core.training.reference_tasks import CAPTIONED, EVERYDAY, captioned_items, scene_captions
from core.training.reranking import choose_weight
from core.training.scorers import matrix_of

SEARCHED = 150
"""Everyday pictures on which the weight of a re-ranker is chosen."""


@dataclass(frozen=True, slots=True, eq=False)
class BenchmarkTokens:
    """The tokens of a benchmark's pictures and captions."""

    data: PairData
    benchmark: Benchmark
    """Only its items whose pictures could all be read, in order."""
    places: tuple[int, ...]
    """Place of each of these among the items that were asked for."""
    unreadable: Mapping[int, str]
    """Place in the benchmark's pictures -> why it could not be read."""
    notes: tuple[str, ...]


def read_tokens(
    pictured: LoadedBenchmark, encoder: Encoder, *, cache: Path | None = None, progress: Progress = no_progress
) -> BenchmarkTokens:
    """Tokens of every picture and caption, each read once.

    An item with a picture that cannot be read is left out; a retrieval item goes on without it.

    Raises:
        InvalidInput: the encoder gives no tokens, no picture could be read, or no item is left.
    """
    benchmark, tower = pictured.benchmark, tower_of(encoder)
    used = np.unique([at for item in benchmark.items for at in item.pictures]).astype(np.int64)
    if not len(used):
        raise InvalidInput(
            f"{benchmark.title} has no item left to read. Bring its pictures, or look at why items are excluded."
        )
    images = read_image_tokens(pictured.store.keep(used), encoder, tower, cache=cache, progress=progress)
    place = np.full(len(benchmark.pictures), -1, np.int64)
    place[used[images.kept]] = np.arange(len(images.kept))
    left = [(i, _readable(item, place, benchmark.kind)) for i, item in enumerate(benchmark.items)]
    kept = [(i, item) for i, item in left if item is not None]
    if not kept:
        raise InvalidInput(
            f"No item of {benchmark.title} has pictures that can be read. "
            f"The first: {next(iter(images.unreadable.values()))}"
        )
    items = tuple(replace(item, pictures=tuple(place[list(item.pictures)].tolist())) for _, item in kept)
    whole = replace(benchmark, items=items, pictures=tuple(benchmark.pictures[at] for at in used[images.kept].tolist()))
    texts = read_text_tokens(distinct_captions(items).captions, tower, progress=progress)
    unreadable = {int(used[row]): reason for row, reason in images.unreadable.items()}
    data = pair_data(whole, images, texts)  # type: ignore[arg-type]
    return BenchmarkTokens(data, whole, tuple(i for i, _ in kept), unreadable, images.notes)


def _readable(item: Item, place: np.ndarray[tuple[int], np.dtype[np.int64]], kind: str) -> Item | None:
    """The item over the pictures that could be read, or None where it cannot go on."""
    seen = place[list(item.pictures)] >= 0
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


def adapt(
    pictured: LoadedBenchmark,
    name: str,
    settings: Mapping[str, Any],
    how: Training,
    encoder: Encoder,
    *,
    state: Path | None = None,
    cache: Path | None = None,
    progress: Progress = no_progress,
) -> Adapted:
    """Train an adapter on a benchmark's items; part of them stops the training, and chooses its weight as a re-ranker.

    Args:
        name: of `core.training.adapters.ADAPTERS`.
        settings: of that adapter, the others at their defaults.
        state: folder in which a training that was stopped is taken up again.
        cache: where tokens are kept between runs.
        progress: called with the steps "hash pictures", "tokens", "caption tokens" and "train"; may raise `Cancelled`.

    Raises:
        InvalidInput: an unknown adapter or setting, too few items, an encoder without tokens, or a `state` of another
        training. Cancelled: by `progress`; with `state` the finished epochs are kept.
    """
    adapter = make_adapter(name, settings)  # a wrong setting is said before pictures are read
    read = read_tokens(pictured, encoder, cache=cache, progress=progress)
    learn, hold = split_items(len(read.data.questions), how.validation, picture_groups(read.data), how.seed)
    tower = tower_of(encoder)
    training, validation = read.data.keep(learn), read.data.keep(hold)

    def build() -> Any:
        return adapter.build(tower, encoder, how.seed)

    found = fit(adapter, build, training, validation, how, state=state, progress=progress)
    adapted = make_adapted(name, settings, how, found, encoder, read.benchmark)
    held = [pictured.benchmark.items[read.places[at]] for at in hold.tolist()]
    matrices = score_questions(found.module, validation)
    return _weighed(adapted, pictured, list(zip(held, matrices)), how.seed, cache=cache, progress=progress)


def _weighed(
    adapted: Adapted, pictured: LoadedBenchmark, held: Sequence[tuple[Item, F64]], seed: int, **given: Any
) -> Adapted:
    """The adapter with its weight as a re-ranker, chosen on held-back items beside the search of everyday pictures:
    those among the items, else the scenes that come along, of which the check of forgetting takes others."""
    asked = [(item, scores) for item, scores in held if EVERYDAY not in item.tags]
    if not asked:
        return adapted
    frozen = EncoderScorer(adapted.encoder)

    def part(items: Sequence[Item]) -> LoadedBenchmark:
        return replace(pictured, benchmark=replace(pictured.benchmark, items=tuple(items)))

    everyday = [item for item, _ in held if EVERYDAY in item.tags]
    captioned = (
        captioned_items(part(everyday), SEARCHED, seed) if everyday else scene_captions(SEARCHED, seed, skip=CAPTIONED)
    )
    before = frozen.score(part([item for item, _ in asked]), **given).matrices
    match = [_match(item) for item, _ in asked]
    first, second = (
        matrix_of(scorer, captioned.images, captioned.captions, **given) for scorer in (frozen, AdaptedScorer(adapted))
    )
    seen = np.isfinite(first.sum(axis=1) + second.sum(axis=1))
    items = [(a, b, m) for a, (_, b), m in zip(before, asked, match) if a.shape == b.shape and np.isfinite(a).all()]
    if not seen.any() or not items:
        return adapted
    weight, rows = choose_weight(items, first[seen], second[seen], captioned.true[seen])
    return Adapted(replace(adapted.record, rerank=weight, weighed=rows), adapted.module, adapted.encoder)


def _match(item: Item) -> Bool:
    found = np.zeros((len(item.pictures), len(item.captions)), np.bool_)
    found[tuple(np.array(item.match).T)] = True
    return found


class AdaptedScorer:
    """An adapted encoder as a `core.records.Scorer`: a pair's score is the adapter's logit."""

    def __init__(self, adapted: Adapted) -> None:
        self.adapted = adapted
        self.name, self.fingerprint = adapted.name, adapted.fingerprint

    def score(
        self, pictured: LoadedBenchmark, *, cache: Path | None = None, progress: Progress = no_progress
    ) -> Scores:
        """(I, T) logits of every item; nan in the rows of pictures that could not be read.

        Raises:
            InvalidInput: no picture could be read.
            Cancelled: by `progress`.
        """
        read = read_tokens(pictured, self.adapted.encoder, cache=cache, progress=progress)
        found = dict(zip(read.places, score_questions(self.adapted.module, read.data, progress)))
        matrices = tuple(
            _over_all(found.get(i), item, read.unreadable) for i, item in enumerate(pictured.benchmark.items)
        )
        notes = (*read.notes, *self._taught(pictured.benchmark))
        return Scores(self.name, self.fingerprint, matrices, notes, dict(read.unreadable))

    def _taught(self, benchmark: Benchmark) -> tuple[str, ...]:
        n = self.adapted.n_seen_in_training(benchmark)
        said = (
            f"{n:,} of {len(benchmark):,} items were in this adapter's training: on those it shows memory, not skill."
        )
        return (said,) if n else ()

    def matrix(
        self, images: ItemStore, texts: Sequence[str], *, cache: Path | None = None, progress: Progress = no_progress
    ) -> F64:
        """(n, m) logits of every picture with every text; a picture that cannot be read is a row of nan."""
        tower = tower_of(self.adapted.encoder)
        read = read_image_tokens(images, self.adapted.encoder, tower, cache=cache, progress=progress)
        captions = tuple(dict.fromkeys(texts))
        data = PairData(read, read_text_tokens(captions, tower, progress=progress), captions, ())  # type: ignore[arg-type]
        n, m = len(read.kept), len(captions)
        pairs = np.stack(np.meshgrid(np.arange(n), np.arange(m), indexing="ij"), 2).reshape(-1, 2)
        out = np.full((len(images), m), np.nan)
        out[read.kept] = score_pairs(self.adapted.module, data, pairs, progress).reshape(n, m)
        return out[:, [captions.index(text) for text in texts]]


def _over_all(found: F64 | None, item: Item, unreadable: Mapping[int, str]) -> F64:
    """The scores over all of an item's pictures."""
    out = np.full((len(item.pictures), len(item.captions)), np.nan)
    if found is not None:
        out[[at not in unreadable for at in item.pictures]] = found
    return out


def curve_so_far(state: Path) -> tuple[Epoch, ...]:
    """The epochs that a training under way, or one that was stopped, has finished; none where there is no state yet."""
    try:
        return tuple(Epoch(*row) for row in json.loads((state / STATE).read_text("utf-8"))["curve"])
    except (OSError, KeyError, TypeError, ValueError):
        return ()


def adapted_so_far(
    pictured: LoadedBenchmark,
    name: str,
    settings: Mapping[str, Any],
    how: Training,
    encoder: Encoder,
    *,
    state: Path,
    cache: Path | None = None,
    progress: Progress = no_progress,
) -> Adapted | None:
    """The adapter as it stood after the best epoch in `state`; None where no epoch of training was finished.

    Args: as of `core.training.train.adapt`, which wrote the state.

    Raises:
        InvalidInput: the state is damaged, or is of another adapter.
    """
    curve = curve_so_far(state)
    if len(curve) < 2:  # the first is before training
        return None
    said = json.loads((state / STATE).read_text("utf-8"))
    tensors = read_tensors(state / f"{said['number']}.{WEIGHTS}")
    best = {key.removeprefix("best/"): tensor for key, tensor in tensors.items() if key.startswith("best/")}
    adapter, tower = make_adapter(name, settings), tower_of(encoder)
    module = adapter.build(tower, encoder, how.seed)
    if hasattr(module, "prepare"):
        module.prepare(best["used"])
    try:
        module.load_state_dict(best)
    except RuntimeError as error:
        raise InvalidInput(
            f"{state} holds the state of another adapter than {name!r} with these settings. Train it again."
        ) from error
    read = read_tokens(pictured, encoder, cache=cache, progress=progress)
    learn, hold = split_items(len(read.data.questions), how.validation, picture_groups(read.data), how.seed)
    size = sum(p.numel() for p in module.parameters() if p.requires_grad)
    lr = adapter.learning_rate if how.lr is None else how.lr
    found = Trained(module.eval(), curve, int(said["best"]), len(learn), len(hold), float(said["seconds"]), lr, size)
    return make_adapted(name, settings, how, found, encoder, read.benchmark)
