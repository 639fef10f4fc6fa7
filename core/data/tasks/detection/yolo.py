"""Detections in YOLO's form: a text file for each image, and the names of the classes beside them.

Truth: `class cx cy w h` in shares of the image, or `class x1 y1 x2 y2 ...` for an outline. Predictions: the same with
the confidence at the end (`save_txt` with `save_conf` in Ultralytics). An image without a file has no objects, or no
predictions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, cast

import numpy as np

from core.data.images.archives import FileImages, is_image_name, open_images
from core.data.tasks.detection.boxes import NOWHERE, Boxes, BoxRow, Raw, boxes_from
from core.documents import parse_yaml
from core.errors import InvalidInput
from core.limits import Limits
from core.received import read_plain
from core.records import Progress, Reporter, no_progress
from core.records.ledger import Ledger

_NAME_FILES = ("classes.txt", "obj.names", "classes.names")
MAX_LABEL_BYTES = 4 * 2**20
"""Of the label file of one image; a thousand outlines of a hundred points have half of it."""
MAX_BOXES = 2_000_000
"""Lines of all label files of one side."""
_NOT_LABELS = set("classes readme train val test autosplit_train autosplit_val".split())


def read_yolo(truth: Path, predictions: Path, store: FileImages, *, progress: Progress = no_progress) -> Raw:
    """Read the label files of the truth and of the predictions.

    Args:
        truth: folder, zip or tar of the data set (its `labels` are read) or of the label files; data.yaml or
            classes.txt in it, or in the folder above, names the classes.
        predictions: folder, zip or tar of the prediction files, or of what holds them in `labels`.
        store: the images; each of them counts as an image, with or without a label file.

    Raises:
        InvalidInput: a folder holds no label files, predictions have no confidence, or classes are numbered past the
        names.
    """
    images = sorted(name for name in store.names if is_image_name(name))
    if not images:
        raise InvalidInput(
            "There are no images among the images. Give the folder or zip that the labels were made for."
        )
    places = _Places(images)
    labels = open_images(truth, progress=progress)
    found = open_images(predictions, progress=progress)
    names, notes = _class_names(labels, truth)
    true, true_book = _read_files(labels, truth, places, progress, scored=False)
    predicted, predicted_book = _read_files(found, predictions, places, progress, scored=True)
    most = int(max(true.category.max(initial=-1), predicted.category.max(initial=-1)))
    if not names:
        names = tuple(f"class {i}" for i in range(most + 1))
        notes.append("No data.yaml or classes.txt names the classes, so they are called by their numbers.")
    for boxes, book, what in ((true, true_book, "truth"), (predicted, predicted_book, "predictions")):
        unknown = boxes.category >= len(names)
        if unknown.sum() > 0.5 * len(boxes):
            raise InvalidInput(
                f"The {what} use class numbers up to {int(boxes.category.max())}, but there are {len(names)} class "
                "names (from 0). Give the data.yaml that belongs to these labels."
            )
        book.drop(unknown, [f"its class is not among the {len(names)} names: {c}" for c in boxes.category])
    unlabelled = len(images) - len(np.unique(true.image[true.image >= 0]))
    if unlabelled:
        notes.append(
            f"{unlabelled:,} of {len(images):,} images have no object in the labels: predictions there are false."
        )
    sizes = np.full((len(images), 2), np.nan)
    return Raw(
        names,
        tuple(images),
        sizes,
        true,
        predicted,
        true_book,
        predicted_book,
        image_ids=np.arange(len(images), dtype=np.float64),
        said_images=np.where(predicted.image >= 0, predicted.image, np.nan),
        class_ids=tuple(map(str, range(len(names)))),
        said_classes=tuple(map(str, predicted.category.tolist())),
        relative=True,
        notes=tuple(notes),
    )


class _Places:
    """Which image a label file belongs to: by its path without ending, leading folders aside, else by its name if
    that is unique."""

    def __init__(self, images: Sequence[str]) -> None:
        self.images = images
        self.by_path: dict[str, int] = {}
        self.by_stem: dict[str, list[int]] = {}
        for i, name in enumerate(images):
            path = PurePosixPath(name)
            self.by_path[str(path.with_suffix(""))] = i
            self.by_stem.setdefault(path.stem, []).append(i)

    def find(self, file: PurePosixPath) -> int:
        """The image's place, -1 for none."""
        parts = tuple("images" if part == "labels" else part for part in file.with_suffix("").parts)
        for start in range(len(parts)):
            at = self.by_path.get("/".join(parts[start:]))
            if at is not None:
                return at
        alike = self.by_stem.get(file.stem, [])
        return alike[0] if len(alike) == 1 else -1


def _label_files(store: FileImages) -> dict[str, int]:
    """Places of the label files by path: those in `labels` at the top, else those in any `labels`, else all."""
    texts = {name: i for i, name in enumerate(store.names) if name.endswith(".txt")}
    texts = {name: i for name, i in texts.items() if PurePosixPath(name).stem.lower() not in _NOT_LABELS}
    top = {name: i for name, i in texts.items() if name.startswith("labels/")}
    inside = {name: i for name, i in texts.items() if "labels" in name.split("/")[:-1]}
    return dict(sorted((top or inside or texts).items()))


def _read_files(
    store: FileImages, folder: Path, places: _Places, progress: Progress, *, scored: bool
) -> tuple[Boxes, Ledger]:
    """The boxes of all files, in shares of their image; unreadable lines are dropped in the ledger."""
    what = "predictions" if scored else "truth"
    files = _label_files(store)
    if not files:
        raise InvalidInput(
            f"The {what}, {folder}, hold no label files (.txt). Give the folder or zip that holds one for each image."
        )
    rows = list[BoxRow]()
    reasons = list[str]()
    of_picture = dict[int, str]()
    without_score = 0
    report = Reporter(progress, f"read {what}", len(files))
    for done, (name, at) in enumerate(files.items()):
        report(done)
        place = places.find(PurePosixPath(name))
        earlier = of_picture.setdefault(place, name)
        if place >= 0 and earlier != name:
            raise InvalidInput(
                f"The {what} have two label files for {places.images[place]!r}: {earlier!r} and {name!r}. "
                "Give those of these images alone."
            )
        shown = places.images[place] if place >= 0 else name
        for number, line in enumerate(_lines(store, at), start=1):
            kind, box, confidence, reason = _parse(line, scored)
            rows.append((f"{shown}#{'prediction ' if scored else ''}{number}", place, kind, box, confidence, False))
            reasons.append(f"its image is not among the images: {name}" if place < 0 else reason)
            without_score += reason == _NO_SCORE
        if len(rows) > MAX_BOXES:
            raise InvalidInput(f"The {what} have more than {MAX_BOXES:,} lines, the most that is read. Split them.")
    if not rows:
        again = "Run the detector again." if scored else "Export again."
        raise InvalidInput(f"The {len(files):,} label files of the {what} in {folder} hold not one box. {again}")
    _check_lines(reasons, without_score, what)
    if all(place < 0 for _, place, *_ in rows):
        raise InvalidInput(
            f"None of the {len(files):,} label files of the {what} (such as {next(iter(files))!r}) "
            "has an image of the same name."
        )
    ledger = Ledger(len(rows))
    ledger.drop(np.array([bool(reason) for reason in reasons], np.bool_), reasons)
    return boxes_from(rows), ledger


def _check_lines(reasons: list[str], without_score: int, what: str) -> None:
    """Refuse files most of whose lines are written in another way; `reasons` has an entry for each line."""
    n = len(reasons)
    if without_score > 0.5 * n:
        raise InvalidInput(
            f"The predictions need a confidence at the end of each line, class cx cy w h conf: {without_score:,} of "
            f"{n:,} lines have none. With Ultralytics, predict with save_txt=True and save_conf=True."
        )
    in_pixels = sum(reason == _PIXELS for reason in reasons)
    if in_pixels > 0.5 * n:
        raise InvalidInput(
            f"The boxes of the {what} seem to be in pixels ({in_pixels:,} of {n:,}). "
            "YOLO's are shares of the image's sides."
        )


_NO_SCORE = "the line has no confidence at its end"
_PIXELS = "the box is in pixels; YOLO's are shares of the image's sides"


def _lines(store: FileImages, at: int) -> list[str]:
    if store.sizes[at] > MAX_LABEL_BYTES:
        raise InvalidInput(
            f"The label file {store.name(at)} has {store.sizes[at]:,} bytes; at most {MAX_LABEL_BYTES:,} are read: it "
            "holds the boxes of one image. Take it out."
        )
    try:
        return [line for line in store.read(at).decode("utf-8").splitlines() if line.strip()]
    except (UnicodeDecodeError, OSError) as error:
        raise InvalidInput(
            f"The label file {store.name(at)} cannot be read ({error}). Write it again as plain text."
        ) from None


def _parse(line: str, scored: bool) -> tuple[int, tuple[float, ...], float, str]:
    """(class, box, confidence, reason why not) of one line."""
    try:
        values = [float(text) for text in line.split()]
        kind = int(values[0])
    except (ValueError, OverflowError):
        return -1, NOWHERE, 1.0, "the line is not all numbers"
    if kind != values[0] or kind < 0:
        return -1, NOWHERE, 1.0, "the class is not a whole number from 0"
    confidence = 1.0
    if scored:
        if len(values) % 2:  # class and pairs of coordinates alone
            return kind, NOWHERE, 1.0, _NO_SCORE
        confidence = values.pop()
        if not 0 <= confidence <= 1:
            return kind, NOWHERE, 1.0, "the confidence does not lie between 0 and 1"
    if len(values) < 5 or len(values) % 2 == 0:
        return kind, NOWHERE, confidence, "the line is neither a box (class cx cy w h) nor an outline"
    if len(values) == 5:
        x, y, width, height = values[1:]
        box = (x - width / 2, y - height / 2, width, height)
    else:
        across = values[1::2]
        down = values[2::2]
        box = (min(across), min(down), max(across) - min(across), max(down) - min(down))
    return kind, box, confidence, _PIXELS if max(map(abs, values[1:])) > 2 else ""


def _class_names(store: FileImages, truth: Path) -> tuple[tuple[str, ...], list[str]]:
    """The names in data.yaml or classes.txt, among the truth's files or in the folder above; () if there are none."""
    found = {name: store.read(i) for i, name in enumerate(store.names) if _may_name(name)}
    if not found and truth.is_dir():
        above = (path for path in sorted(truth.parent.iterdir()) if path.is_file() and _may_name(path.name))
        found = {path.name: read_plain(path, Limits().max_file_bytes) for path in above}
    for name in sorted(found, key=lambda name: (name.count("/"), not name.endswith(("yaml", "yml")), name)):
        names = _names_in(name, found[name])
        if names:
            return names, [f"The {len(names)} class names are those of {name}."]
    return (), []


def _may_name(name: str) -> bool:
    return name.lower().endswith((".yaml", ".yml")) or PurePosixPath(name).name.lower() in _NAME_FILES


def _names_in(name: str, content: bytes) -> tuple[str, ...]:
    instead = "Mend it, or put a classes.txt beside the labels."
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{name} is not UTF-8 text (byte {error.start:,}). {instead}") from None
    if not name.lower().endswith((".yaml", ".yml")):
        return tuple(line.strip() for line in text.splitlines() if line.strip())
    document = parse_yaml(text, name, instead=instead)
    names: Any = cast("Mapping[str, Any]", document).get("names") if isinstance(document, dict) else None
    if isinstance(names, list):
        return tuple(str(one) for one in cast("list[Any]", names))
    if isinstance(names, dict):
        numbered = cast("dict[Any, Any]", names)
        if sorted(map(str, numbered)) != sorted(map(str, range(len(numbered)))):
            raise InvalidInput(
                f"{name}: names must be numbered from 0 without gaps: got "
                f"{', '.join(map(str, list(numbered)[:5]))}, ... Mend it."
            )
        return tuple(str(numbered.get(i, numbered.get(str(i)))) for i in range(len(numbered)))
    return ()
