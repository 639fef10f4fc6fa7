"""Received folders: runs, checkpoints and files of boxes whose bytes were made to cost, or whose links and pipes lead
elsewhere. Each goes through the command or the endpoint that would read it."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from tests.hostile import add
from tests.hostile.arrays import _of, head
from tests.hostile.runs import MB, REFUSED, _saved, _signed

Made = dict[str, Any]
LISTS, OBJECTS, SHORT, WIDE = b"[],", b"{},", b"999,", "\N{GRINNING FACE}".encode()
REFUSED_OR_NOTED, ANY = r"^(refused|left out|accepted)", r"^(refused|accepted)"


def _filled(path: Path, before: bytes, part: bytes, after: bytes, mb: int) -> None:
    """A file of some MB of one part again and again."""
    path.unlink(missing_ok=True)
    with path.open("wb") as file:
        file.write(before)
        block = part * (MB // len(part))
        for _ in range(mb):
            file.write(block)
        file.write(after)


def _pipe(path: Path) -> None:
    path.unlink(missing_ok=True)
    os.mkfifo(path)


def _link(path: Path, target: str = "/etc/passwd") -> None:
    path.unlink(missing_ok=True)
    path.symlink_to(target)


def _sparse(path: Path, size: int) -> None:
    path.unlink(missing_ok=True)
    with path.open("wb") as file:
        file.truncate(size)


def _array(path: Path, content: bytes) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("keys.npy", head(_of("(1,)", "<U2")) + "a0".encode("utf-32-le"))
        archive.writestr("a0.npy", content)


def _directory(path: Path, n: int) -> None:
    """A zip that lists a million members and has none."""
    entry = zipfile.ZipInfo("x")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(entry, b"")
    data = path.read_bytes()
    at, end = data.index(b"PK\1\2"), data.index(b"PK\5\6")
    one, size = data[at:end], (end - at) * n
    tail = data[end : end + 8] + min(n, 0xFFFF).to_bytes(2, "little") * 2 + size.to_bytes(4, "little")
    path.write_bytes(data[:at] + one * n + tail + at.to_bytes(4, "little") + b"\0\0")


def _bomb(path: Path, name: str, mb: int) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open(name, "w", force_zip64=True) as file:
        for _ in range(mb):
            file.write(bytes(MB))


BEFORE, AFTER = b'{"format": 3, "digests": {}, "diagnosis": [', b"0]}"
TREE = partial(_filled, before=BEFORE, after=AFTER, mb=60)
OWN = partial(_filled, before=b'{"yours": {"sets": [', after=b"{}]}}", mb=60)
Change = Callable[[Path], Any]
_HUGE = "arrays of 4 TiB by their header"
RUNS: dict[str, tuple[str, Change, str]] = {
    "state of 60 MB of empty lists": ("state.json", partial(TREE, part=LISTS), REFUSED),
    "state of 60 MB of empty objects": ("state.json", partial(TREE, part=OBJECTS), REFUSED),
    "state of 60 MB of numbers": ("state.json", partial(TREE, part=SHORT), REFUSED),
    "state of 200 MB of one text": (
        "state.json", partial(_filled, before=b'["', part=WIDE, after=b'"]', mb=200), REFUSED,
    ),
    "state that is a pipe": ("state.json", _pipe, REFUSED),
    "state that is a socket's device": ("state.json", partial(_link, target="/dev/tty"), REFUSED),
    "own words of 60 MB of lists": ("yours.json", partial(OWN, part=LISTS), REFUSED_OR_NOTED),
    "own words that are a pipe": ("yours.json", _pipe, REFUSED_OR_NOTED),
    "model of 60 MB of lists": ("model.json", partial(TREE, part=LISTS), REFUSED),
    _HUGE: (
        "state.npz", lambda path: _array(path, head(_of("(1099511627776,)"))), REFUSED,
    ),
    "arrays of Python objects": (
        "state.npz", lambda path: _array(path, head(_of("(1,)", "|O")) + pickle.dumps([0])), REFUSED,
    ),
    "arrays of 3 GB packed": ("state.npz", partial(_bomb, name="a0.npy", mb=3000), REFUSED),
    "arrays with a directory of two million": ("state.npz", lambda path: _directory(path, 2_000_000), REFUSED),
    "arrays that are a link out of it": ("state.npz", partial(_link, target="/etc/hostname"), REFUSED),
    "thumbnail of 2 GB packed": ("thumbnails.zip", partial(_bomb, name="0000000.webp", mb=2000), REFUSED_OR_NOTED),
    "thumbnails that are a pipe": ("thumbnails.zip", _pipe, REFUSED_OR_NOTED),
    "table of samples that is a pipe": ("samples.parquet", _pipe, REFUSED_OR_NOTED),
}  # fmt: skip


def _copied(folder: Path) -> Path:
    """A shipped run, which has a model and can be asked."""
    from core.files import ASSETS

    return Path(shutil.copytree(ASSETS / "examples" / "scenes" / "run.errata", folder / "run.errata"))


def _bent(name: str, change: Change, *, sign: bool = False) -> Callable[[Path], Made]:
    def make(folder: Path) -> Made:
        run = _saved(folder) if name != "model.json" else _copied(folder)
        change(run / name)
        if sign:
            _signed(run, name)
        return {"path": str(run)}

    return make


for what, (name, change, expects) in RUNS.items():
    bytes_alone = not what.startswith("state") and " that " not in what
    add(f"received: run, {what}", "received", "run", _bent(name, change, sign=bytes_alone), expects, max_cpu_s=20)

REPORTS: dict[str, Change] = {
    "a link to /etc/passwd": _link,
    "a pipe": _pipe,
    "1 GiB": lambda path: _sparse(path, 2**30),
    "a device": partial(_link, target="/dev/zero"),
    "no text": lambda path: path.write_bytes(b"\xff\xfe" * 100),
    "a folder": lambda path: path.unlink() or path.mkdir() if path.exists() else path.mkdir(),
}
ENDPOINTS: dict[str, tuple[str, str, Change, tuple[Any, ...], str]] = {
    **{f"/report, it is {what}": ("report", "report.html", change, (), ANY) for what, change in REPORTS.items()},
    "/clusters, state of 60 MB of lists": ("clusters", "state.json", partial(TREE, part=LISTS), (), REFUSED),
    "/clusters, state that is a pipe": ("clusters", "state.json", _pipe, (), REFUSED),
    "/ask, own words of 60 MB": ("ask", "yours.json", partial(OWN, part=OBJECTS), (["dark"],), ANY),
    "/select, arrays that are a pipe": ("select", "state.npz", _pipe, ([[0, 0], [1, 0], [1, 1]],), REFUSED),
    "/clusters, model that is a pipe": ("clusters", "model.json", _pipe, (), REFUSED),
    "file to take away that is a link": ("download", "report.html", _link, (), ANY),
    "file to take away that is a pipe": ("download", "report.html", _pipe, (), ANY),
}


def _asked(endpoint: str, name: str, change: Change, given: tuple[Any, ...]) -> Callable[[Path], Made]:
    return lambda folder: {**_bent(name, change)(folder), "endpoint": endpoint, "given": given}


for what, (endpoint, name, change, given, expects) in ENDPOINTS.items():
    add(f"received: {what}", "received", "served", _asked(endpoint, name, change, given), expects, max_cpu_s=20)


COMMANDS: dict[str, tuple[list[str], str, Change]] = {
    "ask, arrays of 4 TiB by their header": (["ask", "RUN", "dark"], "state.npz", RUNS[_HUGE][1]),
    "audit, state that is a pipe": (["audit", "RUN"], "state.json", _pipe),
    "export, state of 60 MB of lists": (
        ["export", "RUN", "--what", "samples", "--out", "OUT.csv"], "state.json", partial(TREE, part=LISTS),
    ),
    "compare, state of 60 MB of objects": (["compare", "RUN", "RUN"], "state.json", partial(TREE, part=OBJECTS)),
}  # fmt: skip


def _typed(line: list[str], name: str, change: Change) -> Callable[[Path], Made]:
    def make(folder: Path) -> Made:
        run = _bent(name, change, sign=name != "state.json")(folder)["path"]
        return {"arguments": [{"RUN": run, "OUT.csv": str(folder / "out.csv")}.get(word, word) for word in line]}

    return make


for what, (line, name, change) in COMMANDS.items():
    add(f"received: {what}", "received", "command", _typed(line, name, change), r"^refused: ", max_cpu_s=20)


def _clip(weights: Callable[[Path], Any], **config: Any) -> Callable[[Path], Made]:
    """A folder of open_clip's with a config of ViT-B-32's form and these weights."""

    def make(folder: Path) -> Made:
        vision = {"image_size": 32, "layers": 1, "width": 64, "patch_size": 16, "head_width": 64}
        text = {"context_length": 77, "vocab_size": 49408, "width": 64, "heads": 1, "layers": 1}
        parts: dict[str, Any] = {"embed_dim": 64, "vision_cfg": vision, "text_cfg": text}
        for name, value in config.items():
            part, _, key = name.partition("_")
            parts[f"{part}_cfg"][key] = value
        cfg = {"mean": [0.5] * 3, "std": [0.5] * 3, "interpolation": "bicubic", "resize_mode": "shortest"}
        whole = json.dumps({"model_cfg": parts, "preprocess_cfg": cfg})
        (folder / "open_clip_config.json").write_text(whole, "utf-8")
        weights(folder / "open_clip_pytorch_model.bin")
        return {"name": f"open_clip:local-dir:{folder}"}

    return make


def _tensors(path: Path) -> None:
    import torch

    torch.save({"logit_scale": torch.ones(())}, path)


_HEAD = b"".join(pickle.dumps(one, 2) for one in (0x1950A86A20F9469CFC6C, 1001, {}))
"""Of torch's older layout: its number, its version, and the sizes of whole numbers."""


class _Runs:
    def __reduce__(self) -> tuple[Any, ...]:
        return subprocess.call, (["true"],)


def _pickle(path: Path) -> None:
    path.write_bytes(_HEAD + pickle.dumps({"a": _Runs()}, 2))


def _torch_lists(path: Path) -> None:
    _filled(path, _HEAD + b"\x80\x02(", b"]", b"", 100)


def _packed(path: Path) -> None:
    _bomb(path, "archive/data.pkl", 3000)


def _names(path: Path) -> None:
    path.write_bytes((2**40).to_bytes(8, "little") + b"{}")


def _transformer(weights: Callable[[Path], Any] = lambda path: _safe(path), **config: Any) -> Callable[[Path], Made]:
    """A folder of a BERT with this config, and one small array."""

    def make(folder: Path) -> Made:
        sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 16}
        said = {"model_type": "bert", "architectures": ["BertModel"], "vocab_size": 40, **sizes, **config}
        (folder / "config.json").write_text(json.dumps(said), "utf-8")
        (folder / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a"]), "utf-8")
        weights(folder / "model.safetensors")
        return {"name": f"sentences:{folder}"}

    return make


def _safe(path: Path) -> None:
    from safetensors.numpy import save_file

    save_file({"embeddings.word_embeddings.weight": np.zeros((40, 16), np.float32)}, path)


WEIGHTS: dict[str, Callable[[Path], Made]] = {
    "open_clip folder of a million layers": _clip(_tensors, text_layers=1_000_000),
    "open_clip folder of a million layers that see": _clip(_tensors, vision_layers=1_000_000),
    "open_clip folder a million wide": _clip(_tensors, text_width=1_000_000),
    "open_clip folder of texts of 10^6 tokens": _clip(_tensors, text_context_length=1_000_000),
    "open_clip folder of pictures of 10^6 pixels": _clip(_tensors, vision_image_size=1_000_000),
    "open_clip weights that are a pipe": _clip(_pipe),
    "open_clip weights that are a link out of it": _clip(partial(_link, target="/etc/hostname")),
    "open_clip weights that would run a program": _clip(_pickle),
    "open_clip weights of 100 MB of empty lists": _clip(_torch_lists),
    "open_clip weights of 3 GB packed": _clip(_packed),
    "sentence folder of a million layers": _transformer(num_hidden_layers=1_000_000),
    "sentence folder of 10^9 words": _transformer(vocab_size=10**9),
    "sentence folder of 10^9 places": _transformer(max_position_embeddings=10**9),
    "sentence weights that are a pipe": _transformer(_pipe),
    "sentence weights with names of 1 TiB": _transformer(_names),
}
for what, make in WEIGHTS.items():
    add(f"received: {what}", "received", "encoder", make, r"^refused: (?!.*weights_only)", max_cpu_s=20)


def _boxes(folder: Path, n: int, predicted: int) -> Made:
    from tests.hostile.making import pictures

    for name, data in pictures(2).items():
        (folder / name).write_bytes(data)
    box = {"image_id": 1, "category_id": 1, "bbox": [2, 2, 9, 9]}
    truth = {
        "images": [{"id": i + 1, "file_name": f"00{i}.png", "width": 24, "height": 24} for i in range(2)],
        "categories": [{"id": 1, "name": "a"}],
        "annotations": [{"id": i + 1, **box, "iscrowd": 0} for i in range(n)],
    }
    (folder / "truth.json").write_text(json.dumps(truth), "utf-8")
    (folder / "found.json").write_text(json.dumps([{**box, "score": 0.9}] * predicted), "utf-8")
    return {"truth": str(folder / "truth.json"), "predictions": str(folder / "found.json"), "images": str(folder)}


def _deep(folder: Path) -> Made:
    made = _boxes(folder, 3, 3)
    _filled(Path(made["truth"]), b'{"images": [', LISTS, b"0]}", 60)
    return made


BOXES: dict[str, tuple[Callable[[Path], Made], str]] = {
    "20,000 boxes on an image": (lambda folder: _boxes(folder, 20_000, 20_000), r"^refused: .*tiles"),
    "12,000 boxes on an image": (lambda folder: _boxes(folder, 12_000, 12_000), ANY),
    "60 MB of lists for images": (_deep, r"^refused: "),
}
for what, (make, expects) in BOXES.items():
    add(f"received: COCO file, {what}", "received", "boxes", make, expects, max_cpu_s=20)
