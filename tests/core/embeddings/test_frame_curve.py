"""When a clip looks like a text, frame by frame."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.data.images.archives import open_images
from core.embeddings.frame_curve import frame_vectors
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
    ahead, back = (frame_vectors(store, row, encoder) for row in (0, 1))
    cosines, backwards = (encoder.encode_texts(TEXTS) @ frames.joint.T for frames in (ahead, back))
    assert cosines.shape == (2, SEEN_FRAMES)
    np.testing.assert_allclose(ahead.seconds, np.arange(SEEN_FRAMES) / 4, atol=0.02)
    np.testing.assert_allclose(cosines, backwards[:, ::-1], atol=0.05)
    from core.data.clips.decoding import decode_clip

    _, joint = encoder.encode_items(encoder.preprocess(decode_clip(store.read(0)))[None])
    whole = encoder.encode_texts(TEXTS) @ joint[0]
    _, each = encoder.encode_frames(encoder.preprocess(decode_clip(store.read(0)))[None])
    length = float(np.linalg.norm(each[0].mean(0)))
    np.testing.assert_allclose(cosines.mean(1) / length, whole, atol=1e-5)
    with pytest.raises(InvalidInput, match=r"c\.mp4 is not a clip"):
        frame_vectors(store, 2, encoder)
