"""What stands before an open_clip tower's last linear map, and the probe that learns that map anew."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.data.images.archives import open_images
from core.embeddings.embed import read_images
from core.encoders.open_clip.encoder import OpenClipEncoder
from core.records import SampleSet
from core.systems.probes import make_probe
from core.systems.probes.base import Task
from core.systems.probes.few_shot.prolip import ProLip
from core.systems.probes.run import run_probe
from tests.support.tiny_clip import TINY, write_model, write_native


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> OpenClipEncoder:
    return OpenClipEncoder(f"local-dir:{write_native(tmp_path_factory.mktemp('models') / 'native')}")


def drawn(folder: Path, n: int = 12) -> Path:
    folder.mkdir()
    for i in range(n):
        pixels = np.random.default_rng(i).integers(0, 256, (40, 60, 3), np.uint8)
        pixels[..., i % 2] //= 8
        data = io.BytesIO()
        Image.fromarray(pixels).save(data, "png")
        (folder / f"{i:02d}.png").write_bytes(data.getvalue())
    return folder


def test_the_map_leads_from_there_to_the_encoders_own_vectors(encoder: OpenClipEncoder) -> None:
    opened = encoder.before_projection()
    assert opened is not None
    batch = np.stack([encoder.preprocess(Image.new("RGB", (50, 40), colour)) for colour in ("red", "green", "navy")])
    rows, known = opened.encode_items(batch)[0] @ opened.projection, encoder.encode_items(batch)[0]
    np.testing.assert_allclose(rows / np.linalg.norm(rows, axis=1, keepdims=True), known, atol=1e-5)
    assert opened.encode_items(batch)[0].shape[1] == opened.projection.shape[0]
    assert opened.fingerprint != encoder.fingerprint


def test_prolip_fits_the_encoders_own_map_where_it_has_one_and_the_pictures_are_there(
    encoder: OpenClipEncoder, tmp_path: Path
) -> None:
    store = open_images(drawn(tmp_path / "images"))
    joint = read_images(store, encoder).joint
    ids = tuple(store.name(i) for i in range(len(store)))
    labels = np.arange(len(store), dtype=np.int64) % 2
    samples = SampleSet(ids, labels=labels, class_names=("cyan", "magenta"), items=store)
    held = run_probe("prolip", make_probe("prolip", {"shots": 3, "weight": 1e6}), Task(samples, joint, encoder))
    plain = run_probe("zero-shot", make_probe("zero-shot"), Task(samples, joint, encoder))
    assert held.details["map"] == "the encoder's own last"
    first, second = (result.outcomes.loss[np.argsort(result.rows)] for result in (held, plain))
    np.testing.assert_allclose(first, second, atol=1e-5)  # a map that is held fast leads to the same vectors
    without = SampleSet(ids, labels=labels, class_names=("cyan", "magenta"))
    stands_in = run_probe("prolip", ProLip(shots=3), Task(without, joint, encoder))
    assert stands_in.details["map"] == "an identity on its vectors"


def test_a_tower_that_ends_otherwise_is_not_opened(tmp_path: Path) -> None:
    pooled = {"image_size": 32, "layers": [1, 1, 1, 1], "width": 8, "head_width": 16}
    encoder = OpenClipEncoder(f"local-dir:{write_model(tmp_path / 'resnet', {**TINY, 'vision_cfg': pooled})}")
    assert encoder.before_projection() is None
