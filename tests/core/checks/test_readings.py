"""What the ensemble reads in words alone: the planted phrase in its class, nothing in shuffled losses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.checks.readings import read_phrases
from core.discovery.design import make_design, measures
from core.discovery.ridge.features import Features
from core.discovery.ridge.heads import HeadSmoother
from core.records import F64
from tests.support.planted_words import planted_run, samples_of


def test_the_planted_phrase_stands_out_in_its_class_and_reads_more_loss() -> None:
    _, audit, _ = planted_run("rare")
    samples, outcomes, _, words = samples_of(audit)
    design = make_design(samples)
    found = read_phrases(words, measures(outcomes, design).standardised_residuals[:, -1], design, n_permutations=199)
    dog = next(n for n, s in enumerate(design.scopes) if s.name == "dog")
    assert found.values[dog].argmax() == 0
    assert found.stands_out(dog, 0)
    assert not found.stands_out(dog, 3)


def test_a_reading_is_that_of_the_heads_in_deviations_of_permuted_losses() -> None:
    """The class's head, fitted by other code, read along the phrases."""
    _, audit, _ = planted_run("rare")
    samples, outcomes, _, words = samples_of(audit)
    design = make_design(samples)
    scores = measures(outcomes, design).standardised_residuals[:, -1]
    features = Features(words.joint.vectors, design.blocks)
    smoother = HeadSmoother(features.rows, design.blocks, np.arange(len(samples)) % 5, penalty=3.0, share=2.0)
    assert features.basis is not None
    along = words.directions @ features.basis / features.scale

    def read(losses: F64) -> F64:
        return (along @ smoother.weights(losses)[1]).astype(np.float64)

    rng = np.random.default_rng(1)
    null = np.stack([read(scores[design.permuter(scores[:, None]).draw(1, rng)[:, 0]]) for _ in range(200)])
    found = read_phrases(words, scores, design, n_permutations=400)
    dog = next(n for n, s in enumerate(design.scopes) if s.name == "dog")
    np.testing.assert_allclose(found.values[dog], read(scores) / null.std(0), rtol=0.25)


def test_shuffled_losses_stand_out_anywhere_in_few_of_sixty_runs() -> None:
    _, audit, _ = planted_run("rare")
    samples, outcomes, _, words = samples_of(audit)
    design, rng = make_design(samples), np.random.default_rng(0)
    scores = measures(outcomes, design).standardised_residuals[:, -1]
    hits = 0
    for _ in range(60):
        shuffled = scores[design.permuter(scores[:, None]).draw(1, rng)[:, 0]]
        found = read_phrases(words, shuffled, design, n_permutations=199)
        hits += bool((np.abs(found.values) >= found.threshold).any())
    assert hits <= 8  # a level of 5% gives more in two of a thousand


def test_with_too_few_groups_nothing_is_read() -> None:
    _, audit, _ = planted_run("rare")
    samples, outcomes, _, words = samples_of(audit)
    design = make_design(replace(samples, groups=np.arange(len(samples)) % 12))
    found = read_phrases(words, measures(outcomes, design).standardised_residuals[:, -1], design)
    assert np.isnan(found.values).all()
    assert not found.stands_out(0, 0)
