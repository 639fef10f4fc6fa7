"""A folder or archive of images that carries its own table, as Hugging Face's ImageFolder does."""

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
    """The table that was named, else the one inside `images`, whose files are in `store`."""
    if table is None:
        return find_table(Path(images or ""), store, limits, progress)
    return read_table(table, as_text=as_text, limits=limits, progress=progress)


def find_table(source: Path, store: FileImages | None, limits: Limits, progress: Progress = no_progress) -> Table:
    """The table at the top of the images: metadata.csv, metadata.jsonl, metadata.parquet or the samples.json of
    FiftyOne, else the only .parquet, .csv or .jsonl file there.

    Class folders alone give labels but no loss, so they are not enough.

    Raises:
        InvalidInput: there is no table, or there are several.
    """
    if store is None:
        raise InvalidInput(
            "Neither a table nor images were given. Bring a table with one row for each sample and a loss, "
            "or what to compute it from."
        )
    top = [i for i in range(len(store)) if "/" not in store.name(i)]
    usual = [i for name in _USUAL for i in top if store.name(i) == name]
    others = [i for suffix in (".parquet", ".csv", ".jsonl") for i in top if store.name(i).lower().endswith(suffix)]
    if not usual and len(others) != 1:
        seen = f"several: {', '.join(store.name(i) for i in others[:4])}" if others else "none"
        raise InvalidInput(
            f"Images alone have no losses, so a table with one row for each of them is needed; in {source.name!r} "
            f"there is {seen}. Give the table, or put it inside as metadata.csv with a column 'file_name' and a loss, "
            f"or a label with a prediction or probabilities.{_where_zero_shot_fails(source, store)}"
        )
    chosen = (usual or others)[0]
    name = store.name(chosen)
    if source.is_dir():
        return read_table(source / name, limits=limits, progress=progress)
    with scratch_folder() as folder:
        copy = Path(folder, "table" + Path(name).suffix)
        copy.write_bytes(store.read(chosen))
        table = read_table(copy, limits=limits, progress=progress)
        if table.images:
            raise InvalidInput(
                f"{name!r} inside the archive has an image column of its own. "
                "Give that file as the table instead of the archive."
            )
    return replace(table, name=name)


def _where_zero_shot_fails(source: Path, store: FileImages) -> str:
    """The way for images in class folders, which need no losses for it; "" for others."""
    classes = {store.name(i).rpartition("/")[0] for i in range(len(store))} - {""}
    if len(classes) < 2:
        return ""
    command = f"python -m core probe zero-shot --images {source.name} --out run.errata"
    return f" To see where zero-shot fails on class folders, run: {command}"
