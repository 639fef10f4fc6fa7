"""The form that runs a probe, as markup: one card for each probe, and controls made of its settings. `probe.js` reads
it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.errors import InvalidInput
from core.options import Setting, settings_of
from core.probes import PROBES
from core.records import Diagnosis
from webapp.markup.html import esc
from webapp.probe.state import available, is_path

FIRST = "zero-shot"
MAX_ON_SLIDER = 400
"""A whole number of at most so many steps gets a slider beside its field."""


def cards(chosen: str = FIRST, run: str = "") -> str:
    """The probes as radio cards: title, what it does, its source; one whose module is missing cannot be chosen.

    The run stands in the markup, so that the page draws the cards anew where another run is opened.
    """
    body = ""
    for name in PROBES:
        try:
            probe, why = available(name), ""
        except InvalidInput:
            probe, why = None, "Not available in this installation."
        title, what, source = (name, why, "") if probe is None else (probe.title, probe.what, probe.source)
        state = f"{' checked' if name == chosen and probe else ''}{' disabled' if probe is None else ''}"
        body += (
            f'<label class="probe-card{"" if probe else " missing"}"><input type="radio" name="probe" '
            f'value="{esc(name)}"{state}>'
            f"<span><b>{esc(title)}</b><span>{esc(what)}</span><small>{esc(source)}</small></span></label>"
        )
    return f'<fieldset class="probe-cards" data-run="{esc(run)}"><legend>1. Choose a probe</legend>{body}</fieldset>'


def needs_pool(name: str) -> bool:
    """Whether the probe, with its defaults, makes a support set of unlabelled images; False where it is not
    available."""
    try:
        return bool(available(name)().needs().pool)
    except InvalidInput:
        return False


def controls(name: str, diagnosis: Diagnosis) -> str:
    """The probe's settings as a form, those for experts and the seed folded away, with the buttons that run and stop
    it.

    Raises:
        InvalidInput: there is no such probe here.
    """
    known = settings_of(available(name))
    usual = "".join(_control(s) for s in known if not s.advanced)
    more = "".join(_control(s) for s in known if s.advanced) + _seed()
    splits = _split(diagnosis)
    return (
        f'<form class="probe-form" data-probe="{esc(name)}" novalidate><h2>2. Settings</h2>{usual}{splits}'
        f'<details><summary>More settings</summary><div class="probe-more">{more}</div></details>'
        '<p class="estimate" role="status" aria-live="polite"></p>'
        '<div class="probe-buttons"><button type="submit" class="probe-run">Run the probe</button>'
        '<button type="button" class="probe-cancel" data-cancel>Cancel</button></div></form>'
    )


def _label(setting: Setting) -> str:
    return esc(setting.name.replace("_", " ").capitalize())


def _help(setting: Setting) -> str:
    return f'<small id="help-{esc(setting.name)}">{esc(setting.help)}</small>' if setting.help else ""


def _control(setting: Setting) -> str:
    """One setting: a switch, a list, several lines with a file to fill them from, a number with its slider, or a
    line."""
    if is_path(setting):
        return ""
    name = esc(setting.name)
    about = f' aria-describedby="help-{name}"' if setting.help else ""
    ident = f'id="set-{name}" data-setting="{name}"{about}'
    value = "" if setting.default is None else str(setting.default)
    head = f'<label for="set-{name}">{_label(setting)}</label>'
    if setting.kind == "bool":
        state = " checked" if setting.default else ""
        return f'<div class="control switch"><input type="checkbox" {ident}{state}>{head}{_help(setting)}</div>'
    if setting.choices:
        first = [("", "automatic")] if setting.optional else []
        items = [*first, *((c, c) for c in setting.choices)]
        options = "".join(
            f'<option value="{esc(v)}"{" selected" if v == value else ""}>{esc(t)}</option>' for v, t in items
        )
        return f'<div class="control">{head}<select {ident}>{options}</select>{_help(setting)}</div>'
    if setting.widget in ("text", "file"):
        lines = f'<textarea {ident} rows="4" spellcheck="false">{esc(value)}</textarea>'
        return f'<div class="control wide">{head}{lines}{_upload(setting)}{_help(setting)}</div>'
    if setting.kind in ("int", "float"):
        return f'<div class="control">{head}{_number(setting, ident, value)}{_help(setting)}</div>'
    return f'<div class="control">{head}<input type="text" {ident} value="{esc(value)}">{_help(setting)}</div>'


def _upload(setting: Setting) -> str:
    """A file whose text fills the lines above it: it is read in the browser."""
    name = esc(setting.name)
    return (
        f'<span class="fill"><label for="fill-{name}">Fill from a file</label>'
        f'<input type="file" id="fill-{name}" data-fill="set-{name}" accept=".json,.txt,.csv"></span>'
    )


def _number(setting: Setting, ident: str, value: str) -> str:
    bounds = "".join(f' {edge}="{v:g}"' for edge, v in (("min", setting.low), ("max", setting.high)) if v is not None)
    step = "1" if setting.kind == "int" else "any"
    empty = ' placeholder="as the method has it"' if setting.optional else ""
    field = f'<input type="number" {ident} value="{esc(value)}" step="{step}"{bounds}{empty}>'
    if setting.low is None or setting.high is None or setting.optional or setting.high <= setting.low:
        return field
    if setting.kind == "int" and setting.high - setting.low > MAX_ON_SLIDER:
        return field
    slider = (
        f'<input type="range" data-beside="set-{esc(setting.name)}" value="{esc(value)}" step="{step}"{bounds} '
        'tabindex="-1" aria-hidden="true">'
    )
    return f'<span class="slide">{slider}{field}</span>'


def _seed() -> str:
    return (
        '<div class="control"><label for="set-seed">Seed</label><input type="number" id="set-seed" '
        'data-setting="seed" value="0" min="0" step="1" '
        'aria-describedby="help-seed"><small id="help-seed">what is drawn at random: halves, shots, '
        "control words</small></div>"
    )


def _split(diagnosis: Diagnosis) -> str:
    """Which rows teach, where the table says it."""
    said = diagnosis.samples.splits
    if said is None or not {"train", "test"} <= set(said.astype(str).tolist()):
        return ""
    ways = (
        ("halves", "two halves teach each other"),
        ("column", "the table’s train rows teach, its test rows are scored"),
    )
    options = "".join(f'<option value="{key}">{said}</option>' for key, said in ways)
    choice = f'<select id="set-split" data-setting="split">{options}</select>'
    return f'<div class="control wide"><label for="set-split">Which images teach</label>{choice}</div>'


def read_press(said: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """(probe, settings) of a form that was sent: it comes from the browser, so nothing about it is trusted."""
    settings = said.get("settings")
    return str(said.get("probe", ""))[:60], dict(settings) if isinstance(settings, Mapping) else {}
