"""Classes are grouped by their vectors, into groups of enough rows, and nothing else is looked at."""

from __future__ import annotations

import numpy as np
import pytest

from core.discovery.superclasses import MAX_MERGED_SHARE, MIN_SUPERCLASS_SHARE, class_means, group_classes, name_vectors
from core.errors import InvalidInput
from core.records import F32, I64


def planted(n_groups: int, each: int, *, d: int = 64, noise: float = 0.5, seed: int = 0) -> tuple[F32, I64]:
    """(k, d) unit vectors round `n_groups` centers, in a shuffled order, and the (k,) center of each."""
    rng = np.random.default_rng(seed)
    truth = rng.permutation(np.repeat(np.arange(n_groups), each))
    vectors = (
        rng.normal(size=(n_groups, d))[truth] + noise * rng.normal(size=(len(truth), d)) + 3.0
    )  # a shared offset, as CLIP's texts have
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), truth


def names_of(k: int) -> list[str]:
    return [f"class {c}" for c in range(k)]


def test_planted_groups_of_classes_come_back() -> None:
    vectors, truth = planted(14, 14)
    found = group_classes(names_of(196), np.full(196, 50), texts=vectors)
    assert len(found) == 14
    for number in range(14):
        assert len(np.unique(truth[found.of_class == number])) == 1


@pytest.mark.parametrize("k", [61, 200, 1000])
@pytest.mark.parametrize("tail", [False, True], ids=["even", "long tail"])
def test_every_superclass_has_enough_rows_and_their_number_is_about_the_root(k: int, tail: bool) -> None:
    rng = np.random.default_rng(1)
    counts = np.maximum(1, (2000 / np.arange(1, k + 1)).astype(np.int64)) if tail else np.full(k, 50)
    vectors = rng.normal(size=(k, 32)).astype(np.float32)  # no structure: the worst case for balance
    found = group_classes(names_of(k), counts, texts=vectors)
    sizes = np.bincount(found.of_class, weights=counts)
    mean = counts.sum() / round(k**0.5)
    assert sizes.min() >= MIN_SUPERCLASS_SHARE * mean
    assert sizes.max() <= max(
        (MAX_MERGED_SHARE + MIN_SUPERCLASS_SHARE) * mean, counts.max() + MIN_SUPERCLASS_SHARE * mean
    )
    assert 0.3 * k**0.5 <= len(found) <= 2 * k**0.5
    assert len(set(found.names)) == len(found)


def test_a_superclass_is_named_by_its_most_central_members() -> None:
    vectors = np.array(
        [
            [1, 0, 0],
            [1, 0.02, 0],
            [1, -0.4, 0.1],
            [0, 0, 1],
            [0, 0.02, 1],
            [0, -1, 0],
            [0, -1, 0.03],
            [0, -1, 0.01],
            [0, -1, 0.02],
        ],
        np.float32,
    )
    names = ["beagle", "pug", "mop", "car", "bus", "fern", "oak", "elm", "moss"]
    found = group_classes(names, np.array([40, 40, 40, 60, 60, 30, 30, 30, 30]), texts=vectors)
    assert len(found) == 3
    assert found.names[int(found.of_class[3])] in ("car and bus", "bus and car")
    assert found.names[int(found.of_class[0])] in ("beagle, pug and 1 more", "pug, beagle and 1 more")
    assert found.names[int(found.of_class[5])].endswith(" and 2 more")


def test_classes_without_rows_are_in_no_superclass() -> None:
    vectors, _ = planted(8, 8)
    counts = np.full(64, 50)
    counts[[3, 17]] = 0
    found = group_classes(names_of(64), counts, texts=vectors)
    assert (found.of_class[[3, 17]] == -1).all()
    assert (np.delete(found.of_class, [3, 17]) >= 0).all()
    assert "Grouped 62 classes into" in found.note


def test_without_text_vectors_the_mean_embeddings_serve_and_it_is_said() -> None:
    vectors, truth = planted(8, 8)
    rng = np.random.default_rng(2)
    labels = np.repeat(np.arange(64), 30)
    rows = (vectors[labels] + 0.02 * rng.normal(size=(len(labels), 64))).astype(np.float32)
    found = group_classes(names_of(64), np.full(64, 30), means=class_means(rows, labels, 64))
    assert all(len(np.unique(truth[found.of_class == s])) == 1 for s in range(len(found)))
    assert "without text vectors of the names" in found.note
    with pytest.raises(InvalidInput, match="one vector per class: got 0 for 64 classes"):
        group_classes(names_of(64), np.full(64, 30))


def test_class_means_are_those_of_the_plain_loop() -> None:
    rng = np.random.default_rng(3)
    labels = rng.choice([0, 1, 3, 6], 80)
    vectors = rng.normal(size=(80, 5)).astype(np.float32)
    found = class_means(vectors, labels, 8)
    for c in range(8):
        expected = vectors[labels == c].mean(0) if (labels == c).any() else np.zeros(5)
        np.testing.assert_allclose(found[c], expected, atol=1e-6)


class _Words:
    """A text tower that numbers the letters."""

    fingerprint = "letters"

    def encode_texts(self, texts: list[str]) -> F32:
        return np.array([[text.count(letter) for letter in "abcdefghij"] for text in texts], np.float32)


def test_names_that_are_words_have_text_vectors_and_codes_have_none() -> None:
    found = name_vectors(_Words(), ["fire_hydrant", "dog", "cab"])  # type: ignore[arg-type]
    assert found is not None
    np.testing.assert_array_equal(
        found[2] - found[1], _Words().encode_texts(["cab"])[0] - _Words().encode_texts(["dog"])[0]
    )
    assert name_vectors(_Words(), ["0", "17", "n02084071", "狐狸犬"]) is None  # type: ignore[arg-type]
    assert name_vectors(_Words(), ["狐狸犬", "n02084071"]) is not None  # type: ignore[arg-type]
