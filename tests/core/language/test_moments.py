"""When a clip looks like a text, beside ordinary things."""

from __future__ import annotations

import gc
from pathlib import Path
from weakref import ref

import numpy as np
import pytest

from core.data.clips.modality import ClipModality
from core.data.images.archives import open_images
from core.embeddings import frame_curve
from core.encoders import load_encoder
from core.language.moments import TextMoments, moments_of
from core.systems.neuralizer.corrections.rewrite_clips import video_bytes
from research.weights.univl.drawn_clips import draw_clip


def made(cosines: list[float], n_less: int = 100) -> TextMoments:
    curve = np.array(cosines)
    return TextMoments(
        "a red ball", np.arange(len(curve)) / 2, len(curve) / 2, curve, np.full(len(curve), 0.1), n_less, 100
    )


@pytest.mark.parametrize(
    ("cosines", "span"),
    [
        ([0.1, 0.5, 0.48, 0.1], (0.5, 1.0)),
        ([0.5, 0.1, 0.5], (0.0, 0.0)),
        ([0.1, 0.2], (0.5, 0.5)),
        ([0.2, 0.2], (0, 0.5)),
    ],
)
def test_a_clip_is_most_like_a_text_where_it_is_nearly_as_much(cosines: list[float], span: tuple[float, float]) -> None:
    assert made(cosines).span == span


def test_a_curve_that_moves_as_those_of_other_things_says_little() -> None:
    assert made([0.1, 0.3], 95).moves
    assert not made([0.1, 0.3], 94).moves


def test_what_a_run_keeps_of_a_clip_gives_its_curve_and_is_not_encoded_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(5)
    first, second = (draw_clip(rng, ["grows"], alone=True).frames(8, 96) for _ in range(2))
    (tmp_path / "a.mp4").write_bytes(video_bytes([*first[:4], *second[4:]], 4))
    (tmp_path / "b.webp").write_bytes(ClipModality().keep((tmp_path / "a.mp4").read_bytes(), 192))
    store, encoder = open_images(tmp_path), load_encoder("clips")
    clip, kept = (moments_of(store, row, "a dog", encoder) for row in (0, 1))  # type: ignore[arg-type]
    assert np.corrcoef(np.interp(clip.seconds, kept.seconds, kept.cosines), clip.cosines)[0, 1] > 0.7
    assert kept.length == pytest.approx(2.0, abs=0.3)
    assert kept.competence is not None  # of single images: the phrase table of the encoder of images
    monkeypatch.setattr(frame_curve, "decode_clip", None)  # once is enough
    again = moments_of(store, 1, "a cat", encoder)  # type: ignore[arg-type]
    assert again.n_things == kept.n_things > 50
    monkeypatch.undo()
    monkeypatch.setattr(frame_curve, "MAX_CACHED_CLIPS", 1)
    store = open_images(tmp_path)
    for row in (0, 1):
        moments_of(store, row, "a cat", encoder)  # type: ignore[arg-type]
    assert list(frame_curve._cached[store]) == [(1, encoder.fingerprint)]


def test_what_was_seen_of_a_clip_goes_with_its_run(tmp_path: Path) -> None:
    frames = draw_clip(np.random.default_rng(5), ["grows"], alone=True).frames(8, 96)
    (tmp_path / "a.mp4").write_bytes(video_bytes(frames, 4))
    store = open_images(tmp_path)
    frame_curve.frame_vectors(store, 0, load_encoder("clips"))  # type: ignore[arg-type]
    vectors = ref(frame_curve._cached[store][0, load_encoder("clips").fingerprint].joint)
    assert vectors() is not None
    del store
    gc.collect()
    assert vectors() is None
