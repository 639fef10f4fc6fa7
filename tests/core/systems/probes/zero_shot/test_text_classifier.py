from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from core.encoders import Encoder
from core.errors import Cancelled, InvalidInput
from core.records import F32, F64
from core.systems.probes.zero_shot import text_classifier as module
from core.systems.probes.zero_shot.text_classifier import mean_vectors, text_classifier
from tests.support.prompts import PETS, SENTENCES
from tests.support.word_tower import WordTower


def tower(limit: int = 20) -> Encoder:
    made: object = WordTower(limit)
    return made  # pyright: ignore[reportReturnType]


def plain_mean(texts: Sequence[str], encoder: Encoder) -> F64:
    """The mean of unit vectors by the formula, one text at a time."""
    return np.mean([encoder.encode_texts([text])[0].astype(np.float64) for text in texts], axis=0)


def unit(row: F64) -> F64:
    return row / np.linalg.norm(row)


def test_braces_quotes_and_emoji_in_names_stand_in_the_sentence_as_they_are():
    found = text_classifier(tower(), ["{}", "a_{0}", '"x" 🐱', "{class}"], templates="7")
    assert [own[0] for own in found.prompts] == [
        "itap of a {}.",
        "itap of a a {0}.",
        'itap of a "x" 🐱.',
        "itap of a {class}.",
    ]


def test_a_class_vector_is_the_unit_mean_of_its_unit_texts():
    encoder = tower()
    found = text_classifier(encoder, ["cat", "dog"], templates="80", synonyms="cat: kitten")
    assert [len(own) for own in found.prompts] == [160, 80]
    for row, own in zip(found.vectors, found.prompts, strict=True):
        np.testing.assert_allclose(row, unit(plain_mean(own, encoder)), atol=1e-6)


def test_pooled_texts_count_the_same_each_and_a_weight_balances_the_two_means():
    encoder = tower()
    pooled = text_classifier(encoder, ["cat", "dog"], templates="7", descriptions=PETS)
    np.testing.assert_allclose(pooled.vectors[0], unit(plain_mean(pooled.prompts[0], encoder)), atol=1e-6)
    assert len(pooled.prompts[0]) == 10
    half = text_classifier(encoder, ["cat", "dog"], templates="7", descriptions=PETS, description_weight=0.25)
    first, second = pooled.prompts[0][:7], pooled.prompts[0][7:]
    np.testing.assert_allclose(
        half.vectors[0],
        unit(0.75 * unit(plain_mean(first, encoder)) + 0.25 * unit(plain_mean(second, encoder))),
        atol=1e-6,
    )
    alone = text_classifier(encoder, ["cat", "dog"], templates="7", descriptions=PETS, description_weight=1.0)
    assert (alone.prompts[0], len(alone.prompts[1])) == (second, 7)
    np.testing.assert_allclose(alone.vectors[0], unit(plain_mean(second, encoder)), atol=1e-6)
    for found in (half, alone):  # a class without descriptions is its templates
        np.testing.assert_allclose(found.vectors[1], unit(plain_mean(pooled.prompts[1], encoder)), atol=1e-6)


def test_mean_of_cosines_is_what_a_loop_over_texts_gives():
    encoder, image = tower(), np.random.default_rng(0).normal(size=64)
    found = text_classifier(
        encoder, ["cat", "dog"], descriptions=SENTENCES, description_weight=1.0, scoring="mean of cosines"
    )
    for row, own in zip(found.vectors, found.prompts, strict=True):
        assert image @ row == pytest.approx(
            np.mean([image @ encoder.encode_texts([text])[0] for text in own]), abs=1e-5
        )


def test_texts_that_lose_their_end_are_counted_in_a_note():
    found = text_classifier(tower(limit=4), ["cat", "polar bear"])
    assert found.truncated == 2
    assert found.notes == ("The text tower truncated 2 of 2 prompts.",)


def test_own_templates_that_go_unused_are_said():
    assert "Use 'own' for them" in text_classifier(tower(), ["cat"], own_templates="a {}.").notes[0]


@pytest.mark.parametrize("n", [1, 4, 5, 6, 11])  # a batch holds 5
def test_batches_change_nothing_and_progress_reaches_its_end(n: int, monkeypatch: pytest.MonkeyPatch):
    names, seen = [f"thing {i}" for i in range(n)], [(0, 0)]
    whole = text_classifier(tower(), names)
    monkeypatch.setattr(module, "BATCH_TEXTS", 5)

    def report(step: str, done: int, total: int) -> None:
        seen.append((done, total))

    np.testing.assert_array_equal(text_classifier(tower(), names, progress=report).vectors, whole.vectors)
    assert seen[-1] == (n, n)
    assert len(seen) == 1 + -(-n // 5)


def test_thousands_of_classes_can_be_cancelled_between_batches():
    made = WordTower()
    encoder: object = made

    def stop(step: str, done: int, total: int) -> None:
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        text_classifier(encoder, [f"thing {i}" for i in range(5000)], progress=stop)  # pyright: ignore[reportArgumentType]
    assert len(made.encoded) == module.BATCH_TEXTS


def test_sums_are_kept_between_runs_and_a_damaged_file_is_computed_again(tmp_path: Path):
    first = mean_vectors(tower(), [("a cat", "the cat"), ("a dog",)], tmp_path)
    made = WordTower()
    encoder: object = made
    again: F32 = mean_vectors(encoder, [("a cat", "the cat"), ("a dog",)], tmp_path)  # pyright: ignore[reportArgumentType]
    assert made.encoded == []
    np.testing.assert_array_equal(first, again)
    for file in (tmp_path / "texts").iterdir():
        file.write_bytes(b"PK\x03\x04 damaged")
    np.testing.assert_array_equal(first, mean_vectors(tower(), [("a cat", "the cat"), ("a dog",)], tmp_path))
    other_classes = mean_vectors(tower(), [("a cat",), ("the cat", "a dog")], tmp_path)  # of the same texts
    assert not np.array_equal(first, other_classes)


def test_a_class_without_a_name_is_refused():
    with pytest.raises(InvalidInput, match="empty name"):
        text_classifier(tower(), ["cat", " _ "])
