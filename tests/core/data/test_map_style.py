"""A map-style data set stands in for files of images."""

from __future__ import annotations

import io
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from core.data.images.decoding import decode
from core.data.map_style import with_data_set
from core.data.samples import DataSet, read_data_set
from core.data.tables.batches import png_of
from core.data.tables.read import Table, read_table
from core.data.tables.roles import Roles
from core.errors import Cancelled, InvalidInput
from tests.support.tables import said

N = 24
LOSS = (np.arange(N) / N).tolist()


def picture(row: int) -> Image.Image:
    return Image.fromarray(np.full((5, 7, 3), row, np.uint8))


class Pictures:
    """As torchvision's data sets are: (image, label), and the classes' names beside."""

    classes: Any = ("cat", "dog")

    def __init__(self, n: int = N) -> None:
        self.n, self.asked = n, list[int]()

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, row: int) -> Any:
        self.asked.append(row)
        return picture(row), row % 2


def read(data: Any, **columns: Any) -> DataSet:
    return read_data_set({"loss": LOSS, **columns}, images=data)


def shown(found: DataSet, row: int) -> np.ndarray:
    assert found.samples.items is not None
    return np.asarray(Image.open(io.BytesIO(found.samples.items.read(row))))


def test_pictures_and_labels_are_those_of_the_data_set_each_asked_for_once() -> None:
    data = Pictures()
    found = read(data, id=[f"s{row}" for row in range(N)])
    assert data.asked == list(range(N))
    assert found.samples.ids == tuple(f"s{row}" for row in range(N))
    assert found.samples.class_names == ("cat", "dog")
    assert found.samples.labels is not None
    assert found.samples.labels.tolist() == [row % 2 for row in range(N)]
    assert said(found, "The labels come from the data set.")
    np.testing.assert_array_equal(shown(found, 9), np.asarray(picture(9)))
    assert data.asked == list(range(N))


@pytest.mark.parametrize(
    "kind", ["PIL", "array", "dict", "list of images", "array of all", "paths", "bytes", "tensor", "gray tensor"]
)
def test_a_picture_may_be_of_any_kind(kind: str, tmp_path: Path) -> None:
    arrays = [np.asarray(picture(row)) for row in range(N)]
    data: Any = arrays
    if kind == "PIL":
        data = [(picture(row), 0) for row in range(N)]
    elif kind == "dict":
        data = [{"image": picture(row), "label": 1} for row in range(N)]
    elif kind == "list of images":
        data = [picture(row) for row in range(N)]
    elif kind in ("paths", "bytes"):
        for row in range(N):
            picture(row).save(tmp_path / f"{row}.png")
        data = [tmp_path / "0.png", *(str(tmp_path / f"{row}.png") for row in range(1, N))]
        if kind == "bytes":
            data = [Path(path).read_bytes() for path in data]
    elif kind == "array of all":
        data = np.stack(arrays)
    elif kind.endswith("tensor"):
        torch = pytest.importorskip("torch")
        whole = torch.tensor(np.stack(arrays)).permute(0, 3, 1, 2).float() / 255
        whole = whole[:, :1] if "grey" in kind else whole
        data = torch.utils.data.TensorDataset(whole, torch.arange(N) % 3)
    found = read(data)
    wanted = np.asarray(picture(5))
    np.testing.assert_array_equal(shown(found, 5), wanted[:, :, 0] if "grey" in kind else wanted)
    assert found.samples.ids == tuple(map(str, range(N)))
    labelled = {"PIL": ("0",), "dict": ("1",), "tensor": ("0", "1", "2"), "gray tensor": ("0", "1", "2")}
    assert found.samples.class_names == labelled.get(kind, ())


def test_a_subset_has_the_classes_of_the_whole() -> None:
    data = pytest.importorskip("torch").utils.data.Subset(Pictures(2 * N), range(0, 2 * N, 2))
    found = read(data)
    assert found.samples.class_names == ("cat",)
    np.testing.assert_array_equal(shown(found, 3), np.asarray(picture(6)))


def test_a_subset_of_a_subset_has_the_classes_of_the_whole() -> None:
    subset = pytest.importorskip("torch").utils.data.Subset
    assert read(subset(subset(Pictures(2 * N), range(N)), range(N))).samples.class_names == ("cat", "dog")


@pytest.mark.parametrize(
    ("classes", "names"),
    [
        (None, ("0", "1")),
        ({0: "cat", 1: "dog"}, ("cat", "dog")),
        ({"dog": 0, "cat": 1}, ("cat", "dog")),
        (np.array(["cat", "dog"]), ("cat", "dog")),
        ((("tench", "Tinca tinca"), ("crane",)), ("crane", "tench, Tinca tinca")),
        (["crane", "crane"], ("crane (0)", "crane (1)")),
    ],
)
def test_classes_are_called_as_the_data_set_calls_them(classes: Any, names: tuple[str, ...]) -> None:
    data = Pictures()
    data.classes = classes
    assert read(data).samples.class_names == names


def test_a_mask_is_black_and_white() -> None:
    found = read([np.arange(12).reshape(3, 4) > row for row in range(N)])
    np.testing.assert_array_equal(shown(found, 4), (np.arange(12).reshape(3, 4) > 4) * 255)


def test_a_picture_is_in_memory_only_while_it_is_copied() -> None:
    alive = list[weakref.ref[Image.Image]]()

    class Watched(Pictures):
        def __getitem__(self, row: int) -> Any:
            assert sum(each() is not None for each in alive) <= 1
            made = picture(row)
            alive.append(weakref.ref(made))
            return made, 0

    read(Watched())
    assert len(alive) == N


def table(**columns: Any) -> Table:
    return read_table(pd.DataFrame({"loss": LOSS, **columns}))


NAMES = [("cat", "dog")[row % 2] for row in range(N)]


@pytest.mark.parametrize("labels", [NAMES, [row % 2 for row in range(N)], [f"my {name}" for name in NAMES]])
def test_a_tables_own_labels_stay(labels: list[Any]) -> None:
    """By name or number they must agree with the data set's; called otherwise they cannot be compared."""
    assert with_data_set(table(label=labels), Pictures()).frame["label"].tolist() == labels


@pytest.mark.parametrize("labels", [NAMES[1:] + NAMES[:1], [(row + 1) % 2 for row in range(N)]])
def test_losses_in_another_order_are_refused(labels: list[Any]) -> None:
    with pytest.raises(
        InvalidInput, match=r"Row 0: 'label' is '.*' in the table but '.*' in the data set.*shuffle=False"
    ):
        with_data_set(table(label=labels), Pictures())


def test_a_measured_truth_gets_no_label_beside_it() -> None:
    measured = table(target=np.linspace(0.5, 3, N), prediction=np.linspace(0.25, 3, N))
    assert "label" not in with_data_set(measured, Pictures()).frame


def test_paths_in_a_column_of_the_same_name_stay() -> None:
    made = with_data_set(table(image=[f"{row}.png" for row in range(N)]), Pictures())
    assert list(made.images) == ["image of the data set"]
    assert made.frame["image"][3] == "3.png"


class Gone(Pictures):
    def __getitem__(self, row: int) -> Any:
        if row == 7:
            raise OSError("7.png is not there")
        return picture(row)


class Endless:
    def __iter__(self) -> Any:
        return iter(())


class NoLength:
    def __getitem__(self, row: int) -> Any:
        return picture(row)


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (Pictures(N - 1), "23 samples in the data set, 24 rows in the table. Use one row per sample"),
        (Gone(), "Cannot read sample 7 of the data set: OSError: 7.png is not there. Fix it, or remove it"),
        (
            [np.full((4, 4, 3), -1.0)] * N,
            r"The images 'data\[0\]' must be .* Record them before the network's transform",
        ),
        ([{"picture": 1}] * N, "Cannot read sample 0 of the data set: KeyError: 'image'"),
        ([picture(0), None] * 12, "Sample 1 of the data set has no image. Remove it, and its row."),
        (["gone.png"] * N, "Cannot read sample 0 of the data set: FileNotFoundError: .*'gone.png'"),
        (Endless(), r"a data set with `data\[n\]`: got Endless. Use a list"),
        (NoLength(), r"The data set \(NoLength\) has no length"),
    ],
)
def test_what_is_no_such_data_set_is_refused(data: Any, fault: str) -> None:
    with pytest.raises(InvalidInput, match=fault):
        read(data)


def test_a_loader_is_refused_and_its_data_set_named() -> None:
    loader = pytest.importorskip("torch").utils.data.DataLoader(Pictures())
    with pytest.raises(InvalidInput, match=r"got DataLoader. Use the DataLoader's `dataset`."):
        read(loader)


def test_pictures_from_two_places_and_no_losses_are_refused() -> None:
    with pytest.raises(InvalidInput, match=r"the table's 'file' hold images. Remove one of the two"):
        read_data_set({"loss": LOSS, "file": ["a"] * N}, images=Pictures(), roles=Roles(image="file"))
    with pytest.raises(InvalidInput, match="The data set has images but no losses"):
        read_data_set(None, images=Pictures())


def test_who_stops_while_pictures_are_copied_is_let_go() -> None:
    def stop(step: str, done: int, total: int) -> None:
        if step == "unpack images":
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        with_data_set(table(), Pictures(), progress=stop)


@pytest.mark.parametrize("mode", ["I;16", "I", "F", "LA", "P", "1", "CMYK"])
def test_a_picture_of_any_mode_is_the_one_that_its_file_gives(mode: str) -> None:
    ramp = np.arange(48).reshape(6, 8) % 40
    made = {
        "I;16": lambda: Image.fromarray((ramp * 1500).astype(np.uint16)),
        "I": lambda: Image.fromarray((ramp * 70_000).astype(np.int32)),
        "F": lambda: Image.fromarray(ramp.astype(np.float32) / 3),
        "LA": lambda: Image.fromarray(np.stack([ramp * 5, ramp * 6], 2).astype(np.uint8)),
        "P": lambda: Image.fromarray((ramp * 6).astype(np.uint8)).convert("P"),
        "1": lambda: Image.fromarray(ramp > 20),
        "CMYK": lambda: Image.fromarray(np.stack([ramp] * 4, 2).astype(np.uint8) * 3, mode="CMYK"),
    }[mode]()
    if mode == "P":
        made.info["transparency"] = 0
    written = io.BytesIO()
    made.save(written, "PNG" if mode in ("I;16", "LA", "P", "1") else "TIFF")
    of_file = np.asarray(decode(written.getvalue()).image)
    assert np.array_equal(np.asarray(decode(png_of(made, "images")).image), of_file)
    assert np.ptp(of_file) > 60
