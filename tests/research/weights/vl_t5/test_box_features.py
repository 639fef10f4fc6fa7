"""The released feature files, by a stand-in for h5py and by h5py itself where it is installed."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from core.errors import InvalidInput, MissingDependency
from research.weights.vl_t5.box_features import read_box_features

FEATURES, BOXES = (
    np.arange(24, dtype=np.float32).reshape(3, 8),
    np.array([[0, 0, 50, 20], [10, 5, 90, 40], [0, 0, 100, 40]]),
)


def arrays(**changed: Any) -> dict[str, Any]:
    return {"features": FEATURES, "boxes": BOXES.astype(np.float32), "img_w": 100, "img_h": 40} | changed


class Entry:
    """A stored array."""

    chunks, external, is_virtual = None, None, False

    def __init__(self, value: Any) -> None:
        self.value = np.asarray(value)
        self.shape, self.dtype = self.value.shape, self.value.dtype

    def __getitem__(self, _: tuple[()]) -> Any:
        return self.value


class StoredInside:
    """That what is asked for stands in the file itself."""


class Stored(dict[str, Any]):
    """What an opened file or a group of it is asked for."""

    def get(self, name: str, default: Any = None, getlink: bool = False) -> Any:
        return StoredInside() if getlink and name in self else super().get(name, default)

    def __enter__(self) -> Stored:
        return self

    def __exit__(self, *_: object) -> None: ...


def stand_in(monkeypatch: pytest.MonkeyPatch, groups: Mapping[str, Mapping[str, Any]] | None) -> None:
    module = ModuleType("h5py")

    def opened(path: Path, mode: str) -> Stored:
        if groups is None:
            raise OSError("no HDF5")
        return Stored({g: Stored({name: Entry(value) for name, value in own.items()}) for g, own in groups.items()})

    vars(module).update(File=opened, Group=Stored, Dataset=Entry, HardLink=StoredInside)
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
        ({"a": arrays(features=np.full((3, 8), np.nan))}, "a/features holds numbers that are not finite"),
        ({"a": arrays(features=np.broadcast_to(np.float32(1), (10**9, 8)))}, "at most 1,000 boxes"),
        ({"a": arrays(features=np.array([b"x"]))}, "a/features must be"),
        ({"a": arrays(img_w=np.ones(3))}, "a/img_w must be"),
        ({"a": arrays(img_w=np.inf)}, "a/img_w holds numbers"),
        ({"a": {"features": FEATURES}}, "no a/boxes"),
        ({"other": arrays()}, "no a/features.*such as other"),
        ({"a": arrays(features=FEATURES[:, :5])}, r"must be \(boxes, 8\)"),
        ({"a": arrays(boxes=BOXES[:2])}, "as many as the 3 features: got 2"),
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


def test_what_h5py_would_follow_or_trip_over_is_refused(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    (tmp_path / "other.bin").write_bytes(bytes(200))
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["f"] = FEATURES
    spoilt = {
        "is a link": h5py.ExternalLink(str(tmp_path / "other.h5"), "f"),
        "a link, which": h5py.SoftLink("/7/features"),
        "lies in another file": {"shape": (3, 8), "dtype": "f4", "external": [(str(tmp_path / "other.bin"), 0, 96)]},
        "unpack to too much": {"shape": (3, 8), "maxshape": (None, 8), "dtype": "f4", "chunks": (2**22, 8)},
        "at most 1,000 boxes": {"shape": (10**9, 8), "dtype": "f4", "chunks": (1000, 8)},
    }
    for said, features in spoilt.items():
        with h5py.File(tmp_path / "f.h5", "w") as file:
            group = file.create_group("7")
            for name, value in arrays().items():
                if name != "features":
                    group[name] = value
            if isinstance(features, dict):
                group.create_dataset("features", **features)
            else:
                group["features"] = features
        with pytest.raises(InvalidInput, match=said):
            read_box_features(tmp_path / "f.h5", ["7"], 8)
