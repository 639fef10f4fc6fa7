"""A run read back: whole, or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from io import BufferedReader
from pathlib import Path
from typing import Any, cast

import numpy as np

from core.arrays import DAMAGE, arrays_of
from core.documents import MAX_STORED_BYTES, stored_json, stored_memory
from core.errors import InvalidInput, quoted
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
"""Begins the note on what systems that are not installed left in a run."""
_DAMAGED = (*(*DAMAGE, OverflowError), *(KeyError, IndexError, TypeError, ValueError, AttributeError))
_ANEW = f"Make it anew: `python -m core diagnose --table TABLE --out NAME{SUFFIX}`."


def load(path: str | Path, called: str = "") -> Diagnosis:
    """The diagnosis that `save` wrote, its images replaced by thumbnails.

    Args:
        path: what `save`, or `diagnose --out`, wrote.
        called: what messages call it; its path if that is not given, which a visitor of a server may not see.

    Raises:
        InvalidInput: there is no run there, it is of another format, or it is damaged.
    """
    place = Path(path)
    name = called or f"The run {path}"
    try:
        file = open_plain(place)
    except IsADirectoryError:
        raise InvalidInput(f"{name} is a folder, and a run is one file, NAME{SUFFIX}. {_ANEW}") from None
    except (OSError, ValueError) as error:  # no path can be so long, or hold a zero byte
        why = error.strerror if isinstance(error, OSError) else error
        raise InvalidInput(f"{name} cannot be opened ({why}). Give the file that `diagnose --out` wrote.") from None
    try:
        with StoredZip(file) as archive:
            return _read(archive, file, place, name)
    except InvalidInput:
        file.close()
        raise
    except _DAMAGED as error:
        file.close()
        why = error.strerror if isinstance(error, OSError) else error  # not the path that an OSError names
        raise _damaged(name, why) from error


def reload(diagnosis: Diagnosis, path: Path) -> Diagnosis:
    """The run as it is in the file now, to look at: another process may have added a result since `diagnosis` was
    loaded. To add one, see `update`.

    Where there is no whole run it is `diagnosis` itself.

    Raises:
        InvalidInput: there is a run of other samples now.
    """
    try:
        now = load(path)
    except InvalidInput:
        return diagnosis
    if now.samples.ids != diagnosis.samples.ids or now.fingerprint != diagnosis.fingerprint:
        raise InvalidInput(f"The run {path} became another in the meantime. Start again.")
    return now


def _read(archive: StoredZip, file: BufferedReader, place: Path, called: str) -> Diagnosis:
    """The run in an open file, which its thumbnails keep open."""
    members = {member.filename: member for member in archive.infolist()}
    if STATE not in members:
        raise InvalidInput(f"{called} is no run (a zip without {STATE}). Give the file that `diagnose --out` wrote.")
    state = _json(archive, STATE)
    if state["format"] != FORMAT:
        newer = isinstance(state["format"], int) and state["format"] > FORMAT
        raise InvalidInput(
            f"{called} has format {repr(state['format'])[:20]}, and this version reads format {FORMAT}. "
            f"{'Update Errata.' if newer else _ANEW}"
        )
    arrays = arrays_of(archive, ARRAYS)
    sizes = arrays.pop(THUMBNAILS, None)
    diagnosis = decode(state["diagnosis"], arrays)
    if not isinstance(diagnosis, Diagnosis):
        raise ValueError(f"{STATE} holds no diagnosis")
    check_rows(diagnosis)
    notes = [note for note in diagnosis.notes if not note.startswith(UNREAD)]
    if unread := [name for name, value in diagnosis.extras.items() if isinstance(value, Unread)]:
        notes.append(f"{UNREAD} {quoted(*unread)}, which nothing installed here can read. They are kept.")
    model: Any = None
    if MODEL in members:
        model = _StoredModel(said=_json(archive, MODEL), arrays=arrays_of(archive, MODEL_ARRAYS), called=called)
    names = _names_in(state)
    images: ItemStore | None = None
    if names is not None and THUMBNAILS in members and sizes is not None:
        from core.data.images.thumbnails import ThumbnailStore  # Pillow

        images = ThumbnailStore(file, archive.start_of(members[THUMBNAILS]), sizes, tuple(names))
    else:
        file.close()
        originals = place.parent / ORIGINALS
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
        raise ValueError(f"{name} has {byte_size(member.file_size)}; at most {byte_size(MAX_STORED_BYTES)} are read")
    data = archive.content(member)
    archive.take(stored_memory(data), name)
    return cast("dict[str, Any]", stored_json(data, name))


def _names_in(state: Mapping[str, Any]) -> list[str] | None:
    names: Any = state["image_names"]
    if names is None:
        return None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in cast("list[Any]", names)):
        raise ValueError("image_names: a list of names is needed")
    return cast("list[str]", names)


class _StoredModel:
    """The `Assigner` of a run, put together when something is first asked of it: scikit-learn and SciPy, which it
    needs, are not needed to look at a run."""

    def __init__(self, said: Mapping[str, Any], arrays: Mapping[str, Any], called: str) -> None:
        self._arrays = arrays
        self._said = said
        self._called = called

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # as a copy asks for while it is made
            raise AttributeError(name)
        return getattr(self._whole, name)

    @cached_property
    def _whole(self) -> Any:
        from core.discovery.assigner import Assigner

        try:
            for name, array in self._arrays.items():
                if array.dtype.kind not in "biuf" or not np.isfinite(array).all():
                    raise ValueError(f"{name[:60]} of its model: finite numbers are needed")
            return Assigner.load(self._arrays, self._said)
        except _DAMAGED as error:
            raise _damaged(self._called, error) from error


def _damaged(called: str, why: object) -> InvalidInput:
    return InvalidInput(f"{called} is damaged ({why}). Delete it and diagnose the data again.")


def _originals(archive: Path, names: list[str]) -> ItemStore:
    """The images themselves, where a run lies beside them and keeps none of its own, as the shipped examples do."""
    from core.data.images.archives import open_images

    store = open_images(archive)
    place = {store.name(i): i for i in range(len(store))}
    # an archive whose files all lie in one folder is read without that folder
    return store.keep(
        np.array([place[name] if name in place else place[name.split("/", 1)[-1]] for name in names], dtype=np.int64)
    )
