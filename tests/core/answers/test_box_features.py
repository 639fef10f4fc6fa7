"""The released feature files, by a stand-in for h5py and by h5py itself where it is installed."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from core.answers.box_features import read_box_features
from core.errors import InvalidInput, MissingDependency

FEATURES, BOXES = (
    np.arange(24, dtype=np.float32).reshape(3, 8),
    np.array([[0, 0, 50, 20], [10, 5, 90, 40], [0, 0, 100, 40]]),
)


def arrays(**changed: Any) -> dict[str, Any]:
    return {"features": FEATURES, "boxes": BOXES.astype(np.float32), "img_w": 100, "img_h": 40} | changed


class Entry:
    def __init__(self, value: Any) -> None:
        self.value = value

    def __getitem__(self, _: tuple[()]) -> Any:
        return self.value


class Stored(dict[str, Any]):
    """What an opened file is asked for: paths, and the names of its groups."""

    def __init__(self, groups: Mapping[str, Mapping[str, Any]]) -> None:
        super().__init__({f"{g}/{name}": Entry(value) for g, own in groups.items() for name, value in own.items()})
        self.groups = list(groups)

    def __iter__(self) -> Any:
        return iter(self.groups)

    def __enter__(self) -> Stored:
        return self

    def __exit__(self, *_: object) -> None: ...


def stand_in(monkeypatch: pytest.MonkeyPatch, groups: Mapping[str, Mapping[str, Any]] | None) -> None:
    module = ModuleType("h5py")

    def opened(path: Path, mode: str) -> Stored:
        if groups is None:
            raise OSError("no HDF5")
        return Stored(groups)

    module.File = opened  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "h5py", module)


def test_boxes_become_shares_of_the_sides_in_the_order_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, {"a": arrays(), "b": arrays(features=FEATURES + 1)})
    parts = read_box_features(Path("f.h5"), ["b", "a"], 8)
    np.testing.assert_array_equal(parts.features.numpy(), np.stack([FEATURES + 1, FEATURES]))
    np.testing.assert_allclose(parts.boxes[1, 1].numpy(), [0.1, 0.125, 0.9, 1.0])


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        (None, "cannot be read as HDF5"),
        ({"other": arrays()}, "no a/features.*such as other"),
        ({"a": arrays(features=FEATURES[:, :5])}, r"must be \(boxes, 8\)"),
        ({"a": arrays(boxes=BOXES[:2])}, r"boxes \(boxes, 4\)"),
        ({"a": arrays(img_w=0)}, "above 0"),
        ({"a": arrays(img_w=80)}, "stands out"),
    ],
)
def test_a_file_that_is_not_so_is_refused(monkeypatch: pytest.MonkeyPatch, groups: Any, said: str) -> None:
    stand_in(monkeypatch, groups)
    with pytest.raises(InvalidInput, match=said):
        read_box_features(Path("f.h5"), ["a"], 8)


def test_without_h5py_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(MissingDependency, match="pip install h5py"):
        read_box_features(Path("f.h5"), ["a"], 8)


def test_a_file_of_h5py_is_read(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "f.h5", "w") as file:
        for name, value in arrays().items():
            file[f"7/{name}"] = value
    parts = read_box_features(tmp_path / "f.h5", ["7"], 8)
    np.testing.assert_array_equal(parts.features[0].numpy(), FEATURES)
