from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize

from core.errors import InvalidInput
from core.statistics.losses import cross_entropy_of_logits, softmax
from core.systems.probes import make_probe
from core.systems.probes.few_shot.linear_probe import LinearProbe, choose, fit, logits_of
from core.systems.probes.run import run_probe
from tests.support.heads import made_images, made_part, made_task


def test_the_fit_minimises_the_penalised_cross_entropy():
    rows, labels = made_images(16)
    x, c = rows.astype(np.float64), 3.0

    def objective(flat):
        w, b = flat[: 4 * x.shape[1]].reshape(4, -1), flat[4 * x.shape[1] :]
        return c * cross_entropy_of_logits(x @ w.T + b, labels).sum() + 0.5 * (w**2).sum()

    model = fit(x, labels, c, None, 4).model
    ours = objective(np.r_[model.coef_.ravel(), model.intercept_])
    least = minimize(objective, np.zeros(4 * x.shape[1] + 4), method="BFGS").fun
    assert ours == pytest.approx(least, rel=1e-3)


@pytest.mark.parametrize("k", [2, 4])
def test_the_softmax_of_the_logits_is_the_regressions_probability(k):
    rows, labels = made_images(24, k=k)
    model = fit(rows.astype(np.float64), labels, 1.0, None, k).model
    np.testing.assert_allclose(
        softmax(logits_of(model, rows.astype(np.float64), k)), model.predict_proba(rows), atol=1e-6
    )


def test_the_chosen_c_is_no_worse_on_validation_than_any_of_the_grid():
    rows, labels = made_images(16, noise=0.3)
    other, truth = made_images(16, seed=1, noise=0.3)
    x, checked = rows.astype(np.float64), (other.astype(np.float64), truth)
    best = choose(x, labels, checked, 4)
    assert best.loss <= min(fit(x, labels, c, checked, 4).loss for c in (1e6, 1e4, 1e2, 1.0, 1e-2, 1e-4, 1e-6))
    assert best.loss < fit(x, labels, 1.0, checked, 4).loss


def test_c_is_said_with_how_it_came_about():
    part, _ = made_part()
    assert LinearProbe().run(part).choices[0].how == "validation"
    assert LinearProbe(c=2.0).run(part).choices[0] == replace(
        LinearProbe(c=2.0).run(part).choices[0], name="C", value=2.0, how="given"
    )
    fixed = LinearProbe().run(replace(part, validation=None))
    assert (fixed.choices[0].value, fixed.choices[0].how) == (100.0, "fixed")
    assert any("C is 100" in note for note in fixed.notes)


def test_a_given_c_asks_for_no_validation_images():
    assert LinearProbe(shots=16).needs().validation == 4
    assert LinearProbe(shots=2).needs().validation == 2
    assert LinearProbe(c=1.0).needs().validation == 0


def test_it_wins_over_zero_shot_where_the_images_say_what_the_texts_do_not():
    part, truth = made_part(shots=4, test=200)
    scored = LinearProbe(shots=4).run(part)
    assert (scored.logits.argmax(1) == truth).mean() - (scored.controls["zero-shot"][0] == truth).mean() > 0.15


def test_a_class_without_shots_is_never_said_and_the_note_names_it():
    part, _ = made_part()
    few = part.shots.keep(np.flatnonzero(part.shots.labels != 1))
    scored = LinearProbe(fewer=True).run(replace(part, shots=few, validation=None))
    assert not (scored.logits.argmax(1) == 1).any()
    assert np.isfinite(scored.logits).all()
    assert any("dog" in note for note in scored.notes)


def test_shots_of_one_class_alone_say_that_class():
    part, _ = made_part()
    one = part.shots.keep(np.flatnonzero(part.shots.labels == 2))
    assert (LinearProbe(fewer=True).run(replace(part, shots=one)).logits.argmax(1) == 2).all()


def test_no_shots_are_refused():
    with pytest.raises(InvalidInput, match="at least one shot"):
        LinearProbe().run(replace(made_part()[0], shots=None))


def test_a_run_scores_every_row_and_names_its_support():
    result = run_probe("linear-probe", make_probe("linear-probe", {"shots": "2"}), made_task(80))
    assert result.rows.tolist() == list(range(80))
    assert result.support.source == "2 shots a class"
    assert len(result.support.ids) == 16
    assert set(result.support.folds.tolist()) == {0, 1}
