"""From what a visitor picked in "Your data" to what core takes: files, roles, and the names of the operator's data
sets."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from core.data.tables.roles import LOSS_KINDS, Roles
from core.errors import InvalidInput

SINGLE_ROLES = (
    ("id", "Id"),
    ("image", "Picture"),
    ("loss", "Loss"),
    ("label", "Label"),
    ("prediction", "Prediction"),
    ("target", "Numeric target"),
    ("true mask", "True mask"),
    ("predicted mask", "Predicted mask"),
    ("group", "Group, never split"),
    ("split", "Split"),
    ("embedding", "Embedding"),
)
SEVERAL_ROLES = (
    ("texts", "Text"),
    ("probabilities", "Probabilities"),
    ("logits", "Logits"),
    ("conditions", "Conditions in spite of their names"),
)
MASKS = ("true mask", "predicted mask")
ROLE_NAMES = tuple(name for name, _ in (*SINGLE_ROLES, *SEVERAL_ROLES))
TABLES = (".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".parquet")
IMAGES = (".zip", ".tar", ".tgz", ".gz")
PHRASES = (".txt", ".json")
VECTORS = (".npy", ".npz", ".safetensors", ".parquet")

ENCODERS = (
    ("Embedded: small, offline", "embedded"),
    ("CLIP ViT-B-32: fetches its weights once", "ViT-B-32/laion2b_s34b_b79k"),
)
"""By what they are for images. Fixed, since an encoder's name may also be a path or an address, which no visitor may
give; the command line takes any."""

OF_DATA = (("Embedded, small (texts: MiniLM)", ENCODERS[0][1]), (f"{ENCODERS[1][0]} (images)", ENCODERS[1][1]))
"""The same for samples that may be texts, too: the embedded encoder of texts is another one."""

Column = tuple[str, str, Sequence[str]]
"""(name, recognized role, examples), as `core.data.samples.describe_table` gives it."""


def recognized(columns: Sequence[Column]) -> dict[str, Any]:
    """The role of each recognized column: a name, or a list of names for the roles that take several."""
    several = {name for name, _ in SEVERAL_ROLES}
    found: dict[str, Any] = {}
    for name, role, _ in columns:
        if role in several:
            found.setdefault(role, []).append(name)
        elif role in ROLE_NAMES:
            found[role] = name
    return found


def roles_from(
    picked: Mapping[str, Any], found: Mapping[str, Any], *, loss_kind: str | None, higher_is_better: bool
) -> Roles:
    """The roles that the visitor changed; what stands as it was recognized is left for core to recognize, with its
    notes.

    Raises:
        InvalidInput: the loss is none of `LOSS_KINDS`, or one mask is named without the other.
    """
    if loss_kind is not None and loss_kind not in LOSS_KINDS:
        raise InvalidInput(
            f"The loss must be one of {', '.join(LOSS_KINDS)}: got {loss_kind!r}. Choose one from the list."
        )
    changed: dict[str, Any] = {role: value for role, value in picked.items() if value and value != found.get(role)}
    several: dict[str, Any] = {
        role: tuple(value) for role, value in changed.items() if role in {name for name, _ in SEVERAL_ROLES}
    }
    if any([changed.pop(role, None) for role in MASKS]):
        pair = tuple(picked.get(role) for role in MASKS)
        if not all(pair):
            raise InvalidInput(
                "Masks are compared in pairs. Choose a true and a predicted mask under Correct the roles."
            )
        several["masks"] = pair
    return Roles(**(changed | several), loss_kind=loss_kind or None, higher_is_better=higher_is_better)


def data_sets(root: Path | None) -> dict[str, Path]:
    """What lies directly below the operator's folder, by name: folders and tables, no dotfiles, no links out of it."""
    if root is None:
        return {}
    home = root.resolve()
    found = {}
    for path in sorted(home.iterdir()):
        wanted = path.is_dir() or path.suffix.lower() in TABLES
        if wanted and not path.name.startswith(".") and Path(os.path.realpath(path)).is_relative_to(home):
            found[path.name] = path
    return found


def sources(
    table: str | None, images: str | None, vectors: str | None, chosen: str | None, root: Path | None
) -> dict[str, Path | None]:
    """The `table`, `images` and `embeddings` that `diagnose` takes, from uploads or from a data set chosen by name.

    Raises:
        InvalidInput: nothing was given, or there is no data set of that name.
    """
    if chosen:
        path = data_sets(root).get(chosen)
        if path is None:
            raise InvalidInput(f"There is no data set {chosen!r} here any more. Choose another from the list.")
        folder = path if path.is_dir() else None
        return {"table": None if folder else path, "images": folder, "embeddings": Path(vectors) if vectors else None}
    if not (table or images):
        raise InvalidInput(
            "Bring a table first: a CSV, TSV, JSON Lines or Parquet file with one row for each sample, "
            "or a zip that holds one."
        )
    return {
        "table": Path(table) if table else None,
        "images": Path(images) if images else None,
        "embeddings": Path(vectors) if vectors else None,
    }
