"""Received runs, checkpoints and files of boxes whose bytes were made to cost, or whose links and pipes lead
elsewhere. Each goes through the command or the endpoint that would read it."""

from __future__ import annotations

import json
import pickle
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from core.store.layout import MODEL, MODEL_ARRAYS, STATE, THUMBNAILS
from tests.hostile import add
from tests.hostile.arrays import _of, head
from tests.hostile.run_files import link, pipe
from tests.hostile.runs import FIRST, MB, REFUSED, Change, bent, every_array, pieces, put, written
from tests.support.stored import edit_state, member, rewrite

Made = dict[str, Any]
LISTS, OBJECTS, SHORT, WIDE = b"[],", b"{},", b"999,", "\N{GRINNING FACE}".encode()
REFUSED_OR_NOTED, ANY = r"^(refused|left out|accepted)", r"^(refused|accepted)"


def _array(content: bytes) -> Change:
    """The first array's member holds this."""
    return lambda run: rewrite(run, {FIRST: content})


def _tree(part: bytes, name: str = STATE, before: bytes = b'{"format": 4, "diagnosis": [', mb: int = 60) -> Change:
    return put(name, pieces(before, part, b"0]}", mb))


def _said(part: bytes) -> Change:
    """A run in which 60 MB stand that a person is to have said of it."""

    def change(run: Path) -> None:
        edit_state(run, lambda state: state["diagnosis"]["extras"].update(yours="HERE"))
        before, after = member(run, STATE).split(b'"HERE"')
        put(STATE, pieces(before + b'{"sets": [', part, b"{}]}" + after, 60))(run)

    return change


_HUGE = _array(head(_of("(1099511627776,)")))
RUNS: dict[str, tuple[Change, str]] = {
    "state of 60 MB of empty lists": (_tree(LISTS), REFUSED),
    "state of 60 MB of empty objects": (_tree(OBJECTS), REFUSED),
    "state of 60 MB of numbers": (_tree(SHORT), REFUSED),
    "state of 200 MB of one text": (put(STATE, pieces(b'["', WIDE, b'"]', 200)), REFUSED),
    "own words of 60 MB of lists": (_said(LISTS), REFUSED_OR_NOTED),
    "model of 60 MB of lists": (_tree(LISTS, MODEL), REFUSED),
    "model of 250 MB of numbers": (_tree(SHORT, MODEL, mb=250), REFUSED),
    "arrays of 4 TiB by their header": (_HUGE, REFUSED),
    "arrays of Python objects": (_array(head(_of("(1,)", "|O")) + pickle.dumps([0])), REFUSED),
    "arrays of 3 GB packed": (put(FIRST, pieces(b"", bytes(MB), b"", 3000)), REFUSED),
    "model's arrays of 3 GB packed": (put(f"{MODEL_ARRAYS}a0.npy", pieces(b"", bytes(MB), b"", 3000)), REFUSED),
    "model's arrays of 4 TiB by their header": (
        lambda run: rewrite(run, {f"{MODEL_ARRAYS}a0.npy": head(_of("(1099511627776,)"))}), REFUSED,
    ),
    "model without arrays": (put(MODEL, b"{}"), ANY),
    "thumbnails of 2 GB packed": (put(THUMBNAILS, pieces(b"", bytes(MB), b"", 2000)), REFUSED),
}  # fmt: skip


def _copied(folder: Path) -> Path:
    """A shipped run, which has a model and can be asked."""
    from core.files import ASSETS

    return Path(shutil.copy(ASSETS / "examples" / "scenes" / "run.errata", folder / "run.errata"))


def _of_shipped(change: Change) -> Callable[[Path], Made]:
    def make(folder: Path) -> Made:
        run = _copied(folder)
        change(run)
        return {"path": str(run)}

    return make


for what, (change, expects) in RUNS.items():
    make = _of_shipped(change) if "model" in what and "without" not in what else bent(change)
    add(f"received: run, {what}", "received", "run", make, expects, max_cpu_s=20)

ENDPOINTS: dict[str, tuple[str, Change, tuple[Any, ...], str]] = {
    "/report, the run is a link to /etc/passwd": ("report", link, (), REFUSED),
    "/report, the run is a pipe": ("report", pipe, (), REFUSED),
    "/report, the run is a device": ("report", partial(link, target="/dev/zero"), (), REFUSED),
    "/report, a link to /etc/passwd beside it": ("report", lambda run: link(run.parent / "report.html"), (), ANY),
    "/clusters, state of 60 MB of lists": ("clusters", _tree(LISTS), (), REFUSED),
    "/clusters, the run is a pipe": ("clusters", pipe, (), REFUSED),
    "/ask, own words of 60 MB": ("ask", _said(OBJECTS), (["dark"],), ANY),
    "/select, arrays of Python objects": (
        "select",
        RUNS["arrays of Python objects"][0],
        ([[0, 0], [1, 0], [1, 1]],),
        REFUSED,
    ),
    "/clusters, model of 60 MB of lists": ("clusters", _tree(LISTS, MODEL), (), REFUSED),
    "file to take away, a link beside it": ("download", lambda run: link(run.parent / "report.html"), (), ANY),
    "file to take away, the run is a pipe": ("download", pipe, (), REFUSED),
}


def _asked(endpoint: str, change: Change, given: tuple[Any, ...]) -> Callable[[Path], Made]:
    return lambda folder: {**bent(change)(folder), "endpoint": endpoint, "given": given}


for what, (endpoint, change, given, expects) in ENDPOINTS.items():
    add(f"received: {what}", "received", "served", _asked(endpoint, change, given), expects, max_cpu_s=20)


def _model(change: Callable[[Any], Any]) -> Change:
    return every_array(change, MODEL_ARRAYS)


ASSIGN = ["assign", "RUN", "--embeddings", "VECTORS", "--out", "OUT.csv"]
COMMANDS: dict[str, tuple[list[str], Change]] = {
    "ask, arrays of 4 TiB by their header": (["ask", "RUN", "dark"], _HUGE),
    "audit, the run is a pipe": (["audit", "RUN"], pipe),
    "export, state of 60 MB of lists": (["export", "RUN", "--format", "csv", "--out", "OUT.csv"], _tree(LISTS)),
    "compare, state of 60 MB of objects": (["compare", "RUN", "RUN"], _tree(OBJECTS)),
    "assign, model of 60 MB of lists": (ASSIGN, _tree(LISTS, MODEL)),
    "assign, model that says nothing": (ASSIGN, put(MODEL, b"{}")),
    "assign, model's arrays of other lengths": (ASSIGN, _model(lambda a: a[:3] if a.ndim else a)),
    "assign, model's arrays of no axis": (ASSIGN, _model(lambda a: a.ravel()[:1].sum())),
    "assign, model's arrays of texts": (ASSIGN, _model(lambda a: a.astype(str))),
    "assign, model's arrays of nan": (
        ASSIGN, _model(lambda a: np.full_like(a, np.nan) if a.dtype.kind == "f" else a),
    ),
    "assign, model's arrays that are infinite": (
        ASSIGN, _model(lambda a: np.full_like(a, np.inf) if a.dtype.kind == "f" else a),
    ),
}  # fmt: skip


def _typed(line: list[str], change: Change) -> Callable[[Path], Made]:
    def make(folder: Path) -> Made:
        run = _of_shipped(change)(folder)["path"]
        np.save(folder / "v.npy", np.random.default_rng(0).random((24, 1280), np.float32))
        real = {"RUN": run, "OUT.csv": str(folder / "out.csv"), "VECTORS": str(folder / "v.npy")}
        return {"arguments": [real.get(word, word) for word in line]}

    return make


for what, (line, change) in COMMANDS.items():
    add(f"received: {what}", "received", "command", _typed(line, change), r"^refused: ", max_cpu_s=20)


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
    written(path, pieces(_HEAD + b"\x80\x02(", b"]", b"", 100))


def _packed(path: Path) -> None:
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("archive/data.pkl", "w", force_zip64=True) as file,
    ):
        file.writelines(pieces(b"", bytes(MB), b"", 3000))


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
    "open_clip weights that are a pipe": _clip(pipe),
    "open_clip weights that are a link out of it": _clip(partial(link, target="/etc/hostname")),
    "open_clip weights that would run a program": _clip(_pickle),
    "open_clip weights of 100 MB of empty lists": _clip(_torch_lists),
    "open_clip weights of 3 GB packed": _clip(_packed),
    "sentence folder of a million layers": _transformer(num_hidden_layers=1_000_000),
    "sentence folder of 10^9 words": _transformer(vocab_size=10**9),
    "sentence folder of 10^9 places": _transformer(max_position_embeddings=10**9),
    "sentence weights that are a pipe": _transformer(pipe),
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
    written(Path(made["truth"]), pieces(b'{"images": [', LISTS, b"0]}", 60))
    return made


BOXES: dict[str, tuple[Callable[[Path], Made], str]] = {
    "20,000 boxes on an image": (lambda folder: _boxes(folder, 20_000, 20_000), r"^refused: .*tiles"),
    "12,000 boxes on an image": (lambda folder: _boxes(folder, 12_000, 12_000), ANY),
    "60 MB of lists for images": (_deep, r"^refused: "),
}
for what, (make, expects) in BOXES.items():
    add(f"received: COCO file, {what}", "received", "boxes", make, expects, max_cpu_s=20)
