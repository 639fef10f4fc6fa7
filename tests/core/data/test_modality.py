"""Another kind of items is one class and one line of the table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.data.modality import MODALITIES, Unreadable, modality_of
from core.embeddings.embed import read_images
from core.errors import InvalidInput
from core.records import F32, I64, Column, ItemStore
from core.statistics.groups import joined
from tests.support.pictures import MeanColour, Pictures


class Notes(ItemStore):
    """Texts in memory."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = texts

    def __len__(self) -> int:
        return len(self.texts)

    def name(self, index: int) -> str:
        return f"note {index}"

    def read(self, index: int) -> bytes:
        return self.texts[index].encode()


class TextModality:
    """Words, counted; texts of the same words are duplicates."""

    version = "words 1"
    meanings: Mapping[str, str] = {"words": "number of words"}

    def open(self, data: bytes) -> tuple[list[str], dict[str, Any]]:
        words = data.decode().split()
        if not words:
            raise Unreadable("is empty.")
        return words, {"words": float(len(words)), "key": sorted(words)}

    def properties(self, measured: Sequence[Mapping[str, Any]]) -> tuple[Column, ...]:
        return (Column("words", "number", np.array([row["words"] for row in measured]), measured=True),)

    def notes(self, measured: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
        return ()

    def duplicates(
        self, contents: Sequence[bytes], measured: Sequence[Mapping[str, Any]], vectors: F32, progress: Any = None
    ) -> I64:
        keys = [str(row["key"]) for row in measured]
        return joined(len(keys), np.arange(len(keys)), np.unique(keys, return_inverse=True)[1])

    def preview(self, data: bytes, size: int) -> bytes:
        return data[:size]


class Lengths(MeanColour):
    """An encoder of words: how many there are, and how many letters."""

    name, modality = "lengths", "text"

    def preprocess(self, image: Any) -> F32:
        return np.array([len(image), sum(map(len, image))], np.float32)

    def encode_items(self, batch: F32) -> tuple[F32, F32]:
        self.encoded += len(batch)
        unit = batch / np.linalg.norm(batch, axis=1, keepdims=True)
        return unit, unit


@pytest.fixture
def text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MODALITIES, "text", f"{__name__}:TextModality")


@pytest.mark.usefixtures("text")
def test_texts_are_embedded_measured_and_cached_once_they_are_in_the_table(tmp_path: Path) -> None:
    store, encoder = Notes(["a red car", "", "car red a", "two"]), Lengths()
    for _ in range(2):
        reading = read_images(store, encoder, modality="text", cache=tmp_path)
        assert reading.kept.tolist() == [0, 2, 3]
        assert reading.unreadable == {1: "note 1 is empty."}
        assert reading.properties[0].values.tolist() == [3, 3, 1]
        assert reading.duplicate_groups.tolist() == [0, 0, 1]
    assert encoder.encoded == 3
    assert modality_of("text").preview(b"a red car", 5) == b"a red"


def test_an_encoder_of_another_modality_is_refused() -> None:
    with pytest.raises(InvalidInput, match="'mean color' is for 'image', but the samples are 'text'"):
        read_images(Pictures([b""]), MeanColour(), modality="text")


def test_an_unknown_modality_names_those_that_are_known() -> None:
    with pytest.raises(InvalidInput, match="Unknown modality 'smell'"):
        modality_of("smell")


def test_the_key_of_the_cache_is_that_of_earlier_runs() -> None:
    assert modality_of("image").version == "decoding 1/properties 2/hash 1"
