"""Train an adapter on pairs with hard negatives: binary cross-entropy, a validation part that stops it, progress, and a
state to resume from."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.encoders.batches import chosen_device
from core.errors import Cancelled, InvalidInput
from core.files import cannot_write
from core.numbers import count
from core.options import setting
from core.records import I64, Progress, no_progress
from core.statistics.groups import joined
from core.systems.common.checkpoints import Checkpoint, check_owner, read_checkpoint, write_checkpoint
from core.systems.common.epochs import Best, Epoch, weights_of
from core.systems.common.half_precision import half_of, loss_scaler
from core.systems.common.own_random import OwnRandom
from core.systems.common.schedule import rate
from core.systems.common.steps import take_step
from core.systems.composition.training.losses import step_loss, validate
from core.systems.composition.training.matching import device_of
from core.systems.composition.training.pairs import Batch, PairData, content_digest, make_step

QUICK = 4.0
"""Times the step size, of what stands before a transformer and is trained aside."""
MEASURED = 512
"""Training images, and captions, over which the spread of tokens is taken."""


@dataclass(frozen=True, slots=True)
class Training:
    """How an adapter is trained."""

    epochs: int = setting(30, "Most passes over the training items.", low=1, high=1000)
    patience: int = setting(6, "Stop after this many epochs without a better validation.", low=1, high=1000)
    batch: int = setting(16, "Items in a step.", low=2, high=512)
    lr: float | None = setting(None, "Largest step size of AdamW; empty uses the adapter's own.", low=1e-7, high=1.0)
    decay: float = setting(1e-4, "Weight decay, Cola's.", low=0.0, high=1.0, advanced=True)
    validation: float = setting(0.15, "Share of the items that choose the epoch.", low=0.05, high=0.5)
    negatives: int | None = setting(None, "Captions of other items per image; empty uses the adapter's own.", low=0)
    seed: int = setting(0, "The same seed trains the same adapter.", low=0)
    precision: str = setting(
        "auto",
        (
            "Precision of the products while training. auto takes bfloat16 where the processor or graphics card "
            "multiplies it, up to three times as fast, and float16 on other cards."
        ),
        choices=("auto", "float32", "bfloat16"),
        advanced=True,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """A module with the weights of its best epoch."""

    module: Any
    curve: tuple[Epoch, ...]
    best: int
    """Epoch that was kept."""
    n_training: int
    n_validation: int
    seconds: float
    """CPU seconds of all epochs, earlier parts of a resumed training included."""
    lr: float
    n_parameters: int
    stopped: bool = False
    """Whether the user stopped the training after an epoch."""


def split_items(n: int, share: float, groups: I64 | None, seed: int) -> tuple[I64, I64]:
    """(training, validation) places of n items; items of one group stay together.

    Raises:
        InvalidInput: there are too few to hold any back.
    """
    names = np.arange(n) if groups is None else np.unique(groups, return_inverse=True)[1]
    kinds = np.random.default_rng(seed).permutation(int(names.max()) + 1 if n else 0)
    held = max(1, round(share * len(kinds)))
    if n < 4 or len(kinds) - held < 2:
        raise InvalidInput(
            "Training needs items to learn from, and others without shared images to stop it: got "
            f"{count(n, 'item')} in {count(len(kinds), 'separate part')}. Add items."
        )
    validation = np.isin(names, kinds[:held])
    return np.flatnonzero(~validation).astype(np.int64), np.flatnonzero(validation).astype(np.int64)


def picture_groups(data: PairData) -> I64:
    """(n,) number of the group of items that share images, directly or through others."""
    rows = np.concatenate([np.full(len(q.images), i) for i, q in enumerate(data.questions)])
    return joined(len(data.questions), rows, np.concatenate([q.images for q in data.questions]))


def fit(
    adapter: Any,
    build: Callable[[], Any],
    training: PairData,
    validation: PairData,
    how: Training,
    *,
    state: Path | None = None,
    keep_stopped: bool = False,
    progress: Progress = no_progress,
) -> Trained:
    """Train a fresh module; the epoch with the best validation is kept, the untrained module included.

    The same data, settings and number of threads give the same module, also where it was stopped between two epochs and
    resumed.

    Args:
        build: makes the untrained module.
        state: folder that the state of each finished epoch is kept in; a training that was stopped goes on from there.
        keep_stopped: where `progress` raises `Cancelled`, return the best of the finished epochs, if there is one.
        progress: called as ("train", step, steps) after every step; may raise `Cancelled`.

    Raises:
        InvalidInput: the loss became NaN, or `state` is of another training.

    Source: Cola (Ray et al. 2023, arXiv 2305.03689, section 11): sigmoid binary cross-entropy over all pairs, weight
    decay 1e-4. Departures: hard pairs are averaged by themselves, so that they weigh as much as they are seldom;
    optimiser, batch and stopping are ours, since the paper gives none.
    """
    with OwnRandom(how.seed):
        module = build().to(chosen_device())
        _calibrate(module, training)
    run = _AdapterRun(adapter, module, training, validation, how, progress)
    start = 0
    if state is not None:
        start = run.resume(state)
    for number in range(start, how.epochs + 1):
        try:
            run.epoch(number)
        except Cancelled:
            if keep_stopped and number > 1:
                return run.trained(stopped=True)
            raise
        if state is not None:
            run.keep(state)
        if number - run.best.epoch >= how.patience:
            break
    return run.trained()


def _calibrate(module: Any, training: PairData) -> None:
    """Tell a module that asks for it over which tokens to take their spread."""
    if not hasattr(module, "calibrate"):
        return
    images, texts = (
        np.unique(np.concatenate([getattr(q, side) for q in training.questions]))[:MEASURED]
        for side in ("images", "texts")
    )
    on = device_of(module)
    module.calibrate(training.image_rows(images, on), training.text_rows(texts, on))


class _AdapterRun:
    """One training."""

    def __init__(
        self, adapter: Any, module: Any, training: PairData, validation: PairData, how: Training, progress: Progress
    ) -> None:
        self.module = module
        self.training = training
        self.validation = validation
        self.how = how
        self.progress = progress
        self.items = [content_digest(part) for part in (training, validation)]
        self.asked = _asked(adapter, how)
        self.lr = self.asked["lr"]
        self.negatives = self.asked["negatives"]
        self.optimiser = torch.optim.AdamW(_groups(module, self.lr), weight_decay=how.decay)
        self.steps = math.ceil(len(training.questions) / how.batch)
        self.device = device_of(module)
        self.half = half_of(self.device, how.precision)
        self.scaler = loss_scaler(self.device, self.half)
        self.curve: list[Epoch] = []
        self.best = Best(weights_of(module))
        self.seconds = 0.0

    def epoch(self, number: int) -> None:
        """One pass (none for number 0), then validation."""
        began = time.process_time()
        losses: list[float] = []
        if number:
            dropout = OwnRandom(self.how.seed * 100_003 + number)  # the same after a resumption
            rng = np.random.default_rng([self.how.seed, number])
            order = rng.permutation(len(self.training.questions))
            self.module.train()
            for i in range(self.steps):
                step = make_step(
                    self.training, order[i * self.how.batch : (i + 1) * self.how.batch].tolist(), self.negatives, rng
                )
                losses.append(self._step(step, (number - 1) * self.steps + i, dropout))
                self.progress("train", (number - 1) * self.steps + i + 1, self.how.epochs * self.steps)
        loss, accuracy = validate(self.module, self.validation)
        self.seconds += time.process_time() - began
        self.curve.append(Epoch(number, float(np.mean(losses)) if losses else None, loss, accuracy))
        self.best.offer(number, (accuracy, -loss), lambda: weights_of(self.module))

    def _step(self, step: Batch, at: int, dropout: OwnRandom) -> float:
        half = torch.autocast(self.device.type, dtype=self.half or torch.bfloat16, enabled=self.half is not None)
        with dropout, half:
            loss = step_loss(self.module, self.training, step)
        return take_step(self.optimiser, loss, rate(at, self.how.epochs * self.steps), scaler=self.scaler)

    def trained(self, *, stopped: bool = False) -> Trained:
        """The module with the weights of its best epoch, ready to score."""
        self.module.load_state_dict(self.best.weights)
        learn = len(self.training.questions)
        hold = len(self.validation.questions)
        size = sum(p.numel() for p in self.module.parameters() if p.requires_grad)
        curve = tuple(self.curve)
        best = self.best.epoch
        seconds = self.seconds
        return Trained(self.module.eval(), curve, best, learn, hold, seconds, self.lr, size, stopped)

    def keep(self, folder: Path) -> None:
        """Write all that goes on into the folder.

        Raises:
            InvalidInput: it cannot be written.
        """
        try:
            scale = float(self.scaler.get_scale())
            state = Checkpoint(self.best.weights, self.best.epoch, self.seconds, self.curve, scale)
            write_checkpoint(folder, self.module, self.optimiser, self.owner(), state)
        except OSError as error:
            raise cannot_write(f"The state of the training cannot be written to {folder}", error) from error

    def resume(self, folder: Path) -> int:
        """Take up what the folder holds; the next epoch's number."""
        checkpoint = read_checkpoint(folder, self.module, self.optimiser, self.owner())
        if checkpoint is None:
            return 0
        self.curve = list(checkpoint.curve)
        self.seconds = checkpoint.seconds
        best = checkpoint.curve[checkpoint.best]
        self.scaler = loss_scaler(self.device, self.half, checkpoint.scale)
        self.best.offer(
            checkpoint.best, (best.validation_accuracy, -best.validation_loss), lambda: checkpoint.best_weights
        )
        return len(self.curve)

    def owner(self) -> dict[str, Any]:
        """What a kept state must have been made with."""
        shapes = {name: list(tensor.shape) for name, tensor in self.module.state_dict().items()}
        return self.asked | {"items": self.items, "shapes": shapes}


def check_state(state: Path, adapter: Any, how: Training) -> None:
    """Refuse a folder with the state of a training that was asked for otherwise, before any item is read.

    Raises:
        InvalidInput: it holds one of another adapter or other settings, or is damaged.
    """
    check_owner(state, _asked(adapter, how))


def _asked(adapter: Any, how: Training) -> dict[str, Any]:
    """What a kept state must have been asked for, as far as it is known without the items."""
    settings = {name: getattr(how, name) for name in ("batch", "decay", "seed", "epochs", "precision")}
    lr = adapter.learning_rate if how.lr is None else how.lr
    negatives = adapter.negatives if how.negatives is None else how.negatives
    return {"adapter": repr(adapter), "how": settings, "lr": lr, "negatives": negatives}


def _groups(module: Any, lr: float) -> list[dict[str, Any]]:
    """What is trained, in two groups: at the step size, and at QUICK times it, which a module asks for by `quick`, the
    names that begin such."""
    quick: tuple[str, ...] = getattr(module, "quick", ())
    named = [
        (name.startswith(quick) if quick else False, p) for name, p in module.named_parameters() if p.requires_grad
    ]
    groups = [
        {"params": [p for fast, p in named if fast == which], "lr": lr * (QUICK if which else 1.0)}
        for which in (False, True)
    ]
    return [group for group in groups if group["params"]]
