"""A text is held against ordinary things, image by image."""

from __future__ import annotations

import numpy as np
import pytest

from core.encoders.arithmetic import unit
from core.language.likeness import THINGS, TOP, likeness, question_prompts, support, support_of, things_of
from tests.support.word_tower import WordTower


def test_a_text_that_a_picture_shows_lies_above_ordinary_things_and_another_does_not() -> None:
    tower = WordTower()
    things = things_of(tower)
    assert things.shape[0] == len(THINGS)
    texts = tower.encode_texts(["a giraffe", "a volcano"])
    rng = np.random.default_rng(0)
    giraffes = unit((texts[0] + rng.normal(0, 0.1, (30, things.shape[1]))).astype(np.float32))
    found = likeness(giraffes, texts, things)
    assert found.shape == (30, 2)
    assert support(found[:, 0]) > 4 > 3 > support(found[:, 1])


def test_no_scale_of_the_encoder_changes_it() -> None:
    rng = np.random.default_rng(1)
    joint, texts, things = (rng.normal(size=(n, 16)).astype(np.float32) for n in (20, 3, 40))
    np.testing.assert_allclose(likeness(5 * joint, texts, things), likeness(joint, texts, things), rtol=1e-4)


def test_support_is_of_the_most_alike_few() -> None:
    scores = np.zeros(100)
    scores[:TOP] = 7
    assert support(scores) == 7
    assert support(np.array([1.0, 2.0])) == 1.5


def test_support_in_blocks_is_support_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    tower, phrases = WordTower(), ["a giraffe", "on a volcano"]
    joint = tower.encode_texts([f"picture {i}" for i in range(23)])
    texts = unit(np.stack([tower.encode_texts(question_prompts(p)).mean(0) for p in phrases]).astype(np.float32))
    whole = likeness(joint, texts, things_of(tower))
    monkeypatch.setattr("core.language.likeness._BATCH_ROWS", 4)
    np.testing.assert_allclose(support_of(joint, phrases, tower), [support(column) for column in whole.T], rtol=1e-5)


def test_the_things_of_an_encoder_are_read_once() -> None:
    tower = WordTower()
    tower.fingerprint = "likeness" * 2  # type: ignore[misc]
    things_of(tower)
    n = len(tower.encoded)
    things_of(tower)
    assert len(tower.encoded) == n
