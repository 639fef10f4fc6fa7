"""Things by name, each written as "module:attribute" and imported when it is asked for, so that a table stays light."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from core.errors import InvalidInput
from core.options import read_settings
from core.program import missing_dependency


class Registry(dict[str, str]):
    """A table of names, in the order in which they are listed.

    Args:
        kind: what stands behind a name, such as "probe".
        entries: name -> "module:attribute".
        otherwise: what may be given instead of a name, for the message that refuses an unknown one.
        more: further entries, asked for when a name is none of `entries` or all are needed.
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
        """All entries, its own first."""
        return {**self, **{name: entry for name, entry in self.more().items() if name not in self}}

    def load(self, name: str) -> Any:
        """The class or function of that name.

        Raises:
            InvalidInput: there is none.
            MissingDependency: a package that it needs is not installed.
        """
        entries = self if name in self else self.every()
        if name not in entries:
            raise InvalidInput(
                f"There is no {self.kind} {name[:60]!r}. Use one of {', '.join(entries)}{self.otherwise}."
            )
        module, _, attribute = entries[name].partition(":")
        try:
            return getattr(import_module(module), attribute)
        except ModuleNotFoundError as error:
            needed = missing_dependency(error, f"The {self.kind} {name}", name)
            if needed is None or (error.name or "").partition(".")[0] == module.partition(".")[0]:
                raise
            raise needed from error

    def make(self, name: str, settings: Mapping[str, Any] | None = None) -> Any:
        """The dataclass of that name with these settings, also as text; the others at their defaults.

        Raises:
            InvalidInput: there is no such name or setting, or a value is out of range.
            MissingDependency: as of `load`.
        """
        kind = self.load(name)
        return kind(**read_settings(kind, settings or {}))
