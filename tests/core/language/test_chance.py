"""The chance of showing a text: it rises with the likeness, does not depend on its unit, and is fitted where people
said what samples show."""

from __future__ import annotations

import numpy as np
import pytest

from core.encoders import load_encoder
from core.language.chance import CLASS_SHARE, GUESS, asked_directions, fit_chance
from core.language.competence import SHIPPED, find_competence, read_competence
from core.language.likeness import question_prompts
from tests.support.word_tower import WordTower


def worlds(n: int, seed: int = 0) -> list[tuple[np.ndarray, np.ndarray]]:
    """Questions whose samples lie two deviations higher where they show what is asked."""
    rng, made = np.random.default_rng(seed), list[tuple[np.ndarray, np.ndarray]]()
    for share in np.linspace(0.04, 0.3, n):
        shown = rng.random(400) < share
        made.append((0.01 * (rng.normal(size=400) + 2.5 * shown) + 0.2, shown))
    return made


def test_the_chances_add_up_to_how_many_show_it_and_hold_one_by_one() -> None:
    model = fit_chance(worlds(30))
    assert model is not None
    fresh = worlds(30, seed=1)
    chances = [model.of(scores) for scores, _ in fresh]
    ratio = [float(c.sum() / shown.sum()) for c, (_, shown) in zip(chances, fresh)]
    assert np.median(ratio) == pytest.approx(1, abs=0.25)
    said, true = np.concatenate(chances), np.concatenate([shown for _, shown in fresh])
    for low, high in ((0.0, 0.1), (0.1, 0.5), (0.5, 1.0)):
        some = (said >= low) & (said < high)
        assert said[some].mean() == pytest.approx(true[some].mean(), abs=0.1)


@pytest.mark.parametrize("model", [GUESS, read_competence(SHIPPED / "embedded.json").chance])
def test_a_chance_rises_with_the_likeness_and_not_with_its_unit(model: object) -> None:
    scores = np.random.default_rng(0).normal(size=200)
    chances = model.of(scores)  # type: ignore[union-attr]
    assert (np.diff(chances[np.argsort(scores)]) >= 0).all()
    assert 0 < chances.min() < chances.max() < 1
    np.testing.assert_allclose(model.of(0.001 * scores + 7), chances, atol=1e-6)  # type: ignore[union-attr]
    assert np.isfinite(model.of(np.zeros(50))).all()  # type: ignore[union-attr]


def test_few_questions_teach_nothing() -> None:
    assert fit_chance(worlds(9)) is None
    everything = [(scores, np.ones(len(scores), bool)) for scores, _ in worlds(30)]
    assert fit_chance(everything) is None


def test_a_text_is_its_own_vector_less_half_of_what_it_says_of_its_class() -> None:
    tower = WordTower()
    directions, of_class = asked_directions(tower, ["a red dog", "red"], ["a dog", None])
    mean = lambda text: tower.encode_texts(question_prompts(text)).mean(0)  # noqa: E731
    np.testing.assert_allclose(directions[0], mean("a red dog") - CLASS_SHARE * mean("a dog"), atol=1e-6)
    np.testing.assert_allclose(directions[1], mean("red") - CLASS_SHARE * mean("something"), atol=1e-6)
    np.testing.assert_allclose(of_class[0], mean("a dog"), atol=1e-6)


def test_the_encoder_that_ships_has_a_chance_of_its_own() -> None:
    table, _ = find_competence(load_encoder("embedded"))
    assert table is not None
    assert table.chance is not None
    assert table.chance != GUESS
