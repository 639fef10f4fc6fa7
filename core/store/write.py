"""Write a diagnosis to a file, atomically."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy.typing as npt

from core.files import add_arrays, as_path, cannot_write, replacing
from core.locks import lock
from core.records import Diagnosis, Progress, no_progress
from core.records.codec import encode
from core.store.layout import ARRAYS, FORMAT, MODEL, MODEL_ARRAYS, STATE, THUMBNAILS, check_target
from core.store.read import reload


def save(diagnosis: Diagnosis, path: str | Path, progress: Progress = no_progress) -> None:
    """Write the diagnosis to a file; a missing folder is made.

    An earlier run at the path stays until the new one is complete. Waits while another process of the user writes
    there.

    Args:
        diagnosis: from `diagnose` or `load`.
        path: ends in `.errata`.
        progress: called as progress(step, done, total); may raise `Cancelled`.

    Raises:
        InvalidInput: the name has another ending, the file cannot be written, or the path holds something other than a
            run.
    """
    put(diagnosis, as_path(path), progress)


def put(
    diagnosis: Diagnosis,
    path: Path,
    progress: Progress = no_progress,
    *,
    placing: AbstractContextManager[None] | None = None,
    thumbnails: bool = True,
) -> None:
    """Write the diagnosis like `save`, with the same errors.

    Args:
        placing: a context that is entered when all is written and left after the rename.
        thumbnails: False if the original images will lie beside the file, as images.zip.
    """
    with _only_writer(path, progress):
        _replace(diagnosis, path, progress, placing, thumbnails)


def update(
    diagnosis: Diagnosis, path: str | Path, change: Callable[[Diagnosis], Diagnosis], progress: Progress = no_progress
) -> Diagnosis:
    """Change the run in the file, write it like `save`, and return it.

    The user's other processes cannot write between reading and writing, so results that they added since `diagnosis`
    was loaded stay.

    Args:
        diagnosis: the run as loaded.
        path: the file of the run.
        change: called as change(run) with the current run of the file; returns the run to write.
        progress: called as progress(step, done, total); may raise `Cancelled`.

    Raises:
        InvalidInput: the file now holds a run of other samples, or as for `save`.
    """
    path = as_path(path)
    with _only_writer(path, progress):
        changed = change(reload(diagnosis, path))
        _replace(changed, path, progress)
    return changed


def to_bytes(diagnosis: Diagnosis) -> bytes:
    """The file that `save` writes, in memory."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        _write(diagnosis, archive, no_progress, thumbnails=True)
    return file.getvalue()


@contextmanager
def _only_writer(path: Path, progress: Progress) -> Generator[None]:
    def waiting() -> None:
        progress("Waiting for another process that writes there", 0, 1)

    check_target(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with lock(path, waiting):
            yield
    except OSError as error:
        raise cannot_write(f"Cannot write the run to {path}", error) from error


def _replace(
    diagnosis: Diagnosis,
    path: Path,
    progress: Progress,
    placing: AbstractContextManager[None] | None = None,
    thumbnails: bool = True,
) -> None:
    with ExitStack() as placed, replacing(path) as part:
        with zipfile.ZipFile(part, "w") as archive:
            _write(diagnosis, archive, progress, thumbnails)
        placed.enter_context(placing or nullcontext())


def _write(diagnosis: Diagnosis, archive: zipfile.ZipFile, progress: Progress, thumbnails: bool) -> None:
    images = diagnosis.samples.items
    state = replace(diagnosis, samples=replace(diagnosis.samples, items=None), model=None)
    arrays: dict[str, npt.NDArray[Any]] = {}
    document: dict[str, Any] = {"format": FORMAT, "image_names": None, "diagnosis": encode(state, arrays)}
    if images is not None:
        document["image_names"] = [images.name(i) for i in range(len(images))]
    if images is not None and thumbnails:
        from core.data.images.thumbnails import add_thumbnails  # Pillow

        sizes = add_thumbnails(archive, THUMBNAILS, images, progress, modality=diagnosis.samples.modality)
        arrays[THUMBNAILS] = sizes
    add_arrays(archive, arrays, ARRAYS)
    if diagnosis.model is not None:
        _add_json(archive, MODEL, diagnosis.model.to_json())
        add_arrays(archive, diagnosis.model.to_arrays(), MODEL_ARRAYS)
    _add_json(archive, STATE, document)


def _add_json(archive: zipfile.ZipFile, name: str, document: Any) -> None:
    entry = zipfile.ZipInfo(name)  # dated 1980, so that the same run gives the same bytes
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, json.dumps(document))
