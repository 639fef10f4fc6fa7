"""The downloads of a run, made on demand in a folder that Gradio serves.

Gradio would copy a file from another folder, and that copy could not be found and deleted.
"""

from __future__ import annotations

import csv
import hashlib
import io
import secrets
import shutil
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from core import store
from core.data.tables.read import escape_formula
from core.files import replacing, write_json
from core.records import Diagnosis
from webapp.state.home import part
from webapp.state.notes import is_id
from webapp.state.visitor import visitor

FILES = (
    ("run.errata", "Run, to open again (Errata)"),
    ("report.html", "Report (HTML)"),
    ("diagnosis.json", "Results (JSON)"),
    ("samples.parquet", "Samples (Parquet)"),
    ("samples.csv", "Samples (CSV)"),
    ("weights.csv", "Weights for training (CSV)"),
)


WRITTEN = "written"
"""Folder for files of a run without later notes."""
WITH_YOURS = ("run.errata", "report.html", "diagnosis.json")
"""Downloads that contain the user's notes."""


def ready_file(diagnosis: Diagnosis, run: Path, name: str, stamp: tuple[int, int] | None = None) -> Path:
    """Return the path of one of FILES for a stored run, made once; files with the user's notes, once per version of
    the notes.

    Args:
        stamp: version of the notes, from before `diagnosis` was read; None without later notes. Files of the previous
            version stay, because a browser may be downloading them.

    Raises:
        FileNotFoundError: the run was deleted meanwhile.
    """
    version = WRITTEN
    if stamp is not None and name in WITH_YOURS:
        version = "-".join(map(str, stamp))
    target = files_of_run(run) / version
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    if (target / name).is_file():
        return target / name
    others = [path for path in target.parent.iterdir() if path.name not in (version, WRITTEN)]
    for old in sorted(others, key=lambda path: path.stat().st_mtime_ns, reverse=True)[1:]:
        shutil.rmtree(old, ignore_errors=True)
    _make(diagnosis, target / name)
    return target / name


def _make(diagnosis: Diagnosis, path: Path) -> None:
    """Write one of FILES, by its name; each imports only what it needs."""
    if path.name == "run.errata":
        store.save(diagnosis, path)
    elif path.name == "report.html":
        from core.reports.html.diagnosis import write_report

        write_report(diagnosis, path)
    elif path.name == "diagnosis.json":
        from core.reports.tables.diagnosis import to_document

        write_json(path, to_document(diagnosis))
    elif path.name == "samples.parquet":
        from core.reports.tables.diagnosis import samples_table

        with replacing(path, durable=False) as part_of_it:
            samples_table(diagnosis).to_parquet(part_of_it, index=False)
    elif path.name == "samples.csv":
        _put(path, table_csv(diagnosis))
    else:
        from core.reports.tables.diagnosis import weights_table

        weights = weights_table(diagnosis)
        _put(path, csv_of(weights.columns, weights.itertuples(index=False)))


def _put(path: Path, content: bytes) -> None:
    """Write the file atomically: another visitor of the run may get it meanwhile."""
    with replacing(path, durable=False) as part_of_it:
        part_of_it.write_bytes(content)


def files_of_run(run: Path) -> Path:
    """Return the folder of a stored run's downloads, to delete with it."""
    return part("files") / hashlib.sha256(str(run.resolve()).encode()).hexdigest()[:32]


def forget_said(run: Path) -> None:
    """Delete a stored run's downloads that contain later notes."""
    folder = files_of_run(run)
    if not folder.is_dir():
        return
    for path in folder.iterdir():
        if path.name != WRITTEN:
            shutil.rmtree(path, ignore_errors=True)


def fresh_folder(kind: str) -> Path:
    """Make a folder with an unguessable name for downloads of the current visitor."""
    folder = files_of(visitor()) / f"{kind}-{secrets.token_urlsafe(16)}"
    folder.mkdir(mode=0o700, parents=True)
    return folder


def folder_of(kind: str, name: str) -> Path | None:
    """Return the folder of `fresh_folder` with that kind and name, of any visit, or None."""
    if not is_id(name):
        return None
    return next(part("files").glob(f"visit-*/{kind}-{name}"), None)


def files_of(visit: str) -> Path:
    """Return the folder of one visit's downloads."""
    return part("files") / f"visit-{hashlib.sha256(visit.encode()).hexdigest()[:32]}"


def table_csv(diagnosis: Diagnosis) -> bytes:
    """Return the samples as CSV, one line each."""
    cluster, membership = diagnosis.cluster_of()
    columns = (diagnosis.outcomes.loss, diagnosis.estimate.predicted, diagnosis.estimate.spread, cluster, membership)
    figures = (np.asarray(column).tolist() for column in (*columns, *diagnosis.map.xy.T))
    return csv_of(
        ("id", "loss", "predicted", "spread", "cluster", "membership", "x", "y"), zip(diagnosis.samples.ids, *figures)
    )


def csv_of(names: Iterable[object], rows: Iterable[Iterable[object]]) -> bytes:
    """Write CSV for a spreadsheet, lists in one cell; an apostrophe precedes text that would start a formula."""
    out = io.StringIO()
    csv.writer(out).writerows([_harmless(cell) for cell in row] for row in (names, *rows))
    return out.getvalue().encode("utf-8")


def _harmless(cell: object) -> object:
    if isinstance(cell, list):
        cell = " | ".join(map(str, cell))
    if isinstance(cell, str):
        return escape_formula(cell)
    return cell
