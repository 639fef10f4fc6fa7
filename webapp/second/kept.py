"""A comparison with a second model, stored beside its downloads, so that the page's address reopens it after a reload
or from a link. It is deleted with them, within a day."""

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
RECORD = "kept.json"
ARRAYS = "kept.npz"
CARD = "distilled.json"


def keep(run: str, second: SecondModel, card: str | None, folder: Path) -> None:
    """Write the comparison for `reopened`, with the student's card if any."""
    arrays: dict[str, Any] = {}
    encoded = encode((second.result, second.comparison, second.notes), arrays)
    write_arrays(folder / ARRAYS, arrays)
    if card:
        shutil.copyfile(card, folder / CARD)
    write_json(folder / RECORD, {"run": RUNS.link(run), "kept": encoded})


def reopened(run: str, beside: str) -> tuple[SecondModel, Path] | None:
    """Return a run's comparison by its id, and the folder of its files; None if it was deleted."""
    folder = folder_of(KIND, beside)
    try:
        stored = {}
        if folder:
            stored = read_stored(folder / RECORD, below=folder)
        if folder is None or stored.get("run") != RUNS.link(run):
            return None
        result, comparison, notes = decode(stored["kept"], read_arrays(folder / ARRAYS))
        return SecondModel(result, comparison, notes, costs_of(folder / CARD)), folder
    except (InvalidInput, OSError, ValueError, KeyError, TypeError):  # deleted meanwhile
        return None


def id_of(folder: Path) -> str:
    """Return the id of a folder, for `reopened`."""
    return folder.name.removeprefix(f"{KIND}-")


def costs_of(card: Path) -> Any:
    """Return the costs of teacher and student from a card; None without a card."""
    if not card.is_file():
        return None
    from core.checks.model_cost import read_costs

    return read_costs(card)
