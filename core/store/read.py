"""A run read back: whole, or not at all, also while another process writes the next version of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from core.arrays import DAMAGE, read_arrays
from core.documents import MAX_STORED_BYTES, stored_json
from core.errors import InvalidInput, quoted
from core.folders import open_located, read_located, read_version
from core.limits import Limits
from core.received import digest
from core.records import Diagnosis, ItemStore
from core.records.codec import Unread, decode
from core.store.layout import (
    ARRAYS,
    FORMAT,
    MODEL,
    MODEL_ARRAYS,
    ORIGINALS,
    OWN,
    PARTS,
    RUN,
    STATE,
    THUMBNAILS,
    WITHOUT_PICTURES,
    is_run,
    strange_note,
)
from core.store.own import with_own
from core.store.rows import check_rows

UNREAD = "This run holds results of"
"""Begins the note on what systems that are not installed left in a run."""
_DAMAGED = (*(*DAMAGE, OverflowError), *(KeyError, IndexError, TypeError, ValueError, AttributeError))


def load(folder: str | Path, called: str = "") -> Diagnosis:
    """The diagnosis that `save` wrote, its pictures replaced by thumbnails. What a killed process left in the folder is
    put in place or swept first, where it can be.

    Args:
        folder: what `save`, or `diagnose --out`, wrote.
        called: what messages call it; its path if that is not given, which a visitor of a server may not see.

    Raises:
        InvalidInput: there is no finished run in `folder`, it is of another format, or it is damaged.
    """
    name = called or f"The run in {folder}"
    at = Path(folder)
    try:
        return read_version(at, RUN, lambda: _load(at, name))
    except (OSError, ValueError) as error:  # no path can be so long, or hold a zero byte
        why = error.strerror if isinstance(error, OSError) else error
        raise InvalidInput(f"{name} cannot be opened ({why}). Give the folder that `diagnose --out` wrote.") from None


def reload(diagnosis: Diagnosis, folder: Path) -> Diagnosis:
    """The run as it is in `folder` now, to look at: another process may have added a result since `diagnosis` was
    loaded. To add one, see `update`.

    Where there is no whole run it is `diagnosis` itself.

    Raises:
        InvalidInput: there is a run of other samples now.
    """
    try:
        now = load(folder)
    except InvalidInput:
        return diagnosis
    if now.samples.ids != diagnosis.samples.ids or now.fingerprint != diagnosis.fingerprint:
        raise InvalidInput(f"The run in {folder} became another in the meantime. Start again.")
    return now


def _load(folder: Path, called: str) -> Diagnosis:
    if not is_run(folder):
        place = called.removeprefix("The run in ")
        missing = f"{called} is not finished" if place == called else f"There is no finished run in {place}"
        raise InvalidInput(f"{missing} (no {STATE}). Give the folder that `diagnose --out` wrote.")
    try:
        state = cast("dict[str, Any]", read_located(folder / STATE))
        if state["format"] != FORMAT:
            newer = isinstance(state["format"], int) and state["format"] > FORMAT
            anew = "Update Errata." if newer else "Make it anew: `python -m core diagnose --table TABLE --out FOLDER`."
            said = f"{called} has format {repr(state['format'])[:20]}, and this version reads format {FORMAT}. {anew}"
            raise InvalidInput(said)
        digests = cast("dict[str, str]", state["digests"])
        diagnosis = decode(state["diagnosis"], _arrays(folder, ARRAYS, digests))
        if not isinstance(diagnosis, Diagnosis):
            raise ValueError(f"{STATE} holds no diagnosis")
        check_rows(diagnosis)
        files = cast("dict[str, str]", state.get("files", {}))
        images = _open_kept(folder, state["image_names"], files, diagnosis.samples.modality)
        notes = [note for note in diagnosis.notes if not note.startswith(UNREAD)]
        if unread := [name for name, value in diagnosis.extras.items() if isinstance(value, Unread)]:
            notes.append(f"{UNREAD} {quoted(*unread)}, which nothing installed here can read. They are kept.")
        if images is None and state["image_names"] is not None:
            notes.append(WITHOUT_PICTURES)
        if strange := _strange(folder, files):
            notes.append(strange_note(strange))
        whole = replace(
            diagnosis,
            samples=replace(diagnosis.samples, items=images),
            notes=tuple(dict.fromkeys(notes)),
            model=_load_model(folder, digests, called) if MODEL in digests else None,
        )
        return with_own(whole, folder / OWN)
    except InvalidInput:
        raise
    except _DAMAGED as error:
        why = error.strerror if isinstance(error, OSError) else error  # not the path that an OSError names
        raise _damaged(called, why) from error


def _arrays(folder: Path, name: str, digests: Mapping[str, str]) -> dict[str, npt.NDArray[Any]]:
    """The arrays of a file, once it is known to be the one that was written: the file stays open between the two."""
    with open_located(folder / name) as file:
        if name in digests and digest(file) != digests[name]:
            raise ValueError(f"{name} has changed")
        return read_arrays(file)


def _load_model(folder: Path, digests: Mapping[str, str], called: str) -> Any:
    with open_located(folder / MODEL, MAX_STORED_BYTES) as file:
        if digest(file) != digests[MODEL]:
            raise ValueError(f"{MODEL} has changed")
        said = stored_json(file, MODEL)
    return _StoredModel(_arrays(folder, MODEL_ARRAYS, digests), said, called)


class _StoredModel:
    """The `Assigner` of a run, put together when something is first asked of it: scikit-learn and SciPy, which it
    needs, are not needed to look at a run."""

    def __init__(self, arrays: Mapping[str, Any], said: Mapping[str, Any], called: str) -> None:
        self._arrays, self._said, self._called = arrays, said, called

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # as a copy asks for while it is made
            raise AttributeError(name)
        return getattr(self._whole, name)

    @cached_property
    def _whole(self) -> Any:
        from core.discovery.assigner import Assigner

        try:
            return Assigner.load(self._arrays, self._said)
        except _DAMAGED as error:
            raise _damaged(self._called, error) from error


def _damaged(called: str, why: object) -> InvalidInput:
    return InvalidInput(f"{called} is damaged ({why}). Delete the folder and diagnose the data again.")


def _strange(folder: Path, files: Mapping[str, str]) -> list[str]:
    """The results and the report that are not as this run wrote them; those that the user took away are not missed.

    Thumbnails are looked at once one is read.
    """
    found: list[str] = []
    for name in (name for name in PARTS if name in files and name != THUMBNAILS):
        try:
            with open_located(folder / name, Limits().max_table_bytes) as file:
                if digest(file) != files[name]:
                    found.append(name)
        except FileNotFoundError:
            continue
        except OSError:  # a link or a pipe, or larger than any that is written
            found.append(name)
    return found


def _open_kept(folder: Path, names: list[str] | None, files: Mapping[str, str], modality: str) -> ItemStore | None:
    if names is None:
        return None
    originals = folder.parent / ORIGINALS
    try:
        open_located(folder / THUMBNAILS).close()
    except OSError:
        return _originals(originals, names) if originals.is_file() else None
    from core.data.images.thumbnails import ThumbnailStore

    return ThumbnailStore(folder / THUMBNAILS, tuple(names), files.get(THUMBNAILS, ""), modality)


def _originals(archive: Path, names: list[str]) -> ItemStore:
    """The pictures themselves, where a run lies beside them and keeps none of its own, as the shipped examples do."""
    from core.data.images.archives import open_images

    store = open_images(archive)
    place = {store.name(i): i for i in range(len(store))}
    # an archive whose files all lie in one folder is read without that folder
    return store.keep(
        np.array([place[name] if name in place else place[name.split("/", 1)[-1]] for name in names], dtype=np.int64)
    )
