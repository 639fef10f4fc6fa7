"""Sections as JSON and as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from core.records import Diagnosis, Estimate, Row, Section
from core.reports.sections import run_sections
from core.reports.tables.values import fields


def sections_document(diagnosis: Diagnosis) -> list[dict[str, Any]]:
    """The sections of a run, as in diagnosis.json: what terminal and report say, for programs.

    Args:
        diagnosis: what `diagnose` or `load` gave.
    """
    return [_section(section) for section in run_sections(diagnosis)]


def sections_table(diagnosis: Diagnosis) -> pd.DataFrame:
    """(r, 12) the sections of a run, as `rows_table` lists them.

    Args:
        diagnosis: what `diagnose` or `load` gave.
    """
    return rows_table(run_sections(diagnosis))


def rows_table(sections: Sequence[Section]) -> pd.DataFrame:
    """(r, 12) one row for each row of a section, without the rows inside a row: section, rank, subject, text, n,
    measure, value, low, high, against, p, verdict."""
    rows = list[dict[str, Any]]()
    for section in sections:
        for row in section.rows:
            estimate = row.estimate or Estimate(float("nan"), float("nan"), float("nan"))
            rows.append(
                {
                    "section": section.key,
                    "rank": row.rank,
                    "subject": row.subject,
                    "text": row.text,
                    "n": row.n,
                    "measure": row.measure,
                    "value": estimate.value,
                    "low": estimate.low,
                    "high": estimate.high,
                    "against": row.against,
                    "p": row.p,
                    "verdict": row.verdict,
                }
            )
    if not rows:
        return pd.DataFrame()
    return pd.DataFrame(rows).astype({"rank": "Int64", "against": float, "p": float})


def _section(section: Section) -> dict[str, Any]:
    rows = [_row(row) for row in section.rows]
    return fields(section, "key title lead") | {
        "warnings": list(section.warnings),
        "rows": rows,
        "notes": list(section.notes),
        "method": list(section.method),
    }


def _row(row: Row) -> dict[str, Any]:
    rows = [_row(inner) for inner in row.rows]
    return fields(row, "rank subject text n measure estimate against p verdict details sure") | {"rows": rows}
