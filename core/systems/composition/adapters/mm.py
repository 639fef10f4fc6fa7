"""The MM-Adapter: a transformer over the patches of an image and the words of a text together, whose answer is
compared with the frozen words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from core.encoders import Encoder
from core.encoders.tokens import TokenTower
from core.options import setting
from core.systems.common.own_random import OwnRandom
from core.systems.composition.adapters.base import ImageRows, Level, State, TextRows, masked_mean, unit

HEADS = 4
SHARPNESS = 10.0
"""Of the choice of patches in `JointModule.aside`."""


class JointModule(torch.nn.Module):
    """One learned query that reads [patches ; words] after they have attended to each other. The score of a pair is the
    mean, over the text's own words, of their similarity with what the query read.

    Source: Cola, section 4 and its released snippet: `nn.Transformer` of one encoder and one decoder layer, post-norm,
    7.75 million parameters with CLIP ViT-B/32's tokens (768 wide images, 512 wide texts). Departures: padding is
    masked; by default tokens are standardised, patches have a learned position (the snippet declares one and leaves it
    unused), nothing is dropped out, and words and patches are trained to match before the transformer too. Without
    these, trainings of a thousand items did not learn binding at all. `norm`, `positions`, `dropout` and `align` bring
    the snippet back.
    """

    quick = ("project", "aligned")
    """Trained at a larger step size than the transformer, which a larger one keeps from learning."""

    def __init__(self, tower: TokenTower, how: MMAdapter) -> None:
        super().__init__()
        width = tower.text_width
        layers = how.layers
        linear = torch.nn.Linear(tower.image_width, width)
        self.project = torch.nn.Sequential(torch.nn.LayerNorm(tower.image_width), linear) if how.norm else linear
        self.words = torch.nn.LayerNorm(width) if how.norm else torch.nn.Identity()
        self.norm = how.norm
        self.aligned = Level(10.0) if how.align else None
        self.level = Level(10.0) if how.score == "cosine" else None
        for side, size in (("patch", tower.image_width), ("word", width)):
            self.register_buffer(f"{side}_mean", torch.zeros(size))
            self.register_buffer(f"{side}_spread", torch.ones(size))
        self.transformer = torch.nn.Transformer(
            width, HEADS, layers, layers, how.hidden or 4 * width, how.dropout, batch_first=True
        )
        self.transformer.encoder.use_nested_tensor = False
        self.query = torch.nn.Parameter(torch.rand(1, 1, width))
        where = torch.randn(1, tower.grid[0] * tower.grid[1], width) * 0.02
        self.position = torch.nn.Parameter(where) if how.positions else None

    def calibrate(self, images: ImageRows, texts: TextRows) -> None:
        """Take mean and spread of every number of a token from training tokens, so that what all of them share does not
        hide where they differ."""
        if self.norm:
            self.patch_mean, self.patch_spread = _standard(images.tokens.flatten(0, 1))
            self.word_mean, self.word_spread = _standard(texts.tokens[texts.seen])

    def images(self, rows: ImageRows) -> State:
        """(b, P, w) projected patches."""
        patches = self.project((rows.tokens - self.patch_mean) / self.patch_spread)
        return (patches if self.position is None else patches + self.position,)

    def texts(self, rows: TextRows) -> State:
        """(m, T, w) frozen words, which of them are seen, which are words, and the unit vector of their mean."""
        return rows.tokens, rows.seen, rows.words

    def levelled(self, tokens: torch.Tensor) -> torch.Tensor:
        """(p, T, w) words as the transformer reads them."""
        return self.words((tokens - self.word_mean) / self.word_spread)

    def aside(self, images: State, texts: State) -> torch.Tensor | None:
        """(b, m) logits of every image with every text before the transformer: each word's similarity with the
        patches that it is most like.

        Trained beside the answer, over many more pairs than the transformer could be, it brings both into one space, in
        which attention finds what belongs together. None where it is not asked for.
        """
        if self.aligned is None:
            return None
        (patches,), (tokens, _, words) = images, texts
        similarity = torch.einsum("bpw,mtw->bmtp", unit(patches), unit(self.levelled(tokens)))
        matched = ((SHARPNESS * similarity).softmax(3) * similarity).sum(3)  # (b, m, t)
        weights = (words | ~words.any(1, keepdim=True)).to(matched.dtype)
        return self.aligned((matched * weights).sum(2) / weights.sum(1))

    def read(self, images: State, texts: State) -> torch.Tensor:
        """(p, w) what the query reads of each pair."""
        (patches,), (tokens, seen, _) = images, texts
        both = torch.cat([patches, self.levelled(tokens)], 1)
        hidden = torch.cat([seen.new_zeros(patches.shape[:2]), ~seen], 1)
        query = self.query.expand(len(both), -1, -1)
        out = self.transformer(both, query, src_key_padding_mask=hidden, memory_key_padding_mask=hidden)
        return out[:, 0]

    def match(self, images: State, texts: State) -> torch.Tensor:
        """(p,) logits."""
        out, (tokens, _, words) = self.read(images, texts), texts
        if self.level is None:
            return (masked_mean(tokens, words) * out).sum(-1)
        return self.level((masked_mean(unit(tokens), words) * unit(out)).sum(-1))


def _standard(rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """(w,) mean, and standard deviation, of (n, w) rows."""
    spread, mean = torch.std_mean(rows, 0)
    return mean, spread + 1e-3 * float(spread.mean())


@dataclass(frozen=True, slots=True)
class MMAdapter:
    """Cola's MM-Adapter, its best: see `JointModule` for the departures."""

    layers: int = setting(1, "Encoder layers, and as many decoder layers.", low=1, high=4)
    hidden: int | None = setting(
        None, "Width of the feed-forward part; empty: four times the text width.", low=64, high=8192, advanced=True
    )
    dropout: float = setting(0.0, "Share of units dropped (snippet: 0.1).", low=0.0, high=0.9, advanced=True)
    positions: bool = setting(True, "Patches have a learned position (Cola's own have none).", advanced=True)
    norm: bool = setting(True, "Tokens are standardized first (Cola's own are not).", advanced=True)
    align: bool = setting(
        True, "Also train words and patches to match before the transformer (Cola's own are not).", advanced=True
    )

    score: str = setting(
        "cosine",
        "Cosine with a learned scale (paper), or dot products (its snippet).",
        choices=("cosine", "dot"),
        advanced=True,
    )

    source: ClassVar[str] = "Ray et al. 2023 (Cola), arXiv 2305.03689, section 4"
    learning_rate: ClassVar[float] = 3e-4
    negatives: ClassVar[int] = 1
    title: ClassVar[str] = "MM-Adapter"
    what: ClassVar[str] = (
        "A transformer over patches and words together. Its output is compared with the frozen words of the text."
    )

    def build(self, tower: TokenTower, encoder: Encoder, seed: int) -> Any:
        """A fresh module."""
        with OwnRandom(seed):
            return JointModule(tower, self)
