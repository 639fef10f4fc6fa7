"""The order of a table's rows changes nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.discovery.method import diagnose_records
from tests.support.planted_words import QUICK, planted_run, samples_of


def test_the_order_of_the_rows_changes_nothing_but_the_order() -> None:
    found, audit, _ = planted_run("rare")
    samples, outcomes, embeddings, words = samples_of(audit)
    order = np.random.default_rng(0).permutation(len(samples))
    again = diagnose_records(
        samples.keep(order), outcomes.keep(order), embeddings.keep(order), words=words.keep(order), settings=QUICK
    )
    assert again.samples.ids == tuple(found.samples.ids[i] for i in order)
    np.testing.assert_array_equal(again.estimate.predicted, found.estimate.predicted[order])
    assert [(c.name, c.size, c.p) for c in again.clusters] == [(c.name, c.size, c.p) for c in found.clusters]
    for one, other in zip(again.clusters, found.clusters):
        np.testing.assert_array_equal(one.membership, other.membership[order])
        assert [again.samples.ids[i] for i in one.counterexamples] == [
            found.samples.ids[i] for i in other.counterexamples
        ]
    assert [(i.text, i.scope, i.p) for i in again.insights] == [(i.text, i.scope, i.p) for i in found.insights]
    for one, other in zip(again.insights, found.insights):
        np.testing.assert_array_equal(one.mask, other.mask[order])


def test_the_order_changes_nothing_where_rows_share_groups() -> None:
    """Group numbers come in the order of the table; what is done with groups must not."""
    _, audit, _ = planted_run("rare")
    samples, outcomes, embeddings, _ = samples_of(audit)
    patient = np.arange(len(samples)) // 4
    shuffled = np.random.default_rng(1).permutation(len(samples))
    found = []
    for order in (np.arange(len(samples)), shuffled):
        numbers = np.unique(patient[order], return_index=True, return_inverse=True)
        by_appearance = np.argsort(np.argsort(numbers[1]))[numbers[2]]  # numbered as they appear
        brought = replace(samples.keep(order), groups=by_appearance.astype(np.int64))
        found.append(diagnose_records(brought, outcomes.keep(order), embeddings.keep(order), settings=QUICK))
    one, other = found
    np.testing.assert_array_equal(other.estimate.predicted, one.estimate.predicted[shuffled])
    assert [(c.name, c.size, c.p) for c in other.clusters] == [(c.name, c.size, c.p) for c in one.clusters]
    assert other.fingerprint == one.fingerprint
