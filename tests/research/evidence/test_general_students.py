"""The texts made of WordNet, and linear maps in the place of layers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from core.systems.common.words import tokens_of
from core.systems.tinybert.loop import outputs
from core.systems.tinybert.settings import Distillation
from core.systems.tinybert.student import make_student
from core.systems.tinybert.teacher import BertFolder, read_bert
from research.evidence.general_students import SHARES, TokenMap, with_maps
from research.evidence.glosses import HELD_OUT, Mixer, Sense, parted, read_senses
from tests.support.tiny_bert import some_texts, write_bert

LINES = {
    "data.noun": "  1 the licence  \n"
    '00001740 03 n 02 living_thing 0 being 0 001 @ 1 n 0000 | that which lives; "a thing that lives"; "beings"  \n',
    "data.verb": "",
    "data.adj": "00005205 00 a 01 live(a) 0 000 | having life; being  \n",
    "data.adv": "",
}


def test_senses_are_read_with_their_words_and_examples(tmp_path: Path) -> None:
    for name, text in LINES.items():
        (tmp_path / name).write_text(text, "utf-8")
    assert read_senses(tmp_path) == [
        Sense(("living thing", "being"), "that which lives", ("a thing that lives",)),
        Sense(("live",), "having life; being", ()),
    ]


def test_held_out_senses_are_in_no_other_part_and_every_kind_of_text_is_made() -> None:
    senses = [Sense((f"word {i}",), f"meaning {i} of it", (f"said {i} so",)) for i in range(HELD_OUT + 50)]
    parts = parted(senses, 0)
    assert [len(part) for part in parts] == [50, HELD_OUT // 2, HELD_OUT // 2]
    assert len({sense.words for part in parts for sense in part}) == len(senses)
    known = {word for sense in parts[0] for word in (*sense.words, sense.definition, *sense.examples)}
    for kind in SHARES:
        texts = Mixer(parts[0], np.random.default_rng(0)).texts(20, {kind: 1.0})
        assert all(texts)
        assert {n for text in texts for n in text.split() if n.isdecimal()} <= {
            n for text in known for n in text.split() if n.isdecimal()
        }
    again = [Mixer(parts[0], np.random.default_rng(1)).texts(20, SHARES) for _ in range(2)]
    assert again[0] == again[1]


@pytest.fixture
def teacher(tmp_path: Path) -> BertFolder:
    return read_bert(write_bert(tmp_path / "bert", "BertModel"))


def test_fitted_maps_are_nearer_to_the_teacher_than_layers_left_out(teacher: BertFolder) -> None:
    tokens = tokens_of(teacher.tokenizer, some_texts(200), 32)
    fit, held = tokens[:150], tokens[150:]
    student = with_maps(teacher, (1, 4, 6), fit)
    kinds = [isinstance(layer, TokenMap) for layer in student.bert.encoder.layer]
    assert kinds == [False, True, False, True, False]  # one map for each run of layers
    plain = make_student(teacher, Distillation(layers=3, map="1,4,6", inherit="layers"))
    wanted = outputs(teacher, held)
    mapped, without = ((outputs(model, held) * wanted).sum(1).mean() for model in (student, plain))
    assert mapped > without
    torch.testing.assert_close(outputs(with_maps(teacher, range(1, 7), fit), held), wanted)
