"""How well captions and images find each other, with a pretrained network and with the encoder alone."""

from __future__ import annotations

import numpy as np
import torch

from core.errors import InvalidInput
from core.records import F64, I64, Bool, Progress, no_progress
from core.systems.visual_words.pretraining.loop import Pretrained
from core.systems.visual_words.pretraining.pairs import CaptionedPictures
from core.systems.visual_words.pretraining.vocabulary import words_of

AT = (1, 5, 10)
POOL_IMAGES = 100
"""Images among which retrieval searches."""
BATCH_PAIRS = 256


def pool_of(data: CaptionedPictures, rng: np.random.Generator, size: int = POOL_IMAGES) -> CaptionedPictures:
    """At most `size` random images with distinct captions, the first caption of each."""
    indexes = np.sort(rng.choice(len(data), min(size, len(data)), replace=False)).astype(np.int64)
    drawn = data.keep(indexes)
    first = np.searchsorted(drawn.of, np.arange(len(drawn)))
    seen = set[str]()
    distinct = list[int]()
    for image, at in enumerate(first.tolist()):
        if drawn.captions[at] not in seen:
            seen.add(drawn.captions[at])
            distinct.append(image)
    drawn = drawn.keep(np.array(distinct, np.int64))
    first = np.searchsorted(drawn.of, np.arange(len(drawn)))
    return CaptionedPictures(
        drawn.pictures, drawn.rows, tuple(drawn.captions[i] for i in first.tolist()), np.arange(len(drawn))
    )


def score_pairs(pretrained: Pretrained, data: CaptionedPictures, pairs: I64, progress: Progress = no_progress) -> F64:
    """(p,) log odds of a match for (p, 2) indexes of an image and a caption.

    Raises:
        InvalidInput: one is not finite.
    """
    model = pretrained.model.eval()
    scores = np.zeros(len(pairs))
    ids, _ = pretrained.vocabulary.encode(data.captions)
    with torch.inference_mode():
        values = torch.cat([model.see(data.cells(part)).values for part in np.array_split(np.arange(len(data)), 8)])
        for start in range(0, len(pairs), BATCH_PAIRS):
            part = torch.from_numpy(pairs[start : start + BATCH_PAIRS])
            texts, _ = model(ids[part[:, 1]], values[part[:, 0]])
            scores[start : start + BATCH_PAIRS] = model.match_logits(texts).double().numpy()
            progress("match", min(start + BATCH_PAIRS, len(pairs)), len(pairs))
    check_scores(scores)
    return scores


def check_scores(scores: F64) -> None:
    """Check that scores can be ordered.

    Raises:
        InvalidInput: one is not finite.
    """
    if not np.isfinite(scores).all():
        n = int((~np.isfinite(scores)).sum())
        raise InvalidInput(
            f"{n:,} of {scores.size:,} scores of images and captions are not finite: training diverged. "
            "Lower the learning rate (--rate)."
        )


def retrieval(scores: F64, of: I64, at: tuple[int, ...] = AT) -> tuple[dict[int, float], dict[int, float]]:
    """Share of queries whose match is among the first k, by k: of images by captions, and of captions by images. Ties
    count as misses.

    Args:
        scores: (n, m) of images and captions.
        of: (m,) the image of each caption.

    Raises:
        InvalidInput: a score is not finite, or there are fewer than two images.
    """
    check_scores(scores)
    if len(scores) < 2:
        raise InvalidInput(f"Retrieval needs 2 images with distinct captions: got {len(scores)}. Add captions.")
    matched = scores[of, np.arange(len(of))]
    better = (scores >= matched).sum(0) - 1
    best = np.full(len(scores), -np.inf)
    np.maximum.at(best, of, matched)
    others = np.where(of[None] == np.arange(len(scores))[:, None], -np.inf, scores)
    above = (others >= best[:, None]).sum(1)
    return {k: float((better < k).mean()) for k in at}, {k: float((above < k).mean()) for k in at}


def matching_pairs(data: CaptionedPictures, rng: np.random.Generator) -> tuple[I64, Bool]:
    """Each image with one of its captions and with one of another image, whose words differ from all of its captions.

    Returns:
        (2 n, 2) indexes of image and caption, and (2 n,) which match. Images without a different caption are left out.
    """
    first = np.searchsorted(data.of, np.arange(len(data)), "left")
    last = np.searchsorted(data.of, np.arange(len(data)), "right")
    matching = first + (rng.random(len(data)) * (last - first)).astype(np.int64)
    order = rng.permutation(len(data))
    mismatching = np.empty(len(data), np.int64)
    mismatching[order] = matching[np.roll(order, 1)]
    texts = np.array([" ".join(words_of(caption)) for caption in data.captions], object)
    paired = list[int]()
    for image in range(len(data)):
        image_texts = set(texts[first[image] : last[image]])
        if texts[mismatching[image]] in image_texts:
            different = [at for at, text in enumerate(texts) if text not in image_texts]
            if not different:
                continue
            mismatching[image] = rng.choice(different)
        paired.append(image)
    images = np.array(paired, np.int64)
    pairs = np.concatenate([np.stack([images, matching[images]], 1), np.stack([images, mismatching[images]], 1)])
    return pairs, np.repeat([True, False], len(images))


def best_threshold(scores: F64, match: Bool) -> float:
    """The threshold that classifies most pairs correctly, a match from it on; the middle one of equals."""
    order = np.argsort(scores)
    ordered = scores[order]
    hit = match[order]
    right = np.r_[hit.sum(), hit.sum() + np.cumsum(np.where(hit, -1, 1))]  # k: the k lowest count as mismatches
    edges = np.r_[ordered[0] - 1, (ordered[:-1] + ordered[1:]) / 2, ordered[-1] + 1]
    best = np.flatnonzero(right == right.max())
    return float(edges[best[len(best) // 2]])
