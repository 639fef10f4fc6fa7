"""A sentence tower that reads each text once."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from core.encoders.embedded.minilm import Sentences
from core.records import F32

MANY = 256
"""New texts at once that are worth a file for the other test processes: a vocabulary's prompts, never a test's few."""


def remembering(run: Sentences, shared: Path | None = None) -> Sentences:
    """The same vectors, each text's kept in memory: they do not depend on what else is read, to the last bit.

    A vocabulary's prompts take some twenty seconds to read, and many tests ask for the same. Test processes that name
    the same folder `shared`, of this one run of the tests, have them read once among them.
    """
    known: dict[tuple[str, int], F32] = {}
    taken: set[Path] = set()

    def learn(new: list[str], most: int) -> None:
        known.update(((text, most), row) for text, row in zip(new, run(new, most)))

    def learn_together(folder: Path, new: list[str], most: int) -> None:
        with _alone(folder):
            for path in sorted(set(folder.glob("*.npz")) - taken):
                taken.add(path)
                known.update(_kept(path))
            if new := [text for text in new if (text, most) not in known]:
                learn(new, most)
                taken.add(_keep(folder / f"{len(taken)}.npz", new, most, np.array([known[t, most] for t in new])))

    def read(texts: Sequence[str], most: int) -> F32:
        if new := [text for text in dict.fromkeys(texts) if (text, most) not in known]:
            if shared is None or len(new) < MANY or find_spec("fcntl") is None:
                learn(new, most)
            else:
                learn_together(shared, new, most)
        return np.array([known[text, most] for text in texts]) if texts else run(texts, most)

    return read


@contextmanager
def _alone(folder: Path) -> Generator[None]:
    """One process at a time; not by `core.locks`, which is among what is tested."""
    fcntl: Any = import_module("fcntl")
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _keep(path: Path, texts: list[str], most: int, vectors: F32) -> Path:
    part = path.with_suffix(".part")
    with part.open("wb") as opened:
        np.savez(opened, texts=np.array(json.dumps(texts)), most=most, vectors=vectors)
    return part.replace(path)


def _kept(path: Path) -> Iterator[tuple[tuple[str, int], F32]]:
    with np.load(path) as kept:
        for text, row in zip(json.loads(str(kept["texts"])), kept["vectors"], strict=True):
            yield (text, int(kept["most"])), row
