"""When a clip looks like a text, frame by frame."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.data.images.archives import open_images
from core.embeddings.frame_curve import when_like
from core.encoders.clips import SEEN_FRAMES, ClipEncoder
from core.errors import InvalidInput
from core.systems.neuralizer.corrections.rewrite_clips import video_bytes
from research.weights.univl.drawn_clips import draw_clip

TEXTS = ["a red thing", "a blue thing"]


def test_backwards_a_clip_has_its_curve_backwards_and_their_mean_is_the_clips(tmp_path: Path) -> None:
    frames = draw_clip(np.random.default_rng(3), ["moves left", "grows"], alone=True).frames(SEEN_FRAMES, 96)
    (tmp_path / "a.mp4").write_bytes(video_bytes(frames, 4))
    (tmp_path / "b.mp4").write_bytes(video_bytes(frames[::-1], 4))
    (tmp_path / "c.mp4").write_bytes(b"none")
    store, encoder = open_images(tmp_path), ClipEncoder()
    ahead, back = (when_like(store, row, encoder, TEXTS) for row in (0, 1))
    assert ahead.cosines.shape == (2, SEEN_FRAMES)
    np.testing.assert_allclose(ahead.seconds, np.arange(SEEN_FRAMES) / 4, atol=0.02)
    np.testing.assert_allclose(ahead.cosines, back.cosines[:, ::-1], atol=0.05)
    assert ahead.best(0) == ahead.seconds[ahead.cosines[0].argmax()]
    from core.data.clips.decoding import decode_clip

    _, joint = encoder.encode_items(encoder.preprocess(decode_clip(store.read(0)))[None])
    whole = encoder.encode_texts(TEXTS) @ joint[0]
    _, each = encoder.encode_frames(encoder.preprocess(decode_clip(store.read(0)))[None])
    length = float(np.linalg.norm(each[0].mean(0)))
    np.testing.assert_allclose(ahead.cosines.mean(1) / length, whole, atol=1e-5)
    with pytest.raises(InvalidInput, match=r"c\.mp4 is not a clip"):
        when_like(store, 2, encoder, TEXTS)
