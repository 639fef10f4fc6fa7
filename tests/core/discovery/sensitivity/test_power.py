"""What would have been found: more of larger and stronger patterns, none where nothing can be, and really found."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from core.discovery.design import make_design, measures
from core.discovery.method import diagnose_records
from core.discovery.proposals import propose
from core.discovery.ridge.features import Features
from core.discovery.search.family_test import read_family
from core.discovery.search.scope_scores import N_TOP_MEMBERS
from core.discovery.sensitivity import power
from core.discovery.sensitivity.plants import Plant, draw_plants, plantable
from core.discovery.sensitivity.power import N_PLANTS, POWER, STEP, Levels, narrowed_family, smallest_detectable
from core.discovery.settings import Settings
from core.errors import Cancelled
from core.records import F32, F64, I64, Bool, Embeddings, Outcomes, SampleSet, Sensitivity, Words
from research.arrays import diagnose_arrays

SETTINGS = Settings(map=False, n_members=2, n_permutations=199)


def draw(seed: int, n: int = 500) -> tuple[F32, F64, Bool]:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(n, 8)) * np.array([3, 2, 1, 1, 0.5, 0.5, 0.5, 0.5])
    errors = rng.random(n) < 0.15
    return vectors.astype(np.float32), np.where(errors, 1.5, 0.2) + rng.gamma(1.0, 0.2, n), errors


def sensitivity(labels: I64 | None = None, *, known: bool = True, settings: Settings = SETTINGS) -> Sensitivity:
    vectors, losses, errors = draw(0)
    found = diagnose_arrays(vectors, losses, labels=labels, errors=errors if known else None, settings=settings)
    assert found.sensitivity is not None
    return found.sensitivity


@cache
def measured() -> Sensitivity:
    return sensitivity()


def test_the_grid_holds_every_size_and_strength_with_the_interval_of_its_count() -> None:
    found = measured()
    sizes, strengths = {p.size for p in found.patterns}, {p.strength for p in found.patterns}
    assert (sizes, strengths) == ({10, 25, 50, 100}, {0.35, 0.5, 0.75, 1.0})
    assert len(found.patterns) == len(sizes) * len(strengths)
    assert (found.unit, found.classes, found.class_size, found.n_samples) == ("error rate", (), 0, 500)
    assert found.base == pytest.approx(draw(0)[2].mean())
    for p in found.patterns:
        assert p.n_plants == N_PLANTS
        assert p.found.value == p.n_found / p.n_plants
        assert p.found.low <= p.found.value <= p.found.high
        assert p.error_difference == pytest.approx(p.strength - found.base, abs=0.08)


def test_halving_finds_what_reading_every_strength_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    halved, compared = power.weakest_found, [0, 0]

    def and_each(reader: Any, family: Any, sizes: Any, plants: Any, progress: Any) -> I64:
        weakest = halved(reader, family, sizes, plants, progress)
        for at, step in np.ndindex(len(sizes), len(reader.strengths.values)):
            jobs = [(plant, sizes[at], reader.strengths.values[step]) for plant in plants]
            found = power.read_plants(reader, family, jobs)
            compared[0] += len(found)
            compared[1] += int((np.array(found) != (weakest[at] <= step)).sum())
        return weakest

    monkeypatch.setattr(power, "weakest_found", and_each)
    sensitivity(np.repeat([0, 1], 250))
    assert compared[0] > 1000
    assert compared[1] <= 0.01 * compared[0], compared


def test_where_a_size_s_first_plants_agree_one_or_two_readings_tell_the_others() -> None:
    low, high = np.zeros((4, 12), np.int64), np.full((4, 12), 4)
    weakest = np.array([0, 2, 3, 4])[:, None]
    low[1:, :2] = high[1:, :2] = weakest[1:]  # of the first size nothing is known
    read = np.zeros(low.shape, np.int64)
    while (still := low < high).any():
        middle = power._dividing(low, high, 4)
        assert ((low <= middle) & (middle < high))[still].all()
        found = middle >= weakest
        high, low = np.where(still & found, middle, high), np.where(still & ~found, middle + 1, low)
        read += still
    assert (high == weakest).all()
    assert [set(row.tolist()) for row in read[:, 2:]] == [{2}, {2}, {2}, {1}]


def test_larger_and_stronger_patterns_are_found_more_often() -> None:
    shares = {(p.size, p.strength): p.found.value for p in measured().patterns}
    sizes, strengths = (sorted({key[at] for key in shares}) for at in (0, 1))
    for weak, strong in pairwise(strengths):
        assert all(shares[size, strong] >= shares[size, weak] - 0.11 for size in sizes)  # type: ignore[index]
    for small, large in pairwise(sizes):
        assert all(shares[large, s] >= shares[small, s] - 0.11 for s in strengths)  # type: ignore[index]
    assert shares[100, 1.0] == 1.0
    assert shares[10, 0.35] < 0.2


def test_patterns_of_a_class_lie_in_classes_of_the_typical_size() -> None:
    labels = np.repeat([0, 1, 2, 3, 4], [45, 100, 105, 110, 140])
    found = sensitivity(labels)
    assert (found.class_size, found.classes) == (105, ("1", "2", "3"))
    sizes = [p.size for p in found.patterns if p.scope == "class" and p.strength == 1.0]
    assert sizes == [10, 21]
    assert next(p.share for p in found.patterns if p.size == 10) == 0.1


def test_a_class_that_was_named_is_the_one_that_is_planted_in() -> None:
    labels = np.repeat([0, 1, 2], [100, 200, 200])
    found = sensitivity(labels, settings=Settings(map=False, n_members=2, n_permutations=199, within=("0",)))
    assert (found.classes, found.class_size) == (("0",), 100)


def test_without_errors_strengths_are_of_the_mean_loss() -> None:
    found = sensitivity(known=False)
    assert found.unit == "times the mean loss"
    assert all(p.error_difference is None for p in found.patterns)
    for p in found.patterns:
        assert p.excess_loss == pytest.approx((p.strength - 1) * found.base, rel=0.3)


def test_the_same_seed_gives_the_same_figures_and_another_seed_others() -> None:
    again, other = sensitivity(), sensitivity(settings=Settings(map=False, n_members=2, n_permutations=199, seed=1))
    assert [p.n_found for p in again.patterns] == [p.n_found for p in measured().patterns]
    assert [p.n_found for p in other.patterns] != [p.n_found for p in measured().patterns]


def test_the_weakest_effect_of_a_size_is_that_of_the_grid() -> None:
    for one in smallest_detectable(measured()):
        enough = [p for p in measured().patterns if p.size == one.size and p.found.value >= POWER]
        assert one.excess_loss == (min(p.excess_loss for p in enough) if enough else None)
    assert smallest_detectable(None) == ()


def test_where_no_effect_would_do_none_is_given() -> None:
    rng = np.random.default_rng(3)
    vectors, losses = rng.normal(size=(60, 30)).astype(np.float32), rng.gamma(1.0, 1.0, 60)
    settings = Settings(map=False, n_members=2, n_permutations=500, alpha=0.005)
    found = diagnose_arrays(vectors, losses, settings=settings)
    assert found.sensitivity is not None
    assert max(p.found.value for p in found.sensitivity.patterns) < 0.2
    assert found.detectable[0].excess_loss is None


@pytest.mark.parametrize("n_groups", [12])
def test_nothing_is_said_where_nothing_can_be_tested(n_groups: int) -> None:
    vectors, losses, errors = draw(0)
    found = diagnose_arrays(vectors, losses, errors=errors, groups=np.arange(500) % n_groups, settings=SETTINGS)
    assert (found.sensitivity, found.detectable) == (None, ())


def test_groups_are_planted_in_too() -> None:
    vectors, losses, errors = draw(0)
    labels = np.arange(500) % 3  # groups cross classes
    found = diagnose_arrays(
        vectors, losses, labels=labels, errors=errors, groups=np.arange(500) // 4, settings=SETTINGS
    ).sensitivity
    assert found is not None
    assert max(p.found.value for p in found.patterns) > 0.5


def test_a_marked_reading_says_what_the_plain_one_says_and_counts_marks() -> None:
    vectors, losses, errors = draw(1, 200)
    labels = np.arange(200) % 2
    samples = SampleSet(tuple(map(str, range(200))), labels=labels, class_names=("a", "b"))
    design = make_design(samples, rng=np.random.default_rng(0))
    family = propose(design, Features(vectors, design.blocks), (), 0).family
    scores = measures(Outcomes(losses, "loss", "loss", "given", errors=errors), design).standardised_residuals.astype(
        np.float32
    )
    marks = np.zeros_like(scores)
    marks[:30] = 1
    reading, (plain, trend) = family.read_marked(scores, marks), family.read(scores)
    np.testing.assert_array_equal(reading.statistics, plain)
    np.testing.assert_array_equal(reading.trend, trend)
    np.testing.assert_array_equal(reading.excess, family.excess(scores.astype(np.float64)))
    for at, candidate in enumerate(family.candidates):
        if candidate.kind == "slice":
            predicted, members = family.slice_of(candidate, scores[:, 0].astype(np.float64))
            assert reading.marked[at, 0] == pytest.approx(members[:30].sum() / members.sum())
            surest = np.argsort(-predicted, kind="stable")[:N_TOP_MEMBERS]
            assert reading.top10_marked_share[at, 0] == pytest.approx((surest < 30).mean())
        else:
            rows = family.regions[at - family.n_slices].rows
            assert reading.marked[at, 0] == reading.top10_marked_share[at, 0] == pytest.approx((rows < 30).mean())


def test_a_narrowed_family_holds_the_slices_and_parts_of_its_scopes() -> None:
    vectors, _, _ = draw(1, 300)
    samples = SampleSet(tuple(map(str, range(300))), labels=np.arange(300) % 3, class_names=("a", "b", "c"))
    design = make_design(samples, rng=np.random.default_rng(0))
    family = propose(design, Features(vectors, design.blocks), (), 0).family
    part = narrowed_family(family, (0, 2))
    kept = [c for c in family.candidates if c.scope in (0, 2)]
    assert [(c.kind, c.depth, c.tag) for c in part.candidates] == [(c.kind, c.depth, c.tag) for c in kept]
    assert {c.scope for c in part.candidates} == {0, 1}


def test_levels_are_those_of_the_run() -> None:
    vectors, losses, errors = draw(1, 200)
    samples = SampleSet(tuple(map(str, range(200))))
    design = make_design(samples, rng=np.random.default_rng(0))
    family = propose(design, Features(vectors, design.blocks), (), 0).family
    scores = measures(Outcomes(losses, "loss", "loss", "given", errors=errors), design)
    test = read_family(
        family, scores, design.permuter(scores.standardised_residuals), np.random.default_rng(0), n_permutations=999
    )
    levels = Levels.of(test, alpha=0.05, reserved=0.005)
    assert levels.open < levels.strict
    assert (test.null >= levels.open).mean() == pytest.approx(0.05, abs=0.005)
    assert (test.null >= levels.strict).mean() == pytest.approx(0.045, abs=0.005)
    assert test.trend_null is not None
    assert (test.trend_null >= levels.trend).mean() == pytest.approx(0.005, abs=0.003)


def drawn(vectors: F32, rows: I64, most: int, groups: I64 | None = None, words: Words | None = None) -> list[Plant]:
    """Twelve plants within the rows."""
    n = len(vectors)
    samples = SampleSet(tuple(map(str, range(n))), groups=groups)
    design = make_design(samples, rng=np.random.default_rng(0))
    proposals = propose(design, Features(vectors, design.blocks), (), 0, words)
    bases = np.stack([np.arange(n)] * 12, 1)
    return draw_plants(proposals, [rows], most, bases, np.zeros((n, 1)), np.random.default_rng(0))


def test_ends_of_directions_lie_where_the_data_spreads() -> None:
    spread = np.array([5.0] + [1.0] * 39)
    vectors = (np.random.default_rng(0).normal(size=(500, 40)) * spread).astype(np.float32)
    ends = [np.abs(vectors[plant.order].mean(0)) for plant in drawn(vectors, np.arange(500), 50)]
    assert all(end[0] > 2 * end[1:].max() for end in ends[1::3])


def test_without_words_a_third_lies_along_any_direction() -> None:
    spread = np.array([3.0] + [1.0] * 39)
    vectors = (np.random.default_rng(0).normal(size=(500, 40)) * spread).astype(np.float32)
    ends = np.array([np.abs(vectors[plant.order].mean(0)) for plant in drawn(vectors, np.arange(500), 50)])
    along_spread = ends[:, 0] / np.linalg.norm(ends, axis=1)
    assert along_spread[1::3].mean() > along_spread[2::3].mean() + 0.1


def test_samples_that_match_a_phrase_are_planted_where_there_are_words() -> None:
    vectors = draw(0)[0]
    words = Words(Embeddings(vectors, "a", "a"), "", ("first",), ("other",), np.eye(8, dtype=np.float32)[:1])
    best = set(np.argsort(-vectors[:, 0])[:50].tolist())
    is_phrase = [set(plant.order.tolist()) == best for plant in drawn(vectors, np.arange(500), 50, words=words)]
    assert is_phrase == [False, False, True] * 4


def test_nothing_is_planted_in_a_large_block_of_copies() -> None:
    vectors, groups = draw(0, 650)[0], np.r_[np.arange(500), np.full(150, 500)]
    vectors[500:] = vectors[500]
    rows = plantable(np.arange(650), groups, 130)
    assert rows.tolist() == list(range(500))
    plants = drawn(vectors, rows, 130, groups)
    assert all(len(plant.order) == 130 and plant.order.max() < 500 for plant in plants)
    assert len(plantable(np.arange(650), np.arange(650) // 10, 130)) == 650  # small groups hold plants
    assert len(plantable(np.arange(650), np.arange(650) // 100, 130)) == 650  # nothing else is there
    assert len(plantable(np.arange(650), None, 130)) == 650


def test_planting_tells_how_far_it_is_and_can_be_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.discovery.sensitivity.power.BATCH_CELLS", 1)  # many small readings
    vectors, losses, errors = draw(0, 100)
    samples = SampleSet(tuple(map(str, range(100))))
    outcomes, embeddings = Outcomes(losses, "loss", "loss", "given", errors=errors), Embeddings(vectors, "a", "a")
    told: list[tuple[int, int]] = []

    def stop(step: str, done: int, total: int) -> None:
        if step == STEP:
            told.append((done, total))
            if len(told) == 3:
                raise Cancelled

    with pytest.raises(Cancelled):
        diagnose_records(samples, outcomes, embeddings, settings=SETTINGS, progress=stop)
    dones, (total,) = [done for done, _ in told], {total for _, total in told}
    assert dones[0] == 0 < dones[1] < dones[2] < total / 2
