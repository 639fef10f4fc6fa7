import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from core.data.samples import read_data_set
from core.data.tables.roles import Roles
from core.errors import InvalidInput
from tests.support.tables import N, folder, frame, png, reasons, said

# --- where the loss comes from


def test_a_loss_column_is_kept_as_it_is():
    audit = read_data_set(frame())
    np.testing.assert_array_equal(audit.outcomes.loss, np.arange(N) / N)
    assert (audit.outcomes.name, audit.outcomes.unit, audit.outcomes.clip, audit.outcomes.source) == (
        "loss",
        "loss",
        None,
        "column 'loss'",
    )
    assert audit.samples.ids[:2] == ("0.png", "1.png")


def test_a_column_called_cross_entropy_is_one_unless_it_cannot_be():
    values = np.arange(N) / 4
    plain = read_data_set(frame(cross_entropy=values).drop(columns="loss")).outcomes
    said_so = read_data_set(frame(loss=values), roles=Roles(loss="loss", loss_kind="cross-entropy")).outcomes
    assert (plain.unit, plain.clip) == (said_so.unit, said_so.clip) == ("nats", np.percentile(values, 99))
    for column, roles in ((values - 1, Roles()), (values, Roles(loss="cross_entropy", higher_is_better=True))):
        other = read_data_set(frame(cross_entropy=column).drop(columns="loss"), roles=roles).outcomes
        assert (other.unit, other.clip) == ("loss", None)


@pytest.mark.parametrize("scale", [1e-30, 1e30, 1e300])
def test_losses_that_no_float32_could_square_are_refused_with_a_next_step(scale):
    with pytest.raises(InvalidInput, match=r"losses 'loss' must lie within.*Rescale them"):
        read_data_set(frame(loss=np.arange(N) * scale))


@pytest.mark.parametrize("scale", [1e-12, 1e12])
def test_losses_of_unusual_units_are_taken(scale):
    np.testing.assert_array_equal(read_data_set(frame(loss=np.arange(N) * scale)).outcomes.loss, np.arange(N) * scale)


def test_a_score_is_negated_and_said():
    audit = read_data_set(frame(dice=np.arange(N) / N), roles=Roles(loss="dice", higher_is_better=True))
    np.testing.assert_array_equal(audit.outcomes.loss, -np.arange(N) / N)
    assert "negated: higher was better" in audit.outcomes.source
    assert said(read_data_set(frame(dice=np.arange(N) / N), roles=Roles(loss="dice")), "sounds like a score")


SCORES = np.array([[0.7, 0.3], [0.2, 0.8]] * (N // 2))


@pytest.mark.parametrize("word", ["prob", "probs", "proba", "probas", "probability", "probabilities", "softmax", "p"])
@pytest.mark.parametrize("mark", ["_", "-", ".", " "])
def test_every_usual_word_for_probabilities_is_recognized(word, mark):
    label = ["cat", "dog"] * (N // 2)
    table = frame(label=label).drop(columns="loss")
    table = table.assign(**{f"{word}{mark}{name}": SCORES[:, c] for c, name in enumerate(("cat", "dog"))})
    loss = read_data_set(table).outcomes.loss
    np.testing.assert_allclose(loss, -np.log(SCORES[np.arange(N), np.arange(N) % 2]))


@pytest.mark.parametrize("layout", ["columns", "reversed columns", "array", "json", "numbers", "one column"])
def test_every_layout_of_probabilities_gives_the_same_cross_entropy(layout):
    label = ["cat", "cat", "dog", "cat"] * (N // 4)
    table = frame(label=label).drop(columns="loss")
    roles = Roles()
    if layout == "columns":
        table = table.assign(prob_cat=SCORES[:, 0], prob_dog=SCORES[:, 1])
    elif layout == "reversed columns":
        table = table.assign(prob_dog=SCORES[:, 1], prob_cat=SCORES[:, 0])
    elif layout == "array":
        table = table.assign(probs=list(SCORES))
    elif layout == "json":
        table = table.assign(probs=[json.dumps(list(row)) for row in SCORES])
    elif layout == "numbers":
        table = table.assign(label=[int(name == "dog") for name in label], prob_0=SCORES[:, 0], prob_1=SCORES[:, 1])
    else:
        table, roles = table.assign(p=SCORES[:, 1]), Roles(probabilities=("p",))
    audit = read_data_set(table, roles=roles)
    np.testing.assert_allclose(audit.outcomes.loss[:4], -np.log([0.7, 0.2, 0.3, 0.2]))
    assert (audit.outcomes.name, audit.outcomes.unit, audit.outcomes.clip) == ("cross-entropy", "nats", 4.0)
    assert audit.outcomes.errors is not None
    np.testing.assert_array_equal(audit.outcomes.errors[:4], [False, True, True, True])
    assert audit.outcomes.scores is not None
    assert audit.outcomes.predictions is not None
    assert audit.samples.labels is not None
    assert audit.outcomes.scores.shape == (N, 2)


def test_an_array_that_does_not_sum_to_one_is_taken_as_logits_and_said():
    logits = np.array([[2.0, -1.0], [0.0, 3.0]] * (N // 2))
    audit = read_data_set(frame(label=[0, 1] * (N // 2), probs=list(logits)).drop(columns="loss"))
    np.testing.assert_allclose(audit.outcomes.loss[:2], [np.log(1 + np.exp(-3)), np.log(1 + np.exp(-3))])
    assert said(audit, "as logits, since its rows do not sum to 1")


def test_named_probabilities_that_look_like_logits_stop_the_run():
    table = frame(label=[0, 1] * (N // 2), out=[[2.0, -1.0]] * N).drop(columns="loss")
    with pytest.raises(InvalidInput, match=r"do not sum to 1 or are negative.*name them as logits"):
        read_data_set(table, roles=Roles(probabilities=("out",)))
    assert read_data_set(table, roles=Roles(logits=("out",))).outcomes.name == "cross-entropy"


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("brier", [0.18, 1.28]), ("margin", [-0.4, 0.6]), ("0/1 error", [0, 1]), ("cross-entropy", -np.log([0.7, 0.2]))],
)
def test_the_kind_of_loss_can_be_chosen(kind, expected):
    audit = read_data_set(
        frame(label=["cat"] * N, prob_cat=SCORES[:, 0], prob_dog=SCORES[:, 1]), roles=Roles(loss_kind=kind)
    )
    np.testing.assert_allclose(audit.outcomes.loss[:2], expected)
    assert audit.outcomes.name == kind


def test_label_and_prediction_give_the_zero_one_error_even_for_a_class_that_was_never_true():
    audit = read_data_set(frame(label=["a", "b"] * (N // 2), prediction=["a", "z"] * (N // 2)).drop(columns="loss"))
    np.testing.assert_array_equal(audit.outcomes.loss[:2], [0, 1])
    assert audit.samples.class_names == ("a", "b", "z")


def test_a_loss_column_beside_label_and_prediction_keeps_errors_too():
    audit = read_data_set(frame(label=[0, 1] * (N // 2), pred=[0, 0] * (N // 2), class_name=["cat", "dog"] * (N // 2)))
    assert audit.outcomes.name == "loss"
    assert audit.outcomes.errors is not None
    assert audit.outcomes.errors.mean() == 0.5
    assert audit.samples.class_names == ("cat", "dog")


@pytest.mark.parametrize(("column", "flip"), [("error", False), ("wrong", False), ("correct", True)])
def test_a_column_of_errors_is_a_zero_one_loss(column, flip):
    flags = np.array([0, 1] * (N // 2))
    audit = read_data_set(pd.DataFrame({column: flags}))
    np.testing.assert_array_equal(audit.outcomes.loss, 1 - flags if flip else flags)
    assert (audit.outcomes.name, audit.outcomes.unit) == ("0/1 error", "error")
    assert audit.outcomes.errors is not None
    np.testing.assert_array_equal(audit.outcomes.errors, audit.outcomes.loss == 1)
    assert audit.samples.ids[0] == "0"


@pytest.mark.parametrize(("kind", "expected"), [(None, 0.25), ("absolute error", 0.5)])
def test_a_numeric_target_and_prediction_are_a_regression(kind, expected):
    table = pd.DataFrame({"target": np.arange(N) + 0.0, "prediction": np.arange(N) + np.array([0, 0.5] * (N // 2))})
    audit = read_data_set(table, roles=Roles(loss_kind=kind))
    np.testing.assert_allclose(audit.outcomes.loss[:2], [0, expected])
    assert audit.samples.labels is None


def test_probabilities_without_labels_are_a_proxy():
    audit = read_data_set(pd.DataFrame({"prob_0": [0.5, 1.0] * (N // 2), "prob_1": [0.5, 0.0] * (N // 2)}))
    np.testing.assert_allclose(audit.outcomes.loss[:2], [np.log(2), 0], atol=1e-9)
    assert audit.outcomes.is_proxy
    assert said(audit, "entropy replaces the loss")


def test_without_any_loss_the_message_says_what_would_do():
    with pytest.raises(InvalidInput, match=r"No loss found among the columns 'file'.*name a loss column"):
        read_data_set(frame().drop(columns="loss"))
    with pytest.raises(InvalidInput, match="Cannot compute the loss 'entropy': the table lacks probabilities"):
        read_data_set(frame(), roles=Roles(loss_kind="entropy"))


def test_several_labels_in_a_row_are_refused_in_words():
    audit = read_data_set(pd.DataFrame({"label": [[0, 1]] * N, "prob_0": 0.5, "prob_1": np.repeat(0.5, N)}))
    assert said(audit, "'label' holds several labels per row")
    assert audit.outcomes.is_proxy


# --- masks


def mask(*values):
    return [[values[0], values[1]], [values[2], values[3]]]


@pytest.mark.parametrize(("kind", "expected"), [("1 - Dice", [1 / 3, 0.0, 1.0]), ("1 - IoU", [0.5, 0.0, 1.0])])
def test_binary_mask_pairs_agree_with_counting_and_two_empty_masks_lose_nothing(kind, expected):
    true = [mask(255, 0, 0, 0), mask(0, 0, 0, 0), mask(255, 0, 0, 0)] + [mask(255, 0, 0, 0)] * 27
    predicted = [mask(1, 1, 0, 0), mask(0, 0, 0, 0), mask(0, 1, 0, 0)] + [mask(1, 0, 0, 0)] * 27
    audit = read_data_set(pd.DataFrame({"mask": true, "pred_mask": predicted}), roles=Roles(loss_kind=kind))
    np.testing.assert_allclose(audit.outcomes.loss[:3], expected)
    assert said(audit, "both masks are empty")


def test_masks_of_several_classes_give_the_mean_over_classes_in_either():
    # class 1: overlap 1 of 1 and 2 pixels -> dice 2/3; class 2: 1 and 0 -> 0
    table = pd.DataFrame({"mask": [mask(1, 2, 0, 0)] * N, "pred_mask": [mask(1, 1, 0, 0)] * N})
    np.testing.assert_allclose(read_data_set(table).outcomes.loss, (1 / 3 + 1) / 2)


def test_mask_files_are_read_from_the_images_and_bad_pairs_are_left_out(tmp_path):
    images = folder(tmp_path / "images", [f"m/{i}.png" for i in range(N)], png(1))
    (images / "m/1.png").write_bytes(png(1, (2, 2)))
    (images / "m/2.png").write_bytes(b"broken")
    table = pd.DataFrame({"id": range(N), "true_mask": ["m/0.png"] * N, "pred_mask": [f"m/{i}.png" for i in range(N)]})
    audit = read_data_set(table, images=images, roles=Roles(image="pred_mask"))
    assert set(reasons(audit)) == {1, 2}
    assert "differ in size" in reasons(audit)[1]
    np.testing.assert_array_equal(audit.outcomes.loss, 0)


def test_probabilities_of_a_hundred_and_those_called_logits_are_read_as_what_they_are_and_said():
    label = ["cat", "dog", "dog", "cat"] * (N // 4)
    plain = read_data_set(frame(label=label, prob_cat=SCORES[:, 0], prob_dog=SCORES[:, 1]).drop(columns="loss"))
    percent = read_data_set(
        frame(label=label, prob_cat=100 * SCORES[:, 0], prob_dog=100 * SCORES[:, 1]).drop(columns="loss")
    )
    called = frame(label=label, logit_cat=SCORES[:, 0], logit_dog=SCORES[:, 1]).drop(columns="loss")
    np.testing.assert_allclose(percent.outcomes.loss, plain.outcomes.loss)
    assert said(percent, "by 100: they sum to 100 in each row")
    np.testing.assert_allclose(read_data_set(called).outcomes.loss, plain.outcomes.loss)
    assert said(read_data_set(called), "as probabilities, not logits")
    named = Roles(logits=("logit_*",))
    with pytest.raises(InvalidInput, match="look like probabilities: 40 of 40 rows sum to 1"):
        read_data_set(called, roles=named)
    softened = read_data_set(called, roles=replace(named, as_is=True)).outcomes.loss
    np.testing.assert_allclose(softened[0], np.log(1 + np.exp(-0.4)))


@pytest.mark.parametrize("decimals", [0, 1])
def test_rounded_percentages_lose_no_row(decimals):
    shares = np.random.default_rng(0).dirichlet(np.ones(8), N)
    rounded = np.round(100 * shares, decimals)
    assert (np.abs(rounded.sum(axis=1) - 100) > 0.11).any()
    columns = {f"prob_{name}": rounded[:, i] for i, name in enumerate("abcdefgh")}
    read = read_data_set(frame(label=["abcdefgh"[i] for i in shares.argmax(axis=1)], **columns).drop(columns="loss"))
    assert len(read.outcomes.loss) == N
    right = rounded.max(axis=1) / rounded.sum(axis=1)
    np.testing.assert_allclose(np.sort(read.outcomes.loss), np.sort(-np.log(right)))
