"""Every phrase in every class as a heat map: predicted and observed excess loss. Description, not a test."""

from __future__ import annotations

import csv
import io
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np

from core.errors import InvalidInput
from core.numbers import bracketed, percent, signed
from core.records import Diagnosis
from webapp.failure_map import SCRIPTS
from webapp.markup.html import esc
from webapp.state.downloads import temporary_folder
from webapp.state.session import RUNS, Session, shows_errors

if TYPE_CHECKING:
    from core.checks.audit_table import AuditCell

EVERY = "every family"
MAX_COLUMNS = 14
CLOSED = ""


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


def heat_map(diagnosis: Diagnosis, cells: Sequence[AuditCell]) -> str:
    """The cells as a table: phrases down, classes across, coloured around 0; extrapolations hatched."""
    phrases, scopes = list(dict.fromkeys(c.phrase for c in cells)), list(dict.fromkeys(c.scope for c in cells))
    at = {(c.phrase, c.scope): c for c in cells}
    span = max((abs(c.observed.value) for c in cells if not c.extrapolation), default=0.0) or 1.0
    note = ""
    if len(scopes) > MAX_COLUMNS:
        strength = {s: max(abs(c.observed.value) for c in cells if c.scope == s) for s in scopes}
        kept = set(sorted(scopes, key=lambda s: (s != scopes[0], -strength[s]))[:MAX_COLUMNS])
        note = f" Of {len(scopes):,} classes, the {MAX_COLUMNS - 1} of the largest excess are shown; the CSV holds all."
        scopes = [s for s in scopes if s in kept]
    phrases.sort(key=lambda p: -max(abs(at[p, s].observed.value) for s in scopes if (p, s) in at))
    head = "".join(f'<th scope="col"><span>{esc(s)}</span></th>' for s in scopes)
    body = ""
    for p in phrases:
        row = "".join(_cell(diagnosis, at.get((p, s)), span) for s in scopes)
        body += f'<tr><th scope="row">{esc(p)} <small>{esc(at[p, scopes[0]].family)}</small></th>{row}</tr>'
    unit = esc(diagnosis.outcomes.unit)
    key = (
        f'<p class="heat-key"><span>{signed(-span)}</span><i></i><span>{signed(span)} {unit}</span>'
        '<b class="hatch"></b><span>extrapolation: the class hardly differs along the phrase</span></p>'
    )
    said = (
        f"Excess {esc(diagnosis.outcomes.name)} of the tenth of each class that looks most like the phrase. "
        f"Description, not a test.{note}"
    )
    return (
        f'<p class="muted small-note">{said}</p>{key}<div class="heat-scroll"><table '
        f'class="heat"><thead><tr><th></th>{head}</tr></thead>'
        f'<tbody>{body}</tbody></table></div><p class="heat-live" aria-live="polite">Point at a cell, '
        "or step through them with the arrow keys.</p>"
    )


def _cell(diagnosis: Diagnosis, cell: AuditCell | None, span: float) -> str:
    if cell is None:
        return "<td></td>"
    strength = float(np.clip(abs(cell.observed.value) / span, 0, 1))
    kind = "up" if cell.observed.value >= 0 else "down"
    clear = cell.observed.low > 0 or cell.observed.high < 0
    state = f"{kind}{' guess' if cell.extrapolation else ''}{' clear' if clear and not cell.extrapolation else ''}"
    return (
        f'<td class="{state}" style="--s:{70 * strength:.0f}%" tabindex="-1" '
        f'data-said="{esc(said_of(diagnosis, cell))}">'
        f"{_short(cell.observed.value, span)}</td>"
    )


def _short(value: float, span: float) -> str:
    """The value with as many decimals as three figures of the largest one need; "0" where that leaves nothing."""
    digits = min(6, max(0, 2 - int(np.floor(np.log10(span)))))
    text = signed(value, digits)
    return text if text.strip("0.") else "0"


def said_of(diagnosis: Diagnosis, cell: AuditCell) -> str:
    """What the cell says in full (plain text)."""
    unit = diagnosis.outcomes.unit
    said = f"{cell.scope}, {cell.phrase}: {signed(cell.observed.value)} {unit} {bracketed(cell.observed)} observed"
    if cell.read is not None:
        said += f", {signed(cell.read.value)} {bracketed(cell.read)} read in the words"
    if cell.error_inside is not None:
        said += f"; {percent(cell.error_inside)} wrong against {percent(cell.error_outside)}"
    return f"{said}; {cell.support:,} images{'; an extrapolation' if cell.extrapolation else ''}."


def audit_csv(cells: Sequence[AuditCell]) -> bytes:
    """One line for each cell; a text that would start a formula is led by an apostrophe."""
    out = io.StringIO()
    write = csv.writer(out)
    names = (
        "phrase family scope support observed low high read read_low read_high error_inside error_outside extrapolation"
    )
    write.writerow(names.split())
    for c in cells:
        texts = [f"'{t}" if t[:1] in ("=", "+", "-", "@", "\t", "\r") else t for t in (c.phrase, c.family, c.scope)]
        read = ["", "", ""] if c.read is None else [c.read.value, c.read.low, c.read.high]
        rates = ["" if r is None else r for r in (c.error_inside, c.error_outside)]
        write.writerow(
            [*texts, c.support, c.observed.value, c.observed.low, c.observed.high, *read, *rates, c.extrapolation]
        )
    return out.getvalue().encode("utf-8")


def write_csv(cells: Sequence[AuditCell]) -> Path:
    """The CSV in a folder of its own with an unguessable name."""
    place = temporary_folder() / secrets.token_urlsafe(12)
    place.mkdir()
    (place / "audit.csv").write_bytes(audit_csv(cells))
    return place / "audit.csv"


def on_table(session: Session, family: str) -> tuple[Any, Any, Any]:
    """Make the table of the open run: returns (families, heat map, download)."""
    if not session.run:
        raise InvalidInput("No run is open. Open an example in Explore, or bring your own data.")
    diagnosis = RUNS.get(session.run)
    families = families_of(diagnosis)
    family = family if family in families else EVERY
    cells = cells_of(diagnosis, family)
    return (
        gr.update(choices=families, value=family),
        heat_map(diagnosis, cells),
        gr.update(value=str(write_csv(cells)), interactive=True),
    )


def build(session: gr.State) -> gr.HTML:
    """Lay out the accordion and wire it; returns the heat map."""
    with gr.Accordion("Audit: every phrase in every class", open=False, elem_id="audit") as fold:
        with gr.Row(elem_classes="audit-row"):
            family = gr.Dropdown(
                [EVERY], value=EVERY, label="Family of phrases", elem_id="family", min_width=180, scale=0
            )
            download = gr.DownloadButton(
                "Table (CSV)", interactive=False, size="sm", elem_id="audit-csv", scale=0, min_width=120
            )
        script = (SCRIPTS / "heat.js").read_text("utf-8")
        table = gr.HTML(CLOSED, js_on_load=script, elem_id="heat", apply_default_css=False, min_height=80)
    heavy: dict[str, Any] = dict(
        concurrency_id="compute", concurrency_limit=1, api_visibility="private", show_progress_on=table
    )
    for event in (fold.expand, family.input):
        event(shows_errors(on_table), [session, family], [family, table, download], **heavy)
    return table
