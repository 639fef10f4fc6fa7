"""The made task of the benchmark: labels and reasons follow from the words, and figures are paired by seed."""

from __future__ import annotations

import numpy as np
import pytest

from research.evidence.step_by_step import SAID, lines, rows_of, run


def test_labels_and_reasons_follow_from_the_words() -> None:
    rows = rows_of(300, np.random.default_rng(0))
    bad = {word for words in SAID.values() for word in words[:2]}
    for text, label, reason in zip(rows.texts, rows.labels, rows.rationales):
        light, exposure, lamp, speed, shutter, hand, cover, distance = (word in bad for word in text.split())
        held = (light and (exposure or lamp), speed and (shutter or hand), cover or distance)
        assert label == ("fails" if sum(held) >= 2 else "works")
        assert [word in ("underlit", "blurred", "hidden") for word in reason.split()] == list(held)
    assert 0.3 < np.mean([label == "fails" for label in rows.labels]) < 0.7


def test_noise_turns_labels_and_no_reasons() -> None:
    clean, noisy = (rows_of(400, np.random.default_rng(1), noise) for noise in (0.0, 0.1))
    of_text = dict(zip(clean.texts, zip(clean.labels, clean.rationales)))
    both = [(of_text[t], (a, r)) for t, a, r in zip(noisy.texts, noisy.labels, noisy.rationales) if t in of_text]
    assert all(one[1] == other[1] for one, other in both)
    others = rows_of(50, np.random.default_rng(1), without=frozenset(clean.texts))
    assert not set(others.texts) & set(clean.texts)


def test_a_run_is_a_line_and_gains_are_paired_by_seed() -> None:
    row = run("step-by-step", 50, 0, 0.0, 1)
    assert 0 <= row["accuracy"] <= 1
    assert row["rationale"] is not None
    made = [
        row | {"arm": arm, "seed": seed, "accuracy": accuracy, "rationale": None}
        for arm, values in {"standard": (0.7, 0.8), "step-by-step": (0.75, 0.85)}.items()
        for seed, accuracy in enumerate(values)
    ]
    told = lines(made)
    assert told[0] == "n = 50, noise 0, 1 updates"
    assert told[-1] == "  step-by-step - standard: 5.0 [5.0, 5.0] points, 2 seeds"
    assert "standard: 0.750 [0.115, 1.385] (2 seeds" in told[1]  # Student's, with one degree of freedom


@pytest.mark.parametrize("arm", ["single-task", "standard, twice the updates"])
def test_the_other_arms_run(arm: str) -> None:
    assert run(arm, 50, 0, 0.0, 1)["arm"] == arm
