"""New samples are read as the diagnosed ones were, after a round trip through plain arrays too."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from core.discovery.assigner import Assigner
from core.discovery.design import design_of
from core.discovery.method import diagnose_records
from core.discovery.settings import Settings
from core.errors import InvalidInput
from core.records import F32, I64, Diagnosis, Embeddings
from research.arrays import diagnose_arrays
from research.evidence.long_tail import LongTail, make

N = 600


def draw(seed: int, n: int = N) -> tuple[F32, I64, np.ndarray]:
    """(n, 8) unit rows, (n,) classes and the (n,) failing rows: in class 1, along the first direction."""
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(n, 8))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    labels = np.arange(n) % 3
    return vectors.astype(np.float32), labels, (labels == 1) & (vectors[:, 0] > 0.4)


@cache
def diagnosed(family: str = "ridge", labelled: bool = True) -> Diagnosis:
    vectors, labels, failing = draw(0)
    losses = np.random.default_rng(1).gamma(1.0, 0.3, N) + 1.5 * failing
    settings = Settings(
        map=False, sensitivity=False, n_members=2 if family == "mlp" else 4, n_permutations=199, family=family
    )
    return diagnose_arrays(vectors, losses, labels=labels if labelled else None, settings=settings)


def assigner(diagnosis: Diagnosis) -> Assigner:
    assert isinstance(diagnosis.model, Assigner)
    return diagnosis.model


@pytest.mark.parametrize("labelled", [True, False])
def test_the_diagnosed_rows_are_assigned_about_as_they_were(labelled: bool) -> None:
    diagnosis = diagnosed(labelled=labelled)
    labels = diagnosis.samples.labels
    found = assigner(diagnosis).assign(diagnosis.embeddings, labels=labels)
    shown = [c.membership for c in (*diagnosis.clusters, *diagnosis.candidates)]
    assert diagnosis.clusters
    assert found.memberships.shape == (N, len(shown))
    for column, membership in enumerate(shown):
        # these rows were seen by the fit that reads them now, so the two agree only roughly
        assert np.corrcoef(found.memberships[:, column], membership)[0, 1] > 0.6
    assert np.corrcoef(found.predicted, diagnosis.estimate.predicted)[0, 1] > 0.75
    assert found.predicted.mean() == pytest.approx(diagnosis.outcomes.fitted.mean(), rel=0.1)


def test_fresh_rows_that_fail_are_found_by_their_cluster() -> None:
    diagnosis = diagnosed()
    vectors, labels, failing = draw(7)
    found = assigner(diagnosis).assign(vectors, labels=labels)
    inside = found.cluster >= 0
    assert failing[inside].mean() > 0.5
    assert failing[inside].mean() > 4 * failing.mean()
    assert found.predicted[failing].mean() > found.predicted[~failing].mean() + 0.3
    assert (found.spread > 0).all()


def test_the_cluster_is_the_confirmed_one_of_highest_membership_if_at_least_one_half() -> None:
    diagnosis = diagnosed()
    model = assigner(diagnosis)
    found = model.assign(diagnosis.embeddings, labels=diagnosis.samples.labels)
    confirmed = found.memberships[:, : model.n_confirmed]
    expected = np.where(confirmed.max(1) >= 0.5, confirmed.argmax(1), -1)
    np.testing.assert_array_equal(found.cluster, expected)
    assert ((found.memberships >= 0) & (found.memberships <= 1)).all()
    none = replace(model, rules=(), n_confirmed=0).assign(diagnosis.embeddings, labels=diagnosis.samples.labels)
    assert set(none.cluster) == {-1}


def test_a_cluster_inside_a_class_takes_no_sample_of_another_and_an_unknown_one_as_if_it_were_of_it() -> None:
    diagnosis = diagnosed()
    vectors = diagnosis.embeddings.vectors
    inner = [i for i, c in enumerate((*diagnosis.clusters, *diagnosis.candidates)) if c.scope == "1"]
    assert inner
    other = assigner(diagnosis).assign(vectors, labels=np.zeros(N, np.int64)).memberships[:, inner]
    assert (other == 0).all()
    unknown, none = (
        assigner(diagnosis).assign(vectors, labels=x).memberships[:, inner] for x in (np.full(N, -1), None)
    )
    np.testing.assert_array_equal(unknown, none)
    assert (unknown > 0).all()
    assert (unknown >= 0.5).any()


@pytest.mark.parametrize("family", ["ridge", "kernel", "mlp"])
def test_plain_arrays_and_json_bring_the_same_assigner_back(family: str) -> None:
    diagnosis = diagnosed(family)
    model = assigner(diagnosis)
    arrays, document = model.to_arrays(), json.loads(json.dumps(model.to_json()))
    assert all(isinstance(a, np.ndarray) and a.dtype != object for a in arrays.values())
    again = Assigner.load(arrays, document)
    vectors, labels, _ = draw(3, 50)
    labels[::5] = -1
    one, other = model.assign(vectors, labels=labels), again.assign(vectors, labels=labels)
    for name in ("predicted", "spread", "memberships", "cluster"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert (again.space, again.encoder, again.n_confirmed) == (model.space, model.encoder, model.n_confirmed)


@pytest.mark.parametrize("family", ["ridge", "mlp"])
def test_a_row_is_read_the_same_alone_and_among_others(family: str) -> None:
    model = assigner(diagnosed(family))
    vectors, labels, _ = draw(4, 20)
    together = model.assign(vectors, labels=labels)
    for i in range(0, 20, 7):
        alone = model.assign(vectors[i : i + 1], labels=labels[i : i + 1])
        np.testing.assert_allclose(alone.predicted, together.predicted[i : i + 1], atol=1e-6)
        np.testing.assert_allclose(alone.memberships[0], together.memberships[i], atol=1e-6)


def test_vectors_of_another_width_or_space_are_refused_with_a_next_step() -> None:
    model = assigner(diagnosed())
    with pytest.raises(InvalidInput, match=r"diagnosed width, 8: got 9\. Use the same encoder"):
        model.assign(np.ones((5, 9), np.float32))
    with pytest.raises(InvalidInput, match=r"got elsewhere\. Use the same encoder"):
        model.assign(Embeddings(np.ones((5, 8), np.float32), "given", "elsewhere"))


def test_vectors_that_are_no_numbers_are_refused() -> None:
    vectors = np.ones((5, 8), np.float32)
    vectors[2, 3] = np.nan
    with pytest.raises(InvalidInput, match=r"finite.*1 rows with nan or inf"):
        assigner(diagnosed()).assign(vectors)


@pytest.mark.parametrize("labels", [np.array([0, 1]), np.array([0, 1, 3])], ids=["too few", "beyond the classes"])
def test_labels_of_another_length_or_class_are_refused(labels: I64) -> None:
    with pytest.raises(InvalidInput, match="labels must be 3 numbers below 3"):
        assigner(diagnosed()).assign(np.ones((3, 8), np.float32), labels=labels)


def test_no_samples_give_no_rows() -> None:
    found = assigner(diagnosed()).assign(np.zeros((0, 8), np.float32), labels=np.zeros(0, np.int64))
    assert found.predicted.shape == found.cluster.shape == (0,)


@cache
def long_tail() -> tuple[LongTail, Diagnosis]:
    made = make(80, seed=0, planted=True, each=40, d=24, failing=0.8)
    settings = Settings(map=False, sensitivity=False, n_members=2, n_permutations=199)
    return made, diagnose_records(made.samples, made.outcomes, made.embeddings, names=made.texts, settings=settings)


@pytest.mark.slow
def test_a_failure_of_a_superclass_is_found_where_it_was_planted() -> None:
    made, diagnosis = long_tail()
    assert diagnosis.clusters
    assert diagnosis.samples.labels is not None
    cluster = diagnosis.clusters[0]
    members = cluster.membership >= 0.5
    assert cluster.scope in {s.name for s in design_of(diagnosis).scopes[1:]}
    assert made.victims[members].mean() > 0.5
    assert len(np.unique(made.superclass[diagnosis.samples.labels[members]])) == 1


def test_a_cluster_of_a_superclass_takes_new_rows_of_its_classes_only_and_survives_saving() -> None:
    diagnosis = long_tail()[1]
    kept = assigner(diagnosis)
    again = Assigner.load(kept.to_arrays(), json.loads(json.dumps(kept.to_json())))
    assert again.superclasses is not None
    labels = diagnosis.samples.labels
    found, twice = (a.assign(diagnosis.embeddings, labels=labels) for a in (kept, again))
    np.testing.assert_array_equal(found.memberships, twice.memberships)
    scope = next(s for s in design_of(diagnosis).scopes if s.name == diagnosis.clusters[0].scope)
    outside = np.setdiff1d(np.arange(len(diagnosis.samples)), scope.rows)
    assert (found.memberships[outside, 0] == 0).all()
    shown = diagnosis.clusters[0].membership
    assert np.corrcoef(found.memberships[scope.rows, 0], shown[scope.rows])[0, 1] > 0.75
    unknown = kept.assign(diagnosis.embeddings).memberships[:, 0]
    assert (unknown[outside] > 0).any()  # a row of unknown class is read as if it were of the superclass
