"""Where the output goes: terminals of few characters, full disks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_a_terminal_of_few_characters_still_gets_the_result(repository: Path, encoding: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "core", "export", "assets/examples/scenes/run.errata", "--what", "insights"],
        cwd=repository,
        env={**os.environ, "PYTHONIOENCODING": encoding},
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_one_line(repository: Path) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "core", "encoders"], cwd=repository, stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert done.returncode in (2, 120)  # 120: Python itself, which flushes once more when it ends
    assert done.stderr.startswith("errata: Cannot write the output: ")
    assert "Traceback" not in done.stderr
