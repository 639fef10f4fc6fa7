"""Which reader the options of the command line choose."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import core.diagnose
from core.cli.diagnose import diagnose
from core.data.tasks.read import read_task
from core.errors import InvalidInput
from tests.support.detections import make
from tests.support.tables import N, folder, frame


def read(*arguments):
    given = diagnose.make_context("diagnose", [*map(str, arguments), "--out", "unused"]).params
    return read_task(given["task"], given["roles"])


def test_a_table_is_one_row_a_picture(tmp_path):
    frame().to_csv(tmp_path / "t.csv", index=False)
    assert len(read("--table", tmp_path / "t.csv", "--images", folder(tmp_path / "images")).samples) == N


def test_detections_take_their_options(tmp_path):
    made = make(tmp_path)
    paths = ["--detections", made.predictions, "--truth", made.truth, "--images", made.pictures]
    assert len(read(*paths).samples) == len(made.annotations)
    audit = read(*paths, "--rows", "predictions", "--loss-kind", "localisation", "--iou", "0.6", "--score", "0.45")
    assert len(audit.samples) == sum(r["score"] >= 0.45 for r in made.results)
    assert audit.outcomes.name == "1 - IoU"
    assert audit.outcomes.source == "predictions: IoU at least 0.6, score at least 0.45"


def test_several_labels_and_masks_by_class_come_from_a_table(tmp_path):
    rng = np.random.default_rng(0)
    table = frame(y_a=rng.integers(0, 2, N), y_b=rng.integers(0, 2, N), p_a=rng.random(N), p_b=rng.random(N)).drop(
        columns="loss"
    )
    table.to_csv(tmp_path / "labels.csv", index=False)
    images = folder(tmp_path / "images")
    audit = read("--table", tmp_path / "labels.csv", "--images", images, "--labels", "y_*", "--probabilities", "p_*")
    assert len(audit.samples) == 2 * N
    assert audit.samples.class_names == ("a", "b", "a, absent", "b, absent")
    masks = pd.DataFrame({"file": table["file"], "mask": [[[1, 2], [0, 2]]] * N, "pred_mask": [[[1, 2], [0, 0]]] * N})
    masks.to_parquet(tmp_path / "masks.parquet")
    audit = read("--table", tmp_path / "masks.parquet", "--images", images, "--per-class", "--loss-kind", "1 - IoU")
    assert audit.outcomes.loss[:2].tolist() == [0, 0.5]


def test_two_tasks_at_once_are_one_message():
    with pytest.raises(InvalidInput, match="two tasks"):
        read("--labels", "y", "--per-class")


@pytest.mark.parametrize(("name", "value"), [("--iou", "7"), ("--iou", "0.5"), ("--score", "nan"), ("--score", "0.1")])
def test_a_threshold_of_detections_is_refused_where_there_are_none(name, value):
    with pytest.raises(InvalidInput, match=f"{name} {value} has no effect without --detections"):
        read("--table", "t.csv", name, value)


def test_a_diagnosis_is_refused_where_its_table_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr("core.discovery.prepare.embed", None)  # it does not come so far
    frame().head(39).to_csv(tmp_path / "table.csv", index=False)
    with pytest.raises(InvalidInput, match=r"At least 40 rows are needed: table\.csv has 39\. Add rows\."):
        core.diagnose.diagnose(tmp_path / "table.csv")
    with pytest.raises(InvalidInput, match=r"At least 40 rows are needed: table\.csv has 39\. Add rows\."):
        read("--table", tmp_path / "table.csv")
