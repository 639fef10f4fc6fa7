"""Sections as lines of plain text."""

from __future__ import annotations

import re

from core.records import Diagnosis, Row, Section
from core.reports.sections import on_new_data, run_sections

MAX_ROWS = 12
"""Rows of a section that are printed; the rest are counted."""


MAX_LINE_LETTERS = 2_000
"""Letters of a line that are printed; names can have any length."""
_LINE_ENDS = re.compile(r"\s*[\n\r\v\f\x85\u2028\u2029]\s*")


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
    rows = list(section.rows)
    if section.key != "new_data":  # there a finding that does not hold is the result
        rows = [row for row in rows if row.verdict not in ("not confirmed", "not tested")]
    lines = [*section.warnings, section.title]
    if section.lead:
        lines.append(section.lead)
    for row in rows[:MAX_ROWS]:
        lines += _row_lines(row)
    if len(rows) > MAX_ROWS:
        lines.append(f"  and {len(rows) - MAX_ROWS:,} more in the report")
    return [_one_line(line) for line in (*lines, *section.notes)]


def _one_line(text: str) -> str:
    """The text without line ends, which a name could bring, and with the middle of a long one left out."""
    text = _LINE_ENDS.sub(" ", text)
    if len(text) <= MAX_LINE_LETTERS:
        return text
    half = MAX_LINE_LETTERS // 2
    return f"{text[:half]} [...] {text[-half:]}"


def _row_lines(row: Row) -> list[str]:
    head = f"  {row.subject}"
    if row.rank is not None:
        head = f"  {row.rank}. {row.subject}"
    elif not row.details:
        text = row.text
        if not text[:2].isupper():  # as "AUROC"
            text = f"{text[:1].lower()}{text[1:]}"
        return [f"{head}: {text}"]
    return [head, *(f"     {line}" for line in (row.text, *row.details))]
