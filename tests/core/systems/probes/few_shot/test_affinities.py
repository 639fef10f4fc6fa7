"""Affinities against slow loops written from the formulas."""

from __future__ import annotations

import numpy as np
import pytest

from core.systems.probes.few_shot.affinities import (
    Span,
    cache_values,
    image_affinity,
    kl,
    nearest,
    neutral,
    projected,
    signature_evidence,
    signatures,
    support_span,
    text_subspace,
    tip_evidence,
    tip_logits,
)


def unit(n: int, d: int, seed: int) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(n, d))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_the_divergence_equals_the_double_loop_over_pairs() -> None:
    texts, features, support = unit(5, 12, 0), unit(23, 12, 1), unit(17, 12, 2)
    p, q = np.exp(signatures(features, texts)), np.exp(signatures(support, texts))
    slow = np.array(
        [[sum(p[i, c] * (np.log(p[i, c]) - np.log(q[j, c])) for c in range(5)) for j in range(17)] for i in range(23)]
    )
    np.testing.assert_allclose(kl(signatures(features, texts), signatures(support, texts)), slow, atol=1e-9, rtol=0)
    assert slow.max() > 1e-3  # the comparison is of numbers that matter


def test_the_divergence_of_an_image_from_itself_is_zero_and_never_below() -> None:
    log_p = signatures(unit(40, 12, 1), unit(5, 12, 0))
    found = kl(log_p, log_p)
    assert found.min() >= 0
    assert np.diag(found).max() < 1e-12


def test_signatures_are_a_softmax_of_cosines_over_the_temperature() -> None:
    texts, features = unit(3, 8, 0), unit(4, 8, 1)
    raised = np.exp(features @ texts.T / 0.25)
    np.testing.assert_allclose(
        np.exp(signatures(features, texts, 0.25)), raised / raised.sum(1, keepdims=True), rtol=1e-12
    )


def test_the_cache_equals_a_loop_over_images_and_support() -> None:
    features, support, labels, beta = unit(7, 6, 0), unit(9, 6, 1), np.array([0, 0, 0, 1, 1, 2, 2, 2, 2]), 3.0
    slow = np.zeros((7, 3))
    for i in range(7):
        for j in range(9):
            slow[i, labels[j]] += np.exp(-beta * (1 - features[i] @ support[j]))
    np.testing.assert_allclose(
        tip_evidence(features, support, cache_values(labels, 3, balance=False), beta), slow, rtol=1e-12
    )


@pytest.mark.parametrize("n", [1, 99, 100, 101, 137])
def test_no_row_is_left_at_zero_and_the_block_does_not_matter(n: int) -> None:
    texts, features, support, labels = unit(4, 10, 0), unit(n, 10, 1), unit(12, 10, 2), np.arange(12) % 4
    values, log_p, log_q = cache_values(labels, 4), signatures(features, texts), signatures(support, texts)
    span = support_span(support, log_q)
    for block in (1, 100, 2**20):
        cache, signature = (
            tip_evidence(features, support, values, 2.0, block),
            signature_evidence(log_p, log_q, values, span, block),
        )
        np.testing.assert_allclose(cache, tip_logits(image_affinity(features, support), values, 2.0), rtol=1e-12)
        np.testing.assert_allclose(signature, span.rescaled(kl(log_p, log_q)) @ values, rtol=1e-9)
        assert cache.all(1).all()
        assert signature.any(1).all()


def test_what_is_said_of_an_image_does_not_depend_on_the_others() -> None:
    texts, features, support = unit(4, 10, 0), unit(30, 10, 1), unit(12, 10, 2)
    values, log_q = cache_values(np.arange(12) % 4, 4), signatures(support, texts)
    span = support_span(support, log_q)
    all_rows, alone = (signature_evidence(signatures(f, texts), log_q, values, span) for f in (features, features[7:8]))
    np.testing.assert_allclose(alone[0], all_rows[7], rtol=1e-9)


def test_rescaling_maps_the_range_of_the_support_to_its_cosines_with_near_as_large() -> None:
    texts, support = unit(4, 10, 0), unit(12, 10, 2)
    log_q, off = signatures(support, texts), ~np.eye(12, dtype=bool)
    span, divergence, cosine = support_span(support, log_q), kl(log_q, log_q)[off], (support @ support.T)[off]
    psi = span.rescaled(divergence)
    assert psi.max() == pytest.approx(cosine.max())
    assert psi.min() == pytest.approx(cosine.min())
    assert psi.argmax() == divergence.argmin()


def test_a_single_support_image_or_equal_signatures_give_no_division_by_zero() -> None:
    assert np.isfinite(
        support_span(unit(1, 6, 0), signatures(unit(1, 6, 0), unit(3, 6, 1))).rescaled(np.array([[0.1]]))
    ).all()
    assert Span(0.2, 0.2, 0.1, 0.7).rescaled(np.array([[0.2, 9.0]])).tolist() == [[0.7, 0.7]]


def test_a_long_support_set_has_its_range_taken_on_part_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.systems.probes.few_shot.affinities.RANGE_ROWS", 10)
    support, texts = unit(25, 6, 0), unit(3, 6, 1)
    part = support[np.linspace(0, 24, 10).astype(int)]
    assert support_span(support, signatures(support, texts)) == support_span(part, signatures(part, texts))


def test_balanced_labels_equal_the_plain_ones_for_equal_counts_and_weigh_classes_alike() -> None:
    even, uneven = np.array([0, 1, 2, 0, 1, 2]), np.array([0, 0, 0, 0, 1, 2])
    np.testing.assert_array_equal(cache_values(even, 3), cache_values(even, 3, balance=False))
    assert cache_values(uneven, 3).sum(0).tolist() == [1, 1, 1]
    assert cache_values(uneven, 3, balance=False).sum(0).tolist() == [4, 1, 1]


def test_duplicates_in_one_class_change_nothing_when_balanced_and_much_when_not() -> None:
    texts, features, support, labels = unit(3, 8, 0), unit(15, 8, 1), unit(6, 8, 2), np.array([0, 0, 1, 1, 2, 2])
    repeated = np.concatenate([[0, 1] * 6, np.arange(6)])
    span = support_span(support, signatures(support, texts))

    def said(at: np.ndarray, balance: bool) -> np.ndarray:
        values, log_q = cache_values(labels[at], 3, balance=balance), signatures(support[at], texts)
        return tip_evidence(features, support[at], values, 2.0) + signature_evidence(
            signatures(features, texts), log_q, values, span
        )

    np.testing.assert_allclose(said(repeated, True), said(np.arange(6), True), rtol=1e-12)
    assert (said(repeated, False).argmax(1) == 0).mean() > 0.9
    assert (said(np.arange(6), False).argmax(1) == 0).mean() < 0.6


def test_a_class_without_support_is_neither_favoured_nor_punished() -> None:
    values = cache_values(np.array([0, 2, 2]), 3)
    np.testing.assert_allclose(neutral(np.array([[1.0, 0.0, 3.0]]), values), [[1.0, 2.0, 3.0]])


def test_a_large_beta_copies_the_label_of_the_nearest() -> None:
    support, labels = unit(30, 10, 3), np.random.default_rng(0).integers(0, 4, 30)
    evidence = tip_evidence(support, support, cache_values(labels, 4, balance=False), 5000.0)
    np.testing.assert_array_equal(evidence.argmax(1), labels)
    np.testing.assert_allclose(evidence.max(1), 1.0, atol=1e-6)


def test_the_subspace_keeps_what_texts_differ_in_and_drops_the_rest() -> None:
    texts = np.zeros((3, 8))
    texts[:, 7], texts[np.arange(3), np.arange(3)] = 0.9, 0.4  # a shared direction, and one for each class
    directions = text_subspace(texts)
    assert directions.shape == (2, 8)
    np.testing.assert_allclose(directions @ directions.T, np.eye(2), atol=1e-12)
    np.testing.assert_allclose(directions[:, 3:], 0, atol=1e-12)
    noisy = np.array([[1.0, 0, 0, 5, 0, 0, 0, 3], [1.0, 0, 0, 0, 5, 0, 0, -1]])
    a, b = projected(noisy, directions)
    assert a @ b == pytest.approx(1)
    assert not projected(np.eye(8)[3:4], directions).any()


def test_the_nearest_are_ordered_and_filled_up_with_none() -> None:
    support = np.array([[1.0, 0], [0, 1.0], [0.8, 0.6]])
    places, near = nearest(np.array([[1.0, 0.0]]), support, 4)
    assert places.tolist() == [[0, 2, 1, -1]]
    np.testing.assert_allclose(near[0, :3], [1, 0.8, 0], atol=1e-6)
    log_q = np.log(np.array([[0.9, 0.1], [0.5, 0.5], [0.6, 0.4]]))
    places, near = nearest(log_q[:1], log_q, 2, by_kl=True)
    assert places.tolist() == [[0, 2]]
    assert near[0, 1] == pytest.approx(-(0.9 * np.log(0.9 / 0.6) + 0.1 * np.log(0.1 / 0.4)))
