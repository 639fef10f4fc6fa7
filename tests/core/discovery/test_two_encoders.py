"""One encoder finds, another names: the user's own vectors beside CLIP, and two encoders over the same images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.checks.questions import ask
from core.diagnose import diagnose
from core.discovery.settings import Settings
from core.encoders import load_encoder
from core.errors import InvalidInput
from core.language.phrases import make_words
from core.language.vocabulary import Phrase, Vocabulary
from core.store import load, save
from tests.support.pictures import blobs, encoded
from tests.support.tiny_clip import write_native

N = 48
QUICK = Settings(map=False, sensitivity=False, n_members=2, n_permutations=100, alpha=0.2)
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    for i in range(N):
        (folder / f"{i:03d}.png").write_bytes(encoded(blobs(i)))
    return folder


@pytest.fixture
def table() -> pd.DataFrame:
    return pd.DataFrame(
        {"file": [f"{i:03d}.png" for i in range(N)], "loss": np.random.default_rng(0).gamma(1.0, 1.0, N)}
    )


@pytest.fixture(scope="module")
def few_phrases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("phrases") / "own.txt"
    path.write_text("light: in the dark\nweather: in fog\nmy own words for it\n")
    return path


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"open_clip:local-dir:{write_native(tmp_path_factory.mktemp('clip'))}"


def test_given_vectors_find_and_the_pictures_are_named_by_the_encoder(
    pictures: Path, table: pd.DataFrame, few_phrases: Path, tmp_path: Path
) -> None:
    own = np.random.default_rng(1).normal(size=(N, 7)).astype(np.float32)
    found = diagnose(table, images=pictures, embeddings=own, vocabulary=few_phrases, settings=QUICK)
    np.testing.assert_allclose(found.embeddings.vectors, own / np.linalg.norm(own, axis=1, keepdims=True), rtol=1e-5)
    assert found.words.joint.space == load_encoder("embedded").joint_space
    assert found.words.encoder == "embedded"
    assert found.words.phrases == ("in the dark", "in fog", "my own words for it")
    assert len(found.words.joint) == N
    save(found, tmp_path / "run.errata")
    answers = [ask(run, ["in the dark"])[0] for run in (found, load(tmp_path / "run.errata"))]
    assert [found.samples.ids[i] for i in answers[0].rows] == [found.samples.ids[i] for i in answers[1].rows]
    assert answers[0].p == answers[1].p


def test_two_encoders_over_the_same_pictures(pictures: Path, table: pd.DataFrame, few_phrases: Path, tiny: str) -> None:
    found = diagnose(table, images=pictures, naming=tiny, vocabulary=few_phrases, settings=QUICK)
    assert found.embeddings.space == load_encoder("embedded").finding_space
    assert found.words.joint.space == load_encoder(tiny).joint_space
    assert found.words.joint.vectors.shape[1] != found.embeddings.vectors.shape[1]
    assert ask(found, ["a dog in the dark"], top=10)[0].support == 10


def test_words_of_one_encoder_over_vectors_of_another_are_refused(
    pictures: Path, table: pd.DataFrame, few_phrases: Path, tiny: str
) -> None:
    found = diagnose(table, images=pictures, vocabulary=few_phrases, settings=QUICK)
    one_phrase = Vocabulary((Phrase("in fog", "weather"),), {"weather": (("{noun} {phrase}", "{noun}"),)})
    with pytest.raises(InvalidInput, match="Use one encoder"):
        make_words(found.words.joint, load_encoder(tiny), one_phrase)


def test_without_words_nothing_is_named_and_nothing_can_be_asked(pictures: Path, table: pd.DataFrame) -> None:
    found = diagnose(
        table,
        images=pictures,
        settings=Settings(map=False, sensitivity=False, n_members=2, n_permutations=100, alpha=0.2, words=False),
    )
    assert found.words is None
    assert not [i for i in found.insights if i.kind == "phrase"]
    with pytest.raises(InvalidInput, match="Diagnose again"):
        ask(found, ["in the dark"])
