from typing import Any

import pytest

from core.discovery.settings import EmbeddingSettings, Settings, later_permutations
from core.errors import InvalidInput


@pytest.mark.parametrize("seed", [-1, 2**32, 10**14])
def test_a_seed_that_no_generator_takes_is_refused_before_the_run(seed: int) -> None:
    assert Settings(seed=2**32 - 1).seed == 2**32 - 1
    with pytest.raises(InvalidInput, match=f"seed must be at least 0 and below 4,294,967,296: got {seed}"):
        Settings(seed=seed)


@pytest.mark.parametrize("within", [5, None, "cat", ("cat", 5), "c" * 5000])
def test_classes_to_search_inside_are_a_list_of_names(within: Any) -> None:
    assert Settings(within=["cat"]).within == ("cat",)  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match=r"within must be a list of class names: got ['\"]") as caught:
        Settings(within=within)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(("rows", "drawn"), [(40, 5000), (20_000, 5000), (40_000, 2500), (100_000, 1000), (10**6, 500)])
def test_many_rows_get_fewer_permutations_unless_a_number_is_given(rows: int, drawn: int) -> None:
    assert Settings().permutations(rows) == drawn
    assert Settings(n_permutations=3000).permutations(rows) == 3000
    assert (EmbeddingSettings().speaker, EmbeddingSettings(naming="x").speaker) == ("embedded", "x")
    assert later_permutations(drawn, rows) == (drawn if rows <= 20_000 else max(200, drawn // 4))
