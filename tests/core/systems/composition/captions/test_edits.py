from __future__ import annotations

import pytest

from core.systems.composition.captions.edits import Edit, apply_edits


@pytest.mark.parametrize(
    ("caption", "edit", "changed"),
    [
        ("a red cube on an oak", Edit(2, 5, "orange"), "an orange cube on an oak"),
        ("An orange cube.", Edit(3, 9, "red"), "A red cube."),
        ("a red cube and a umbrella", Edit(2, 5, "blue"), "a blue cube and a umbrella"),  # as it was written
        ("Red cubes", Edit(0, 3, "blue"), "Blue cubes"),
        ("A RED CUBE", Edit(2, 5, "orange"), "AN ORANGE CUBE"),
        ("a red cube", Edit(2, 5, ""), "a cube"),
    ],
)
def test_articles_beside_a_change_and_case_are_made_right(caption: str, edit: Edit, changed: str) -> None:
    assert apply_edits(caption, [edit]) == changed


def test_places_after_an_article_that_grew_are_right() -> None:
    changed = apply_edits("a red cube and a apple", [Edit(2, 5, "orange"), Edit(17, 22, "old apple")])
    assert changed == "an orange cube and an old apple"


def test_no_edit_changes_nothing() -> None:
    assert apply_edits("a  red cube", []) == "a red cube"
