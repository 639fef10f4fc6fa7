"""Translate the choices in "New run" into arguments of core: files, roles, and the operator's data sets."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.data.tables.roles import BY_NAMES, BY_ORDER, LOSS_KINDS, NOT_RELATED, Roles
from core.data.tasks.options import TaskOptions
from core.data.tasks.recognise import DETECTIONS, LABELS, MASKS as MASKS_BY_CLASS, TASKS, order_detections
from core.errors import InvalidInput

SINGLE_ROLES = (
    ("id", "Id"),
    ("image", "Image"),
    ("loss", "Loss"),
    ("label", "Label"),
    ("prediction", "Prediction"),
    ("target", "Numeric target"),
    ("true mask", "True mask"),
    ("predicted mask", "Predicted mask"),
    ("group", "Related rows, never split"),
    ("split", "Split"),
    ("embedding", "Embedding"),
)
SEVERAL_ROLES = (
    ("texts", "Text"),
    ("labels", "Labels, several per image"),
    ("probabilities", "Probabilities"),
    ("logits", "Logits"),
    ("conditions", "Conditions despite their names"),
)
RELATIONS = (
    ("By file names", BY_NAMES), ("By the order of rows", BY_ORDER), ("All rows are separate samples", NOT_RELATED),
)  # fmt: skip
"""Choices for related rows beside the columns."""
MASKS = ("true mask", "predicted mask")
ROLE_NAMES = tuple(name for name, _ in (*SINGLE_ROLES, *SEVERAL_ROLES))
TABLES = (".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".parquet")
IMAGES = (".zip", ".tar", ".tgz", ".gz")
PHRASES = (".txt", ".json")
VECTORS = (".npy", ".npz", ".safetensors", ".parquet")

ENCODERS = (
    ("Embedded: small, offline", "embedded"),
    ("CLIP ViT-B-32: downloads its weights once", "ViT-B-32/laion2b_s34b_b79k"),
)
"""(title, name) for images. A fixed list, because an encoder's name can be a path or an address, which visitors must
not set; the command line accepts any."""

OF_DATA = (("Embedded, small (texts: MiniLM)", ENCODERS[0][1]), (f"{ENCODERS[1][0]} (images)", ENCODERS[1][1]))
"""The same for data that may be texts, which have another embedded encoder."""

Column = tuple[str, str, Sequence[str]]
"""(name, recognized role, examples), from `core.data.samples.describe_table`."""


def recognized(columns: Sequence[Column]) -> dict[str, Any]:
    """Return the columns by role: a name, or a list of names for roles with several columns."""
    several = {name for name, _ in SEVERAL_ROLES}
    roles: dict[str, Any] = {}
    for name, role, _ in columns:
        if role in several:
            roles.setdefault(role, []).append(name)
        elif role in ROLE_NAMES:
            roles[role] = name
    return roles


def task_from(
    task: str, files: TaskOptions, second: str | None, picked: Mapping[str, Any], roles: Roles
) -> tuple[TaskOptions, Roles]:
    """Return the task that the visitor chose, as the command line would name it, and its roles.

    Args:
        files: from `sources`.
        second: the second JSON file of detections.
        picked: columns by ROLE_NAMES.
        roles: from `roles_from`.

    Raises:
        InvalidInput: an unknown task, or its files or columns are missing.
    """
    if task not in TASKS:
        raise InvalidInput(f"The task must be one of {', '.join(TASKS)}: got {task[:40]!r}. Choose one from the list.")
    if task == DETECTIONS:
        truth, predictions = order_detections(files.table, _path(second))
        if files.images is None:
            raise InvalidInput("Detections need the images: none were added. Add a zip or tar in Images.")
        return TaskOptions(images=files.images, detections=predictions, truth=truth), roles
    if task == MASKS_BY_CLASS:
        return replace(files, per_class=True), roles
    if task == LABELS:
        labels = tuple(picked.get("labels") or ())
        if not labels:
            raise InvalidInput("Several labels per image need label columns: none chosen. Choose them in Fix columns.")
        for role in ("probabilities", "logits", "prediction"):
            if picked.get(role):
                value = picked[role] if role == "prediction" else tuple(picked[role])
                return replace(files, labels=labels), replace(roles, **{role: value})
        return replace(files, labels=labels), roles
    return files, roles


def roles_from(
    picked: Mapping[str, Any], recognized_roles: Mapping[str, Any], *, loss_kind: str | None, higher_is_better: bool
) -> Roles:
    """Return the roles that the visitor changed; core recognizes the others, with its notes.

    Raises:
        InvalidInput: the loss is not in `LOSS_KINDS`, or only one mask is named.
    """
    if loss_kind is not None and loss_kind not in LOSS_KINDS:
        raise InvalidInput(
            f"The loss must be one of {', '.join(LOSS_KINDS)}: got {loss_kind!r}. Choose one from the list."
        )
    several = {name for name, _ in SEVERAL_ROLES}
    changed: dict[str, Any] = {}
    for role, value in picked.items():
        if not value or value == recognized_roles.get(role):
            continue
        if role == "labels":  # not a role of `Roles`, but an option of its task
            continue
        if role in MASKS:
            changed["masks"] = tuple(picked.get(mask) for mask in MASKS)
        elif role in several:
            changed[role] = tuple(value)
        else:
            changed[role] = value
    if not all(changed.get("masks", ())):
        raise InvalidInput("Masks are compared in pairs. Choose a true and a predicted mask in Fix columns.")
    return Roles(**changed, loss_kind=loss_kind or None, higher_is_better=higher_is_better)


def data_sets(root: Path | None) -> dict[str, Path]:
    """Return folders and tables directly in the operator's folder, by name, without dotfiles and outside links."""
    if root is None:
        return {}
    home = root.resolve()
    by_name = {}
    for path in sorted(home.iterdir()):
        wanted = path.is_dir() or path.suffix.lower() in TABLES
        if wanted and not path.name.startswith(".") and Path(os.path.realpath(path)).is_relative_to(home):
            by_name[path.name] = path
    return by_name


def sources(
    table: str | None, images: str | None, vectors: str | None, chosen: str | None, root: Path | None
) -> TaskOptions:
    """Return the table, images, and embeddings, from uploads or a data set chosen by name.

    Raises:
        InvalidInput: no files, or no data set of that name.
    """
    if chosen:
        path = data_sets(root).get(chosen)
        if path is None:
            raise InvalidInput(f"No data set {chosen!r}. Choose another from the list.")
        if path.is_dir():
            return TaskOptions(images=path, embeddings=_path(vectors))
        return TaskOptions(table=path, embeddings=_path(vectors))
    if not (table or images):
        raise InvalidInput(
            "No table. Add a CSV, TSV, JSON Lines, or Parquet file with one row per sample, or a zip with one."
        )
    return TaskOptions(_path(table), _path(images), _path(vectors))


def _path(upload: str | None) -> Path | None:
    if not upload:
        return None
    return Path(upload)
