"""A table of competence belongs to one encoder, and says nothing of what it did not measure."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import InvalidInput
from core.language import competence
from core.language.competence import (
    BAR,
    SHIPPED,
    CompetenceTable,
    PhraseCompetence,
    cached_table,
    find_competence,
    read_competence,
    write_competence,
)
from core.language.phrases import with_competence
from core.language.vocabulary import read_vocabulary
from core.records import Estimate
from tests.support.word_tower import WordTower
from tests.support.words import with_words


def table(fingerprint: str = WordTower.fingerprint) -> CompetenceTable:
    known = {
        "in the dark": PhraseCompetence(Estimate(0.93, 0.9, 0.96), 61, 940, "edits", 20.5),
        "striped": PhraseCompetence(Estimate(0.58, 0.5, 0.66), 32, 940, "captions"),
    }
    return CompetenceTable("words", fingerprint, "generated images", known, 3.1)


def test_a_table_comes_back_as_it_was_written(tmp_path: Path) -> None:
    write_competence(table(), tmp_path / "t.json")
    found = read_competence(tmp_path / "t.json")
    assert (found.encoder, found.fingerprint, found.pictures) == ("words", WordTower.fingerprint, "generated images")
    assert found.line == 3.1
    assert list(found.phrases) == list(table().phrases)
    dark = found.phrases["in the dark"]
    assert dark.auroc.to_dict() == {"value": 0.93, "low": 0.9, "high": 0.96}
    assert (dark.n_with, dark.n_without, dark.ground, dark.spoken) == (61, 940, "edits", 20.5)
    assert np.isnan(found.phrases["striped"].spoken)


def test_the_shipped_table_says_how_often_people_say_a_phrase_that_captions_show() -> None:
    shipped = read_competence(SHIPPED / "embedded.json")
    found = shipped.of(["in the snow", "on a bike", "without a shirt", "in sepia", "with no people around"])
    assert found.said[0] > found.said[1] > found.said[2] > 4
    assert np.isnan(found.said[3:]).all()  # known by edits; and what nobody says


def test_phrases_are_looked_up_by_their_words_and_what_was_not_measured_is_unknown() -> None:
    found = table().of(["In the dark", "striped", "red"])
    assert [found.is_known(i) for i in range(3)] == [True, True, False]
    assert [found.is_enough(i) for i in range(3)] == [True, False, False]
    assert found.n_with.tolist() == [61, 32, 0]
    assert found.said[0] == 20.5
    assert np.isnan(found.said[1:]).all()
    assert found.keep(np.array([1, 0])).said[1] == 20.5
    assert np.isnan(found.auroc[2])


def test_only_a_table_of_this_very_encoder_is_used_and_otherwise_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tower = WordTower()
    assert find_competence(tower, tmp_path)[0] is None
    path = cached_table(tmp_path, tower.fingerprint)
    path.parent.mkdir()
    write_competence(table(), path)
    found, note = find_competence(tower, tmp_path)
    assert found is not None
    assert not note
    monkeypatch.setattr(tower, "fingerprint", "another", raising=False)
    write_competence(table(), cached_table(tmp_path, "another"))  # the file's own fingerprint counts, not its name
    other, said = find_competence(tower, tmp_path)
    assert other is None
    assert "Words in titles are only guesses: it was not measured how well words knows them" in said


@pytest.mark.parametrize("given", [None, "a visit's"])
def test_a_table_in_the_users_cache_counts_where_a_run_has_another_cache_or_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str | None
) -> None:
    monkeypatch.setenv("ERRATA_CACHE", str(tmp_path / "own"))
    tower, cache = WordTower(), None if given is None else tmp_path / given
    assert find_competence(tower, cache)[0] is None
    path = cached_table(tmp_path / "own", tower.fingerprint)
    path.parent.mkdir(parents=True)
    write_competence(table(), path)
    found, note = find_competence(tower, cache)
    assert found is not None
    assert not note


def test_the_shipped_table_of_another_edition_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_competence(replace(table("older"), encoder="embedded"), tmp_path / "embedded.json")
    monkeypatch.setattr(competence, "SHIPPED", tmp_path)
    tower = WordTower()
    monkeypatch.setattr(tower, "name", "embedded", raising=False)
    found, said = find_competence(tower)
    assert found is None
    assert "this version of embedded" in said


def test_the_words_of_a_run_carry_what_was_measured_or_the_note(tmp_path: Path) -> None:
    words = with_words().words
    assert words is not None
    tower = WordTower()
    pictures = tower.encode_texts([f"a photo of {words.phrases[0]}"] * len(words.joint.vectors))
    words = replace(words, joint=replace(words.joint, vectors=pictures))
    bare = with_competence(words, tower, tmp_path)
    assert bare.competence is bare.support is None
    assert "not measured" in bare.notes[-1]
    path = cached_table(tmp_path, tower.fingerprint)
    path.parent.mkdir()
    write_competence(table(), path)
    known = with_competence(words, tower, tmp_path)
    assert known.notes == words.notes
    assert known.competence is not None
    assert [known.competence.is_known(i) for i in range(len(words.phrases))].count(True) == 2
    assert known.competence.bar == BAR
    assert known.line == 3.1
    assert known.support is not None
    assert known.support.argmax() == 0  # what the images are of


@pytest.mark.parametrize("text", ["[]", '{"version": 3}', '{"version": 1, "encoder": "a"}', "no json"])
def test_what_is_no_table_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "t.json").write_text(text)
    with pytest.raises(InvalidInput):
        read_competence(tmp_path / "t.json")


def test_an_impossible_figure_is_refused(tmp_path: Path) -> None:
    write_competence(table(), tmp_path / "t.json")
    text = (tmp_path / "t.json").read_text().replace("0.93", "1.93")
    (tmp_path / "t.json").write_text(text)
    with pytest.raises(InvalidInput, match="AUROC"):
        read_competence(tmp_path / "t.json")


@pytest.mark.parametrize(
    "changed",
    [
        {"line": float("nan")},
        {"line": float("inf")},
        {"line": 10**400},
        {"phrases": {"noisy": [0.9, 0.8, 0.95, -5, 9, "edits"]}},
        {"phrases": {"noisy": [0.9, 0.8, 0.95, 10**30, 9, "edits"]}},
    ],
)
def test_a_line_or_a_count_that_cannot_be_is_refused(tmp_path: Path, changed: dict[str, Any]) -> None:
    write_competence(table(), tmp_path / "t.json")
    (tmp_path / "t.json").write_text(json.dumps(json.loads((tmp_path / "t.json").read_text()) | changed))
    with pytest.raises(InvalidInput):
        read_competence(tmp_path / "t.json")


def test_the_shipped_table_speaks_of_shipped_phrases() -> None:
    shipped = read_competence(competence.SHIPPED / "embedded.json")
    texts = {phrase.text for phrase in read_vocabulary().phrases}
    assert len(shipped.phrases) >= 150
    assert set(shipped.phrases) <= texts
    assert all(known.n_with >= competence.MIN_PICTURES for known in shipped.phrases.values())
