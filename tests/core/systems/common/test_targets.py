"""What is not to be told is one number, which PyTorch knows."""

from __future__ import annotations

import re
from pathlib import Path

import torch

from core.systems.common.targets import IGNORED


def test_cross_entropy_passes_over_it_and_it_is_written_by_hand_nowhere_else(repository: Path) -> None:
    assert torch.nn.CrossEntropyLoss().ignore_index == IGNORED
    named = re.compile(rf"^\w+ = {IGNORED}$", re.MULTILINE)
    found = [path.name for path in (repository / "core").rglob("*.py") if named.search(path.read_text("utf-8"))]
    assert found == ["targets.py"]
