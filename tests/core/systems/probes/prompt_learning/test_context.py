"""Where context vectors stand, and prompts on disk."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.encoders.open_clip.encoder import OpenClipEncoder
from core.encoders.prompts import PromptTower
from core.errors import InvalidInput
from core.systems.common.epochs import Epoch
from core.systems.probes.prompt_learning.context import (
    Prompts,
    check_prompts,
    lay_out,
    load_prompts,
    name_tokens,
    save_prompts,
)
from core.systems.probes.prompt_learning.learner import tower_of
from tests.support.tiny_clip import write_native

SOS, EOS, DOG, STOP, X = 49406, 49407, 1929, 269, 320
"""Ids in CLIP's vocabulary; X ("a") holds the place of a context vector."""


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> OpenClipEncoder:
    return OpenClipEncoder(f"local-dir:{write_native(tmp_path_factory.mktemp('models') / 'native')}")


@pytest.fixture(scope="module")
def tower(encoder: OpenClipEncoder) -> PromptTower:
    return tower_of(encoder)


@pytest.mark.parametrize(
    ("position", "ids", "slots"),
    [
        ("end", [SOS, X, X, X, X, DOG, STOP, EOS], [1, 2, 3, 4]),
        ("middle", [SOS, X, X, DOG, X, X, STOP, EOS], [1, 2, 4, 5]),
        ("front", [SOS, DOG, X, X, X, X, STOP, EOS], [2, 3, 4, 5]),
    ],
)
def test_the_class_name_stands_where_it_is_asked(
    tower: PromptTower, position: str, ids: list[int], slots: list[int]
) -> None:
    layout = lay_out(tower, ["dog"], 4, position)  # type: ignore[arg-type]
    assert layout.ids.tolist() == [ids]
    assert layout.slots.tolist() == [slots]


def test_an_odd_context_leaves_the_larger_half_behind_the_name(tower: PromptTower) -> None:
    assert lay_out(tower, ["dog"], 3, "middle").slots.tolist() == [[1, 3, 4]]


def test_names_of_unequal_length_are_filled_up_behind_their_end(tower: PromptTower) -> None:
    layout = lay_out(tower, ["dog", "red_dog"], 2, "end")
    assert layout.ids[0].tolist() == [SOS, X, X, DOG, STOP, EOS, 0]
    assert layout.ids[1, -1] == EOS


def test_a_full_stop_that_joins_a_name_is_not_lost(tower: PromptTower) -> None:
    name, stop = name_tokens(tower, "mr.")
    assert [X, *name, *stop] == tower.tokens("a mr..")


def test_a_long_name_loses_its_end_and_is_counted(tower: PromptTower) -> None:
    layout = lay_out(tower, ["dog " * 30, "dog"], 4, "end")
    assert layout.cut == 1
    assert layout.ids.shape == (2, 16)
    assert layout.ids[0, -2:].tolist() == [STOP, EOS]


def test_a_context_that_fills_the_tower_is_refused(tower: PromptTower) -> None:
    with pytest.raises(
        InvalidInput, match="13 context vectors leave no room for a class name: the text tower takes 16 tokens"
    ):
        lay_out(tower, ["dog"], 13, "end")


def made(encoder: OpenClipEncoder, **changes: object) -> Prompts:
    ctx = np.arange(64, dtype=np.float32).reshape(2, 32)
    meta = {"0.weight": np.ones((1, 16), np.float32), "0.bias": np.zeros(1, np.float32)}
    rest = (
        ("dog", "café"),
        ctx,
        "middle",
        "a photo",
        meta,
        (Epoch(0, None, 1.5), Epoch(1, 0.5, 1.25)),
        1,
        ("a.png",),
        {"seed": 3},
    )
    return replace(Prompts("coop", encoder.name, encoder.fingerprint, "SimpleTokenizer abc", *rest), **changes)  # type: ignore[arg-type]


def test_saved_prompts_come_back_as_they_were(encoder: OpenClipEncoder, tmp_path: Path) -> None:
    prompts = made(encoder)
    save_prompts(prompts, tmp_path / "new" / "prompts.npz")
    back = load_prompts(tmp_path / "new" / "prompts.npz")
    for name in Prompts.__dataclass_fields__:
        mine, theirs = getattr(prompts, name), getattr(back, name)
        if name == "ctx":
            np.testing.assert_array_equal(mine, theirs)
        elif name == "meta":
            assert mine.keys() == theirs.keys()
            assert all((mine[key] == theirs[key]).all() for key in mine)
        else:
            assert mine == theirs, name


def test_the_file_holds_no_pickle(encoder: OpenClipEncoder, tmp_path: Path) -> None:
    save_prompts(made(encoder), tmp_path / "p.npz")
    with np.load(tmp_path / "p.npz", allow_pickle=False) as file:
        arrays = [file[name] for name in file.files]
    assert all(a.dtype != object for a in arrays)
    assert json.loads(arrays[file.files.index("a0")].tobytes())["names"] == ["dog", "café"]


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04 cut"])
def test_another_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "p.npz").write_bytes(content)
    with pytest.raises(InvalidInput, match=r"p\.npz: not a file of prompts"):
        load_prompts(tmp_path / "p.npz")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no file of prompts"):
        load_prompts(tmp_path / "none.npz")


def test_damaged_numbers_are_refused(encoder: OpenClipEncoder, tmp_path: Path) -> None:
    save_prompts(made(encoder, ctx=np.full((2, 32), np.nan, np.float32)), tmp_path / "p.npz")
    with pytest.raises(InvalidInput, match="another version, or damaged"):
        load_prompts(tmp_path / "p.npz")


def test_prompts_of_another_tokenizer_are_refused(encoder: OpenClipEncoder, tower: PromptTower) -> None:
    with pytest.raises(InvalidInput, match="other word embeddings"):
        check_prompts(made(encoder), encoder, ["dog"], tower.tokenizer)


def test_one_context_serves_other_classes_and_a_class_specific_one_does_not(encoder: OpenClipEncoder) -> None:
    check_prompts(made(encoder), encoder, ["a", "b", "c"])
    own = made(encoder, ctx=np.zeros((2, 2, 32), np.float32))
    check_prompts(own, encoder, ["dog", "café"])
    with pytest.raises(InvalidInput, match="have a context for each of 2 classes, dog, café"):
        check_prompts(own, encoder, ["café", "dog"])
