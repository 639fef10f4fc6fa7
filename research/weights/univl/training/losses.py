"""The five losses of UniVL, and the margin of fine-tuning.

Source: UniVL (Luo et al. 2020, arXiv 2002.06353, section 3.3) and its released code (github.com/microsoft/UniVL, commit
8db88f3). Each has the weight 1.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch.nn.functional import cross_entropy

from core.systems.common.words import IGNORED
from core.systems.univl.network import Univl, joint_scores, pooled_frames, pooled_text
from research.weights.univl.training.batches import ClipBatch

NEVER = -1e8
"""Added to the score of a padded frame, as in the released code."""
MARGIN = 0.1


def mil_nce(scores: torch.Tensor, pairs: int = 1) -> torch.Tensor:
    """-log of the sum over a clip's own texts of exp(score), over that and the sum over its negatives: other texts of
    the clip, and other clips of its text. Mean over one row, the middle, of each video.

    Args:
        scores: (n, n) of texts by clips; rows come in groups of a video's `pairs` texts, which all fit its clips.
    """
    same = torch.arange(len(scores)) // pairs
    own = same[:, None] == same[None, :]
    of_clip = scores.T
    of_text = scores.masked_fill(own, -torch.inf)
    above = of_clip.masked_fill(~own, -torch.inf).logsumexp(1)
    return (torch.cat([of_clip, of_text], 1).logsumexp(1) - above)[pairs // 2 :: pairs].mean()


def alignment_loss(scores: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of each text's own clip among all clips, of (n, n) scores of texts by clips."""
    return cross_entropy(scores, torch.arange(len(scores)))


def margin_loss(scores: torch.Tensor, margin: float = MARGIN) -> torch.Tensor:
    """Mean over all pairs of how far each comes within the margin of its text's own, and of its clip's own: what the
    released code fine-tunes retrieval with. Own pairs count too, each with twice the margin."""
    own = scores.diag()
    return ((margin + scores - own[:, None]).relu() + (margin + scores - own[None, :]).relu()).mean()


def token_loss(logits: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """Mean cross-entropy of (..., V) logits over the tokens that are wanted; 0 where none is."""
    if not bool((wanted != IGNORED).any()):
        return logits.sum() * 0.0
    return cross_entropy(logits.flatten(0, -2), wanted.flatten(), ignore_index=IGNORED)


def frame_loss(told: torch.Tensor, normed: torch.Tensor, there: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
    """Mean over hidden frames of -log of the chance of the right one among all frames of the batch: products of what is
    told with each. 0 where none is hidden.

    Args:
        told: (m, F, w) of `Univl.predict_frames`.
        normed: (m, F, w) the frames themselves, after the network's norm.
        there: (m, F) 1 on frames, 0 on padding.
        hidden: (m, F) True on hidden frames.
    """
    if not bool(hidden.any()):
        return told.sum() * 0.0
    rows = hidden.flatten().nonzero().squeeze(1)
    scores = told.flatten(0, 1)[rows] @ normed.flatten(0, 1).T
    return cross_entropy(scores + (1.0 - there.float().flatten()) * NEVER, rows)


@dataclass(frozen=True, slots=True, eq=False)
class UnivlLosses:
    """Of one batch; a part that is not of the stage is None."""

    joint: torch.Tensor
    words: torch.Tensor | None = None
    frames: torch.Tensor | None = None
    alignment: torch.Tensor | None = None
    caption: torch.Tensor | None = None

    @property
    def total(self) -> torch.Tensor:
        return torch.stack([x for x in (getattr(self, each.name) for each in fields(self)) if x is not None]).sum()

    def figures(self) -> dict[str, float]:
        """By name."""
        found = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: float(x.detach()) for name, x in found.items() if x is not None}


def first_stage(network: Univl, batch: ClipBatch) -> UnivlLosses:
    """The joint loss alone."""
    text = network.read_text(batch.ids, batch.seen)
    video = network.watch(network.normed(batch.features), batch.there)
    return UnivlLosses(_joint(batch, text, video))


def second_stage(network: Univl, batch: ClipBatch) -> UnivlLosses:
    """All five. The cross encoder, and so words, frames, alignment and caption, sees what is left of text and clip; the
    joint loss sees all of them."""
    normed = network.normed(batch.features)
    seen = batch.seen
    there = batch.there
    whole = network.read_text(batch.ids, seen), network.watch(normed, there)
    text = network.read_text(batch.masked_ids, seen)
    video = network.watch(network.normed(batch.features * ~batch.hidden.unsqueeze(2)), there)
    states, _, counted = network.join(text, seen, video, there)
    words, frames = states.split([seen.shape[1], there.shape[1]], 1)
    written = network.caption_logits(batch.caption_given, batch.caption_seen, states, counted)
    return UnivlLosses(
        _joint(batch, *whole),
        token_loss(network.word_logits(words), batch.wanted),
        frame_loss(network.predict_frames(frames), normed, there, batch.hidden),
        alignment_loss(network.aligned_scores(text, seen, video, there)),
        token_loss(written, batch.caption_wanted),
    )


def _joint(batch: ClipBatch, text: torch.Tensor, video: torch.Tensor) -> torch.Tensor:
    scores = joint_scores(pooled_text(text, batch.seen), pooled_frames(video, batch.there))
    return mil_nce(scores, batch.pairs)


def retrieval_loss(network: Univl, batch: ClipBatch, *, aligned: bool) -> torch.Tensor:
    """Of fine-tuning for retrieval: the margin over cosines (FT-Joint), or over the cross encoder's scores of all pairs
    (FT-Align)."""
    text = network.read_text(batch.ids, batch.seen)
    video = network.watch(network.normed(batch.features), batch.there)
    if aligned:
        return margin_loss(network.aligned_scores(text, batch.seen, video, batch.there))
    pooled = pooled_text(text, batch.seen), pooled_frames(video, batch.there)
    return margin_loss(joint_scores(*pooled, cosine=True))


def captioning_loss(network: Univl, batch: ClipBatch) -> torch.Tensor:
    """Of fine-tuning for captions: the caption alone, nothing hidden but what the batch's text lacks."""
    text = network.read_text(batch.ids, batch.seen)
    video = network.watch(network.normed(batch.features), batch.there)
    states, _, counted = network.join(text, batch.seen, video, batch.there)
    written = network.caption_logits(batch.caption_given, batch.caption_seen, states, counted)
    return token_loss(written, batch.caption_wanted)
