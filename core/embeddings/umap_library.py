"""Import umap-learn without its neighbor search until that is used.

umap-learn imports pynndescent, which compiles for 20 CPU seconds once per installation and then takes 2 seconds in
every process. With known neighbors it is never called, so stand-ins replace it in umap-learn until it is.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any

METRIC = "cosine"
"""Metric of the map. It is known that pynndescent has it, so checking for it imports no package."""
_USED = {
    "NNDescent": ("pynndescent", "NNDescent"),
    "pynn_named_distances": ("pynndescent.distances", "named_distances"),
    "pynn_sparse_named_distances": ("pynndescent.sparse", "sparse_named_distances"),
}
"""Name in `umap.umap_`, the module that defines it, and its name there."""
_lock = threading.Lock()


def load_umap(*, search: bool) -> Any:
    """Import the package `umap`. Other users in this process get it complete: a stand-in imports the original when
    called.

    Args:
        search: whether neighbors will be searched; imports pynndescent too.
    """
    with _lock:
        if search or "umap" in sys.modules or "pynndescent" in sys.modules:
            umap = import_module("umap")
        else:
            try:
                with _stand_ins():
                    umap = import_module("umap")
            except Exception:  # another version of umap-learn, which imports more of pynndescent
                for name in [name for name in sys.modules if name.partition(".")[0] == "umap"]:
                    del sys.modules[name]
                umap = import_module("umap")
    if search:
        _bring_search()
    return umap


def _bring_search() -> None:
    """Replace the stand-ins by the originals."""
    umap = import_module("umap.umap_")
    for name, (module, original) in _USED.items():
        setattr(umap, name, getattr(import_module(module), original))


@contextmanager
def _stand_ins() -> Generator[None]:
    """Provide stand-ins to imports of pynndescent inside the block."""
    stand_ins = {module: ModuleType(module) for module, _ in _USED.values()}
    stand_ins["pynndescent"].NNDescent = _LateSearch  # type: ignore[attr-defined]
    for name, (module, original) in _USED.items():
        if name != "NNDescent":
            setattr(stand_ins[module], original, _LateDistances(name))
    sys.modules.update(stand_ins)
    try:
        yield
    finally:
        for module in stand_ins:
            del sys.modules[module]


class _Searches(type):
    """Accepts instances of pynndescent's search, which other code can pass to umap-learn."""

    def __instancecheck__(cls, instance: object) -> bool:
        real = getattr(sys.modules.get("pynndescent"), "NNDescent", None)
        return real is not None and isinstance(instance, real)


class _LateSearch(metaclass=_Searches):
    """Stand-in for `pynndescent.NNDescent`; instances are originals."""

    def __new__(cls, *args: Any, **settings: Any) -> Any:
        _bring_search()
        return import_module("pynndescent").NNDescent(*args, **settings)


class _LateDistances(Mapping[str, Any]):
    """Stand-in for a table of pynndescent's distances."""

    def __init__(self, name: str) -> None:
        self._name = name

    def _real(self) -> dict[str, Any]:
        _bring_search()
        return getattr(import_module("umap.umap_"), self._name)

    def __contains__(self, metric: object) -> bool:
        return metric == METRIC or metric in self._real()

    def __getitem__(self, metric: str) -> Any:
        return self._real()[metric]

    def __iter__(self) -> Iterator[str]:
        return iter(self._real())

    def __len__(self) -> int:
        return len(self._real())
