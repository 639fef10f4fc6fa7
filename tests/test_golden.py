"""Golden texts: what differs fails, the flag writes it, and each file is held by a test."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scripts.changed import users
from tests.support import golden


def test_what_differs_fails_until_the_flag_writes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(golden, "FOLDER", tmp_path)
    scenes = {"One": "5% wrong", "Two": ["a", "", "b"]}
    golden.hold("said.txt", scenes, rewrite=True)
    assert (tmp_path / "said.txt").read_text("utf-8") == "## One\n5% wrong\n\n## Two\na\n\nb\n"
    golden.hold("said.txt", scenes, rewrite=False)
    for other in ({**scenes, "One": "6% wrong"}, {"One": scenes["One"]}, {**scenes, "Three": ""}):
        with pytest.raises(AssertionError, match=r"said\.txt should say that: pytest --rewrite-golden"):
            golden.hold("said.txt", other, rewrite=False)


def test_each_file_is_held_by_one_test_which_a_change_of_it_reaches(repository: Path) -> None:
    files, used_by = sorted(golden.FOLDER.glob("*")), users(repository)
    assert files
    for file in files:
        held = re.compile(rf'golden\(\s*"{re.escape(file.name)}"')
        near = used_by[file.relative_to(repository).as_posix()]
        assert sum(bool(held.search((repository / path).read_text("utf-8"))) for path in near) == 1, file.name
