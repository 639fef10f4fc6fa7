"""A failing test runs once more alone: what passes there is flaky, and all else fails the part."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.part import MAX_RETRIED, run

FLAKY = """
from pathlib import Path
def test_passes_the_second_time():
    ran = Path({ran!r})
    before = ran.exists()
    ran.touch()
    assert before
"""


@pytest.fixture
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """The files that the part appends to."""
    files = {name: tmp_path / name for name in ("FAILED", "FLAKY", "COUNTS")}
    for name, path in files.items():
        path.touch()
        monkeypatch.setenv(f"ERRATA_{name}", str(path))
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    monkeypatch.chdir(tmp_path)
    return files


def run_part(folder: Path, text: str) -> int:
    file = folder / "test_one.py"
    file.write_text(text, "utf-8")
    return run("part", ["-q", "--rootdir", str(folder), str(file)])


def test_a_flaky_test_is_noted_and_does_not_fail_the_part(tmp_path: Path, notes: dict[str, Path]) -> None:
    passing = "\ndef test_passes():\n    pass\n"
    assert run_part(tmp_path, FLAKY.format(ran=str(tmp_path / "ran")) + passing) == 0
    assert notes["FLAKY"].read_text().count("test_passes_the_second_time") == 1
    assert notes["FAILED"].read_text() == ""
    assert notes["COUNTS"].read_text() == "2 0\n"


def test_a_real_failure_fails_the_part_and_names_the_command(tmp_path: Path, notes: dict[str, Path]) -> None:
    text = FLAKY.format(ran=str(tmp_path / "ran")) + "\ndef test_fails():\n    assert not 1\n"
    assert run_part(tmp_path, text) == 1
    assert notes["FAILED"].read_text() == "part: scripts/test 'test_one.py::test_fails'\n"
    assert notes["COUNTS"].read_text() == "1 1\n"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("import no_such_module\n", id="a file that cannot be imported"),
        pytest.param("", id="no test at all"),
        pytest.param(
            FLAKY
            + "\nimport pytest\n@pytest.fixture\ndef broken():\n    raise OSError\ndef test_it(broken):\n    pass\n",
            id="a set-up that fails",
        ),
        pytest.param(
            "from pathlib import Path\nimport pytest\ndef test_it():\n    ran = Path({ran!r})\n    if ran.exists():\n"
            "        pytest.skip()\n    ran.touch()\n    assert False\n",
            id="a test that is skipped alone",
        ),
        pytest.param(
            "from pathlib import Path\nimport pytest\n"
            f"@pytest.mark.parametrize('i', range({MAX_RETRIED + 1}))\n"
            "def test_it(i):\n    ran = Path({ran!r} + str(i))\n    before = ran.exists()\n    ran.touch()\n"
            "    assert before\n",
            id="more failures than are retried",
        ),
    ],
)
def test_what_is_no_flaky_test_fails_the_part(text: str, tmp_path: Path, notes: dict[str, Path]) -> None:
    assert run_part(tmp_path, text.replace("{ran!r}", repr(str(tmp_path / "ran")))) != 0
    assert notes["FAILED"].read_text() != ""
