"""Training of the two heads of `caption_part.CaptionPart`: captions and pictures of a batch find each other (InfoNCE,
van den Oord et al. 2018, arXiv 1807.03748, both ways as in CLIP)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from core.encoders.embedded.caption_part import CaptionPart, Head
from core.encoders.embedded.caption_torch import TorchHead
from core.records import F32, I64
from scripts.encoder.captioned import N_CAPTIONS, Seen


@dataclass(frozen=True, slots=True)
class Training:
    """Settings; chosen on the pictures of the part "tune"."""

    width: int = 384
    hidden_image: int = 768
    hidden_text: int = 512
    epochs: int = 20
    batch: int = 512
    edited: int = 64
    """Pictures of a batch that stand in it a second time, edited and with words for the edit."""
    learning_rate: float = 1e-3
    weight_decay: float = 0.1
    dropout: float = 0.5
    input_dropout: float = 0.4
    """Of the image side."""
    mixed: float = 0.7
    """Share of captions that are mixed with another one of the same picture."""
    seed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """What is trained on. n pictures, of which `rows` may be used."""

    views: Sequence[Seen]
    """The pictures as they are, and cuts of them; n rows each."""
    captions: F32
    """(n * 5, 384) unit sentence vectors."""
    edited: Seen
    """The pictures edited; n rows."""
    edited_captions: F32
    """(n, 384) unit sentence vectors of captions that say the edit."""
    rows: I64


def _standard(pairs: Pairs) -> CaptionPart:
    """The part without its heads: means and scales over the pictures that are fitted on."""
    whole, rows = pairs.views[0], pairs.rows
    none = Head(*(np.zeros((0, 0), np.float32) for _ in range(7)))
    said = pairs.captions.reshape(-1, N_CAPTIONS, pairs.captions.shape[1])[rows]
    return CaptionPart(
        whole.features[rows].mean(0),
        whole.features[rows].std(0) + np.float32(1e-2),
        whole.cues[rows].mean(0),
        whole.cues[rows].std(0) + np.float32(1e-3),
        said.mean((0, 1)),
        none,
        none,
    )


def train(pairs: Pairs, settings: Training) -> tuple[CaptionPart, float]:
    """The part, and the scale at which its cosines were trained."""
    torch.manual_seed(settings.seed)
    rng = np.random.default_rng(settings.seed)
    part = _standard(pairs)
    views = [torch.from_numpy(part.image_inputs(view.features, view.cues)) for view in pairs.views]
    changed = torch.from_numpy(part.image_inputs(pairs.edited.features, pairs.edited.cues))
    captions, said = (torch.from_numpy(part.text_inputs(s)) for s in (pairs.captions, pairs.edited_captions))
    s = settings
    image = TorchHead(views[0].shape[1], s.width, s.hidden_image, s.dropout, s.input_dropout)
    text = TorchHead(captions.shape[1], s.width, s.hidden_text, s.dropout, 0)
    scale = nn.Parameter(torch.tensor(2.66))
    optimiser = torch.optim.AdamW(
        [*image.parameters(), *text.parameters(), scale], s.learning_rate, weight_decay=s.weight_decay
    )
    each = s.batch - s.edited
    steps = s.epochs * (len(pairs.rows) // each)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, s.learning_rate, steps, pct_start=0.1)
    order = np.concatenate([rng.permutation(pairs.rows)[: len(pairs.rows) // each * each] for _ in range(s.epochs)])
    for rows in order.reshape(steps, each):
        twice = torch.from_numpy(rows[: s.edited])
        x = torch.cat([_of_views(views, rows, rng), changed[twice]])
        y = torch.cat([_of_captions(captions, rows, s.mixed, rng), said[twice]])
        logits = image(x) @ text(y).T * scale.exp().clamp(max=100)
        right = torch.arange(len(logits))
        loss = (cross_entropy(logits, right) + cross_entropy(logits.T, right)) / 2
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    arrays = (part.feature_mean, part.feature_scale, part.cue_mean, part.cue_scale, part.sentence_mean)
    return CaptionPart(*arrays, image.frozen(), text.frozen()), float(scale.detach().exp())


def _of_views(views: Sequence[torch.Tensor], rows: I64, rng: np.random.Generator) -> torch.Tensor:
    """Each picture in a view of its own."""
    which = rng.integers(len(views), size=len(rows))
    return torch.stack([views[view][row] for view, row in zip(which, rows)])


def _of_captions(captions: torch.Tensor, rows: I64, mixed: float, rng: np.random.Generator) -> torch.Tensor:
    """A caption of each picture, or a mixture of two."""
    first, second = (torch.from_numpy(rows * N_CAPTIONS + rng.integers(N_CAPTIONS, size=len(rows))) for _ in range(2))
    share = np.where(rng.random(len(rows)) < mixed, rng.uniform(0.3, 0.7, len(rows)), 1.0)
    share = torch.from_numpy(share.astype(np.float32))[:, None]
    return share * captions[first] + (1 - share) * captions[second]
