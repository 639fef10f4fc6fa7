"""A callback of Lightning that writes the table of losses of each pass over the validation or test data."""

# pyright: basic
# (Lightning is no dependency: what it hands over has no types here)
from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from core.data.tables.batches import texts
from core.data.tables.loss_table import LossTable
from core.errors import InvalidInput, MissingDependency

Read = Callable[[Any, Any], Mapping[str, Any]]
"""From what the step returned, and the batch, to the arguments of `LossTable.record`."""
_RECORDED = frozenset(inspect.signature(LossTable.record).parameters) - {"self", "columns"}


def lightning_callback(
    path: str | Path,
    ids: Iterable[Any] | None = None,
    *,
    class_names: Sequence[Any] = (),
    scores: bool = False,
    read: Read | None = None,
) -> Any:
    """A `Callback` that writes a table after each validation or test: `Trainer(callbacks=[...])`.

    On several devices the first one writes what all recorded, each sample once.

    Args:
        path: .csv or .parquet; "{epoch}" in it becomes the number of the epoch, else each pass replaces the last.
        ids, class_names, scores: those of `LossTable`.
        read: called as read(outputs, batch), gives the arguments of `LossTable.record`. None takes logits, or a dict
            with some of these arguments, from the step, and labels that it lacks from a batch of (inputs, labels).

    Raises:
        MissingDependency: neither lightning nor pytorch_lightning is installed.
        InvalidInput: while it runs, see `LossTable.record`; or the trainer uses several devices, and there are no ids,
            or those given at the start are in another order than samples are dealt out.
    """
    known = None if ids is None else texts(ids)

    class TableCallback(_base()):
        table = LossTable()

        def begin(self, trainer: Any, pl_module: Any) -> None:
            several = trainer.world_size > 1
            if several and known is not None:
                _check_dealt(trainer.test_dataloaders if trainer.testing else trainer.val_dataloaders)
            self.table = LossTable(None if several else known, class_names=class_names, scores=scores)

        def batch(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, *place: Any) -> None:
            if trainer.sanity_checking:
                return
            found = (read or arguments_of)(outputs, batch)
            if trainer.world_size > 1 and known is None and found.get("ids") is None:
                raise InvalidInput(
                    f"On {trainer.world_size} devices samples are told apart by their ids. Give the callback ids, or "
                    "return them from the step."
                )
            self.table.record(**found)

        def end(self, trainer: Any, pl_module: Any) -> None:
            if trainer.sanity_checking:
                return
            if trainer.world_size > 1:
                parts = [self.table] * trainer.world_size
                import_module("torch.distributed").all_gather_object(parts, self.table)
                self.table = LossTable.joined(parts, known)
            if trainer.is_global_zero:
                self.table.save(str(path).replace("{epoch}", str(trainer.current_epoch)))

        on_validation_epoch_start = on_test_epoch_start = begin
        on_validation_batch_end = on_test_batch_end = batch
        on_validation_epoch_end = on_test_epoch_end = end

    return TableCallback()


def arguments_of(outputs: Any, batch: Any) -> dict[str, Any]:
    """What a step returned as arguments of `LossTable.record`; its other entries, such as a mean loss, are left alone.

    Raises:
        InvalidInput: the step returned nothing.
    """
    if outputs is None:
        raise InvalidInput(
            "The validation_step or test_step returned nothing to record. Return its logits, or a dict with logits or "
            "losses, and labels."
        )
    found = outputs if isinstance(outputs, Mapping) else {"logits": outputs}
    found = {name: value for name, value in found.items() if name in _RECORDED}
    if "labels" not in found and isinstance(batch, (list, tuple)) and len(batch) == 2:
        found["labels"] = batch[1]
    return found


def _check_dealt(loaders: Any) -> None:
    """Refuse a loader that deals its samples out to several devices in another way than one after the other."""
    loader = loaders[0] if isinstance(loaders, (list, tuple)) and len(loaders) == 1 else loaders
    sampler: Any = getattr(loader, "sampler", None)
    if type(sampler).__name__ != "DistributedSampler" or sampler.shuffle:
        raise InvalidInput(
            "On several devices ids given at the start need one loader whose samples a DistributedSampler deals out "
            f"in order: got {type(loader).__name__} with {type(sampler).__name__}. Return ids from the step instead."
        )


def _base() -> type[Any]:
    """The `Callback` of the Lightning that is in use; there are two, and each knows its own alone."""
    names = ("lightning.pytorch", "pytorch_lightning")
    for name in sorted(names, key=lambda name: name not in sys.modules):
        try:
            return import_module(name).Callback
        except ModuleNotFoundError:
            continue
    raise MissingDependency("The callback needs Lightning. Run `pip install lightning`.")
