"""Read a run from its file; a damaged run is an error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from io import BufferedReader
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, cast

import numpy as np

from core.arrays import DAMAGE, arrays_of
from core.documents import MAX_STORED_BYTES, stored_json, stored_memory
from core.errors import InvalidInput, quoted
from core.files import as_path
from core.limits import byte_size
from core.received import StoredZip, open_plain
from core.records import Diagnosis, ItemStore
from core.records.codec import Unread, decode
from core.store.layout import (
    ARRAYS,
    FORMAT,
    MODEL,
    MODEL_ARRAYS,
    ORIGINALS,
    STATE,
    SUFFIX,
    THUMBNAILS,
    WITHOUT_PICTURES,
)
from core.store.rows import check_rows

UNREAD = "This run holds results of"
"""Beginning of the note on results of systems that are not installed."""
_DAMAGED = (*(*DAMAGE, OverflowError), *(KeyError, IndexError, TypeError, ValueError, AttributeError))
_DIAGNOSE_AGAIN = f"Run it again: `python -m core diagnose --table TABLE --out NAME{SUFFIX}`."


def load(path: str | Path, called: str = "") -> Diagnosis:
    """Load a diagnosis, with thumbnails instead of its images.

    Args:
        path: a file written by `save` or `diagnose --out`.
        called: name of the run in messages (default: the path, which visitors of a server should not see).

    Raises:
        InvalidInput: the file is missing, is a table, is not a run, has another format, or is damaged.
    """
    file_path = as_path(path)
    name = called or f"The run {path}"
    try:
        file = open_plain(file_path)
    except IsADirectoryError:
        raise InvalidInput(f"{name} is a folder; a run is one file, NAME{SUFFIX}. {_DIAGNOSE_AGAIN}") from None
    except (OSError, ValueError) as error:  # the path is too long, or holds a zero byte
        why = error.strerror if isinstance(error, OSError) else error
        raise InvalidInput(f"{name} cannot be opened ({why}). Use the file from `diagnose --out`.") from None
    try:
        with StoredZip(file) as archive:
            return _read(archive, file, file_path, name)
    except InvalidInput:
        file.close()
        raise
    except _DAMAGED as error:
        file.close()
        from core.data.tables.read import TABLE_SUFFIXES  # pandas

        if file_path.suffix.lower() in TABLE_SUFFIXES:
            raise InvalidInput(
                f"{called or file_path.name} is a table, not a run ({SUFFIX}). Make a run: "
                f"`python -m core diagnose --table {file_path.name} --out {file_path.stem}{SUFFIX}`."
            ) from None
        why = error.strerror if isinstance(error, OSError) else error  # without the path that an OSError names
        raise _damaged(name, why) from error


def from_bytes(data: bytes) -> Diagnosis:
    """Read what `to_bytes` gave; its thumbnails lie in an unnamed temporary file.

    Raises:
        InvalidInput: it is not a run, or is damaged.
    """
    with NamedTemporaryFile(suffix=SUFFIX) as file:
        file.write(data)
        file.flush()
        return load(file.name, "The run")


def reload(diagnosis: Diagnosis, path: Path) -> Diagnosis:
    """Read the run again: another process may have added a result since `diagnosis` was loaded. To add a result, see
    `update`.

    Returns `diagnosis` itself if the file holds no complete run.

    Raises:
        InvalidInput: the file now holds a run of other samples.
    """
    try:
        now = load(path)
    except InvalidInput:
        return diagnosis
    if now.samples.ids != diagnosis.samples.ids or now.fingerprint != diagnosis.fingerprint:
        raise InvalidInput(f"The run {path} was replaced by a run of other samples. Start again.")
    return now


def _read(archive: StoredZip, file: BufferedReader, path: Path, called: str) -> Diagnosis:
    """Read the run from an open file. Its thumbnails keep the file open."""
    members = {member.filename: member for member in archive.infolist()}
    if STATE not in members:
        raise InvalidInput(f"{called} is not a run (a zip without {STATE}). Use the file from `diagnose --out`.")
    state = _json(archive, STATE)
    if state["format"] != FORMAT:
        next_step = _DIAGNOSE_AGAIN
        if isinstance(state["format"], int) and state["format"] > FORMAT:
            next_step = "Update Errata."
        raise InvalidInput(
            f"{called} has format {repr(state['format'])[:20]}; this version reads format {FORMAT}. {next_step}"
        )
    arrays = arrays_of(archive, ARRAYS)
    sizes = arrays.pop(THUMBNAILS, None)
    diagnosis = decode(state["diagnosis"], arrays)
    if not isinstance(diagnosis, Diagnosis):
        raise ValueError(f"{STATE} does not hold a diagnosis")
    check_rows(diagnosis)
    notes = [note for note in diagnosis.notes if not note.startswith(UNREAD)]
    unread = [name for name, value in diagnosis.extras.items() if isinstance(value, Unread)]
    if unread:
        notes.append(f"{UNREAD} {quoted(*unread)}, which no installed system can read. They stay in the run.")
    model: Any = None
    if MODEL in members:
        model = _StoredModel(_json(archive, MODEL), arrays_of(archive, MODEL_ARRAYS), called)
    names = _names_in(state)
    images: ItemStore | None = None
    if names is not None and THUMBNAILS in members and sizes is not None:
        from core.data.images.thumbnails import ThumbnailStore  # Pillow

        images = ThumbnailStore(file, archive.start_of(members[THUMBNAILS]), sizes, tuple(names))
    else:
        file.close()
        originals = path.parent / ORIGINALS
        if names is not None and originals.is_file():
            images = _originals(originals, names)
        elif names is not None:
            notes.append(WITHOUT_PICTURES)
    return replace(
        diagnosis, samples=replace(diagnosis.samples, items=images), notes=tuple(dict.fromkeys(notes)), model=model
    )


def _json(archive: StoredZip, name: str) -> dict[str, Any]:
    member = archive.getinfo(name)
    if member.file_size > MAX_STORED_BYTES:
        raise ValueError(f"{name} has {byte_size(member.file_size)}; the limit is {byte_size(MAX_STORED_BYTES)}")
    data = archive.content(member)
    archive.take(stored_memory(data), name)
    return cast("dict[str, Any]", stored_json(data, name))


def _names_in(state: Mapping[str, Any]) -> list[str] | None:
    names: Any = state["image_names"]
    if names is None:
        return None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in cast("list[Any]", names)):
        raise ValueError("image_names: must be a list of names")
    return cast("list[str]", names)


class _StoredModel:
    """The `Assigner` of a run, built on first use: it needs scikit-learn and SciPy, which reading a run does not."""

    def __init__(self, document: Mapping[str, Any], arrays: Mapping[str, Any], called: str) -> None:
        self._arrays = arrays
        self._document = document
        self._called = called

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # `copy` looks for such names before __init__ has run
            raise AttributeError(name)
        return getattr(self._whole, name)

    @cached_property
    def _whole(self) -> Any:
        from core.discovery.assigner import Assigner

        try:
            for name, array in self._arrays.items():
                if array.dtype.kind not in "biuf" or not np.isfinite(array).all():
                    raise ValueError(f"{name[:60]} of its model: must be finite numbers")
            return Assigner.load(self._arrays, self._document)
        except _DAMAGED as error:
            raise _damaged(self._called, error) from error


def _damaged(called: str, why: object) -> InvalidInput:
    return InvalidInput(f"{called} is damaged ({why}). Delete it and run `diagnose` again.")


def _originals(archive: Path, names: list[str]) -> ItemStore:
    """Open the original images beside a run without thumbnails, such as a shipped example."""
    from core.data.images.archives import open_images

    store = open_images(archive)
    index = {store.name(i): i for i in range(len(store))}
    rows: list[int] = []
    for name in names:
        # an archive whose files all lie in one folder is read without that folder
        rows.append(index[name] if name in index else index[name.split("/", 1)[-1]])
    return store.keep(np.array(rows, dtype=np.int64))
