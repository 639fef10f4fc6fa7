"""Right tables, and the model behind them: where every mistake begins."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

NAMES = ("rabbit", "cat", "owl", "horse")
"""The classes in the order of training, which is not that of the alphabet."""
N = 240
SIDES = (200, 160)
"""Width and height of a detector's images, in pixels."""


@dataclass(frozen=True, eq=False)
class World:
    """A classifier of N samples: some classes are harder than others, and dark ones harder still."""

    rng: np.random.Generator
    truth: Any
    """(N,) index into NAMES."""
    logits: Any
    """(N, 4)."""
    light: Any
    probabilities: Any = field(init=False)
    guess: Any = field(init=False)
    loss: Any = field(init=False)
    """(N,) nats."""

    def __post_init__(self) -> None:
        p = softmax(self.logits)
        known = {"probabilities": p, "guess": p.argmax(1), "loss": -np.log(p[np.arange(len(p)), self.truth])}
        for name, values in known.items():
            object.__setattr__(self, name, values)

    @property
    def wrong(self) -> Any:
        return self.guess != self.truth

    def some(self, value: Any, values: Any) -> Any:
        """(N,) the values, with another one in every eighth row or so."""
        return np.where(self.rng.random(len(self.truth)) < 0.12, value, values)

    def other_rows(self) -> Any:
        """(N,) the rows in the order of a shuffled loader."""
        return self.rng.permutation(len(self.truth))


def softmax(logits: Any) -> Any:
    raised = np.exp(logits - logits.max(1, keepdims=True))
    return raised / raised.sum(1, keepdims=True)


def world(seed: int = 0, k: int = 4, margins: Any = (3.6, 2.0, 1.3, 2.6), truth: Any = None) -> World:
    """Draw the samples.

    Args:
        margins: (k,) how far the true class' logit lies above the others, by class.
        truth: (n,) None draws N, of four classes of unequal size.
    """
    rng = np.random.default_rng(seed)
    drawn = rng.choice(4, N, p=(0.35, 0.3, 0.2, 0.15)) if truth is None else truth
    light = rng.choice(["bright", "dim", "dark"], len(drawn))
    logits = rng.normal(0, 1, (len(drawn), k))
    logits[np.arange(len(drawn)), drawn] += np.asarray(margins)[drawn] - 1.2 * (light == "dark")
    return World(rng, drawn, logits, light)


@dataclass(frozen=True, eq=False)
class Brought:
    """What a user brings: a table, other files, and options of the command line."""

    frame: pd.DataFrame | None = None
    options: str = ""
    """An @ stands for the folder that all is written to."""
    files: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """By path: bytes, text, an array (npz of `ids` and `embeddings`), or what is written as JSON."""
    edit: Callable[[str], str] = str
    """What is done to the text of the CSV file."""

    def put(self, **columns: Any) -> Brought:
        """With these columns; None takes one out."""
        assert self.frame is not None
        gone = [name for name, values in columns.items() if values is None]
        new = {name: values for name, values in columns.items() if values is not None}
        return replace(self, frame=self.frame.drop(columns=gone).assign(**new))

    def each(self, start: str, change: Callable[[Any], Any]) -> Brought:
        """With the matrix of the columns that begin so changed."""
        assert self.frame is not None
        old = [name for name in self.frame if str(name).startswith(start)]
        values = change(self.frame[old].to_numpy(float))
        return self.put(**{str(name): values[:, i] for i, name in enumerate(old)})

    def values(self, column: str) -> Any:
        """(n,) what a column holds."""
        assert self.frame is not None
        return self.frame[column].to_numpy()

    def file(self, name: str, change: Callable[[Any], Any]) -> Brought:
        """With another content of a file."""
        return replace(self, files={**self.files, name: change(self.files[name])})

    def write(self, folder: Path) -> list[str]:
        """Write everything, and give the arguments of a command that reads it, the table's path first if there is
        one."""
        for name, content in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, np.ndarray):
                np.savez(path, embeddings=content, ids=np.array([f"{i:05d}" for i in range(len(content))]))
                continue
            text = content if isinstance(content, bytes | str) else json.dumps(content)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        given = self.options.replace("@", str(folder)).split()
        if self.frame is None:
            return given
        (folder / "table.csv").write_bytes(self.edit(self.frame.to_csv(index=False)).encode())
        return [str(folder / "table.csv"), *given]


def named(codes: Any, names: Any = NAMES) -> Any:
    return np.array(names, object)[codes]


def table(w: World, **columns: Any) -> Brought:
    """A table of ids, these columns and three conditions."""
    n = len(w.truth)
    site = [f"{i % 9 + 1}-{i % 4 + 1}" for i in range(n)]
    conditions = {"light": w.light, "size": w.rng.normal(20, 4, n).round(2), "site": site}
    return Brought(pd.DataFrame({"id": [f"s{i:04d}" for i in range(n)], **columns, **conditions}))


def columns(start: str, values: Any, names: Any = NAMES) -> dict[str, Any]:
    return {f"{start}_{name}": values[:, i] for i, name in enumerate(names)}


def _png(value: int, size: tuple[int, int] = (8, 8)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, (value % 256, 90, 30)).save(buffer, "PNG")
    return buffer.getvalue()


def _two(w: World) -> tuple[Any, Any]:
    """(truth, probability of the second) of two classes."""
    p = w.probabilities[:, 1] / (w.probabilities[:, :2].sum(1))
    return (w.rng.random(len(p)) < p).astype(int), p


def _lists(values: Any) -> list[str]:
    return [json.dumps(row) for row in values.tolist()]


def _several(w: World) -> tuple[Any, Any]:
    """(N, 4) 0 and 1, and the probabilities of four classes that are there or not."""
    z = w.logits - 1.0 + 0.8 * w.rng.normal(size=w.logits.shape)
    p = 1 / (1 + np.exp(-1.6 * z))
    return (w.rng.random(p.shape) < p).astype(int), p


def _regression(w: World) -> Brought:
    target = np.exp(w.rng.normal(5.5, 1.2, len(w.truth))) + 12
    return table(w, target=target, prediction=target * np.exp(0.15 * w.rng.normal(size=len(target))))


def _texts(w: World) -> Brought:
    subjects, verbs = ("the plot", "this film", "her acting", "the score"), ("drags", "shines", "works", "fails badly")
    said = zip(*(w.rng.choice(words, len(w.truth)) for words in (subjects, verbs, subjects)))
    text = [f"Review {i}: {one} {does}, {other} too" for i, (one, does, other) in enumerate(said)]
    truth, p = _two(w)
    sides = ("negative", "positive")
    loss = -np.log(np.where(truth == 1, p, 1 - p))
    return table(w, text=text, label=named(truth, sides), prediction=named((p > 0.5).astype(int), sides), loss=loss)


def boxes(w: World, found: float = 0.8) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
    """Images, objects and a detector's results in COCO's form: 30 images of 4 objects; ids of images and classes
    begin at 1.

    Args:
        found: share of the objects that have a result.
    """
    images, objects, results = list[dict[str, Any]](), list[dict[str, Any]](), list[dict[str, Any]]()
    for i in range(30):
        images.append({"id": i + 1, "file_name": f"{i + 1:04d}.png", "width": SIDES[0], "height": SIDES[1]})
        for j in range(4):
            row = 4 * i + j
            wide, high = w.rng.integers(20, 60), w.rng.integers(14, 36)
            left, top = 95 * (j % 2) + w.rng.integers(2, 30), 78 * (j // 2) + w.rng.integers(2, 38)
            box = [float(v) for v in (left, top, wide, high)]
            kind = {"image_id": i + 1, "bbox": box}
            objects.append({"id": row + 1, "category_id": int(w.truth[row]) + 1, "iscrowd": 0, **kind})
            if w.rng.random() < found:
                moved = [round(v + float(w.rng.normal(0, 1)), 2) for v in box]
                score = round(w.rng.uniform(0.4, 1), 3)
                results.append({**kind, "bbox": moved, "category_id": int(w.guess[row]) + 1, "score": score})
    return images, objects, results


def _pictures(images: list[dict[str, Any]]) -> dict[str, bytes]:
    return dict.fromkeys([f"images/{image['file_name']}" for image in images], _png(70, SIDES))


def coco(w: World, found: float = 0.8) -> Brought:
    """The files of a detector that finds this share of the objects."""
    images, objects, results = boxes(w, found)
    classes = [{"id": i + 1, "name": name} for i, name in enumerate(NAMES)]
    truth = {"images": images, "annotations": objects, "categories": classes}
    files = {"truth.json": truth, "results.json": results, **_pictures(images)}
    return Brought(None, "--detections @/results.json --truth @/truth.json --images @/images", files)


def yolo_line(one: dict[str, Any]) -> list[float]:
    """Class, center and size in shares of the image, and the score of a prediction."""
    x, y, wide, high = one["bbox"]
    numbers = [(x + wide / 2) / SIDES[0], (y + high / 2) / SIDES[1], wide / SIDES[0], high / SIDES[1]]
    return [one["category_id"] - 1, *numbers, *([one["score"]] if "score" in one else [])]


def yolo_files(rows: Any, folder: str, line: Callable[[Any], list[float]] = yolo_line) -> dict[str, str]:
    """A label file for each image."""
    files = dict[str, str]()
    for one in rows:
        name = f"{folder}/labels/{one['image_id']:04d}.txt"
        files[name] = files.get(name, "") + " ".join(f"{v:.6g}" for v in line(one)) + "\n"
    return files


def _yolo(w: World) -> Brought:
    images, objects, results = boxes(w)
    files = {
        "data/data.yaml": f"names: {json.dumps(NAMES)}\n",
        **yolo_files(objects, "data"),
        **yolo_files(results, "found"),
        **_pictures(images),
    }
    return Brought(None, "--detections @/found --truth @/data --images @/images", files)


def _files(w: World) -> Brought:
    paths = [f"val/a{i}.png" for i in range(N)]
    brought = table(w, file=paths, label=named(w.truth), prediction=named(w.guess)).put(id=None)
    files = {f"images/{path}": _png(i) for i, path in enumerate(paths)}
    return replace(brought, files=files, options="--images @/images")


def _vectors(w: World) -> Brought:
    vectors = np.eye(4)[w.truth] + 0.3 * w.rng.normal(size=(N, 4))
    brought = table(w, label=named(w.truth), loss=w.loss).put(id=[f"{i:05d}" for i in range(N)])
    return replace(brought, files={"vectors.npz": vectors}, options="--embeddings @/vectors.npz")


def _single(w: World) -> Brought:
    truth, p = _two(w)
    return replace(table(w, label=named(truth, ("no", "yes")), probability=p), options="--probabilities probability")


def _lists_of_classes(w: World) -> Brought:
    truth, p = _several(w)
    options = "--labels truth --probabilities probabilities --class-names " + " ".join(NAMES)
    return replace(table(w, truth=_lists(truth), probabilities=_lists(p)), options=options)


def _several_columns(w: World) -> Brought:
    truth, p = _several(w)
    return replace(
        table(w, **columns("true", truth), **columns("prob", p)), options="--labels true_* --probabilities prob_*"
    )


RIGHT: Mapping[str, tuple[str, Callable[[World], Brought]]] = {
    "names": ("classes", lambda w: table(w, label=named(w.truth), prediction=named(w.guess), loss=w.loss)),
    "numbers": ("classes", lambda w: table(w, label=w.truth, prediction=w.guess)),
    "shares": ("probabilities", lambda w: table(w, label=named(w.truth), **columns("prob", w.probabilities))),
    "numbered shares": ("probabilities", lambda w: table(w, label=w.truth, **columns("prob", w.probabilities))),
    "listed shares": (
        "probabilities",
        lambda w: table(w, label=named(w.truth), probabilities=_lists(w.probabilities[:, np.argsort(NAMES)])),
    ),
    "shares and losses": (
        "probabilities",
        lambda w: table(w, label=named(w.truth), loss=w.loss, **columns("prob", w.probabilities)),
    ),
    "one share": ("probabilities", _single),
    "logits": ("logits", lambda w: table(w, label=w.truth, **columns("logit", w.logits, range(4)))),
    "losses": ("losses", lambda w: table(w, loss=w.loss)),
    "regression": ("regression", _regression),
    "coco": ("detection", coco),
    "yolo": ("detection", _yolo),
    "texts": ("texts", _texts),
    "several": ("several labels", _several_columns),
    "several lists": ("several labels", _lists_of_classes),
    "files": ("files", _files),
    "vectors": ("files", _vectors),
}
"""By name: the task, and the right table of it."""
