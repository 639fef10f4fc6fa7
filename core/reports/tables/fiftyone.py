"""A run as a data set of FiftyOne: the files that `fiftyone.Dataset.from_dir` reads as a `FiftyOneDataset`."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from core.data.tables.fiftyone_samples import OWN, OWN_TAG, SAMPLES, apart
from core.errors import InvalidInput, quoted
from core.files import write_json
from core.records import Column, Diagnosis, ItemStore, Progress, Reporter, no_progress
from core.reports.wording.findings import cluster_title

_TAKEN = frozenset(
    "id filepath tags metadata media_type created_at last_modified_at ground_truth predictions group split loss error "
    "cross_entropy".split()
)
_LOSS = {"cross-entropy": "cross_entropy", "0/1 error": "error"}
"""What the loss is called so that it is read as the same again."""


def write_fiftyone(
    diagnosis: Diagnosis, folder: Path, images: Path | None = None, progress: Progress = no_progress
) -> tuple[int, list[str]]:
    """Write samples.json, metadata.json and the images into a new folder.

    A tag "errata <number>: <title>" for each cluster that a sample is in, and "errata: label suspected"; fields
    ground_truth, predictions, the loss, group, split and the table's own columns; and errata_id, errata_predicted_loss,
    errata_spread, errata_cluster, errata_membership and what Errata measured, errata_<property>.

    Args:
        images: the folder of the original images, which are then pointed to; None copies the small ones that the run
            keeps.

    Returns:
        How many samples were written, and the ids of those that were not, as they have no image.

    Raises:
        InvalidInput: the run has no images, `images` lacks them, or the folder holds files already.
    """
    samples = diagnosis.samples
    if samples.items is None or samples.modality == "text":
        what = "texts" if samples.modality == "text" else "no images"
        raise InvalidInput(
            f"FiftyOne shows images, and this run has {what}. Export its tables with --what samples instead."
        )
    if folder.exists() and any(folder.iterdir()):
        raise InvalidInput(f"The folder {folder} holds files already. Name a new one.")
    if images is not None and not images.is_dir():
        raise InvalidInput(
            f"{images} is not a folder, so FiftyOne could not show images from it. Unpack it, or leave it out."
        )
    report = Reporter(progress, "write images", len(samples))
    written = list[dict[str, Any]]()
    without = list[str]()
    for row, sample in enumerate(_samples(diagnosis)):
        report(row)
        path = _copy(samples.items, row, folder) if images is None else _original(samples.items, row, images)
        if path is None:
            without.append(samples.ids[row])
        else:
            written.append({"filepath": path, **sample})
    if not written:
        where = f"in {images}" if images is not None else "in the run"
        raise InvalidInput(
            f"None of the {len(samples):,} images, such as {quoted(samples.items.name(0))}, was found {where}. "
            "Name the folder of the originals with --images, or leave it out."
        )
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / SAMPLES, {"samples": written})
    write_json(folder / "metadata.json", {"media_type": "image", "info": {"name": samples.name}})
    report(len(samples), last=True)
    return len(written), without


def _samples(diagnosis: Diagnosis) -> Iterator[dict[str, Any]]:
    """Tags and fields of each row."""
    samples = diagnosis.samples
    outcomes = diagnosis.outcomes
    clusters, membership = diagnosis.cluster_of()
    titles = {c: f"{OWN_TAG} {c.id}: {cluster_title(diagnosis, c)}" for c in diagnosis.clusters}
    suspected = set(diagnosis.label_errors.tolist())
    fields = list[str]()
    for column in samples.metadata:
        field = _name(column.name)
        if column.measured:
            field = f"{OWN}{field}"
        fields.append(field)
    columns = dict(zip(apart(fields), samples.metadata))  # FiftyOne takes some names for one
    for row, name in enumerate(samples.ids):
        tags = [title for cluster, title in titles.items() if cluster.membership[row] >= 0.5]
        if row in suspected:
            tags.append(f"{OWN_TAG}: label suspected")
        sample: dict[str, Any] = {"tags": tags}
        if samples.labels is not None:
            sample["ground_truth"] = _class(samples.class_names, int(samples.labels[row]))
        if outcomes.predictions is not None:
            best = float(outcomes.scores[row].max()) if outcomes.scores is not None else None
            sample["predictions"] = _class(samples.class_names, int(outcomes.predictions[row]), best)
        sample |= {
            _LOSS.get(outcomes.name, "loss"): float(outcomes.loss[row]),
            f"{OWN}id": name,
            f"{OWN}predicted_loss": float(diagnosis.estimate.predicted[row]),
            f"{OWN}spread": float(diagnosis.estimate.spread[row]),
            f"{OWN}cluster": int(clusters[row]),
            f"{OWN}membership": float(membership[row]),
        }
        if samples.groups is not None:
            sample["group"] = f"{samples.group_name or 'group'} {samples.groups[row]}"
        if samples.splits is not None:
            sample["split"] = samples.splits[row]
        sample |= {field: _value(column, row) for field, column in columns.items()}
        yield {field: value for field, value in sample.items() if value is not None}


def _class(names: tuple[str, ...], number: int, confidence: float | None = None) -> dict[str, Any] | None:
    if number < 0:
        return None
    label = {"_cls": "Classification", "label": names[number]}
    if confidence is None:
        return label
    return label | {"confidence": confidence}


def _name(name: str) -> str:
    """The name as FiftyOne takes it: without dots, dollar signs and underscores before it, and none of its own."""
    plain = re.sub(r"[.$\0]", "_", name).lstrip("_")
    if plain in _TAKEN or not plain or plain.startswith(OWN):
        return f"column {plain}"
    return plain


def _value(column: Column, row: int) -> Any:
    value = column.values[row]
    if column.kind != "number":
        return value
    if not math.isfinite(value):
        return None
    return float(value)


def _original(items: ItemStore, row: int, images: Path) -> str | None:
    name = PurePosixPath(items.name(row))
    if name.is_absolute() or ".." in name.parts:
        return None  # it leads out of the folder
    path = images / name
    if not path.is_file():
        return None
    return str(path.resolve())


def _copy(items: ItemStore, row: int, folder: Path) -> str | None:
    """The image as the run keeps it, below `folder`, under a number: a name may lead anywhere."""
    try:
        data = items.read(row)
    except InvalidInput:
        return None
    suffix = PurePosixPath(items.name(row)).suffix.lower() or ".png"
    if data[8:12] == b"WEBP":
        suffix = ".webp"
    path = f"data/{row:06}{suffix}"
    (folder / "data").mkdir(parents=True, exist_ok=True)
    (folder / path).write_bytes(data)
    return path
