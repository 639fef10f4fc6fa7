"""Conditions in words: found where planted, folded where they say the same, silent about model outputs."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy import stats

from core.discovery.conditions import Condition, build_conditions, columns_to_test
from core.discovery.insights import explain
from core.discovery.method import diagnose_records
from core.discovery.search.family import MIN_CANDIDATE_ROWS
from core.discovery.settings import Settings
from core.records import Bool, Column, Diagnosis, Embeddings, Outcomes, SampleSet
from core.statistics.ranking import auroc

N = 400


def number(name: str, values: np.ndarray, *, measured: bool = False) -> Column:
    return Column(name, "number", values.astype(float), measured)


@cache
def foggy(*, hidden: bool) -> tuple[Diagnosis, Bool]:
    """A model that fails in fog; three columns say so. With `hidden` the embedding does not know of it, only the table
    does."""
    rng = np.random.default_rng(0)
    fog = rng.random(N) < 0.2
    vectors = rng.normal(size=(N, 6))
    if not hidden:
        vectors[fog, 0] += 3
    losses = rng.gamma(1.0, 0.3, N) + 1.5 * (fog & (rng.random(N) < 0.8))
    weather = np.where(fog, "fog", rng.choice(["sun", "rain"], N)).astype(object)
    near = fog ^ (rng.random(N) < 0.03)
    metadata = (
        Column("weather", "category", weather),
        number("contrast", np.where(near, 0.1, 0.6) + rng.normal(0, 0.05, N), measured=True),
        Column("lamp", "category", np.where(near, "on", "off").astype(object)),
        number("noise", rng.normal(size=N)),
        Column("side", "category", rng.choice(["left", "right"], N).astype(object)),
    )
    outputs = (
        number("loss_of_rival", losses),
        Column("pred", "category", np.where(losses > 1, "wrong", "right").astype(object)),
    )
    samples = SampleSet(tuple(map(str, range(N))), metadata=metadata, model_outputs=outputs)
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    outcomes = Outcomes(losses, "loss", "loss", "given", errors=losses > 1.2)
    settings = Settings(map=False, sensitivity=False, n_members=2, n_permutations=199)
    return diagnose_records(samples, outcomes, Embeddings(vectors, "given", "given"), settings=settings), fog


def test_a_condition_that_the_embedding_does_not_know_is_found_with_its_proxies_folded_under_it() -> None:
    diagnosis, fog = foggy(hidden=True)
    assert not diagnosis.clusters
    assert len(diagnosis.insights) == 1
    found = diagnosis.insights[0]
    assert found.confirmed
    assert found.cluster is None
    assert found.retrieval is None
    assert found.p == pytest.approx(1 / 200)
    assert found.text == "weather = fog"  # the strongest leads
    assert np.corrcoef(found.mask, fog)[0, 1] > 0.8
    said = [text.split(" ")[0] for text in (found.text, *found.proxies)]
    assert {"weather", "contrast", "lamp"} <= set(said)


def test_the_effect_of_a_condition_is_mean_loss_inside_minus_outside_shrunk_within_its_interval() -> None:
    diagnosis, _ = foggy(hidden=True)
    found = diagnosis.insights[0]
    losses, errors = diagnosis.outcomes.fitted, diagnosis.outcomes.errors
    plain = losses[found.mask].mean() - losses[~found.mask].mean()
    assert found.size == found.mask.sum()
    assert 0.7 * plain < found.effect.value <= plain
    assert 0 < found.effect.low < plain < found.effect.high
    assert found.error_inside == pytest.approx(errors[found.mask].mean())
    assert found.error_outside == pytest.approx(errors[~found.mask].mean())


def test_a_cluster_is_described_by_the_condition_that_retrieves_it() -> None:
    diagnosis, fog = foggy(hidden=False)
    assert diagnosis.clusters
    first = diagnosis.clusters[0]
    about = [i for i in diagnosis.insights if i.cluster == first.id]
    assert about
    members = first.membership >= 0.5
    retrievals = [auroc(i.mask.astype(float), members) for i in about]
    assert [i.retrieval for i in about] == pytest.approx(retrievals)
    assert min(retrievals) >= 0.6
    assert np.corrcoef(about[0].mask, fog)[0, 1] > 0.8
    assert retrievals == sorted(retrievals, reverse=True)


@pytest.mark.parametrize("hidden", [True, False])
def test_what_a_model_wrote_is_never_a_condition(hidden: bool) -> None:
    diagnosis, _ = foggy(hidden=hidden)
    texts = [text for i in diagnosis.insights for text in (i.text, *i.proxies, *i.columns)]
    texts += [
        text for i in explain(diagnosis, np.argsort(-diagnosis.outcomes.loss)[:60]) for text in (i.text, *i.proxies)
    ]
    assert texts
    assert not any("rival" in text or "pred" in text for text in texts)


def test_noise_columns_are_neither_confirmed_nor_told() -> None:
    diagnosis, _ = foggy(hidden=True)
    assert not any("noise" in i.text or "side" in i.text for i in diagnosis.insights if len(i.columns) == 1)


def test_a_selection_is_explained_as_exploration_without_a_p() -> None:
    diagnosis, fog = foggy(hidden=True)
    found = explain(diagnosis, np.flatnonzero(fog))
    assert found[0].text == "weather = fog"
    assert found[0].retrieval == 1
    assert found[0].effect.value == pytest.approx(
        diagnosis.outcomes.fitted[fog].mean() - diagnosis.outcomes.fitted[~fog].mean()
    )
    said = {text.split(" ")[0] for i in found for text in (i.text, *i.proxies)}
    assert {"weather", "contrast", "lamp"} <= said
    for insight in found:
        assert insight.p is None
        assert not insight.confirmed
        assert insight.cluster is None
        assert np.isnan([insight.effect.low, insight.effect.high]).all()


@pytest.mark.parametrize("seed", range(4))
def test_a_selection_is_explained_as_by_counting_every_mask(seed: int) -> None:
    diagnosis, fog = foggy(hidden=True)
    rows = np.flatnonzero(fog ^ (np.random.default_rng(seed).random(N) < 0.1 * seed))
    members = np.isin(np.arange(N), rows)
    conditions, _ = build_conditions(columns_to_test(diagnosis.samples.metadata), smallest=MIN_CANDIDATE_ROWS, most=600)
    single = sum(len(c.columns) == 1 for c in conditions)
    area = {c.text: (1 + c.mask[members].mean() - c.mask[~members].mean()) / 2 for c in conditions}
    kept = list[Condition]()
    for c in sorted(conditions, key=lambda c: -area[c.text]):
        chance = stats.hypergeom.sf(c.mask[members].sum() - 1, N, c.mask.sum(), len(rows))
        tried = single if len(c.columns) == 1 else len(conditions)
        longer = all(area[c.text] > area[half.text] + 0.03 for half in c.halves)
        if area[c.text] >= 0.6 and chance * tried <= 0.05 and longer:
            kept.append(c)
    leads = list[tuple[Condition, list[str]]]()
    for c in kept:
        same = next((said for lead, said in leads if np.corrcoef(lead.mask, c.mask)[0, 1] > 0.6), None)
        if same is None:
            leads.append((c, []))
        elif len(same) < 6:
            same.append(c.text)
    found = explain(diagnosis, rows)
    assert found
    assert [(i.text, i.mask.tobytes(), list(i.proxies)) for i in found] == [
        (c.text, c.mask.tobytes(), same) for c, same in leads[:6]
    ]
    assert [i.retrieval for i in found] == pytest.approx([area[c.text] for c, _ in leads[:6]])


def test_a_pair_is_judged_against_its_own_halves_where_another_column_has_the_name_of_one() -> None:
    """The measured size retrieves the selection better than the pair, whose half is the table's size."""
    rng = np.random.default_rng(0)
    eighth = N // 8
    size = rng.permutation(np.arange(float(N)))
    small = np.flatnonzero(size < N // 4)
    large = np.flatnonzero(size >= N // 4)
    both, beside = small[:eighth], large[:eighth]
    side = rng.choice(["left", "right"], N).astype(object)
    side[small] = "right"
    side[both] = "left"
    side[beside] = "right"
    low = np.r_[beside, both[: eighth // 2], large[eighth : eighth + eighth // 2]]
    measured_size = np.empty(N)
    measured_size[low] = np.arange(len(low))
    measured_size[np.setdiff1d(np.arange(N), low)] = np.arange(len(low), N)
    columns = (number("size", size), number("size", measured_size, measured=True), Column("side", "category", side))
    diagnosis = foggy(hidden=True)[0]
    diagnosis = replace(diagnosis, samples=replace(diagnosis.samples, metadata=columns))
    found = explain(diagnosis, np.r_[both, beside])
    first, pair = found[0], next(i for i in found if i.columns == ("size", "side"))
    assert first.columns == ("size",)
    assert (first.retrieval or 0) > (pair.retrieval or 1)
    np.testing.assert_array_equal(np.flatnonzero(pair.mask), np.sort(both))
    assert len({i.text for i in found}) == len(found)


def test_a_selection_of_nothing_of_everything_or_at_random_has_no_explanation() -> None:
    diagnosis, _ = foggy(hidden=True)
    assert explain(diagnosis, np.zeros(0, np.int64)) == ()
    assert explain(diagnosis, np.arange(N)) == ()
    assert explain(diagnosis, np.random.default_rng(3).choice(N, 40, replace=False)) == ()


def test_two_conditions_together_are_told_only_if_they_retrieve_more_than_either() -> None:
    diagnosis, _ = foggy(hidden=True)
    side = diagnosis.samples.metadata[4].values == "left"
    weather = diagnosis.samples.metadata[0].values
    both = explain(diagnosis, np.flatnonzero(side & (weather == "sun")))
    assert set(both[0].columns) == {"side", "weather"}
    one = explain(diagnosis, np.flatnonzero(weather == "sun"))
    assert all(len(i.columns) == 1 for i in one)
