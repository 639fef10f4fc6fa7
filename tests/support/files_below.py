"""What lies below a folder in which a server is at work meanwhile."""

from __future__ import annotations

import os
from pathlib import Path


def files_below(folder: Path) -> list[Path]:
    """All files in it, at any depth; folders that go away meanwhile are passed over, where `rglob` would fail."""
    found = [Path(at, name) for at, _, names in os.walk(folder) for name in names]
    return [path for path in found if path.is_file()]
