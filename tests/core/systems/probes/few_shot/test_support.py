"""Support sets out of a pool."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.errors import InvalidInput
from core.systems.probes.base import Images
from core.systems.probes.few_shot.support import drop_samples, merged, purity_of, retrieve, support_of, without

NAMES = ("cat", "dog")
TEXTS = np.eye(2, 6, dtype=np.float32)


def images(rows: list[list[float]], ids: tuple[str, ...] | None = None) -> Images:
    full = np.zeros((len(rows), 6), np.float32)
    for i, row in enumerate(rows):
        full[i, : len(row)] = row
    full /= np.maximum(np.linalg.norm(full, axis=1, keepdims=True), 1e-12)
    return Images(full, ids or tuple(f"p{i}" for i in range(len(rows))))


POOL = images([[1, 0, 0.5], [0, 1, 0.3], [1, 0.2, 0, 0.9], [0.3, 1, 0, 0, 0.8], [0, 0, 1]])


def queries() -> list[np.ndarray]:
    return [row[None] for row in TEXTS]


def test_each_class_gets_the_images_nearest_to_its_text_best_first() -> None:
    at, labels = retrieve(POOL, TEXTS, queries(), 2)
    assert at.tolist() == [0, 2, 1, 3]
    assert labels.tolist() == [0, 0, 1, 1]


def test_copies_count_once_by_id_and_by_vector() -> None:
    pool = images([[1, 0, 0.1], [1, 0, 0.1], [1, 0, 0.5], [0, 1]], ("a", "b", "a", "c"))
    at, _ = retrieve(pool, TEXTS[:1], queries()[:1], 4)
    assert at.tolist() == [0, 3]  # "b" is the same image as "a", and a second "a" the same id


def test_an_image_serves_one_class_alone_if_that_is_asked() -> None:
    shared, _ = retrieve(POOL, TEXTS, queries(), 4)
    alone, labels = retrieve(POOL, TEXTS, queries(), 4, one_class=True)
    assert len(set(shared.tolist())) < len(shared)
    assert len(set(alone.tolist())) == len(alone)
    np.testing.assert_array_equal((POOL.features[alone] @ TEXTS.T).argmax(1), labels)


def test_one_odd_sentence_does_not_choose_for_the_others() -> None:
    similarity = np.array([[0.9, 0.9, 0.1], [0.5, 0.5, 0.5], [0.1, 0.1, 0.95]])
    assert np.argsort(-merged(similarity)).tolist()[0] == 0
    np.testing.assert_array_equal(merged(similarity[:, :1]), similarity[:, 0])


def test_folders_decide_where_the_pool_has_labels_and_missing_classes_are_named() -> None:
    pool = replace(POOL, labels=np.array([1, 1, 1, -1, 1]))
    found = support_of(pool, TEXTS, queries(), NAMES, 3)
    assert found.images.labels.tolist() == [1, 1, 1]
    assert found.images.ids[0] == "p1"  # the one nearest to the text of "dog"
    assert "class folders" in found.source
    assert any("no image for 'cat'" in note for note in found.notes)
    assert np.isnan(found.purity[0])
    assert found.purity[1] == pytest.approx(1 / 3)


def test_purity_is_the_share_that_zero_shot_takes_for_the_class() -> None:
    found = purity_of(POOL.features[:4], np.array([0, 0, 1, 1]), TEXTS)
    np.testing.assert_allclose(found, [0.5, 0.5])


def test_rows_and_hidden_labels_travel_with_the_images() -> None:
    pool = replace(POOL, rows=np.arange(10, 15), hidden=np.array([0, 1, 0, 1, -1]))
    found = support_of(pool, TEXTS, queries(), NAMES, 1).images
    assert found.rows.tolist() == [10, 11]
    assert found.hidden.tolist() == [0, 1]


def test_an_empty_pool_and_one_without_a_match_say_what_to_do() -> None:
    with pytest.raises(InvalidInput, match="pool of images is empty"):
        support_of(POOL.keep(np.empty(0, np.int64)), TEXTS, queries(), NAMES, 3)
    with pytest.raises(InvalidInput, match="No class gets an image"):
        support_of(replace(POOL, labels=np.full(5, -1)), TEXTS, queries(), NAMES, 3)


def test_a_pool_of_other_things_is_said_to_be_one() -> None:
    pool = images([[0, 0.2, 0, 1], [0, 0.3, 0, 0, 1], [0.1, 0.2, 1]])
    assert any(
        "less than half" in note and "'cat'" in note for note in support_of(pool, TEXTS, queries(), NAMES, 3).notes
    )


def test_images_that_choose_settings_do_not_support_and_samples_leave_the_pool() -> None:
    pool = replace(POOL, rows=np.arange(5))
    assert without(pool, pool.keep(np.array([1, 3]))).ids == ("p0", "p2", "p4")
    assert without(POOL, pool) is POOL  # images of a pool of their own have no rows
    kept, said = drop_samples(POOL, POOL.features[[0, 4]])
    assert kept.ids == ("p1", "p2", "p3")
    assert said.startswith("Removed 2 of the pool's 5 images")
    assert drop_samples(POOL, np.eye(6, dtype=np.float32)[5:]) == (POOL, "")
