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
from core.encoders.weights import check_size, load_network, read_tensors
from core.errors import InvalidInput

TENSORS = {"a": torch.arange(6.0).view(2, 3), "b": torch.ones(4)}


@pytest.mark.parametrize("zipped", [True, False])
def test_tensors_of_torch_are_read_in_both_layouts(tmp_path: Path, zipped: bool) -> None:
    torch.save({"state_dict": TENSORS, "epoch": 3}, tmp_path / "a.pt", _use_new_zipfile_serialization=zipped)
    found = read_tensors(tmp_path / "a.pt")
    assert found.keys() == TENSORS.keys()
    assert all(torch.equal(found[name], TENSORS[name]) for name in TENSORS)


def test_tensors_of_safetensors_are_read(tmp_path: Path) -> None:
    save_file({name: tensor.numpy() for name, tensor in TENSORS.items()}, tmp_path / "a.safetensors")
    assert torch.equal(read_tensors(tmp_path / "a.safetensors")["a"], TENSORS["a"])


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
    with pytest.raises(InvalidInput, match="not a checkpoint of plain tensors"):
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
    with pytest.raises(InvalidInput, match="The config asks for more than 20 layers and parts"):
        check_size(lambda: nn.Sequential(*(nn.Linear(1, 1) for _ in range(100))), file, "The config")


def held(**changed: torch.Tensor) -> dict[str, torch.Tensor]:
    return {"weight": torch.ones(2, 3), "bias": torch.zeros(2)} | changed


def test_a_network_is_filled_by_name_in_its_own_precision() -> None:
    made = load_network(lambda: nn.Linear(3, 2), held(bias=torch.tensor([1, 2]).half()), "a.pt", "a layer")
    assert not made.training
    assert made.weight.dtype == made.bias.dtype == torch.float32
    assert made(torch.ones(3)).tolist() == [4, 5]


def test_a_copy_must_equal_what_it_copies() -> None:
    copies = {"again": "bias"}
    load_network(lambda: nn.Linear(3, 2), held(again=torch.zeros(2)), "a.pt", "a layer", copies=copies)
    with pytest.raises(InvalidInput, match=r"a\.pt: again must equal bias, its shared weight: it differs"):
        load_network(lambda: nn.Linear(3, 2), held(again=torch.ones(2)), "a.pt", "a layer", copies=copies)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"weight": torch.ones(2, 3)}, "a.pt lacks weights of a layer: 'bias'. Use the whole"),
        (held(head=torch.ones(1)), "a.pt has unknown weights of a layer: 'head'. Use the whole"),
        (held(bias=torch.ones(3)), r"a.pt: bias of a layer must be of shape \(2,\): got \(3,\). Use the config"),
        (
            held(bias=torch.tensor([0, torch.inf])),
            "a.pt: bias must hold finite floating-point numbers: got NaN or infinite ones",
        ),
        (held(bias=torch.zeros(2, dtype=torch.int64)), "bias must hold finite floating-point numbers: got int64"),
    ],
)
def test_weights_of_something_else_are_refused_by_name(given: Any, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        load_network(lambda: nn.Linear(3, 2), given, "a.pt", "a layer")


def test_a_network_of_too_many_parts_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "MAX_PARTS", 20)
    with pytest.raises(InvalidInput, match=r"a\.pt asks for more than 20 layers"):
        load_network(lambda: nn.Sequential(*(nn.Linear(1, 1) for _ in range(100))), {}, "a.pt", "a network")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("tensor", "said"),
    [
        (torch.ones(2, 2).to_sparse(), "a must be a plain tensor: got torch.float32, torch.sparse_coo"),
        (torch.ones(2).to("meta"), "a must be a plain tensor: .* on meta"),
        (torch.ones(1).expand(60_000, 60_000), "a has fewer numbers than its shape"),
    ],
)
def test_tensors_that_are_less_than_they_say_are_refused(tmp_path: Path, tensor: torch.Tensor, said: str) -> None:
    torch.save({"a": tensor}, tmp_path / "a.pt")
    with pytest.raises(InvalidInput, match=said):
        read_tensors(tmp_path / "a.pt")
