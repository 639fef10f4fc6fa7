"""The embedded encoder against references, and the table of encoders."""

from __future__ import annotations

import csv
import subprocess
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageFilter

from core.encoders import ENCODERS, Encoder, list_encoders, load_encoder
from core.encoders.embedded.caption_part import WEIGHT
from core.encoders.embedded.checkpoint import read_state_dict
from core.encoders.embedded.encoder import EmbeddedEncoder
from core.encoders.embedded.lite0 import convolutions
from core.encoders.embedded.lite0_runtime import torch_mapper
from core.encoders.embedded.pixel_cues import CUES, measure_cues
from core.encoders.embedded.weights import efficientnet_weights
from core.errors import InvalidInput
from core.records import F32
from tests.support.pictures import blobs

timm: Any = import_module("timm")


@pytest.fixture(scope="module")
def encoder() -> EmbeddedEncoder:
    return EmbeddedEncoder()


@pytest.fixture(scope="module")
def reference() -> Any:
    """timm's own network, batch norm unfolded, with the package's weights loaded by torch."""
    model = timm.create_model("tf_efficientnet_lite0", pretrained=False, num_classes=0).eval()
    weights = torch.load(efficientnet_weights(), map_location="cpu", weights_only=True)
    own = [value.reshape(shape.shape) for value, shape in zip(weights.values(), model.state_dict().values())]
    model.load_state_dict(dict(zip(model.state_dict(), own)))
    return model


def batch_of(encoder: EmbeddedEncoder, n: int) -> F32:
    return np.array([encoder.preprocess(blobs(seed)) for seed in range(n)], np.float32).reshape(n, 3, 224, 224)


def cosines(a: F32, b: F32) -> F32:
    return (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


def test_features_are_those_of_the_reference_network(encoder: EmbeddedEncoder, reference: Any) -> None:
    batch = batch_of(encoder, 5)
    with torch.inference_mode():
        expected = reference(torch.from_numpy(batch)).numpy()
    assert cosines(encoder.features(batch), expected).min() > 0.99999


@pytest.mark.slow
def test_features_of_real_photographs_are_those_of_the_reference_network(
    encoder: EmbeddedEncoder, reference: Any, shared_data: Path
) -> None:
    files = [row["file"] for row in csv.DictReader((shared_data / "clothing" / "index.csv").open())][::40]
    batch = np.stack([encoder.preprocess(Image.open(shared_data / "clothing" / file)) for file in files])
    with torch.inference_mode():
        expected = reference(torch.from_numpy(batch)).numpy()
    assert cosines(encoder.features(batch), expected).min() >= 0.999


def test_both_runtimes_agree(encoder: EmbeddedEncoder) -> None:
    batch = batch_of(encoder, 3)
    slow = torch_mapper(convolutions(read_state_dict(efficientnet_weights())), ())(batch)[0]
    np.testing.assert_allclose(encoder.features(batch), slow, atol=1e-4)


@pytest.mark.parametrize("n", [0, 1, 5])
def test_vectors_are_unit_rows_and_bitwise_free_of_batch_and_order(encoder: EmbeddedEncoder, n: int) -> None:
    batch = batch_of(encoder, n)
    finding, joint = encoder.encode_items(batch)
    assert finding.shape == (n, 1280)
    assert joint.shape == (n, 1063)
    assert finding.dtype == joint.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(finding, axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(encoder.encode_items(batch[::-1])[0], finding[::-1])
    for i in range(n):
        alone, alone_joint = encoder.encode_items(batch[i : i + 1])
        np.testing.assert_array_equal(alone[0], finding[i])
        np.testing.assert_array_equal(alone_joint[0], joint[i])


def test_texts_find_their_own_pictures(encoder: EmbeddedEncoder, shared_data: Path) -> None:
    """Chance is 1 in 50; the measured share over all 1,000 names is 65%."""
    rows = list(csv.DictReader((shared_data / "imagenet_sample" / "index.csv").open()))[::20]
    batch = np.stack(
        [encoder.preprocess(Image.open(shared_data / "imagenet_sample" / row["file"]).convert("RGB")) for row in rows]
    )
    scores = (
        encoder.encode_items(batch)[1]
        @ encoder.encode_texts([f"a photo of a {row['clip_class_name']}." for row in rows]).T
    )
    assert (scores.argmax(1) == np.arange(len(rows))).mean() > 0.75


def test_texts_are_unit_rows_in_their_own_order_and_truncation_is_counted(encoder: EmbeddedEncoder) -> None:
    texts = ["a dog", "a long sentence about a cat that sits on a red mat in the sun", "a dog"]
    vectors = encoder.encode_texts(texts)
    assert vectors.shape == (3, 1063)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(vectors[0], encoder.encode_texts(["a dog"])[0], atol=1e-5)
    assert encoder.encode_texts([]).shape == (0, 1063)
    assert encoder.count_truncated(["a dog", "word " * 300]) == 1


def test_preprocessing_takes_the_centre_square_to_minus_one_and_one(encoder: EmbeddedEncoder) -> None:
    wide = Image.new("RGB", (300, 100), "black")
    wide.paste("white", (100, 0, 200, 100))
    pixels = encoder.preprocess(wide)
    assert pixels.shape == (3, 224, 224)
    np.testing.assert_array_equal(pixels[:, :, 1:-1], 1)  # the outermost columns blend with the black beside the square


def test_encoding_images_needs_no_torch() -> None:
    code = (
        "import sys, numpy as np; from core.encoders import load_encoder; e = load_encoder();"
        "e.encode_items(np.zeros((1, 3, 224, 224), np.float32)); print('torch' in sys.modules)"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
        == "False"
    )


def test_an_encoder_is_loaded_once_and_every_kind_is_listed() -> None:
    first = load_encoder("embedded")
    assert load_encoder() is first
    assert isinstance(first, Encoder)
    assert [name.split(":")[0] for name, *_ in list_encoders()] == [
        *("embedded", "minilm", "sentences", "clips", "open_clip", "open_clip", "neuralizer")
    ]
    assert all(available for _, _, available, _ in list_encoders())
    assert set(ENCODERS.every()) == {"embedded", "minilm", "sentences", "open_clip", "clips", "neuralizer"}


def test_the_table_is_listed_without_loading_anything_heavy() -> None:
    code = (
        "import sys; from core.encoders import list_encoders; list_encoders(); "
        "print({'torch', 'open_clip', 'PIL'} & set(sys.modules))"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
        == "set()"
    )


def test_a_checkpoint_that_holds_code_or_is_cut_short_is_refused(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path(tmp_path / "ran").write_text, ("x",))

    torch.save({"a": Evil()}, tmp_path / "evil.pth", _use_new_zipfile_serialization=False)
    with pytest.raises(InvalidInput, match="only plain tensors"):
        read_state_dict(tmp_path / "evil.pth")
    assert not (tmp_path / "ran").exists()
    (tmp_path / "short.pth").write_bytes(efficientnet_weights().read_bytes()[:100_000])
    with pytest.raises(InvalidInput, match="not a readable checkpoint"):
        read_state_dict(tmp_path / "short.pth")


def test_loading_the_embedded_encoder_takes_well_under_two_seconds() -> None:
    began = time.process_time()
    EmbeddedEncoder()
    assert time.process_time() - began < 2


def mean_gap(encoder: EmbeddedEncoder, phrase: str, shown: F32, others: F32) -> float:
    """How much better the phrase fits `shown` than `others`, in standard deviations of all scores."""
    texts = encoder.encode_texts([f"a {phrase} photo of a toy", "a photo of a toy"])
    scores = np.concatenate([shown, others]) @ (texts[0] - texts[1])
    return float((scores[: len(shown)].mean() - scores[len(shown) :].mean()) / scores.std())


def joint_of(encoder: EmbeddedEncoder, images: list[Image.Image]) -> F32:
    return encoder.encode_items(np.stack([encoder.preprocess(image) for image in images]))[1]


def edited(edit: Callable[[Image.Image], Image.Image]) -> list[Image.Image]:
    """Of images with sharp edges."""
    sharp = [blobs(seed).resize((256, 256)).point(lambda v: 40 + 60 * (v > 90) + 90 * (v > 170)) for seed in range(12)]  # type: ignore[operator]
    return [edit(image) for image in sharp]


def with_noise(image: Image.Image) -> Image.Image:
    grain = np.random.default_rng(0).normal(0, 35, (*image.size[::-1], 3))
    return Image.fromarray(np.clip(np.asarray(image.convert("RGB"), np.float32) + grain, 0, 255).astype(np.uint8))


WORDS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "dark": lambda image: image.point(lambda v: v * 0.3),
    "bright": lambda image: image.point(lambda v: 255 * (v / 255) ** 0.4),  # type: ignore[operator]
    "black-and-white": lambda image: image.convert("L").convert("RGB"),
    "blurry": lambda image: image.filter(ImageFilter.GaussianBlur(image.width / 60)),
    "grainy": with_noise,
    "red-tinted": lambda image: Image.blend(image.convert("RGB"), Image.new("RGB", image.size, "#e02020"), 0.5),
    "blue-tinted": lambda image: Image.blend(image.convert("RGB"), Image.new("RGB", image.size, "#2040e0"), 0.5),
    "foggy": lambda image: Image.blend(image.convert("RGB"), Image.new("RGB", image.size, "#d0d4d8"), 0.6),
}


@pytest.fixture(scope="module")
def originals(encoder: EmbeddedEncoder) -> F32:
    return joint_of(encoder, edited(lambda image: image))


@pytest.mark.parametrize("word", WORDS)
def test_a_word_for_a_condition_fits_the_edited_pictures_better(
    encoder: EmbeddedEncoder, originals: F32, word: str
) -> None:
    assert mean_gap(encoder, word, joint_of(encoder, edited(WORDS[word])), originals) > 1
    assert abs(mean_gap(encoder, word, originals, originals.copy())) < 1e-6


def test_pictures_of_the_same_edit_have_the_same_vectors(encoder: EmbeddedEncoder, originals: F32) -> None:
    np.testing.assert_array_equal(joint_of(encoder, edited(lambda image: image)), originals)


def test_names_of_objects_hold_no_condition(encoder: EmbeddedEncoder) -> None:
    """Behind the 652 dimensions of objects stand the 26 conditions, then one that is the images' own."""
    block = encoder.encode_texts(
        [f"a photo of a {name}" for name in ("dog", "violin", "teapot", "lizard", "bicycle", "zebra")]
    )[:, 652:679]
    assert np.abs(block[:, :-1]).max() < 0.15
    assert (block[:, -1] == 0).all()


def test_every_image_has_the_same_share_of_object(encoder: EmbeddedEncoder) -> None:
    pictures = np.stack([encoder.preprocess(edit(blobs(0))) for edit in WORDS.values()])
    objects = np.linalg.norm(encoder.encode_items(pictures)[1][:, :652], axis=1)
    np.testing.assert_allclose(objects, 0.75 / (1 + WEIGHT) ** 0.5, atol=1e-3)


def test_cues_have_known_answers_under_their_names() -> None:
    upper_white, left_red = np.full((2, 3, 224, 224), -1, np.float32)
    upper_white[:, :112] = 1
    left_red[0, :, :112] = 1
    one, other = (dict(zip(CUES, row)) for row in measure_cues(np.stack([upper_white, left_red])))
    expected = {"luma mean": 0.5, "top minus bottom luma": 1, "left minus right luma": 0, "bright share": 0.5}
    expected |= {"dark share": 0.5, "chroma mean": 0, "red share": 0, "grid red 00": 1, "grid blue 33": 0}
    assert {name: one[name] for name in expected} == pytest.approx(expected, abs=1e-5)
    expected = {"luma mean": 0.299 / 2, "left minus right luma": 1 / 3, "top minus bottom luma": 0, "chroma mean": 0.5}
    expected |= {"red share": 0.5 / 1.05, "blue share": 0, "grid red 00": 1, "grid red 03": 0, "grid green 00": 0}
    assert {name: other[name] for name in expected} == pytest.approx(expected, abs=1e-5)
    assert one["upright streaks"] < -0.5 < 0.5 < other["upright streaks"]


def test_cues_are_measured_alone(encoder: EmbeddedEncoder) -> None:
    batch = batch_of(encoder, 20)
    cues = measure_cues(batch)
    assert cues.shape == (20, len(CUES))
    assert np.isfinite(cues).all()
    np.testing.assert_array_equal(measure_cues(batch[3:4])[0], cues[3])
    assert np.isfinite(measure_cues(np.stack([np.full((3, 224, 224), v, np.float32) for v in (-1, 0, 1)]))).all()
