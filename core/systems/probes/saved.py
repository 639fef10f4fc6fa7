"""Where a probe writes what it learned: into a folder that can be written to, over no file that is there."""

from __future__ import annotations

import os
from pathlib import Path

from core.errors import InvalidInput


def check_place(path: Path, what: str) -> None:
    """Make the folder of a file that is to be written, before the work and not after it.

    Args:
        what: for the message, such as "Prompts".

    Raises:
        InvalidInput: it cannot be made or written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        writable = os.access(path.parent, os.W_OK)
    except OSError as error:
        raise InvalidInput(
            f"{what} cannot be saved at {path}: {error.strerror or error}. Choose another place."
        ) from error
    if not writable:
        raise InvalidInput(f"{what} cannot be saved at {path}: its folder cannot be written to. Choose another place.")


def free_place(path: Path) -> Path:
    """The path as an .npz; where a file is there, which is kept, with the next free number behind the name."""
    path = path if path.suffix == ".npz" else path.with_name(path.name + ".npz")
    free = path
    i = 2
    while free.exists():
        free = path.with_name(f"{path.stem}-{i}.npz")
        i = i + 1
    return free
