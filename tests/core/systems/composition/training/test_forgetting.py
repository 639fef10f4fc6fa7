"""What an adaptation cost: nothing where scores are the same, and what was broken where they are not."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from core.errors import Cancelled, InvalidInput
from core.records import F64, Estimate, ItemStore, Progress, SampleSet, no_progress
from core.statistics.paired import mcnemar
from core.statistics.permutation import holm
from core.systems.composition.records import LoadedBenchmark, Scores
from core.systems.composition.training import forgetting as regression, forgetting_rows
from core.systems.composition.training.adapted import pair_digests
from core.systems.composition.training.forgetting import ForgettingCheck, check_regression
from core.systems.composition.training.reference_tasks import EVERYDAY, everyday_pairs, joined_benchmarks
from tests.support.benchmarks import Pixels, benchmark, choice, choices, pairs, pictured

N = 60


@dataclass
class Table:
    """Scores by image and text: `skill` for what belongs together, plus noise of its own seed; `broken` images have
    none."""

    skill: float
    seed: int = 0
    broken: frozenset[int] = frozenset()
    name: str = "table"
    fingerprint: str = "table"
    asked: list[str] = field(default_factory=list)

    def score(
        self, pictured: LoadedBenchmark, *, cache: Path | None = None, progress: Progress = no_progress
    ) -> Scores:
        rng = np.random.default_rng(self.seed)
        made = [
            self.skill * np.eye(len(i.pictures), len(i.captions)) + rng.normal(size=(len(i.pictures), len(i.captions)))
            for i in pictured.benchmark.items
        ]
        return Scores(self.name, self.fingerprint, tuple(made))

    def matrix(
        self, images: ItemStore, texts: tuple[str, ...], *, cache: Path | None = None, progress: Progress = no_progress
    ) -> F64:
        progress("match", 0, 1)
        self.asked += texts
        numbers = [int(images.name(i).split(".")[0]) for i in range(len(images))]
        rng = np.random.default_rng(self.seed)
        noise = rng.normal(size=(N, 200))[numbers][:, : len(texts)]
        match = np.array([[_belongs(number, text) for text in texts] for number in numbers])
        out = self.skill * match + noise
        out[[number in self.broken for number in numbers]] = np.nan
        return out


def _belongs(number: int, text: str) -> bool:
    """Image i is of class i % 3 and has caption "caption i"; images 0 and 1 share one."""
    if text.startswith("caption"):
        return max(number, 1) == int(text.split()[1])
    return f"class {number % 3}" in text


def labelled(n: int = N) -> SampleSet:
    names = ("class_0", "class_1", "class_2")
    return SampleSet(
        tuple(map(str, range(n))), items=Pixels(n), labels=np.arange(n) % 3, class_names=names, name="made images"
    )


def captions(n: int = N) -> LoadedBenchmark:
    return pictured(
        benchmark("choice", [choice(f"c{i}", i, [f"caption {max(i, 1)}", "foil"]) for i in range(n)], "pairwise")
    )


def check(before: Table, after: Table, **more: object) -> ForgettingCheck:
    return check_regression(before, after, **{"labelled": labelled(), "retrieval": captions(), **more})  # type: ignore[arg-type]


def test_equal_scores_lose_nothing_and_a_small_check_says_that_it_is_small() -> None:
    found = check(Table(3.0), Table(3.0))
    assert [row.difference.value for row in found.rows] == [0.0] * 5
    assert {row.p for row in found.rows} == {1.0}
    assert {row.verdict for row in found.rows} == {"open"}  # 60 images cannot rule out 3 points
    assert "cannot rule out" in found.sentence


def test_enough_pictures_rule_out_a_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forgetting_rows, "MARGIN", 0.06)
    found = check(Table(3.0), Table(3.0))
    assert {row.verdict for row in found.rows} == {"kept"}
    assert found.sentence == "Nothing got worse: 5 checks rule out a loss of more than 6.0 points."


def test_what_is_unlearned_is_said_and_what_is_learned_too() -> None:
    lost = check(Table(9.0), Table(0.0, seed=1))
    assert {row.verdict for row in lost.rows} == {"lost"}
    assert lost.sentence.startswith("The adaptation made 5 of 5 checks worse: ")
    assert "; and 2 more. As a re-ranker" in lost.sentence
    assert re.search(
        r"checks worse: (image to text|text to image) recall at 1 from \d+% to [\d.]+% \(−\d+ points, "
        r"95% interval −\d+ to −\d+\); ",
        lost.sentence,
    )
    gained = check(Table(0.0, seed=1), Table(9.0))
    assert {row.verdict for row in gained.rows} == {"gained"}
    for a, b in zip(lost.rows, gained.rows):
        assert (a.only_before, a.only_after, a.p) == (b.only_after, b.only_before, b.p)
        assert a.difference.value == -b.difference.value


def test_figures_match_a_plain_loop() -> None:
    before, after = Table(2.0, seed=3), Table(1.0, seed=4)
    found = check(before, after)
    texts = [f"caption {i}" for i in range(1, N)]
    outcomes: dict[str, list[list[bool]]] = {}
    for side in (before, after):
        scores = side.matrix(Pixels(N), [f"a photo of a class {c}." for c in range(3)])  # type: ignore[arg-type]
        outcomes.setdefault("zero-shot", []).append([int(scores[i].argmax()) == i % 3 for i in range(N)])
        scores = side.matrix(Pixels(N), texts)  # type: ignore[arg-type]
        for k in (1, 5):
            ranks = [
                1 + sum(scores[i, j] >= scores[i, max(i, 1) - 1] for j in range(N - 1) if j != max(i, 1) - 1)
                for i in range(N)
            ]
            outcomes.setdefault(f"image {k}", []).append([rank <= k for rank in ranks])
            true = [[i for i in range(N) if max(i, 1) - 1 == j] for j in range(N - 1)]
            best = [max(scores[i, j] for i in true[j]) for j in range(N - 1)]
            ranks = [1 + sum(scores[i, j] >= best[j] for i in range(N) if i not in true[j]) for j in range(N - 1)]
            outcomes.setdefault(f"text {k}", []).append([rank <= k for rank in ranks])
    order = ["zero-shot", "image 1", "image 5", "text 1", "text 5"]
    p: list[float] = []
    for name, row in zip(order, found.rows):
        a, b = (np.array(side) for side in outcomes[name])
        assert (row.n, row.before.value, row.after.value) == (len(a), a.mean(), b.mean())
        assert (row.only_before, row.only_after) == ((a & ~b).sum(), (b & ~a).sum())
        p.append(mcnemar(row.only_after, row.only_before))
    np.testing.assert_allclose([row.p for row in found.rows], holm(p))
    assert [row.metric for row in found.rows] == ["accuracy", *2 * ["recall at 1", "recall at 5"]]


def test_class_names_are_asked_as_sentences() -> None:
    after = Table(1.0)
    check(Table(1.0), after)
    assert after.asked[:3] == ["a photo of a class 0.", "a photo of a class 1.", "a photo of a class 2."]


def test_a_re_ranker_keeps_the_good_candidates_of_an_encoder() -> None:
    found = check(Table(4.0), Table(0.0, seed=1))
    plain, mixed = (
        np.mean([row.after.value for row in rows if "recall" in row.metric]) for rows in (found.rows, found.reranked)
    )
    assert mixed > plain + 0.3
    assert [(row.task, row.data) for row in found.reranked] == [(row.task, row.data) for row in found.rows[1:]]
    assert "As a re-ranker of the encoder's first 10 it leaves zero-shot unchanged" in found.sentence


def test_pictures_that_cannot_be_read_are_left_out_and_counted() -> None:
    found = check(Table(3.0), Table(3.0, broken=frozenset({5, 6})))
    assert found.rows[0].n == N - 2
    assert found.rows[3].n == N - 3  # their captions are not asked either; two images share one
    assert "2 images of 60 could not be read and are left out of the check." in found.notes
    with pytest.raises(InvalidInput, match="none of the images"):
        check(Table(3.0), Table(3.0, broken=frozenset(range(N))))


def test_other_benchmarks_stand_beside_with_their_headline() -> None:
    found = check(Table(3.0), Table(0.0, seed=5), benchmarks=[pictured(pairs(80))])
    row = found.rows[-1]
    assert (row.task, row.data, row.metric, row.n) == ("Made pairs", "80 items", "image score", 80)
    assert row.verdict == "lost"
    assert row.before.value > 0.5 > row.after.value
    assert found.reranked[-1].task == "Made pairs"
    assert found.reranked[-1].before.value == row.before.value
    assert row.after.value < found.reranked[-1].after.value < row.before.value


def test_what_a_re_ranker_still_gains_is_said() -> None:
    found = check(Table(4.0), Table(0.0, seed=1))
    assert "still gains" not in found.sentence
    gain = replace(
        found.rows[0], task="Cola", metric="image score", difference=Estimate(0.3, 0.2, 0.4), verdict="gained"
    )
    said = replace(found, reranked=(*found.reranked, gain)).sentence
    assert "What it still gains: Cola: image score from " in said
    assert said.endswith("(30 points, 95% interval 20 to 40).")


def test_at_most_so_many_pictures_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regression, "LABELLED", 20)
    monkeypatch.setattr(regression, "CAPTIONED", 10)
    found = check(Table(3.0), Table(2.0, seed=1))
    assert [row.n for row in found.rows] == [20, 10, 10, found.rows[3].n, found.rows[4].n]
    again = check(Table(3.0), Table(2.0, seed=1))
    assert [row.before.value for row in again.rows] == [row.before.value for row in found.rows]


def test_bad_input_is_said_and_a_stop_is_a_stop() -> None:
    with pytest.raises(InvalidInput, match="labels of at least two classes, which made images lacks"):
        check(Table(1.0), Table(1.0), labelled=replace(labelled(), labels=None))

    def stop(step: str, done: int, total: int) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        check(Table(1.0), Table(1.0), progress=stop)


def test_everyday_pairs_are_of_the_training_split_and_join_what_is_learned() -> None:
    said = choices(20)
    items = tuple(replace(item, tags={"split": "dev" if i < 4 else "train"}) for i, item in enumerate(said.items))
    found = everyday_pairs(pictured(replace(said, items=items)), 12, 0)
    assert len(found.benchmark) == 6
    taught = {caption for item in found.benchmark.items for caption in item.captions}
    assert taught <= {f"true {i}" for i in range(4, 20)}
    for item in found.benchmark.items:
        for picture, caption in item.match:  # each caption is that of its image
            assert found.store.name(item.pictures[picture]).split(".")[0] == item.captions[caption].split()[1]
    both = joined_benchmarks(pictured(pairs(3)), found)
    assert len(both.benchmark) == 9
    assert [EVERYDAY in item.tags for item in both.benchmark.items] == [False] * 3 + [True] * 6
    assert [both.store.name(i) for i in range(6, 18)] == [found.store.name(i) for i in range(12)]
    assert both.store.read(7) == found.store.read(1)
    own = pair_digests(said, said.items)  # so that an adapter knows them again in their own benchmark
    assert set(pair_digests(both.benchmark, both.benchmark.items[3:])) <= set(own)
    with pytest.raises(InvalidInput, match="at least 8"):
        everyday_pairs(pictured(replace(said, items=items[:6])), 12, 0)
