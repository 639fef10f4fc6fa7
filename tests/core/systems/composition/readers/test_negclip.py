"""NegCLIP's rows."""

from __future__ import annotations

from pathlib import Path

from core.systems.composition.readers import read_benchmark
from tests.support import benchmark_files as written
from tests.support.benchmark_files import write


def test_negclips_rows_are_choices(tmp_path: Path) -> None:
    benchmark = read_benchmark("negclip", write(tmp_path / "valid.tsv", written.NEGCLIP))
    assert benchmark.items[0].captions == ("A child pets a yak.", "A yak pets a child .", "A yak child pets a .")
    assert benchmark.items[1].captions == ("It's red.", "Red 's it .")
    assert benchmark.pictures[1].name == "coco/val2014/2.jpg"
