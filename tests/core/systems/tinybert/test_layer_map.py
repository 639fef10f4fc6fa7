"""The layer maps, beside TinyBERT's own examples."""

from __future__ import annotations

import pytest

from core.errors import InvalidInput
from core.systems.tinybert.layer_map import layer_map


@pytest.mark.parametrize(
    ("n_student", "n_teacher", "kind", "expected"),
    [
        (3, 6, "uniform", (2, 4, 6)),
        (4, 12, "uniform", (3, 6, 9, 12)),  # TinyBERT 4: g(m) = 3 m
        (6, 12, "uniform", (2, 4, 6, 8, 10, 12)),
        (4, 12, "top", (9, 10, 11, 12)),  # g(m) = m + N - M
        (4, 12, "bottom", (1, 2, 3, 4)),
        (4, 6, "uniform", (1, 3, 4, 6)),
        (6, 6, "uniform", (1, 2, 3, 4, 5, 6)),
        (1, 6, "uniform", (6,)),
        (3, 6, "1,5,6", (1, 5, 6)),
        (2, 6, " 1, 6 ", (1, 6)),
    ],
)
def test_each_layer_learns_from_the_papers(
    n_student: int, n_teacher: int, kind: str, expected: tuple[int, ...]
) -> None:
    assert layer_map(n_student, n_teacher, kind) == expected


@pytest.mark.parametrize("n", [0, 7])
def test_no_more_layers_than_the_teacher_has(n: int) -> None:
    with pytest.raises(InvalidInput, match=f"layers must be 1 to 6.*got {n}"):
        layer_map(n, 6)


@pytest.mark.parametrize("said", ["middle", "1,5", "1,5,7", "5,1,6", "1,1,6", "0,1,2", "1,,6", "", "1,5,6,"])
def test_another_map_is_refused(said: str) -> None:
    with pytest.raises(InvalidInput, match=f"one of uniform, top, bottom, or 3 of .* such as 1,2,3: got '{said}'"):
        layer_map(3, 6, said)
