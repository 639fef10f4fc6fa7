"""Find the table inside a folder or archive of images, as Hugging Face's ImageFolder has one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd

from core.data.images.archives import FileImages
from core.data.tables.fiftyone_samples import SAMPLES
from core.data.tables.read import Table, read_table
from core.errors import InvalidInput
from core.files import scratch_folder
from core.limits import Limits
from core.records import Progress, no_progress

_USUAL = ("metadata.csv", "metadata.jsonl", "metadata.parquet", SAMPLES)


def open_table(
    table: str | Path | pd.DataFrame | None,
    images: str | Path | None,
    store: FileImages | None,
    limits: Limits,
    as_text: tuple[str, ...] = (),
    progress: Progress = no_progress,
) -> Table:
    """Read the named table, else the one inside `images`, whose files are in `store`."""
    if table is None:
        return find_table(Path(images or ""), store, limits, progress)
    return read_table(table, as_text=as_text, limits=limits, progress=progress)


def find_table(source: Path, store: FileImages | None, limits: Limits, progress: Progress = no_progress) -> Table:
    """Read the table at the top level of the images: metadata.csv, metadata.jsonl, metadata.parquet or FiftyOne's
    samples.json, else the only .parquet, .csv or .jsonl file there.

    Class folders alone give labels but no loss, so they are not enough.

    Raises:
        InvalidInput: no table, or several.
    """
    if store is None:
        raise InvalidInput("No table and no images were named. Add a table with one row per sample and a loss.")
    index_of_name = {store.name(i): i for i in range(len(store)) if "/" not in store.name(i)}
    usual = [name for name in _USUAL if name in index_of_name]
    others = list[str]()
    for suffix in (".parquet", ".csv", ".jsonl"):
        others += [name for name in index_of_name if name.lower().endswith(suffix)]
    if not usual and len(others) != 1:
        content = "no table"
        if others:
            content = f"several tables: {', '.join(others[:4])}"
        raise InvalidInput(
            f"{source.name!r} contains {content}. Add --table, or put one table inside as metadata.csv: "
            "'file_name' with a loss, or with a label and a prediction or probabilities."
            f"{_where_zero_shot_fails(source, store)}"
        )
    name = (usual or others)[0]
    if source.is_dir():
        return read_table(source / name, limits=limits, progress=progress)
    with scratch_folder() as folder:
        copy = Path(folder, "table" + Path(name).suffix)
        copy.write_bytes(store.read(index_of_name[name]))
        table = read_table(copy, limits=limits, progress=progress)
        if table.images:
            raise InvalidInput(
                f"{name!r} inside the archive has its own image column. Use that file as the table, not the archive."
            )
    return replace(table, name=name)


def _where_zero_shot_fails(source: Path, store: FileImages) -> str:
    """A hint at the command for images in class folders, which needs no losses; "" for others."""
    classes = {store.name(i).rpartition("/")[0] for i in range(len(store))} - {""}
    if len(classes) < 2:
        return ""
    command = f"python -m core probe zero-shot --images {source.name} --out run.errata"
    return f" To test zero-shot on class folders, run: {command}"
