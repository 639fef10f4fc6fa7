"""Every phrase in every class as a heat map: the observed excess loss, grayed where the ensemble's reading does not
stand out. Exploration, without a p."""

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
NO_WORDS = (
    '<p class="muted">No phrase can be read in the classes of this run, since it keeps no words. Conditions name its '
    "clusters in Explore.</p>"
)
CLOSED = '<p class="muted">Every phrase is read in every class, which takes some seconds.</p>'


def cells_of(diagnosis: Diagnosis, family: str = EVERY) -> list[AuditCell]:
    """The cells of one family's phrases, or of those of the largest excess anywhere.

    Raises:
        InvalidInput: the run has no words, or no such family.
    """
    from core.checks.audit_table import audit_table

    words = diagnosis.words
    if words is None or family in (EVERY, "", None):
        return audit_table(diagnosis)
    phrases = [p for p, f in zip(words.phrases, words.families) if f == family]
    if not phrases:
        raise InvalidInput(f"This run has no family of phrases called {str(family)[:40]!r}. Choose one from the list.")
    return audit_table(diagnosis, phrases)


def families_of(diagnosis: Diagnosis) -> list[str]:
    """The families of the run's phrases, in order."""
    return [EVERY, *(f for f in dict.fromkeys(diagnosis.words.families) if f)] if diagnosis.words else [EVERY]


def audit_view(diagnosis: Diagnosis, cells: Sequence[AuditCell]) -> str:
    """The cells as a table: phrases down, that of the largest excess first, classes across."""
    scopes = list(dict.fromkeys(c.scope for c in cells))
    note = ""
    if len(scopes) > MAX_COLUMNS:
        strength = {s: max(abs(c.observed.value) for c in cells if c.scope == s) for s in scopes}
        # the first scope, all samples, always stays
        kept = set(sorted(scopes, key=lambda s: (s != scopes[0], -strength[s]))[:MAX_COLUMNS])
        note = f" Of {len(scopes):,} classes, the {MAX_COLUMNS - 1} of the largest excess are shown; the CSV holds all."
        cells = [c for c in cells if c.scope in kept]
    top = max((abs(c.observed.value) for c in cells), default=0.0) or 1.0
    excess: dict[str, float] = {}
    for c in cells:
        excess[c.phrase] = max(excess.get(c.phrase, 0.0), abs(c.observed.value))
    heat = heat_map(diagnosis, sorted(cells, key=lambda c: -excess[c.phrase]), top)
    return render("ask/audit.html.j2", heat=heat, note=note, outcomes=diagnosis.outcomes)


def audit_csv(cells: Sequence[AuditCell]) -> bytes:
    """One line for each cell."""
    names = "phrase family scope support observed low high read stands_out error_inside error_outside"
    rows: list[list[object]] = []
    for c in cells:
        read = ["" if c.read is None else c.read, c.stands_out]
        rates = ["" if r is None else r for r in (c.error_inside, c.error_outside)]
        known = [c.support, c.observed.value, c.observed.low, c.observed.high, *read, *rates]
        rows.append([c.phrase, c.family, c.scope, *known])
    return csv_of(names.split(), rows)


def on_table(session: Session, family: str) -> tuple[Any, Any, Any]:
    """Make the table of the open run: returns (families, heat map, download)."""
    diagnosis = require_run(session)
    families = families_of(diagnosis)
    if diagnosis.words is None:
        return gr.update(choices=families, value=EVERY), NO_WORDS, gr.update(interactive=False)
    family = family if family in families else EVERY
    cells = cells_of(diagnosis, family)
    path = fresh_folder("audit") / "audit.csv"
    path.write_bytes(audit_csv(cells))
    download = gr.update(value=str(path), interactive=True)
    return gr.update(choices=families, value=family), audit_view(diagnosis, cells), download


def build(session: gr.State, there: bool = True) -> tuple[gr.Accordion, gr.HTML]:
    """Lay out the accordion, unless it is not `there`, and wire it; returns it and the heat map."""
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
