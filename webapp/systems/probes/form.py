"""The form that runs a probe: one card for each probe, and controls made of its settings. `probe.js` reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.errors import InvalidInput
from core.options import Setting, settings_of
from core.records import Diagnosis
from core.systems.probes import PROBES
from core.systems.probes.questions import BINDING, question_of
from webapp.systems.probes.inputs import available, is_path, unfit
from webapp.systems.probes.render import render

FIRST = "zero-shot"
MAX_ON_SLIDER = 400
"""A whole number of at most so many steps gets a slider beside its field."""
OF_PICTURES = {"templates": ("7", "80")}
"""Choices that speak of photographs: they are not offered for other samples."""
SPLITS = (
    ("halves", "two halves teach each other"),
    ("column", "the table’s train rows teach, its test rows are scored"),
)
"""Which rows teach, where the table says it."""
FOLDERS = (
    ("auto", "classes, if most are called like one"),
    ("classes", "they are classes"),
    ("none", "they say nothing"),
)
"""What the folders of a pool of images are."""


def cards(diagnosis: Diagnosis, chosen: str = FIRST, run: str = "") -> str:
    """The probes as radio cards: title, question, what it does, its source; one whose module is missing, or that is
    not for these samples, cannot be chosen."""
    told = [_card(name, chosen, diagnosis) for name in PROBES]
    return render("cards.html.j2", cards=told, run=run, binding=BINDING)


def _card(name: str, chosen: str, diagnosis: Diagnosis) -> dict[str, Any]:
    try:
        probe = available(name)
        why = unfit(name, diagnosis)
    except InvalidInput:
        probe = None
        why = ""
    chosen_here = name == chosen and probe is not None and not why
    asked = question_of(name).asked
    told = {"name": name, "probe": probe, "asked": asked, "unfit": why}
    return told | {"is_chosen": chosen_here, "is_off": probe is None or bool(why)}


def needs_pool(name: str) -> bool:
    """Whether the probe, with its defaults, makes a support set of unlabeled images; False where it is not
    available."""
    try:
        return bool(available(name)().needs().pool)
    except InvalidInput:
        return False


def takes_shots(name: str) -> bool:
    """Whether the probe, with its defaults, learns from several shots; False where it is not available."""
    try:
        return available(name)().needs().shots > 1
    except InvalidInput:
        return False


def controls(name: str, diagnosis: Diagnosis) -> str:
    """The probe's settings as a form, those for experts and the seed folded away, with the buttons that run and stop
    it.

    Raises:
        InvalidInput: there is no such probe here.
    """
    known = [s for s in settings_of(available(name)) if not is_path(s)]
    told = diagnosis.samples.splits
    return render(
        "form.html.j2",
        name=name,
        question=question_of(name),
        usual=[_control(s, diagnosis.samples.modality) for s in known if not s.advanced],
        more=[_control(s, diagnosis.samples.modality) for s in known if s.advanced],
        fewer=takes_shots(name),
        folders=FOLDERS if needs_pool(name) and diagnosis.samples.modality == "image" else (),
        splits=SPLITS if told is not None and {"train", "test"} <= set(told.astype(str).tolist()) else (),
    )


def _control(setting: Setting, modality: str) -> dict[str, Any]:
    low, high = (f"{v:g}" if v is not None else "" for v in (setting.low, setting.high))
    value = "" if setting.default is None else str(setting.default)
    others = OF_PICTURES.get(setting.name, ()) if modality != "image" else ()
    offered = (c for c in setting.choices or () if c not in others)
    named = (*([("", "automatic")] if setting.optional else []), *((c, c) for c in offered))
    return {
        "setting": setting,
        "name": setting.name,
        "kind": _kind(setting),
        "value": value,
        "choices": [(key, title, key == value) for key, title in named],
        "step": "1" if setting.kind == "int" else "any",
        "low": low,
        "high": high,
    }


def _kind(setting: Setting) -> str:
    """ "switch", "list", "lines", "slider", "number" or "line"."""
    if setting.kind == "bool":
        return "switch"
    if setting.choices:
        return "list"
    if setting.widget in ("text", "file"):
        return "lines"
    if setting.kind not in ("int", "float"):
        return "line"
    if setting.low is None or setting.high is None or setting.optional or setting.high <= setting.low:
        return "number"
    return "number" if setting.kind == "int" and setting.high - setting.low > MAX_ON_SLIDER else "slider"


def read_press(said: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """(probe, settings) of a form that was sent: it comes from the browser, so nothing about it is trusted."""
    settings = said.get("settings")
    return str(said.get("probe", ""))[:60], dict(settings) if isinstance(settings, Mapping) else {}
