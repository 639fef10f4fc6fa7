"""The drivers of distillation teach, measure and sum up, on a tiny BERT."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

import numpy as np
import pytest

from core.training.distillation.teacher import read_bert
from tests.benchmarks import distillation, distillation_classes
from tests.benchmarks.lines import read_lines
from tests.support.tiny_bert import some_texts, write_bert


def write_lines(path: Path, lines: list[str]) -> None:
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def test_a_student_of_captions_is_measured_on_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_bert(tmp_path / "bert")
    monkeypatch.setattr(distillation, "read_bert", lambda _: read_bert(folder))
    texts = some_texts(80)
    write_lines(tmp_path / "task1_train.en.gz", texts[:60])
    write_lines(tmp_path / "task1_test_2016_flickr.en.gz", texts[50:])
    given = [
        str(tmp_path),
        "--texts",
        "100",
        "--epochs",
        "1",
        "1",
        "--set",
        "lr=0.002",
        "precision=float32",
        "--turns",
        "2",
    ]
    distillation.main([*given, "--out", str(tmp_path / "out.jsonl")])
    (found,) = read_lines(tmp_path / "out.jsonl")
    assert (found["texts"], found["figures"]["n"], found["settings"]["lr"]) == (50, 30, 0.002)  # ten are in both
    assert "| inherited, 3 x 24, seed 100, report | 50 | 1 + 1 | 0.002 |" in distillation.show(tmp_path / "out.jsonl")


def test_arms_of_classes_are_paired_by_sentence(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    lines = [f"{text}\t{rng.integers(2)}" for text in some_texts(80)]
    write_lines(tmp_path / "train.tsv.gz", lines[:40])
    write_lines(tmp_path / "test.tsv.gz", lines[40:])
    shutil.copytree(write_bert(tmp_path / "made", "BertForSequenceClassification", num_labels=2), tmp_path / "teacher")
    given = [str(tmp_path), "--work", str(tmp_path), "--texts", "40", "--out", str(tmp_path / "out.jsonl")]
    distillation_classes.main(given)
    found = read_lines(tmp_path / "out.jsonl")
    assert [r["arm"] for r in found] == list(distillation_classes.ARMS)
    assert {len(r["wrong"]) for r in found} == {40}
    rows = distillation_classes.show(tmp_path / "out.jsonl").splitlines()[2:]
    gain = (sum(found[2]["wrong"]) - sum(found[0]["wrong"])) / 40
    assert f"| {gain:.3f} [" in rows[0]
    assert rows[2].endswith("|  |")
