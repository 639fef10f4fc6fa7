"""From images to a trained adapter, with its weight as a re-ranker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from core.documents import read_stored
from core.encoders import Encoder
from core.encoders.batches import chosen_device
from core.encoders.tokens import tower_of
from core.encoders.weights import read_tensors
from core.errors import InvalidInput
from core.records import Progress, no_progress
from core.systems.common.checkpoints import STATE, WEIGHTS
from core.systems.common.epochs import Epoch
from core.systems.composition.adapters import make_adapter
from core.systems.composition.records import LoadedBenchmark
from core.systems.composition.scoring.encoder import EncoderScorer, cosines
from core.systems.composition.training.adapted import Adapted, make_adapted
from core.systems.composition.training.adapted_scorer import AdaptedScorer, read_tokens
from core.systems.composition.training.loop import Trained, Training, check_state, fit, picture_groups, split_items
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
    cache: Path | None = None,
    progress: Progress = no_progress,
) -> Adapted:
    """Train an adapter on a benchmark's items; part of them stops the training, and chooses its weight as a re-ranker.

    Args:
        name: of `core.systems.composition.adapters.ADAPTERS`.
        settings: of that adapter, the others at their defaults.
        state: folder in which a training that was stopped is taken up again.
        cache: where tokens are kept between runs.
        progress: called with the steps "hash images", "tokens", "caption tokens" and "train"; may raise `Cancelled`.

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

    trained = fit(adapter, build, training, validation, how, state=state, progress=progress)
    adapted = make_adapted(name, settings, how, trained, encoder, read.benchmark)
    held = tuple(pictured.benchmark.items[read.places[at]] for at in hold.tolist())
    part = replace(pictured, benchmark=replace(pictured.benchmark, items=held))
    return _weighed(adapted, part, validation, how.seed, cache=cache, progress=progress)


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

    Args: as of `core.systems.composition.training.train.adapt`, which wrote the state.

    Raises:
        InvalidInput: the state is damaged, or is of another adapter.
    """
    curve = curve_so_far(state)
    if len(curve) < 2:  # the first is before training
        return None
    document = read_stored(state / STATE, below=state)
    tensors = read_tensors(state / f"{document['number']}.{WEIGHTS}")
    best = {key.removeprefix("best/"): tensor for key, tensor in tensors.items() if key.startswith("best/")}
    adapter = make_adapter(name, settings)
    tower = tower_of(encoder)
    module = adapter.build(tower, encoder, how.seed).to(chosen_device())
    try:
        module.load_state_dict(best)
    except RuntimeError as error:
        raise InvalidInput(
            f"{state} belongs to another adapter than {name!r} with these settings. Train it again."
        ) from error
    read = read_tokens(pictured, encoder, cache=cache, progress=progress)
    learn, hold = split_items(len(read.data.questions), how.validation, picture_groups(read.data), how.seed)
    size = sum(p.numel() for p in module.parameters() if p.requires_grad)
    lr = adapter.learning_rate if how.lr is None else how.lr
    trained = Trained(
        module.eval(), curve, int(document["best"]), len(learn), len(hold), float(document["seconds"]), lr, size
    )
    return make_adapted(name, settings, how, trained, encoder, read.benchmark)
