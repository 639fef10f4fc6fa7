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
    return next(cluster_title(diagnosis, one) for one in diagnosis.clusters if one.id == mark.number)


def yours_document(diagnosis: Diagnosis) -> dict[str, Any] | None:
    """The key `yours` of diagnosis.json; None where nothing is kept."""
    yours = yours_of(diagnosis)
    if not yours.sets and not yours.marks:
        return None
    return {
        "sentence": NOT_TESTED,
        "sets": [_set(diagnosis, one) for one in yours.sets],
        "marks": [_mark(diagnosis, one) for one in yours.marks],
    }


def yours_table(diagnosis: Diagnosis) -> pd.DataFrame:
    """One row for each set, then for each mark; the ids of a set's samples are joined by " | "."""
    yours = yours_of(diagnosis)
    rows = [_set(diagnosis, one) | {"kind": "set"} for one in yours.sets]
    rows = [row | {"samples": " | ".join(row["samples"])} for row in rows]
    table = pd.DataFrame([*rows, *(_mark(diagnosis, one) for one in yours.marks)], columns=COLUMNS)
    return table.astype({"size": "Int64"})


def _set(diagnosis: Diagnosis, one: OwnSet) -> dict[str, Any]:
    outcomes = diagnosis.outcomes
    return {
        "id": one.id,
        **_said(one),
        "made_of": one.made_of,
        "size": len(one.rows),
        "mean_loss": float(outcomes.loss[one.rows].mean()),
        "error_rate": None if outcomes.errors is None else float(outcomes.errors[one.rows].mean()),
        "samples": [diagnosis.samples.ids[row] for row in one.rows.tolist()],
    }


def _mark(diagnosis: Diagnosis, one: OwnMark) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "id": diagnosis.samples.ids[one.number] if one.kind == "sample" else str(one.number),
        "tested_title": tested_title(diagnosis, one),
        **_said(one),
    }


def _said(one: OwnWords) -> dict[str, Any]:
    return {
        "title": one.title,
        "note": one.note,
        "not_a_failure": one.dismissed,
        "pinned": one.pinned,
        "when": one.when,
    }
