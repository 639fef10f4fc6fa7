"""What a student's card says to whoever reads the folder next."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.systems.common.student_card import DISTILLED, REASONED, licence_of, student_files


def test_the_licence_is_what_the_folder_says(tmp_path: Path) -> None:
    assert licence_of(tmp_path) == "unknown"
    (tmp_path / "LICENSE").write_text("...", "utf-8")
    assert licence_of(tmp_path) == "see its LICENSE"
    (tmp_path / "README.md").write_text("---\nlanguage: en\nlicense: mit\n---\n", "utf-8")
    assert licence_of(tmp_path) == "mit"


@pytest.mark.parametrize("card", [DISTILLED, REASONED])
def test_a_students_licence_is_that_of_what_it_was_made_from(tmp_path: Path, card: str) -> None:
    (tmp_path / "LICENSE").write_text("...", "utf-8")
    (tmp_path / card).write_text(json.dumps({"licence": "apache-2.0"}), "utf-8")
    assert licence_of(tmp_path) == "apache-2.0"
    (tmp_path / card).write_text("[]", "utf-8")
    assert licence_of(tmp_path) == "unknown"


def test_a_card_is_known_by_its_format_and_its_fields() -> None:
    own = student_files("card.json", ("weights",), ("teacher", "map"))
    assert own.names == ("card.json", "weights")
    assert own.is_own({"format": 1, "teacher": {}, "map": []})
    assert not own.is_own({"format": 2, "teacher": {}, "map": []})
    assert not own.is_own({"format": 1, "teacher": {}})
