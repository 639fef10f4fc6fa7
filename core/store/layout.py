"""The files of a run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.extensions import table_names
from core.folders import located
from core.owned import Kind

FORMAT = 3
STATE, ARRAYS, MODEL, MODEL_ARRAYS, THUMBNAILS = "state.json", "state.npz", "model.json", "model.npz", "thumbnails.zip"
REPORT, OWN = "report.html", "yours.json"
ASIDES = ("yours.unreadable.json", "yours.unreadable-2.json", "yours.unreadable-3.json")
"""Where what a person said and could not be read is kept, the first one first; the last alone is ever overwritten."""
PARTS = (
    *(STATE, ARRAYS, MODEL, MODEL_ARRAYS, THUMBNAILS, REPORT, OWN, *ASIDES, "diagnosis.json", "prediction.json"),
    *(f"{table}.parquet" for table in ("samples", "memberships", "excluded", *table_names())),
)
"""Every file that a run may have: one that the next version does not have goes with the earlier one."""


def _is_state(said: Mapping[str, Any]) -> bool:
    return isinstance(said.get("format"), int) and isinstance(said.get("diagnosis"), dict)


RUN = Kind("run", STATE, PARTS, _is_state)
READ_BACK = (ARRAYS, MODEL, MODEL_ARRAYS)
"""Files without which a run cannot be opened, or with others than were written."""
ORIGINALS = "images.zip"
"""Beside a run's folder: read where the run has no thumbnails."""
WITHOUT_PICTURES = (
    f"The pictures of this run were not found: it keeps no {THUMBNAILS}, "
    f"and {ORIGINALS} does not lie beside its folder."
)
_STRANGE = "Changed since this run was written:"
_ASIDE = f"{_STRANGE} what you had said of it could not be read, and was set aside as"


def is_run(folder: Path) -> bool:
    """Whether a finished run lies in the folder."""
    return located(folder / STATE).is_file()


def strange_note(names: list[str]) -> str:
    """That files beside the state are of another version of the run, or were edited."""
    return f"{_STRANGE} {', '.join(names)}. The run itself is whole: export what you need from it."


def aside_note(names: list[str]) -> str:
    """That what a person said could not be read when they said something new."""
    return f"{_ASIDE} {', '.join(names)}."


def is_own_note(note: str) -> bool:
    """Whether the note tells of what a person said alone: of `OWN`, or of what was set aside."""
    return note == strange_note([OWN]) or note.startswith(_ASIDE)


def is_strange_note(note: str) -> bool:
    """Whether `strange_note` said it: it tells of the files that were read, not of the run."""
    return note.startswith(_STRANGE)
