"""What a step shows, and what it hides: words, frames, and now and then the whole text.

Source: UniVL (Luo et al. 2020, section 3.4) and its released data loader. Departure: behind a caption's end nothing has
to be written; the released code has padding written there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from core.systems.common.words import IGNORED
from core.systems.univl.words import ClipWords

SHARE = 0.15
MASKED = 0.8
OTHER = 0.1
"""Of the words that are to be told; of these the share put as the mask, and as another word."""
FRAMES_HIDDEN = 0.15
TEXT_DROPPED = 0.15
"""Share of frames that are hidden, and of videos whose whole text is."""


@dataclass(frozen=True, slots=True, eq=False)
class ClipBatch:
    """n texts of T tokens with their n clips of F frames of w numbers; captions of u tokens."""

    ids: torch.Tensor
    """(n, T); the marks of start and end alone where the text was dropped."""
    seen: torch.Tensor
    """(n, T) 1 on tokens, 0 on padding."""
    masked_ids: torch.Tensor
    """(n, T) with words hidden."""
    wanted: torch.Tensor
    """(n, T) hidden words, `IGNORED` elsewhere."""
    features: torch.Tensor
    """(n, F, w)."""
    there: torch.Tensor
    """(n, F) 1 on frames, 0 on padding."""
    hidden: torch.Tensor
    """(n, F) True on hidden frames."""
    caption_given: torch.Tensor
    """(n, u) what the decoder is given: the mark of start and the caption, words hidden as in the text."""
    caption_seen: torch.Tensor
    """(n, u)."""
    caption_wanted: torch.Tensor
    """(n, u) the caption and the mark of its end, `IGNORED` behind it."""
    pairs: int = 1
    """Texts of one video; they come one after the other."""


@dataclass(frozen=True, slots=True)
class Hiding:
    """How much is hidden; as published by default."""

    words: float = SHARE
    frames: float = FRAMES_HIDDEN
    text: float = TEXT_DROPPED
    caption: float = SHARE
    """Of the words that the decoder is given."""


NOTHING = Hiding(0.0, 0.0, 0.0, 0.0)


def hide_words(
    ids: torch.Tensor, words: ClipWords, share: float, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Tokens with a share of them replaced as in BERT, and the replaced ones, `IGNORED` elsewhere: (n, T) both. Marks
    and padding are never hidden; a text may lose none."""
    may = ~torch.isin(ids, torch.tensor(sorted(words.marks - {words.unknown_id})))
    told = may & (torch.rand(ids.shape, generator=generator) < share)
    how = torch.rand(ids.shape, generator=generator)
    other = torch.randint(len(words), ids.shape, generator=generator)
    shown = torch.where(told & (how < MASKED), torch.full_like(ids, words.mask), ids)
    shown = torch.where(told & (how >= MASKED) & (how < MASKED + OTHER), other, shown)
    return shown, torch.where(told, ids, IGNORED)


def clip_batch(
    texts: Sequence[str],
    clips: tuple[torch.Tensor, torch.Tensor],
    words: ClipWords,
    length: int,
    generator: torch.Generator,
    *,
    hiding: Hiding = Hiding(),
    pairs: int = 1,
) -> ClipBatch:
    """A batch of texts, each also its clip's caption.

    Args:
        clips: (n, F, w) features, and (n, F) 1 on frames.
        length: to which texts are cut and padded.
        pairs: texts of one video, which lose their whole text together.
    """
    features, there = clips
    full, full_seen = words.encode(texts, length)
    empty, empty_seen = words.encode([""] * len(texts), length)
    lost = (torch.rand(len(texts) // pairs, generator=generator) < hiding.text).repeat_interleave(pairs)[:, None]
    ids = torch.where(lost, empty, full)
    seen = torch.where(lost, empty_seen, full_seen)
    masked, wanted = hide_words(ids, words, hiding.words, generator)
    ends = full == words.end
    given = torch.where(ends, 0, full)
    given, _ = hide_words(given, words, hiding.caption, generator)
    caption_seen = full_seen * ~ends
    caption_wanted = torch.where(caption_seen.bool(), full.roll(-1, 1), IGNORED)
    hidden = (torch.rand(there.shape, generator=generator) < hiding.frames) & there.bool()
    return ClipBatch(ids, seen, masked, wanted, features, there, hidden, given, caption_seen, caption_wanted, pairs)
