"""Runs on disk that somebody else changed."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from core.store.layout import STATE


def rewrite(path: Path, changed: Mapping[str, bytes | None]) -> None:
    """Put other bytes in the place of members of a zip, take them away (None), or add them."""
    with zipfile.ZipFile(path) as archive:
        held = {member: archive.read(member) for member in archive.infolist() if member.filename not in changed}
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in held.items():
            archive.writestr(member, content)
        for name, content in changed.items():
            if content is not None:
                archive.writestr(name, content)


def member(path: Path, name: str) -> bytes:
    """The bytes of one member."""
    with zipfile.ZipFile(path) as archive:
        return archive.read(name)


def edit_state(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change what the state of a stored run says."""
    said = json.loads(member(path, STATE))
    change(said)
    rewrite(path, {STATE: json.dumps(said).encode()})
