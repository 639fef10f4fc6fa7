"""Each loss beside a slow loop that is written from the paper's equations, one text at a time, without padding."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from core.systems.tinybert.losses import attention_loss, soft_cross_entropy, states_loss, vector_loss

LENGTHS = (3, 5, 1)


def drawn(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.fixture
def mask() -> Tensor:
    return torch.tensor([[1.0] * n + [0.0] * (6 - n) for n in LENGTHS], dtype=torch.float64)


def test_states_are_compared_as_in_equations_8_and_9(mask: Tensor) -> None:
    student, teacher, w, offset = drawn(3, 6, 4, seed=0), drawn(3, 6, 7, seed=1), drawn(4, 7, seed=2), drawn(7, seed=3)
    total = 0.0
    for text, length in enumerate(LENGTHS):
        errors = [
            (sum(float(student[text, i, k] * w[k, j]) for k in range(4)) + float(offset[j] - teacher[text, i, j])) ** 2
            for i in range(length)
            for j in range(7)
        ]
        total += sum(errors) / len(errors)
    assert float(states_loss(student @ w + offset, teacher, mask)) == pytest.approx(total / 3)


def test_attention_is_compared_as_in_equation_7_before_the_softmax(mask: Tensor) -> None:
    student, teacher = drawn(3, 2, 6, 6, seed=4), drawn(3, 2, 6, 6, seed=5)
    total = 0.0
    for text, length in enumerate(LENGTHS):
        for head in range(2):
            errors = [
                float(student[text, head, i, j] - teacher[text, head, i, j]) ** 2
                for i in range(length)
                for j in range(length)
            ]
            total += sum(errors) / len(errors) / 2
    assert float(attention_loss(student, teacher, mask)) == pytest.approx(total / 3)


def test_scores_of_minus_100_and_less_count_as_0(mask: Tensor) -> None:
    student, teacher = torch.zeros(3, 2, 6, 6), torch.zeros(3, 2, 6, 6)
    student[0, 0, 0, 1], teacher[0, 0, 1, 0] = -100.0, -9_000.0
    assert float(attention_loss(student, teacher, mask.float())) == 0
    student[0, 0, 0, 1] = -99.0
    assert float(attention_loss(student, teacher, mask.float())) == pytest.approx(99**2 / 9 / 2 / 3)


@pytest.mark.parametrize("temperature", [1.0, 2.5])
def test_classes_are_compared_as_in_equation_10(temperature: float) -> None:
    student, teacher = drawn(4, 3, seed=6), drawn(4, 3, seed=7)
    total = 0.0
    for row in range(4):
        mine, theirs = ([math.exp(float(z) / temperature) for z in logits[row]] for logits in (student, teacher))
        total -= sum(t / sum(theirs) * math.log(m / sum(mine)) for m, t in zip(mine, theirs))
    assert float(soft_cross_entropy(student, teacher, temperature)) == pytest.approx(total / 4)


def test_soft_cross_entropy_is_least_at_the_teachers_logits() -> None:
    teacher = drawn(4, 3, seed=8)
    logits = teacher.clone().requires_grad_()
    soft_cross_entropy(logits, teacher, 2.0).backward()
    assert float(logits.grad.abs().max()) < 1e-12


def test_vectors_are_compared_by_twice_one_minus_the_cosine() -> None:
    student, teacher = (torch.nn.functional.normalize(drawn(5, 4, seed=s), dim=-1) for s in (9, 10))
    expected = sum(2 - 2 * sum(float(a * b) for a, b in zip(*pair)) for pair in zip(student, teacher)) / 5
    assert float(vector_loss(student, teacher)) == pytest.approx(expected)


def test_equal_states_scores_and_vectors_cost_nothing(mask: Tensor) -> None:
    states, scores = drawn(3, 6, 4, seed=11), drawn(3, 2, 6, 6, seed=12)
    assert float(states_loss(states @ torch.eye(4, dtype=torch.float64), states, mask)) == 0
    assert float(attention_loss(scores, scores, mask)) == 0
    assert float(vector_loss(states[:, 0], states[:, 0])) == 0


def test_what_stands_in_padding_changes_nothing(mask: Tensor) -> None:
    student, teacher = drawn(3, 6, 4, seed=13), drawn(3, 6, 4, seed=14)
    scores, theirs = drawn(3, 2, 6, 6, seed=15), drawn(3, 2, 6, 6, seed=16)
    before = float(states_loss(student, teacher, mask)), float(attention_loss(scores, theirs, mask))
    for text, length in enumerate(LENGTHS):
        student[text, length:] = 1e3
        scores[text, :, length:] = 50.0
        theirs[text, :, :, length:] = -1e4
    after = float(states_loss(student, teacher, mask)), float(attention_loss(scores, theirs, mask))
    assert after == pytest.approx(before)
