"""Losses and scores of a scale that they cannot have."""

from __future__ import annotations

import numpy as np

from tests.support.desk import NAMES, noted, right

RIGHT = right()
LABEL, PREDICTION = NAMES[RIGHT.labels], NAMES[RIGHT.predictions]
K = len(NAMES)
SHARES = {f"prob_{name}": RIGHT.scores[:, i] for i, name in enumerate(NAMES)}


def softmax(logits: np.ndarray) -> np.ndarray:
    raised = np.exp(logits - logits.max(1, keepdims=True))
    return raised / raised.sum(1, keepdims=True)


def named(part: str, values: np.ndarray) -> dict[str, object]:
    return {"label": LABEL, **{f"{part}_{name}": values[:, i] for i, name in enumerate(NAMES)}}


def test_a_loss_that_is_the_cross_entropy_times_a_number_is_noted_with_the_number() -> None:
    known = {"label": LABEL, **SHARES}
    assert "1.44 times the cross-entropy of label and scores (bits)" in noted({**known, "loss": RIGHT.loss / np.log(2)})
    weights = np.linspace(0.5, 3, K)[RIGHT.labels]
    assert "weighted by class: 0.50 to 3.00 times" in noted({**known, "loss": RIGHT.loss * weights})
    assert "cross-entropy" not in noted({**known, "loss": RIGHT.loss})


def test_right_predictions_whose_losses_no_right_one_has_are_noted() -> None:
    assert "Every 'prediction' equals 'label'" in noted({"label": LABEL, "prediction": LABEL, "loss": RIGHT.loss})
    low = np.minimum(RIGHT.loss, np.log(K))
    assert "Every" not in noted({"label": LABEL, "prediction": LABEL, "loss": low})


def test_scores_that_a_softmax_made_twice_or_that_lack_their_scale_are_noted() -> None:
    logits = np.log(RIGHT.scores)
    for flat in (softmax(RIGHT.scores), softmax(logits / 100)):
        assert "cosines without their scale (CLIP: 100)" in noted(named("prob", flat))
    assert "without their scale" in noted(named("logit", logits / np.abs(logits).max()))
    unsure = softmax(np.random.default_rng(0).normal(size=(400, K)) / 20)
    assert noted(named("prob", RIGHT.scores)) == noted(named("logit", logits)) == ""
    assert "scale" not in noted(named("prob", unsure))
