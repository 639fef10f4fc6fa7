"""Columns of losses that are none, or are not those of their rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core.errors import InvalidInput
from core.records import F64
from tests.support.desk import NAMES, noted, read, right

RIGHT = right()
LOSS, WRONG = RIGHT.loss, RIGHT.predictions != RIGHT.labels
KNOWN = {"label": NAMES[RIGHT.labels], "prediction": NAMES[RIGHT.predictions]}
SOME = np.random.default_rng(1).random(400) < 0.1
NOISE = np.random.default_rng(2).normal(0, 1, 400)


@pytest.mark.parametrize(
    ("loss", "fault"),
    [
        (-LOSS, r"'loss' is smaller where 'prediction' is not 'label'.*--higher-is-better"),
        ((~WRONG).astype(int), r"in 0% of pairs.*--higher-is-better"),
        (np.roll(LOSS, 5), r"'loss' is not larger where 'prediction' is not 'label'.*from the same rows"),
        (np.where(SOME, -999, LOSS), r"'loss' is −999 in \d+ rows"),
        (np.repeat(LOSS.reshape(-1, 16).mean(1), 16), r"runs of about 16 rows.*reduction=.none"),
        (np.where(LOSS > 2, np.nan, LOSS), r"has no number in \d+ rows; 100% of these are wrong"),
        (
            [f"{1000 * x:,.2f}" for x in LOSS],
            r"must hold numbers: \d+ of 400 cells do not, for example '\d,\d{3}\.\d\d'",
        ),
    ],
)
def test_a_loss_that_is_none_is_refused(loss: Any, fault: str) -> None:
    with pytest.raises(InvalidInput, match=fault):
        read({**KNOWN, "loss": loss})
    assert len(read({**KNOWN, "loss": loss}, as_is=True).samples) > 300


def test_a_score_that_is_said_to_be_one_is_taken_and_a_loss_that_is_said_to_be_a_score_is_not() -> None:
    assert noted({**KNOWN, "loss": -LOSS}, higher_is_better=True) == ""
    with pytest.raises(InvalidInput, match="Remove --higher-is-better"):
        read({**KNOWN, "loss": LOSS}, higher_is_better=True)


def test_a_log_likelihood_alone_is_refused_and_a_loss_below_0_is_noted() -> None:
    with pytest.raises(InvalidInput, match="No value of 'loss' is above 0"):
        read({"loss": -LOSS})
    assert all("is above 0, and" in noted({"loss": loss}) for loss in (LOSS - LOSS.max(), -RIGHT.scores.max(1)))


@pytest.mark.parametrize(
    ("loss", "said"),
    [
        (-np.log(RIGHT.scores.max(1)), "not the prediction"),
        (LOSS * np.exp(5 * NOISE), "'loss' is hardly larger where"),
        (np.where(SOME, 0, LOSS), "'loss' has its smallest value 0 in"),
        (LOSS * np.exp(NOISE / 2), "'loss' does not follow from label and scores"),
    ],
)
def test_what_may_be_no_loss_of_the_label_is_noted(loss: F64, said: str) -> None:
    scores = RIGHT.columns() if "scores" in said else {"prediction": KNOWN["prediction"]}
    assert said in noted({"label": KNOWN["label"], **scores, "loss": loss})


def kinds() -> dict[str, F64]:
    truth = np.exp(-LOSS)
    hot = RIGHT.scores ** (1 / 10)
    return {
        "focal": (1 - truth) ** 2 * LOSS,
        "smoothed": 0.7 * LOSS - 0.3 * np.log(RIGHT.scores).mean(1),
        "of temperature 10": -np.log((hot / hot.sum(1, keepdims=True))[np.arange(400), RIGHT.labels]),
        "x 100": 100 * LOSS,
        "margin": 1 - 2 * truth,
        "of very different weights": LOSS * np.array([1e-3, 1, 30, 1e3])[RIGHT.labels],
        "0 where it is sure": np.where(LOSS < 0.2, 0, LOSS),
        "heavy-tailed": LOSS**4,
        "clipped": np.minimum(LOSS, 1.0),
        "rounded": LOSS.round(1),
        "0 and 1": WRONG.astype(float),
        "missing at random": np.where(SOME, np.nan, LOSS),
    }


@pytest.mark.parametrize("kind", list(kinds()))
def test_losses_that_people_use_are_taken(kind: str) -> None:
    assert len(read({**KNOWN, "loss": kinds()[kind]}).samples) >= 350
    said = noted({"label": KNOWN["label"], **RIGHT.columns(), "loss": kinds()[kind]})
    assert said == "" or kind in (
        "x 100",
        "of very different weights",
        "heavy-tailed",
        "clipped",
        "0 and 1",
        "missing at random",
    )


def test_the_largest_loss_that_a_framework_allows_is_no_missing_value_where_it_is_wrong() -> None:
    floor = np.where(WRONG & (LOSS > 1.5), 100.0, LOSS)
    assert (read({**KNOWN, "loss": floor}).outcomes.loss == 100).sum() > 5


def test_a_loss_of_a_whole_group_is_no_mean_of_a_batch() -> None:
    means = np.repeat(LOSS.reshape(-1, 16).mean(1), 16)
    assert len(read({"loss": means, "video": np.arange(400) // 16}, group="video").samples) == 400


@pytest.mark.parametrize("order", ["sorted", "saturated"])
def test_equal_losses_side_by_side_are_no_means_of_batches(order: str) -> None:
    loss = np.sort(LOSS.round(1)) if order == "sorted" else np.where(LOSS < 0.5, 0.0, LOSS)
    assert len(read({"loss": loss}).samples) == 400


def test_one_wrong_row_does_not_tell_whether_losses_are_of_their_rows() -> None:
    guesses = [*"bbaabbaabbaabbaabbaa"]
    table = {"label": ["a", *guesses[1:]], "prediction": guesses, "loss": np.arange(20) / 7}
    assert len(read(table).samples) == 20


@pytest.mark.parametrize(("bound", "usual"), [(1, 0.4), (100, 20.0), (0, 1.0)])
def test_a_loss_at_the_end_of_its_range_is_no_missing_value(bound: float, usual: float) -> None:
    loss = usual * RIGHT.scores.max(1)
    loss = np.where(np.arange(400) < 4, bound, loss if bound else 2 + loss / 10)
    assert noted({"loss": loss}) == ""


def test_frames_that_share_their_picture_are_no_batches() -> None:
    frames = np.repeat(np.arange(40), 10)
    table = {name: column[frames] for name, column in KNOWN.items()}
    assert noted({**table, "loss": LOSS[frames]}) == ""
