"""Where visitors' runs lie, each with its note: in the server's own folder, or in one that outlives it
(`home.keep`)."""

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
"""Letters of a stored run's name that follow from its data and settings (`core.store.run_id`)."""
SET_BACK_S = 3600.0
"""How far a run may be of the future: clocks are put right by a little all the time."""


class Shelf:
    """Stored runs and their notes. Safe to share between threads; several servers may share what is kept."""

    def __init__(self) -> None:
        self.runs = store.RunStore(part("runs"), keep_loaded=12)
        self.notes = Notes(part("notes"))

    def require_room(self) -> None:
        """Raises InvalidInput where no further run is taken."""
        limits = quotas()
        what = "Delete some in Your data." if limits.at_home else "Try again later: each is deleted within a day."
        if self.notes.count() >= limits.max_runs:
            raise InvalidInput(f"The server holds {limits.max_runs} runs, which is the most it takes. {what}")
        if kept_in() is not None and free_bytes("runs") < limits.min_free_bytes:
            least = byte_size(limits.min_free_bytes)
            raise InvalidInput(f"The disk that runs are kept on is full: {least} of it stay free. {what}")

    def tidy(self) -> None:
        """Put right what killed servers left: notes without their run go, and so do runs without a note, which nobody
        can find; but where runs stay for good, one that is whole and no version of another is noted once more."""
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
        """A run whose note was lost gets another, under new ids; one that cannot be read stays where it is."""
        with contextlib.suppress(InvalidInput):
            made = self.runs.path(name).stat().st_mtime
            note = note_of(self.runs.get(name), link_id(secrets.token_urlsafe(16)), name)
            self.notes.write(replace(note, made=made))

    def files_of(self, name: str) -> Path:
        """What was made of a stored run to take away."""
        return files_of_run(self.runs.root / f"{name}{store.SUFFIX}")

    def delete(self, name: str, *, files: bool = True) -> None:
        """Delete a stored run, if it is there, and, with `files`, what was made of it."""
        with contextlib.suppress(InvalidInput):
            self.runs.remove(name)
        if files:
            shutil.rmtree(self.files_of(name), ignore_errors=True)


def stay() -> bool:
    """Whether runs are kept until they are deleted."""
    return quotas().at_home and kept_in() is not None


def left_s(note: Note, since: float) -> float | None:
    """Seconds until a run is deleted; None where it stays until its maker deletes it.

    A clock that was set anew deletes no run that goes with the server. One that outlives it goes by the wall clock
    besides, and at once where that was set back, since nobody can tell how old it is.

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
    return -1.0 if age < -SET_BACK_S else min(left, most - age)


def note_of(diagnosis: Diagnosis, link: str, name: str) -> Note:
    """The note of a run that was made just now, under the id of its links, and stored under that name."""
    samples = diagnosis.samples
    encoder = diagnosis.embeddings.encoder[:MAX_TITLE]
    n = len(diagnosis.clusters)
    return Note(link, name, samples.name[:MAX_TITLE], time.time(), len(samples), samples.modality, encoder, n)
