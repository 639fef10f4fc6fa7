"""What a student is measured by, beside plain loops."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from core.systems.common.words import tokens_of
from core.systems.tinybert.figures import measure, paired_times, rank_agreement
from core.systems.tinybert.loop import outputs
from core.systems.tinybert.settings import Distillation
from core.systems.tinybert.student import make_student
from core.systems.tinybert.teacher import BertFolder
from tests.support.tiny_bert import some_texts


@pytest.fixture
def tokens(teacher: BertFolder) -> list[list[int]]:
    return tokens_of(teacher.tokenizer, some_texts(40), 32)


def test_figures_of_vectors_are_those_of_a_plain_loop(teacher: BertFolder, tokens: list[list[int]]) -> None:
    student = make_student(teacher, Distillation(layers=2))
    found = measure(teacher, student, tokens, turns=1)
    mine, theirs = outputs(student, tokens).numpy(), outputs(teacher, tokens).numpy()
    pairs = list(combinations(range(40), 2))
    ranks = stats.spearmanr([mine[i] @ mine[j] for i, j in pairs], [theirs[i] @ theirs[j] for i, j in pairs])
    assert found.n == 40
    assert found.cosine.value == pytest.approx(np.mean([a @ b for a, b in zip(mine, theirs)]), abs=1e-5)
    assert found.rank_correlation.value == pytest.approx(ranks.statistic, abs=1e-3)
    assert found.recall_at_1.value == np.mean([int(np.argmax(theirs @ row)) == i for i, row in enumerate(mine)])
    for estimate in (found.cosine, found.rank_correlation, found.recall_at_1):
        assert estimate.low <= estimate.value <= estimate.high
    assert np.isnan(found.agreement.value)


@pytest.mark.parametrize("kind", ["teacher", "classifier"])
def test_the_teacher_itself_is_perfect(kind: str, request: pytest.FixtureRequest, tokens: list[list[int]]) -> None:
    given: BertFolder = request.getfixturevalue(kind)
    found = measure(given, make_student(given, Distillation(layers=6)), tokens, turns=1)
    figures = [found.agreement] if kind == "classifier" else [found.cosine, found.recall_at_1, found.rank_correlation]
    assert [round(f.value, 4) for f in figures] == [1.0] * len(figures)
    if kind == "classifier":
        assert found.divergence.value == pytest.approx(0.0, abs=1e-6)


def test_another_student_of_classes_diverges(classifier: BertFolder, tokens: list[list[int]]) -> None:
    found = measure(classifier, make_student(classifier, Distillation(layers=2, inherit="none")), tokens, turns=1)
    assert found.divergence.low > 0
    assert np.isnan(found.cosine.value)


def test_a_text_that_is_drawn_twice_is_no_pair_with_itself() -> None:
    rows = np.random.default_rng(0).normal(size=(2, 6, 4))
    mine, theirs = (r @ r.T for r in rows)
    correlation = rank_agreement(mine, theirs)
    assert correlation(np.array([0, 1, 2, 2])) == pytest.approx(
        stats.spearmanr(
            [mine[i, j] for i, j in [(0, 1), (0, 2), (0, 2), (1, 2), (1, 2)]],
            [theirs[i, j] for i, j in [(0, 1), (0, 2), (0, 2), (1, 2), (1, 2)]],
        ).statistic
    )
    assert np.isnan(correlation(np.array([3, 3, 3])))


def test_times_are_taken_in_pairs(teacher: BertFolder, tokens: list[list[int]]) -> None:
    times = paired_times(teacher, make_student(teacher, Distillation(layers=1)), tokens, 5)
    assert times.shape == (5, 2)
    assert np.median(times[:, 0] / times[:, 1]) > 1.3  # six layers against one
