"""Lightning callback that writes the loss table of each pass over the validation or test data."""

# pyright: basic
# (Lightning is not a dependency, so its objects have no types here)
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
"""Called as read(outputs of the step, batch), returns the arguments of `LossTable.record`."""
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
        read: called as read(outputs, batch), returns the arguments of `LossTable.record`. None takes logits, or a dict
            with some of these arguments, from the step, and missing labels from a batch of (inputs, labels).

    Raises:
        MissingDependency: neither lightning nor pytorch_lightning is installed.
        InvalidInput: while it runs, see `LossTable.record`; or the trainer uses several devices without ids, or deals
            samples out in another order than the ids at the start.
    """
    known = None if ids is None else texts(ids)

    class TableCallback(_base()):
        table = LossTable()

        def begin(self, trainer: Any, pl_module: Any) -> None:
            table_ids = known
            if trainer.world_size > 1:
                table_ids = None
                if known is not None:
                    _check_sampler(trainer.test_dataloaders if trainer.testing else trainer.val_dataloaders)
            self.table = LossTable(table_ids, class_names=class_names, scores=scores)

        def batch(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, *position: Any) -> None:
            if trainer.sanity_checking:
                return
            arguments = (read or arguments_of)(outputs, batch)
            if trainer.world_size > 1 and known is None and arguments.get("ids") is None:
                raise InvalidInput(
                    f"On {trainer.world_size} devices each sample needs an id. "
                    "Pass ids to the callback or return them from the step."
                )
            self.table.record(**arguments)

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
    """Convert the outputs of a step to arguments of `LossTable.record`; other entries, like a mean loss, are ignored.

    Raises:
        InvalidInput: the step returned nothing.
    """
    if outputs is None:
        raise InvalidInput(
            "The validation_step or test_step returned nothing. Return its logits, or a dict with logits or losses, "
            "and labels."
        )
    if not isinstance(outputs, Mapping):
        outputs = {"logits": outputs}
    arguments = {name: value for name, value in outputs.items() if name in _RECORDED}
    if "labels" not in arguments and isinstance(batch, (list, tuple)) and len(batch) == 2:
        arguments["labels"] = batch[1]
    return arguments


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
