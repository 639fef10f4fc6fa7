"""Look up classes and functions by name; each is written as "module:attribute" and imported on use, so a table stays
light."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from core.errors import InvalidInput
from core.options import read_settings
from core.program import missing_dependency


class Registry(dict[str, str]):
    """A table of names, in listing order.

    Args:
        kind: kind of the entries, such as "probe".
        entries: name -> "module:attribute".
        otherwise: alternative to a name, for the message on an unknown one.
        more: further entries; called for a name outside `entries` and for a list of all.
    """

    def __init__(
        self,
        kind: str,
        entries: Mapping[str, str],
        otherwise: str = "",
        more: Callable[[], Mapping[str, str]] = dict[str, str],
    ) -> None:
        super().__init__(entries)
        self.kind = kind
        self.otherwise = otherwise
        self.more = more

    def every(self) -> dict[str, str]:
        """Return all entries, those of the table first."""
        further = {name: entry for name, entry in self.more().items() if name not in self}
        return {**self, **further}

    def load(self, name: str) -> Any:
        """Import the class or function of that name.

        Raises:
            InvalidInput: the name is unknown.
            MissingDependency: a required package is not installed.
        """
        entries = self if name in self else self.every()
        if name not in entries:
            raise InvalidInput(f"Unknown {self.kind} {name[:60]!r}. Use one of {', '.join(entries)}{self.otherwise}.")
        module, _, attribute = entries[name].partition(":")
        try:
            return getattr(import_module(module), attribute)
        except ModuleNotFoundError as error:
            needed = missing_dependency(error, f"The {self.kind} {name}", name)
            if needed is None or (error.name or "").partition(".")[0] == module.partition(".")[0]:
                raise
            raise needed from error

    def make(self, name: str, settings: Mapping[str, Any] | None = None) -> Any:
        """Make the dataclass of that name with these settings, also as text, and defaults for the others.

        Raises:
            InvalidInput: an unknown name or setting, or a value out of range.
            MissingDependency: as for `load`.
        """
        kind = self.load(name)
        return kind(**read_settings(kind, settings or {}))
