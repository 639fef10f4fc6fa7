"""The form that runs a probe: its method, and controls for its settings. `probe.js` reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.errors import InvalidInput
from core.options import Setting, settings_of
from core.records import Diagnosis
from core.systems.probes import PROBES
from core.systems.probes.base import Needs
from core.systems.probes.questions import BINDING, question_of
from webapp.systems.probes.inputs import available, is_path, unfit
from webapp.systems.probes.render import render

FIRST = "zero-shot"
FEW = "lp++"
"""The method called few-shot."""
TITLES = {FIRST: "Zero-shot", FEW: "Few-shot"}
"""Titles of the methods that are offered first."""
FEW_SHOTS = "16"
"""The most shots of few-shot; its curve has 1, 2, 4, 8 and 16."""
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


def methods(diagnosis: Diagnosis, chosen: str) -> list[dict[str, Any]]:
    """Every probe as a choice: its name, title, question or the reason that it cannot run here, and whether it is
    chosen."""
    choices: list[dict[str, Any]] = []
    for name in PROBES:
        title = TITLES.get(name, name)
        reason = ""
        try:
            title = TITLES.get(name, available(name).title)
            reason = unfit(name, diagnosis)
        except InvalidInput:
            reason = "Not installed."
        choices.append(
            {
                "name": name,
                "title": title,
                "text": reason or question_of(name).asked,
                "is_off": bool(reason),
                "is_chosen": name == chosen,
            }
        )
    return choices


def needs_of(name: str) -> Needs:
    """What the probe needs with its defaults; nothing if it is not available."""
    try:
        return available(name)().needs()
    except InvalidInput:
        return Needs()


def controls(name: str, diagnosis: Diagnosis) -> str:
    """The methods, the chosen one's settings folded, and buttons to run and cancel.

    Raises:
        InvalidInput: the probe is not available.
    """
    modality = diagnosis.samples.modality
    settings = [_control(s, modality) for s in settings_of(available(name)) if not is_path(s)]
    if name == FEW:
        settings = [{**c, "value": FEW_SHOTS} if c["name"] == "shots" else c for c in settings]
    column = diagnosis.samples.splits
    has_split = column is not None and {"train", "test"} <= set(column.astype(str).tolist())
    choices = methods(diagnosis, name)
    needs = needs_of(name)
    return render(
        "form.html.j2",
        name=name,
        question=question_of(name),
        first=[c for c in choices if c["name"] in TITLES],
        others=[c for c in choices if c["name"] not in TITLES],
        binding=BINDING,
        settings=settings,
        fewer=needs.shots > 1,
        is_few=name == FEW,
        folders=FOLDERS if needs.pool and modality == "image" else (),
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
