"""The layout of published dictionaries, read and written; what is none is refused with its reason."""

from __future__ import annotations

import contextlib
import io
import random
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from core.errors import InvalidInput
from core.systems.visual_words.dictionary import VisualDictionary
from core.systems.visual_words.pretraining.dictionary_file import BUFFERS, read_dictionary


def made(size: int = 6, width: int = 4) -> VisualDictionary:
    torch.manual_seed(0)
    dictionary = VisualDictionary(size, width)
    for name in BUFFERS:
        getattr(dictionary, name).copy_(torch.rand(getattr(dictionary, name).shape))
    return dictionary


def dictionary_tensors(dictionary: VisualDictionary, under: str) -> dict[str, torch.Tensor]:
    """The buffers by their published names, such as "neck.vq.embed"."""
    return {f"{under}vq.{name}": getattr(dictionary, name) for name in BUFFERS}


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


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: {}, "holds 0 visual dictionaries"),
        (
            lambda t: t | dictionary_tensors(made(), "other."),
            r"holds 2 visual dictionaries \(neck\.vq\., other\.vq\.\)",
        ),
        (lambda t: {k: v for k, v in t.items() if "avg" not in k}, "lacks weights of a visual dictionary: 'embed_avg'"),
        (lambda t: t | {"neck.vq.cluster_size": torch.ones(5)}, r"neck\.vq\..*cluster_size .* must be of shape"),
        (lambda t: t | {"neck.vq.embed": t["neck.vq.embed"] * torch.nan}, r"neck\.vq\..*embed must hold finite"),
        (lambda t: t | {"neck.vq.embed_avg": torch.full((6, 4), 3e38)}, r"must be at most 1e\+12"),
        (
            lambda t: t | {"neck.vq.embed": torch.ones(6, 0), "neck.vq.embed_avg": torch.ones(6, 0)},
            "embed must be a table of 2 words or more",
        ),
        (lambda t: t | {"neck.vq.cluster_sum": -torch.ones(6)}, "counts at least 0: cluster_sum has -1"),
    ],
)
def test_what_is_no_dictionary_is_refused(tmp_path: Path, change: object, said: str) -> None:
    torch.save(change(dictionary_tensors(made(), "neck.")), tmp_path / "soho.pth")  # type: ignore[operator]
    with pytest.raises(InvalidInput, match=said):
        read_dictionary(tmp_path / "soho.pth")


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
    with pytest.raises(InvalidInput, match="unpacks to 65 MB; the limit is 64 MB"):
        read_dictionary(path)
