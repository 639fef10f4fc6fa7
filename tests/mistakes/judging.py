"""What came of a table that somebody brought, beside the right one."""

from __future__ import annotations

import contextlib
import io
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core.cli.diagnose import diagnose
from core.cli.main import MODULES, main
from core.data.samples import DataSet
from core.data.tasks.read import read_task
from core.errors import InvalidInput
from tests.mistakes.right import RIGHT, Brought, World, world

OUTCOMES = ("right", "refused", "noted", "shown", "SILENT")
USUAL = re.compile(
    r"Recognized columns|At an IoU of|Split \d[\d,]* images into|\d+ columns look like model outputs|Cut [\d,]+ box"
    r"(es)? of the|Read the \d+ class names from|Each class's probability is the logistic|"
    r"Read '\w+' as the (probability|logit) of|Read '\w+' \(\d+ classes\) as|Read the probabilities in the sorted order"
)
"""How notes begin that say of every table how it was read, and of none that it is odd."""


@dataclass(frozen=True)
class Mistake:
    """One mistake in a right table."""

    name: str
    base: str
    """Key of `RIGHT`."""
    words: str
    """A pattern: a note that the right table does not have names the mistake if it fits."""
    make: Callable[[Brought, World], Brought]
    shown: bool = False
    """No reader can tell: the rows as understood must be printed."""

    @property
    def task(self) -> str:
        return RIGHT[self.base][0]


@dataclass(frozen=True, eq=False)
class Reading:
    """What a reader made of what was brought."""

    rows: pd.DataFrame | None
    """By id: loss, wrong, label, every condition and what the row shows; None where it was refused."""
    notes: tuple[str, ...]
    """The one message of a refusal."""
    printed: str = ""
    """What the command says of it."""


def read(brought: Brought) -> Reading:
    """Read it by `read_task`, and let the command `check` look at it, if there is one."""
    with tempfile.TemporaryDirectory() as folder:
        given = brought.write(Path(folder))
        code, printed = checked(given) if "check" in MODULES else (0, "")
        said = tuple(line for line in printed.splitlines() if line.strip())
        if code:
            return Reading(None, (printed.replace(folder, "").strip(),), printed)
        table = ["--table"] if brought.frame is not None else []
        params = diagnose.make_context("diagnose", ["--out", "none", *table, *given]).params
        try:
            data = read_task(params["task"], params["roles"])
        except InvalidInput as error:
            return Reading(None, (str(error).replace(folder, ""),), printed)
        notes = tuple(line.removeprefix("Note: ") for line in said if line.startswith("Note: "))
        return Reading(_rows(data, "--detections" in given), tuple(dict.fromkeys((*data.notes, *notes))), printed)


def checked(given: list[str]) -> tuple[int, str]:
    """The exit code of the command `check`, and what it prints."""
    heard = io.StringIO()
    with contextlib.redirect_stdout(heard), contextlib.redirect_stderr(heard):
        code = main(["check", *given])
    return code, heard.getvalue()


def _rows(data: DataSet, is_detection: bool) -> pd.DataFrame:
    samples, outcomes = data.samples, data.outcomes
    n = len(samples.ids)
    columns: dict[str, Any] = {"loss": outcomes.loss}
    columns["wrong"] = np.full(n, -1) if outcomes.errors is None else outcomes.errors.astype(int)
    columns["label"] = np.zeros(n, int) if samples.labels is None else samples.labels
    columns |= {f"{column.kind} {column.name}": column.values for column in samples.metadata}
    if data.embeddings is not None:
        columns["shown"] = [row.round(4).tobytes() for row in data.embeddings.vectors]
    elif samples.items is not None and not is_detection:
        columns["shown"] = [samples.items.read(i) for i in range(n)]
    return pd.DataFrame(columns, index=[name.lstrip("0") for name in samples.ids])


def same(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    """Whether both have the same rows with the same losses, verdicts, conditions and images, and the same classes,
    whatever these are called."""
    if set(one.columns) != set(other.columns) or set(one.index) != set(other.index) or not other.index.is_unique:
        return False
    other = other.loc[one.index]
    pairs = set(zip(one["label"], other["label"]))
    if not len(pairs) == one["label"].nunique() == other["label"].nunique():
        return False
    for name in one.columns.drop("label"):
        a, b = one[name], other[name]
        if a.dtype.kind in "fi" and b.dtype.kind in "fi":
            if not np.allclose(a, b, rtol=1e-3, atol=1e-4, equal_nan=True):
                return False
        elif a.tolist() != b.tolist():
            return False
    return True


@cache
def right(base: str, seed: int = 0) -> tuple[Brought, Reading]:
    """The right table of that name, and how it is read."""
    brought = RIGHT[base][1](world(seed))
    return brought, read(brought)


def outcome(mistake: Mistake, seed: int = 0) -> tuple[str, str]:
    """One of OUTCOMES, and what was said: of the model that the seed draws."""
    brought, reference = right(mistake.base, seed)
    assert reference.rows is not None, reference.notes
    try:
        reading = read(mistake.make(brought, world(seed)))
    except InvalidInput as error:  # of LossTable
        return "refused", str(error)
    if reading.rows is None:
        return "refused", reading.notes[0]
    if same(reference.rows, reading.rows):
        return "right", ""
    notes = [note for note in reading.notes if note not in reference.notes and not USUAL.match(note)]
    naming = [note for note in notes if re.search(mistake.words, note, re.IGNORECASE)]
    if naming:
        return "noted", naming[0]
    rows = re.findall(r"^(?!Note).*(?:predicted |loss [-−]?\d).*$", reading.printed, re.MULTILINE)
    if mistake.shown and len(rows) >= 5:
        return "shown", rows[0]
    return "SILENT", " | ".join(notes)
