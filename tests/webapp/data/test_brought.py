"""Files that are dropped together, sorted into the form's fields."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.errors import InvalidInput
from webapp.data.brought import sort_files

TRUTH = {"images": [{"id": 1}], "annotations": [], "categories": []}
RESULTS = [{"image_id": 1, "category_id": 1, "bbox": [0, 0, 1, 1], "score": 0.5}]


@pytest.mark.parametrize(
    ("names", "fields"),
    [
        (["shots.zip", "audit.csv"], {"table": "audit.csv", "images": "shots.zip"}),
        (["audit.PARQUET"], {"table": "audit.PARQUET"}),
        (["audit.csv", "vectors.parquet"], {"table": "audit.csv", "vectors": "vectors.parquet"}),
        (["words.txt", "v.npy"], {"phrases": "words.txt", "vectors": "v.npy"}),
        ([], {}),
    ],
)
def test_each_file_goes_into_its_field(names: list[str], fields: dict[str, str]) -> None:
    assert sort_files(names) == fields


@pytest.mark.parametrize(
    "names", [["a.csv", "b.tsv"], ["a.zip", "b.tar"], ["a.parquet", "b.parquet"], ["a.npy", "b.npz"]]
)
def test_two_files_for_one_field_are_both_named(names: list[str]) -> None:
    with pytest.raises(InvalidInput, match=f"{names[0]} and {names[1]}. Drop one."):
        sort_files(names)


def test_both_files_of_a_detector_are_taken_together_or_one_after_the_other(tmp_path: Path) -> None:
    truth, results = str(tmp_path / "truth.json"), str(tmp_path / "results.json")
    Path(truth).write_text(json.dumps(TRUTH))
    Path(results).write_text(json.dumps(RESULTS))
    assert sort_files([truth, results]) == {"table": truth, "second": results}
    assert sort_files([truth], held=results) == {"second": truth}
    assert sort_files([truth], held="audit.csv") == {"table": truth}
    with pytest.raises(InvalidInput, match="takes one table"):
        sort_files([truth, truth + ".csv"])
