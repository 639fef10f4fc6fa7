"""Files written whole or not at all, and arrays stored without pickle."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

ASSETS = Path(__file__).resolve().parents[1] / "assets"
"""What ships with the code: examples, weights, phrases, prompts, styles."""


@contextmanager
def replacing(path: Path) -> Generator[Path]:
    """A temporary neighbour to write to, which takes the place of `path` once the block has ended well and is removed
    otherwise."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        yield part
        part.replace(path)
    finally:
        with suppress(FileNotFoundError):
            part.unlink()


def write_text(path: Path, text: str) -> None:
    """Write the file whole or not at all, in UTF-8."""
    with replacing(path) as part:
        part.write_text(text, "utf-8")


def write_json(path: Path, document: Any) -> None:
    """Write plain JSON values (no nan) for people and programs to read, whole or not at all."""
    write_text(path, json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def write_arrays(path: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Write numeric arrays to an npz, whole or not at all; any string may be a key."""
    # Numbered entries: a key with a slash would become a folder inside the zip.
    numbered: dict[str, Any] = {f"a{i}": array for i, array in enumerate(arrays.values())}
    with replacing(path) as part, part.open("wb") as file:
        np.savez_compressed(file, keys=np.array(list(arrays), dtype=np.str_), **numbered)


def read_arrays(path: Path) -> dict[str, npt.NDArray[Any]]:
    """The arrays that `write_arrays` wrote. An entry that would need pickle raises ValueError."""
    with np.load(path, allow_pickle=False) as file:
        return {str(key): file[f"a{i}"] for i, key in enumerate(file["keys"])}


def digest(path: Path) -> str:
    """SHA-256 of the file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
