"""Read detections in YOLO's form: a text file for each image, and the names of the classes next to them.

Truth: `class cx cy w h` in shares of the image, or `class x1 y1 x2 y2 ...` for an outline. Predictions: the same with
the confidence at the end (`save_txt` with `save_conf` in Ultralytics). An image without a file has no objects or no
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
"""Of the label file of one image; a thousand outlines of a hundred points have half as many."""
MAX_BOXES = 2_000_000
"""Lines of all label files of one side."""
_NOT_LABELS = set("classes readme train val test autosplit_train autosplit_val".split())


def read_yolo(truth: Path, predictions: Path, store: FileImages, *, progress: Progress = no_progress) -> Raw:
    """Read the label files of the truth and of the predictions.

    Args:
        truth: folder, zip or tar of the data set (its `labels` are read) or of the label files; data.yaml or
            classes.txt in it, or in the folder above, names the classes.
        predictions: folder, zip or tar of the prediction files, or with these in `labels`.
        store: the images; one without a label file counts as well.

    Raises:
        InvalidInput: a folder without label files, predictions without confidence, or class numbers past the names.
    """
    images = sorted(name for name in store.names if is_image_name(name))
    if not images:
        raise InvalidInput("The images hold no image file. Use the folder or zip of the labeled images.")
    index = _ImageIndex(images)
    labels = open_images(truth, progress=progress)
    predicted_labels = open_images(predictions, progress=progress)
    names, notes = _class_names(labels, truth)
    true, truth_ledger = _read_files(labels, truth, index, progress, scored=False)
    predicted, predictions_ledger = _read_files(predicted_labels, predictions, index, progress, scored=True)
    if not names:
        highest = int(max(true.category.max(initial=-1), predicted.category.max(initial=-1)))
        names = tuple(f"class {i}" for i in range(highest + 1))
        notes.append("Named the classes by their numbers: data.yaml and classes.txt are missing.")
    for boxes, ledger, what in ((true, truth_ledger, "truth"), (predicted, predictions_ledger, "predictions")):
        unknown = boxes.category >= len(names)
        if unknown.sum() > 0.5 * len(boxes):
            raise InvalidInput(
                f"The {what} use class numbers up to {int(boxes.category.max())}, but only {len(names)} classes have "
                "names (from 0). Use the data.yaml of these labels."
            )
        ledger.drop(unknown, [f"its class is not among the {len(names)} names: {c}" for c in boxes.category])
    n_unlabeled = len(images) - len(np.unique(true.image[true.image >= 0]))
    if n_unlabeled:
        notes.append(
            f"{n_unlabeled:,} of {len(images):,} images have no object in the labels. Predictions there count as false."
        )
    return Raw(
        names,
        tuple(images),
        np.full((len(images), 2), np.nan),
        true,
        predicted,
        truth_ledger,
        predictions_ledger,
        image_ids=np.arange(len(images), dtype=np.float64),
        predicted_image_ids=np.where(predicted.image >= 0, predicted.image, np.nan),
        class_ids=tuple(map(str, range(len(names)))),
        predicted_class_ids=tuple(map(str, predicted.category.tolist())),
        relative=True,
        notes=tuple(notes),
    )


def read_truth(labels: Path, images: Sequence[str]) -> Boxes:
    """The boxes of the label files in a folder, zip or tar, in shares of their image, whose position in
    `images` is `image`; lines that cannot be used, and those of other images, are left out.

    Raises:
        InvalidInput: see `read_yolo`.
    """
    boxes, ledger = _read_files(open_images(labels), labels, _ImageIndex(images), no_progress, scored=False)
    return boxes.keep(ledger.kept_rows())


class _ImageIndex:
    """Find the image of a label file: by its path without suffix and leading folders, else by its name, if unique."""

    def __init__(self, images: Sequence[str]) -> None:
        self.images = images
        self.by_path: dict[str, int] = {}
        self.by_stem: dict[str, list[int]] = {}
        for i, name in enumerate(images):
            path = PurePosixPath(name)
            self.by_path[str(path.with_suffix(""))] = i
            self.by_stem.setdefault(path.stem, []).append(i)

    def find(self, file: PurePosixPath) -> int:
        """The image's index, -1 for none."""
        parts = tuple("images" if part == "labels" else part for part in file.with_suffix("").parts)
        for start in range(len(parts)):
            index = self.by_path.get("/".join(parts[start:]))
            if index is not None:
                return index
        same_stem = self.by_stem.get(file.stem, [])
        if len(same_stem) != 1:
            return -1
        return same_stem[0]


def _read_files(
    store: FileImages, folder: Path, index: _ImageIndex, progress: Progress, *, scored: bool
) -> tuple[Boxes, Ledger]:
    """The boxes of all files, in shares of their image; unreadable lines are dropped in the ledger."""
    what = "truth"
    name_prefix = ""
    next_step = "Export them again."
    if scored:
        what = "predictions"
        name_prefix = "prediction "
        next_step = "Run the detector again."
    # those in `labels` at the top, else those in any `labels`, else all
    texts: dict[str, int] = {}
    for i, name in enumerate(store.names):
        if name.endswith(".txt") and PurePosixPath(name).stem.lower() not in _NOT_LABELS:
            texts[name] = i
    top = {name: i for name, i in texts.items() if name.startswith("labels/")}
    inside = {name: i for name, i in texts.items() if "labels" in name.split("/")[:-1]}
    files = dict(sorted((top or inside or texts).items()))
    if not files:
        raise InvalidInput(f"The {what}, {folder}, hold no label files (.txt). Use a folder with one for each image.")
    rows = list[BoxRow]()
    reasons = list[str]()
    file_of = dict[int, str]()
    n_without_score = 0
    report = Reporter(progress, f"read {what}", len(files))
    for n_read, (file, position) in enumerate(files.items()):
        report(n_read)
        image = index.find(PurePosixPath(file))
        image_name = file
        image_reason = f"its image is not among the images: {file}"
        if image >= 0:
            image_name = index.images[image]
            image_reason = ""
            earlier = file_of.setdefault(image, file)
            if earlier != file:
                raise InvalidInput(
                    f"The {what} have two label files for {image_name!r}: {earlier!r} and {file!r}. Remove one."
                )
        for number, line in enumerate(_lines(store, position), start=1):
            category, box, confidence, reason = _parse(line, scored)
            rows.append((f"{image_name}#{name_prefix}{number}", image, category, box, confidence, False))
            reasons.append(image_reason or reason)
            n_without_score += reason == _NO_SCORE
        if len(rows) > MAX_BOXES:
            raise InvalidInput(f"The {what} have more than {MAX_BOXES:,} lines, the limit. Split them.")
    if not rows:
        raise InvalidInput(f"The {len(files):,} label files of the {what} in {folder} hold not one box. {next_step}")
    _check_lines(reasons, n_without_score, what)
    if all(row[1] < 0 for row in rows):
        raise InvalidInput(
            f"None of the {len(files):,} label files of the {what} (such as {next(iter(files))!r}) "
            "is named like an image. Rename them."
        )
    ledger = Ledger(len(rows))
    ledger.drop(np.array([bool(reason) for reason in reasons], np.bool_), reasons)
    return boxes_from(rows), ledger


def _check_lines(reasons: list[str], n_without_score: int, what: str) -> None:
    """Refuse files with most lines in another form; `reasons` has an entry for each line."""
    n = len(reasons)
    if n_without_score > 0.5 * n:
        raise InvalidInput(
            f"{n_without_score:,} of {n:,} predicted lines lack the confidence at the end (class cx cy w h conf). "
            "With Ultralytics, use save_txt=True and save_conf=True."
        )
    in_pixels = sum(reason == _PIXELS for reason in reasons)
    if in_pixels > 0.5 * n:
        raise InvalidInput(
            f"{in_pixels:,} of {n:,} boxes of the {what} seem to be in pixels. "
            "Write shares of the image's width and height."
        )


_NO_SCORE = "the line lacks the confidence at the end"
_PIXELS = "the box is in pixels, not in shares of the image"


def _lines(store: FileImages, index: int) -> list[str]:
    name = store.name(index)
    if store.sizes[index] > MAX_LABEL_BYTES:
        raise InvalidInput(
            f"The label file {name} has {store.sizes[index]:,} bytes, the limit is {MAX_LABEL_BYTES:,}. Remove it."
        )
    try:
        return [line for line in store.read(index).decode("utf-8").splitlines() if line.strip()]
    except (UnicodeDecodeError, OSError) as error:
        raise InvalidInput(f"Cannot read the label file {name} ({error}). Save it as plain text.") from None


def _parse(line: str, scored: bool) -> tuple[int, tuple[float, ...], float, str]:
    """(class, box, confidence, reason why the line cannot be used) of one line."""
    try:
        values = [float(text) for text in line.split()]
        category = int(values[0])
    except (ValueError, OverflowError):
        return -1, NOWHERE, 1.0, "the line is not all numbers"
    if category != values[0] or category < 0:
        return -1, NOWHERE, 1.0, "the class is not a whole number from 0"
    confidence = 1.0
    if scored:
        if len(values) % 2:  # the class and pairs of coordinates, without a confidence
            return category, NOWHERE, 1.0, _NO_SCORE
        confidence = values.pop()
        if not 0 <= confidence <= 1:
            return category, NOWHERE, 1.0, "the confidence does not lie between 0 and 1"
    if len(values) < 5 or len(values) % 2 == 0:
        return category, NOWHERE, confidence, "the line is neither a box (class cx cy w h) nor an outline"
    reason = ""
    if max(map(abs, values[1:])) > 2:
        reason = _PIXELS
    if len(values) == 5:
        x, y, width, height = values[1:]
        return category, (x - width / 2, y - height / 2, width, height), confidence, reason
    xs = values[1::2]
    ys = values[2::2]
    return category, (min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)), confidence, reason


def _class_names(store: FileImages, truth: Path) -> tuple[tuple[str, ...], list[str]]:
    """The names in data.yaml or classes.txt, among the truth's files or in the folder above, and a note on the file;
    () without one."""
    contents = {name: store.read(i) for i, name in enumerate(store.names) if _may_name(name)}
    if not contents and truth.is_dir():
        for path in sorted(truth.parent.iterdir()):
            if path.is_file() and _may_name(path.name):
                contents[path.name] = read_plain(path, Limits().max_file_bytes)
    # the highest folder first, and data.yaml before classes.txt
    for name in sorted(contents, key=lambda name: (name.count("/"), not name.endswith(("yaml", "yml")), name)):
        names = _names_in(name, contents[name])
        if names:
            return names, [f"Read the {len(names)} class names from {name}."]
    return (), []


def _may_name(name: str) -> bool:
    return name.lower().endswith((".yaml", ".yml")) or PurePosixPath(name).name.lower() in _NAME_FILES


def _names_in(name: str, content: bytes) -> tuple[str, ...]:
    instead = "Fix it, or add a classes.txt next to the labels."
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{name}: not valid UTF-8 (byte {error.start:,}). {instead}") from None
    if not name.lower().endswith((".yaml", ".yml")):
        return tuple(line.strip() for line in text.splitlines() if line.strip())
    document = parse_yaml(text, name, instead=instead)
    names: Any = None
    if isinstance(document, dict):
        names = cast("Mapping[str, Any]", document).get("names")
    if isinstance(names, list):
        return tuple(map(str, cast("list[Any]", names)))
    if not isinstance(names, dict):
        return ()
    numbered = cast("dict[Any, Any]", names)
    if sorted(map(str, numbered)) != sorted(map(str, range(len(numbered)))):
        numbers = ", ".join(map(str, list(numbered)[:5]))
        raise InvalidInput(f"{name}: names must be numbered from 0 without gaps: got {numbers}, ... Fix the numbers.")
    return tuple(str(numbered.get(i, numbered.get(str(i)))) for i in range(len(numbered)))
