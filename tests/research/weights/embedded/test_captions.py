"""The part of the joint space that captioned photographs teach: its split, its training, its file, and what it is worth
on images that it never saw."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from core.encoders.arithmetic import unit_rows
from core.encoders.embedded.alignment import Alignment
from core.encoders.embedded.caption_part import FILE, load_part
from core.encoders.embedded.caption_torch import TorchHead
from core.errors import InvalidInput
from core.records import F32
from core.statistics.ranking import auroc
from research.weights.embedded.caption_heads import Pairs, Training, train
from research.weights.embedded.captioned import Reader, Seen, part_of, read_corpus
from research.weights.embedded.fit_captions import write_part
from research.weights.embedded.fragments import Fragments, pieces_of
from research.weights.embedded.measure_captions import draw_pictures, ranks, with_interval, word_areas

SMALL = Training(
    weight=4.0,
    width=16,
    hidden_image=32,
    hidden_text=32,
    epochs=30,
    batch=40,
    edited=8,
    learning_rate=5e-3,
    input_dropout=0.0,
    dropout=0.0,
    fragments=6,
    fragment_loss=0.2,
    name_loss=0.2,
    named=10,
)
SHORT = dataclasses.replace(SMALL, epochs=3)
N_CLASSES = 12


def planted(n: int = 120) -> Pairs:
    """Images and captions that one hidden cause makes, the edited ones too; pieces tell the signs of its parts."""
    rng = np.random.default_rng(0)
    cause = rng.normal(size=(n, 6))
    to_features, to_words = rng.normal(size=(6, 30)), rng.normal(size=(6, 20))
    features = (cause @ to_features).astype(np.float32)
    captions = unit_rows(np.repeat(cause, 5, 0) @ to_words + 0.3 * rng.normal(size=(5 * n, 20)))
    seen = Seen(features, rng.normal(size=(n, 4)).astype(np.float32))
    pieces = Fragments([f"part {i}" for i in range(6)], unit_rows(to_words), cause > 0)
    names = unit_rows(rng.normal(size=(N_CLASSES, 20)))[None]
    return Pairs([seen, seen], captions, seen, captions[::5], np.arange(n - 40), pieces, names)


def blank() -> Alignment:
    """A joint space that knows nothing of the cause."""
    rng = np.random.default_rng(1)

    def drawn(*shape: int) -> F32:
        return rng.normal(size=shape).astype(np.float32)

    scale = np.ones(1, np.float32)
    maps = drawn(3, 30), drawn(N_CLASSES, 20), np.zeros(20, np.float32), scale, drawn(3, 20)
    return Alignment(drawn(N_CLASSES, 30) / np.float32(5), drawn(N_CLASSES), np.zeros(30, np.float32), *maps)


def own_first(pairs: Pairs, settings: Training) -> tuple[float, F32]:
    """Share of the forty images apart from the fit whose own caption comes first, and their vectors."""
    space = dataclasses.replace(blank(), caption_weight=settings.weight)
    space = dataclasses.replace(space, captions=train(pairs, space, settings)[0])
    apart = np.arange(80, 120)
    images = space.images(pairs.views[0].features[apart], pairs.views[0].cues[apart])
    return float((ranks(images, space.texts(pairs.captions[400:]))[0] == 0).mean()), images


def test_a_picture_finds_its_caption_where_training_never_saw_either() -> None:
    pairs = planted()
    assert own_first(pairs, SMALL)[0] > 0.3  # chance: 0.025
    mismatched = dataclasses.replace(pairs, captions=np.roll(pairs.captions, 100, 0))
    assert own_first(mismatched, SMALL)[0] < 0.1


def test_the_same_training_gives_the_same_vectors() -> None:
    pairs = planted()
    np.testing.assert_array_equal(own_first(pairs, SHORT)[1], own_first(pairs, SHORT)[1])


def test_pieces_of_captions_teach_what_they_say() -> None:
    """With captions that belong to other images, only the pieces say what an image shows."""
    pairs = planted()
    pairs = dataclasses.replace(pairs, captions=np.roll(pairs.captions, 100, 0), edited_captions=pairs.captions[::5])
    shown, seen = pairs.fragments.shown[80:], Seen(pairs.views[0].features[80:], pairs.views[0].cues[80:])

    def areas(fragment_loss: float) -> float:
        part = train(pairs, blank(), dataclasses.replace(SMALL, fragment_loss=fragment_loss, edited=0, epochs=60))[0]
        scores = part.images(seen.features, seen.cues) @ part.texts(pairs.fragments.sentences).T
        return float(np.mean([auroc(s.astype(np.float64), own) for s, own in zip(scores.T, shown.T)]))

    assert areas(3.0) > 0.7
    assert areas(0.0) < 0.65


def test_names_keep_the_probabilities_of_the_classifier() -> None:
    """Of images apart from the fit: the more the names weigh, the nearer the classifier's choice."""
    pairs, space = planted(), blank()
    seen = pairs.views[0]
    chosen = (seen.features[80:] @ space.classifier.T + space.classifier_bias).argmax(1)

    def agreement(name_loss: float) -> float:
        settings = dataclasses.replace(SMALL, name_loss=name_loss)
        part = train(pairs, space, settings)[0]
        joined = dataclasses.replace(space, captions=part, caption_weight=settings.weight)
        scores = joined.images(seen.features[80:], seen.cues[80:]) @ joined.texts(pairs.names[0]).T
        return float((scores.argmax(1) == chosen).mean())

    assert agreement(2.0) > agreement(0.0) + 0.2


def test_pieces_are_runs_of_words_that_end_in_one_that_says_something() -> None:
    assert pieces_of("A dog on the Grass .") == {"a dog", "dog", "grass", "the grass", "on the grass"}


def test_pictures_apart_from_the_fit_change_nothing() -> None:
    pairs = planted()
    features = pairs.views[0].features.copy()
    features[80:] = 9
    other = Seen(features, pairs.views[0].cues)
    changed = dataclasses.replace(pairs, views=[other, other], edited=other)
    one, two = (train(p, blank(), SHORT)[0] for p in (pairs, changed))
    np.testing.assert_array_equal(one.image.direct, two.image.direct)
    np.testing.assert_array_equal(one.feature_mean, two.feature_mean)


def test_a_head_without_torch_gives_what_it_gave_in_torch() -> None:
    torch.manual_seed(0)
    head = TorchHead(30, 8, 16, 0.5, 0.5).eval()
    x = np.random.default_rng(0).normal(size=(9, 30)).astype(np.float32)
    with torch.inference_mode():
        expected = head(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(head.frozen()(x), expected, atol=1e-5)


def test_ranks_count_what_lies_before() -> None:
    images = np.eye(2, dtype=np.float32)
    texts = np.array(
        [[1, 0], [0.5, 0.4], [0, 0], [0, 0], [0, 0], [0.9, 0.1], [0, 0], [0, 0], [0, 0], [0, 0]], np.float32
    )
    to_text, to_image = ranks(images, texts)
    assert to_text.tolist() == [0, 1]
    assert to_image.tolist() == [0, 0, 0, 0, 0, 1, 0, 0, 0, 0]


def test_the_areas_of_words_are_those_of_the_pictures_that_a_draw_holds() -> None:
    rng = np.random.default_rng(0)
    scores = rng.integers(0, 9, (60, 2)).astype(np.float32)  # with ties
    found = {"dog": (np.arange(0, 20), np.arange(30, 60)), "red": (np.arange(40, 45), np.arange(0, 40))}
    times = draw_pictures(60)
    assert times.sum(1).tolist() == [60] * len(times)
    areas = word_areas(scores, found, times)
    for draw in (0, 1, 7):
        for column, (shown, never) in enumerate(found.values()):
            inside, outside = (np.repeat(scores[at, column], times[draw, at].astype(int)) for at in (shown, never))
            both = np.concatenate([inside, outside]).astype(np.float64)
            expected = auroc(both, np.arange(len(both)) < len(inside))
            assert areas[draw, column] == pytest.approx(expected, abs=1e-6, nan_ok=True)
    times[3, 40:45] = 0
    assert np.isnan(word_areas(scores, found, times)[3]).tolist() == [False, True]


def test_an_interval_spans_the_draws_and_not_the_value() -> None:
    draws = np.concatenate([[0.5], np.linspace(0, 1, 1001)])
    assert with_interval(draws, "+") == "+0.500 (+0.025 to +0.975)"


def test_a_tenth_is_for_settings_and_a_tenth_for_the_report() -> None:
    parts = [part_of(f"{i}.webp", "train") for i in range(4000)]
    assert {part: round(parts.count(part) / 4000, 1) for part in set(parts)} == {"fit": 0.8, "tune": 0.1, "held": 0.1}
    assert part_of("7.webp", "dev") == "dev"
    assert parts[:50] == [part_of(f"{i}.webp", "train") for i in range(50)]


def test_another_file_than_the_measured_one_is_refused(tmp_path: Path) -> None:
    part = load_part()
    digest = write_part(part, tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == FILE.read_bytes()
    (tmp_path / "again.safetensors").write_bytes(FILE.read_bytes()[:-1] + b"x")
    with pytest.raises(InvalidInput, match="not the file that was measured"):
        load_part(tmp_path / "again.safetensors", digest)


@pytest.mark.slow
def test_the_shipped_part_finds_captions_that_the_joint_space_without_it_does_not(shared_data: Path) -> None:
    """150 images of dev; measured on all 1,000: see docs/encoder.md."""
    if not (shared_data / "flickr8k").exists():
        pytest.skip("needs the captioned photographs")
    corpus, reader = read_corpus(shared_data / "flickr8k"), Reader(None)
    rows = corpus.rows("dev")[:150]
    seen = reader.pictures("some", len(rows), lambda i: corpus.open(int(rows[i])))
    said = reader.sentences("said", [caption for row in rows for caption in corpus.captions[row]])
    joined = reader.encoder.alignment
    without = dataclasses.replace(joined, captions=None)
    shares = [
        (ranks(space.images(seen.features, seen.cues), space.texts(said))[0] < 1).mean() for space in (without, joined)
    ]
    assert shares[1] > shares[0] + 0.15
    np.testing.assert_allclose(np.linalg.norm(joined.images(seen.features, seen.cues), axis=1), 1, atol=1e-5)
