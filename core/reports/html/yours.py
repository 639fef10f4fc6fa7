"""The report's section on what a person says of the run and chose in it: theirs, beside what was tested."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from core.records import I64, Diagnosis
from core.reports.tables.yours import tested_title
from core.statistics.counts import means_of_rows
from core.yours import MARKED, NOT_TESTED, OwnMark, yours_of

MAX_SHOWN = 6
"""Samples of a set, the worst ones."""
MAX_SETS = 40
"""Sets that are shown with samples; the images have their bound besides."""
KINDS = {"cluster": "Group", "candidate": "Hint", "sample": "Sample"}


def yours_section(diagnosis: Diagnosis, entries: Callable[[I64], list[Any]]) -> dict[str, Any] | None:
    """What yours.html.j2 asks for; None where nothing is kept. entries: of rows, as the gallery shows them."""
    yours = yours_of(diagnosis)
    loss = diagnosis.outcomes.loss
    if not yours.sets and not yours.marks:
        return None
    sets = list[dict[str, Any]]()
    for chosen in sorted(yours.sets, key=lambda each: not each.pinned):
        worst = chosen.rows[np.argsort(-loss[chosen.rows], kind="stable")][:MAX_SHOWN]
        members = list[Any]()
        if len(sets) < MAX_SETS:
            members = entries(worst)
        mean, mean_others = means_of_rows(loss, chosen.rows)
        sets.append({"set": chosen, "mean": mean, "rest": mean_others, "members": members})
    marks = [{"mark": mark, "of": marked(diagnosis, mark)} for mark in yours.marks]
    return {"sets": sets, "marks": marks, "label": MARKED, "sentence": NOT_TESTED}


def marked(diagnosis: Diagnosis, mark: OwnMark) -> str:
    """That of which a person says something, as the run calls it, such as "Cluster 1: in the dark"."""
    kind = KINDS[mark.kind]
    if mark.kind == "cluster":
        kind = f"{kind} {mark.number + 1}"
    return f"{kind}: {tested_title(diagnosis, mark)}"
