"""A model of titles is fitted on clusters of known causes, and says of new ones how likely their titles are right."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from core.checks.title_fit import COUNTS, Judged, Kind, Plant, TitlePool, _lines, fit_titles, judge, plants
from core.checks.title_pools import model_of_pool
from core.language.parts import WORTH_SAYING
from core.language.title_model import TitleModel
from core.records import Column
from research.evidence.titles import titled

N, E, D, P = 500, 120, 32, 24


def pool(seed: int, n: int = N) -> TitlePool:
    """Samples that show some of P phrases, each an axis; the edited copies are dark."""
    rng = np.random.default_rng(seed)
    directions = np.linalg.qr(np.random.default_rng(9).normal(size=(D, D)))[0][:P].astype(np.float32)
    shown = (rng.random((n, P)) < rng.choice([0.05, 0.1, 0.2], P)).astype(np.float32)
    vectors = rng.normal(0, 0.35, (n, D)) + shown @ directions
    origin = rng.choice(n, E, replace=False)
    vectors = np.concatenate([vectors, vectors[origin] + rng.normal(0, 0.1, (E, D))]).astype(np.float32)
    brightness = np.r_[rng.normal(0.5, 0.1, n), rng.normal(0.1, 0.05, E)]
    return TitlePool(
        joint=vectors,
        found_in=vectors,
        columns=(Column("brightness", "number", brightness, measured=True),),
        phrases=tuple(f"with thing {j}" for j in range(P)),
        directions=directions,
        known=np.full(P, 0.9),
        spoken=np.full(P, 20.0),
        shown=np.concatenate([shown, shown[origin]]),
        scopes={"": np.ones(n, bool), "half": rng.random(n) < 0.5},
        origin=origin,
        edit=["dark"] * E,
        edits_of={"in the dark": ("dark",)},
    )


@pytest.fixture(scope="module")
def judged() -> list[Judged]:
    made, rng = pool(0), np.random.default_rng(0)
    counts: dict[Kind, int] = {kind: max(8, n // 8) for kind, n in COUNTS.items()}
    return [judge(made, plant, rng) for plant in plants(made, counts, 1)]


def test_every_kind_is_planted_with_its_cause_among_the_members(judged: list[Judged]) -> None:
    kinds = {one.plant.kind for one in judged}
    assert kinds == set(COUNTS)
    for one in judged:
        plant: Plant = one.plant
        assert 0 < plant.members.sum() < len(plant.rows)
        if plant.kind in ("natural", "column"):
            assert plant.true[plant.members].mean() >= 0.4
        if plant.kind == "random":
            assert not plant.true.any()


def test_the_model_says_how_often_titles_are_right_on_clusters_of_other_samples(judged: list[Judged]) -> None:
    model, chance, right = fit_titles(pool(0), judged)
    assert 0 < model.perhaps <= model.likely < 1
    assert len(chance) == len(right)
    other, rng = pool(1), np.random.default_rng(1)
    new = [judge(other, plant, rng) for plant in plants(other, {"natural": 40, "edit": 15, "random": 40}, 2)]
    told = [titled(model, one) for one in new]
    said = np.array([c for c, _ in told])
    is_right = np.array([one.of(themes[0]) >= 1 if themes else False for one, (_, themes) in zip(new, told)])
    real = np.array([one.plant.kind != "random" for one in new])
    likely = said >= model.likely
    assert is_right[likely & real].mean() > 0.85
    assert (likely & ~real).sum() <= 3
    assert is_right[likely].mean() > is_right[~likely].mean() + 0.3
    dark = [themes[0][0] for one, (_, themes) in zip(new, told) if one.plant.kind == "edit" and one.plant.dirt < 0.3]
    assert dark.count("dark") > 0.8 * len(dark)


def test_a_model_of_samples_of_which_nothing_is_measured_can_be_read_again() -> None:
    made, rng = replace(pool(0), columns=()), np.random.default_rng(0)
    counts: dict[Kind, int] = {"natural": 20, "random": 10}
    few = [judge(made, plant, rng) for plant in plants(made, counts, 1)]
    model = fit_titles(made, few)[0]
    again = TitleModel.read(json.loads(json.dumps(model.write())))
    np.testing.assert_allclose(again.one, model.one, atol=1e-5)


def test_a_pool_that_is_too_small_gives_no_model() -> None:
    assert model_of_pool(pool(0, n=150)) is None


def test_a_title_is_likely_from_the_least_line_on_above_which_few_are_wrong() -> None:
    """Of titles below 0.6 every other one is wrong, of those above none; random clusters say nothing sure, and what a
    column says counts for neither line."""
    chance = np.r_[np.linspace(0.3, 0.599, 100), np.linspace(0.61, 0.95, 100), np.full(20, 0.9), np.full(50, 0.31)]
    right = np.r_[np.arange(100) % 2 * 1.0, np.ones(100), np.zeros(70)]
    kind = np.repeat(["phrase", "column", "random"], [200, 20, 50])
    likely, perhaps = _lines(chance, right, kind)
    wrong = [float((right[:200][chance[:200] >= line] == 0).mean()) for line in (likely, likely - 0.01)]
    assert wrong[0] <= 0.08 < wrong[1]
    odds = np.log(chance / (1 - chance))[kind != "column", None]
    near = LogisticRegression().fit(odds, right[kind != "column"] > 0)
    said = float(near.predict_proba([[np.log(perhaps / (1 - perhaps))]])[0, 1])
    assert said == pytest.approx(WORTH_SAYING, abs=1e-6)
    assert 0.05 < perhaps < likely
    for n, line in ((1, likely), (2, 0.95)):  # of random clusters, 2% may be likely
        few = np.where(np.arange(270) >= 270 - n, 0.99, chance)
        assert _lines(few, right, kind)[0] == pytest.approx(line)
