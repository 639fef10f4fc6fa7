"""The e-SNLI benchmark: what is frozen, what is read and written, and which rows measure."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from core.systems.step_by_step.loop import teach
from core.systems.step_by_step.rationales import RationaleSet
from core.systems.step_by_step.released import SEPARATOR
from core.systems.step_by_step.settings import StepByStep
from core.systems.step_by_step.student import EXPLAIN, PREDICT
from core.systems.step_by_step.tokens import inputs_of
from research.evidence.step_by_step_esnli import (
    MAX_ANSWER,
    FrozenStates,
    ReadAndWritten,
    make_student,
    parts_of,
    reader,
    run,
)

LABELS = ("entailment", "neutral", "contradiction")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("esnli")
    for part, n in (("dev", 60), ("test", 9)):
        columns = {
            "s1": [f"A {part} dog number {i // 3} runs ." for i in range(n)],
            "s2": [("An animal runs .", "A tall dog runs .", "A cat sleeps .")[i % 3] for i in range(n)],
            "labels": [LABELS[i % 3] for i in range(n)],
            "preproc1_expl_1": [("dogs are animals", "not all are tall", "a dog is no cat")[i % 3] for i in range(n)],
        }
        for name, lines in columns.items():
            (made / f"{name}.{part}").write_text("\n".join(lines), "utf-8")
    return made


def few(folder: Path) -> RationaleSet:
    return parts_of(folder, tune=False)[0].keep(range(9))


def test_no_premise_both_teaches_and_measures(folder: Path) -> None:
    for tune, n in ((True, 12), (False, 9)):
        learn, held = parts_of(folder, tune=tune)
        assert (len(learn), len(held)) == (48, n)
        premises = [{text.partition(SEPARATOR)[0] for text in rows.texts} for rows in (learn, held)]
        assert not premises[0] & premises[1]


def test_states_are_minilms_of_the_text_alone_and_stay_frozen(folder: Path) -> None:
    rows, states = few(folder), FrozenStates(reader())
    student = make_student(states, reader().tokenizer, rows, 0)
    for prefix in (PREDICT, EXPLAIN):
        states.remember(inputs_of(student, rows.texts, prefix, 64))
    before = {name: value.clone() for name, value in reader().model.state_dict().items()}
    ids = torch.tensor([inputs_of(student, [rows.texts[1]], PREDICT, 64)[0]])
    with torch.inference_mode():
        alone = reader().model(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state
    padded_ids = torch.nn.functional.pad(ids, (0, 3))
    given = states(padded_ids, (padded_ids > 0).long())
    torch.testing.assert_close(given[:, :-3], alone, atol=5e-3, rtol=5e-3)
    assert not given[:, -3:].any()
    assert [name for name, _ in student.model.encoder.named_parameters()] == ["to_decoder.weight", "to_decoder.bias"]
    teach(student, rows, StepByStep(updates=2, batch=4, max_tokens=64, max_answer=MAX_ANSWER))
    assert all(torch.equal(value, before[name]) for name, value in reader().model.state_dict().items())


def test_answers_are_written_in_pieces_of_what_was_taught() -> None:
    pieces = ReadAndWritten(reader().tokenizer, [*LABELS, "a dog is an animal"])
    tokens = pieces([*LABELS, "a dog is an animal"])["input_ids"]
    assert max(map(max, tokens)) < len(pieces)
    assert pieces.batch_decode(torch.tensor(tokens[:1])) == ["entailment"]
    assert pieces(["a dog is an animal"], max_length=3)["input_ids"] == [[*tokens[3][:2], tokens[3][-1]]]
    read = pieces([f"{PREDICT}a{SEPARATOR}zebra"])["input_ids"][0]  # no taught word, and known
    assert read == reader().tokenizer(f"{PREDICT}a [SEP] zebra")["input_ids"]


@pytest.mark.parametrize("arm", ["standard", "shuffled", "step-by-step"])
def test_a_run_is_a_line(folder: Path, arm: str) -> None:
    row = run(folder, arm, 9, 0, 1, 1e-3)
    assert (row["arm"], row["n"], row["part"], row["n_held"]) == (arm, 9, "test", 9)
    assert 0 <= row["accuracy"] <= 1
    assert run(folder, arm, 9, 0, 1, 1e-3)["loss"] == row["loss"]
