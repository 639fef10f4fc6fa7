"""An encoder of texts is measured by what it can tell apart, where words or labels say what a phrase is true of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.checks.marked_texts import read_marked
from core.checks.text_competence import measure_text_competence
from core.encoders import load_encoder
from core.errors import InvalidInput
from core.language.competence import BAR, SHIPPED, read_competence
from core.language.vocabulary import Phrase, Vocabulary, read_vocabulary
from tests.support.pictures import MeanColour
from tests.support.texts import ENDS, TOPICS, made_texts

ABOUT = {"topic": (("{noun} {phrase}", "{noun}"),)}


def vocabulary(*texts: str) -> Vocabulary:
    return Vocabulary(tuple(Phrase(text, "topic") for text in texts), ABOUT, modality="text")


def reports(n: int = 96) -> list[str]:
    return [f"{list(TOPICS.values())[i % 4]} {ENDS[i // 4 % 8]}, said the {i}th report" for i in range(n)]


def test_words_and_labels_say_of_which_texts_a_phrase_is_true() -> None:
    texts = reports()
    marks = {"about illness": np.array([1.0 if i % 4 == 3 else np.nan if i < 8 else 0.0 for i in range(96)])}
    table = measure_text_competence(
        load_encoder("minilm"), made_texts(texts), marks, vocabulary("about rain", "about illness", "about love")
    )
    rain, illness = table.phrases["about rain"], table.phrases["about illness"]
    assert (rain.n_with, rain.n_without, rain.ground) == (24, 72, "words")
    assert (illness.n_with, illness.n_without, illness.ground) == (24, 66, "labels")
    assert rain.auroc.low > 0.9
    assert illness.auroc.low > 0.9
    assert "about love" not in table.phrases  # of no text by its words
    assert table.line is None  # of two phrases no line can be told


def test_the_table_that_ships_is_of_this_encoder_and_of_phrases_that_ship() -> None:
    table, encoder = read_competence(SHIPPED / "minilm.json"), load_encoder("minilm")
    assert table.fingerprint == encoder.fingerprint
    phrases = {phrase.text for phrase in read_vocabulary(None, "text").phrases}
    assert set(table.phrases) <= phrases
    assert sum(one.auroc.low >= BAR for one in table.phrases.values()) >= 40


def test_an_encoder_of_pictures_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"is an encoder of images.* --captions and --images"):
        measure_text_competence(MeanColour(), made_texts(["a"]))


def test_a_marked_table_says_what_is_known(tmp_path: Path) -> None:
    frame = pd.DataFrame({"text": [*reports(4), None], "About Rain": [0, 0, 1, None, 1], "sad": ["x"] * 5})
    frame.to_csv(tmp_path / "t.csv", index=False)
    items, marks = read_marked(tmp_path / "t.csv", ["about rain", "angry"])
    assert len(items) == 4
    assert set(marks) == {"about rain"}
    np.testing.assert_array_equal(marks["about rain"], [0, 0, 1, np.nan])


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (pd.DataFrame({"label": [1, 2], "loss": [1, 2]}), "has no column of texts. Name it 'text'"),
        (pd.DataFrame({"text": reports(2), "sad": [0.5, 1]}), "'sad' has values other than 1 and 0"),
        (pd.DataFrame({"text": reports(2), "sad": ["yes", 1]}), "'sad' has values other than 1 and 0"),
    ],
)
def test_a_table_that_says_nothing_is_refused(tmp_path: Path, frame: pd.DataFrame, said: str) -> None:
    frame.to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(InvalidInput, match=said):
        read_marked(tmp_path / "t.csv", ["sad"])


def test_the_page_of_texts_says_the_figures_of_the_table_that_ships(repository: Path) -> None:
    table, vocabulary = read_competence(SHIPPED / "minilm.json"), read_vocabulary(None, "text")
    said = " ".join((repository / "docs" / "texts.md").read_text("utf-8").split())
    enough = sum(one.auroc.low >= BAR for one in table.phrases.values())
    assert f"{len(vocabulary)} phrases about topic, tone, form and language are tested" in said
    assert f"measured on {table.pictures.split(' texts')[0]} texts" in said
    assert f"Of the {len(table.phrases)} that could be measured {enough} are known to it" in said
    assert {phrase.family for phrase in vocabulary.phrases} == {"topic", "tone", "form", "language"}
