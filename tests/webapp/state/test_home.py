"""The server's own folder, and what killed servers left."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from core.files import sweep_folders
from webapp.state.home import PREFIX, home, part

LIVING = """
import sys, tempfile
tempfile.tempdir = sys.argv[1]
from webapp.state.home import part
(part("runs") / "secret").write_text("a visitor's")
print(part("runs"), flush=True)
sys.stdin.read()
"""


def living(parent: Path, repository: Path) -> subprocess.Popen[str]:
    """A process that holds a home below `parent` until its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", LIVING, str(parent)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=repository,
    )
    assert process.stdout is not None
    assert process.stdout.readline()
    return process


def test_a_killed_server_s_folder_is_swept_and_a_living_one_s_stays(tmp_path: Path, repository: Path) -> None:
    process = living(tmp_path, repository)
    assert sweep_folders(PREFIX, tmp_path) == 0
    assert [path.read_text() for path in tmp_path.rglob("secret")] == ["a visitor's"]
    process.kill()
    process.communicate()
    assert list(tmp_path.rglob("secret"))
    assert sweep_folders(PREFIX, tmp_path) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_ends_in_order_takes_its_folder_with_it(tmp_path: Path, repository: Path) -> None:
    living(tmp_path, repository).communicate()
    assert list(tmp_path.iterdir()) == []


def test_links_and_other_folders_are_nobody_s_home(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "kept").write_text("")
    (tmp_path / f"{PREFIX}link").symlink_to(elsewhere)
    (tmp_path / f"{PREFIX}file").write_text("")
    assert sweep_folders(PREFIX, tmp_path) == 0
    assert (elsewhere / "kept").exists()


def test_the_folder_is_this_user_s_alone() -> None:
    assert home().stat().st_mode & 0o077 == 0
    assert part("runs").parent == home()
