"""What a person says of a run, in a file of its own: a note is saved in a few kilobytes, without the arrays of the run.

The file takes the place of what the run's state holds under the same key. A new version of the run has it in its state,
and the file goes with the earlier one. It is replaced whole: whoever is killed meanwhile leaves the old or the new.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from core.errors import InvalidInput
from core.files import write_text
from core.folders import open_located
from core.limits import Limits
from core.records import Diagnosis
from core.store.layout import aside_note, strange_note
from core.yours import KEY, with_yours, yours_of

UNREADABLE = (OSError, ValueError, KeyError, TypeError, RecursionError, InvalidInput)


def with_own(diagnosis: Diagnosis, path: Path) -> Diagnosis:
    """The run with what the file says in place of what it holds, without what does not fit the run (`core.yours`);
    itself where there is none. Of a file that cannot be read, or was set aside, a note tells."""
    told = aside_note(aside_of(path).name) if os.path.lexists(aside_of(path)) else ""
    try:
        diagnosis = _read(diagnosis, path)
    except FileNotFoundError:
        pass
    except UNREADABLE:
        told = strange_note([path.name])
    return replace(diagnosis, notes=tuple(dict.fromkeys((*diagnosis.notes, told)))) if told else diagnosis


def _read(diagnosis: Diagnosis, path: Path) -> Diagnosis:
    """The run with what the file says; raises one of UNREADABLE where it cannot be read."""
    with open_located(path, Limits().max_document_bytes) as file:
        said = cast("dict[str, Any]", json.loads(file.read().decode("utf-8")))[KEY]
    return with_yours(diagnosis, yours_of(replace(diagnosis, extras={KEY: said})))


def aside_of(path: Path) -> Path:
    """Where a file that could not be read is kept when another takes its place."""
    return path.with_suffix(f".unreadable{path.suffix}")


def write_own(diagnosis: Diagnosis, path: Path) -> None:
    """Write what a person says of the run, and nothing else; a file there that cannot be read is set aside.

    Raises:
        InvalidInput: it cannot be written, or is more than is read back; the file is as it was.
    """
    text = json.dumps({KEY: diagnosis.extras.get(KEY)}, ensure_ascii=False)
    if len(text.encode()) > Limits().max_document_bytes:
        raise InvalidInput("The sets of this run are too large to be kept together. Delete one of them first.")
    try:
        _read(diagnosis, path)
    except FileNotFoundError:
        pass
    except UNREADABLE:
        path.replace(aside_of(path))
    write_text(path, text)
