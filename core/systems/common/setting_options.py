"""Options that come from the settings of a probe, an adapter or a training.

Nothing heavy is imported unless one of them is asked for, so that --help of all else answers at once.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Any

from core.cli.command import Option
from core.cli.terminal import say
from core.errors import DiagnosisError
from core.registry import Registry


def setting_options(into: str, title: str, of: Any, taken: Container[str] = ()) -> list[Option]:
    """An option for each setting of a dataclass, absent unless it is given; its value stays text.

    Args:
        into: the parameter, a dict, that they fill.
        title: the heading above them.
        of: the class of a probe, an adapter or `Training`.
        taken: options that mean something else; "--set-" is put before such a setting's name.
    """
    from core.options import settings_of

    found: list[Option] = []
    for setting in settings_of(of):
        name = setting.name.replace("_", "-")
        name = f"set-{name}" if f"--{name}" in taken else name
        flag = setting.kind == "bool"
        common: dict[str, Any] = {"is_flag": True, "default": None} if flag else {"type": str}
        if not flag:
            kinds = {"int": "N", "float": "X"}
            common["metavar"] = kinds.get(setting.kind, "FILE" if setting.widget == "file" else "TEXT")
        decls = [f"--{name}/--no-{name}" if flag else f"--{name}", f"{into}_{setting.name}"]
        found.append(Option(decls, key=f"{into}.{setting.name}", heading=title, help=describe(setting), **common))
    return found


def registered_options(registry: Registry, name: str, taken: Container[str], more: str = "") -> list[Option]:
    """The settings of the probe or adapter of that name as options, with what it does, and more that is said of it,
    above them; none if there is no such name."""
    if name not in registry:
        return []
    kind = registry.load(name)
    text = " ".join(filter(None, (more, about(kind))))
    return setting_options("settings", f"Settings of {kind.title}\n{text}", kind, taken)


def about(kind: Any) -> str:
    """What a probe or adapter does, and where it comes from."""
    return f"{kind.what} Source: {kind.source}."


def describe(setting: Any) -> str:
    """A setting's help with its choices, bounds and default (`core.options.Setting`)."""
    parts = [setting.help.rstrip(".")] if setting.help else []
    if setting.choices:
        parts.append(f"one of {', '.join(setting.choices)}")
    if setting.low is not None and setting.high is not None:
        parts.append(f"{setting.low:g} to {setting.high:g}")
    default = setting.default
    if isinstance(default, bool):
        default = "yes" if default else "no"
    elif default is None:
        default = "the method's"
    elif default == "":
        default = "none"
    return f"{'; '.join(parts)} (default {default})"


def print_registry(registry: Registry, more: Callable[[str, Any], str] | None = None) -> None:
    """Everything of a table: what it does, where it comes from, its settings, and more by its name and class."""
    from core.options import settings_of

    for name in registry:
        try:
            kind = registry.load(name)
            lines = [f"{kind.title}. {kind.what}", *([] if more is None else [more(name, kind)]), kind.source]
        except DiagnosisError as error:
            say(f"{name}\n    not here: {error}")
            continue
        say("\n    ".join([name, *lines]))
        for setting in settings_of(kind):
            say(f"      --{setting.name.replace('_', '-')}: {describe(setting)}")
