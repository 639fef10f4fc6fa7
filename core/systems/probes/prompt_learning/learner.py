"""Context vectors around class names, run through a frozen text tower: CoOp once a class, CoCoOp for each image and
class."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from core.encoders import Encoder
from core.encoders.prompts import PromptTower
from core.errors import InvalidInput
from core.records import F32, F64, Progress, no_progress
from core.systems.probes.base import logit_scale_of
from core.systems.probes.prompt_learning.context import PromptLayout, Prompts, check_prompts, lay_out

MAX_TOKENS = 4096
"""Tokens in the tower at a time. With a gradient MiniLM keeps about 0.2 MB a token, a ViT-B/32 text tower 0.6 MB."""

Encode = Callable[[int, int], torch.Tensor]
"""Text vectors (stop - start, d) of the pairs from start to stop."""


def tower_of(encoder: Encoder) -> PromptTower:
    """The encoder's text tower behind its word embeddings.

    Raises:
        InvalidInput: the encoder has none, or one of an unknown kind.
    """
    make = getattr(encoder, "prompt_tower", None)
    if make is None:
        raise InvalidInput(
            f"Prompts need a text tower that takes word embeddings, and that of {encoder.name} does not. "
            "Use 'embedded' or an open_clip model, or a probe without learned prompts."
        )
    return make()


class Learner(torch.nn.Module):
    """Learned parameters: (M, w) or (k, M, w) context vectors and, for CoCoOp, the network that shifts them for each
    image."""

    ctx: torch.nn.Parameter

    def __init__(self, ctx: torch.Tensor, meta: torch.nn.Sequential | None = None) -> None:
        super().__init__()
        self.ctx = torch.nn.Parameter(ctx.clone())
        self.meta = meta

    def meta_bias(self, features: torch.Tensor) -> torch.Tensor | None:
        """(b, w) the vector added to every context vector, for each image; None for CoOp."""
        if self.meta is None:
            return None
        return self.meta(features)


def meta_network(d: int, width: int, generator: torch.Generator | None = None) -> torch.nn.Sequential:
    """Linear(d, d // 16) - ReLU - Linear(., width), initialized as torch does, from the generator.

    Source: Zhou et al. 2022, "Conditional Prompt Learning" (arXiv 2203.05557), section 3.2.
    """
    layers = [
        torch.nn.Linear(d, max(1, d // 16)),
        torch.nn.ReLU(inplace=False),
        torch.nn.Linear(max(1, d // 16), width),
    ]
    with torch.no_grad():
        for layer in layers:
            for parameter in layer.parameters():
                bound = 1 / np.sqrt(getattr(layer, "in_features", 1))
                parameter.uniform_(-bound, bound, generator=generator)
    return torch.nn.Sequential(*layers)


def common_start(layout: PromptLayout) -> int:
    """Number of tokens that all prompts share at their start, including the slots of a unified context; 0 for a single
    prompt."""
    if len(layout.ids) == 1:
        return 0
    learned = np.zeros(layout.ids.shape, bool)
    np.put_along_axis(learned, layout.slots, True, 1)
    same = (layout.ids == layout.ids[:1]).all(0) & (learned == learned[:1]).all(0)
    return min(int(np.cumprod(same).sum()), int(layout.lengths.min()) - 1)


class PromptBatch:
    """k classes' prompts with slots for the context, embedded once. p pairs of an image and a class are encoded at a
    time; a causal tower reads the shared start of all prompts once for each image.

    Pairs run over the classes sorted by prompt length, so that short prompts are not padded to the longest of all.
    """

    def __init__(self, tower: PromptTower, layout: PromptLayout) -> None:
        self.tower = tower
        self.layout = layout
        self.ids = torch.from_numpy(layout.ids).to(tower.device)
        self.slots = torch.from_numpy(layout.slots).to(tower.device)
        self.lengths = torch.from_numpy(layout.lengths).to(tower.device)
        self.order = self.lengths.argsort(stable=True)
        self.rank = self.order.argsort()
        with torch.no_grad():
            self.base = tower.embed(self.ids)  # (k, L, w)
        self.k = len(self.ids)
        self.n_shared = 0
        if getattr(tower, "shares_starts", False):
            self.n_shared = common_start(layout)
        self.chunk = max(1, MAX_TOKENS // self.ids.shape[1])

    def encode(
        self, learner: Learner, classes: torch.Tensor, bias: torch.Tensor | None, of: torch.Tensor | None = None
    ) -> torch.Tensor:
        """(p, d) text vectors of the prompts of (p,) classes, with (p, w) added to every context vector: ctx_i(x) = v_i
        + pi(x).

        Args:
            of: (p,) image of each pair, from 0 on without gaps; None if all share one bias or have none.
        """
        ctx = learner.ctx[classes] if learner.ctx.ndim == 3 else learner.ctx.expand(len(classes), *learner.ctx.shape)
        if bias is not None:
            ctx = ctx + bias[:, None]
        rows = torch.arange(len(classes), device=classes.device)[:, None]
        length = int(self.lengths[classes].max())
        embeds = self.base[classes, :length].index_put((rows, self.slots[classes]), ctx)
        if not self.n_shared or learner.ctx.ndim == 3:
            return self.tower.encode(embeds, self.ids[classes, :length])
        if of is None:
            of = torch.zeros_like(classes)
        one_of_each = torch.searchsorted(of, torch.arange(int(of[-1]) + 1, device=of.device))
        tower: Any = self.tower
        start = embeds[one_of_each, : self.n_shared]
        rest = embeds[:, self.n_shared :]
        return tower.encode_behind(start, rest, of, self.ids[classes, :length])

    def pairs(self, learner: Learner, features: torch.Tensor) -> tuple[int, Encode]:
        """The number of texts for the logits of (b, d) images, and the function that encodes a range of them: image by
        image, class by class."""
        if learner.meta is None:
            return self.k, lambda start, stop: self.encode(learner, self.order[start:stop], None)

        def encode(start: int, stop: int) -> torch.Tensor:
            pairs = torch.arange(start, stop, device=self.ids.device)
            first = start // self.k
            last = (stop - 1) // self.k + 1
            bias = learner.meta_bias(features[first:last])
            assert bias is not None
            of = pairs // self.k - first
            return self.encode(learner, self.order[pairs % self.k], bias[of], of)

        return len(features) * self.k, encode

    def logits(self, vectors: torch.Tensor, features: torch.Tensor, scale: float) -> torch.Tensor:
        """(b, k) from (b, d) images and their texts in the order of `pairs`: (k, d), or (b * k, d) of CoCoOp."""
        if len(vectors) == self.k and len(features) != 1:
            cosines = features @ vectors.T
        else:
            by_image = vectors.reshape(-1, self.k, vectors.shape[1]).expand(len(features), -1, -1)
            cosines = torch.einsum("bd,bkd->bk", features, by_image)
        return scale * cosines[:, self.rank]

    def scores(
        self, learner: Learner, features: torch.Tensor, scale: float, on_progress: Callable[[int], None] | None = None
    ) -> torch.Tensor:
        """(n, k) logits without gradients, in chunks of bounded memory over images and classes."""
        logits = [features.new_zeros(0, self.k)]
        step = max(1, len(features))
        if learner.meta is not None:
            step = max(1, self.chunk // self.k)
        with torch.inference_mode():
            for start in range(0, len(features), step):
                images = features[start : start + step]
                n, encode = self.pairs(learner, images)
                vectors = torch.cat([encode(a, min(a + self.chunk, n)) for a in range(0, n, self.chunk)])
                logits.append(self.logits(vectors, images, scale))
                if on_progress is not None:
                    on_progress(start + len(images))
        return torch.cat(logits)


def restore(prompts: Prompts, tower: PromptTower) -> Learner:
    """The trained learner for use, without gradients."""
    meta = None
    if prompts.meta:
        h, d = prompts.meta["0.weight"].shape
        w = len(prompts.meta["2.bias"])
        meta = torch.nn.Sequential(torch.nn.Linear(d, h), torch.nn.ReLU(), torch.nn.Linear(h, w))
        meta.load_state_dict({name: torch.from_numpy(array) for name, array in prompts.meta.items()})
    return Learner(torch.from_numpy(prompts.ctx), meta).to(tower.device).requires_grad_(False)


def prepare(prompts: Prompts, encoder: Encoder, class_names: Sequence[str]) -> tuple[Learner, PromptBatch]:
    """Checked prompts and the prompt batch of these classes.

    Raises:
        InvalidInput: the prompts belong to another tower or, if class-specific, to other classes.
    """
    check_prompts(prompts, encoder, class_names)
    tower = tower_of(encoder)
    check_prompts(prompts, encoder, class_names, tower.tokenizer)
    width = tower.embed(torch.zeros(1, dtype=torch.long, device=tower.device)).shape[-1]
    if prompts.ctx.shape[-1] != width or (prompts.meta and len(prompts.meta["2.bias"]) != width):
        raise InvalidInput(
            f"The saved context vectors have {prompts.ctx.shape[-1]} numbers and the text tower's words {width}. "
            "Train the prompts again."
        )
    return restore(prompts, tower), PromptBatch(tower, lay_out(tower, class_names, prompts.m, prompts.position))


def classifier(prompts: Prompts, encoder: Encoder, class_names: Sequence[str]) -> F32:
    """(k, d) unit vectors of these class names in CoOp's prompts, also for classes other than those of the training.

    Raises:
        InvalidInput: the prompts are CoCoOp's, which have no vector without an image, or belong to another tower or to
        other classes.
    """
    if prompts.kind != "coop":
        raise InvalidInput("CoCoOp has a vector for each image and class, not for a class alone. Use its logits.")
    learner, batch = prepare(prompts, encoder, class_names)
    n, encode = batch.pairs(learner, batch.base[:0, 0])
    with torch.inference_mode():
        vectors = torch.cat([encode(a, min(a + batch.chunk, n)) for a in range(0, n, batch.chunk)])
    return vectors[batch.rank].cpu().numpy().astype(np.float32)


def prompt_logits(
    prompts: Prompts, encoder: Encoder, features: F32, class_names: Sequence[str], *, progress: Progress = no_progress
) -> F64:
    """(n, k) logits of (n, d) images for these class names, at the encoder's scale, by prompts of either kind.

    Memory is bounded by `MAX_TOKENS`; with CoCoOp's prompts time grows with n times k.

    Raises:
        InvalidInput: the prompts belong to another tower or, if class-specific, to other classes.
    """
    scale = logit_scale_of(encoder)
    if prompts.kind == "coop":
        vectors = classifier(prompts, encoder, class_names)
        return scale * (features.astype(np.float64) @ vectors.T.astype(np.float64))
    learner, batch = prepare(prompts, encoder, class_names)
    rows = torch.from_numpy(np.ascontiguousarray(features, np.float32)).to(batch.ids.device)
    scores = batch.scores(learner, rows, scale, lambda done: progress("Scoring images", done, len(rows)))
    return scores.cpu().numpy().astype(np.float64)


def nearest_words(prompts: Prompts, tower: PromptTower, count: int = 5) -> list[dict[str, Any]]:
    """The nearest words of the vocabulary to each context vector, by cosine and, as in CoOp's code, by distance.

    Source: Zhou et al. 2022 (arXiv 2109.01134), table 4, with Euclidean distances. Learned vectors are often longer
    than any word, which favors short words by distance; the cosine avoids that.
    """
    words = tower.words()
    ctx = torch.from_numpy(prompts.ctx.reshape(-1, prompts.ctx.shape[-1])).to(words.device)
    cosines = torch.nn.functional.normalize(ctx, dim=1) @ torch.nn.functional.normalize(words, dim=1).T
    distances = torch.cdist(ctx, words)
    rows: list[dict[str, Any]] = []

    def spelled(values: torch.Tensor, *, largest: bool) -> list[list[Any]]:
        top = values.topk(count, largest=largest)
        return [[tower.spelled(t), round(v, 3)] for t, v in zip(top.indices.tolist(), top.values.tolist(), strict=True)]

    for i in range(len(ctx)):
        row: dict[str, Any] = {"vector": i % prompts.m + 1}
        if prompts.class_specific:
            row["class"] = prompts.names[i // prompts.m]
        row["by cosine"] = spelled(cosines[i], largest=True)
        row["by distance"] = spelled(distances[i], largest=False)
        rows.append(row)
    return rows
