"""The files of a run that a visitor may take away, made on demand beside the run and never below the repository."""

from __future__ import annotations

import atexit
import functools
import hashlib
import shutil
import tempfile
from pathlib import Path

from core.files import ASSETS
from core.records import Diagnosis
from webapp.markup.html import table_csv

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
    own = folder.is_relative_to(temporary) and not folder.is_relative_to(
        repository
    )  # a clone may itself lie below the temporary folder
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
