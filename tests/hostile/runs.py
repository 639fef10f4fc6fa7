"""Stored runs that were bent: what a visitor brings back or what was left on the disk."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core.store.layout import ARRAYS, STATE, THUMBNAILS
from tests.hostile import add
from tests.hostile.arrays import head, npy, shaped
from tests.hostile.making import EVIL, png
from tests.support.stored import member, rewrite

Made = dict[str, Any]
REFUSED = r"^refused: .*(damaged|format|opened|no run|a folder)"
ANY = r"^(refused|left out|accepted)"
MB = 2**20
State = dict[str, Any]
Change = Callable[[Path], Any]


def saved(folder: Path, **options: Any) -> Path:
    """A run of 60 pictures."""
    from core import store
    from tests.support.diagnoses import make_diagnosis

    run = folder / "run.errata"
    store.put(make_diagnosis(), run, **options)
    return run


def bent(change: Change) -> Callable[[Path], Made]:
    """A run whose file was changed."""

    def make(folder: Path) -> Made:
        run = saved(folder)
        change(run)
        return {"path": str(run)}

    return make


def put(name: str, parts: bytes | Iterable[bytes]) -> Change:
    """Put other bytes in the place of a member, packed."""

    def change(run: Path) -> None:
        rewrite(run, {name: None})
        with (
            zipfile.ZipFile(run, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
            archive.open(name, "w", force_zip64=True) as file,
        ):
            for part in (parts,) if isinstance(parts, bytes) else parts:
                file.write(part)

    return change


def _state(change: Callable[[State], Any]) -> Change:
    """Change the state; the change returns the new one, or None for the same object."""

    def of_run(run: Path) -> None:
        state = json.loads(member(run, STATE))
        new = change(state)
        text = new if isinstance(new, str) else json.dumps(state if new is None else new)
        put(STATE, text.encode())(run)

    return of_run


def _at(state: State, *path: str) -> State:
    for key in path:
        state = state[key]
    return state


def arrays_in(run: Path, prefix: str = ARRAYS) -> dict[str, Any]:
    """The arrays of a run by their members, without that of their keys."""
    with zipfile.ZipFile(run) as archive:
        names = [name for name in archive.namelist() if name.startswith(prefix) and name != f"{prefix}keys.npy"]
        return {name: np.load(io.BytesIO(archive.read(name))) for name in names}


def every_array(change: Callable[[Any], Any], prefix: str = ARRAYS) -> Change:
    """Change each array of a run, or of its model."""
    return lambda run: rewrite(run, {name: npy(change(array)) for name, array in arrays_in(run, prefix).items()})


def every_kind(kind: str, value: Any) -> Change:
    """Put one value into every array of a kind."""
    return every_array(lambda a: np.full_like(a, value) if a.dtype.kind == kind and a.dtype.itemsize == 8 else a)


def set_array(run: Path, key: str, array: Any) -> None:
    """Put another array in the place of that with a key."""
    keys = np.load(io.BytesIO(member(run, f"{ARRAYS}keys.npy"))).tolist()
    rewrite(run, {f"{ARRAYS}a{keys.index(key)}.npy": npy(array)})


def sizes(change: Callable[[Any], Any]) -> Change:
    """Change what a run says of how long its thumbnails are: (60, 3) of int64, -1 where there is none."""

    def of_run(run: Path) -> None:
        held = next(a for a in arrays_in(run).values() if a.shape == (60, 3) and a.dtype == np.int64)
        set_array(run, THUMBNAILS, change(held))

    return of_run


def thumbnails(*kept: bytes) -> Change:
    """Put these in the place of the first row's thumbnail and masks, and nothing in those of the others."""

    def of_run(run: Path) -> None:
        said = np.full((60, 3), -1, np.int64)
        said[0, : len(kept)] = [len(one) for one in kept]
        sizes(lambda _: said)(run)
        rewrite(run, {THUMBNAILS: b"".join(kept)})

    return of_run


def pieces(before: bytes, part: bytes, after: bytes, mb: int) -> Iterable[bytes]:
    """Some MB of one part again and again."""
    yield before
    block = part * (MB // len(part))
    for _ in range(mb):
        yield block
    yield after


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
    "is of no format": (lambda state: state.pop("format") and None, REFUSED),
    "has no image names": (lambda state: state.pop("image_names") and None, REFUSED),
    "has image names of 10 million": (lambda state: state.update(image_names=["a"] * 3_000_000), ANY),
    "has image names that are numbers": (lambda state: state.update(image_names=5), REFUSED),
    "has image names that are lists": (lambda state: state.update(image_names=[[EVIL]] * 60), REFUSED),
    "has image names that are one text": (lambda state: state.update(image_names="a" * 60), REFUSED),
    "has image names of HTML": (lambda state: state.update(image_names=[EVIL] * 60), ANY),
    "has image names that climb": (lambda state: state.update(image_names=["../../etc/passwd"] * 60), ANY),
    "names a record that is none": (lambda state: state.update(diagnosis={"$record": "os.system"}), REFUSED),
    "names another record": (lambda state: state.update(diagnosis={"$record": "Column", "name": "a"}), REFUSED),
    "names an array that is not there": (lambda state: state.update(diagnosis={"$array": "nothing"}), REFUSED),
    "names a file for an array": (lambda state: state.update(diagnosis={"$array": "../../etc/passwd"}), REFUSED),
    "has a float of words": (lambda state: state.update(diagnosis={"$float": "many"}), REFUSED),
    "has ids of HTML": (lambda state: _ids(state, EVIL), ANY),
    "has ids of lone surrogates": (lambda state: _ids(state, "\ud800"), ANY),
    "has too few ids": (lambda s: _at(s, "diagnosis", "samples", "ids")["$tuple"].pop() and None, ANY),
    "has a cluster that is a number": (lambda state: _at(state, "diagnosis").update(clusters={"$tuple": [5]}), ANY),
    "has notes of 50 MB": (lambda state: _at(state, "diagnosis").update(notes={"$tuple": ["x" * 50 * MB]}), ANY),
    "has a seed of 5,000 digits": (lambda s: json.dumps(s).replace('"seed": 0', '"seed": ' + "9" * 5000), ANY),
    "has a modality of HTML": (lambda s: _at(s, "diagnosis", "samples").update(modality=EVIL), ANY),
}  # fmt: skip


def _deep(state: State, levels: int) -> str:
    state["diagnosis"] = "HERE"
    return json.dumps(state).replace('"HERE"', '{"$list": [' * levels + "1" + "]}" * levels)


def _ids(state: State, text: str) -> None:
    ids = _at(state, "diagnosis", "samples", "ids")["$tuple"]
    ids[:] = [f"{text}{i}" for i in range(len(ids))]


for what, (of_state, expects) in STATES.items():
    add(f"run: its state {what}", "runs", "run", bent(_state(of_state)), expects)


def _each_array(content: bytes | Callable[[bytes], bytes]) -> Change:
    def change(run: Path) -> None:
        given = {name: content if isinstance(content, bytes) else content(member(run, name)) for name in arrays_in(run)}
        rewrite(run, given)

    return change


def _most(of: Any) -> Any:
    return np.full_like(of, np.iinfo(np.int64).max)


def _zeros(side: int) -> bytes:
    """A PNG of one colour in four channels, a few hundred kilobytes."""
    packed = zlib.compressobj(1)
    rows = [packed.compress(bytes(4 * side + 1)) for _ in range(side)]
    return png(side, side, colour=6, data=b"".join(rows) + packed.flush())


FIRST = f"{ARRAYS}a0.npy"
OTHER_SIZES: dict[str, Callable[[Any], Any]] = {
    "lie behind the file": lambda a: a + 2**40,
    "are the largest number each": _most,
    "come to 2^64": lambda a: np.where(np.arange(a.size).reshape(a.shape) % 2, 2**62, a),
    "are the smallest number each": lambda a: np.full_like(a, np.iinfo(np.int64).min),
    "are unsigned": lambda a: a.astype(np.uint64),
    "are nan": lambda a: np.full(a.shape, np.nan),
    "are texts": lambda a: a.astype(str),
    "are of no axis": lambda a: a.sum(),
    "are of other rows": lambda a: a[:3],
    "are of other columns": lambda a: a[:, :1],
    "are none": lambda a: a[:0],
}
MEMBERS: dict[str, tuple[Change, str]] = {
    "arrays are a bomb of 2.5 GB": (put(FIRST, pieces(head(shaped("(1073741824, 1)")), bytes(MB), b"", 2500)), REFUSED),
    "arrays are no npy": (_each_array(b"PK" + bytes(900)), REFUSED),
    "arrays are nothing": (_each_array(b""), REFUSED),
    "arrays are cut": (_each_array(lambda content: content[:-100]), REFUSED),
    "arrays are gone": (lambda run: rewrite(run, dict.fromkeys(arrays_in(run))), REFUSED),
    "arrays have no keys": (lambda run: rewrite(run, {f"{ARRAYS}keys.npy": None}), REFUSED),
    "arrays are nan": (every_kind("f", np.nan), ANY),
    "arrays are of other lengths": (every_array(lambda a: a[:3]), ANY),
    "arrays are of no axis": (every_array(lambda a: a.ravel()[:1].sum()), ANY),
    "arrays are texts": (every_array(lambda a: a.astype(str)), REFUSED),
    "row numbers are 2^40": (every_kind("i", 2**40), ANY),
    "keys are numbers": (put(f"{ARRAYS}keys.npy", npy(np.arange(60))), REFUSED),
    "keys are one text": (put(f"{ARRAYS}keys.npy", npy(np.array("a"))), REFUSED),
    "thumbnails are a word": (lambda run: rewrite(run, {THUMBNAILS: b"hello"}), REFUSED),
    "thumbnails are gone": (lambda run: rewrite(run, {THUMBNAILS: None}), "^accepted: .*3 notes"),
    "thumbnails are packed": (put(THUMBNAILS, pieces(b"", bytes(MB), b"", 400)), REFUSED),
    "thumbnail has 400 MB": (thumbnails(bytes(400 * MB)), "^left out: .*at most"),
    "thumbnails are huge pictures": (thumbnails(png(60_000, 60_000)), ANY),
    "thumbnails are HTML": (thumbnails(EVIL.encode()), ANY),
    "masks are pictures of 170 million pixels": (lambda run: thumbnails(b"a", *[_zeros(13_000)] * 2)(run), ANY),
    "masks are huge pictures": (thumbnails(b"a", *(png(60_000, 60_000) for _ in range(2))), ANY),
    "masks are HTML": (thumbnails(b"a", EVIL.encode(), EVIL.encode()), ANY),
    **{f"sizes of thumbnails {what}": (sizes(change), ANY) for what, change in OTHER_SIZES.items()},
}  # fmt: skip
for what, (change, expects) in MEMBERS.items():
    add(f"run: its {what}", "runs", "run", bent(change), expects)

KEPT: dict[str, tuple[Change, str]] = {
    "damaged": (put(STATE, b"{"), REFUSED),
    "of another format": (put(STATE, b'{"format": 99}'), REFUSED),
    "without its arrays": (MEMBERS["arrays are gone"][0], REFUSED),
    "that is empty": (lambda run: run.write_bytes(b""), REFUSED),
}
ID = f"{'0' * 16}-{'0' * 8}-{'0' * 32}"


def kept(change: Change, own: Change | None = None) -> Callable[[Path], Made]:
    """A visitor's run, and what was done to the file in which lies what they say of it."""

    def make(folder: Path) -> Made:
        run = saved(folder)
        change(run)
        if own is not None:
            own(folder / f"{ID}.yours.json")
        return {"path": str(run.rename(folder / f"{ID}.errata"))}

    return make


for what, (change, expects) in KEPT.items():
    add(f"run: a visitor's own, {what}", "runs", "kept_run", kept(change), expects)


def written(path: Path, parts: Sequence[bytes] | Iterable[bytes]) -> None:
    """A file of these bytes, in the place of what lies there."""
    path.unlink(missing_ok=True)
    with path.open("wb") as file:
        file.writelines(parts)
