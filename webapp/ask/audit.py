"""Heat map of every phrase in every class: observed excess loss, grayed where the ensemble's prediction from the words
does not stand out. Not tested: the cells have no p-value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import gradio as gr

from core.errors import InvalidInput
from core.records import Diagnosis
from core.reports.html.heatmap import heat_map
from webapp.markup.components import script
from webapp.markup.render import render
from webapp.state.downloads import csv_of, fresh_folder
from webapp.state.jobs import LIGHT, PLAIN
from webapp.state.session import Session, require_run, shows_errors

if TYPE_CHECKING:
    from core.checks.audit_table import AuditCell

EVERY = "every family"
MAX_COLUMNS = 14
NO_WORDS = '<p class="muted">This run has no words, so it has no audit. Conditions in Findings describe its groups.</p>'
CLOSED = '<p class="muted">The audit scores every phrase in every class, which takes some seconds.</p>'


def cells_of(diagnosis: Diagnosis, family: str = EVERY) -> list[AuditCell]:
    """Return the cells of one family's phrases, or of the phrases with the largest excess.

    Raises:
        InvalidInput: the run has no words, or no family of that name.
    """
    from core.checks.audit_table import audit_table

    words = diagnosis.words
    if words is None or family in (EVERY, "", None):
        return audit_table(diagnosis)
    phrases = [p for p, f in zip(words.phrases, words.families) if f == family]
    if not phrases:
        known = ", ".join(families_of(diagnosis)[1:])
        raise InvalidInput(f"This run has no family {str(family)[:40]!r}. Choose one of {known}.")
    return audit_table(diagnosis, phrases)


def families_of(diagnosis: Diagnosis) -> list[str]:
    """Return the families of the run's phrases, in order."""
    if diagnosis.words:
        return [EVERY, *(f for f in dict.fromkeys(diagnosis.words.families) if f)]
    return [EVERY]


def audit_view(diagnosis: Diagnosis, cells: Sequence[AuditCell]) -> str:
    """Render the cells as a table: phrases down, largest excess first; classes across."""
    scopes = list(dict.fromkeys(c.scope for c in cells))
    note = ""
    if len(scopes) > MAX_COLUMNS:
        strength = {s: max(abs(c.observed.value) for c in cells if c.scope == s) for s in scopes}
        # the first scope, all samples, always stays
        shown = set(sorted(scopes, key=lambda s: (s != scopes[0], -strength[s]))[:MAX_COLUMNS])
        note = f" Shown: the {MAX_COLUMNS - 1} of {len(scopes):,} classes with the largest excess; the CSV has all."
        cells = [c for c in cells if c.scope in shown]
    top = max((abs(c.observed.value) for c in cells), default=0.0) or 1.0
    excess: dict[str, float] = {}
    for c in cells:
        excess[c.phrase] = max(excess.get(c.phrase, 0.0), abs(c.observed.value))
    heat = heat_map(diagnosis, sorted(cells, key=lambda c: -excess[c.phrase]), top)
    return render("ask/audit.html.j2", heat=heat, note=note, outcomes=diagnosis.outcomes)


def audit_csv(cells: Sequence[AuditCell]) -> bytes:
    """Return the cells as CSV, one line each."""
    names = "phrase family scope support observed low high read stands_out error_inside error_outside"
    rows: list[list[object]] = []
    for c in cells:
        observed = [c.support, c.observed.value, c.observed.low, c.observed.high]
        cells_read = [c.read, c.stands_out, c.error_inside, c.error_outside]
        rows.append([c.phrase, c.family, c.scope, *observed, *("" if value is None else value for value in cells_read)])
    return csv_of(names.split(), rows)


def on_table(session: Session, family: str) -> tuple[Any, Any, Any]:
    """Make the audit of the open run: returns (families, heat map, download)."""
    diagnosis = require_run(session)
    families = families_of(diagnosis)
    if diagnosis.words is None:
        return gr.update(choices=families, value=EVERY), NO_WORDS, gr.update(interactive=False)
    if family not in families:
        family = EVERY
    cells = cells_of(diagnosis, family)
    path = fresh_folder("audit") / "audit.csv"
    path.write_bytes(audit_csv(cells))
    download = gr.update(value=str(path), interactive=True)
    return gr.update(choices=families, value=family), audit_view(diagnosis, cells), download


def build(session: gr.State, there: bool = True) -> tuple[gr.Accordion, gr.HTML]:
    """Lay out and wire the accordion, visible if `there`; returns it and the heat map."""
    title = "Audit: every phrase in every class"
    with gr.Accordion(title, open=False, visible=there, elem_id="audit") as fold:
        with gr.Row(elem_classes="audit-row"):
            family = gr.Dropdown(
                [EVERY], value=EVERY, label="Family of phrases", elem_id="family", min_width=180, scale=0
            )
            download = gr.DownloadButton(
                "Table (CSV)", interactive=False, size="sm", elem_id="audit-csv", scale=0, min_width=120
            )
        table = gr.HTML(CLOSED, js_on_load=script("heat"), elem_id="heat", min_height=80, **PLAIN)
    shown: dict[str, Any] = {"api_visibility": "private", "show_progress_on": table}
    for event in (fold.expand, family.input):
        event(shows_errors(on_table), [session, family], [family, table, download], **LIGHT, **shown)
    return fold, table
