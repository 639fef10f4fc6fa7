"""Feature files are read as UniVL's released code lays them out, and never a pickle."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from core.errors import InvalidInput
from core.systems.univl import feature_tables as features
from core.systems.univl.feature_tables import read_feature_table


@pytest.fixture
def laid_out(tmp_path: Path) -> Path:
    """A csv of two clips, one named without .npy, and their folder."""
    rng, folder = np.random.default_rng(0), tmp_path / "features"
    (folder / "part").mkdir(parents=True)
    np.save(folder / "a.npy", rng.normal(size=(3, 4)))
    np.save(folder / "part" / "007.npy", rng.normal(size=(5, 4)).astype(np.float16))
    (tmp_path / "clips.csv").write_text("video_id,feature_file\na,a\n007,part/007.npy\n", "utf-8")
    return tmp_path


def read(at: Path, most_frames: int = 64) -> features.FeatureTable:
    return read_feature_table(at / "clips.csv", at / "features", most_frames=most_frames)


def test_clips_come_in_the_tables_order_padded_to_the_longest(laid_out: Path) -> None:
    found = read(laid_out)
    assert found.names == ("a", "007")
    assert found.clips.features.shape == (2, 5, 4)
    assert found.clips.there.tolist() == [[1, 1, 1, 0, 0], [1] * 5]
    np.testing.assert_allclose(found.clips.features[0, :3], np.load(laid_out / "features" / "a.npy"), rtol=1e-6)
    assert found.notes == ()


def test_of_a_long_clip_the_first_frames_are_read_and_that_is_said(laid_out: Path) -> None:
    found = read(laid_out, most_frames=4)
    assert found.clips.features.shape == (2, 4, 4)
    assert found.notes == ("Read only the first 4 frames of 1 clip.",)


class Bang:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("run",)


def spoil_array(name: str, array: object) -> Callable[[Path], object]:
    return lambda at: np.save(at / "features" / name, np.asarray(array), allow_pickle=True)


def spoil_table(text: str) -> Callable[[Path], object]:
    return lambda at: (at / "clips.csv").write_text(text, "utf-8")


HEAD = "video_id,feature_file\n"


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (spoil_array("part/007.npy", np.zeros((5, 3))), "has 3 numbers per frame, the files before it 4"),
        (spoil_array("a.npy", np.full((2, 4), np.nan)), "'a': 2 of 2 frames are not finite"),
        (spoil_array("a.npy", np.zeros(4)), r"must be \(frames, width\), with at least one frame: got \(4,\)"),
        (spoil_array("a.npy", np.zeros((0, 4))), r"got \(0, 4\)"),
        (spoil_array("a.npy", np.array([["x"] * 4])), "must hold numbers"),
        (spoil_array("a.npy", np.array([Bang()], object)), "objects|must hold numbers"),
        (lambda at: (at / "features" / "a.npy").write_bytes(b"\x93NUMPY"), "damaged|a.npy"),
        (lambda at: (at / "features" / "a.npy").unlink(), "features lacks 'a', with or without"),
        (lambda at: (at / "clips.csv").unlink(), "was not found"),
        (spoil_table(""), "empty"),
        (spoil_table(HEAD), "no row|empty|at least one row"),
        (spoil_table("video_id,file\na,a\n"), "lacks the column 'feature_file'. Rename one of 'video_id', 'file'"),
        (spoil_table(f"{HEAD}a,a\na,a\n"), "a different name in every row"),
        (spoil_table(f"{HEAD}a,../features/a.npy\n"), "a path below the folder"),
        (spoil_table(f"{HEAD}a,/etc/passwd\n"), "a path below the folder"),
        (spoil_table(f"{HEAD}a,all.pickle\n"), "Errata reads no pickles, because a pickle can run code"),
    ],
)
def test_what_cannot_be_read_is_refused_in_a_sentence(
    spoil: Callable[[Path], object], said: str, laid_out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(laid_out)
    with pytest.raises(InvalidInput, match=said) as told:
        read(laid_out)
    assert "\n" not in str(told.value)
    assert capsys.readouterr().out == ""


def test_a_pickle_in_place_of_the_folder_is_refused_with_the_way_to_convert(laid_out: Path) -> None:
    (laid_out / "all.pickle").write_bytes(pickle.dumps({"a": Bang()}))
    with pytest.raises(InvalidInput, match=r"np\.save\(f'FOLDER/\{name\}\.npy', x\)"):
        read_feature_table(laid_out / "clips.csv", laid_out / "all.pickle")
    with pytest.raises(InvalidInput, match="is not a folder"):
        read_feature_table(laid_out / "clips.csv", laid_out / "nowhere")


def test_more_than_memory_holds_is_refused_before_it_is_read(laid_out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "MAX_NUMBERS", 30)
    with pytest.raises(InvalidInput, match="2 clips of 5 frames and 4 numbers exceed the limit of 30 numbers"):
        read(laid_out)
