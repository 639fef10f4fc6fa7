"""The check of what training forgot, in the folder of the adapter: written, and read back."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.documents import read_stored
from core.errors import InvalidInput

if TYPE_CHECKING:
    from core.systems.composition.training.forgetting import ForgettingCheck

STATE = "training"
CHECK = "check.json"


"""Below --out: the state of a training that was stopped, and what the check found."""


ESTIMATES = ("before", "after", "difference")


def write_check(check: ForgettingCheck, folder: Path) -> None:
    """Write check.json."""
    from core.files import write_json
    from core.records.codec import to_json

    write_json(folder / CHECK, to_json({"format": 1, "sentence": check.sentence, **asdict(check)}))


def read_check(folder: Path) -> ForgettingCheck:
    """The check that `write_check` wrote.

    Raises:
        InvalidInput: it is damaged.
    """
    from core.records import Estimate
    from core.systems.composition.training.forgetting import ForgettingCheck
    from core.systems.composition.training.forgetting_rows import ForgettingRow

    def row(document: dict[str, Any]) -> ForgettingRow:
        estimates = {
            name: Estimate(**{end: float("nan") if v is None else v for end, v in document[name].items()})
            for name in ESTIMATES
        }
        fields: dict[str, Any] = {**document, **estimates}
        return ForgettingRow(**fields)

    try:
        stored = read_stored(folder / CHECK, below=folder)
        rows, reranked = (tuple(row(one) for one in stored[name]) for name in ("rows", "reranked"))
        return ForgettingCheck(stored["before"], stored["after"], rows, reranked, tuple(stored["notes"]))
    except (OSError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise InvalidInput(f"{folder / CHECK} is damaged ({error}). Delete it, or train the adapter again.") from error
