"""From rows to a benchmark: which queries can be ranked."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from core.systems.composition.readers.builder import retrieval_fault


def test_a_query_can_be_ranked_only_if_one_picture_fits_and_another_does_not() -> None:
    def hard(text: str) -> npt.NDArray[np.bool_]:
        return np.array([c == "1" for c in text])

    assert retrieval_fault((), None, 3) == "no image fits the query"
    assert retrieval_fault(((0, 0),), None, 1) == "every image fits the query"
    assert retrieval_fault(((0, 0),), hard("000"), 3) == "the query has no hard image"
    assert retrieval_fault(((0, 0),), hard("011"), 3) == "no fitting image is among its hard ones"
    assert retrieval_fault(((0, 0),), hard("100"), 3) == "every hard image fits the query"
    assert retrieval_fault(((0, 0), (1, 0)), hard("101"), 3) == ""
    assert retrieval_fault(((0, 0),), None, 2) == ""
