"""The report's section on what a person says of the run and chose in it: theirs, beside what was tested."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from core.records import I64, Diagnosis
from core.reports.tables.yours import tested_title
from core.yours import MARKED, NOT_TESTED, OwnMark, yours_of

MAX_SHOWN = 6
"""Samples of a set, the worst ones."""
MAX_SETS = 40
"""Sets that are shown with samples; the images have their bound besides."""
KINDS = {"cluster": "Cluster", "candidate": "Worth a look", "sample": "Sample"}


def yours_section(diagnosis: Diagnosis, entries: Callable[[I64], list[Any]]) -> dict[str, Any] | None:
    """What yours.html.j2 asks for; None where nothing is kept. entries: of rows, as the gallery shows them."""
    yours = yours_of(diagnosis)
    loss = diagnosis.outcomes.loss
    if not yours.sets and not yours.marks:
        return None
    sets = list[dict[str, Any]]()
    for one in sorted(yours.sets, key=lambda one: not one.pinned):
        worst = one.rows[np.argsort(-loss[one.rows], kind="stable")][:MAX_SHOWN]
        rest = np.delete(loss, one.rows)
        sets.append(
            {
                "set": one,
                "mean": float(loss[one.rows].mean()),
                "rest": float(rest.mean()) if len(rest) else None,
                "members": entries(worst) if len(sets) < MAX_SETS else [],
            }
        )
    marks = [{"mark": one, "of": marked(diagnosis, one)} for one in yours.marks]
    return {"sets": sets, "marks": marks, "label": MARKED, "sentence": NOT_TESTED}


def marked(diagnosis: Diagnosis, mark: OwnMark) -> str:
    """That of which a person says something, as the run calls it, such as "Cluster 1: in the dark"."""
    number = f" {mark.number + 1}" if mark.kind == "cluster" else ""
    return f"{KINDS[mark.kind]}{number}: {tested_title(diagnosis, mark)}"
