from __future__ import annotations

import pytest

from core.systems.composition.captions.meaning import same_meaning_key


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("a red cube and a blue ball", "A blue ball and a red cube.", True),
        ("a dog next to a cat", "a cat next to a dog", True),
        ("a red and white plane", "a white and red plane", True),
        ("a dog on a cat", "a cat on a dog", False),
        ("a red cube and a blue ball", "a blue cube and a red ball", False),
        ("a dog, a cat and a cow on a bed", "a dog, a cow and a cat on a bed", True),
    ],
)
def test_captions_that_mean_the_same_by_symmetry_share_a_key(one: str, other: str, same: bool) -> None:
    assert (same_meaning_key(one) == same_meaning_key(other)) is same
