"""Options from the settings of a probe, an adapter or a training.

Heavy imports wait for such an option, so that --help of other commands stays fast.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Any

from core.cli.command import Option
from core.cli.terminal import say
from core.errors import DiagnosisError
from core.registry import Registry


def setting_options(into: str, title: str, of: Any, taken: Container[str] = ()) -> list[Option]:
    """An option for each setting of a dataclass, without a default; its value stays text.

    Args:
        into: the dict parameter that receives them.
        title: their heading in the help.
        of: the class of a probe, an adapter or `Training`.
        taken: options with another meaning; a setting of that name becomes "--set-NAME".
    """
    from core.options import settings_of

    options: list[Option] = []
    for setting in settings_of(of):
        name = setting.name.replace("_", "-")
        if f"--{name}" in taken:
            name = f"set-{name}"
        declaration = f"--{name}"
        if setting.kind == "bool":
            declaration += f"/--no-{name}"
            common: dict[str, Any] = {"is_flag": True, "default": None}
        else:
            metavar = {"int": "N", "float": "X"}.get(setting.kind, "TEXT")
            if setting.widget == "file":
                metavar = "FILE"
            common = {"type": str, "metavar": metavar}
        key = f"{into}.{setting.name}"
        parameters = [declaration, f"{into}_{setting.name}"]
        options.append(Option(parameters, key=key, heading=title, help=describe(setting), **common))
    return options


def registered_options(registry: Registry, name: str, taken: Container[str], more: str = "") -> list[Option]:
    """The settings of a registered probe or adapter as options, under a description; [] for an unknown name.

    Args:
        more: sentences before the description.
    """
    if name not in registry:
        return []
    kind = registry.load(name)
    text = " ".join(filter(None, (more, about(kind))))
    return setting_options("settings", f"Settings of {kind.title}\n{text}", kind, taken)


def about(kind: Any) -> str:
    """Description and source of a probe or adapter."""
    return f"{kind.what} Source: {kind.source}."


def describe(setting: Any) -> str:
    """The help of a `core.options.Setting` with its choices, bounds and default."""
    parts = list[str]()
    if setting.help:
        parts.append(setting.help.rstrip("."))
    if setting.choices:
        parts.append(f"one of {', '.join(setting.choices)}")
    if setting.low is not None and setting.high is not None:
        parts.append(f"{setting.low:g} to {setting.high:g}")
    words = {"None": "the method's", "True": "yes", "False": "no", "": "none"}
    default = str(setting.default)
    return f"{'; '.join(parts)} (default {words.get(default, default)})"


def print_registry(registry: Registry, more: Callable[[str, Any], str] | None = None) -> None:
    """Print each entry of a registry: description, source, settings, and `more` of its name and class."""
    from core.options import settings_of

    for name in registry:
        try:
            kind = registry.load(name)
            lines = [f"{kind.title}. {kind.what}"]
            if more is not None:
                lines.append(more(name, kind))
            lines.append(kind.source)
        except DiagnosisError as error:
            say(f"{name}\n    not here: {error}")
            continue
        say("\n    ".join([name, *lines]))
        for setting in settings_of(kind):
            say(f"      --{setting.name.replace('_', '-')}: {describe(setting)}")
