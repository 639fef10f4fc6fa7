"""Every engine of the table keeps the contract."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import InvalidInput
from research.scoreboard.engines import MEASURED, load_measured
from research.scoreboard.measures import expected_precision_at
from research.scoreboard.planted_embeddings import planted_rows
from tests.support.engines import fit, score


@pytest.mark.parametrize("name", MEASURED)
def test_scores_have_their_shape_follow_the_rows_and_repeat(name, planted):
    audit, fresh = planted
    engine = fit(name, audit)
    scores = score(engine, fresh)
    assert scores.shape[0] == 1600
    assert 1 <= scores.shape[1] <= 5
    assert scores.dtype == np.float64
    assert not np.isnan(scores).any()
    order = np.random.default_rng(0).permutation(1600)
    # sums of single precision in another order
    np.testing.assert_allclose(score(engine, fresh, order), scores[order], rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(score(fit(name, audit), fresh), scores)


@pytest.mark.parametrize("name", MEASURED)
def test_an_engine_says_what_it_must_be_told_about_new_rows(name, planted):
    """What `needs` leaves out changes nothing; an optional record that it lists is asked for by name."""
    audit, fresh = planted
    engine = fit(name, audit)
    rows = planted_rows(fresh)
    vectors = rows.embeddings
    needed = {key: getattr(rows, key) for key in ("probabilities", "losses", "likeness") if key in engine.needs}
    scores = engine.score(vectors, fresh.labels, **needed)
    if "labels" not in engine.needs:
        np.testing.assert_array_equal(engine.score(vectors, 1 - fresh.labels, **needed), scores)
    for key in needed:
        with pytest.raises(InvalidInput, match=key):
            engine.score(vectors, fresh.labels, **{k: v for k, v in needed.items() if k != key})


@pytest.mark.parametrize("name", ["class ridge", "svm directions", "domino", "error logistic"])
def test_a_correlation_slice_is_found_on_fresh_rows(name, planted):
    audit, fresh = planted
    scores = score(fit(name, audit), fresh)
    for truth in fresh.slices:
        assert max(expected_precision_at(10, column, truth) for column in scores.T) >= 0.8


def test_an_unknown_engine_is_refused_with_the_known_ones():
    with pytest.raises(InvalidInput, match="spotlight"):
        load_measured("spectral")
