"""Captions of clips by beam search: the likeliest sentence among those that begin like the likeliest beginnings."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from core.errors import InvalidInput
from core.records import Progress, no_progress
from core.systems.univl.network import Univl
from core.systems.univl.use import ShownClips, check_fits
from core.systems.univl.weights import ReadUnivl
from core.systems.univl.words import ClipWords

BEAM = 5
"""Beginnings that are kept; as published."""
MAX_BEAM = 100
MOST_WRITTEN = 30
"""Tokens of a caption."""


@dataclass(frozen=True, slots=True)
class WrittenCaption:
    """A caption, and the log of its probability, end included."""

    tokens: tuple[int, ...]
    """Without the marks of start and end."""
    score: float


@dataclass(frozen=True, slots=True, eq=False)
class DecoderMemory:
    """What the decoder looks at, of n clips."""

    states: torch.Tensor
    """(n, T, d) of the cross encoder."""
    counted: torch.Tensor
    """(n, T)."""


@torch.inference_mode()
def write_captions(
    network: Univl, words: ClipWords, memory: DecoderMemory, *, beam: int = BEAM, most: int = 20
) -> list[WrittenCaption]:
    """A caption for each clip. One that has ended stays in the beam with its score and grows no more; the search stops
    where a finished one leads everywhere, since scores only fall.

    Args:
        beam: 1 takes the likeliest word at each step.
        most: tokens of a caption, its end included; one that has not ended by then is cut.

    Raises:
        InvalidInput: beam or most is out of range.
    """
    if not 1 <= beam <= MAX_BEAM or not 1 <= most < network.sizes.text_positions:
        raise InvalidInput(
            f"A beam keeps 1 to {MAX_BEAM} beginnings of at most {network.sizes.text_positions - 1} tokens: got "
            f"{beam} and {most}."
        )
    n = len(memory.states)
    size = len(words)
    states, counted = (x.repeat_interleave(beam, 0) for x in (memory.states, memory.counted))
    given = torch.full((n * beam, 1), words.start)
    scores = torch.full((n, beam), -torch.inf)
    scores[:, 0] = 0.0  # all beginnings are alike: only the first may grow
    ended = torch.zeros(n, beam, dtype=torch.bool)
    stay = torch.full((size,), -torch.inf)
    stay[0] = 0.0
    for _ in range(most):
        logits = network.caption_logits(given, torch.ones_like(given), states, counted)[:, -1]
        logits[:, 0] = -torch.inf  # padding is no word
        grown = logits.float().log_softmax(1).view(n, beam, size)
        grown = torch.where(ended[..., None], stay, grown) + scores[..., None]
        scores, at = grown.flatten(1).topk(beam, 1)
        source = at // size
        word = at % size
        rows = (torch.arange(n)[:, None] * beam + source).flatten()
        given = torch.cat([given[rows], word.view(-1, 1)], 1)
        ended = ended.gather(1, source) | (word == words.end)
        if bool(ended[:, 0].all()):
            break
    best = given.view(n, beam, -1)[:, 0, 1:].tolist()
    kept = [tuple(token for token in row if token not in (0, words.end)) for row in best]
    return [WrittenCaption(row, float(score)) for row, score in zip(kept, scores[:, 0].tolist(), strict=True)]


@torch.inference_mode()
def caption_clips(
    found: ReadUnivl, clips: ShownClips, *, beam: int = BEAM, progress: Progress = no_progress
) -> list[str]:
    """A sentence for each clip, from what it shows alone.

    Raises:
        InvalidInput: as for `check_fits`, or the network has no decoder.
    """
    check_fits(found, clips)
    network = found.network
    written = list[str]()
    most = min(MOST_WRITTEN, network.sizes.text_positions - 1)
    for features, there in clips.parts():
        ids, seen = found.words.encode([""] * len(features), found.tokens)
        video = network.watch(network.normed(features), there)
        states, _, counted = network.join(network.read_text(ids, seen), seen, video, there)
        captions = write_captions(network, found.words, DecoderMemory(states, counted), beam=beam, most=most)
        written += [found.words.decode(caption.tokens) for caption in captions]
        progress("caption", len(written), len(clips))
    return written
