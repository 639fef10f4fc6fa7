"""A person's own sets and marks as a table and as JSON: theirs, exploratory, beside what was tested."""

from __future__ import annotations

from typing import Any

import pandas as pd

from core.records import Diagnosis
from core.reports.wording.findings import cluster_title
from core.yours import NOT_TESTED, OwnMark, OwnSet, OwnWords, yours_of

COLUMNS = (
    "kind id title tested_title note not_a_failure pinned when made_of size mean_loss error_rate samples".split()
)  # fmt: skip


def tested_title(diagnosis: Diagnosis, mark: OwnMark) -> str:
    """What that of which a person says something is called by the run itself."""
    if mark.kind == "sample":
        return diagnosis.samples.ids[mark.number]
    if mark.kind == "candidate":
        return diagnosis.candidates[mark.number].name
    return next(cluster_title(diagnosis, cluster) for cluster in diagnosis.clusters if cluster.id == mark.number)


def yours_document(diagnosis: Diagnosis) -> dict[str, Any] | None:
    """The key `yours` of diagnosis.json; None where nothing is kept."""
    yours = yours_of(diagnosis)
    if not yours.sets and not yours.marks:
        return None
    return {
        "sentence": NOT_TESTED,
        "sets": [_set(diagnosis, chosen) for chosen in yours.sets],
        "marks": [_mark(diagnosis, mark) for mark in yours.marks],
    }


def yours_table(diagnosis: Diagnosis) -> pd.DataFrame:
    """One row for each set, then for each mark; the ids of a set's samples are joined by " | "."""
    yours = yours_of(diagnosis)
    rows = [_set(diagnosis, chosen) | {"kind": "set"} for chosen in yours.sets]
    rows = [row | {"samples": " | ".join(row["samples"])} for row in rows]
    rows += [_mark(diagnosis, mark) for mark in yours.marks]
    table = pd.DataFrame(rows, columns=COLUMNS)
    return table.astype({"size": "Int64"})


def _set(diagnosis: Diagnosis, chosen: OwnSet) -> dict[str, Any]:
    outcomes = diagnosis.outcomes
    error_rate = float(outcomes.errors[chosen.rows].mean()) if outcomes.errors is not None else None
    return {
        "id": chosen.id,
        **_words(chosen),
        "made_of": chosen.made_of,
        "size": len(chosen.rows),
        "mean_loss": float(outcomes.loss[chosen.rows].mean()),
        "error_rate": error_rate,
        "samples": [diagnosis.samples.ids[row] for row in chosen.rows.tolist()],
    }


def _mark(diagnosis: Diagnosis, mark: OwnMark) -> dict[str, Any]:
    name = str(mark.number)
    if mark.kind == "sample":
        name = diagnosis.samples.ids[mark.number]
    return {"kind": mark.kind, "id": name, "tested_title": tested_title(diagnosis, mark), **_words(mark)}


def _words(words: OwnWords) -> dict[str, Any]:
    return {
        "title": words.title,
        "note": words.note,
        "not_a_failure": words.dismissed,
        "pinned": words.pinned,
        "when": words.when,
    }
