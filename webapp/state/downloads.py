"""The files of a run that a visitor may take away, made on demand beside the run and never below the repository."""

from __future__ import annotations

import atexit
import csv
import functools
import hashlib
import io
import shutil
import tempfile
from pathlib import Path

import numpy as np

from core.files import ASSETS
from core.records import Diagnosis

FILES = (
    ("report.html", "Report (HTML)"),
    ("diagnosis.json", "Results (JSON)"),
    ("samples.parquet", "Samples (Parquet)"),
    ("samples.csv", "Samples (CSV)"),
)


def ready_files(diagnosis: Diagnosis, folder: Path) -> list[Path]:
    """The paths of FILES for a stored run, in order; each is made once.

    Gradio serves no file of the repository, where the examples' runs lie, so they are copied to the temporary folder.
    """
    temporary, repository = Path(tempfile.gettempdir()).resolve(), ASSETS.parent
    # A clone may itself lie below the temporary folder.
    own = folder.is_relative_to(temporary) and not folder.is_relative_to(repository)
    target = folder if own else _copy_place(folder)
    for name, _ in FILES:
        if not (target / name).is_file() and (folder / name).is_file():
            shutil.copyfile(folder / name, target / name)
    if not (target / "samples.csv").is_file():
        (target / "samples.csv").write_bytes(table_csv(diagnosis))
    if not (target / "report.html").is_file():
        from core.reports.html.diagnosis import write_report  # the template engine: only when a report is asked for

        write_report(diagnosis, target / "report.html")
    return [target / name for name, _ in FILES]


@functools.cache
def temporary_folder() -> Path:
    """A folder of this server's own from which files may be handed out."""
    home = Path(tempfile.mkdtemp(prefix="errata-files-"))  # mode 0700, unguessable, gone with the server
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    return home


def _copy_place(folder: Path) -> Path:
    place = temporary_folder() / hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]
    place.mkdir(exist_ok=True)
    return place


def table_csv(diagnosis: Diagnosis) -> bytes:
    """One line for each sample, for a spreadsheet: a cell that would start a formula is led by an apostrophe."""
    cluster, membership = diagnosis.cluster_of()
    out = io.StringIO()
    write = csv.writer(out)
    write.writerow(["id", "loss", "predicted", "spread", "cluster", "membership", "x", "y"])
    columns = (
        diagnosis.outcomes.loss,
        diagnosis.estimate.predicted,
        diagnosis.estimate.spread,
        cluster,
        membership,
        *diagnosis.map.xy.T,
    )
    for name, *values in zip(diagnosis.samples.ids, *(np.asarray(c).tolist() for c in columns)):
        safe = f"'{name}" if name[:1] in ("=", "+", "-", "@", "\t", "\r") else name
        write.writerow([safe, *values])
    return out.getvalue().encode("utf-8")
