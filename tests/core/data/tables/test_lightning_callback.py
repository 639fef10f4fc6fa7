"""The callback of Lightning writes a table for each pass over the validation data."""

from __future__ import annotations

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


def test_a_step_may_give_logits_or_a_dict_and_the_batch_the_labels() -> None:
    logits, labels = np.zeros((2, 3)), np.array([1, 2])
    assert arguments_of(logits, (None, labels)) == {"logits": logits, "labels": labels}
    given = {"loss": 0.3, "ids": ["a", "b"], "losses": [0.1, 0.5], "labels": labels}
    assert arguments_of(given, (None, None)) == {name: given[name] for name in ("ids", "losses", "labels")}
    assert arguments_of({"losses": [0.1, 0.5]}, {"image": None}) == {"losses": [0.1, 0.5]}
    with pytest.raises(InvalidInput, match=r"returned nothing to record. Return its logits"):
        arguments_of(None, (None, labels))


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
    trainer = SimpleNamespace(world_size=1, sanity_checking=True, current_epoch=0)
    for _ in range(2):
        hooks.on_validation_epoch_start(trainer, None)
        hooks.on_validation_batch_end(trainer, None, np.zeros((2, 2)), (None, [0, 1]), 0)
        hooks.on_validation_epoch_end(trainer, None)
        assert [path.name for path in tmp_path.iterdir()] == ([] if trainer.sanity_checking else ["val-0.csv"])
        trainer.sanity_checking = False


def test_several_devices_are_refused(hooks: Any) -> None:
    with pytest.raises(InvalidInput, match=r"this trainer has 2. Evaluate with Trainer\(devices=1\)"):
        hooks.on_test_epoch_start(SimpleNamespace(world_size=2), None)


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
