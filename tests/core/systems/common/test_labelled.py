"""Labeled images without any loss: a table, a table in an archive, class folders, and what is refused."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from core.data.tables.roles import Roles
from core.errors import InvalidInput
from core.systems.common.labelled import read_samples
from tests.support.diagnoses import draw_picture

N = 24


def fill(folder: Path, names: list[str]) -> None:
    for i, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(draw_picture(i, size=24))


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    fill(tmp_path / "pictures", [f"{i:02d}.png" for i in range(N)])
    return tmp_path / "pictures"


def table(n: int = N) -> pd.DataFrame:
    return pd.DataFrame(
        {"file": [f"{i:02d}.png" for i in range(n)], "kind": ["cat" if i % 2 else "dog" for i in range(n)]}
    )


def test_a_table_with_labels_is_enough(pictures: Path, tmp_path: Path) -> None:
    table().assign(light=np.arange(N) / N).to_csv(tmp_path / "mine.csv", index=False)
    audit = read_samples(tmp_path / "mine.csv", images=pictures, roles=Roles(label="kind"))
    assert audit.samples.class_names == ("cat", "dog")
    assert audit.samples.labels is not None
    assert audit.samples.labels.tolist() == [1, 0] * (N // 2)
    assert audit.samples.name == "mine"
    assert [c.name for c in audit.samples.metadata] == ["light"]
    assert audit.outcomes.source == "no model"
    assert not any("loss" in note for note in audit.notes)


def test_what_a_model_wrote_is_not_looked_at(pictures: Path, tmp_path: Path) -> None:
    own = table().assign(loss=np.nan, prediction="cow", prob_cat=7.0, prob_dog=-3.0)
    own.to_csv(tmp_path / "mine.csv", index=False)
    audit = read_samples(tmp_path / "mine.csv", images=pictures, roles=Roles(label="kind"))
    assert len(audit.samples) == N
    assert audit.samples.class_names == ("cat", "dog")
    assert audit.samples.model_outputs == ()
    assert any(note.startswith("Ignored 4 columns of a model") for note in audit.notes)


def test_numbers_are_spelled_out_by_a_column_of_names(pictures: Path, tmp_path: Path) -> None:
    table().assign(label=lambda t: (t["kind"] == "cat").astype(int)).rename(columns={"kind": "class_name"}).to_csv(
        tmp_path / "t.csv", index=False
    )
    audit = read_samples(tmp_path / "t.csv", images=pictures)
    assert audit.samples.class_names == ("dog", "cat")


def test_bad_rows_are_left_out_with_the_reason(pictures: Path, tmp_path: Path) -> None:
    (pictures / "03.png").write_bytes(b"no picture")
    own = table()
    own.loc[5, "kind"] = None
    own.to_csv(tmp_path / "t.csv", index=False)
    audit = read_samples(tmp_path / "t.csv", images=pictures, roles=Roles(label="kind"))
    assert [name for name, _ in audit.excluded] == ["03.png", "05.png"]
    assert "label" in audit.excluded[1][1]


def test_class_folders_say_the_label(tmp_path: Path) -> None:
    fill(tmp_path / "set", [f"{c}/{i}.png" for i in range(12) for c in ("big cat", "dog")])
    audit = read_samples(None, images=tmp_path / "set")
    assert audit.samples.class_names == ("big cat", "dog")
    assert audit.samples.ids[0].startswith("big cat/")
    assert audit.samples.labels is not None
    assert np.bincount(audit.samples.labels).tolist() == [12, 12]
    assert audit.samples.name == "set"


@pytest.mark.parametrize("archive", [False, True])
def test_folders_of_parts_become_the_split(tmp_path: Path, archive: bool) -> None:
    names = [f"set/{part}/{c}/{i}.png" for part in ("train", "test") for c in ("cat", "dog") for i in range(6)]
    fill(tmp_path / "top", names)
    source = tmp_path / "top"
    if archive:
        source = tmp_path / "top.zip"
        with zipfile.ZipFile(source, "w") as file:
            for name in names:
                file.write(tmp_path / "top" / name, name)
    audit = read_samples(None, images=source)
    assert audit.samples.class_names == ("cat", "dog")
    assert audit.samples.splits is not None
    assert sorted(set(audit.samples.splits)) == ["test", "train"]
    assert not any("training data" in note for note in audit.notes)


def test_a_table_inside_the_pictures_comes_before_class_folders(pictures: Path) -> None:
    table().rename(columns={"kind": "label"}).to_csv(pictures / "metadata.csv", index=False)
    assert read_samples(None, images=pictures).samples.class_names == ("cat", "dog")


def test_a_picture_column_of_parquet_stays_on_disk(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "PNG")
    cells = [{"bytes": draw_picture(i, size=24), "path": f"{i}.png"} for i in range(N)]
    pd.DataFrame({"image": cells, "label": [0, 1] * (N // 2), "loss": 0.5}).to_parquet(tmp_path / "t.parquet")
    audit = read_samples(tmp_path / "t.parquet")
    assert audit.samples.items is not None
    assert audit.samples.items.read(3) == draw_picture(3, size=24)
    assert audit.outcomes.loss.tolist() == [0.0] * N


def test_what_cannot_be_probed_is_refused_with_the_way_out(pictures: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="needs labeled samples"):
        read_samples(None)
    table().rename(columns={"kind": "flavour"}).to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(InvalidInput, match=r"no label among the columns .*Name it with --label"):
        read_samples(tmp_path / "t.csv", images=pictures)
    with pytest.raises(InvalidInput, match="have no class folders"):
        read_samples(None, images=pictures)
    fill(tmp_path / "one", [f"cat/{i}.png" for i in range(30)])
    with pytest.raises(InvalidInput, match="needs at least two classes"):
        read_samples(None, images=tmp_path / "one")
    table().assign(kind="cat").to_csv(tmp_path / "one.csv", index=False)
    with pytest.raises(InvalidInput, match="needs at least two classes"):
        read_samples(tmp_path / "one.csv", images=pictures, roles=Roles(label="kind"))
