"""An encoder is measured by what it can tell apart, with n and an interval, where something shows the phrase."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from core.checks.competence import Shown, measure_competence, own_words, read_shown, shown_questions
from core.checks.picture_edits import EDITS
from core.data.captioned import CaptionedPhotographs
from core.language.competence import CompetenceTable
from core.language.vocabulary import Phrase, Vocabulary, read_vocabulary
from core.records import F32
from tests.support.diagnoses import MemoryImages

TEMPLATES = {"made": (("a photo of {noun} {phrase}", "a photo of {noun}"),)}
COLOURS = ("red", "green")
Measured = Callable[[Vocabulary, Shown], CompetenceTable]


class LightEncoder:
    """Sees how light an image is and how red, and reads those two words; of all else it hears noise."""

    name, modality, fingerprint, description = "light", "image", "light-1", "For tests."
    finding_space = joint_space = "light"
    logit_scale = 100.0

    def preprocess(self, image: Image.Image) -> F32:
        return np.asarray(image.convert("RGB").resize((16, 16)), np.float32).transpose(2, 0, 1) / np.float32(255)

    def encode_items(self, batch: F32) -> tuple[F32, F32]:
        light, red = batch.mean((1, 2, 3)), batch[:, 0].mean((1, 2)) - batch[:, 1].mean((1, 2))
        grain = np.random.default_rng(0).normal(0, 0.1, (len(batch), 1))
        rows = np.concatenate([light[:, None] - 0.5, red[:, None], grain, np.ones((len(batch), 1))], axis=1)
        rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
        return rows, rows

    def encode_texts(self, texts: Sequence[str]) -> F32:
        rows = [[-1.0 * ("in the dark" in t), 1.0 * ("red" in t), 1.0 * ("striped" in t), 2.0] for t in texts]
        found = np.array(rows, np.float32)
        return found / np.linalg.norm(found, axis=1, keepdims=True)

    def count_truncated(self, texts: Sequence[str]) -> int:
        return 0


def vocabulary(*texts: str) -> Vocabulary:
    return Vocabulary(tuple(Phrase(text, "made") for text in texts), TEMPLATES)


@pytest.fixture(scope="module")
def captioned() -> CaptionedPhotographs:
    """120 images, every third one red and said to be."""
    payloads: list[bytes] = []
    rng = np.random.default_rng(0)
    for row in range(120):
        pixels = rng.integers(90, 200, (12, 12, 3))
        pixels[..., 0 if row % 3 == 0 else 1] = 240
        out = io.BytesIO()
        Image.fromarray(pixels.astype(np.uint8)).resize((64, 64)).save(out, "PNG")
        payloads.append(out.getvalue())
    said = [(f"a {COLOURS[min(row % 3, 1)]} thing", f"something {COLOURS[min(row % 3, 1)]}") for row in range(120)]
    return CaptionedPhotographs(MemoryImages(tuple(f"{i}.png" for i in range(120)), tuple(payloads)), tuple(said))


def fewer_edits(patch: pytest.MonkeyPatch, each: int = 20) -> None:
    """So many images of five edits, in place of 45 of 27."""
    few = ("dark", "noisy", "upside down", "snow", "border")
    patch.setattr("core.checks.competence.EDITS", {name: EDITS[name] for name in few})
    patch.setattr("core.checks.competence.IMAGES_PER_EDIT", each)


@pytest.fixture(scope="module", autouse=True)
def few() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        fewer_edits(patch)
        yield


@pytest.fixture(scope="module")
def measured(captioned: CaptionedPhotographs, tmp_path_factory: pytest.TempPathFactory) -> Measured:
    """measured(vocabulary, shown) gives the table of `LightEncoder`; each image is read once."""
    cache = tmp_path_factory.mktemp("cache")
    return lambda vocabulary, shown: measure_competence(LightEncoder(), captioned, vocabulary, shown=shown, cache=cache)


def test_what_the_encoder_sees_is_known_and_what_it_does_not_is_not(measured: Measured) -> None:
    shown = Shown({"red": r"\bred\b", "striped": r"\bgreen\b"}, {"in the dark": ("dark",)})
    table = measured(vocabulary("red", "in the dark", "striped", "on a boat"), shown)
    red, dark, striped = (table.phrases[text] for text in ("red", "in the dark", "striped"))
    assert red.auroc.low > 0.8
    assert (red.n_with, red.ground) == (40, "captions")
    assert dark.auroc.low > 0.8
    assert (dark.n_with, dark.ground) == (20, "edits")
    assert striped.auroc.low < 0.6
    assert "on a boat" not in table.phrases  # its own words stand in no caption
    assert (table.encoder, table.fingerprint) == ("light", "light-1")
    assert red.n_without > 80  # edited images are among those without it


def test_of_two_measurements_the_weaker_counts(measured: Measured) -> None:
    """Captions that call the green images dark make "in the dark" wrong there, however well it does on edits."""
    both = Shown({"in the dark": r"\bgreen\b"}, {"in the dark": ("dark",)})
    found = measured(vocabulary("in the dark"), both).phrases["in the dark"]
    alone = measured(vocabulary("in the dark"), Shown({}, both.edits))
    assert found.ground == "captions"
    assert found.auroc.low < alone.phrases["in the dark"].auroc.low


def test_a_phrase_of_ones_own_is_looked_for_by_its_own_words(measured: Measured) -> None:
    found = measured(vocabulary("with a red thing"), Shown({}, {}))
    assert found.phrases["with a red thing"].n_with == 40
    assert own_words("of the") is None


def test_it_is_counted_of_how_many_photographs_two_captions_say_a_phrase(
    captioned: CaptionedPhotographs, measured: Measured, tmp_path: Path
) -> None:
    shown = Shown({"red": r"\bred\b", "striped": r"!\bred\b"}, {"in the dark": ("dark",)})
    words = vocabulary("red", "in the dark", "striped", "a green one")
    own = measured(words, shown).phrases
    assert own["red"].spoken == pytest.approx(1000 / 3)  # every third, in both of its captions
    assert np.isnan([own["in the dark"].spoken, own["striped"].spoken]).all()  # by edits; and what no caption may say
    spoken = [("a red one", "red"), ("a red one", "a green one"), ("green", "a tree"), ("green", "green")]
    found = measure_competence(LightEncoder(), captioned, words, shown=shown, spoken=spoken, cache=tmp_path).phrases
    assert (found["red"].spoken, found["red"].n_with) == (250.0, own["red"].n_with)


def test_the_shipped_account_speaks_of_shipped_phrases_and_known_edits() -> None:
    shown = read_shown()
    texts = {phrase.text for phrase in read_vocabulary().phrases}
    assert set(shown.captions) | set(shown.edits) <= texts
    assert {edit for edits in shown.edits.values() for edit in edits} <= set(EDITS)


def test_shown_questions_ask_for_what_captions_mention_among_all_and_among_those_of_a_thing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = list[Any]()
    monkeypatch.setattr("core.checks.competence.chance_of_questions", lambda *given: asked.append(given[2]))
    monkeypatch.setattr("core.checks.competence.MIN_PHOTOGRAPHS", 30)
    captions = [["a red car"] * 2 if row % 3 == 0 else ["a tree"] * 2 for row in range(120)]
    patterns = {"with a car": "car", "that is red": "red"}
    shown_questions(LightEncoder(), np.zeros((120, 3), np.float32), captions, Shown(patterns, {}))  # type: ignore[arg-type]
    red = np.arange(120) % 3 == 0
    expected = [
        ("with a car", None, 120),
        ("that is red", None, 120),
        ("a car", None, 120),
        ("a car that is red", "a car", 40),
    ]
    assert [(text, thing, int(among.sum())) for text, thing, among, _ in asked[0]] == expected
    for *_, shows in asked[0]:
        np.testing.assert_array_equal(shows, red)
