"""Confusion cells: only mistakes, the commonest first."""

from __future__ import annotations

import numpy as np

from tests.support.engines import fit, score


def test_confusion_cells_hold_only_mistakes_the_commonest_first(planted):
    audit, fresh = planted
    scores = score(fit("confusion cells", audit), fresh)
    assert scores.shape[1] == 2
    np.testing.assert_array_equal(np.isfinite(scores).any(1), fresh.errors)
    counts = [(audit.errors & (audit.labels == c)).sum() for c in (0, 1)]
    assert set(fresh.labels[np.isfinite(scores[:, 0])]) == {int(np.argmax(counts))}
