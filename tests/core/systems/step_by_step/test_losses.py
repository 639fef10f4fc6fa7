"""The loss against a slow loop written from the paper."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from core.systems.step_by_step.loop import loss_of
from core.systems.step_by_step.settings import SINGLE_TASK, STANDARD
from core.systems.step_by_step.student import EXPLAIN, PREDICT, T5Student
from core.systems.step_by_step.tokens import tasks_of
from tests.support.tiny_t5 import settings, some_rows, tiny_student


def slow_cross_entropy(student: T5Student, given: list[str], wanted: list[str]) -> float:
    """Each text by itself, without padding, and each token by itself: minus log of the wanted token's softmax share,
    the mean over all tokens of all targets, end signs included."""
    losses: list[float] = []
    for text, target in zip(given, wanted):
        ids = torch.tensor([student.tokenizer(text)["input_ids"]])
        tokens = student.tokenizer(target)["input_ids"]
        assert tokens[-1] == student.tokenizer.eos_token_id
        for at, token in enumerate(tokens):
            before = torch.tensor([[student.model.config.decoder_start_token_id, *tokens[:at]]])
            with torch.no_grad():
                logits = student.model(input_ids=ids, decoder_input_ids=before).logits[0, -1].double().numpy()
            shares = np.exp(logits - logits.max())
            losses.append(-math.log(shares[token] / shares.sum()))
    return sum(losses) / len(losses)


@pytest.mark.parametrize("alpha", [0.0, 0.3, 0.5, 1.0])
def test_the_loss_is_the_papers_by_a_slow_loop(alpha: float) -> None:
    rows = some_rows(5)
    student = tiny_student(rows)
    predict, explain = tasks_of(student, rows, settings(alpha=alpha))
    found = loss_of(student, predict, explain, [0, 1, 2, 3, 4], settings(alpha=alpha))
    label = slow_cross_entropy(student, [PREDICT + text for text in rows.texts], list(rows.labels))
    reason = slow_cross_entropy(student, [EXPLAIN + text for text in rows.texts], list(rows.rationales))
    assert abs(label - reason) > 0.01
    assert float(found.detach()) == pytest.approx(alpha * label + (1 - alpha) * reason, rel=1e-5)


def test_the_baselines_have_one_task_each() -> None:
    rows = some_rows(4)
    student = tiny_student(rows)
    for method, wanted in (
        (STANDARD, list(rows.labels)),
        (SINGLE_TASK, [f"{r} So the answer is {label}" for r, label in zip(rows.rationales, rows.labels)]),
    ):
        predict, explain = tasks_of(student, rows, settings(method=method, max_answer=64))
        assert explain is None
        found = float(loss_of(student, predict, None, [0, 1, 2, 3], settings(method=method)).detach())
        given = [PREDICT + text for text in rows.texts]
        assert found == pytest.approx(slow_cross_entropy(student, given, wanted), rel=1e-5)


def test_a_cut_single_target_keeps_its_label() -> None:
    rows = some_rows(4)
    student = tiny_student(rows)
    predict, _ = tasks_of(student, rows, settings(method=SINGLE_TASK, max_answer=8))
    assert {len(tokens) for tokens in predict.targets} == {8}
    for tokens, label in zip(predict.targets, rows.labels):
        assert student.tokenizer.decode(tokens, skip_special_tokens=True).endswith(f"So the answer is {label}")


def test_rows_without_a_reason_teach_their_label_alone() -> None:
    rows = some_rows(3)
    student = tiny_student(rows)
    half = rows.keep([0, 1, 2])
    half = type(half)(half.name, half.texts, half.labels, ("", half.rationales[1], ""), half.classes)
    predict, explain = tasks_of(student, half, settings())
    found = float(loss_of(student, predict, explain, [0, 1, 2], settings()).detach())
    label = slow_cross_entropy(student, [PREDICT + text for text in rows.texts], list(rows.labels))
    reason = slow_cross_entropy(student, [EXPLAIN + rows.texts[1]], [rows.rationales[1]])
    assert found == pytest.approx(0.5 * label + 0.5 * reason, rel=1e-5)
    alone = float(loss_of(student, predict, explain, [0, 2], settings()).detach())
    given = [PREDICT + rows.texts[i] for i in (0, 2)]
    assert alone == pytest.approx(0.5 * slow_cross_entropy(student, given, [rows.labels[0], rows.labels[2]]), rel=1e-5)
