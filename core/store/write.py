"""A diagnosis written into a file: whole, or not at all."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy.typing as npt

from core.files import add_arrays, cannot_write, replacing
from core.locks import lock
from core.records import Diagnosis, Progress, no_progress
from core.records.codec import encode
from core.store.layout import ARRAYS, FORMAT, MODEL, MODEL_ARRAYS, STATE, THUMBNAILS, check_target
from core.store.read import reload


def save(diagnosis: Diagnosis, path: str | Path, progress: Progress = no_progress) -> None:
    """Write the whole diagnosis into the file, whose folder is made if missing.

    An earlier run in its place stays as it is until the new one is whole. While another process of the user writes it,
    it is waited for.

    Args:
        diagnosis: what `diagnose` or `load` gave.
        path: of this run alone; ends in `.errata`.
        progress: called as progress(step, done, total); may raise `Cancelled`.

    Raises:
        InvalidInput: the file is called otherwise, cannot be written, or is there and no run.
    """
    put(diagnosis, Path(path), progress)


def put(
    diagnosis: Diagnosis,
    path: Path,
    progress: Progress = no_progress,
    *,
    placing: AbstractContextManager[None] | None = None,
    thumbnails: bool = True,
) -> None:
    """Write the diagnosis as `save` does, which says what is raised.

    Args:
        placing: entered when all is written, and left when the file has taken its place.
        thumbnails: False where the images themselves are to lie beside the file, as images.zip.
    """
    with _only_writer(path, progress):
        _replace(diagnosis, path, progress, placing, thumbnails)


def update(
    diagnosis: Diagnosis, path: Path, change: Callable[[Diagnosis], Diagnosis], progress: Progress = no_progress
) -> Diagnosis:
    """Change the run in the file as it is now, write it as `save` does, and return it.

    No other process of the user writes between the reading and the writing, so what one has added since `diagnosis` was
    loaded stays.

    Args:
        diagnosis: the run as it was loaded.
        path: where it lies.
        change: called as change(run) with the run as it is in the file now; gives what is written.
        progress: called as progress(step, done, total); may raise `Cancelled`.

    Raises:
        InvalidInput: there is a run of other samples now, or as `save`.
    """
    with _only_writer(path, progress):
        found = change(reload(diagnosis, path))
        _replace(found, path, progress)
    return found


@contextmanager
def _only_writer(path: Path, progress: Progress) -> Generator[None]:
    def waiting() -> None:
        progress("wait for another process that writes there", 0, 1)

    check_target(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with lock(path, waiting):
            yield
    except OSError as error:
        raise cannot_write(f"The run cannot be written to {path}", error) from error


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
    said: dict[str, Any] = {"format": FORMAT, "image_names": None, "diagnosis": encode(state, arrays)}
    if images is not None:
        said["image_names"] = [images.name(i) for i in range(len(images))]
    if images is not None and thumbnails:
        from core.data.images.thumbnails import add_thumbnails  # Pillow

        sizes = add_thumbnails(archive, THUMBNAILS, images, progress, modality=diagnosis.samples.modality)
        arrays[THUMBNAILS] = sizes
    add_arrays(archive, arrays, ARRAYS)
    if diagnosis.model is not None:
        _add_json(archive, MODEL, diagnosis.model.to_json())
        add_arrays(archive, diagnosis.model.to_arrays(), MODEL_ARRAYS)
    _add_json(archive, STATE, said)


def _add_json(archive: zipfile.ZipFile, name: str, document: Any) -> None:
    entry = zipfile.ZipInfo(name)  # of 1980: the same run gives the same bytes
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, json.dumps(document))
