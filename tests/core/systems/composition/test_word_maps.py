"""Which parts of an image speak for which word."""

from __future__ import annotations

import io
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from core.data.images.archives import open_images
from core.encoders import load_encoder
from core.encoders.arithmetic import unit_rows
from core.encoders.open_clip.encoder import OpenClipEncoder
from core.errors import InvalidInput
from core.records import F32
from core.systems.composition.draw_maps import as_seen
from core.systems.composition.word_maps import content_words, offers_patches, read_occlusion, read_patches, strongest
from tests.support.pictures import blobs, plain
from tests.support.tiny_clip import TINY, write_model

EXAMPLES = Path(__file__).parents[4] / "assets" / "examples" / "scenes"
COLOURS = {"red": (1, 0, 0), "green": (0, 1, 0), "blue": (0, 0, 1)}


class Amounts:
    """A stand-in for an encoder that sees the mean of each colour channel, and reads the colours that a text names."""

    name, fingerprint, description = "amounts", "amounts-1", "A stand-in."
    modality = "image"
    finding_space = joint_space = "amounts"
    logit_scale = 100.0

    def __init__(self) -> None:
        self.encoded = 0

    def preprocess(self, image: Image.Image) -> F32:
        return np.asarray(image.resize((30, 21), Image.Resampling.BOX), np.float32).transpose(2, 0, 1) / 127.5 - 1

    def encode_items(self, batch: F32) -> tuple[F32, F32]:
        self.encoded += len(batch)
        spread = (batch - batch.mean(1, keepdims=True)).clip(0).mean((2, 3))
        vectors = unit_rows(np.concatenate([spread, np.full((len(batch), 1), 0.1)], 1))
        return vectors, vectors

    def encode_texts(self, texts: Sequence[str]) -> F32:
        return unit_rows(
            np.array(
                [[*np.sum([COLOURS[w] for w in text.split() if w in COLOURS] or [(0, 0, 0)], 0), 0.2] for text in texts]
            )
        )

    def count_truncated(self, texts: Sequence[str]) -> int:
        return 0


def halves(left: Image.Image, right: Image.Image) -> Image.Image:
    """Two images side by side in a square."""
    side = 448
    out = Image.new("RGB", (side, side))
    out.paste(left.resize((side // 2, side)), (0, 0))
    out.paste(right.resize((side // 2, side)), (side // 2, 0))
    return out


@pytest.mark.parametrize(
    ("caption", "words"),
    [
        ("A small red cube is next to a fire hydrant.", ["small", "red", "cube", "fire hydrant"]),
        ("a dog chasing a cat", ["dog", "chasing", "cat"]),
        ("there is a man who rides two brown horses", ["man", "rides", "two", "brown", "horses"]),
        ("the cup to the left of the plate", ["cup", "plate"]),
        ("it is on the", []),
        ("", []),
    ],
)
def test_attributes_nouns_and_verbs_are_the_words_of_a_caption(caption: str, words: list[str]) -> None:
    found = content_words(caption)
    assert [word.text for word in found] == words
    assert all(caption[word.start : word.stop] == word.text for word in found)


def test_a_word_is_taken_out_with_its_article_and_the_rest_stays_as_it_was() -> None:
    without = {word.text: word.without for word in content_words("an old man, a dog and a red ball.")}
    assert without == {
        "old": "a man, a dog and a red ball.",
        "man": "an old, a dog and a red ball.",
        "dog": "an old man, and a red ball.",
        "red": "an old man, a dog and a ball.",
        "ball": "an old man, a dog and a red.",
    }
    assert [word.without for word in content_words("A dog.")] == ["something"]


def test_each_word_has_a_prompt_of_its_own() -> None:
    prompts = [word.prompt for word in content_words("two red apples beside an orange and grass")]
    assert prompts == [
        "a photo of two things.",
        "a photo of something red.",
        "a photo of apples.",
        "a photo of an orange.",
        "a photo of grass.",
    ]


def test_occlusion_gives_what_a_slow_loop_gives() -> None:
    encoder, image, caption = (
        Amounts(),
        halves(plain("red", (64, 64)), plain("blue", (64, 64))),
        "a red thing and a blue thing",
    )
    found = read_occlusion(image, caption, encoder, grid=3)
    pixels, grey = encoder.preprocess(image), encoder.preprocess(plain("#808080", (64, 64)))
    texts = encoder.encode_texts([caption, "a thing and a blue thing"])
    for r in range(3):
        for c in range(3):
            hidden = pixels.copy()
            for y in range(7 * r, 7 * r + 7):
                for x in range(10 * c, 10 * c + 10):
                    hidden[:, y, x] = grey[:, 0, 0]
            whole, part = encoder.encode_items(np.stack([pixels, hidden]))[1]
            assert found.maps[0, r, c] == pytest.approx((whole - part) @ (texts[0] - texts[1]), abs=1e-5)
            assert found.whole[r, c] == pytest.approx((whole - part) @ texts[0], abs=1e-5)
    assert found.scores[0] == pytest.approx(encoder.encode_items(pixels[None])[1][0] @ (texts[0] - texts[1]), abs=1e-5)
    assert found.words[0].text == "red"


def test_the_half_that_a_colour_names_speaks_for_it_and_the_other_against() -> None:
    found = read_occlusion(
        halves(plain("red", (64, 64)), plain("blue", (64, 64))), "a red thing and a blue thing", Amounts(), grid=2
    )
    maps = {word.text: values for word, values in zip(found.words, found.maps)}
    assert (maps["red"][:, 0] > 0).all()
    assert (maps["red"][:, 1] < 0).all()
    assert (maps["blue"][:, 1] > 0).all()
    assert (maps["blue"][:, 0] < 0).all()
    assert strongest(found) == np.abs(found.maps).max()


@pytest.mark.parametrize("grid", [2, 7, 16])
def test_a_grid_takes_its_cells_and_one_encoding_more(grid: int) -> None:
    encoder = Amounts()
    found = read_occlusion(blobs(0), "a red thing", encoder, grid=grid)
    assert found.maps.shape == (len(found.words), grid, grid)
    assert found.whole.shape == (grid, grid)
    assert encoder.encoded == grid * grid + 1
    assert found.method == "occlusion"


def test_what_cannot_be_mapped_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"2 to 16 cells a side: got 17"):
        read_occlusion(blobs(0), "a dog", Amounts(), grid=17)
    with pytest.raises(InvalidInput, match="has no noun, attribute or verb"):
        read_occlusion(blobs(0), "it is on the", Amounts())


@pytest.fixture(scope="module")
def things() -> dict[str, Image.Image]:
    """Two photographs that come with scikit-learn, and two of the images that ship."""
    samples = pytest.importorskip("sklearn.datasets").load_sample_images().images
    palace, flower = (Image.fromarray(image).crop((106, 0, 533, 427)) for image in samples)
    store = open_images(EXAMPLES / "images.zip")
    rows = {store.name(row): row for row in range(len(store))}
    lorry, lemon = (
        Image.open(io.BytesIO(store.read(rows[name]))).convert("RGB") for name in ("0844.webp", "0908.webp")
    )
    return {"palace": palace, "flower": flower, "pickup truck": lorry, "lemon": lemon}


class Once:
    """An encoder that encodes each batch of images once, whatever the captions."""

    def __init__(self, encoder: Any) -> None:
        self.encoder, self.seen = encoder, dict[bytes, Any]()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.encoder, name)

    def encode_items(self, batch: Any) -> Any:
        key = sha256(batch.tobytes()).digest()
        if key not in self.seen:
            self.seen[key] = self.encoder.encode_items(batch)
        return self.seen[key]


def lean(first: str, second: str, pictures: tuple[Image.Image, Image.Image], encoder: Any) -> list[float]:
    """How much more each word hangs on its own image than on the other's, over both ways to place them."""
    caption = f"a {first} and a {second}"
    one, other = (read_occlusion(halves(*order), caption, encoder).maps for order in (pictures, pictures[::-1]))
    towards_left = [
        float((a[:, :3].sum() - a[:, 4:].sum()) - (b[:, :3].sum() - b[:, 4:].sum())) for a, b in zip(one, other)
    ]
    return [towards_left[0], -towards_left[1]]


@pytest.mark.slow
def test_the_embedded_encoder_loses_a_word_with_the_thing_that_it_names_and_shuffled_words_do_not(
    things: dict[str, Image.Image],
) -> None:
    pairs, encoder = (
        [("flower", "palace"), ("palace", "pickup truck"), ("lemon", "flower")],
        Once(load_encoder("embedded")),
    )
    true = [value for a, b in pairs for value in lean(a, b, (things[a], things[b]), encoder)]
    assert sum(value > 0 for value in true) >= 5
    shuffled = [value for a, b in pairs for value in lean(b, a, (things[a], things[b]), encoder)]
    absent = [value for a, b in pairs for value in lean("keyboard", "zebra", (things[a], things[b]), encoder)]
    assert np.mean(true) > 0.1 > abs(np.mean(absent))
    assert np.mean(shuffled) < 0


TWO_LAYERS = {**TINY, "vision_cfg": {**TINY["vision_cfg"], "layers": 2}, "text_cfg": {**TINY["text_cfg"], "layers": 2}}


def test_a_clip_has_a_map_of_its_patches_and_the_embedded_encoder_only_occlusion(tmp_path: Path) -> None:
    encoder = OpenClipEncoder(f"local-dir:{write_model(tmp_path / 'clip', TWO_LAYERS)}")
    tower = encoder.token_tower()
    assert offers_patches(tower)
    assert not offers_patches(object())
    found = read_patches(blobs(0), "a red dog and a cat", encoder, tower)
    assert found.method == "patches"
    assert [word.text for word in found.words] == ["red", "dog", "cat"]
    assert found.maps.shape == (3, *tower.grid)
    texts = encoder.encode_texts(["a photo of something.", "a photo of something red."])
    slow = tower.patch_vectors(encoder.preprocess(blobs(0))[None])[0] @ (texts[1] - texts[0])
    np.testing.assert_allclose(found.maps[0].ravel(), slow, atol=1e-6)
    assert read_occlusion(blobs(0), "a red dog and a cat", encoder).maps.shape == (3, 7, 7)


def test_the_picture_is_shown_as_the_encoder_crops_it_in_its_own_colours(tmp_path: Path) -> None:
    # 32 x 32, squashed, mean and spread 0.5
    encoder = OpenClipEncoder(f"local-dir:{write_model(tmp_path / 'clip', TWO_LAYERS)}")
    seen = as_seen(Image.fromarray(np.full((40, 60, 3), (200, 100, 50), np.uint8)), encoder)
    assert seen.size == (32, 32)
    np.testing.assert_allclose(np.asarray(seen), np.broadcast_to((200, 100, 50), (32, 32, 3)), atol=1)
    wide = Image.new("RGB", (60, 20), "blue")
    wide.paste("red", (15, 0, 45, 20))
    np.testing.assert_array_equal(
        np.unique(np.asarray(as_seen(wide, load_encoder("embedded"))).reshape(-1, 3), axis=0), [[255, 0, 0]]
    )
