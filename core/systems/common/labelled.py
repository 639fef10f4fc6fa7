"""Labeled samples without a model: a table with labels, or images in class folders."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from core.data.images.archives import FileImages, is_image_name, open_images
from core.data.samples import DataSet, read_data_set
from core.data.tables.in_folder import open_table
from core.data.tables.read import Table
from core.data.tables.recognise import recognise
from core.data.tables.roles import Roles, is_model_output
from core.errors import InvalidInput
from core.limits import Limits
from core.records import Outcomes, Progress, Reporter, no_progress

SPLITS = ("train", "training", "val", "valid", "validation", "dev", "test", "testing", "eval")
"""Folder names that mean a split, not a class, if class folders lie below them."""
_TABLES = (".csv", ".jsonl", ".parquet")


def read_samples(
    table: str | Path | None,
    *,
    images: str | Path | None = None,
    roles: Roles = Roles(),
    limits: Limits = Limits(),
    progress: Progress = no_progress,
) -> DataSet:
    """Read labeled images or texts. The outcomes are a placeholder (every loss is 0) until a probe scores them.

    The checks of a diagnosis apply: unreadable images, repeated ids, missing labels, groups. The label is also the
    prediction, so the table needs no other column; a model's outputs are ignored.

    Args:
        table: CSV, TSV, JSON Lines or Parquet with a label column. None takes the table inside `images`, else its class
            folders: CLASS/file.jpg, or train/CLASS/file.jpg, whose first folder becomes the split.
        images: a folder, zip or tar; None takes the table's image column.
        roles: only id, image, texts, label, group and split count; those not set are recognized by their usual names.

    Raises:
        InvalidInput: labels or images are missing, or there is only one class; or as `core.data.samples.read_data_set`.
    """
    store = None if images is None else open_images(images, limits, progress)
    if table is None and store is None:
        raise InvalidInput(
            "This needs labeled samples. Add --table with images or --texts, or --images with class folders "
            "(CLASS/file.jpg)."
        )
    holds_table = store is not None and any("/" not in n and n.lower().endswith(_TABLES) for n in store.names)
    if table is None and store is not None and not holds_table:
        folder = Path(images or "")
        notes = ("Without a model, each folder is a class.",)
        source = _class_folders(store, folder, progress)
        name = folder.stem
        explicit = Roles(image="file", label="label", prediction="label", loss_kind="0/1 error")
        if "split" in source:
            explicit = replace(explicit, split="split")
    else:
        as_text = tuple(c for c in (roles.id, roles.image, roles.group) if c is not None)
        read = open_table(table, images, store, limits, as_text, progress)
        source, explicit, notes = _labelled(read, table, roles)
        name = Path(read.name).stem
    data = read_data_set(source, images=images, roles=explicit, limits=limits, progress=progress)
    return _without_model(data, name, notes)


def _labelled(
    read: Table, table: str | Path | None, roles: Roles
) -> tuple[pd.DataFrame | str | Path, Roles, tuple[str, ...]]:
    """(source, roles, notes) for `read_data_set`, so that the label alone gives an outcome."""
    names = ("id", "image", "texts", "label", "group", "split", "embedding")
    wanted = Roles(**{role: getattr(roles, role) for role in names})
    recognized = recognise(read.frame, wanted, list(read.images))
    label = recognized.roles.label
    if label is None:
        columns = ", ".join(map(repr, list(read.frame.columns)[:12]))
        raise InvalidInput(
            f"A probe needs each sample's true class, and Errata found no label among the columns {columns}. "
            "Name it with --label."
        )
    explicit = replace(wanted, label=label, prediction=label, loss_kind="0/1 error")
    notes = [f"Without a model, the classes come from the column {label!r}.", *read.notes]
    if read.images and table is not None:
        return table, explicit, tuple(notes)  # its images stay on disk
    named = recognized.roles
    by_role = {named.loss, named.prediction, recognized.errors, *named.probabilities, *named.logits}
    inputs = {named.id, named.image, *named.texts, named.label, named.group, named.split, named.embedding}
    inputs.add(recognized.class_names)
    outputs: list[str] = []  # columns of losses, probabilities and predictions, by role or by name
    for column in read.frame.columns:
        if column not in inputs and (column in by_role or is_model_output(str(column))):
            outputs.append(str(column))
    if outputs:
        notes.append(f"Ignored {len(outputs):,} columns of a model's outputs: {', '.join(outputs[:3])}.")
    return read.frame.drop(columns=outputs), explicit, tuple(notes)


def _class_folders(store: FileImages, source: Path, progress: Progress) -> pd.DataFrame:
    """A row for each image in a class folder: file, label and, with split folders above the classes, split."""
    report = Reporter(progress, "read folders", len(store))
    paths = list[tuple[str, tuple[str, ...]]]()
    for done, name in enumerate(store.names):
        report(done)
        if is_image_name(name):
            paths.append((name, PurePosixPath(name).parts))
    if not paths:
        raise InvalidInput(
            f"{source.name!r} has neither a table nor images. "
            "Use class folders (CLASS/file.jpg), or a table with --table."
        )
    depth = min(len(parts) for _, parts in paths)
    top = 0  # folders that contain all the others
    while depth > top + 2 and len({parts[top] for _, parts in paths}) == 1:
        top += 1
    has_splits = depth > top + 2 and all(parts[top].lower() in SPLITS for _, parts in paths)
    rows = list[dict[str, str]]()
    for name, parts in paths:
        folders = parts[top:-1]
        if has_splits:
            rows.append({"file": name, "label": folders[1], "split": folders[0]})
        elif folders:
            rows.append({"file": name, "label": folders[0]})
    if not rows:
        raise InvalidInput(
            f"The images of {source.name!r} have no class folders, so their classes are unknown. "
            "Put each into a folder named after its class."
        )
    return pd.DataFrame(rows)


def _without_model(data: DataSet, name: str, notes: tuple[str, ...]) -> DataSet:
    """The data without the notes on the placeholder loss and without a model's outputs."""
    n = len(data.samples)
    samples = data.samples
    if samples.labels is None or len(np.unique(samples.labels)) < 2:
        raise InvalidInput(
            f"A probe needs at least two classes: all {n:,} samples are {', '.join(samples.class_names)!r}. "
            "Add samples of another class."
        )
    rest = list[str]()
    for note in data.notes:
        if not note.startswith(f"All {n:,} losses") and "rows are training data" not in note:
            rest.append(note)
    placeholder = Outcomes(np.zeros(n), "loss", "loss", "no model", errors=np.zeros(n, bool))
    return replace(
        data,
        samples=replace(samples, name=name or samples.name, model_outputs=()),
        outcomes=placeholder,
        notes=tuple(dict.fromkeys((*notes, *rest))),
    )
