"""The layout of published dictionaries, read and written; what is none is refused with its reason."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from core.errors import InvalidInput
from core.visual_words.dictionary import VisualDictionary
from core.visual_words.pretraining.dictionary_file import BUFFERS, dictionary_tensors, read_dictionary


def made(size: int = 6, width: int = 4) -> VisualDictionary:
    torch.manual_seed(0)
    dictionary = VisualDictionary(size, width)
    for name in BUFFERS:
        getattr(dictionary, name).copy_(torch.rand(getattr(dictionary, name).shape))
    return dictionary


@pytest.mark.parametrize("name", ["soho.pth", "soho.safetensors"])
def test_what_is_written_is_read_back(tmp_path: Path, name: str) -> None:
    tensors = dictionary_tensors(made(), "module.neck.") | {"module.neck.linear.weight": torch.zeros(2)}
    assert "module.neck.vq.cluster_sum" in tensors
    if name.endswith("pth"):
        torch.save({"state_dict": tensors, "epoch": 3, "meta": {"CLASSES": None}}, tmp_path / name)
    else:
        save_file(tensors, tmp_path / name)
    found = read_dictionary(tmp_path / name)
    for buffer in BUFFERS:
        torch.testing.assert_close(getattr(found, buffer), getattr(made(), buffer))


class _Runs:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("run",)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: {}, "holds none"),
        (lambda t: t | dictionary_tensors(made(), "other."), r"holds 2 \(neck\.vq\., other\.vq\.\)"),
        (lambda t: {k: v for k, v in t.items() if "avg" not in k}, r"has no neck\.vq\.embed_avg"),
        (lambda t: t | {"neck.vq.cluster_size": torch.ones(5)}, r"neck\.vq\.cluster_size .* is no part"),
        (lambda t: t | {"neck.vq.embed": t["neck.vq.embed"] * torch.nan}, r"neck\.vq\.embed .* not all finite"),
    ],
)
def test_what_is_no_dictionary_is_refused(tmp_path: Path, change: object, said: str) -> None:
    torch.save(change(dictionary_tensors(made(), "neck.")), tmp_path / "soho.pth")  # type: ignore[operator]
    with pytest.raises(InvalidInput, match=said):
        read_dictionary(tmp_path / "soho.pth")


def test_a_checkpoint_that_would_run_something_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save({"x": _Runs()}, tmp_path / "soho.pth")
    (tmp_path / "other.pth").write_bytes(pickle.dumps(_Runs(), 2))
    (tmp_path / "broken.safetensors").write_bytes(b"nothing")
    for name, said in (("soho.pth", "plain tensors"), ("other.pth", "plain tensors"), ("broken.safetensors", "anew")):
        with pytest.raises(InvalidInput, match=said):
            read_dictionary(tmp_path / name)
    assert "run" not in capsys.readouterr().out
    with pytest.raises(InvalidInput, match="There is no file"):
        read_dictionary(tmp_path / "absent.pth")
