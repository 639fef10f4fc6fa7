"""The files of a run that a visitor may take away, made on demand where Gradio serves them as they are.

Of a file that lies elsewhere Gradio would keep a copy of its own, which nobody could find again and delete.
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

from core.data.tables.read import escape_formula
from core.records import Diagnosis
from webapp.state.home import part
from webapp.state.visitor import visitor

FILES = (
    ("report.html", "Report (HTML)"),
    ("diagnosis.json", "Results (JSON)"),
    ("samples.parquet", "Samples (Parquet)"),
    ("samples.csv", "Samples (CSV)"),
    ("weights.csv", "Weights for training (CSV)"),
)


def ready_files(diagnosis: Diagnosis, folder: Path) -> list[Path]:
    """The paths of FILES for a stored run, in order; each is made once.

    Raises:
        FileNotFoundError: the run was deleted meanwhile.
    """
    target = files_of_run(folder)
    target.mkdir(mode=0o700, exist_ok=True)
    for name, _ in FILES:
        if not (target / name).is_file() and (folder / name).is_file():
            shutil.copyfile(folder / name, target / name)
    if not (target / "samples.csv").is_file():
        (target / "samples.csv").write_bytes(table_csv(diagnosis))
    if not (target / "weights.csv").is_file():
        from core.reports.tables.diagnosis import weights_table  # scipy: only once a run is open

        weights = weights_table(diagnosis)
        (target / "weights.csv").write_bytes(csv_of(weights.columns, weights.itertuples(index=False)))
    if not (target / "report.html").is_file():
        from core.reports.html.diagnosis import write_report  # the template engine: only when a report is asked for

        write_report(diagnosis, target / "report.html")
    return [target / name for name, _ in FILES]


def files_of_run(folder: Path) -> Path:
    """What was made of a stored run to take away; to be deleted with it."""
    return part("files") / hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:32]


def fresh_folder(kind: str) -> Path:
    """A new folder with an unguessable name for files that the present visitor may take away."""
    folder = files_of(visitor()) / f"{kind}-{secrets.token_urlsafe(16)}"
    folder.mkdir(mode=0o700, parents=True)
    return folder


def files_of(visit: str) -> Path:
    """What was made for one visit to take away."""
    return part("files") / f"visit-{hashlib.sha256(visit.encode()).hexdigest()[:32]}"


def table_csv(diagnosis: Diagnosis) -> bytes:
    """One line for each sample."""
    cluster, membership = diagnosis.cluster_of()
    columns = (diagnosis.outcomes.loss, diagnosis.estimate.predicted, diagnosis.estimate.spread, cluster, membership)
    figures = (np.asarray(column).tolist() for column in (*columns, *diagnosis.map.xy.T))
    return csv_of(
        ("id", "loss", "predicted", "spread", "cluster", "membership", "x", "y"), zip(diagnosis.samples.ids, *figures)
    )


def csv_of(names: Iterable[object], rows: Iterable[Iterable[object]]) -> bytes:
    """A table for a spreadsheet, lists in one cell: one that would start a formula is led by an apostrophe."""
    out = io.StringIO()
    csv.writer(out).writerows([_harmless(cell) for cell in row] for row in (names, *rows))
    return out.getvalue().encode("utf-8")


def _harmless(cell: object) -> object:
    text = " | ".join(map(str, cell)) if isinstance(cell, list) else cell
    return escape_formula(text) if isinstance(text, str) else text
