"""The family of candidates against plain loops, and the level and power of its one test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from scipy import stats

from core.discovery.design import FailureMeasures
from core.discovery.ridge.features import Features
from core.discovery.ridge.heads import HeadSmoother
from core.discovery.search.family import Candidate, Family, Region, Scope, centre
from core.discovery.search.family_test import read_family
from core.records import F64, I64, Bool
from core.statistics.groups import assign_folds
from core.statistics.permutation import difference_of
from core.statistics.permuter import Permuter


@dataclass
class Small:
    """A family over two classes: slices of two penalties, and three fixed sets."""

    family: Family
    blocks: I64
    scores: F64


def small(n: int = 150, seed: int = 0, d: int = 5) -> Small:
    rng = np.random.default_rng(seed)
    blocks = np.arange(n) % 2
    features = Features(rng.normal(size=(n, d)).astype(np.float32), blocks)
    folds = assign_folds(n, blocks, None, 4, rng)
    scopes = [
        Scope("all samples", np.arange(n), None),
        *(Scope(f"class {c}", np.flatnonzero(blocks == c), c) for c in range(2)),
    ]
    smoothers = [
        (HeadSmoother(features.rows, blocks, folds, penalty=30.0, share=0), [0]),
        (HeadSmoother(features.rows, blocks, folds, penalty=30.0, share=2.0), range(1, 3)),
    ]
    masks: list[Bool] = [features.rows[:, 0] > 0, (features.rows[:, 1] > 0) & (blocks == 0), rng.random(n) < 0.2]
    rows = [np.flatnonzero(mask) for mask in masks]
    regions = [Region("region", 0, rows[0], 0), Region("region", 1, rows[1], 1), Region("condition", 0, rows[2], 0)]
    scores = centre(rng.gamma(1.0, 1.0, n), blocks)
    return Small(Family(n, scopes, smoothers, regions), blocks, scores / scores.std())


def measured(scores: F64) -> FailureMeasures:
    """One measure of failure."""
    return FailureMeasures(("mean loss",), scores[:, None], np.ones(1))


def slow_statistic(scores: F64, inside: Bool, scope: I64) -> float:
    """The studentized excess of the set over the rest of its scope."""
    excess, error = difference_of(scores[scope][inside[scope]], scores[scope][~inside[scope]])
    return excess / error


def slow_members(family: Family, candidate: Candidate, scores: F64) -> Bool:
    """The rows of a candidate, one at a time."""
    if candidate.kind != "slice":
        return next(r.mask(family.n) for r in family.regions if (r.kind, r.tag) == (candidate.kind, candidate.tag))
    rows = family.scopes[candidate.scope].rows
    predicted = family.smoothers[candidate.smoother][0].predict(scores[:, None].astype(np.float32))[:, 0]
    ranked = sorted(rows, key=lambda i: -predicted[i])
    members = np.zeros(family.n, bool)
    for row in ranked[: round(candidate.depth * len(rows))]:
        members[row] = True
    return members


def test_every_statistic_of_the_family_is_that_of_the_plain_loop() -> None:
    made = small()
    observed = made.family.statistics(made.scores[:, None].astype(np.float32))[:, 0]
    plain = made.family.excess(made.scores[:, None])[:, 0]
    assert {c.kind for c in made.family.candidates} == {"slice", "region", "condition"}
    assert {c.scope for c in made.family.candidates} == {0, 1, 2}
    listed = [c.kind == "slice" and c.scope > 0 for c in made.family.candidates]  # the narrowest there are
    assert made.family.is_listed.tolist() == listed
    for i, candidate in enumerate(made.family.candidates):
        members, scope = slow_members(made.family, candidate, made.scores), made.family.scopes[candidate.scope].rows
        assert observed[i] == pytest.approx(slow_statistic(made.scores, members, scope), abs=2e-4)
        outside = np.setdiff1d(scope, np.flatnonzero(members))
        assert plain[i] == pytest.approx(made.scores[members].mean() - made.scores[outside].mean(), abs=1e-4)


def test_the_rows_of_a_slice_are_the_highest_predictions_of_its_scope() -> None:
    made = small()
    for candidate in made.family.candidates[: made.family.n_slices]:
        predicted, members = made.family.slice_of(candidate, made.scores)
        np.testing.assert_array_equal(members, slow_members(made.family, candidate, made.scores))
        outside = np.setdiff1d(np.arange(150), made.family.scopes[candidate.scope].rows)
        assert np.isneginf(predicted[outside]).all()
        assert not members[outside].any()


def test_columns_are_read_independently_of_each_other() -> None:
    made = small()
    columns = np.random.default_rng(1).normal(size=(150, 6)).astype(np.float32)
    together, trend = made.family.read(columns)
    for c in range(6):
        alone, own = made.family.read(columns[:, c : c + 1])
        np.testing.assert_allclose(together[:, c], alone[:, 0], atol=1e-4)
        assert trend[c] == pytest.approx(own[0], abs=1e-4)


def test_the_trend_is_the_best_correlation_over_its_own_error() -> None:
    made = small()
    made.scores += 0.5  # wherever their mean lies
    found = made.family.read(made.scores[:, None].astype(np.float32))[1][0]
    views: list[float] = []
    for smoother, where in made.family.smoothers:
        predicted = smoother.predict(made.scores[:, None].astype(np.float32))[:, 0]
        for scope in where:
            rows = made.family.scopes[scope].rows
            a, b = (np.asarray(stats.zscore(x[rows]), np.float64) for x in (predicted, made.scores))
            views.append(np.sqrt(len(rows)) * np.mean(a * b) / np.sqrt(np.mean(a**2 * b**2)))
    assert found == pytest.approx(max(views), abs=1e-4)


def test_no_slice_is_smaller_than_ten_rows() -> None:
    family, scores = small().family, small().scores
    assert min(family.slice_of(c, scores)[1].sum() for c in family.candidates if c.kind == "slice") >= 10


def test_centring_takes_the_mean_of_each_stratum_out() -> None:
    found = centre(np.array([1.0, 3.0, 10.0, 20.0, 7.0]), np.array([0, 0, 3, 3, 5]))
    np.testing.assert_allclose(found, [-1, 1, -5, 5, 0])


def test_the_null_is_that_of_the_maximum_over_the_whole_family() -> None:
    made = small(100)
    permuter = Permuter(made.blocks)
    reading = read_family(made.family, measured(made.scores), permuter, np.random.default_rng(3), n_permutations=60)
    # the same permutations one at a time: the generator is spawned once for each chunk
    own = np.random.default_rng(3).spawn(1)[0]
    draws = permuter.draw(60, own)
    slow = [made.family.statistics(made.scores[draws[:, b]][:, None].astype(np.float32)).max() for b in range(60)]
    np.testing.assert_allclose(reading.null, slow, atol=2e-4)
    assert reading.observed.max() == pytest.approx(
        made.family.statistics(made.scores[:, None].astype(np.float32)).max()
    )


def test_p_counts_the_permutations_that_reach_the_statistic_and_itself() -> None:
    made, told = small(100), list[tuple[str, int, int]]()
    permuter, rng, tell = Permuter(made.blocks), np.random.default_rng(0), lambda *done: told.append(done)
    reading = read_family(made.family, measured(made.scores), permuter, rng, n_permutations=1099, progress=tell)
    assert reading.is_permuted
    assert told == [("test", 1024, 1099), ("test", 1099, 1099)]
    assert len(reading.null) == 1099
    assert reading.p(np.inf) == pytest.approx(1 / 1100)
    assert reading.p(-np.inf) == 1
    assert reading.p(float(np.median(reading.null))) == pytest.approx(0.501, abs=0.002)


@pytest.mark.parametrize("cores", [1, 3, 8])
def test_the_result_does_not_depend_on_the_number_of_cores(cores: int, monkeypatch: pytest.MonkeyPatch) -> None:
    made = small(100)

    def read() -> bytes:
        monkeypatch.setattr(
            "core.discovery.search.family.np.clip", lambda *_: 16
        )  # small chunks, so that there are many of them
        reading = read_family(
            made.family, measured(made.scores), Permuter(made.blocks), np.random.default_rng(5), n_permutations=150
        )
        monkeypatch.undo()
        assert reading.trend_null is not None
        return reading.null.tobytes() + reading.trend_null.tobytes()

    monkeypatch.setattr("os.cpu_count", lambda: 2)
    reference = read()
    monkeypatch.setattr("os.cpu_count", lambda: cores)
    assert read() == reference


def test_a_hopeless_reading_stops_early_and_still_counts_honestly() -> None:
    made = small(100)
    reading = read_family(
        made.family,
        measured(made.scores),
        Permuter(made.blocks),
        np.random.default_rng(0),
        n_permutations=5000,
        give_up=50,
    )
    assert 50 <= len(reading.null) < 5000
    best = float(reading.observed[~made.family.is_condition].max())
    assert reading.p(best) == pytest.approx(((reading.null >= best).sum() + 1) / (len(reading.null) + 1))


def test_a_shift_that_the_embedding_predicts_has_the_smallest_p() -> None:
    made = small(150)
    features = made.family.smoothers[0][0].features
    scores = centre(2.0 * (features[:, 0] > 0.5) + np.random.default_rng(0).normal(size=150), made.blocks)
    reading = read_family(
        made.family,
        measured(scores / scores.std()),
        Permuter(made.blocks),
        np.random.default_rng(0),
        n_permutations=199,
    )
    assert reading.p(float(reading.observed.max())) == pytest.approx(1 / 200)
    assert reading.trend_p() == pytest.approx(1 / 200)


def test_rows_of_equal_prediction_are_not_taken_in_the_order_of_the_table() -> None:
    n = 200
    features, blocks = np.ones((n, 3), np.float32), np.zeros(n, np.int64)  # the same image n times
    folds = assign_folds(n, blocks, None, 4, np.random.default_rng(0))
    smoother = HeadSmoother(features, blocks, folds, penalty=30.0, share=0)
    family = Family(n, [Scope("all samples", np.arange(n), None)], [(smoother, [0])], [])
    losses = np.sort(np.random.default_rng(1).gamma(1.0, 1.0, n))[::-1]  # a table sorted by loss, worst first
    reading = read_family(
        family, measured(centre(losses, blocks)), Permuter(blocks), np.random.default_rng(2), n_permutations=199
    )
    assert reading.p(float(reading.observed.max())) > 0.05
    assert family.is_listed.all()
    for i, candidate in enumerate(family.candidates):
        members = family.slice_of(candidate, centre(losses, blocks))[1]
        assert reading.observed[i, 0] == pytest.approx(
            slow_statistic(centre(losses, blocks), members, np.arange(n)), abs=2e-4
        )


def test_a_class_that_is_all_wrong_has_no_trend() -> None:
    """Its centered scores are rounding errors, whose correlation with anything is noise without bound."""
    made = small()
    scores = made.scores.copy()
    scores[made.blocks == 1] = 1e-9 * np.random.default_rng(0).normal(size=(made.blocks == 1).sum()) + 1.0
    columns = np.stack([scores] * 3, 1).astype(np.float32)
    trend = made.family.read(columns)[1]
    assert (trend < np.sqrt(len(scores))).all()


def test_scores_that_are_all_explained_have_no_trend_and_raise_no_warning() -> None:
    """Once a finding is taken out, 0/1 errors may leave nothing but rounding."""
    made = small()
    nothing = 1e-16 * np.random.default_rng(0).normal(size=(len(made.scores), 3))
    statistics, trend = made.family.read(nothing.astype(np.float32))  # warnings are errors in these tests
    assert (trend <= 0).all()
    assert np.isfinite(statistics).all()


def test_a_statistic_does_not_depend_on_how_many_cells_are_worked_on_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made, columns = small(), np.random.default_rng(1).normal(size=(150, 9)).astype(np.float32)
    whole, trend = made.family.read(columns)
    monkeypatch.setattr("core.discovery.search.scope_scores.TILE_CELLS", 151)
    parts, again = made.family.read(columns)
    np.testing.assert_allclose(parts, whole, atol=1e-5)
    np.testing.assert_allclose(again, trend, atol=1e-5)


def test_a_scope_whose_rows_lie_apart_is_read_as_well() -> None:
    """Without rows laid out by head a class is every second row."""
    made = small()
    assert [run.some is None for run in made.family.runs] == [True, False, False]
    assert made.family.runs[1].of_all(np.arange(150)[None])[0].tolist() == list(range(0, 150, 2))
