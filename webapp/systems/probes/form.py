"""The form that runs a probe: one card for each probe, and controls for its settings. `probe.js` reads it."""

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
MAX_SLIDER_STEPS = 400
"""A whole number with at most this many steps gets a slider."""
IMAGE_CHOICES = {"templates": ("7", "80")}
"""Choices that describe photographs, not offered for other samples."""
SPLITS = (
    ("halves", "two halves, each for the other"),
    ("column", "train on the table’s train rows, score its test rows"),
)
"""Choices for the training rows, if the table has a split column."""
FOLDERS = (("auto", "classes, if most have a class’s name"), ("classes", "classes"), ("none", "not classes"))
"""Meanings of a pool's folders."""


def cards(diagnosis: Diagnosis, chosen: str = FIRST, run: str = "") -> str:
    """The probes as radio cards with title, question, description and source. A probe cannot be chosen if its module is
    missing or it does not fit these samples."""
    rows: list[dict[str, Any]] = []
    for name in PROBES:
        probe = None
        reason = ""
        try:
            probe = available(name)
            reason = unfit(name, diagnosis)
        except InvalidInput:
            pass
        is_off = probe is None or bool(reason)
        asked = question_of(name).asked
        is_chosen = name == chosen and not is_off
        rows.append(
            {"name": name, "probe": probe, "asked": asked, "unfit": reason, "is_chosen": is_chosen, "is_off": is_off}
        )
    return render("cards.html.j2", cards=rows, run=run, binding=BINDING)


def needs_pool(name: str) -> bool:
    """Whether the probe, with its defaults, uses a pool of unlabeled images; False if it is not available."""
    try:
        return bool(available(name)().needs().pool)
    except InvalidInput:
        return False


def takes_shots(name: str) -> bool:
    """Whether the probe, with its defaults, learns from several shots; False if it is not available."""
    try:
        return available(name)().needs().shots > 1
    except InvalidInput:
        return False


def controls(name: str, diagnosis: Diagnosis) -> str:
    """The probe's settings as a form, with expert settings and the seed folded, and buttons to run and cancel.

    Raises:
        InvalidInput: the probe is not available.
    """
    modality = diagnosis.samples.modality
    known = [s for s in settings_of(available(name)) if not is_path(s)]
    column = diagnosis.samples.splits
    has_split = column is not None and {"train", "test"} <= set(column.astype(str).tolist())
    return render(
        "form.html.j2",
        name=name,
        question=question_of(name),
        usual=[_control(s, modality) for s in known if not s.advanced],
        more=[_control(s, modality) for s in known if s.advanced],
        fewer=takes_shots(name),
        folders=FOLDERS if needs_pool(name) and modality == "image" else (),
        splits=SPLITS if has_split else (),
    )


def _control(setting: Setting, modality: str) -> dict[str, Any]:
    value = "" if setting.default is None else str(setting.default)
    hidden: tuple[str, ...] = ()
    if modality != "image":
        hidden = IMAGE_CHOICES.get(setting.name, ())
    choices = [(c, c, c == value) for c in setting.choices or () if c not in hidden]
    if setting.optional:
        choices.insert(0, ("", "automatic", value == ""))
    return {
        "setting": setting,
        "name": setting.name,
        "kind": _kind(setting),
        "value": value,
        "choices": choices,
        "step": "1" if setting.kind == "int" else "any",
        "low": "" if setting.low is None else f"{setting.low:g}",
        "high": "" if setting.high is None else f"{setting.high:g}",
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
    if setting.kind == "int" and setting.high - setting.low > MAX_SLIDER_STEPS:
        return "number"
    return "slider"


def read_press(event: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """(probe, settings) of a submitted form; untrusted, since it comes from the browser."""
    settings = event.get("settings")
    if not isinstance(settings, Mapping):
        settings = {}
    return str(event.get("probe", ""))[:60], dict(settings)
