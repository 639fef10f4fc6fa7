"""Stored runs that were bent: what a visitor brings back or what was left on the disk."""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.hostile import add
from tests.hostile.arrays import head, shaped
from tests.hostile.making import EVIL, png

Made = dict[str, Any]
REFUSED = r"^refused: .*(damaged|format|finished|read|large|deep|no run)"
ANY = r"^(refused|left out|accepted)"
MB = 2**20
State = dict[str, Any]


def _saved(folder: Path) -> Path:
    from core.store import save
    from tests.support.diagnoses import make_diagnosis

    run = folder / "run.errata"
    save(make_diagnosis(), run)
    return run


def _state(change: Callable[[State], Any]) -> Callable[[Path], Made]:
    """A run whose state was changed; the change returns the new state, or None for the same object."""

    def make(folder: Path) -> Made:
        run = _saved(folder)
        state = json.loads((run / "state.json").read_text("utf-8"))
        new = change(state)
        text = new if isinstance(new, str) else json.dumps(state if new is None else new)
        (run / "state.json").write_text(text, "utf-8")
        return {"path": str(run)}

    return make


def _signed(run: Path, *names: str) -> None:
    """Give the state the digests of files that were changed, as an attacker would."""
    state = json.loads((run / "state.json").read_text("utf-8"))
    for name in names:
        for kind in ("digests", "files"):
            if name in state.get(kind, ()):
                state[kind][name] = hashlib.sha256((run / name).read_bytes()).hexdigest()
    (run / "state.json").write_text(json.dumps(state), "utf-8")


def _file(name: str, change: Callable[[Path], Any]) -> Callable[[Path], Made]:
    """A run one of whose files was changed, its digest too."""

    def make(folder: Path) -> Made:
        run = _saved(folder)
        change(run / name)
        _signed(run, name)
        return {"path": str(run)}

    return make


def _at(state: State, *path: str) -> State:
    for key in path:
        state = state[key]
    return state


def _bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("keys.npy", head(shaped("(1, 2)")) + bytes(8))
        with archive.open("a0.npy", "w", force_zip64=True) as file:
            file.write(head(shaped("(1073741824, 1)")))
            for _ in range(2500):
                file.write(bytes(MB))


def _every_array(path: Path, change: Callable[[Any], Any]) -> None:
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    changed: dict[str, Any] = {name: array if name == "keys" else change(array) for name, array in arrays.items()}
    np.savez(path, **changed)


def _kind(path: Path, kind: str, value: Any) -> None:
    """Put one value into every array of a kind."""
    _every_array(path, lambda a: np.full_like(a, value) if a.dtype.kind == kind and a.dtype.itemsize == 8 else a)


STATES: dict[str, tuple[Callable[[State], Any], str]] = {
    "is nothing": (lambda state: "", REFUSED),
    "is a list": (lambda state: "[]", REFUSED),
    "is null": (lambda state: "null", REFUSED),
    "is 100,000 deep": (lambda state: "[" * 100_000, REFUSED),
    "is 2,000 records deep": (lambda state: _deep(state, 2000), REFUSED),
    "is of format 99": (lambda state: state.update(format=99), REFUSED),
    "is of a format of 5,000 digits": (lambda state: '{"format": ' + "9" * 5000 + "}", REFUSED),
    "is of a format of HTML and ANSI codes": (lambda state: state.update(format=EVIL + "\x1b[2J" * 400), REFUSED),
    "is of a format that is a list": (lambda state: state.update(format=[[]]), REFUSED),
    "has no digests": (lambda state: state.pop("digests") and None, REFUSED),
    "has digests that climb": (lambda state: state["digests"].update({"../../../etc/passwd": "0"}), ANY),
    "has a digest of a device": (lambda state: state["digests"].update({"/dev/zero": "0"}), ANY),
    "has a digest of a pipe": (lambda state: state["digests"].update({"/dev/stdin": "0"}), ANY),
    "has image names of 10 million": (lambda state: state.update(image_names=["a"] * 3_000_000), ANY),
    "has image names that are numbers": (lambda state: state.update(image_names=5), REFUSED),
    "has image names of HTML": (lambda state: state.update(image_names=[EVIL] * 60), ANY),
    "names a record that is none": (lambda state: state.update(diagnosis={"$record": "os.system"}), REFUSED),
    "names another record": (lambda state: state.update(diagnosis={"$record": "Column", "name": "a"}), REFUSED),
    "names an array that is not there": (lambda state: state.update(diagnosis={"$array": "nothing"}), REFUSED),
    "has a float of words": (lambda state: state.update(diagnosis={"$float": "many"}), REFUSED),
    "has ids of HTML": (lambda state: _ids(state, EVIL), ANY),
    "has ids of lone surrogates": (lambda state: _ids(state, "\ud800"), ANY),
    "has too few ids": (lambda s: _at(s, "diagnosis", "samples", "ids")["$tuple"].pop() and None, ANY),
    "has a cluster that is a number": (lambda state: _at(state, "diagnosis").update(clusters={"$tuple": [5]}), ANY),
    "has notes of 50 MB": (lambda state: _at(state, "diagnosis").update(notes={"$tuple": ["x" * 50 * MB]}), ANY),
    "has a seed of 5,000 digits": (lambda s: json.dumps(s).replace('"seed": 0', '"seed": ' + "9" * 5000), ANY),
}  # fmt: skip


def _deep(state: State, levels: int) -> str:
    state["diagnosis"] = "HERE"
    return json.dumps(state).replace('"HERE"', '{"$list": [' * levels + "1" + "]}" * levels)


def _ids(state: State, text: str) -> None:
    ids = _at(state, "diagnosis", "samples", "ids")["$tuple"]
    ids[:] = [f"{text}{i}" for i in range(len(ids))]


for what, (change, expects) in STATES.items():
    add(f"run: its state {what}", "runs", "run", _state(change), expects)

FILES: dict[str, tuple[str, Callable[[Path], Any], str]] = {
    "arrays are a bomb of 2.5 GB": ("state.npz", _bomb, REFUSED),
    "arrays are no zip": ("state.npz", lambda path: path.write_bytes(b"PK" + bytes(900)), REFUSED),
    "arrays are nothing": ("state.npz", lambda path: path.write_bytes(b""), REFUSED),
    "arrays are cut": ("state.npz", lambda path: path.write_bytes(path.read_bytes()[:-400]), REFUSED),
    "arrays are nan": ("state.npz", lambda path: _kind(path, "f", np.nan), ANY),
    "arrays are of other lengths": ("state.npz", lambda path: _every_array(path, lambda a: a[:3]), ANY),
    "arrays are of no axis": ("state.npz", lambda path: _every_array(path, lambda a: a.ravel()[:1].sum()), ANY),
    "row numbers are 2^40": ("state.npz", lambda path: _kind(path, "i", 2**40), ANY),
    "thumbnails are no zip": ("thumbnails.zip", lambda path: path.write_bytes(b"hello"), ANY),
    "thumbnails are bombs": ("thumbnails.zip", lambda path: _thumbnails(path, bytes(400 * MB)), ANY),
    "thumbnails are huge pictures": ("thumbnails.zip", lambda path: _thumbnails(path, png(60_000, 60_000)), ANY),
    "thumbnails are HTML": ("thumbnails.zip", lambda path: _thumbnails(path, EVIL.encode()), ANY),
    "thumbnails are a device": ("thumbnails.zip", lambda path: _linked(path, "/dev/zero"), ANY),
    "state is a link to /etc/passwd": ("state.json", lambda path: _linked(path, "/etc/passwd"), REFUSED),
}  # fmt: skip


def _thumbnails(path: Path, data: bytes) -> None:
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names[:2]:
            archive.writestr(name, data)


def _linked(path: Path, target: str) -> None:
    path.unlink()
    path.symlink_to(target)


for what, (name, change, expects) in FILES.items():
    if name == "state.json":
        add(f"run: its {what}", "runs", "run", lambda folder, c=change: _unsigned(folder, c), expects)
    else:
        add(f"run: its {what}", "runs", "run", _file(name, change), expects)


def _unsigned(folder: Path, change: Callable[[Path], Any]) -> Made:
    run = _saved(folder)
    change(run / "state.json")
    return {"path": str(run)}


def _folder(change: Callable[[Path], Any]) -> Callable[[Path], Made]:
    def make(folder: Path) -> Made:
        run = _saved(folder)
        change(run)
        return {"path": str(run)}

    return make


FOLDERS: dict[str, Callable[[Path], Any]] = {
    "is empty": lambda run: shutil.rmtree(run) or run.mkdir(),
    "has lost its arrays": lambda run: (run / "state.npz").unlink(),
    "is not there": lambda run: shutil.rmtree(run),
    "is a file": lambda run: shutil.rmtree(run) or run.write_text("a"),
    "has a folder for its state": lambda run: (run / "state.json").unlink() or (run / "state.json").mkdir(),
}
for what, change in FOLDERS.items():
    add(f"run: its folder {what}", "runs", "run", _folder(change), r"^refused: ")

KEPT: dict[str, Callable[[Path], Any]] = {
    "damaged": lambda run: (run / "state.json").write_text("{"),
    "of another format": lambda run: (run / "state.json").write_text('{"format": 99}'),
    "without its arrays": lambda run: (run / "state.npz").unlink(),
}
for what, change in KEPT.items():
    add(f"run: a visitor's own, {what}", "runs", "kept_run", lambda folder, c=change: _kept(folder, c), r"^refused: ")


def _kept(folder: Path, change: Callable[[Path], Any]) -> Made:
    run = _saved(folder)
    change(run)
    return {"path": str(run.rename(folder / f"{'0' * 16}-{'0' * 8}-{'0' * 32}"))}
