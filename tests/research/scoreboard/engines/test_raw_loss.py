"""Raw loss: each class's rows by loss."""

from __future__ import annotations

import numpy as np

from tests.support.engines import fit, score


def test_raw_loss_ranks_the_rows_of_each_class_by_loss(planted):
    audit, fresh = planted
    engine = fit("raw loss", audit)
    scores = score(engine, fresh)
    worst_class = int(np.argmax([audit.losses[audit.labels == c].mean() for c in (0, 1)]))
    rows = np.flatnonzero(fresh.labels == worst_class)
    assert np.argmax(scores[:, 0]) == rows[np.argmax(fresh.losses[rows])]
    np.testing.assert_array_equal(np.isfinite(scores[:, 0]), fresh.labels == worst_class)
