"""Other packages' telemetry: off before they are imported, whatever the user's environment says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.telemetry import OFF

REPOSITORY = Path(__file__).resolve().parents[2]
SHOW = f"import os; print(sorted(name for name, value in {OFF!r}.items() if os.environ.get(name) != value))"


def run(code: str, home: Path, **given: str) -> subprocess.CompletedProcess[str]:
    """Run Python code in a process of its own, whose home and temporary folder are the empty folder `home`."""
    kept = {name: value for name, value in os.environ.items() if name not in OFF and not name.startswith("XDG_")}
    env = {**kept, "HOME": str(home), "TMPDIR": str(home), "PYTHONDONTWRITEBYTECODE": "1", **given}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=env, cwd=REPOSITORY, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("entry", ["core", "core.diagnose", "core.cli.main", "webapp"])
def test_every_way_in_switches_telemetry_off(entry: str, tmp_path: Path) -> None:
    assert run(f"import {entry}; {SHOW}", tmp_path).stdout.strip() == "[]"


def test_the_users_environment_does_not_switch_it_on(tmp_path: Path) -> None:
    found = run(f"import core; {SHOW}", tmp_path, ORT_DISABLE_TELEMETRY="0", GRADIO_ANALYTICS_ENABLED="True")
    assert found.stdout.strip() == "[]"


def test_onnxruntime_leaves_no_device_id_and_no_event_file(tmp_path: Path) -> None:
    """What it writes as soon as it is imported; that it also looks a host up takes a watch by system calls."""
    pytest.importorskip("onnxruntime")
    code = "from core.encoders.embedded.lite0_runtime import usable_cores; import onnxruntime; print('ran')"
    assert run(code, tmp_path).stdout.strip() == "ran"
    assert not [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()]


def test_an_onnxruntime_that_came_first_is_told_and_one_with_its_switch_is_not(tmp_path: Path) -> None:
    code = "import sys, types; sys.modules['onnxruntime'] = types.ModuleType('onnxruntime'); import core"
    assert "Import core first, or set ORT_DISABLE_TELEMETRY=1" in run(code, tmp_path).stderr
    assert run(code, tmp_path, ORT_DISABLE_TELEMETRY="1").stderr == ""


def test_the_hubs_client_that_was_there_before_is_told_too(tmp_path: Path) -> None:
    code = "from huggingface_hub import constants; import core; print(constants.HF_HUB_DISABLE_TELEMETRY)"
    assert run(code, tmp_path, HF_HUB_DISABLE_TELEMETRY="0").stdout.strip() == "True"
