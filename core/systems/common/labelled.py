"""Samples for a probe without any model of the user's: a table with labels, or images in class folders. No loss is
needed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from core.data.images.archives import FileImages, is_image_name, open_images
from core.data.samples import DataSet, read_data_set
from core.data.tables.in_folder import open_table
from core.data.tables.read import Table
from core.data.tables.recognise import RecognizedColumns, recognise
from core.data.tables.roles import Roles, is_model_output
from core.errors import InvalidInput
from core.limits import Limits
from core.records import Outcomes, Progress, Reporter, no_progress

SPLITS = ("train", "training", "val", "valid", "validation", "dev", "test", "testing", "eval")
"""Folder names that are taken for parts of the data, not for classes, where the classes lie below them."""
_TABLES = (".csv", ".jsonl", ".parquet")


def read_samples(
    table: str | Path | None,
    *,
    images: str | Path | None = None,
    roles: Roles = Roles(),
    limits: Limits = Limits(),
    progress: Progress = no_progress,
) -> DataSet:
    """Read labeled images or texts. The outcomes are a placeholder (every loss is 0) until a probe has scored them.

    The same checks as for a diagnosis apply: images that cannot be opened, ids that repeat, labels that are missing,
    groups. The label is also named as the prediction, so that nothing else of the table is needed; columns that a model
    wrote are not looked at.

    Args:
        table: CSV, TSV, JSON Lines or Parquet with a label column. None takes the table inside `images`, else its class
            folders: CLASS/file.jpg, or train/CLASS/file.jpg with a part of the data in front, which becomes the split.
        images: a folder, zip or tar; None takes the table's own image column.
        roles: id, image, texts, label, group and split are looked at; open ones are recognized by their usual names.

    Raises:
        InvalidInput: there is no label, no image, or one class alone; or a rule of `core.data.samples.read_data_set`
        is broken.
    """
    store = None if images is None else open_images(images, limits, progress)
    if table is None and store is None:
        raise InvalidInput(
            "This needs labeled samples. Add --table with images or --texts, or --images with class folders "
            "(CLASS/file.jpg)."
        )
    if table is None and store is not None and not _holds_table(store):
        folder = Path(images or "")
        notes = ("Without a model, each folder is a class.",)
        source = _class_folders(store, folder, progress)
        name = folder.stem
        split = "split" if "split" in source else None
        given = Roles(image="file", label="label", prediction="label", split=split, loss_kind="0/1 error")
    else:
        as_text = tuple(c for c in (roles.id, roles.image, roles.group) if c is not None)
        read = open_table(table, images, store, limits, as_text, progress)
        source, given, notes = _labelled(read, table, roles)
        name = Path(read.name).stem
    audit = read_data_set(source, images=images, roles=given, limits=limits, progress=progress)
    return _without_model(audit, name, notes)


def _holds_table(store: FileImages) -> bool:
    return any("/" not in name and name.lower().endswith(_TABLES) for name in store.names)


def _labelled(
    read: Table, table: str | Path | None, roles: Roles
) -> tuple[pd.DataFrame | str | Path, Roles, tuple[str, ...]]:
    """What to read, with which roles, so that the label alone gives an outcome."""
    kept = ("id", "image", "texts", "label", "group", "split", "embedding")
    wanted = Roles(**{role: getattr(roles, role) for role in kept})
    found = recognise(read.frame, wanted, list(read.images))
    label = found.roles.label
    if label is None:
        columns = ", ".join(map(repr, list(read.frame.columns)[:12]))
        raise InvalidInput(
            f"A probe needs each sample's true class, and Errata found no label among the columns {columns}. "
            "Name it with --label."
        )
    given = replace(wanted, label=label, prediction=label, loss_kind="0/1 error")
    said = f"Without a model, the classes come from the column {label!r}."
    if read.images and table is not None:
        return table, given, (said, *read.notes)  # its images stay on disk
    outputs = _model_columns(found, read.frame)
    notes = [said, *read.notes]
    if outputs:
        notes.append(f"Ignored {len(outputs):,} columns of a model's outputs: {', '.join(outputs[:3])}.")
    return read.frame.drop(columns=outputs), given, tuple(notes)


def _model_columns(found: RecognizedColumns, frame: pd.DataFrame) -> list[str]:
    """Columns of losses, probabilities and predictions, by what they were recognized as or by name."""
    roles = found.roles
    named = {roles.loss, roles.prediction, found.errors, *roles.probabilities, *roles.logits}
    kept = {
        roles.id,
        roles.image,
        *roles.texts,
        roles.label,
        roles.group,
        roles.split,
        roles.embedding,
        found.class_names,
    }
    return [str(c) for c in frame.columns if c not in kept and (c in named or is_model_output(str(c)))]


def _class_folders(store: FileImages, source: Path, progress: Progress) -> pd.DataFrame:
    """One row for each image in a class folder: file, label and, where folders of parts lie above the classes,
    split."""
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
    top = 0
    while len({parts[top] if len(parts) > top + 1 else "" for _, parts in paths}) == 1 and all(
        len(parts) > top + 2 for _, parts in paths
    ):
        top += 1
    inside = [(name, parts[top:]) for name, parts in paths]
    split = all(parts[0].lower() in SPLITS for _, parts in inside) and all(len(parts) > 2 for _, parts in inside)
    rows = [
        {"file": name, "label": parts[1], "split": parts[0]} if split else {"file": name, "label": parts[0]}
        for name, parts in inside
        if len(parts) > 1
    ]
    if not rows:
        raise InvalidInput(
            f"The images of {source.name!r} have no class folders, so their classes are unknown. "
            "Put each into a folder named after its class."
        )
    return pd.DataFrame(rows)


def _without_model(audit: DataSet, name: str, notes: tuple[str, ...]) -> DataSet:
    """The audit without what the placeholder loss made it say, and without any model's columns."""
    n = len(audit.samples)
    samples = audit.samples
    if samples.labels is None or len(np.unique(samples.labels)) < 2:
        raise InvalidInput(
            f"A probe needs at least two classes: all {n:,} samples are {', '.join(samples.class_names)!r}. "
            "Add samples of another class."
        )
    said = tuple(
        note
        for note in audit.notes
        if not note.startswith(f"All {n:,} losses") and "rows are training data" not in note
    )
    placeholder = Outcomes(np.zeros(n), "loss", "loss", "no model", errors=np.zeros(n, bool))
    return replace(
        audit,
        samples=replace(samples, name=name or samples.name, model_outputs=()),
        outcomes=placeholder,
        notes=tuple(dict.fromkeys((*notes, *said))),
    )
