"""The layout of published dictionaries, read and written; what is none is refused with its reason."""

from __future__ import annotations

import contextlib
import io
import pickle
import random
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from core.errors import InvalidInput
from core.systems.visual_words.dictionary import VisualDictionary
from core.systems.visual_words.pretraining.dictionary_file import BUFFERS, dictionary_tensors, read_dictionary


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


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: {}, "holds none"),
        (lambda t: t | dictionary_tensors(made(), "other."), r"holds 2 \(neck\.vq\., other\.vq\.\)"),
        (lambda t: {k: v for k, v in t.items() if "avg" not in k}, r"has no neck\.vq\.embed_avg"),
        (lambda t: t | {"neck.vq.cluster_size": torch.ones(5)}, r"neck\.vq\.cluster_size .* is no part"),
        (lambda t: t | {"neck.vq.embed": t["neck.vq.embed"] * torch.nan}, r"neck\.vq\.embed .* not all finite"),
        (lambda t: t | {"neck.vq.embed_avg": torch.full((6, 4), 3e38)}, r"not all finite and at most 1e\+12"),
        (
            lambda t: t | {"neck.vq.embed": torch.ones(6, 0), "neck.vq.embed_avg": torch.ones(6, 0)},
            r"words of 0 numbers",
        ),
        (lambda t: t | {"neck.vq.cluster_sum": -torch.ones(6)}, r"cluster_sum .* counts are below 0"),
        (lambda t: t | {"neck.vq.embed": t["neck.vq.embed"].to_sparse()}, r"embed .*torch\.sparse_coo"),
        (lambda t: t | {"neck.vq.embed": t["neck.vq.embed"].to_sparse_csr()}, r"embed .*torch\.sparse_csr"),
        (lambda t: t | {"neck.vq.embed": t["neck.vq.embed"].to("meta")}, r"embed .*on meta"),
        (lambda t: t | {"neck.vq.embed": t["neck.vq.embed"].to(torch.complex64)}, r"embed .*torch\.complex64"),
        (lambda t: t | {"neck.vq.cluster_sum": torch.ones(6, dtype=torch.bool)}, r"cluster_sum .*torch\.bool"),
        (
            lambda t: t | {"neck.vq.embed": torch.quantize_per_tensor(torch.rand(6, 4), 0.1, 0, torch.qint8)},
            r"embed .*torch\.qint8",
        ),
        (
            lambda t: {name: torch.ones(1).expand(*([60_000] * tensor.ndim)) for name, tensor in t.items()},
            r"holds fewer numbers than \(60000, 60000\)",
        ),
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
    said = {"soho.pth": "could run any program", "other.pth": "plain tensors", "broken.safetensors": "damaged"}
    for name, why in said.items():
        with pytest.raises(InvalidInput, match=why) as refused:
            read_dictionary(tmp_path / name)
        assert "weights_only" not in str(refused.value)
    assert "run" not in capsys.readouterr().out
    with pytest.raises(InvalidInput, match="There is no file"):
        read_dictionary(tmp_path / "absent.pth")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("zipped", [True, False])
def test_damaged_bytes_are_refused_or_read_and_never_a_fault(tmp_path: Path, zipped: bool) -> None:
    buffer, path = io.BytesIO(), tmp_path / "soho.pth"
    torch.save(dictionary_tensors(made(), "neck."), buffer, _use_new_zipfile_serialization=zipped)
    whole, rng = buffer.getvalue(), random.Random(0)
    cut = [whole[:n] for n in (0, 1, 2, 5, 20, 60, 200, len(whole) // 2, len(whole) - 3)]
    for content in (*cut, b".", b"\x80\x02", b"PK\x03\x04" + bytes(40)):
        path.write_bytes(content)
        with pytest.raises(InvalidInput, match="plain tensors"):
            read_dictionary(path)
    for _ in range(120):
        flipped = bytearray(whole)
        for _ in range(rng.randint(1, 4)):
            flipped[rng.randrange(min(len(whole), 900))] = rng.randrange(256)
        path.write_bytes(flipped)
        with contextlib.suppress(InvalidInput):
            read_dictionary(path)


def test_a_checkpoint_that_unpacks_to_far_more_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "soho.pth"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("archive/data/0", bytes(65 * 2**20))
    assert path.stat().st_size < 2**20
    with pytest.raises(InvalidInput, match="unpacks to 65 MB; at most 64 MB"):
        read_dictionary(path)
