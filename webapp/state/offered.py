"""Stored runs that every visitor may open: the shipped examples, and those that the operator names."""

from __future__ import annotations

import threading
from pathlib import Path

from core import store
from core.records import Diagnosis


class Offered:
    """Where they lie, by their public ids; each is loaded once. Safe to share between threads."""

    def __init__(self) -> None:
        self._folders: dict[str, Path] = {}
        self._loaded: dict[str, Diagnosis] = {}
        self._lock = threading.Lock()

    def offer(self, folder: Path, name: str = "") -> str:
        """Let every visitor open the stored run in `folder`; returns its public id: the name, or that of an example."""
        name = name or f"example-{folder.parent.name}"
        if self._folders.get(name) != folder:
            self._loaded.pop(name, None)
        self._folders[name] = folder
        return name

    def __contains__(self, run: str) -> bool:
        return run in self._folders

    def folder(self, run: str) -> Path:
        """The folder of one that is there."""
        return self._folders[run]

    def get(self, run: str) -> Diagnosis:
        """One that is there; raises InvalidInput where it is damaged."""
        with self._lock:  # a second visitor waits for the first one's load instead of doing it twice
            if run not in self._loaded:
                self._loaded[run] = store.load(self._folders[run])
            return self._loaded[run]
