"""Files are recognized by how they begin, and tables by their columns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from core.data.samples import describe_table
from core.data.tasks.recognise import (
    DETECTIONS,
    LABELS,
    PREDICTIONS,
    ROWS,
    TRUTH,
    order_detections,
    recognise_task,
    side_of_detections,
)
from core.errors import InvalidInput

BOX = {"image_id": 1, "category_id": 2, "bbox": [0, 0, 5, 5], "score": 0.5}
INSTANCES = {"info": {"year": 2017}, "images": [{"id": 1}], "annotations": [BOX], "categories": [{"id": 2}]}


def written(folder: Path, name: str, content: Any) -> Path:
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return path


@pytest.mark.parametrize(
    ("content", "side"),
    [
        (INSTANCES, TRUTH),
        (dict(reversed(INSTANCES.items())), TRUTH),
        ([BOX], PREDICTIONS),
        (json.dumps([BOX], indent=2), PREDICTIONS),
        ([{**BOX, "segmentation": {"counts": "x" * 200, "size": [5, 5]}}], PREDICTIONS),
        ([{"id": 1, "loss": 0.5}], ""),
        ({"images": 3, "annotations": "x"}, ""),
        ([[BOX]], ""),
        ([], ""),
        ("", ""),
        ("[" * 100_000, ""),
        ('{"id": 1, "loss": 0.5}\n{"id": 2, "loss": 0.1}', ""),
        ("\x00\xff", ""),
    ],
)
def test_json_is_recognized_by_its_start(content: Any, side: str, tmp_path: Path) -> None:
    assert side_of_detections(written(tmp_path, "a.json", content)) == side


def test_a_huge_file_is_recognized_without_reading_it(tmp_path: Path) -> None:
    path = written(tmp_path, "huge.json", json.dumps([BOX])[:-1])
    with path.open("r+b") as file:
        file.truncate(2**40)  # a hole: it takes no space, and cannot be held in memory
    assert side_of_detections(path) == PREDICTIONS


def test_other_names_and_missing_files_are_no_detections(tmp_path: Path) -> None:
    assert side_of_detections(written(tmp_path, "a.csv", [BOX])) == ""
    assert side_of_detections(tmp_path / "missing.json") == ""
    assert side_of_detections(None) == ""


def test_both_files_may_come_in_any_order(tmp_path: Path) -> None:
    truth = written(tmp_path, "t.json", INSTANCES)
    results = written(tmp_path, "r.json", [BOX])
    assert order_detections(truth, results) == order_detections(results, truth) == (truth, results)
    with pytest.raises(InvalidInput, match="Add the COCO instances"):
        order_detections(results, None)
    with pytest.raises(InvalidInput, match="Add the COCO instances"):
        order_detections(results, written(tmp_path, "r2.json", [BOX]))
    with pytest.raises(InvalidInput, match="Add the COCO results"):
        order_detections(truth, written(tmp_path, "t2.json", INSTANCES))


def test_the_sentence_names_what_is_there_and_what_is_missing(tmp_path: Path) -> None:
    truth = written(tmp_path, "t.json", INSTANCES)
    results = written(tmp_path, "r.json", [BOX])
    task, sentence = recognise_task(results, None, {})
    assert task == DETECTIONS
    assert "r.json holds predicted boxes. Add the JSON of the true boxes" in sentence
    assert "Add the JSON of the predictions" in recognise_task(truth, None, {})[1]
    assert "true boxes in t.json, predicted boxes in r.json" in recognise_task(results, truth, {})[1]
    assert recognise_task(None, None, {}) == (ROWS, "")


def recognized(frame: pd.DataFrame) -> tuple[str, str, dict[str, str]]:
    roles = {name: role for name, role, _ in describe_table(frame).columns}
    return *recognise_task(None, None, roles), roles


def table(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame({"file": [f"{i}.png" for i in range(4)], **columns})


def test_a_column_per_label_with_a_probability_each_is_several_labels() -> None:
    scores = {"prob_cat": [0.9, 0.1, 0.4, 0.6], "prob_dog": [0.2, 0.8, 0.7, 0.1]}
    task, sentence, roles = recognized(table(true_cat=[1, 0, 1, 1], true_dog=[1, 0, 0, 1], **scores))
    assert task == LABELS
    assert "true_cat, true_dog" in sentence
    assert roles["prob_dog"] == "probabilities"
    assert roles["true_dog"] == "labels"


def test_lists_of_names_are_several_labels() -> None:
    lists = table(labels=["cat|dog", "cat", "dog", ""], predictions=["cat", "cat", "cat|dog", "dog"])
    task, _, roles = recognized(lists)
    assert task == LABELS
    assert roles["labels"] == "labels"
    assert roles["predictions"] == "prediction"


@pytest.mark.parametrize(
    "columns",
    [
        {"true_a": [1, 0, 0, 1], "true_b": [0, 1, 1, 0], "prob_a": [0.9, 0.1, 0.4, 0.6], "prob_b": [0.1, 0.9, 0.6, 0]},
        {"label": ["a|b", "c|d", "e", "f"], "prediction": ["a|b", "e", "e", "f"]},
        {"has_rain": [1, 1, 0, 1], "has_snow": [0, 1, 1, 1], "label": [0, 1, 1, 0], "prediction": [0, 1, 0, 0]},
        {"has_rain": [1, 1, 0, 1], "has_snow": [0, 1, 1, 1], "loss": [0.1, 0.4, 0.2, 0.3]},
        {"tags": ["a|b", "a", "b", ""], "label": [0, 1, 1, 0], "prob_x": [0.5] * 4, "prob_y": [0.5] * 4},
    ],
    ids=["one label in columns", "names with a bar", "conditions", "a loss", "tags"],
)  # fmt: skip
def test_a_table_that_could_be_read_as_several_labels_stays_one_row_per_sample(columns: dict[str, Any]) -> None:
    task, sentence, roles = recognized(table(**columns))
    assert task == ROWS
    assert "One row per sample" in sentence
    assert "labels" not in roles.values()


def test_masks_say_that_each_class_can_be_tested() -> None:
    task, sentence, _ = recognized(table(mask=["a", "b", "c", "d"], pred_mask=["e", "f", "g", "h"]))
    assert task == ROWS
    assert "Change the task to test each class" in sentence
