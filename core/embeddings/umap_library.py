"""umap-learn, with its search for neighbors imported where one is made.

umap-learn imports pynndescent, which compiles for 20 CPU seconds once an installation and takes 2 in every process
after. Where the neighbors are known nothing of it is called, so stand-ins take its place in umap-learn until something
is.
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
"""Of the map. Whether pynndescent has it too is known, so that asking for it brings no other package."""
_USED = {
    "NNDescent": ("pynndescent", "NNDescent"),
    "pynn_named_distances": ("pynndescent.distances", "named_distances"),
    "pynn_sparse_named_distances": ("pynndescent.sparse", "sparse_named_distances"),
}
"""What `umap.umap_` calls it, the module that has it, and its name there."""
_lock = threading.Lock()


def load_umap(*, search: bool) -> Any:
    """The package `umap`. It stays whole for whoever else uses it in this process: what has a stand-in is imported when
    it is called.

    Args:
        search: whether neighbors will be sought; then pynndescent comes with it.
    """
    with _lock:
        if search or "umap" in sys.modules or "pynndescent" in sys.modules:
            umap = import_module("umap")
        else:
            try:
                with _stand_ins():
                    umap = import_module("umap")
            except Exception:  # another version of umap-learn, that takes more of pynndescent
                for name in [name for name in sys.modules if name.partition(".")[0] == "umap"]:
                    del sys.modules[name]
                umap = import_module("umap")
    if search:
        _bring_search()
    return umap


def _bring_search() -> None:
    """Put what the stand-ins stand for in their place."""
    umap = import_module("umap.umap_")
    for name, (module, there) in _USED.items():
        setattr(umap, name, getattr(import_module(module), there))


@contextmanager
def _stand_ins() -> Generator[None]:
    """Whoever imports pynndescent meanwhile gets these."""
    made = {module: ModuleType(module) for module, _ in _USED.values()}
    made["pynndescent"].NNDescent = _LateSearch  # type: ignore[attr-defined]
    for name, (module, there) in _USED.items():
        if name != "NNDescent":
            setattr(made[module], there, _LateDistances(name))
    sys.modules.update(made)
    try:
        yield
    finally:
        for module in made:
            del sys.modules[module]


class _Searches(type):
    """Takes for a search what pynndescent takes for one: whoever uses it by itself may hand its own to umap-learn."""

    def __instancecheck__(cls, instance: object) -> bool:
        real = getattr(sys.modules.get("pynndescent"), "NNDescent", None)
        return real is not None and isinstance(instance, real)


class _LateSearch(metaclass=_Searches):
    """In place of `pynndescent.NNDescent`: what is made of it is one."""

    def __new__(cls, *args: Any, **settings: Any) -> Any:
        _bring_search()
        return import_module("pynndescent").NNDescent(*args, **settings)


class _LateDistances(Mapping[str, Any]):
    """In place of a table of pynndescent's distances."""

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
