"""A comparison with a second model as it lies beside the files to take away, so that the page's address opens it again:
after a reload, or for whoever has the link. It goes when they do, a day at most after it was made."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from core.arrays import read_arrays
from core.documents import read_stored
from core.errors import InvalidInput
from core.files import write_arrays, write_json
from core.records.codec import decode, encode
from webapp.second.view import SecondModel
from webapp.state.downloads import folder_of
from webapp.state.runs import RUNS

KIND = "second"
KEPT = "kept.json"
ARRAYS = "kept.npz"
CARD = "distilled.json"


def keep(run: str, second: SecondModel, card: str | None, folder: Path) -> None:
    """Write what `reopened` reads, and the student's card where there was one."""
    arrays: dict[str, Any] = {}
    kept = encode((second.result, second.comparison, second.notes), arrays)
    write_arrays(folder / ARRAYS, arrays)
    if card:
        shutil.copyfile(card, folder / CARD)
    write_json(folder / KEPT, {"run": RUNS.link(run), "kept": kept})


def reopened(run: str, beside: str) -> tuple[SecondModel, Path] | None:
    """The comparison of a run that has that id, and the folder of its files; None where it is gone."""
    folder = folder_of(KIND, beside)
    try:
        said = read_stored(folder / KEPT, below=folder) if folder else {}
        if folder is None or said.get("run") != RUNS.link(run):
            return None
        result, comparison, notes = decode(said["kept"], read_arrays(folder / ARRAYS))
        return SecondModel(result, comparison, notes, costs_of(folder / CARD)), folder
    except (InvalidInput, OSError, ValueError, KeyError, TypeError):  # deleted at this moment
        return None


def id_of(folder: Path) -> str:
    """What `reopened` takes for a folder of that kind."""
    return folder.name.removeprefix(f"{KIND}-")


def costs_of(card: Path) -> Any:
    """What teacher and student take by its card; None where there is none."""
    if not card.is_file():
        return None
    from core.checks.model_cost import read_costs

    return read_costs(card)
