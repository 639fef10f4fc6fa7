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

from core import store
from core.data.tables.read import escape_formula
from core.files import replacing, write_json
from core.records import Diagnosis
from webapp.state.home import part
from webapp.state.notes import is_id
from webapp.state.visitor import visitor

FILES = (
    ("run.errata", "The run, to open again (Errata)"),
    ("report.html", "Report (HTML)"),
    ("diagnosis.json", "Results (JSON)"),
    ("samples.parquet", "Samples (Parquet)"),
    ("samples.csv", "Samples (CSV)"),
    ("weights.csv", "Weights for training (CSV)"),
)


WRITTEN = "written"
"""The folder of what was made of a run of which nothing was said since it was written."""
WITH_YOURS = ("run.errata", "report.html", "diagnosis.json")
"""Those in which stands what a person says of the run."""


def ready_file(diagnosis: Diagnosis, run: Path, name: str, said: tuple[int, int] | None = None) -> Path:
    """The path of one of FILES for a stored run; made once, or once for what a person says of the run where that
    stands in it.

    Args:
        said: the stamp of what they said, from before `diagnosis` was read; None where nothing was said since the run
            was written. What was made for the stamp before stays, since it may be on its way to a browser.

    Raises:
        FileNotFoundError: the run was deleted meanwhile.
    """
    tells = said is not None and name in WITH_YOURS
    target = files_of_run(run) / ("-".join(map(str, said)) if said is not None and tells else WRITTEN)
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    if (target / name).is_file():
        return target / name
    for old in _former(target)[1:]:
        shutil.rmtree(old, ignore_errors=True)
    _make(diagnosis, target / name)
    return target / name


def _make(diagnosis: Diagnosis, path: Path) -> None:
    """Write one of FILES, by its name; each brings what it alone needs."""
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
    """Write it whole: another visitor of the run may be offered the file meanwhile."""
    with replacing(path, durable=False) as part_of_it:
        part_of_it.write_bytes(content)


def _former(target: Path) -> list[Path]:
    """What was made for other words on the same run, the latest first."""
    others = [path for path in target.parent.iterdir() if path not in (target, target.parent / WRITTEN)]
    return sorted(others, key=lambda path: path.stat().st_mtime_ns, reverse=True)


def files_of_run(run: Path) -> Path:
    """What was made of a stored run to take away; to be deleted with it."""
    return part("files") / hashlib.sha256(str(run.resolve()).encode()).hexdigest()[:32]


def forget_said(run: Path) -> None:
    """Delete what was made of a stored run with what a person said of it since it was written."""
    made = files_of_run(run)
    for path in made.iterdir() if made.is_dir() else ():
        if path.name != WRITTEN:
            shutil.rmtree(path, ignore_errors=True)


def fresh_folder(kind: str) -> Path:
    """A new folder with an unguessable name for files that the present visitor may take away."""
    folder = files_of(visitor()) / f"{kind}-{secrets.token_urlsafe(16)}"
    folder.mkdir(mode=0o700, parents=True)
    return folder


def folder_of(kind: str, name: str) -> Path | None:
    """The folder of that kind whose name `fresh_folder` ended so, of any visit; None where it is gone, or was never."""
    return next(part("files").glob(f"visit-*/{kind}-{name}"), None) if is_id(name) else None


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
