"""Words of captions that set a cluster apart, and captions that are near."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import InvalidInput
from core.files import write_json
from core.records import Diagnosis
from core.systems.vl_t5.ask import NOT_SURE, count_sure_answers
from core.systems.vl_t5.caution import caution_of
from core.systems.vl_t5.describe import describe_clusters, nearest_captions, read_captions
from core.systems.vl_t5.describer import SpokenAnswer
from core.systems.vl_t5.wording import NEAREST_NOTE, described_lines
from tests.support.words import AxisEncoder, with_words


def captions_of(diagnosis: Diagnosis, *, planted: bool) -> list[str]:
    rng = np.random.default_rng(0)
    words = np.array(["street", "people", "sunny", "wide"])
    made = [f"a {words[int(rng.integers(4))]} place" for _ in range(len(diagnosis.samples))]
    members = diagnosis.clusters[0].membership >= 0.5
    return [f"{text} in fog" if planted and inside else text for text, inside in zip(made, members)]


def test_a_word_of_the_members_captions_passes_and_no_other_does(diagnosis: Diagnosis) -> None:
    one = describe_clusters(diagnosis, captions_of(diagnosis, planted=True), permutations=999)[0]
    assert [word.word for word in one.confirmed] == ["fog"]
    assert (one.words[0].inside, one.words[0].outside) == (1.0, 0.0)
    assert one.size == int((diagnosis.clusters[0].membership >= 0.5).sum())
    assert all(text.endswith("in fog") for text in one.quoted)


def test_that_a_caption_is_of_a_photo_says_nothing(diagnosis: Diagnosis) -> None:
    members = diagnosis.clusters[0].membership >= 0.5
    said = ["a photo of a dog" if inside else "a dog on grass" for inside in members]
    one = describe_clusters(diagnosis, said, permutations=99)[0]
    assert {word.word for word in one.words} == {"grass"}  # all captions have the dog


def test_where_captions_are_alike_no_word_passes(diagnosis: Diagnosis) -> None:
    one = describe_clusters(diagnosis, captions_of(diagnosis, planted=False), permutations=999)[0]
    assert one.confirmed == ()
    assert one.tested >= 3


def test_pictures_without_a_caption_are_left_out_and_one_a_sample_is_needed(diagnosis: Diagnosis) -> None:
    said: list[str | None] = list(captions_of(diagnosis, planted=True))
    first = int(np.flatnonzero(diagnosis.clusters[0].membership >= 0.5)[0])
    whole = describe_clusters(diagnosis, said, permutations=99)[0]
    said[first] = None
    assert describe_clusters(diagnosis, said, permutations=99)[0].size == whole.size - 1
    with pytest.raises(InvalidInput, match="captions for 60 samples"):
        describe_clusters(diagnosis, said[1:])


def test_captions_are_read_a_line_each_and_once(tmp_path: Path) -> None:
    (tmp_path / "c.txt").write_text("a dog\n\n a  cat \na dog\n", "utf-8")
    assert read_captions(tmp_path / "c.txt") == ("a dog", "a cat")
    (tmp_path / "c.txt").write_text("one\n", "utf-8")
    with pytest.raises(InvalidInput, match="1 different caption; 2 to 50,000"):
        read_captions(tmp_path / "c.txt")


def test_the_nearest_caption_comes_with_its_cosine_and_a_note_that_it_may_not_fit() -> None:
    tower: Any = AxisEncoder()
    run = with_words()
    assert run.words is not None
    captions = ["in the dark", "on grass"]
    found, cosines = nearest_captions(run, captions, encoder=tower)
    plain = run.words.joint.vectors @ tower.encode_texts(captions).T
    np.testing.assert_allclose(cosines, plain.max(1), rtol=1e-5)
    clusters = describe_clusters(run, found, cosines=cosines, permutations=99)
    lines = described_lines(clusters, "of two")
    assert re.search(r"“.*” \(cosine 0\.\d\d\)", "\n".join(lines))
    assert lines[-1] == NEAREST_NOTE
    assert described_lines(describe_clusters(run, found, permutations=99), "of two")[-1] != NEAREST_NOTE


def test_a_run_of_texts_takes_no_captions(diagnosis: Diagnosis) -> None:
    texts = replace(diagnosis, samples=replace(diagnosis.samples, modality="text"))
    with pytest.raises(InvalidInput, match="Captions need images, but the samples of this run are texts"):
        nearest_captions(texts, ["a", "b"])


def test_a_run_without_words_has_no_nearest_caption(diagnosis: Diagnosis) -> None:
    with pytest.raises(InvalidInput, match="no encoder with a text tower"):
        nearest_captions(replace(diagnosis, words=None), ["a", "b"])


def test_the_bar_of_a_model_is_what_its_card_says(tmp_path: Path) -> None:
    write_json(tmp_path / "card.json", {"bar": 0.4})
    assert caution_of(tmp_path).bar == 0.4
    assert caution_of(tmp_path / "none").bar is None
    write_json(tmp_path / "card.json", {"bar": 0.5, "bars": {"what colour": 0.4}})
    caution = caution_of(tmp_path)
    assert [caution.bar_for(text) for text in ("What colour is it?", "is it red?")] == [0.4, 1.0]
    write_json(tmp_path / "card.json", {"bar": 2})
    with pytest.raises(InvalidInput, match="bar must be"):
        caution_of(tmp_path)


@pytest.mark.parametrize("bar", [None, 0.0, 0.5])
def test_an_answer_whose_probability_is_no_number_is_not_sure(bar: float | None) -> None:
    said = [SpokenAnswer("red", float("nan")), SpokenAnswer("red", 0.5)]
    assert count_sure_answers(said, bar) == [NOT_SURE, "red"]
    assert count_sure_answers(said, bar, np.array([False, True])) == [NOT_SURE, NOT_SURE]


def test_of_a_kind_of_question_that_got_no_bar_nothing_is_sure() -> None:
    assert count_sure_answers([SpokenAnswer("red", 1.0)], 1.0) == [NOT_SURE]
