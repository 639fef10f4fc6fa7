"""Weights that may have been received."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from torch import nn

from core.encoders import weights
from core.encoders.weights import check_size, read_tensors, tensor_shapes
from core.errors import InvalidInput

TENSORS = {"a": torch.arange(6.0).view(2, 3), "b": torch.ones(4)}


@pytest.mark.parametrize("zipped", [True, False])
def test_tensors_of_torch_are_read_in_both_layouts(tmp_path: Path, zipped: bool) -> None:
    torch.save({"state_dict": TENSORS, "epoch": 3}, tmp_path / "a.pt", _use_new_zipfile_serialization=zipped)
    found = read_tensors(tmp_path / "a.pt")
    assert found.keys() == TENSORS.keys()
    assert all(torch.equal(found[name], TENSORS[name]) for name in TENSORS)


def test_tensors_and_shapes_of_safetensors_are_read(tmp_path: Path) -> None:
    save_file({name: tensor.numpy() for name, tensor in TENSORS.items()}, tmp_path / "a.safetensors")
    assert torch.equal(read_tensors(tmp_path / "a.safetensors")["a"], TENSORS["a"])
    assert tensor_shapes(tmp_path / "a.safetensors") == {"a": [2, 3], "b": [4]}


class _Runs:
    def __reduce__(self) -> tuple[Any, ...]:
        return np.load, ("x",)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_refused_pickle_is_named_and_torchs_advice_to_run_it_is_not_passed_on(tmp_path: Path, zipped: bool) -> None:
    torch.save({"a": _Runs()}, tmp_path / "a.pt", _use_new_zipfile_serialization=zipped)
    with pytest.raises(InvalidInput, match=r"it asks for numpy\.load, which could run any program") as refused:
        read_tensors(tmp_path / "a.pt")
    assert "weights_only" not in str(refused.value)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_of_too_many_parts_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, zipped: bool) -> None:
    monkeypatch.setattr(weights, "MAX_PICKLE_BYTES", 1000)
    many = {f"tensor number {i}": torch.zeros(1) for i in range(20)}
    torch.save(many, tmp_path / "a.pt", _use_new_zipfile_serialization=zipped)
    with pytest.raises(InvalidInput, match="its list of tensors is too long"):
        read_tensors(tmp_path / "a.pt")
    (tmp_path / "b.pt").write_bytes(pickle.dumps(list(range(4000)), 2))
    with pytest.raises(InvalidInput, match="no checkpoint of plain tensors"):
        read_tensors(tmp_path / "b.pt")


def test_a_model_of_more_numbers_or_parts_than_its_file_is_refused_before_it_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "SPARE_NUMBERS", 10)
    monkeypatch.setattr(weights, "MAX_PARTS", 20)
    file = tmp_path / "a.safetensors"
    save_file({"weight": np.zeros((30, 30), np.float32), "bias": np.zeros(30, np.float32)}, file)
    check_size(lambda: nn.Linear(30, 30), file, "The config")
    with pytest.raises(InvalidInput, match=r"The config asks for a model of 1,000,001,000,000 numbers; a\.safetensors"):
        check_size(lambda: nn.Linear(10**6, 10**6), file, "The config")
    with pytest.raises(InvalidInput, match="The config asks for more than 20 layers and other parts"):
        check_size(lambda: nn.Sequential(*(nn.Linear(1, 1) for _ in range(100))), file, "The config")
