"""Changed copies: which words change, into what, and how often."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.systems.common.words import tokens_of
from core.systems.tinybert.augmentation import Augmenter
from core.systems.tinybert.settings import Distillation
from core.systems.tinybert.teacher import BertFolder, read_bert
from tests.support.tiny_bert import COLOURS, THINGS, WORDS, some_texts, write_bert

HOW = Distillation(augment=5, candidates=4)


def spoken(text: list[int]) -> list[str]:
    return [WORDS[i] for i in text]


def test_copies_differ_from_the_text_and_from_each_other_and_keep_stop_words(teacher: BertFolder) -> None:
    texts = tokens_of(teacher.tokenizer, some_texts(20), 32)
    copies = Augmenter(teacher, None, HOW).copies(texts)
    assert 60 < len(copies) <= 100
    assert len({tuple(c) for c in copies}) > 0.9 * len(copies)
    assert not {tuple(t) for t in texts} >= {tuple(c) for c in copies}
    for copy in map(spoken, copies):
        assert copy[:2] == ["[CLS]", "a"]
        assert copy[-1] == "[SEP]"
        assert copy[2].isalpha()


def test_a_word_becomes_one_of_its_nearest_by_the_teachers_word_vectors(teacher: BertFolder) -> None:
    (text,) = tokens_of(teacher.tokenizer, ["a red dog"], 32)
    made = Augmenter(teacher, None, HOW)
    vectors = teacher.bert.embeddings.word_embeddings.weight.detach().numpy().astype(np.float64)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)  # [PAD] is 0
    of_red = vectors @ vectors[WORDS.index("red")]
    whole = [i for i, word in enumerate(WORDS) if word.isalpha() and word != "red"]
    expected = sorted(whole, key=lambda i: -of_red[i])[:4]
    found = made.candidates(text, made.words(text))
    assert set(found) == {2, 3}  # red and dog; [CLS], "a" and [SEP] stay
    assert found[2] == expected


def test_a_word_of_several_pieces_changes_as_one(teacher: BertFolder) -> None:
    (text,) = tokens_of(teacher.tokenizer, ["the dogs"], 32)
    made = Augmenter(teacher, None, HOW)
    words = made.words(text)
    assert words[2] == (WORDS.index("dog"), WORDS.index("##s"))
    mean = teacher.bert.embeddings.word_embeddings.weight.detach().numpy()[list(words[2])].mean(0)
    assert set(made.candidates(text, words)) == {2}
    assert WORDS.index("dog") not in made.candidates(text, words)[2]
    assert np.isfinite(mean).all()


@pytest.mark.parametrize(("share", "changed"), [(0.0, 0.0), (0.4, 0.4), (1.0, 1.0)])
def test_words_change_with_the_probability_that_was_asked_for(
    teacher: BertFolder, share: float, changed: float
) -> None:
    texts = tokens_of(teacher.tokenizer, [f"a {c} {t}" for c in COLOURS for t in THINGS], 32)
    made = Augmenter(teacher, None, Distillation(augment=1, replace=share, candidates=4))
    copies = made.copies(texts)
    if not share:
        assert copies == []
        return
    differ = [sum(a != b for a, b in zip(t, c)) for t in texts for c in copies if t[2] == c[2] or t[3] == c[3]]
    assert differ
    kept = 1 - len(copies) / len(texts)  # texts that stayed as they were give no copy
    assert kept == pytest.approx((1 - changed) ** 2, abs=0.12)


def test_a_language_model_proposes_the_words_where_there_is_one(teacher: BertFolder, tmp_path: Path) -> None:
    model = read_bert(write_bert(tmp_path / "mlm", "BertForMaskedLM"))
    bias = model.model.cls.predictions.bias
    for rank, word in enumerate(["boat", "##s", "train"]):  # whatever it reads, these are its favorites
        bias.data[WORDS.index(word)] = 1000.0 - rank
        model.model.cls.predictions.decoder.bias.data[WORDS.index(word)] = 1000.0 - rank
    made = Augmenter(teacher, model, Distillation(augment=3, candidates=3))
    (text,) = tokens_of(teacher.tokenizer, ["a red dogs"], 32)
    found = made.candidates(text, made.words(text))
    assert spoken(found[2]) == ["boat", "train"]  # a continuation is no word
    assert len(found[3]) == 3  # "dogs" has two pieces: its neighbors


def test_the_same_seed_makes_the_same_copies(teacher: BertFolder) -> None:
    texts = tokens_of(teacher.tokenizer, some_texts(20), 32)
    assert Augmenter(teacher, None, HOW).copies(texts) == Augmenter(teacher, None, HOW).copies(texts)
