"""The callback of Lightning writes a table for each pass over the validation data."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import errata
from core.data.tables import lightning_callback as module
from core.data.tables.lightning_callback import arguments_of
from core.errors import InvalidInput, MissingDependency

MODULE = SimpleNamespace(register_forward_hook=lambda _: SimpleNamespace(remove=lambda: None))
"""Stands in for a module of Lightning."""


def test_a_step_may_give_logits_or_a_dict_and_the_batch_the_labels() -> None:
    logits, labels = np.zeros((2, 3)), np.array([1, 2])
    assert arguments_of(logits, (None, labels)) == {"logits": logits, "labels": labels}
    given = {"loss": 0.3, "ids": ["a", "b"], "losses": [0.1, 0.5], "labels": labels}
    assert arguments_of(given, (None, None)) == {name: given[name] for name in ("ids", "losses", "labels")}
    assert arguments_of({"losses": [0.1, 0.5]}, {"image": None}) == {"losses": [0.1, 0.5]}
    losses = np.array([0.1, 0.5])
    assert arguments_of(losses, {"image": None, "label": labels}) == {"losses": losses, "labels": labels}
    assert arguments_of({"loss": losses}, None) == {"losses": losses}
    with pytest.raises(InvalidInput, match=r'some are negative. Return {"logits": ...} for scores of two classes'):
        arguments_of(-losses, None)


def test_one_loss_for_a_batch_gives_its_rows_only_by_logits_of_that_mean() -> None:
    """So that logits of something else, a smoothed or a weighted loss are not taken for it."""
    logits = np.array([[2.0, 0.0], [1.0, 0.0]])
    batch = (None, np.array([0, 1]))
    mean = np.array(np.log1p(np.exp(-2)) / 2 + np.log1p(np.exp(1)) / 2)
    found = arguments_of(mean, batch, SimpleNamespace(logits=logits))
    assert found == {"labels": batch[1], "logits": logits} == arguments_of({"loss": mean}, batch, logits)
    for outputs, seen in ((mean * 1.1, logits), (mean, None), (mean, logits[:, 0]), (None, logits)):
        assert arguments_of(outputs, batch, seen) is None


def test_without_lightning_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(module, "import_module", missing)
    with pytest.raises(MissingDependency, match="pip install lightning"):
        errata.lightning_callback("val.csv")


@pytest.fixture
def hooks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """The callback over a Lightning that has nothing but the class to derive from."""
    monkeypatch.setattr(module, "import_module", lambda _: SimpleNamespace(Callback=object))
    return errata.lightning_callback(tmp_path / "val-{epoch}.csv", ["a", "b"])


def test_the_check_before_training_is_not_recorded(hooks: Any, tmp_path: Path) -> None:
    trainer = SimpleNamespace(world_size=1, sanity_checking=True, current_epoch=0, is_global_zero=True)
    for _ in range(2):
        hooks.on_validation_epoch_start(trainer, MODULE)
        hooks.on_validation_batch_end(trainer, None, np.zeros((2, 2)), (None, [0, 1]), 0)
        hooks.on_validation_epoch_end(trainer, None)
        assert [path.name for path in tmp_path.iterdir()] == ([] if trainer.sanity_checking else ["val-0.csv"])
        trainer.sanity_checking = False


class DistributedSampler:
    """Stands in for torch's."""

    def __init__(self, shuffle: bool) -> None:
        self.shuffle = shuffle


class Devices:
    """Two devices that evaluate one after the other; what they exchange waits until both are done."""

    world_size, sanity_checking, current_epoch, testing = 2, False, 0, True

    def __init__(self, sampler: Any, rank: int = 0) -> None:
        self.test_dataloaders, self.is_global_zero = SimpleNamespace(sampler=sampler), rank == 0


def evaluated(path: Path, monkeypatch: pytest.MonkeyPatch, ids: list[str] | None, steps: list[Any]) -> pd.DataFrame:
    """The table that the first of two devices writes, of what the step of each returned."""
    writers, recorded = list[Any](), list[Any]()

    def gather(parts: list[Any], table: Any) -> None:
        parts[:] = recorded

    fakes = {"torch.distributed": SimpleNamespace(all_gather_object=gather)}
    monkeypatch.setattr(module, "import_module", lambda name: fakes.get(name, SimpleNamespace(Callback=object)))
    trainers = [Devices(DistributedSampler(False), rank) for rank in range(2)]
    for trainer, outputs in zip(trainers, steps):
        writers.append(errata.lightning_callback(path, ids))
        writers[-1].on_test_epoch_start(trainer, MODULE)
        writers[-1].on_test_batch_end(trainer, None, outputs, None, 0)
        recorded.append(writers[-1].table)
    for trainer, writer in reversed(list(zip(trainers, writers))):
        writer.on_test_epoch_end(trainer, None)
        assert path.exists() == trainer.is_global_zero
    return pd.read_csv(path)


def test_what_two_devices_recorded_is_put_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three samples dealt out to two devices, of which the first is dealt out once more to fill up."""
    found = evaluated(tmp_path / "t.csv", monkeypatch, ["a", "b", "c"], [{"losses": [0, 2]}, {"losses": [1, 0]}])
    assert found.to_dict("list") == {"id": ["a", "b", "c"], "loss": [0, 1, 2]}
    (tmp_path / "t.csv").unlink()
    steps = [{"ids": ["c", "a"], "losses": [2, 0]}, {"ids": ["b", "c"], "losses": [1, 2]}]
    found = evaluated(tmp_path / "t.csv", monkeypatch, None, steps)
    assert found.to_dict("list") == {"id": ["c", "b", "a"], "loss": [2, 1, 0]}


def test_what_cannot_be_told_apart_on_several_devices_is_refused(
    tmp_path: Path, hooks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InvalidInput, match=r"got SimpleNamespace with DistributedSampler. Return ids from the step"):
        hooks.on_test_epoch_start(Devices(DistributedSampler(shuffle=True)), MODULE)
    with pytest.raises(InvalidInput, match=r"On 2 devices each sample needs an id. Pass ids to the callback"):
        evaluated(tmp_path / "t.csv", monkeypatch, None, [{"losses": [0, 2]}] * 2)
    with pytest.raises(InvalidInput, match="6 ids at the start, but 4 samples recorded on 2 devices"):
        evaluated(tmp_path / "t.csv", monkeypatch, list("abcdef"), [{"losses": [0, 2]}] * 2)
    assert not (tmp_path / "t.csv").exists()


TWO = """
import errata, sys, torch
from lightning.pytorch import LightningModule, Trainer

class Told(LightningModule):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)

    def validation_step(self, batch, _):
        return {"losses": batch[0][:, 0]}

data = torch.utils.data.TensorDataset(torch.arange(7.0)[:, None])
writer = errata.lightning_callback(sys.argv[1], [f"{i}.png" for i in range(7)])
quiet = dict.fromkeys(("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary"), False)
Trainer(accelerator="cpu", devices=2, strategy="ddp", callbacks=[writer], **quiet).validate(
    Told(), torch.utils.data.DataLoader(data, batch_size=2), verbose=False
)
"""


@pytest.mark.slow
def test_lightning_itself_on_two_devices(tmp_path: Path, repository: Path) -> None:
    pytest.importorskip("lightning.pytorch")
    (tmp_path / "two.py").write_text(TWO, "utf-8")
    command = [sys.executable, tmp_path / "two.py", tmp_path / "val.csv"]
    subprocess.run(command, env=os.environ | {"PYTHONPATH": str(repository)}, check=True, timeout=240)
    found = pd.read_csv(tmp_path / "val.csv")
    assert found.to_dict("list") == {"id": [f"{i}.png" for i in range(7)], "loss": list(range(7))}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["lightning.pytorch", "pytorch_lightning"])
def test_real_training_writes_a_table_each_epoch(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lightning, torch = pytest.importorskip(name), pytest.importorskip("torch")
    monkeypatch.setattr(module, "sys", SimpleNamespace(modules={name: lightning}))
    inputs, labels = torch.randn(10, 3), torch.arange(10) % 2

    class Linear(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(3, 2)

        def training_step(self, batch: Any, _: int) -> Any:
            return torch.nn.functional.cross_entropy(self.layer(batch[0]), batch[1])

        def validation_step(self, batch: Any, _: int) -> Any:
            return {"loss": self.training_step(batch, 0), "logits": self.layer(batch[0])}

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), 0.1)

    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(inputs, labels), batch_size=4)
    writer = errata.lightning_callback(tmp_path / "val-{epoch}.csv", [f"{i}.png" for i in range(10)])
    trainer = lightning.Trainer(
        **{"max_epochs": 2, "callbacks": [writer], "devices": 1, "accelerator": "cpu", "default_root_dir": tmp_path},
        **dict.fromkeys(("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary"), False),
    )
    model = Linear()
    trainer.fit(model, loader, loader)
    first, last = (pd.read_csv(tmp_path / f"val-{epoch}.csv") for epoch in (0, 1))
    wanted = torch.nn.functional.cross_entropy(model.layer(inputs), labels, reduction="none").detach().numpy()
    np.testing.assert_allclose(last["cross_entropy"], wanted, rtol=1e-5)
    assert last["id"].tolist() == first["id"].tolist() == [f"{i}.png" for i in range(10)]
    assert (first["cross_entropy"] != last["cross_entropy"]).any()


@pytest.mark.parametrize("seen", [True, False])
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_return_loss_is_taken_apart_or_said_to_be_unknown(
    seen: bool, tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    """Logits that the module itself returned are seen; those of a layer that the step calls are not."""
    lightning, torch = pytest.importorskip("lightning.pytorch"), pytest.importorskip("torch")
    inputs, labels = torch.randn(10, 3), torch.arange(10) % 2

    class Usual(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(3, 2)

        def forward(self, rows: Any) -> Any:
            return self.layer(rows)

        def validation_step(self, batch: Any, _: int) -> Any:
            rows, truth = batch
            loss = torch.nn.functional.cross_entropy(self(rows) if seen else self.layer(rows), truth)
            self.log("loss", loss)
            return loss

    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(inputs, labels), batch_size=4)
    quiet = dict.fromkeys(("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary"), False)
    writer = errata.lightning_callback(tmp_path / "val.csv")
    model = Usual()
    trainer = lightning.Trainer(accelerator="cpu", devices=1, callbacks=[writer], **quiet)
    assert trainer.validate(model, loader, verbose=False)[0]["loss"] > 0  # goes to its end
    said = [str(each.message) for each in recwarn if "the loss of each sample is unknown" in str(each.message)]
    if seen:
        wanted = torch.nn.functional.cross_entropy(model(inputs), labels, reduction="none").detach().numpy()
        np.testing.assert_allclose(pd.read_csv(tmp_path / "val.csv")["cross_entropy"], wanted, rtol=1e-5)
        assert not said
    else:
        assert not (tmp_path / "val.csv").exists()
        assert len(said) == 1
        assert "returned one loss for the whole batch" in said[0]
