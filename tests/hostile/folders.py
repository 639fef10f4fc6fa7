"""Folders that mean harm, as the command line takes them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from tests.hostile import case
from tests.hostile.making import picture, pictures

Made = dict[str, Any]
REFUSED = r"^refused: .*"


@case("folder: links out of it, to itself and to devices", "archive", "^left out: .*not followed")
def _(folder: Path) -> Made:
    root = folder / "pictures"
    root.mkdir()
    for name, data in pictures(2).items():
        (root / name).write_bytes(data)
    for name, target in (
        ("passwd.png", "/etc/passwd"),
        ("zero.png", "/dev/zero"),
        ("loop", "."),
        ("self.png", "self.png"),
    ):
        (root / name).symlink_to(target)
    return {"path": str(root)}


@case("folder: a named pipe", "archive", "^left out: .*device, pipe, or sparse")
def _(folder: Path) -> Made:
    root = folder / "pictures"
    root.mkdir()
    (root / "a.png").write_bytes(picture())
    os.mkfifo(root / "pipe.png")
    return {"path": str(root)}


@case("folder: a name that is no UTF-8", "archive", REFUSED + "UTF-8")
def _(folder: Path) -> Made:
    root = folder / "pictures"
    root.mkdir()
    (root / "a\udcff.png").write_bytes(picture())
    return {"path": str(root)}
