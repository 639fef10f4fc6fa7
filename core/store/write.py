"""A diagnosis written into a folder: all of its files at once, or none."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy.typing as npt

from core.files import cannot_write, write_arrays, write_text
from core.folders import new_version, writer
from core.received import digest
from core.records import Diagnosis, Progress, no_progress
from core.records.codec import encode
from core.store.layout import (
    ARRAYS,
    FORMAT,
    MODEL,
    MODEL_ARRAYS,
    READ_BACK,
    REPORT,
    RUN,
    STATE,
    THUMBNAILS,
    is_strange_note,
)
from core.store.read import reload


def save(diagnosis: Diagnosis, folder: str | Path, progress: Progress = no_progress) -> None:
    """Write the whole diagnosis into `folder`, which is made if missing; other files there are left alone.

    An earlier run in the same folder stays as it is until the new one is whole, and goes then, report included. While
    another process writes to the folder it is waited for.

    Args:
        diagnosis: what `diagnose` or `load` gave.
        folder: of this run alone.
        progress: called as progress(step, done, total); may raise `Cancelled`.

    Raises:
        InvalidInput: the folder cannot be written, or holds files of the user's that are called as a run's.
    """
    folder = Path(folder)
    with _only_writer(folder, progress):
        _put(diagnosis, folder, progress)


def finish(diagnosis: Diagnosis, folder: Path, progress: Progress = no_progress) -> Path:
    """Write the diagnosis and its report into `folder`, as `save` does, and return the report's path."""
    with _only_writer(folder, progress):
        _put(diagnosis, folder, progress, report=True)
    return folder / REPORT


def update(
    diagnosis: Diagnosis, folder: Path, change: Callable[[Diagnosis], Diagnosis], progress: Progress = no_progress
) -> Diagnosis:
    """Change the run in `folder` as it is now, write it with its report as `finish` does, and return it.

    Nobody else writes between the reading and the writing, so what another process has added since `diagnosis` was
    loaded stays.

    Args:
        diagnosis: the run as it was loaded.
        folder: where it lies.
        change: called as change(run) with the run as it is in the folder now; gives what is written.
        progress: called as progress(step, done, total); may raise `Cancelled`.

    Raises:
        InvalidInput: there is a run of other samples now, or the folder cannot be written.
    """
    with _only_writer(folder, progress):
        found = change(reload(diagnosis, folder))
        _put(found, folder, progress, report=True)
    return found


@contextmanager
def _only_writer(folder: Path, progress: Progress) -> Generator[None]:
    def waiting() -> None:
        progress("wait for another process that writes there", 0, 1)

    try:
        with writer(folder, RUN, waiting):
            yield
    except OSError as error:
        raise cannot_write(f"The run cannot be written to {folder}", error) from error


def _put(diagnosis: Diagnosis, folder: Path, progress: Progress, *, report: bool = False) -> None:
    notes = tuple(note for note in diagnosis.notes if not is_strange_note(note))
    with new_version(folder, RUN) as scratch:
        _write(replace(diagnosis, notes=notes), scratch, progress, report=report)


def _write(diagnosis: Diagnosis, folder: Path, progress: Progress, *, report: bool) -> None:
    from core.reports.tables.diagnosis import write_results  # pandas: not needed to load

    images = diagnosis.samples.items
    if images is not None:
        from core.data.images.thumbnails import write_thumbnails  # Pillow

        write_thumbnails(images, folder / THUMBNAILS, progress, modality=diagnosis.samples.modality)
    state = replace(diagnosis, samples=replace(diagnosis.samples, items=None), model=None)
    arrays: dict[str, npt.NDArray[Any]] = {}
    tree = encode(state, arrays)
    write_arrays(folder / ARRAYS, arrays)
    if diagnosis.model is not None:
        write_text(folder / MODEL, json.dumps(diagnosis.model.to_json()))
        write_arrays(folder / MODEL_ARRAYS, diagnosis.model.to_arrays())
    write_results(diagnosis, folder)
    if report:
        from core.reports.html.diagnosis import write_report  # the template engine

        write_report(diagnosis, folder / REPORT, progress)
    digests = {path.name: digest(path) for path in sorted(folder.iterdir())}
    said = {
        "format": FORMAT,
        "digests": {name: found for name, found in digests.items() if name in READ_BACK},
        "files": {name: found for name, found in digests.items() if name not in READ_BACK},
        "image_names": None if images is None else [images.name(i) for i in range(len(images))],
        "diagnosis": tree,
    }
    write_text(folder / STATE, json.dumps(said))
