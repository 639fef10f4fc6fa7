"""How well captions and images find each other, by a pretrained network and by the encoder alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch

from core.errors import InvalidInput
from core.records import F64, I64, Bool, Progress, no_progress
from core.systems.visual_words.pretraining.loop import Pretrained
from core.systems.visual_words.pretraining.pairs import CaptionedPictures
from core.systems.visual_words.pretraining.vocabulary import words_of

AT = (1, 5, 10)
POOL = 100
"""Images among which one is sought."""
PAIRS = 256
"""Pairs in one pass."""


@dataclass(frozen=True, slots=True)
class Retrieval:
    """Share of the queries whose own is among the first k, by k."""

    pictures: Mapping[int, float]
    """Of captions, the image sought."""
    captions: Mapping[int, float]
    """Of images, a caption sought."""


def pool_of(data: CaptionedPictures, rng: np.random.Generator, size: int = POOL) -> CaptionedPictures:
    """At most `size` images drawn at random, with one caption each that no other of them has: the first."""
    places = np.sort(rng.choice(len(data), min(size, len(data)), replace=False)).astype(np.int64)
    drawn = data.keep(places)
    first = np.searchsorted(drawn.of, np.arange(len(drawn)))
    seen = set[str]()
    kept = list[int]()
    for place, at in enumerate(first.tolist()):
        if drawn.captions[at] not in seen:
            seen.add(drawn.captions[at])
            kept.append(place)
    drawn = drawn.keep(np.array(kept, np.int64))
    first = np.searchsorted(drawn.of, np.arange(len(drawn)))
    return CaptionedPictures(
        drawn.pictures, drawn.rows, tuple(drawn.captions[i] for i in first.tolist()), np.arange(len(drawn))
    )


def score_pairs(found: Pretrained, data: CaptionedPictures, pairs: I64, progress: Progress = no_progress) -> F64:
    """(p,) log odds of (p, 2) places of an image and a caption, sorted by image or not.

    Raises:
        InvalidInput: they are not all finite.
    """
    model = found.model.eval()
    out = np.zeros(len(pairs))
    ids, _ = found.vocabulary.encode(data.captions)
    with torch.inference_mode():
        values = torch.cat([model.see(data.cells(part)).values for part in np.array_split(np.arange(len(data)), 8)])
        for start in range(0, len(pairs), PAIRS):
            part = torch.from_numpy(pairs[start : start + PAIRS])
            texts, _ = model(ids[part[:, 1]], values[part[:, 0]])
            out[start : start + PAIRS] = model.match_logits(texts).double().numpy()
            progress("match", min(start + PAIRS, len(pairs)), len(pairs))
    check_scores(out)
    return out


def check_scores(scores: F64) -> None:
    """See that scores can be compared: one that is no number is neither above nor below any other.

    Raises:
        InvalidInput: one is not finite.
    """
    if not np.isfinite(scores).all():
        n = int((~np.isfinite(scores)).sum())
        raise InvalidInput(
            f"{n:,} of {scores.size:,} scores of images and captions are no finite numbers: the training diverged. "
            "Lower the learning rate (--rate)."
        )


def retrieval(scores: F64, of: I64, at: tuple[int, ...] = AT) -> Retrieval:
    """Of (n, m) scores of images and captions; of: (m,) the image of each caption. Ties count as lost.

    Raises:
        InvalidInput: a score is not finite, or there are not two images, so that nothing is sought.
    """
    check_scores(scores)
    if len(scores) < 2:
        raise InvalidInput(
            f"An image is sought among at least 2 with captions of their own: got {len(scores)}. Bring more captions."
        )
    own = scores[of, np.arange(len(of))]
    better = (scores >= own).sum(0) - 1
    best = np.full(len(scores), -np.inf)
    np.maximum.at(best, of, own)
    others = np.where(of[None] == np.arange(len(scores))[:, None], -np.inf, scores)
    above = (others >= best[:, None]).sum(1)
    return Retrieval({k: float((better < k).mean()) for k in at}, {k: float((above < k).mean()) for k in at})


def matching_pairs(data: CaptionedPictures, rng: np.random.Generator) -> tuple[I64, Bool]:
    """Each image once with one of its captions and once with one of another's, of other words than all of its own:
    (2 n, 2) places, and which match. An image for which there is none is left out."""
    first, last = (np.searchsorted(data.of, np.arange(len(data)), side) for side in ("left", "right"))
    drawn = first + (rng.random(len(data)) * (last - first)).astype(np.int64)
    order = rng.permutation(len(data))
    other = np.empty(len(data), np.int64)
    other[order] = drawn[np.roll(order, 1)]
    read = np.array([" ".join(words_of(caption)) for caption in data.captions], object)
    kept = list[int]()
    for place in range(len(data)):
        own = set(read[first[place] : last[place]])
        if read[other[place]] in own:
            differ = [at for at, words in enumerate(read) if words not in own]
            if not differ:
                continue
            other[place] = rng.choice(differ)
        kept.append(place)
    places = np.array(kept, np.int64)
    pairs = np.concatenate([np.stack([places, drawn[places]], 1), np.stack([places, other[places]], 1)])
    return pairs, np.repeat([True, False], len(places))


def best_threshold(scores: F64, match: Bool) -> float:
    """That with which most pairs are told rightly as matching from it on; of several the middle one."""
    order = np.argsort(scores)
    ordered = scores[order]
    hit = match[order]
    right = np.r_[hit.sum(), hit.sum() + np.cumsum(np.where(hit, -1, 1))]  # k: the k lowest are said not to match
    edges = np.r_[ordered[0] - 1, (ordered[:-1] + ordered[1:]) / 2, ordered[-1] + 1]
    best = np.flatnonzero(right == right.max())
    return float(edges[best[len(best) // 2]])
