"""Storage of visitors' runs and their notes, in the server's folder or a lasting one (`home.keep`)."""

from __future__ import annotations

import contextlib
import secrets
import shutil
import time
from dataclasses import replace
from pathlib import Path

from core import store
from core.errors import InvalidInput
from core.files import sweep_parts
from core.limits import byte_size
from core.records import Diagnosis
from webapp.state.downloads import files_of_run
from webapp.state.home import free_bytes, kept_in, part
from webapp.state.notes import MAX_TITLE, Note, Notes, link_id
from webapp.state.quotas import quotas

OF_DATA = 25
"""Letters of a stored run's name that depend on its data and settings (`core.store.run_id`)."""
SET_BACK_S = 3600.0
"""Seconds that a run's time may lie in the future, because clocks are often corrected a little."""


class Shelf:
    """Stored runs and their notes. Safe to share between threads; several servers can share a lasting folder."""

    def __init__(self) -> None:
        self.runs = store.RunStore(part("runs"), keep_loaded=12)
        self.notes = Notes(part("notes"))

    def require_room(self) -> None:
        """Raise InvalidInput if the server accepts no further run."""
        limits = quotas()
        what = "Try again later; runs are deleted within a day."
        if limits.at_home:
            what = "Delete some in New run."
        if self.notes.count() >= limits.max_runs:
            raise InvalidInput(f"The server has reached its limit of {limits.max_runs} runs. {what}")
        if kept_in() is not None and free_bytes("runs") < limits.min_free_bytes:
            least = byte_size(limits.min_free_bytes)
            raise InvalidInput(f"The disk for runs is full: {least} must stay free. {what}")

    def tidy(self) -> None:
        """Clean up after killed servers: delete notes without a run, and runs without a note, which nobody can find.
        Where runs are kept for good, an intact run that is not a version of another gets a new note."""
        sweep_parts(self.notes.folder)
        with contextlib.suppress(OSError), self.notes.changing():
            noted = {note.name for note in self.notes.all()}
            versions = {name[:OF_DATA] for name in noted}
            for name in sorted(set(self.runs.names()) - noted):
                if stay() and name[:OF_DATA] not in versions:
                    self._note_again(name)
                else:
                    self.delete(name)
            for note in self.notes.all():
                if not self.runs.has(note.name):
                    self.notes.remove(note.link)

    def _note_again(self, name: str) -> None:
        """Write a new note, under new ids, for a run that lost its note; an unreadable run stays."""
        with contextlib.suppress(InvalidInput):
            created = self.runs.path(name).stat().st_mtime
            note = note_of(self.runs.get(name), link_id(secrets.token_urlsafe(16)), name)
            self.notes.write(replace(note, made=created))

    def files_of(self, name: str) -> Path:
        """Return the folder of a stored run's downloads."""
        return files_of_run(self.runs.root / f"{name}{store.SUFFIX}")

    def delete(self, name: str, *, files: bool = True) -> None:
        """Delete a stored run, if present, and with `files` its downloads."""
        with contextlib.suppress(InvalidInput):
            self.runs.remove(name)
        if files:
            shutil.rmtree(self.files_of(name), ignore_errors=True)


def stay() -> bool:
    """Whether runs are kept until their user deletes them."""
    return quotas().at_home and kept_in() is not None


def left_s(note: Note, since: float) -> float | None:
    """Return the seconds until a run is deleted; None if it is kept until its maker deletes it.

    Runs in the server's folder use the monotonic clock, so that a change of the wall clock deletes none. Runs that
    outlive the server also use the wall clock. If that was set back, they are deleted at once, as their age is unknown.

    Args:
        since: when this server first saw it, by `time.monotonic`.
    """
    if stay():
        return None
    most = quotas().kept_s
    left = most - (time.monotonic() - since)
    age = time.time() - note.made
    if kept_in() is None:
        return left
    if age < -SET_BACK_S:
        return -1.0
    return min(left, most - age)


def note_of(diagnosis: Diagnosis, link: str, name: str) -> Note:
    """Return the note of a new run with its link id and stored name."""
    samples = diagnosis.samples
    encoder = diagnosis.embeddings.encoder[:MAX_TITLE]
    n = len(diagnosis.clusters)
    return Note(link, name, samples.name[:MAX_TITLE], time.time(), len(samples), samples.modality, encoder, n)
