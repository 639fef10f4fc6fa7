"""A small set of detections that a test may change."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.detections import Made, make


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return make(tmp_path)
