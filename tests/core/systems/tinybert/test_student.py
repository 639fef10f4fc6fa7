"""The student: what it starts from, what is watched of it, and the sizes that are refused."""

from __future__ import annotations

import pytest
import torch

from core.systems.common.words import padded, tokens_of
from core.systems.tinybert import losses
from core.systems.tinybert.loop import outputs
from core.systems.tinybert.settings import Distillation
from core.systems.tinybert.student import Watched, make_student, pooled
from core.systems.tinybert.teacher import BertFolder
from tests.support.tiny_bert import some_texts


@pytest.fixture
def tokens(teacher: BertFolder) -> list[list[int]]:
    return tokens_of(teacher.tokenizer, some_texts(12), 32)


@pytest.mark.parametrize("kind", ["teacher", "classifier"])
def test_all_layers_inherited_give_the_teacher_exactly(kind: str, request: pytest.FixtureRequest) -> None:
    given: BertFolder = request.getfixturevalue(kind)
    student = make_student(given, Distillation(layers=6, inherit="layers"))
    tokens = tokens_of(given.tokenizer, some_texts(12), 32)
    assert torch.equal(outputs(student, tokens), outputs(given, tokens))


def test_every_loss_of_layers_is_0_where_the_student_is_the_teacher(
    teacher: BertFolder, tokens: list[list[int]]
) -> None:
    student = make_student(teacher, Distillation(layers=6, inherit="layers"))
    student.to_teacher = torch.nn.Linear(24, 24)  # W = I
    torch.nn.init.eye_(student.to_teacher.weight)
    torch.nn.init.zeros_(student.to_teacher.bias)
    student.requires_grad_(False)
    ids, mask = padded(tokens, range(12))
    with torch.no_grad():
        theirs, mine = (Watched(b, range(1, 7)).run(ids, mask) for b in (teacher.bert, student.bert))
    assert len(theirs[0]) == 7
    assert len(theirs[1]) == 6
    for a, b in zip(mine[0], theirs[0]):
        assert float(losses.states_loss(student.to_teacher(a), b, mask)) == 0
    for a, b in zip(mine[1], theirs[1]):
        assert float(losses.attention_loss(a, b, mask)) == 0


def test_three_of_six_layers_are_the_second_fourth_and_sixth(teacher: BertFolder) -> None:
    student = make_student(teacher, Distillation(layers=3))
    for mine, theirs in zip(student.bert.encoder.layer, (1, 3, 5)):
        for name, weight in teacher.bert.encoder.layer[theirs].state_dict().items():
            assert torch.equal(mine.state_dict()[name], weight)
    words = teacher.bert.embeddings.word_embeddings.weight
    assert torch.equal(student.bert.embeddings.word_embeddings.weight, words)
    assert not student.bert.embeddings.word_embeddings.weight.requires_grad


def test_nothing_is_inherited_where_that_is_asked_for(teacher: BertFolder) -> None:
    student = make_student(teacher, Distillation(inherit="none"))
    words = student.bert.embeddings.word_embeddings.weight
    assert words.requires_grad
    assert not torch.allclose(words, teacher.bert.embeddings.word_embeddings.weight)
    again = make_student(teacher, Distillation(inherit="none"))
    other = make_student(teacher, Distillation(inherit="none", seed=1))
    assert torch.equal(words, again.bert.embeddings.word_embeddings.weight)
    assert not torch.equal(words, other.bert.embeddings.word_embeddings.weight)


def test_words_of_a_narrower_student_lie_along_the_teachers_leading_directions(teacher: BertFolder) -> None:
    student = make_student(teacher, Distillation(width=12))
    words = teacher.bert.embeddings.word_embeddings.weight.detach()
    mine = student.bert.embeddings.word_embeddings.weight.detach()
    back = student.to_teacher(mine).detach()
    _, spread, _ = torch.linalg.svd(words)
    assert float((back - words).square().sum()) == pytest.approx(float(spread[12:].square().sum()), rel=1e-3)
    assert student.bert.config.intermediate_size == 24


def test_the_scores_are_those_that_bert_puts_into_its_softmax(teacher: BertFolder, tokens: list[list[int]]) -> None:
    ids, mask = padded(tokens, range(12))
    teacher.model.set_attn_implementation("eager")
    with torch.no_grad():
        _, scores = Watched(teacher.bert, (2, 6)).run(ids, mask)
        wanted = teacher.bert(input_ids=ids, attention_mask=mask, output_attentions=True).attentions
    for found, layer in zip(scores, (2, 6)):
        torch.testing.assert_close(torch.softmax(found, -1), wanted[layer - 1])


def test_padding_changes_neither_states_nor_vectors(teacher: BertFolder, tokens: list[list[int]]) -> None:
    short = [t for t in tokens if len(t) == min(map(len, tokens))]
    alone, mask = padded(short, range(len(short)))
    wide = torch.nn.functional.pad(alone, (0, 4), value=7), torch.nn.functional.pad(mask, (0, 4))
    with torch.no_grad():
        states, _ = Watched(teacher.bert, ()).run(alone, mask)
        more, _ = Watched(teacher.bert, ()).run(*wide)
    torch.testing.assert_close(more[-1][:, : alone.shape[1]], states[-1])
    torch.testing.assert_close(pooled(more[-1], wide[1]), pooled(states[-1], mask))
    assert torch.allclose(pooled(states[-1], mask).norm(dim=1), torch.ones(len(short)))
