"""Lightning callback that writes the loss table of each pass over the validation or test data."""

# pyright: basic
# (Lightning is not a dependency, so its objects have no types here)
from __future__ import annotations

import inspect
import sys
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from core.data.tables.batches import numbers, texts, vector
from core.data.tables.loss_table import LossTable
from core.errors import InvalidInput, MissingDependency

Read = Callable[[Any, Any], Mapping[str, Any]]
"""Called as read(outputs of the step, batch), returns the arguments of `LossTable.record`."""
SAME_MEAN = 0.01
"""Relative difference up to which two means of a batch count as equal: half precision rounds by less."""
_RECORDED = frozenset(inspect.signature(LossTable.record).parameters) - {"self", "columns"}


def lightning_callback(
    path: str | Path,
    ids: Iterable[Any] | None = None,
    *,
    class_names: Sequence[Any] = (),
    scores: bool = False,
    read: Read | None = None,
) -> Any:
    """Make a `Callback` that writes a table after each validation or test: `Trainer(callbacks=[...])`.

    On several devices the first one writes the records of all, each sample once.

    Args:
        path: .csv or .parquet; "{epoch}" in it becomes the number of the epoch, else each pass replaces the last.
        ids, class_names, scores: those of `LossTable`.
        read: called as read(outputs, batch), returns the arguments of `LossTable.record`. None takes from the step
            logits (n, k), losses (n,), or a dict with some of these arguments, and missing labels from the batch. Where
            the step returns one loss, it takes the logits that the module returned, if their mean cross-entropy is that
            loss; else a warning says what to return, and the pass writes no table.

    Raises:
        MissingDependency: neither lightning nor pytorch_lightning is installed.
        InvalidInput: while it runs, see `LossTable.record`; or the trainer uses several devices without ids, or deals
            samples out in another order than the ids at the start.
    """
    known = None if ids is None else texts(ids)

    class TableCallback(_base()):
        table: LossTable | None = None  # where the losses are unknown
        seen: Any = None
        hook: Any = None

        def begin(self, trainer: Any, pl_module: Any) -> None:
            def see(module: Any, inputs: Any, output: Any) -> None:
                self.seen = output

            if read is None:
                self.hook = pl_module.register_forward_hook(see)
            table_ids = known
            if trainer.world_size > 1:
                table_ids = None
                if known is not None:
                    _check_sampler(trainer.test_dataloaders if trainer.testing else trainer.val_dataloaders)
            self.table = LossTable(table_ids, class_names=class_names, scores=scores)

        def batch(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, *position: Any) -> None:
            if trainer.sanity_checking or self.table is None:
                return
            if read is None:
                arguments = arguments_of(outputs, batch, self.seen)
                self.seen = None
            else:
                arguments = read(outputs, batch)
            if arguments is None:
                self.table = None
                warnings.warn(_no_losses(outputs), stacklevel=2)
                return
            if trainer.world_size > 1 and known is None and arguments.get("ids") is None:
                raise InvalidInput(
                    f"On {trainer.world_size} devices each sample needs an id. "
                    "Pass ids to the callback or return them from the step."
                )
            self.table.record(**arguments)

        def end(self, trainer: Any, pl_module: Any) -> None:
            if self.hook is not None:
                self.hook.remove()
            if trainer.sanity_checking:
                return
            table = self.table
            if trainer.world_size > 1:
                parts = [table] * trainer.world_size
                import_module("torch.distributed").all_gather_object(parts, table)
                table = None
                if not any(part is None for part in parts):
                    table = LossTable.joined(parts, known)
            if trainer.is_global_zero and table is not None:
                table.save(str(path).replace("{epoch}", str(trainer.current_epoch)))

        on_validation_epoch_start = on_test_epoch_start = begin
        on_validation_batch_end = on_test_batch_end = batch
        on_validation_epoch_end = on_test_epoch_end = end

    return TableCallback()


def arguments_of(outputs: Any, batch: Any, seen: Any = None) -> dict[str, Any] | None:
    """Convert the outputs of a step to arguments of `LossTable.record`; None where they give no loss of each sample.

    Args:
        seen: what the module's `forward` returned in the step.

    Raises:
        InvalidInput: the step returned one number per sample, and some are negative.
    """
    arguments = dict[str, Any]()
    mean = None
    if isinstance(outputs, Mapping):
        arguments = {name: value for name, value in outputs.items() if name in _RECORDED}
        mean = outputs.get("loss")
    elif np.ndim(outputs) == 1:
        if (numbers(vector(outputs, "losses"), "losses") < 0).any():
            raise InvalidInput(
                "The step returned one number per sample, which is read as its loss, but some are negative. "
                'Return {"logits": ...} for scores of two classes, or {"losses": ...}.'
            )
        arguments = {"losses": outputs}
    elif np.ndim(outputs) > 1:
        arguments = {"logits": outputs}
    else:
        mean = outputs
    if mean is not None and np.ndim(mean) == 1:
        arguments.setdefault("losses", mean)
    if isinstance(batch, (list, tuple)) and len(batch) == 2:
        arguments.setdefault("labels", batch[1])
    elif isinstance(batch, Mapping) and not batch.keys().isdisjoint(("labels", "label")):
        arguments.setdefault("labels", batch.get("labels", batch.get("label")))
    if not arguments.keys().isdisjoint(("losses", "logits", "probabilities", "predictions")):
        return arguments
    logits = getattr(seen, "logits", seen)
    if mean is None or np.ndim(mean) or "labels" not in arguments or np.ndim(logits) != 2:
        return None
    table = LossTable()
    try:
        table.record(labels=arguments["labels"], logits=logits)
    except InvalidInput:
        return None
    entropy = table.to_pandas()["cross_entropy"].mean()
    if not np.isclose(entropy, float(mean), rtol=SAME_MEAN):
        return None
    return arguments | {"logits": logits}


def _no_losses(outputs: Any) -> str:
    what = "nothing"
    if outputs is not None:
        what = "one loss for the whole batch"
    return (
        f"validation_step or test_step returned {what}, so the loss of each sample is unknown and no table is written. "
        'Return {"loss": loss, "logits": logits}, losses with reduction="none", or pass read=.'
    )


def _check_sampler(loaders: Any) -> None:
    """Refuse a loader that does not deal its samples out to the devices in order."""
    loader = loaders
    if isinstance(loaders, (list, tuple)) and len(loaders) == 1:
        loader = loaders[0]
    sampler: Any = getattr(loader, "sampler", None)
    if type(sampler).__name__ != "DistributedSampler" or sampler.shuffle:
        raise InvalidInput(
            "On several devices, ids at the start need one loader with a DistributedSampler and shuffle=False: got "
            f"{type(loader).__name__} with {type(sampler).__name__}. Return ids from the step instead."
        )


def _base() -> type[Any]:
    """The `Callback` of the Lightning package in use; there are two, and each accepts only its own."""
    names = ("lightning.pytorch", "pytorch_lightning")
    for name in sorted(names, key=lambda name: name not in sys.modules):
        try:
            return import_module(name).Callback
        except ModuleNotFoundError:
            continue
    raise MissingDependency("The callback needs Lightning. Run `pip install lightning`.")
