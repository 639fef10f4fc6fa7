"""Finished diagnoses on disk: saved whole, found again by id, never pickled.

A run's folder holds

    state.json, state.npz         every record and array of the diagnosis (core.records.codec)
    model.json, model.npz         what `assign` needs, if the diagnosis has it
    thumbnails.zip                a small picture of each row, in place of the originals
    diagnosis.json, *.parquet     the results as documented in docs/schema.md (core.reports.tables.diagnosis)

`state.json` is put there last and holds a digest of the other state files: a folder without it is no finished run.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
import threading
import time
from collections import OrderedDict
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from core.errors import InvalidInput
from core.files import digest, read_arrays, replacing, write_arrays, write_text
from core.records import Diagnosis, ItemStore, Progress, no_progress
from core.records.codec import decode, encode

FORMAT = 2
"""2: samples have items of a modality, where 1 had images."""
READABLE = (1, FORMAT)
STATE, ARRAYS, MODEL, MODEL_ARRAYS, THUMBNAILS = "state.json", "state.npz", "model.json", "model.npz", "thumbnails.zip"
ORIGINALS = "images.zip"
"""Beside a run's folder: read where the run has no thumbnails."""
WITHOUT_PICTURES = (
    f"The pictures of this run were not found: it keeps no {THUMBNAILS}, "
    f"and {ORIGINALS} does not lie beside its folder."
)


def save(diagnosis: Diagnosis, folder: Path, progress: Progress = no_progress) -> None:
    """Write the whole diagnosis into `folder`, which is made if missing; other files there are left alone.

    Everything is written beside first: whatever goes wrong until then, an earlier run in the same folder stays as it
    is. It stops being a run before the first of its files is replaced.

    Raises:
        InvalidInput: the folder cannot be written.
    """
    scratch = folder / f".new-{secrets.token_hex(8)}"
    try:
        scratch.mkdir(parents=True)
        _write(diagnosis, scratch, progress)
        (folder / STATE).unlink(missing_ok=True)
        for path in sorted(scratch.iterdir(), key=_state_last):
            path.replace(folder / path.name)
    except OSError as error:
        raise InvalidInput(
            f"The run cannot be written to {folder}: {error.strerror or error}. Choose a folder that you may write to."
        ) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def finish(diagnosis: Diagnosis, folder: Path, progress: Progress = no_progress) -> Path:
    """Write the diagnosis and its report into `folder`, as `save` does, and return the report's path."""
    from core.reports.html.diagnosis import write_report  # the template engine

    save(diagnosis, folder, progress)
    write_report(diagnosis, folder / "report.html", progress)
    return folder / "report.html"


def _state_last(path: Path) -> tuple[bool, str]:
    return path.name == STATE, path.name


def _write(diagnosis: Diagnosis, folder: Path, progress: Progress) -> None:
    from core.reports.tables.diagnosis import write_results  # pandas: not needed to load

    images = diagnosis.samples.items
    if images is not None:
        from core.data.images.thumbnails import write_thumbnails  # Pillow

        with replacing(folder / THUMBNAILS) as part:
            write_thumbnails(images, part, progress, modality=diagnosis.samples.modality)
    state = replace(diagnosis, samples=replace(diagnosis.samples, items=None), model=None)
    arrays: dict[str, npt.NDArray[Any]] = {}
    tree = encode(state, arrays)
    write_arrays(folder / ARRAYS, arrays)
    digests = {ARRAYS: digest(folder / ARRAYS)}
    if diagnosis.model is not None:
        write_text(folder / MODEL, json.dumps(diagnosis.model.to_json()))
        write_arrays(folder / MODEL_ARRAYS, diagnosis.model.to_arrays())
        digests |= {name: digest(folder / name) for name in (MODEL, MODEL_ARRAYS)}
    write_results(diagnosis, folder)
    names = None if images is None else [images.name(i) for i in range(len(images))]
    write_text(
        folder / STATE, json.dumps({"format": FORMAT, "digests": digests, "image_names": names, "diagnosis": tree})
    )


def load(folder: Path) -> Diagnosis:
    """The diagnosis that `save` wrote, its pictures replaced by thumbnails.

    Raises:
        InvalidInput: there is no finished run in `folder`, it is of another format, or it is damaged.
    """
    if not (folder / STATE).is_file():
        raise InvalidInput(
            f"There is no finished run in {folder} (no {STATE}). Give the folder that `diagnose --out` wrote."
        )
    try:
        state = cast("dict[str, Any]", json.loads((folder / STATE).read_text("utf-8")))
        if state["format"] not in READABLE:
            raise InvalidInput(
                f"The run in {folder} has format {state['format']}; this version reads formats {READABLE[0]} to "
                f"{FORMAT}. Diagnose the data again."
            )
        for name, expected in state["digests"].items():
            if digest(folder / name) != expected:
                raise ValueError(f"{name} has changed")
        diagnosis = decode(state["diagnosis"], read_arrays(folder / ARRAYS))
        if not isinstance(diagnosis, Diagnosis):
            raise ValueError(f"{STATE} holds no diagnosis")
        images = _open_thumbnails(folder, state["image_names"])
        lost = images is None and state["image_names"] is not None
        return replace(
            diagnosis,
            samples=replace(diagnosis.samples, items=images),
            notes=tuple(dict.fromkeys((*diagnosis.notes, WITHOUT_PICTURES))) if lost else diagnosis.notes,
            model=_load_model(folder) if MODEL in state["digests"] else None,
        )
    except InvalidInput:
        raise
    except (OSError, KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise InvalidInput(
            f"The run in {folder} is damaged ({error}). Delete the folder and diagnose the data again."
        ) from error


def reload(diagnosis: Diagnosis, folder: Path) -> Diagnosis:
    """The run as it is in `folder` now, to add a result to: another process may have added one since `diagnosis` was
    loaded.

    Where there is no whole run at the moment, as while another is being written, it is `diagnosis` itself.

    Raises:
        InvalidInput: there is a run of other samples now.
    """
    try:
        now = load(folder)
    except InvalidInput:
        return diagnosis
    if now.samples.ids != diagnosis.samples.ids:
        raise InvalidInput(f"The run in {folder} became another in the meantime. Start again.")
    return now


def _load_model(folder: Path) -> Any:
    from core.discovery.assigner import Assigner  # scikit-learn: only where a run has a model

    return Assigner.load(read_arrays(folder / MODEL_ARRAYS), json.loads((folder / MODEL).read_text("utf-8")))


def _open_thumbnails(folder: Path, names: list[str] | None) -> ItemStore | None:
    if names is None:
        return None
    originals = folder.parent / ORIGINALS
    if not (folder / THUMBNAILS).is_file():
        return _originals(originals, names) if originals.is_file() else None
    from core.data.images.thumbnails import ThumbnailStore

    return ThumbnailStore(folder / THUMBNAILS, tuple(names))


def _originals(archive: Path, names: list[str]) -> ItemStore:
    """The pictures themselves, where a run lies beside them and keeps none of its own, as the shipped examples do."""
    from core.data.images.archives import open_images

    store = open_images(archive)
    place = {store.name(i): i for i in range(len(store))}
    # an archive whose files all lie in one folder is read without that folder
    return store.keep(
        np.array([place[name] if name in place else place[name.split("/", 1)[-1]] for name in names], dtype=np.int64)
    )


def run_id(diagnosis: Diagnosis, *, secret: bool = False) -> str:
    """The id of a run: its data's fingerprint and a hash of its settings; with `secret`, 128 random bits that nobody
    can guess.

    The same input, settings and seed give the same id, secret apart.
    """
    settings = json.dumps(encode(dict(diagnosis.settings), {}), sort_keys=True)
    name = f"{diagnosis.fingerprint[:16]}-{hashlib.sha256(settings.encode()).hexdigest()[:8]}"
    return f"{name}-{secrets.token_hex(16)}" if secret else name


_ID = re.compile(r"[0-9a-f]{16}-[0-9a-f]{8}(-[0-9a-f]{32})?")


class RunStore:
    """Finished runs below one root, the last few of them also in memory. Safe to share between threads.

    Args:
        root: made when first needed; the environment variable ERRATA_RUNS or the user's data folder if not given.
        keep_loaded: how many diagnoses stay in memory.
    """

    def __init__(self, root: Path | None = None, *, keep_loaded: int = 4) -> None:
        self.root = default_root() if root is None else root
        self._keep_loaded = keep_loaded
        self._loaded: OrderedDict[str, Diagnosis] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, diagnosis: Diagnosis, *, secret: bool = True, progress: Progress = no_progress) -> str:
        """Save the diagnosis and return its id. With `secret` the id cannot be guessed: on a shared host it is the key
        to the run.

        Without `secret` the same data and settings give the same id, and a finished run of that id is kept as it is.
        """
        name = run_id(diagnosis, secret=secret)
        folder, scratch = self.root / name, self.root / f".new-{secrets.token_hex(8)}"
        if not (folder / STATE).is_file():
            try:
                save(diagnosis, scratch, progress)
                shutil.rmtree(folder, ignore_errors=True)  # an unfinished one
                scratch.replace(folder)
            finally:
                shutil.rmtree(scratch, ignore_errors=True)
        return name

    def get(self, name: str) -> Diagnosis:
        """The diagnosis of that id, its pictures replaced by thumbnails.

        Raises:
            InvalidInput: there is no such run, or it is damaged.
        """
        folder = self.folder(name)
        with self._lock:
            if name in self._loaded:
                self._loaded.move_to_end(name)
                return self._loaded[name]
        diagnosis = load(folder)
        with self._lock:
            self._loaded[name] = diagnosis
            while len(self._loaded) > self._keep_loaded:
                self._loaded.popitem(last=False)
        return diagnosis

    def folder(self, name: str) -> Path:
        """Where the run of that id lies.

        Raises:
            InvalidInput: the id is malformed (no path may pass for one), or there is no such run.
        """
        if not _ID.fullmatch(name) or not (self.root / name / STATE).is_file():
            raise InvalidInput(
                f"There is no run {name[:80]!r} here; it may have been removed. Diagnose the data again."
            )
        return self.root / name

    def names(self) -> list[str]:
        """The ids of the finished runs, newest first."""
        finished = [path.parent for path in self.root.glob(f"*/{STATE}") if _ID.fullmatch(path.parent.name)]
        return [folder.name for folder in sorted(finished, key=lambda f: (-(f / STATE).stat().st_mtime, f.name))]

    def remove(self, name: str) -> None:
        """Delete the run of that id from memory and disk."""
        folder = self.folder(name)
        with self._lock:
            self._loaded.pop(name, None)
        shutil.rmtree(folder, ignore_errors=True)

    def prune(self, max_age_s: float) -> int:
        """Remove the runs finished more than `max_age_s` seconds ago; returns how many. For shared hosts, on a
        timer."""
        cutoff = time.time() - max_age_s
        old = [name for name in self.names() if (self.root / name / STATE).stat().st_mtime < cutoff]
        for name in old:
            self.remove(name)
        return len(old)


def default_root() -> Path:
    """The folder of runs: ERRATA_RUNS if set, else `errata/runs` in the user's data folder."""
    if named := os.environ.get("ERRATA_RUNS"):
        return Path(named).expanduser()
    from platformdirs import user_data_path

    return user_data_path("errata", appauthor=False) / "runs"
