"""Mistakes in the naming and order of classes, and models that are merely bad."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import InvalidInput
from tests.support.desk import NAMES, noted, read, right

RIGHT = right()
LABEL, PREDICTION = NAMES[RIGHT.labels], NAMES[RIGHT.predictions]


def test_a_right_table_is_read_without_a_word() -> None:
    assert noted({"label": LABEL, "prediction": PREDICTION, "loss": RIGHT.loss}) == ""
    assert noted({"label": LABEL, **RIGHT.columns()}) == ""


def test_two_classes_of_four_that_were_swapped_are_refused_though_most_rows_are_right() -> None:
    swapped = np.array([0, 1, 3, 2])[RIGHT.predictions]
    with pytest.raises(InvalidInput, match=r"'fox' goes with 'owl', 'owl' goes with 'fox'"):
        read({"label": LABEL, "prediction": NAMES[swapped]})


@pytest.mark.parametrize("shift", [1, -2])
def test_rows_that_slipped_are_refused_and_said_by_how_many(shift: int) -> None:
    with pytest.raises(InvalidInput, match=rf"shifted by {abs(shift)}.*{'after' if shift > 0 else 'before'}"):
        read({"label": LABEL, "prediction": np.roll(PREDICTION, shift)})


def test_case_is_refused_where_one_side_knows_one_spelling_and_spaces_are_left_out() -> None:
    odd = np.arange(400) % 2 == 1
    with pytest.raises(InvalidInput, match="differ only in case, spaces or coding"):
        read({"label": np.where(odd, np.char.capitalize(LABEL), LABEL), "prediction": PREDICTION})
    with pytest.raises(InvalidInput, match="not all occur in each of 'label' and the scores"):
        read({"label": np.where(odd, np.char.capitalize(LABEL), LABEL), **RIGHT.columns()})
    audit = read({"label": np.where(odd, np.char.add(" ", LABEL), LABEL), "prediction": PREDICTION})
    np.testing.assert_array_equal(audit.outcomes.errors, LABEL != PREDICTION)
    assert "spaces around the values of 'label' in 200 rows" in " ".join(audit.notes)


def test_letters_in_both_cases_are_classes_of_their_own_where_both_sides_know_them() -> None:
    letters = np.array(["c", "C", "x", "X"])
    assert noted({"label": letters[RIGHT.labels], "prediction": letters[RIGHT.predictions]}) == ""


def test_a_letter_that_is_never_predicted_is_noted_and_not_refused() -> None:
    letters = np.array(["c", "d", "x", "X"])
    predicted = np.where(RIGHT.predictions == 3, RIGHT.predictions - 2, RIGHT.predictions)
    assert "'X', 'x' differ only in case, spaces or coding" in noted(
        {"label": letters[RIGHT.labels], "prediction": letters[predicted]}
    )


@pytest.mark.parametrize("name", ["class_{}", "n0{}", "hot_{}"])
def test_columns_that_hold_the_names_of_the_labels_whole_are_read_by_them(name: str) -> None:
    names = np.array([name.format(c) for c in range(4)])
    scores = {f"prob_{c}": RIGHT.scores[:, i] for i, c in enumerate(names)}
    audit = read({"label": names[RIGHT.labels], **scores})
    assert audit.samples.class_names == tuple(names)
    np.testing.assert_array_equal(audit.outcomes.errors, RIGHT.labels != RIGHT.predictions)


@pytest.mark.parametrize("decimals", [2, 3])
def test_probabilities_that_were_rounded_keep_all_their_rows(decimals: int) -> None:
    scores = {name: values.round(decimals) for name, values in RIGHT.columns().items()}
    assert len(read({"label": LABEL, **scores}).samples) == 400


def flipped(share: float, n: int = 400) -> dict[str, object]:
    """Two classes of which so large a share is right."""
    rng = np.random.default_rng(2)
    labels = rng.integers(0, 2, n)
    return {"label": labels, "prediction": np.where(rng.random(n) < share, labels, 1 - labels)}


@pytest.mark.parametrize("share", [0.35, 0.42])
def test_a_bad_model_below_chance_is_noted_and_not_stopped(share: float) -> None:
    assert "than chance" in noted(flipped(share))


def test_two_classes_turned_round_are_refused() -> None:
    with pytest.raises(
        InvalidInput, match=r"order the classes in two ways.*With two classes, a table of errors alone looks the same"
    ):
        read(flipped(0.1))


def test_rows_without_a_label_and_one_class_by_two_names_are_noted() -> None:
    for number in (-1, 255):
        unlabelled = np.where(np.arange(400) % 9 == 0, number, RIGHT.labels)
        assert f"'{number}' is a class of 'label' alone" in noted(
            {"label": unlabelled, "prediction": RIGHT.predictions}
        )
    renamed = np.where(PREDICTION == "fox", "vixen", PREDICTION)
    assert "'fox' is never predicted, 'vixen' is never a label" in noted({"label": LABEL, "prediction": renamed})


@pytest.mark.parametrize("order", ["as drawn", "label", "prediction", "loss"])
def test_a_shuffled_half_is_noted_and_rows_that_are_sorted_are_not(order: str) -> None:
    keys = {"as drawn": np.arange(400), "label": RIGHT.labels, "prediction": RIGHT.predictions, "loss": RIGHT.loss}
    rows = np.argsort(keys[order], kind="stable")
    assert noted({"label": LABEL[rows], "prediction": PREDICTION[rows], "loss": RIGHT.loss[rows]}) == ""
    half = np.r_[PREDICTION[:200], np.random.default_rng(0).permutation(PREDICTION[200:])]
    assert "rows are no better than chance" in noted({"label": LABEL, "prediction": half})


def honest() -> dict[str, dict[str, object]]:
    rng = np.random.default_rng(3)
    many = rng.integers(0, 1000, 3000)
    rare = (rng.random(600) < 0.03).astype(int)
    ordinal = rng.integers(0, 6, 600)
    return {
        "all right": {"label": LABEL, "prediction": LABEL},
        "twenty rows": {"label": ["a", "b"] * 10, "prediction": ["b", "a", "a", "b"] * 5, "loss": np.arange(20) / 7},
        "collapsed": {"label": LABEL, "prediction": ["cat"] * 400},
        "collapsed to the rare class": {"label": rare, "prediction": [1] * 600},
        "imbalanced": {"label": rare, "prediction": np.where(rng.random(600) < 0.01, 1 - rare, rare)},
        "a thousand classes": {
            "label": many,
            "prediction": np.where(rng.random(3000) < 0.05, many, rng.integers(0, 1000, 3000)),
        },
        "one step too high": {"label": ordinal, "prediction": np.minimum(ordinal + (rng.random(600) < 0.8), 5)},
        "one label": {"label": ["cat"] * 400, "prediction": PREDICTION},
    }


@pytest.mark.parametrize("name", list(honest()))
def test_an_honest_model_however_bad_is_never_stopped(name: str) -> None:
    assert len(read(honest()[name]).samples) == len(honest()[name]["label"])  # type: ignore[arg-type]


def test_errors_alone_of_many_classes_are_not_stopped() -> None:
    found = right(3000, skill=1.0)
    wrong = found.predictions != found.labels
    table = {"label": NAMES[found.labels[wrong]], "prediction": NAMES[found.predictions[wrong]]}
    assert "worse than chance" in noted({**table, "loss": found.loss[wrong]})


def test_random_answers_are_not_stopped() -> None:
    rng = np.random.default_rng(4)
    for _ in range(100):
        k, n = int(rng.integers(2, 12)), int(rng.integers(20, 300))
        assert len(read({"label": rng.integers(0, k, n), "prediction": rng.integers(0, k, n)}).samples) == n
