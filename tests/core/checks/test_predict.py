"""Prediction: what was frozen is what is tried, on samples that nobody looked at."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.checks.freeze import freeze
from core.checks.fresh import hold_back
from core.checks.fresh_samples import FreshSamples, in_scope
from core.checks.predict import predict
from core.data.samples import DataSet
from core.discovery.design import Design, design_of, make_design
from core.discovery.method import diagnose_records
from core.errors import InvalidInput
from core.records import Column, Diagnosis, Embeddings, Estimate
from core.store import load, save
from research.scoreboard.planted_embeddings import Planted
from tests.core.discovery.test_design import in_fours, made
from tests.support.planted_words import QUICK, planted_run, samples_of


def audit_of(planted: Planted) -> DataSet:
    samples, outcomes, embeddings, words = samples_of(planted, "fresh")
    return DataSet(samples, outcomes, embeddings, (), (), words)


def test_the_frozen_hash_survives_saving_and_changes_with_the_findings(tmp_path: Path) -> None:
    found, _, _ = planted_run("rare")
    save(found, tmp_path / "run.errata")
    assert freeze(load(tmp_path / "run.errata")).digest == freeze(found).digest
    assert freeze(replace(found, clusters=found.clusters[:-1])).digest != freeze(found).digest
    smaller = replace(
        found.clusters[0],
        membership=np.where(
            np.arange(len(found.samples)) == found.clusters[0].membership.argmax(), 0, found.clusters[0].membership
        ),
    )
    assert freeze(replace(found, clusters=(smaller, *found.clusters[1:]))).digest != freeze(found).digest


def test_a_real_failure_comes_true_on_fresh_samples() -> None:
    found, _, fresh = planted_run("rare")
    prediction = predict(found, audit_of(fresh))
    snow = next(r for r in prediction.rows if r.kind == "phrase" and r.text == "in snow")
    assert prediction.digest == freeze(found).digest
    assert prediction.n_fresh == len(fresh.labels)
    assert snow.as_predicted
    assert snow.p is not None
    assert snow.rest is not None
    assert snow.p < 0.001
    assert snow.observed.value > snow.rest
    assert snow.expected.low <= snow.predicted.low <= snow.predicted.value <= snow.predicted.high <= snow.expected.high


def test_some_matching_samples_are_kept_to_be_shown_whatever_their_outcome() -> None:
    found, _, fresh = planted_run("rare")
    data = audit_of(fresh)
    errors = data.outcomes.errors
    assert errors is not None
    prediction = predict(found, data)
    snow = next(r for r in prediction.rows if r.kind == "phrase" and r.text == "in snow")
    assert len(snow.samples) == 6 < snow.n
    at = [data.samples.ids.index(sample.id) for sample in snow.samples]
    assert at == sorted(at)
    assert [sample.wrong for sample in snow.samples] == errors[at].tolist()
    assert snow.n_wrong is not None
    assert snow.rest_wrong is not None
    assert snow.rest_wrong < snow.n_wrong / snow.n
    assert all(row.samples == () for row in prediction.rows if row.kind == "by-eye lasso")


def test_a_phrase_matches_the_same_rows_in_the_diagnosed_samples_as_before() -> None:
    """The rule applied to shifted copies of the diagnosed rows gives the diagnosed rows."""
    found, audit, _ = planted_run("rare")
    moved = audit_of(audit)
    noise = np.random.default_rng(0).normal(0, 0.004, moved.embeddings.vectors.shape)
    vectors = (moved.embeddings.vectors + noise).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    joint = Embeddings(vectors, "planted", "planted")
    assert moved.words is not None
    prediction = predict(found, replace(moved, embeddings=joint, words=replace(moved.words, joint=joint)))
    for row in prediction.rows:
        if row.kind == "phrase":  # a cluster's members were read out of fold, which new rows are not
            frozen = next(
                f for f in freeze(found).findings if (f.kind, f.text, f.scope) == (row.kind, row.text, row.scope)
            )
            assert row.n == pytest.approx(frozen.n, rel=0.15, abs=5)


def test_what_a_person_picks_from_shuffled_losses_does_not_come_back() -> None:
    found, audit, fresh = planted_run("rare")
    picked = np.flatnonzero(audit.errors)[:60]
    rows = {r.kind: r for r in predict(found, audit_of(fresh), selection=picked).rows}
    lasso = rows["your lasso"]
    assert lasso.predicted.value == 1.0  # errors were picked, and that is what a person would expect again
    assert lasso.observed is None or lasso.observed.value < 0.7
    assert {"by-eye lasso", "top-loss neighbors"} <= set(rows)


def test_a_fresh_sample_that_was_diagnosed_is_left_out_and_counted() -> None:
    found, audit, fresh = planted_run("rare")
    brought = audit_of(fresh)
    vectors = brought.embeddings.vectors.copy()
    vectors[:5] = audit.embeddings.vectors[10:15]
    brought = replace(brought, embeddings=Embeddings(vectors, "planted", "planted"))
    prediction = predict(found, brought)
    assert prediction.n_fresh == len(fresh.labels) - 5
    assert len(prediction.excluded) == 5
    assert {why for _, why in prediction.excluded} == {"the same sample is among the diagnosed ones"}
    assert "Left out 5 new samples: also among the diagnosed ones." in prediction.notes
    with pytest.raises(InvalidInput, match="All new samples were diagnosed"):
        predict(found, audit_of(audit))


def test_fresh_samples_of_another_encoder_or_without_errors_are_refused() -> None:
    found, _, fresh = planted_run("rare")
    brought = audit_of(fresh)
    with pytest.raises(InvalidInput, match="run's encoder"):
        predict(found, replace(brought, embeddings=Embeddings(brought.embeddings.vectors[:, :9], "x", "planted")))
    with pytest.raises(InvalidInput, match="measures errors"):
        predict(found, replace(brought, outcomes=replace(brought.outcomes, errors=None)))


def test_a_class_that_was_not_diagnosed_is_said() -> None:
    found, _, fresh = planted_run("rare")
    brought = audit_of(fresh)
    other = replace(brought, samples=replace(brought.samples, class_names=("cat", "fox")))
    prediction = predict(found, other)
    assert any("fox" in note for note in prediction.notes)
    assert all(r.n == 0 for r in prediction.rows if r.scope == "dog")


def test_holding_back_keeps_groups_whole_and_classes_even() -> None:
    _, audit, _ = planted_run("rare")
    brought = audit_of(audit)
    groups = np.arange(len(audit.labels)) // 3
    grouped = replace(brought, samples=replace(brought.samples, groups=groups, labels=(groups % 2).astype(np.int64)))
    kept, held = hold_back(grouped, 0.3)
    assert not np.isin(kept.samples.groups, held.samples.groups).any()  # type: ignore[arg-type]
    assert len(held.samples) == pytest.approx(0.3 * len(groups), rel=0.1)
    assert held.samples.labels.mean() == pytest.approx(0.5, abs=0.05)
    assert {*kept.samples.ids, *held.samples.ids} == set(brought.samples.ids)
    with pytest.raises(InvalidInput, match=r"between 0\.05 and 0\.5"):
        hold_back(brought, 0.9)


def without_errors(brought: DataSet) -> DataSet:
    return replace(brought, outcomes=replace(brought.outcomes, errors=None))


def test_one_outlier_among_the_fresh_losses_does_not_widen_what_was_expected() -> None:
    _, audit, fresh = planted_run("rare")
    samples, outcomes, embeddings, words = samples_of(audit)
    found = diagnose_records(samples, replace(outcomes, errors=None), embeddings, words=words, settings=QUICK)
    brought = without_errors(audit_of(fresh))
    plain = predict(found, brought)
    assert plain.measure == "mean loss"
    losses = brought.outcomes.loss.copy()
    losses[7] = 1e6
    wild = predict(found, replace(brought, outcomes=replace(brought.outcomes, loss=losses)))
    for before, after in zip(plain.rows, wild.rows):
        assert (after.expected.low, after.expected.high) == (before.expected.low, before.expected.high)
        assert after.expected.low >= 0


def test_a_condition_on_a_column_is_not_tried_on_a_measured_one_of_its_name() -> None:
    _, audit, fresh = planted_run("rare")
    samples, outcomes, embeddings, words = samples_of(audit)
    told = Column("dark", "number", audit.slices[0] + np.linspace(0, 0.1, len(samples)))
    found = diagnose_records(replace(samples, metadata=(told,)), outcomes, embeddings, words=words, settings=QUICK)
    brought = audit_of(fresh)
    measured = Column("dark", "number", np.linspace(0, 1, len(brought.samples)), measured=True)
    rows = predict(found, replace(brought, samples=replace(brought.samples, metadata=(measured,)))).rows
    reasons = {row.not_tried for row in rows if row.kind == "condition"}
    assert reasons == {"in the new table 'dark' was measured, and comes from the table of the run"}


def test_another_loss_is_refused_and_a_missing_column_is_said() -> None:
    _, audit, fresh = planted_run("rare")
    samples, outcomes, embeddings, words = samples_of(audit)
    table = Column("snowy", "category", np.where(audit.slices[0], "yes", "no").astype(object))
    found = diagnose_records(replace(samples, metadata=(table,)), outcomes, embeddings, words=words, settings=QUICK)
    assert any(i.confirmed and i.columns == ("snowy",) for i in found.insights)
    prediction = predict(found, audit_of(fresh))
    assert any("'snowy'" in note for note in prediction.notes)
    reasons = {(r.kind, r.not_tried) for r in prediction.rows if "snowy" in r.text or r.not_tried}
    assert reasons == {("condition", "the new table has no column 'snowy'")}
    wordless = predict(found, replace(audit_of(fresh), words=None)).rows
    assert {bool(r.not_tried) for r in wordless if r.kind == "phrase"} == {True}
    bare = replace(found, outcomes=replace(found.outcomes, errors=None))
    other = without_errors(audit_of(fresh))
    with pytest.raises(InvalidInput, match="cannot be compared"):
        predict(bare, replace(other, outcomes=replace(other.outcomes, name="squared error")))


def test_groups_among_the_fresh_samples_are_permuted_whole() -> None:
    """Forty rows of each of a few patients are no forty witnesses."""
    found, _, fresh = planted_run("rare")
    brought = audit_of(fresh)
    alone = {(r.kind, r.text, r.scope): r.p for r in predict(found, brought).rows}
    few = replace(
        brought,
        samples=replace(
            brought.samples, groups=(np.arange(len(fresh.labels)) * 7 // len(fresh.labels)).astype(np.int64)
        ),
    )
    grouped = {(r.kind, r.text, r.scope): r for r in predict(found, few).rows if r.p is not None}
    p = alone["phrase", "in snow", "dog"]
    assert p is not None
    assert p < 0.001
    assert all(r.p == 1.0 for r in grouped.values())  # seven groups are too few to permute


def in_both_measures(found: Diagnosis) -> Diagnosis:
    """The run with its cluster found in the mean loss and everything else in the error rate."""
    first = replace(found.clusters[0], measure="mean loss")
    rest = [replace(i, measure="error rate") for i in found.insights]
    return replace(found, clusters=(first, *found.clusters[1:]), insights=tuple(rest))


def test_a_finding_predicts_in_the_measure_that_it_was_found_in() -> None:
    found, _, fresh = planted_run("rare")
    found, brought = in_both_measures(found), audit_of(fresh)
    frozen, rows = freeze(found).findings, predict(found, brought).rows
    assert {f.measure for f in frozen} == {"mean loss", "error rate"}
    members = found.clusters[0].membership >= 0.5
    assert frozen[0].predicted.low < found.outcomes.fitted[members].mean() < frozen[0].predicted.high
    assert frozen[0].predicted.high > 1.0  # no share
    cluster, phrase = rows[0], next(r for r in rows if r.kind == "phrase" and r.text == "in snow")
    fresh_samples = FreshSamples.of(found, brought)
    inside, losses = fresh_samples.matching(frozen[0]), np.minimum(brought.outcomes.loss, found.outcomes.clip or np.inf)
    assert (cluster.measure, phrase.measure) == ("mean loss", "error rate")
    assert cluster.observed is not None
    assert phrase.observed is not None
    assert cluster.observed.value == pytest.approx(losses[inside].mean())
    assert cluster.rest == pytest.approx(losses[~inside & fresh_samples.scope(cluster.scope)].mean())
    assert 0 <= phrase.observed.low <= phrase.observed.high <= 1
    assert cluster.p is not None
    assert cluster.p < 0.05


def test_another_loss_leaves_findings_of_the_error_rate_to_be_tried() -> None:
    found, _, fresh = planted_run("rare")
    brought = audit_of(fresh)
    other = replace(brought, outcomes=replace(brought.outcomes, name="0/1 error"))
    prediction = predict(in_both_measures(found), other)
    assert any("cross-entropy" in note and "0/1 error" in note for note in prediction.notes)
    of = {m: [r for r in prediction.rows if r.measure == m] for m in ("error rate", "mean loss")}
    assert all(r.n == 0 and r.observed is None and r.rest is None for r in of["mean loss"])
    assert {r.not_tried for r in of["mean loss"]} == {"the new table gives 0/1 error"}
    assert any(r.p is not None for r in of["error rate"])
    assert {r.not_tried for r in of["error rate"]} == {None}


def test_the_design_is_made_once_for_all_findings(monkeypatch: pytest.MonkeyPatch) -> None:
    found, _, _ = planted_run("rare")
    made: list[int] = []

    def counted(diagnosis: Diagnosis) -> Design:
        made.append(1)
        return design_of(diagnosis)

    for where in ("core.checks.freeze", "core.discovery.design"):
        monkeypatch.setattr(f"{where}.design_of", counted)
    assert len(freeze(found).findings) > 1
    assert len(made) == 1


def test_of_members_that_all_fail_the_prediction_reaches_as_low_as_so_few_can_tell() -> None:
    found, _, _ = planted_run("rare")
    few = np.zeros(len(found.samples), bool)
    assert found.outcomes.errors is not None
    few[np.flatnonzero(found.outcomes.errors)[:15]] = True
    one = replace(
        found.clusters[0],
        membership=few.astype(np.float64),
        size=15,
        scope="all samples",
        measure="error rate",
        error_difference=Estimate(0.95, 0.5, 1.0),
    )
    predicted = freeze(replace(found, clusters=(one,), insights=())).findings[0].predicted
    assert predicted.high == 1.0
    assert predicted.low < 0.8  # 15 of 15: Wilson's lower limit is 0.796
    grouped = replace(found.samples, groups=np.where(few, np.cumsum(few) // 5, 100 + np.arange(len(few))))
    wider = freeze(replace(found, samples=grouped, clusters=(one,), insights=())).findings[0].predicted
    assert wider.low < predicted.low - 0.2


def test_the_scope_of_a_superclass_is_that_of_its_classes() -> None:
    labels = np.repeat(np.arange(8), [50, 50, 7, 3, 60, 60, 60, 10])
    samples = made(labels)
    design, asked = make_design(samples, in_fours(8)), np.array([0, 3, 4, 7, -1])
    run = replace(planted_run("rare")[0], samples=samples)
    for scope, expected in (("super 0", [1, 1, 0, 0, 0]), ("super 1", [0, 0, 1, 1, 0]), ("all samples", [1] * 5)):
        assert in_scope(run, design, asked, scope).tolist() == [bool(x) for x in expected]
