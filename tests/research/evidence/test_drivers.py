"""The drivers count, resume and sum up as they say, on stand-ins for the diagnosis."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from core.checks.predict import predict
from core.data.samples import DataSet
from core.records import Embeddings
from research.evidence import counterexamples, honesty, predictions
from research.evidence.caption_classes import class_of
from research.evidence.lines import append_line, read_lines
from research.scoreboard.planted_embeddings import plant_embeddings
from tests.support.planted_words import planted_run, samples_of


def result_with(*memberships):
    clusters = [SimpleNamespace(membership=np.asarray(m, float), p=0.01) for m in memberships]
    samples = SimpleNamespace(class_names=())
    return SimpleNamespace(
        samples=samples,
        clusters=clusters,
        classes=[],
        insights=[],
        estimate=SimpleNamespace(predictability=SimpleNamespace(p=0.2, confirmed=False)),
    )


@pytest.fixture
def rows():
    null, _ = plant_embeddings("null", seed=0, n=400, dimensions=16)
    return honesty.Rows(null.embeddings, null.losses, null.labels, null.errors, None)


def test_claims_on_the_plant_are_true_and_claims_elsewhere_false(rows):
    seen = {}

    def diagnose(vectors, losses, *, errors, **_):
        inside = losses != rows.losses  # most members and their swaps: about half of these lie in the plant
        _, _, members = honesty.plant_region(
            vectors, rows.losses, rows.labels, rows.errors, size=30, failing=0.5, seed=7
        )
        seen["errors"] = errors[members].mean()
        half = members.copy()
        half[np.flatnonzero(~members & ~inside)[:31]] = True  # 30 of 61 members: a false claim
        return result_with(members, half, ~members)

    found = honesty.measure(rows, 7, 30, 0.5, diagnose)
    assert (found["claims"], found["false_claims"], found["found"]) == (3, 2, True)
    assert seen["errors"] == 0.5


def test_without_a_plant_every_claim_is_false(rows):
    found = honesty.measure(rows, 0, 0, 0.5, lambda *_, **__: result_with(np.ones(400)))
    assert (found["claims"], found["false_claims"], found["found"]) == (1, 1, False)


def test_without_a_plant_a_confirmed_class_condition_or_phrase_is_a_false_claim_too(tmp_path, rows):
    path = tmp_path / "honesty.jsonl"

    def diagnose(*_, settings, **__):
        result = result_with()
        result.classes = [SimpleNamespace(confirmed=settings.seed == 0)]
        claim = {1: "condition", 2: "phrase"}.get(settings.seed)
        result.insights = [
            SimpleNamespace(
                confirmed=claim is not None, kind=claim, mask=np.arange(len(rows.losses)) < 20, scope="all samples"
            )
        ]
        return result

    honesty.run_all(path, ("made", 0, 0.5), lambda run: honesty.shuffled(rows, run), range(4), diagnose)
    assert "| made | nothing | 4 | 0.750 [" in honesty.summary_table(read_lines(path))


def test_a_plain_shuffle_moves_losses_between_classes(rows):
    moved = honesty.shuffled(rows, 3)
    np.testing.assert_allclose(np.sort(moved.losses), np.sort(rows.losses))
    assert not np.allclose(np.sort(moved.losses[rows.labels == 0]), np.sort(rows.losses[rows.labels == 0]))


def test_runs_go_on_where_they_were_and_the_table_counts_them(tmp_path, rows):
    path, calls = tmp_path / "honesty.jsonl", []

    def diagnose(*_, settings, **__):
        calls.append(settings.seed)
        return result_with(*([np.ones(400)] if settings.seed == 2 else []))

    for runs in (range(3), range(5)):
        honesty.run_all(path, ("made", 0, 0.5), lambda run: honesty.shuffled(rows, run), runs, diagnose)
    assert calls == [0, 1, 2, 3, 4]
    assert "| made | nothing | 5 | 0.200 [0.005, 0.716] |" in honesty.summary_table(read_lines(path))


def test_a_shuffle_moves_losses_and_errors_together_within_class(rows):
    moved = honesty.shuffled(rows, 3, within_class=True)
    assert (moved.losses != rows.losses).mean() > 0.9
    np.testing.assert_array_equal(moved.errors, moved.losses > np.log(2))
    for label in (0, 1):
        np.testing.assert_allclose(
            np.sort(moved.losses[rows.labels == label]), np.sort(rows.losses[rows.labels == label])
        )


def test_stored_rows_are_read_with_what_they_hold(tmp_path):
    np.savez(tmp_path / "a.npz", embeddings=np.eye(4) * 3, loss=np.arange(4), labels=np.array(["x", "y", "x", "y"]))
    read = honesty.load_rows(tmp_path / "a.npz")
    assert isinstance(read.embeddings, Embeddings)
    np.testing.assert_array_equal(read.embeddings.vectors, np.eye(4, dtype=np.float32))
    np.testing.assert_array_equal(read.labels, [0, 1, 0, 1])
    assert read.errors is None
    assert read.groups is None


def test_a_favorite_answer_is_claimed_as_before_and_not_now() -> None:
    found = counterexamples.CASES["pairs: 10 classes, 200 errors each, one favorite x 20"](1000)
    assert found == {"claimed": False, "claimed before": True, "false": 0, "false before": found["false before"]}
    planted = counterexamples.CASES["pairs: 30 classes, 60 errors each, one pair x 8"](1000)
    assert planted["claimed"]


def test_counterexamples_go_on_where_they_were_and_the_table_counts_claims(tmp_path, monkeypatch):
    path, made = tmp_path / "counter.jsonl", []

    def odd(run):
        made.append(run)
        return {"claimed": run % 2 == 1}

    monkeypatch.setitem(counterexamples.CASES, "made: odd", odd)
    for runs in (range(3), range(5)):
        counterexamples.run_case("made: odd", runs, path)
    assert made == [0, 1, 2, 3, 4]
    assert "| made: odd | 5 | 0.400 [0.053, 0.853] |" in counterexamples.summary_table(read_lines(path))


def test_predictions_are_counted_by_measure_and_losses_in_their_deviations(tmp_path):
    found, _, _ = planted_run("rare")
    fresh = {"kind": "phrase", "scope": "dog", "text": "x", "n": 40, "rest": 0.1, "p": 0.01, "as_predicted": True}
    rate = fresh | {"measure": "error rate", "predicted": {"value": 0.6}, "observed": {"value": 0.5}, "plain": 0.7}
    loss = rate | {"measure": "mean loss", "predicted": {"value": 3.0}, "observed": {"value": 2.0}, "spread": 2.0}
    missed = rate | {"as_predicted": False, "rest": 0.9, "spread": 0.5}
    lines = [{"case": "a", "rows": [rate | {"spread": 0.5}, missed]}, {"case": "b", "rows": [loss]}]
    table = predictions.summary(lines)
    assert "| a, findings | error rate | 1 | 2 | 2 | 0.50 [0.01, 0.99] |" in table
    assert "| b, findings | mean loss | 1 | 1 | 1 | 1.00 [0.03, 1.00] |" in table
    assert "| 0.50 [0.01, 0.99] | 10.0 [10.0, 10.0] | 20.0 [20.0, 20.0] |" in table  # one of two is worse, and clearly
    assert "| 0.50 [0.50, 0.50] | -0.65 [-0.65, -0.65] |" in table  # 3 - 2 and 0.7 - 2, of deviations of 2
    held = {"case": "planted", "rows": predictions.counted(replace(found, prediction=predict_again(found)))}
    append_line(tmp_path / "lines.jsonl", held)
    first = read_lines(tmp_path / "lines.jsonl")[0]["rows"][0]
    assert first["members"] == found.clusters[0].size
    assert 0 < first["plain"] <= 1 or first["measure"] == "mean loss"


def predict_again(found):
    _, _, fresh = planted_run("rare")
    samples, outcomes, embeddings, words = samples_of(fresh, "fresh")
    return predict(found, DataSet(samples, outcomes, embeddings, (), (), words))


def test_a_photograph_is_of_the_one_class_that_captions_agree_on():
    assert class_of(["A dog runs .", "A puppy on grass .", "An animal outside ."]) == "dog"
    assert class_of(["A dog runs .", "An animal on grass .", "A man ."]) is None  # one caption alone
    assert class_of(["A dog in snow .", "A snowy dog .", "A man ."]) is None  # two classes
