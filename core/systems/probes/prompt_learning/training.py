"""Training of context vectors on shots: stochastic gradient descent through a frozen text tower, on precomputed image
features."""

from __future__ import annotations

import math
import time
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from core.encoders.prompts import PromptTower
from core.errors import InvalidInput
from core.records import F32
from core.systems.common.epochs import Best, Epoch, weights_of
from core.systems.common.schedule import cosine
from core.systems.common.steps import take_step
from core.systems.probes.base import Images, ProbeInput, logit_scale_of
from core.systems.probes.prompt_learning.context import Prompts, PromptTraining, lay_out
from core.systems.probes.prompt_learning.learner import Learner, PromptBatch, meta_network, tower_of

MOMENTUM = 0.9
DECAY = 5e-4
WARM_UP_RATE = 1e-5
"""Learning rate of the first epoch."""
COCOOP_RATE = 0.002
"""CoCoOp's learning rate for one image a step; it grows in proportion to the images (Goyal et al. 2017, arXiv
1706.02677)."""


def epochs_of(how: PromptTraining, shots: int, tower: PromptTower) -> int:
    """Epochs of the settings, else of the tower, else of the papers for this number of shots a class."""
    if how.epochs is not None:
        return how.epochs
    if how.kind == "cocoop":
        return 10
    if tower.epochs is not None:
        return tower.epochs
    if shots >= 8:
        return 200
    return 100 if shots >= 2 else 50


def lr_of(how: PromptTraining, tower: PromptTower) -> float:
    """The largest learning rate, as set or by default."""
    if how.lr is not None:
        return how.lr
    if how.kind == "cocoop":
        return COCOOP_RATE * how.batch
    return tower.learning_rate


def rate(epoch: int, epochs: int, lr: float) -> float:
    """Share of the learning rate `lr` in an epoch, from 0: one of warm-up, then cosine decay."""
    if epoch == 0:
        return min(WARM_UP_RATE / lr, 1.0)
    return cosine(epoch - 1, epochs)


def fit_prompts(part: ProbeInput, how: PromptTraining) -> Prompts:
    """Train prompts that classify the part's shots, without its test images.

    With validation images the epoch with the lowest validation loss is kept, including the start; without, the last
    one, as in the papers. The same part, settings and number of threads give the same prompts.

    Raises:
        InvalidInput: shots are missing, the tower takes no embeddings, the context is too long, or the learning rate is
        too large. Cancelled: by `part.progress`.

    Source: Zhou et al. 2022 (arXiv 2109.01134) and (arXiv 2203.05557). Departures: images are not augmented, since
    their features are computed once; validation chooses the epoch; a class-specific context may start from words, and
    CoOp's does by default, like CoCoOp's (CoOp's own tables start 16 vectors at random).
    """
    shots = part.shots
    if shots is None or shots.labels is None or not len(shots):
        name = {"coop": "CoOp", "cocoop": "CoCoOp"}[how.kind]
        raise InvalidInput(f"{name} learns from labeled images and got none. Use at least one shot.")
    tower = tower_of(part.encoder)
    d = (part.test if len(part.test) else shots).features.shape[1]
    learner = start(tower, how, len(part.class_names), d, part.seed)
    batch = PromptBatch(tower, lay_out(tower, part.class_names, learner.ctx.shape[-2], how.position))
    run = _PromptRun(part, how, tower, learner, batch)
    run.train(epochs_of(how, int(np.bincount(shots.labels).max()), tower))
    return run.prompts()


def start(tower: PromptTower, how: PromptTraining, k: int, d: int, seed: int) -> Learner:
    """The context before training: word embeddings, or normal vectors with the spread of the word embeddings.

    Departure: CoOp draws random vectors with deviation 0.02, which is the spread of CLIP's words and not of others.
    """
    generator = torch.Generator().manual_seed(seed)
    words = start_tokens(tower, how.init)
    if words:
        ctx = tower.embed(torch.tensor(words, device=tower.device)).detach().cpu()
    else:
        table = tower.words()
        shape = (how.length, table.shape[1])
        if how.class_specific:
            shape = (k, *shape)
        ctx = torch.randn(shape, generator=generator) * float(table.std())
    if how.class_specific and ctx.ndim == 2:
        ctx = ctx.expand(k, *ctx.shape)
    meta = None
    if how.kind == "cocoop":
        meta = meta_network(d, ctx.shape[-1], generator)
    return Learner(ctx, meta).to(tower.device)


def start_tokens(tower: PromptTower, init: str) -> list[int]:
    """Tokens of the words that a context starts from; empty for a random start.

    Raises:
        InvalidInput: the tower reads no word in `init`.
    """
    if not init.strip():
        return []
    words = tower.tokens(init)
    if not words:
        raise InvalidInput(
            f"The text tower reads no word in {init!r}. Write other words, or leave init empty for a random start."
        )
    return words


class _PromptRun:
    """One training."""

    def __init__(
        self, part: ProbeInput, how: PromptTraining, tower: PromptTower, learner: Learner, batch: PromptBatch
    ) -> None:
        self.part = part
        self.how = how
        self.tower = tower
        self.learner = learner
        self.batch = batch
        self.scale = logit_scale_of(part.encoder)
        self.lr = lr_of(how, tower)
        assert part.shots is not None
        self.shots = self._tensors(part.shots)
        self.validation = None
        if part.validation is not None and len(part.validation):
            self.validation = self._tensors(part.validation)
        self.curve: list[Epoch] = []
        self.best = Best(weights_of(learner))
        self.first_steps: list[float] = []
        self.seconds = 0.0

    def _tensors(self, images: Images) -> tuple[torch.Tensor, torch.Tensor]:
        assert images.labels is not None
        rows = torch.from_numpy(np.ascontiguousarray(images.features, np.float32)).to(self.tower.device)
        return rows, torch.from_numpy(images.labels.astype(np.int64)).to(self.tower.device)

    def train(self, epochs: int) -> None:
        """Train for all epochs, keeping the best."""
        features, labels = self.shots
        steps = math.ceil(len(labels) / self.how.batch)
        rng = np.random.default_rng(self.part.seed)
        optimiser = torch.optim.SGD(self.learner.parameters(), lr=self.lr, momentum=MOMENTUM, weight_decay=DECAY)
        started = time.process_time()
        self._measure(0, None)
        for epoch in range(epochs):
            order = torch.from_numpy(rng.permutation(len(labels)))
            losses = list[float]()
            for i, at in enumerate(order.split(self.how.batch)):
                self.part.progress("Learning prompts", epoch * steps + i, epochs * steps)
                at = at.to(features.device)
                before = time.process_time()
                loss = prompt_loss(self.batch, self.learner, features[at], labels[at], self.scale)
                losses.append(take_step(optimiser, loss, rate(epoch, epochs, self.lr), clip=None) * len(at))
                if len(self.first_steps) < 2:
                    self.first_steps.append(time.process_time() - before)
            self._measure(epoch + 1, sum(losses) / len(labels))
        self.seconds = time.process_time() - started
        self.steps = epochs * steps
        self.epoch = epochs
        if self.validation is not None:
            self.learner.load_state_dict(self.best.weights)
            self.epoch = self.best.epoch

    def _measure(self, epoch: int, trained: float | None) -> None:
        loss = math.nan
        if self.validation is not None:
            rows, labels = self.validation
            loss = float(cross_entropy(self.batch.scores(self.learner, rows, self.scale), labels))
            self.best.offer(epoch, (-loss,), lambda: weights_of(self.learner))
        self.curve.append(Epoch(epoch, trained, loss))

    def prompts(self) -> Prompts:
        """The learned prompts with their record."""
        state = {name: tensor.cpu().numpy().astype(np.float32) for name, tensor in weights_of(self.learner).items()}
        meta: dict[str, F32] = {name.removeprefix("meta."): array for name, array in state.items() if name != "ctx"}
        part = self.part
        assert part.shots is not None
        seen = part.shots.ids
        if part.validation is not None:
            seen += part.validation.ids
        record: dict[str, Any] = {
            **asdict(self.how),
            "lr": self.lr,
            "seed": part.seed,
            "steps": self.steps,
            "cpu_seconds": round(self.seconds, 2),
        }
        if self.first_steps:  # the time they predicted, to compare with the time it took
            record["first_two_steps"] = [round(s, 4) for s in self.first_steps]
            record["expected_cpu_seconds"] = round(self.first_steps[-1] * self.steps, 2)
        return Prompts(
            self.how.kind,
            part.encoder.name,
            part.encoder.fingerprint,
            self.tower.tokenizer,
            tuple(part.class_names),
            state["ctx"],
            self.how.position,
            self.how.init.strip(),
            meta,
            tuple(self.curve),
            self.epoch,
            seen,
            record,
        )


def prompt_loss(
    batch: PromptBatch, learner: Learner, features: torch.Tensor, labels: torch.Tensor, scale: float
) -> torch.Tensor:
    """Mean cross-entropy of (b, d) images, a scalar whose `backward` adds to the gradients of the learner's parameters.

    Texts that exceed memory are encoded twice: without gradients for the loss, then chunk by chunk with the loss's
    gradient for each vector. The gradient is the same.

    Source: the two passes are those of Gao et al. 2021, "Scaling deep contrastive learning batch size" (arXiv
    2101.06983).
    """
    n, encode = batch.pairs(learner, features)
    if n <= batch.chunk:
        return cross_entropy(batch.logits(encode(0, n), features, scale), labels)
    chunks = [(a, min(a + batch.chunk, n)) for a in range(0, n, batch.chunk)]
    with torch.no_grad():
        vectors = torch.cat([encode(a, b) for a, b in chunks])

    @torch.enable_grad()  # within `backward` gradients are off
    def second_pass(vectors: torch.Tensor) -> None:
        assert vectors.grad is not None
        for a, b in chunks:
            encode(a, b).backward(vectors.grad[a:b])

    vectors.requires_grad_().register_post_accumulate_grad_hook(second_pass)
    return cross_entropy(batch.logits(vectors, features, scale), labels)
