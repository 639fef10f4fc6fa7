"""What may describe a cluster is ranked by one measure, and what says the same is one theme."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from core.language.describers import Describer
from core.language.parts import chance_of_two, halves_of
from core.language.title_model import TitleModel, aurocs, chances, model_of, rank, theme_chance, themes

N = 300
MEMBERS = np.arange(N) < 50
RNG = np.random.default_rng(0)


def scores(apart: float, seed: int = 0) -> Any:
    return np.random.default_rng(seed).normal(0, 1, N) + apart * MEMBERS


def phrase(text: str, apart: float, axis: int, seed: int = 0) -> Describer:
    """A phrase along that axis, whose scores of the members lie so many deviations higher."""
    return Describer(text, "phrase", scores(apart, seed), np.eye(20, dtype=np.float32)[axis], 0.9, 20.0, "place")


def test_the_area_is_that_of_the_roc_curve() -> None:
    table = np.stack([scores(0.5, 1), np.round(scores(1.0, 2)), np.zeros(N)], 1)
    expected = [roc_auc_score(MEMBERS, column) for column in table.T]
    assert aurocs(table, MEMBERS) == pytest.approx(expected)


def test_the_describer_that_tells_the_members_best_is_the_likeliest() -> None:
    ranked = rank([phrase("on grass", 2.5, 0), phrase("red", 0.3, 1, 1), phrase("at night", 0.0, 2, 2)], MEMBERS)
    chance = chances(model_of(None, "image"), ranked)
    assert ranked.describers[int(chance.argmax())].text == "on grass"
    weaker = rank([phrase("on grass", 1.0, 0), phrase("red", 0.3, 1, 1)], MEMBERS)
    assert chances(model_of(None, "image"), weaker).max() < chance.max()


def test_describers_of_one_direction_or_of_one_score_are_one_theme() -> None:
    snow, winter = phrase("in the snow", 2.5, 0, 1), phrase("in winter", 1.5, 0, 2)
    column = Describer("weather = snow", "condition", (snow.scores > 1.2).astype(float))
    other = phrase("with a ball", 1.5, 3, 4)

    def joined(*describers: Describer) -> list[set[str]]:
        ranked = rank(describers, MEMBERS)
        return [{d.text for d in theme.members} for theme in themes(ranked, chances(model_of(None, "image"), ranked))]

    assert {"in the snow", "in winter"} in joined(snow, winter, other)
    assert {"in the snow", "weather = snow"} in joined(snow, column, other)


def test_without_describers_there_is_no_theme_and_no_chance() -> None:
    ranked = rank([], MEMBERS)
    assert themes(ranked, chances(model_of(None, "image"), ranked)) == []
    assert theme_chance(model_of(None, "image"), ranked, []) == 0


def test_two_kinds_of_members_are_taken_apart_and_one_kind_is_not_said_to_be_two() -> None:
    first, model = MEMBERS & (np.arange(N) < 30), model_of(None, "image")
    grass, jump = scores(0, 1) + 4.0 * first, scores(0, 2) + 4.0 * (MEMBERS & ~first)
    axes = np.eye(20, dtype=np.float32)
    others = [phrase(f"thing {k}", 0, 4 + k, 10 + k) for k in range(10)]

    def split(*own: Any) -> Any:
        said = [Describer(text, "phrase", s, axes[k], 0.9, 20.0) for k, (text, s) in enumerate(own)]
        ranked = rank([*said, *others], MEMBERS)
        return halves_of(model, ranked, themes(ranked, chances(model, ranked)), MEMBERS)

    two, one = split(("on grass", grass), ("jumping", jump)), split(("on grass", scores(4.0, 1)))
    assert {theme[0].lead.text for theme in two.themes} == {"on grass", "jumping"}
    assert abs(two.second.mean() - 0.4) < 0.1 or abs(two.second.mean() - 0.6) < 0.1
    assert chance_of_two(model, two) > (0 if one is None else chance_of_two(model, one))


def test_a_model_comes_back_from_json() -> None:
    model = model_of(None, "image")
    again = TitleModel.read(json.loads(json.dumps(model.write())))
    assert np.allclose(again.one, model.one, atol=1e-4)
    assert (again.likely, again.perhaps) == (model.likely, model.perhaps)


@pytest.mark.parametrize(
    "change",
    [
        {"one": [[0.0]]},
        {"two": None},
        {"likely": 1.5},
        {"perhaps": 0.99, "likely": 0.5},
        {"likely": "high"},
        {"split": [[float("nan")] * 8] * 3},
    ],
)
def test_what_is_no_model_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        TitleModel.read(model_of(None, "image").write() | change)
    with pytest.raises(KeyError):
        TitleModel.read({})
