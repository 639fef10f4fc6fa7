from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.errors import InvalidInput
from core.statistics.losses import cross_entropy_of_logits
from core.systems.probes import make_probe
from core.systems.probes.few_shot.lp_plus_plus import LinearProbePlusPlus, fit_head, nearest_rows, start_of, step_sizes
from core.systems.probes.run import run_probe
from tests.support.heads import NAMES, Tower, made_images, made_part, made_task

TEXTS = Tower().encode_texts([f"a {name}" for name in NAMES]).astype(np.float64)


def slow_head(rows, labels, texts, start, steps):
    """The formula with one loop for each row and class."""
    n, k, d = len(rows), len(texts), rows.shape[1]
    w, b, a = np.zeros((k, d)), np.zeros(k), np.full(k, start)
    for c in range(k):
        w[c] = rows[labels == c].mean(0)
    wide = np.c_[rows, np.ones(n)]
    rate = 2 * n / np.linalg.eigvalsh(wide.T @ wide).max()
    rate_a = n / (4 * max(sum((rows[i] @ texts[c]) ** 2 for i in range(n)) for c in range(k)))
    mw, mb = np.zeros((k, d)), np.zeros(k)
    for _ in range(steps):
        gw, gb, ga = np.zeros((k, d)), np.zeros(k), np.zeros(k)
        for i in range(n):
            z = np.array([rows[i] @ w[c] + b[c] + a[c] * (rows[i] @ texts[c]) for c in range(k)])
            p = np.exp(z) / np.exp(z).sum()
            for c in range(k):
                wrong = (p[c] - (labels[i] == c)) / n
                gw[c] += wrong * rows[i]
                gb[c] += wrong
                ga[c] += wrong * (rows[i] @ texts[c])
        mw, mb = 0.9 * mw + gw, 0.9 * mb + gb
        w, b, a = w - rate * mw, b - rate * mb, a - rate_a * ga
    return w, b, a


def test_the_head_matches_the_loop_written_from_the_formula():
    rows, labels = made_images(12)
    head = fit_head(rows.astype(np.float64), labels, TEXTS, 5.0, steps=6)
    w, b, a = slow_head(rows.astype(np.float64), labels, TEXTS, 5.0, 6)
    np.testing.assert_allclose(head.weights, w, atol=1e-12)
    np.testing.assert_allclose(head.bias, b, atol=1e-12)
    np.testing.assert_allclose(head.alpha, a, atol=1e-12)


def test_the_step_of_w_is_the_inverse_of_the_curvature_bound():
    rows, _ = made_images(20)
    features = rows.astype(np.float64)
    step, _ = step_sizes(features, features @ TEXTS.T)
    wide = np.c_[features, np.ones(20)]
    p = np.full((20, 4), 0.25)
    curvature = sum(np.kron(np.diag(p[i]) - np.outer(p[i], p[i]), np.outer(wide[i], wide[i])) for i in range(20)) / 20
    assert np.linalg.eigvalsh(curvature).max() <= 1 / step


def test_training_lowers_the_loss_of_the_shots_also_where_cosines_are_tiny():
    rows, labels = made_images(32)
    features = rows.astype(np.float64)
    for shrink in (1.0, 1e-3):
        texts = TEXTS * shrink  # as of a tower whose texts hardly agree with any image
        losses = []
        for steps in (0, 30, 300):
            head = fit_head(features, labels, texts, 20.0, steps=steps)
            losses.append(
                cross_entropy_of_logits(head.images(features) + head.alpha * (features @ texts.T), labels).mean()
            )
        assert losses[0] > losses[1] > losses[2]
        assert losses[2] < 0.1


def test_the_step_with_the_least_validation_loss_is_kept_and_the_start_is_one_of_them():
    rows, labels = made_images(16)
    features = rows.astype(np.float64)
    other, truth = made_images(40, seed=5, noise=0.4)
    checked = (other.astype(np.float64), truth)

    def loss(head):
        return cross_entropy_of_logits(head.images(checked[0]) + head.alpha * (checked[0] @ TEXTS.T), truth).mean()

    best = fit_head(features, labels, TEXTS, 20.0, checked, steps=60)
    each = [loss(fit_head(features, labels, TEXTS, 20.0, steps=s)) for s in range(61)]
    assert best.step == int(np.argmin(each))
    misled = fit_head(features, (labels + 1) % 4, TEXTS, 20.0, (features, labels), steps=20)
    assert misled.step == 0


def test_alpha_begins_where_zero_shot_fits_these_images_best_whatever_the_scale_of_the_encoder():
    rows, labels = made_images(40, hint=0.5, noise=0.3)
    seen = rows.astype(np.float64), labels
    starts = [start_of(scale, TEXTS, seen, seen) for scale in (10.0, 35.0)]
    fits = {a: cross_entropy_of_logits(a * (seen[0] @ TEXTS.T), labels).mean() for a in (*starts, 1.0, 3.0, 60.0)}
    assert max(fits[a] for a in starts) < min(fits[a] for a in fits if a not in starts)
    assert starts[0] == pytest.approx(starts[1], rel=0.06)
    assert start_of(35.0, TEXTS, seen, None) == 35.0


def test_without_validation_all_steps_are_taken_and_the_result_says_so():
    part, _ = made_part(validation=False)
    scored = LinearProbePlusPlus(shots=4).run(part)
    assert scored.choices[0].value == 300
    assert scored.choices[0].how == "fixed"
    assert any("all 300 steps were taken" in note for note in scored.notes)


def test_it_wins_over_zero_shot_where_the_images_say_what_the_texts_do_not():
    part, truth = made_part(shots=4, test=200)
    scored = LinearProbePlusPlus(shots=4).run(part)
    gained = (scored.logits.argmax(1) == truth).mean() - (scored.controls["zero-shot"][0] == truth).mean()
    assert gained > 0.15


def test_the_parts_sum_to_the_logits():
    scored = LinearProbePlusPlus().run(made_part()[0])
    np.testing.assert_allclose(sum(scored.parts.values()), scored.logits)
    assert set(scored.parts) == {"zero-shot", "images"}


def test_the_order_of_the_classes_does_not_matter():
    part, _ = made_part()
    order = np.array([2, 0, 3, 1])
    back = np.argsort(order)
    assert part.shots is not None
    assert part.validation is not None
    moved = replace(
        part,
        class_names=tuple(NAMES[c] for c in order),
        shots=replace(part.shots, labels=back[part.shots.labels]),
        validation=replace(part.validation, labels=back[part.validation.labels]),
    )
    probe = LinearProbePlusPlus()
    np.testing.assert_allclose(probe.run(moved).logits, probe.run(part).logits[:, order], atol=1e-9)


def test_the_nearest_shots_are_those_of_the_largest_cosine():
    cosines = np.array([[0.1, 0.9, 0.5], [0.2, 0.2, 0.1]], np.float32)
    found = nearest_rows(cosines, 2)
    assert found.nearest.tolist() == [[1, 2], [0, 1]]
    np.testing.assert_allclose(found.similarity, [[0.9, 0.5], [0.2, 0.2]])


def test_no_shots_are_refused():
    part, _ = made_part()
    with pytest.raises(InvalidInput, match="at least one shot"):
        LinearProbePlusPlus().run(replace(part, shots=None))


def test_a_class_without_shots_keeps_its_text_where_fewer_are_allowed():
    part, truth = made_part(test=100)
    few = part.shots.keep(np.flatnonzero(part.shots.labels != 3))
    scored = LinearProbePlusPlus(fewer=True).run(replace(part, shots=few, validation=None))
    assert np.isfinite(scored.logits).all()
    assert (scored.logits.argmax(1)[truth != 3] == truth[truth != 3]).mean() > 0.9


def test_a_run_scores_each_row_by_shots_of_the_other_half():
    result = run_probe("lp++", make_probe("lp++", {"shots": 2}), made_task(80))
    assert result.name == "lp++, 2 shots"
    assert result.rows.tolist() == list(range(80))
    assert result.accuracy.value > 0.9
    assert [c.name for c in result.controls] == ["zero-shot"]
    assert result.parts.names == ("zero-shot", "images")
