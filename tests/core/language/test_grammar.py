"""Plurals, articles and names as English has them."""

from __future__ import annotations

import doctest

from core.language import grammar as grammar_module
from core.language.grammar import is_plural, plural, right_articles, spoken


def test_plurals_keep_their_form_and_words_in_s_do_not_count_as_plurals() -> None:
    assert [plural(n) for n in ("running shoes", "wolf", "wooden spoon", "T-shirt or top", "5")] == [
        "running shoes", "wolves", "wooden spoons", "T-shirt or tops", "5",
    ]  # fmt: skip
    assert not any(map(is_plural, ("bus", "glass", "cactus", "tennis", "compass", "iris", "gas")))
    assert right_articles("an dog and a owl") == "a dog and an owl"
    assert spoken("  A  Fire_Truck ") == "Fire Truck"


def test_the_examples_in_the_docstrings_run() -> None:
    result = doctest.testmod(grammar_module)
    assert result.attempted > 3
    assert result.failed == 0
