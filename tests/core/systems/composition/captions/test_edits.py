from __future__ import annotations

from core.systems.composition.captions.edits import Edit, apply_edits


def changed(caption: str, *edits: Edit) -> tuple[str, list[str]]:
    text, spans = apply_edits(caption, edits)
    return text, [text[a:b] for a, b in spans]


def test_articles_are_made_right_and_marked_as_changed() -> None:
    assert changed("a red cube on an oak", Edit(2, 5, "orange")) == ("an orange cube on an oak", ["an orange"])
    assert changed("An orange cube.", Edit(3, 9, "red")) == ("A red cube.", ["A red"])


def test_articles_elsewhere_stay_as_they_were_written() -> None:
    assert changed("a red cube and a umbrella", Edit(2, 5, "blue"))[0] == "a blue cube and a umbrella"


def test_case_is_kept() -> None:
    assert changed("Red cubes", Edit(0, 3, "blue"))[0] == "Blue cubes"
    assert changed("A RED CUBE", Edit(2, 5, "orange"))[0] == "AN ORANGE CUBE"


def test_places_after_an_article_that_grew_are_right() -> None:
    text, parts = changed("a red cube and a blue ball", Edit(2, 5, "orange"), Edit(17, 21, "green"))
    assert text == "an orange cube and a green ball"
    assert parts == ["an orange", "green"]


def test_no_edit_changes_nothing() -> None:
    assert apply_edits("a  red cube", []) == ("a red cube", ())
