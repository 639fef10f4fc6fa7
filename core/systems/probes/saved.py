"""Where a probe writes what it learned: into a writable folder, never over an existing file."""

from __future__ import annotations

import os
from pathlib import Path

from core.errors import InvalidInput


def check_writable(path: Path, what: str) -> None:
    """Create the folder of a file before the long work that ends with writing it.

    Args:
        what: for the message, such as "prompts".

    Raises:
        InvalidInput: the folder cannot be created or written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        writable = os.access(path.parent, os.W_OK)
    except OSError as error:
        raise InvalidInput(f"Cannot save {what} at {path}: {error.strerror or error}. Use another path.") from error
    if not writable:
        raise InvalidInput(f"Cannot save {what} at {path}: the folder is not writable. Use another path.")


def free_path(path: Path) -> Path:
    """The path with the suffix .npz; if that file exists, with the next free number after the name."""
    if path.suffix != ".npz":
        path = path.with_name(path.name + ".npz")
    free = path
    i = 2
    while free.exists():
        free = path.with_name(f"{path.stem}-{i}.npz")
        i = i + 1
    return free
