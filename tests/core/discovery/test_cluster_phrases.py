"""Phrases: described on rows they were not chosen on, read in the text, tested with everything else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import spearmanr

from core.discovery.cluster_phrases import describe, witnesses
from core.discovery.method import diagnose_records
from core.records import Column
from core.statistics.ranking import auroc
from tests.support.planted_words import QUICK, planted_run, samples_of


def test_the_true_phrase_is_confirmed_and_describes_the_cluster() -> None:
    found, audit, _ = planted_run("rare")
    sentences = [i for i in found.insights if i.kind == "phrase" and i.confirmed]
    assert "in snow" in {i.text for i in sentences}
    lead = next(i for i in sentences if i.text == "in snow")
    assert lead.scope == "dog"
    assert audit.slices[0][lead.mask].mean() > 0.4
    assert lead.error_inside is not None
    assert lead.error_outside is not None
    assert lead.error_inside > lead.error_outside
    assert lead.error_difference.low > 0
    # a little below what is observed: the search is paid for
    seen = audit.errors[lead.mask].sum() / audit.errors[audit.labels == 1].sum()
    assert 0.8 * seen < lead.coverage.value <= seen


def test_no_phrase_is_confirmed_where_losses_are_shuffled() -> None:
    _, audit, _ = planted_run()
    samples, outcomes, embeddings, words = samples_of(audit)
    order = np.random.default_rng(0).permutation(len(samples))
    shuffled = replace(outcomes, loss=outcomes.loss[order], errors=outcomes.errors[order])
    found = diagnose_records(samples, shuffled, embeddings, words=words, settings=QUICK)
    assert not [i for i in found.insights if i.kind == "phrase" and i.confirmed]


def test_retrieval_is_the_auroc_and_is_charged_on_rows_that_chose_nothing() -> None:
    rng = np.random.default_rng(0)
    members = rng.random(300) < 0.2
    scores = rng.normal(size=(300, 40)).astype(np.float32)
    scores[:, 3] += 2 * members
    folds = np.arange(300) % 5
    best, *others = describe(scores, members, folds)
    assert best.phrase == 3
    assert best.retrieval == pytest.approx(auroc(scores[:, 3].astype(float), members))
    held = [auroc(scores[folds == f, 3].astype(float), members[folds == f]) for f in range(5)]
    weights = [members[folds == f].sum() for f in range(5)]
    assert best.held_out.value == pytest.approx(np.average(held, weights=weights))
    assert best.stability == 1.0
    assert not others  # forty random phrases: none of them is chosen by a fold


def test_among_random_phrases_none_describes_a_random_cluster() -> None:
    rng = np.random.default_rng(1)
    shown = [
        describe(rng.normal(size=(200, 100)).astype(np.float32), rng.random(200) < 0.2, np.arange(200) % 5)
        for _ in range(10)
    ]
    assert sum(map(bool, shown)) <= 2


def test_phrases_that_say_the_same_are_folded() -> None:
    rng = np.random.default_rng(2)
    members = rng.random(300) < 0.2
    one = rng.normal(size=300) + 2 * members
    scores = np.stack([one, one + 0.1 * rng.normal(size=300), rng.normal(size=300)], 1).astype(np.float32)
    found = describe(scores, members, np.arange(300) % 5)
    assert len(found) == 1
    assert {found[0].phrase, *found[0].alike} == {0, 1}


def test_a_measured_property_that_goes_with_a_phrase_is_its_witness() -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(size=200).astype(np.float32)
    columns = (
        Column("brightness", "number", -scores + 0.5 * rng.normal(size=200), measured=True),
        Column("blur", "number", rng.normal(size=200), measured=True),
        Column("age", "number", scores.astype(float)),  # not measured: the table may know the loss
        Column("format", "category", np.array(["webp"] * 200, dtype=object), measured=True),
    )
    found = witnesses(scores[50:], columns, np.arange(50, 200))
    assert [name for name, _ in found] == ["brightness"]
    assert found[0][1] == pytest.approx(spearmanr(scores[50:], columns[0].values[50:]).statistic)
