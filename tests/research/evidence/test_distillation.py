"""The drivers of distillation teach, measure and sum up, on a tiny BERT."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

import numpy as np
import pytest

from core.systems.tinybert.settings import Distillation
from core.systems.tinybert.student import make_student
from core.systems.tinybert.teacher import read_bert
from research.evidence import distillation, distillation_classes
from research.evidence.lines import read_lines
from research.evidence.sst2_probe import PARTS, errors, probed, said
from tests.support.tiny_bert import some_texts, write_bert


def write_lines(path: Path, lines: list[str]) -> None:
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def write_sentences(folder: Path) -> Path:
    """SST-2's three files; a sentence is positive where it names two things."""
    texts = some_texts(240)
    folder.mkdir()
    for at, part in enumerate(PARTS):
        own = texts[at * 80 : (at + 1) * 80]
        write_lines(folder / f"{part}.tsv.gz", [f"{text}\t{int(' on the ' in text)}" for text in own])
    return folder


def test_a_student_of_captions_is_measured_on_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_bert(tmp_path / "bert")
    monkeypatch.setattr(distillation, "read_bert", lambda _: read_bert(folder))
    texts = some_texts(80)
    write_lines(tmp_path / "task1_train.en.gz", texts[:60])
    write_lines(tmp_path / "task1_test_2016_flickr.en.gz", texts[50:])
    given = f"{tmp_path} --texts 100 --epochs 1 1 --set lr=0.002 precision=float32 --turns 2".split()
    distillation.main([*given, "--out", str(tmp_path / "out.jsonl")])
    (found,) = read_lines(tmp_path / "out.jsonl")
    assert (found["texts"], found["figures"]["n"], found["settings"]["lr"]) == (50, 30, 0.002)  # ten are in both
    shown = distillation.show(tmp_path / "out.jsonl")
    assert "| inherited, 3 x 24, seed 100, report | 50 | 1 + 1 | 0.002 |" in shown
    assert "probe" not in shown
    distillation.main([*given, "--sst2", str(write_sentences(tmp_path / "sst2")), "--out", str(tmp_path / "out.jsonl")])
    *_, line = distillation.show(tmp_path / "out.jsonl").splitlines()
    assert line.startswith("inherited, 3 x 24, seed 100, report, 50: probe on SST-2 (n = 80): teacher ")


def test_a_probe_sets_a_student_beside_its_teacher_by_sentence(tmp_path: Path) -> None:
    teacher, folder = read_bert(write_bert(tmp_path / "bert")), write_sentences(tmp_path / "sst2")
    same, blind = (make_student(teacher, Distillation(layers=6, inherit="layers")) for _ in range(2))
    found = probed(folder, teacher, same)
    assert found["teacher"] == found["student"]
    assert found["difference"]["value"] == 0
    blind.bert.encoder.layer[-1].output.LayerNorm.weight.data.zero_()  # every token has the same state
    lost = probed(folder, teacher, blind)
    _, labels = distillation_classes.sentences(folder / "test.tsv.gz")
    assert lost["student"]["value"] == max(labels.mean(), 1 - labels.mean()) < lost["teacher"]["value"]
    assert lost["difference"]["value"] == pytest.approx(lost["student"]["value"] - lost["teacher"]["value"])
    assert lost["difference"]["high"] < 0
    assert f"difference {lost['difference']['value']:.3f} [" in said(lost)


def test_a_probe_learns_of_the_first_part_alone_and_is_judged_on_the_third() -> None:
    labels = np.tile([0, 1], 30)
    vectors = np.stack([2.0 * labels - 1, np.zeros(60)], 1)
    turned = vectors.copy()
    turned[:7] *= -1
    c, wrong = errors([vectors, vectors, turned], [labels, labels, labels])
    np.testing.assert_array_equal(np.flatnonzero(wrong), np.arange(7))
    other, _ = errors([vectors, -vectors, turned], [labels, labels, labels])
    assert other < c  # where the second part contradicts the first, the strongest penalty is best


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
