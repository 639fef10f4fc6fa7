"""A data set that FiftyOne exported is read as a table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.data.samples import DataSet, read_data_set
from core.errors import InvalidInput
from tests.support.tables import png, said

N = 24


def sample(row: int, **fields: Any) -> dict[str, Any]:
    """A sample as FiftyOne 1.22 writes it."""
    oid = {"$oid": f"{row:024x}"}
    truth = {"_id": oid, "_cls": "Classification", "tags": [], "label": "cat" if row % 2 else "dog"}
    logits = {"$binary": {"base64": "eJyb7BfqGxDJyFDGUK2eklqc", "subType": "00"}}
    return {
        "filepath": f"data/{row}.png",
        "tags": ["blurred"] if row % 3 == 0 else [],
        "_media_type": "image",
        "_rand": 0.9,
        "ground_truth": truth,
        "predictions": {**truth, "label": "cat", "confidence": row / N, "logits": logits},
        "camera": "left" if row % 4 else None,
        "taken": {"$date": "2026-01-02T03:04:05Z"},
        "_dataset_id": oid,
        "created_at": {"$date": "2026-11-28T05:44:50.074Z"},
        "_id": oid,
        **fields,
    }


def exported(folder: Path, samples: list[Any], indent: int | None = None) -> Path:
    (folder / "data").mkdir(parents=True)
    for row in range(N):
        (folder / f"data/{row}.png").write_bytes(png(10 * row))
    (folder / "samples.json").write_text(json.dumps({"samples": samples}, indent=indent), "utf-8")
    (folder / "metadata.json").write_text('{"version": "1.22.1", "media_type": "image"}', "utf-8")
    return folder


def columns(found: DataSet) -> dict[str, list[Any]]:
    return {column.name: column.values.tolist() for column in found.samples.metadata}


@pytest.mark.parametrize("indent", [None, 1], ids=["one line", "many lines"])
def test_an_exported_folder_is_read_by_itself(tmp_path: Path, indent: int | None) -> None:
    found = read_data_set(None, images=exported(tmp_path / "set", [sample(row) for row in range(N)], indent))
    assert found.samples.ids == tuple(f"data/{row}.png" for row in range(N))
    assert found.samples.class_names == ("cat", "dog")
    assert found.outcomes.name == "0/1 error"
    assert found.outcomes.loss.tolist() == [float(row % 2 == 0) for row in range(N)]
    assert columns(found)["tag blurred"] == ["yes" if row % 3 == 0 else "no" for row in range(N)]
    assert columns(found)["camera"] == ["left" if row % 4 else None for row in range(N)]
    assert found.samples.items is not None
    assert found.samples.items.read(3) == png(30)


def test_what_holds_several_values_is_left_out_and_said(tmp_path: Path) -> None:
    boxes = {"_cls": "Detections", "detections": [{"label": "cat"}]}
    rows = [sample(row, boxes=boxes, age={"_cls": "Regression", "value": row}, vector=[0.1, 0.2]) for row in range(N)]
    found = read_data_set(exported(tmp_path / "set", rows) / "samples.json", images=tmp_path / "set")
    assert said(found, "without a single value per sample: 'boxes', 'vector'.")
    assert columns(found)["age"] == [float(row) for row in range(N)]


def test_a_field_that_is_called_as_a_tags_column_stays(tmp_path: Path) -> None:
    """Nor does a column of one's own give way to another field's confidence."""
    fields = {"tag blurred": "by hand", "tag blurred 2": "again", "predictions_confidence": "sure"}
    found = read_data_set(None, images=exported(tmp_path / "set", [sample(row, **fields) for row in range(N)]))
    named = columns(found) | {column.name: column.values.tolist() for column in found.samples.model_outputs}
    assert {name: set(named[name]) for name in fields} == {name: {value} for name, value in fields.items()}
    assert named["tag blurred 3"] == ["yes" if row % 3 == 0 else "no" for row in range(N)]
    assert named["predictions_confidence 2"] == [row / N for row in range(N)]
    assert said(
        found,
        "Renamed columns of tags, since FiftyOne fields have the same names: the tag 'blurred' is 'tag blurred 3'.",
    )


def test_more_tags_than_could_be_columns_are_left_out_and_said(tmp_path: Path) -> None:
    rows = [sample(row, tags=[f"t{row}.{k}" for k in range(9)]) for row in range(N)]
    found = read_data_set(None, images=exported(tmp_path / "set", rows))
    assert said(found, "per sample: 'tags (more than 200 different ones)'")
    assert not any(name.startswith("tag ") for name in columns(found))


@pytest.mark.parametrize(
    ("samples", "fault"),
    [
        ([], "no rows"),
        ([1, 2], "each record must be an object"),
        ([sample(0, tags=[{"a": 1}])], "At least 20 rows are needed: samples.json has 1"),
    ],
)
def test_a_broken_export_is_refused(tmp_path: Path, samples: list[Any], fault: str) -> None:
    with pytest.raises(InvalidInput, match=fault):
        read_data_set(None, images=exported(tmp_path / "set", samples))


def test_samples_that_are_no_list_are_refused(tmp_path: Path) -> None:
    folder = exported(tmp_path / "set", [])
    (folder / "samples.json").write_text('{"samples": [], "samples": null}', "utf-8")
    with pytest.raises(InvalidInput, match="each record must be an object"):
        read_data_set(None, images=folder)
