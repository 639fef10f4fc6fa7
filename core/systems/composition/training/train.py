"""From images to a trained adapter, with its weight as a re-ranker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from core.documents import read_stored
from core.encoders import Encoder
from core.encoders.tokens import tower_of
from core.errors import Cancelled
from core.records import Progress, no_progress
from core.systems.common.checkpoints import STATE
from core.systems.common.epochs import Epoch
from core.systems.composition.adapters import make_adapter
from core.systems.composition.records import LoadedBenchmark
from core.systems.composition.scoring.encoder import EncoderScorer, cosines
from core.systems.composition.training.adapted import Adapted, make_adapted
from core.systems.composition.training.adapted_scorer import AdaptedScorer, read_tokens
from core.systems.composition.training.loop import Training, check_state, fit, picture_groups, split_items
from core.systems.composition.training.matching import score_questions
from core.systems.composition.training.pairs import PairData
from core.systems.composition.training.reference_tasks import CAPTIONED, EVERYDAY, captioned_items, scene_captions
from core.systems.composition.training.reranking import choose_weight
from core.systems.composition.training.scorers import matrix_of

SEARCHED = 150
"""Everyday images on which the weight of a re-ranker is chosen."""


def adapt(
    pictured: LoadedBenchmark,
    name: str,
    settings: Mapping[str, Any],
    how: Training,
    encoder: Encoder,
    *,
    state: Path | None = None,
    keep_stopped: bool = False,
    cache: Path | None = None,
    progress: Progress = no_progress,
) -> Adapted:
    """Train an adapter on a benchmark's items; part of them stops the training, and chooses its weight as a re-ranker.

    Args:
        name: of `core.systems.composition.adapters.ADAPTERS`.
        settings: of that adapter, the others at their defaults.
        state: folder in which a training that was stopped is taken up again.
        keep_stopped: where `progress` stops the work after an epoch, return the best epoch, with `Adapted.stopped`; its
            weight as a re-ranker is then not chosen.
        cache: where tokens are kept between runs.
        progress: called with the steps "tokens", "caption tokens" and "train"; may raise `Cancelled`.

    Raises:
        InvalidInput: an unknown adapter or setting, too few items, an encoder without tokens, or a `state` of another
        training. Cancelled: by `progress`; with `state` the finished epochs are kept.
    """
    adapter = make_adapter(name, settings)  # a wrong setting is said before images are read
    if state is not None:
        check_state(state, adapter, how)
    read = read_tokens(pictured, encoder, cache=cache, progress=progress)
    learn, hold = split_items(len(read.data.questions), how.validation, picture_groups(read.data), how.seed)
    tower = tower_of(encoder)
    training = read.data.keep(learn)
    validation = read.data.keep(hold)

    def build() -> Any:
        return adapter.build(tower, encoder, how.seed)

    trained = fit(adapter, build, training, validation, how, state=state, keep_stopped=keep_stopped, progress=progress)
    adapted = make_adapted(name, settings, how, trained, encoder, read.benchmark)
    if adapted.stopped:
        return adapted
    held = tuple(pictured.benchmark.items[read.places[at]] for at in hold.tolist())
    part = replace(pictured, benchmark=replace(pictured.benchmark, items=held))
    try:
        return _weighed(adapted, part, validation, how.seed, cache=cache, progress=progress)
    except Cancelled:
        if not keep_stopped:
            raise
        adapted.stopped = True
        return adapted


def _weighed(adapted: Adapted, held: LoadedBenchmark, data: PairData, seed: int, **arguments: Any) -> Adapted:
    """The adapter with its weight as a re-ranker, chosen on held-back items beside the search of everyday images:
    those among the items, else the scenes that come along, of which the check of forgetting takes others.

    Args:
        held: the items, whose tokens are those of `data.questions`, in order.
    """
    is_everyday = [EVERYDAY in item.tags for item in held.benchmark.items]
    if all(is_everyday):
        return adapted
    images = data.images.pooled
    texts = data.texts.pooled
    items = [
        (cosines(images[question.images], texts[question.texts]), logits, question.match)
        for question, logits, everyday in zip(data.questions, score_questions(adapted.module, data), is_everyday)
        if not everyday
    ]
    items_kept = tuple(item for item, everyday in zip(held.benchmark.items, is_everyday) if everyday)
    captioned = (
        captioned_items(replace(held, benchmark=replace(held.benchmark, items=items_kept)), SEARCHED, seed)
        if items_kept
        else scene_captions(SEARCHED, seed, skip=CAPTIONED)
    )
    first, second = (
        matrix_of(scorer, captioned.images, captioned.captions, **arguments)
        for scorer in (EncoderScorer(adapted.encoder), AdaptedScorer(adapted))
    )
    seen = np.isfinite(first.sum(axis=1) + second.sum(axis=1))
    if not seen.any():
        return adapted
    weight, rows = choose_weight(items, first[seen], second[seen], captioned.true[seen])
    return Adapted(replace(adapted.record, rerank=weight, weighed=rows), adapted.module, adapted.encoder)


def curve_so_far(state: Path) -> tuple[Epoch, ...]:
    """The epochs that a training under way, or one that was stopped, has finished; none without a state."""
    try:
        return tuple(Epoch(*row) for row in read_stored(state / STATE, below=state)["curve"])
    except (OSError, KeyError, TypeError, ValueError):
        return ()
