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
from core.files import replacing, write_json
from core.folders import open_located
from core.records import Diagnosis
from webapp.state.home import part
from webapp.state.notes import is_id
from webapp.state.visitor import visitor

FILES = (
    ("report.html", "Report (HTML)"),
    ("diagnosis.json", "Results (JSON)"),
    ("samples.parquet", "Samples (Parquet)"),
    ("samples.csv", "Samples (CSV)"),
    ("weights.csv", "Weights for training (CSV)"),
)


WRITTEN = "written"
"""The folder of what was made of a run of which nothing was said since it was written."""
WITH_YOURS = ("report.html", "diagnosis.json")
"""Those in which stands what a person says of the run."""


def ready_files(diagnosis: Diagnosis, folder: Path, said: tuple[int, int] | None = None) -> list[Path]:
    """The paths of FILES for a stored run, in order; each is made once for what a person says of the run.

    Args:
        said: the stamp of what they said, from before `diagnosis` was read; None where nothing was said since the run
            was written. What was made for the stamp before stays, since a page may still offer it.

    Raises:
        FileNotFoundError: the run was deleted meanwhile.
    """
    target = files_of_run(folder) / ("-".join(map(str, said)) if said else WRITTEN)
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    former = _former(target)
    for name, _ in FILES:
        if not (target / name).is_file():
            _take(target / name, () if said and name in WITH_YOURS else (folder, *former))
    for old in former[1:]:
        shutil.rmtree(old, ignore_errors=True)
    if not (target / "diagnosis.json").is_file():
        from core.reports.tables.diagnosis import to_document

        write_json(target / "diagnosis.json", to_document(diagnosis))
    if not (target / "samples.parquet").is_file():
        from core.reports.tables.diagnosis import samples_table

        with replacing(target / "samples.parquet", durable=False) as part_of_it:
            samples_table(diagnosis).to_parquet(part_of_it, index=False)
    if not (target / "samples.csv").is_file():
        _put(target / "samples.csv", table_csv(diagnosis))
    if not (target / "weights.csv").is_file():
        from core.reports.tables.diagnosis import weights_table  # scipy: only once a run is open

        weights = weights_table(diagnosis)
        _put(target / "weights.csv", csv_of(weights.columns, weights.itertuples(index=False)))
    if not (target / "report.html").is_file():
        from core.reports.html.diagnosis import write_report  # the template engine: only when a report is asked for

        write_report(diagnosis, target / "report.html")
    return [target / name for name, _ in FILES]


def _take(path: Path, places: Iterable[Path]) -> None:
    """Copy the file from the first place that has it: a run may have been received, and its links lead anywhere."""
    for place in places:
        try:
            with open_located(place / path.name) as file:
                content = file.read()
        except OSError:
            continue
        _put(path, content)
        return


def _put(path: Path, content: bytes) -> None:
    """Write it whole: another visitor of the run may be offered the file meanwhile."""
    with replacing(path, durable=False) as part_of_it:
        part_of_it.write_bytes(content)


def _former(target: Path) -> list[Path]:
    """What was made for other words on the same run, the latest first."""
    others = [path for path in target.parent.iterdir() if path != target]
    return sorted(others, key=lambda path: path.stat().st_mtime_ns, reverse=True)


def files_of_run(folder: Path) -> Path:
    """What was made of a stored run to take away; to be deleted with it."""
    return part("files") / hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:32]


def forget_said(folder: Path) -> None:
    """Delete what was made of a stored run with what a person said of it since it was written."""
    made = files_of_run(folder)
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
