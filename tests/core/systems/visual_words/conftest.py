"""What the encoder said of pictures' cells, for all files of these tests."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def cells(together: Path) -> Path:
    """A cache that keeps what the encoder said of the pictures' cells; words are made anew each time."""
    return together / "cells"
