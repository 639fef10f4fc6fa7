"""Sections as lines of plain text."""

from __future__ import annotations

from core.records import Diagnosis, Row, Section
from core.reports.sections import on_new_data, run_sections

MAX_ROWS = 12
"""Rows of a section that are printed; the rest are counted."""


def text_summary(diagnosis: Diagnosis) -> str:
    """A diagnosis in lines for the end of a command: a paragraph each section."""
    paragraphs = [section_lines(section) for section in run_sections(diagnosis)]
    return "\n\n".join("\n".join(lines) for lines in paragraphs if len(lines) > 1)


def prediction_lines(diagnosis: Diagnosis) -> list[str]:
    """What became of the findings on new data; [] if that was not tested."""
    if diagnosis.prediction is None:
        return []
    return section_lines(on_new_data(diagnosis))


def section_lines(section: Section) -> list[str]:
    """Title, lead, the rows that claim something, and notes. Rows that were not confirmed or not tested are for the
    report and the page."""
    rows = [row for row in section.rows if row.verdict not in ("not confirmed", "not tested")]
    lines = [*section.warnings, section.title]
    if section.lead:
        lines.append(section.lead)
    for row in rows[:MAX_ROWS]:
        lines += _row_lines(row)
    if len(rows) > MAX_ROWS:
        lines.append(f"  and {len(rows) - MAX_ROWS:,} more in the report")
    return [*lines, *section.notes]


def _row_lines(row: Row) -> list[str]:
    head = f"  {row.subject}"
    if row.rank is not None:
        head = f"  {row.rank}. {row.subject}"
    elif not row.details:
        return [f"{head}: {row.text[0].lower()}{row.text[1:]}"]
    return [head, *(f"     {line}" for line in (row.text, *row.details))]
