from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest

from core.errors import InvalidInput
from core.records import Embeddings
from core.records.codec import decode, encode
from core.statistics.intervals import accuracy_of, wilson
from core.systems.probes import make_probe
from core.systems.probes.base import Images, Needs, Scored
from core.systems.probes.records import Choice, Neighbours
from core.systems.probes.run import run_probe
from core.systems.probes.splits import Fold, Split
from tests.support.heads import made_images, made_task


@dataclass(frozen=True)
class Spy:
    """Says the class of the first shot always, and keeps what it was given."""

    title: ClassVar[str] = "Spy"
    what: ClassVar[str] = "A test."
    source: ClassVar[str] = "Made"
    shots: int = 1
    validation: int = 0
    pool: bool = False
    bad: bool = False
    seen: ClassVar[list] = []

    def needs(self):
        return Needs(self.shots, self.validation, self.pool)

    def estimate(self, n, k, folds):
        return 1.0

    def run(self, part):
        self.seen.append(part)
        m, k = len(part.test), len(part.class_names)
        rows = part.test.rows.astype(np.float64)
        text = np.tile(np.arange(k, dtype=np.float64), (m, 1))
        images = rows[:, None] * np.array([0.1, 0, 0, 0])
        support = part.shots if part.shots is not None else part.pool
        near = (
            (Neighbours("image", np.tile(np.arange(2), (m, 1)), np.ones((m, 2), np.float32)),)
            if support is not None
            else ()
        )
        return Scored(
            np.full((m, k), np.nan) if self.bad else text + images,
            {"text": text, "images": images},
            {"always 3": np.full((1, m), 3), "two ways": np.stack([np.zeros(m, np.int64), np.full(m, 3)])},
            support if part.shots is not None else None,
            "a test",
            neighbours=near if part.shots is not None else (),
            choices=(Choice("alpha", float(part.test.rows[0]), "fixed"),),
            details={"same": 1, "first row": int(part.test.rows[0])},
            notes=("said once",),
        )


@pytest.fixture
def spy():
    Spy.seen.clear()
    return Spy


def test_no_probe_sees_the_labels_of_what_it_scores_or_learns_from_it(spy):
    run_probe("spy", spy(shots=2, validation=2), made_task(80))
    assert len(spy.seen) == 2
    for part in spy.seen:
        assert part.test.labels is None
        assert part.test.hidden is None
        taught = set(part.shots.rows) | set(part.validation.rows)
        assert not taught & set(part.test.rows)
        assert not set(part.shots.rows) & set(part.validation.rows)
        assert np.bincount(part.shots.labels).tolist() == [2, 2, 2, 2]
    assert set(spy.seen[0].test.rows) | set(spy.seen[1].test.rows) == set(range(80))


def test_groups_are_on_one_side_only(spy):
    groups = np.arange(80) // 8
    run_probe("spy", spy(), made_task(80, groups=groups))
    for part in spy.seen:
        assert not set(groups[part.shots.rows]) & set(groups[part.test.rows])


@pytest.mark.parametrize("given", [None, Split((Fold(np.arange(40), np.arange(60, 80), np.arange(36, 60)),), "Given.")])
def test_no_validation_row_shares_a_group_with_what_it_judges(spy, given):
    groups = np.arange(80) % 40 // 4 if given is None else np.arange(80) // 6
    run_probe("spy", spy(shots=2, validation=3, pool=True), replace(made_task(80, groups=groups), split=given))
    for part in spy.seen:
        assert len(part.validation)
        assert not set(groups[part.validation.rows]) & set(groups[part.shots.rows])
        assert not set(groups[part.validation.rows]) & set(groups[part.pool.rows])


def test_a_given_split_loses_the_training_rows_of_scored_groups(spy):
    task = replace(
        made_task(80, groups=np.arange(80) // 8), split=Split((Fold(np.arange(44), np.arange(44, 80)),), "Given.")
    )
    result = run_probe("spy", spy(), task)
    assert spy.seen[0].shots.rows.max() < 40
    assert "4 samples" in result.split


def test_a_pool_of_the_other_half_hides_its_labels(spy):
    run_probe("spy", spy(shots=0, pool=True), made_task(80))
    for part in spy.seen:
        assert part.pool.labels is None
        assert part.pool.hidden.tolist() == made_task(80).samples.labels[part.pool.rows].tolist()
        assert not set(part.pool.rows) & set(part.test.rows)


def test_a_given_pool_is_used_and_every_row_is_scored_at_once(spy):
    pool = Images(made_images(6)[0], tuple("abcdef"))
    result = run_probe("spy", spy(shots=0, pool=True), replace(made_task(20), pool=pool))
    assert len(spy.seen) == 1
    assert spy.seen[0].pool is pool
    assert result.split.startswith("It used no labeled sample")


def test_folds_are_put_back_in_the_order_of_the_rows(spy):
    result = run_probe("spy", spy(), made_task(80))
    assert result.rows.tolist() == list(range(80))
    # logits are [0.1 row, 1, 2, 3]: class 0 from row 30 on, class 3 before
    assert result.outcomes.predictions.tolist() == [0 if row >= 30 else 3 for row in range(80)]
    truth = result.labels
    logits = np.array([[0.1 * row, 1, 2, 3] for row in range(80)])
    slow = [np.log(np.exp(z).sum()) - z[t] for z, t in zip(logits, truth)]
    np.testing.assert_allclose(result.outcomes.loss, slow)
    assert result.accuracy.to_dict() == wilson(int((result.outcomes.predictions == truth).sum()), 80).to_dict()


def test_the_parts_of_a_row_sum_to_its_logits_true_class_first(spy):
    result = run_probe("spy", spy(), made_task(80))
    parts = result.parts
    assert parts.names == ("text", "images")
    assert parts.classes[:, 0].tolist() == result.labels.tolist()
    for row in (0, 17, 79):
        assert sorted(parts.classes[row].tolist()) == [0, 1, 2, 3]
        for j, c in enumerate(parts.classes[row]):
            assert parts.values[:, row, j].sum() == pytest.approx(0.1 * row if c == 0 else c, abs=1e-5)


def test_neighbours_point_at_the_support_of_their_own_fold(spy):
    result = run_probe("spy", spy(shots=2), made_task(80))
    half = {row: i for i, part in enumerate(spy.seen) for row in part.test.rows.tolist()}
    (near,) = result.neighbours
    for row in range(80):
        assert (result.support.folds[near.nearest[row]] == half[row]).all()
    assert [result.support.ids[i] for i in near.nearest[0]] == list(spy.seen[half[0]].shots.ids[:2])
    assert result.support.labels.tolist() == [*spy.seen[0].shots.labels, *spy.seen[1].shots.labels]


def test_a_control_is_compared_row_by_row(spy):
    result = run_probe("spy", spy(), made_task(80))
    once, twice = result.controls
    truth = result.labels
    right, control = result.outcomes.predictions == truth, truth == 3
    assert once.accuracy.value == pytest.approx(control.mean())
    assert once.gain.value == pytest.approx(right.mean() - control.mean())
    assert (once.repeats, twice.repeats) == (1, 2)
    assert twice.accuracy.value == pytest.approx(((truth == 3).mean() + (truth == 0).mean()) / 2)
    assert twice.gain.value == pytest.approx(right.mean() - twice.accuracy.value)


def test_what_differs_by_fold_is_said_by_fold_and_the_rest_once(spy):
    result = run_probe("spy", spy(), made_task(80))
    assert [c.name for c in result.choices] == ["alpha, part 1", "alpha, part 2"]
    assert result.details["same"] == 1
    assert set(result.details) == {"same", "first row, part 1", "first row, part 2"}
    assert result.notes == ("said once",)


def test_rows_that_no_fold_scores_are_named(spy):
    split = Split((Fold(np.arange(40), np.arange(40, 79)),), "Given.", ((79, "too dark"),))
    result = run_probe("spy", spy(), replace(made_task(80), split=split))
    assert result.excluded == (("i0079", "too dark"),)
    assert len(result.rows) == 39


def test_classes_without_an_image_to_choose_numbers_by_are_counted(spy):
    task = made_task(80)
    rows, first = np.arange(80), task.labels == 0
    fold = Fold(rows[:40], rows[60:], rows[40:60][first[40:60]])
    result = run_probe("spy", spy(shots=2, validation=2), replace(task, split=Split((fold,), "made")))
    k, other = len(task.samples.class_names), task.samples.class_names[1]
    missing = f"{k - 1} of {k} classes have no image to choose settings on, such as {other!r}."
    assert f"{missing} The settings may not suit them." in result.notes
    assert not any("to choose settings on" in note for note in run_probe("spy", spy(shots=2, validation=2), task).notes)


def test_labelled_images_beside_those_that_taught_are_counted(spy):
    said = "The probe chose its settings on 8 more labeled images."
    assert said in run_probe("spy", spy(shots=2, validation=2), made_task(80)).notes
    assert not any("chosen by" in note for note in run_probe("spy", spy(shots=2), made_task(80)).notes)


def test_progress_never_says_done_before_the_fold_is(spy):
    said = []
    run_probe("lp++", make_probe("lp++", {"shots": 1}), made_task(40), progress=lambda *a: said.append(a))
    assert said[-1] == ("Running the probe, part 2 of 2", 1, 1)
    assert all(done < total for _, done, total in said if total > 1)


def test_logits_that_are_not_finite_are_a_fault_of_ours(spy):
    with pytest.raises(RuntimeError, match="finite logits"):
        run_probe("spy", spy(bad=True), made_task(40))


def test_a_result_survives_storing(spy):
    arrays = {}
    result = run_probe("spy", spy(), made_task(40))
    again = decode(encode(result, arrays), arrays)
    assert again.accuracy.to_dict() == result.accuracy.to_dict()
    assert again.parts.values.tolist() == result.parts.values.tolist()


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("cat", "dog", "bird", "Cat"), "as the same name: 'cat' and 'Cat'"),
        (("a_b", "dog", "bird", "a  b"), "same name"),
        (("caf\u00e9", "dog", "bird", "cafe\u0301"), r"as the same name: 'caf\\xe9' and 'cafe\\u0301'"),
        (("red", "re\u200bd", "bird", "fish"), r"as the same name: 'red' and 're\\u200bd'"),
        (("cat", " ", "bird", "fish"), "class name ' ' has no readable character"),
        (("cat", "\u200b", "bird", "fish"), "has no readable character"),
        (("cat",), "at least two classes: got 1"),
    ],
)
def test_names_that_cannot_be_told_apart_are_refused(spy, names, said):
    task = made_task(8)
    labels = np.arange(8) % len(names)
    with pytest.raises(InvalidInput, match=said):
        run_probe("spy", spy(), replace(task, samples=replace(task.samples, class_names=names, labels=labels)))


def test_a_result_is_called_by_one_line_and_a_seed_out_of_range_is_refused(spy):
    task = made_task(8)
    assert run_probe("spy", spy(), task, label=" two\nlines ").name == "two lines"
    with pytest.raises(InvalidInput, match="'model' is reserved"):
        run_probe("spy", spy(), task, label="MODEL")
    with pytest.raises(InvalidInput, match="seed must be at least 0"):
        run_probe("spy", spy(), replace(task, seed=-1))


def test_samples_without_labels_or_of_another_space_are_refused(spy):
    task = made_task(8)
    with pytest.raises(InvalidInput, match="label column"):
        run_probe("spy", spy(), replace(task, samples=replace(task.samples, labels=None)))
    none = Embeddings(task.joint.vectors[:0], task.joint.encoder, task.joint.space)
    with pytest.raises(InvalidInput, match="the table has none"):
        run_probe("spy", spy(shots=0), replace(task, samples=task.samples.keep(np.empty(0, np.int64)), joint=none))
    with pytest.raises(InvalidInput, match="Use one encoder"):
        run_probe("spy", spy(), replace(task, joint=Embeddings(task.joint.vectors, "x", "another")))


def test_a_split_that_teaches_nothing_is_refused_where_shots_are_needed(spy):
    with pytest.raises(InvalidInput, match="the split scores all of them"):
        run_probe(
            "spy", spy(), replace(made_task(8), split=Split((Fold(np.empty(0, np.int64), np.arange(8)),), "All."))
        )


def test_the_label_says_the_shots(spy):
    assert run_probe("spy", spy(shots=1), made_task(40)).name == "spy, 1 shot"
    assert run_probe("spy", spy(shots=2), made_task(40)).name == "spy, 2 shots"
    assert run_probe("spy", spy(), made_task(40), label="mine").name == "mine"


def test_groups_make_the_accuracys_interval_wider():
    errors = np.repeat(np.random.default_rng(0).random(20) < 0.3, 10)
    alone, together = accuracy_of(errors, None), accuracy_of(errors, np.repeat(np.arange(20), 10))
    assert together.value == alone.value
    assert together.high - together.low > 1.5 * (alone.high - alone.low)
    assert accuracy_of(errors, np.arange(200)).to_dict() == alone.to_dict()


@pytest.mark.parametrize("given_split", [False, True])
def test_the_order_of_the_table_changes_neither_draws_nor_results(given_split):
    task = made_task()
    n = len(task.samples)
    if given_split:
        rows = np.arange(n, dtype=np.int64)
        task = replace(task, split=Split((Fold(rows[: n // 2], rows[n // 2 :]),), "the first half teaches"))
    shuffle = np.random.default_rng(7).permutation(n)
    place = np.argsort(shuffle)
    split = task.split and Split(
        tuple(Fold(np.sort(place[f.train]), np.sort(place[f.test])) for f in task.split.folds), task.split.sentence
    )
    other = replace(task, samples=task.samples.keep(shuffle), joint=task.joint.keep(shuffle), split=split)
    first, second = (run_probe("sus-x", make_probe("sus-x", {"shots": 2, "tune": True}), t) for t in (task, other))

    def by_id(result, of):
        return {of.samples.ids[row]: result.outcomes.loss[i] for i, row in enumerate(result.rows.tolist())}

    assert by_id(first, task) == by_id(second, other)
    assert [(t.samples.ids[row]) for r, t in ((first, task),) for row in r.support.rows] == list(first.support.ids)
    assert (
        [(t.samples.ids[row]) for r, t in ((second, other),) for row in r.support.rows]
        == list(second.support.ids)
        == list(first.support.ids)
    )
    nearest = [
        {t.samples.ids[row]: r.neighbours[0].nearest[i].tolist() for i, row in enumerate(r.rows)}
        for r, t in ((first, task), (second, other))
    ]
    assert nearest[0] == nearest[1]
    assert (np.diff(second.rows) > 0).all()
    np.testing.assert_array_equal(second.labels, other.samples.labels[second.rows])
    np.testing.assert_allclose(
        second.parts.values.sum(0)[:, 0],
        [by_id_logit(second, i) for i in range(len(second.rows))],
        rtol=1e-4,
        atol=1e-4,
    )


def by_id_logit(result, i):
    """The true class's logit, from the leading one's and the probabilities."""
    lead = result.parts.values.sum(0)[i]
    scores = result.outcomes.scores[i]
    return lead[1] + np.log(scores[result.parts.classes[i, 0]] / scores[result.parts.classes[i, 1]])
