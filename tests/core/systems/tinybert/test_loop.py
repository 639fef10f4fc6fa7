"""The training: which losses are used when, that they fall, and that it can be done again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from core.errors import Cancelled, InvalidInput
from core.systems.common.student_texts import TextColumn
from core.systems.common.words import padded, tokens_of
from core.systems.tinybert import losses
from core.systems.tinybert.distil import distil
from core.systems.tinybert.loop import outputs, teach
from core.systems.tinybert.settings import Distillation
from core.systems.tinybert.student import Student, Watched, make_student
from core.systems.tinybert.teacher import BertFolder
from tests.support.tiny_bert import some_texts

HOW = Distillation(layers=2, intermediate_epochs=2, prediction_epochs=2, batch=8, lr=0.003, precision="float32")


def taught(teacher: BertFolder, how: Distillation, texts: int = 40) -> tuple[Student, list[tuple[str, float]]]:
    tokens = tokens_of(teacher.tokenizer, some_texts(texts), 32)
    found = teach(teacher, make_student(teacher, how), tokens, how)
    return found.student, list(found.curve)


def weights(student: Student) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in student.parameters()])


def test_layers_are_taught_first_and_prediction_afterwards(teacher: BertFolder) -> None:
    steps: list[tuple[str, int, int]] = []
    tokens = tokens_of(teacher.tokenizer, some_texts(40), 32)
    found = teach(teacher, make_student(teacher, HOW), tokens, HOW, lambda *step: steps.append(step))
    assert [name for name, _ in found.curve] == ["intermediate"] * 2 + ["prediction"] * 2
    assert steps == [(name, i, 10) for name in ("Training layers", "Training predictions") for i in range(1, 11)]
    assert not found.student.training


@pytest.mark.parametrize("kind", ["teacher", "classifier"])
@pytest.mark.parametrize("stage", ["intermediate_epochs", "prediction_epochs"])
def test_each_step_lowers_its_loss(kind: str, stage: str, request: pytest.FixtureRequest) -> None:
    none = {"intermediate_epochs": 0, "prediction_epochs": 0}
    _, curve = taught(request.getfixturevalue(kind), replace(HOW, **{**none, stage: 8}))
    assert curve[-1][1] < 0.9 * curve[0][1]


def test_the_first_loss_of_layers_is_the_sum_of_its_parts(teacher: BertFolder) -> None:
    how = replace(HOW, width=12, intermediate_epochs=1, prediction_epochs=0, batch=64)
    tokens = tokens_of(teacher.tokenizer, some_texts(40), 32)
    student = make_student(teacher, how)
    ids, mask = padded(tokens, range(40))
    with torch.no_grad():
        theirs, scores = Watched(teacher.bert, (3, 6)).run(ids, mask)
        mine, my_scores = Watched(student.bert, (1, 2)).run(ids, mask)
        expected = sum(
            float(losses.states_loss(student.to_teacher(a), theirs[i], mask)) for a, i in zip(mine, (0, 3, 6))
        )
        expected += sum(float(losses.attention_loss(a, b, mask)) for a, b in zip(my_scores, scores))
    assert teach(teacher, student, tokens, how).curve[0][1] == pytest.approx(expected, rel=1e-5)


def test_a_loss_that_is_left_out_is_not_counted(teacher: BertFolder) -> None:
    how = replace(HOW, intermediate_epochs=1, prediction_epochs=0, batch=64, inherit="none")
    parts = [
        taught(teacher, replace(how, embedding=i == 0, hidden=i == 1, attention=i == 2))[1][0][1] for i in range(3)
    ]
    assert taught(teacher, how)[1][0][1] == pytest.approx(sum(parts), rel=1e-4)


def test_inherited_words_stay_and_others_learn(teacher: BertFolder) -> None:
    words = teacher.bert.embeddings.word_embeddings.weight
    student, _ = taught(teacher, HOW)
    assert torch.equal(student.bert.embeddings.word_embeddings.weight, words)
    how = replace(HOW, inherit="none")
    student, _ = taught(teacher, how)
    assert not torch.equal(
        student.bert.embeddings.word_embeddings.weight,
        make_student(teacher, how).bert.embeddings.word_embeddings.weight,
    )


def test_the_same_seed_gives_the_same_student(teacher: BertFolder) -> None:
    assert torch.equal(weights(taught(teacher, HOW)[0]), weights(taught(teacher, HOW)[0]))
    assert not torch.equal(weights(taught(teacher, HOW)[0]), weights(taught(teacher, replace(HOW, seed=1))[0]))


def test_a_teacher_does_not_change(teacher: BertFolder) -> None:
    before = {name: t.clone() for name, t in teacher.model.state_dict().items()}
    taught(teacher, HOW)
    assert all(torch.equal(t, before[name]) for name, t in teacher.model.state_dict().items())


def test_outputs_stand_in_the_order_of_the_texts(teacher: BertFolder) -> None:
    tokens = tokens_of(teacher.tokenizer, some_texts(70), 32)
    together = outputs(teacher, tokens).numpy()
    alone = np.concatenate([outputs(teacher, [one]).numpy() for one in tokens])
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_a_loss_that_is_no_number_is_told(teacher: BertFolder) -> None:
    student = make_student(teacher, HOW)
    with torch.no_grad():
        student.bert.encoder.layer[0].output.dense.weight.fill_(float("nan"))
    with pytest.raises(InvalidInput, match=r"became NaN at learning rate 1\. Lower the learning rate"):
        teach(teacher, student, [[2, 5, 3]] * 20, replace(HOW, lr=1.0))


def test_it_can_be_stopped(teacher: BertFolder) -> None:
    def stop(*_: object) -> None:
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        teach(teacher, make_student(teacher, HOW), [[2, 5, 3]] * 20, HOW, stop)


@pytest.mark.parametrize(
    "none",
    [
        {"intermediate_epochs": 0, "prediction_epochs": 0},
        {"prediction_epochs": 0, "embedding": False, "hidden": False, "attention": False},
    ],
)
def test_nothing_to_learn_is_refused(teacher: BertFolder, none: dict[str, bool]) -> None:
    column = TextColumn("t.csv", "text", tuple(some_texts(40)), 40, 0, 0)
    with pytest.raises(InvalidInput, match="Nothing to train"):
        distil(teacher, column, replace(HOW, **none))
