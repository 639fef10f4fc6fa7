"""A whole run with the real embedded encoder on photographs: what it knows it is right about, and the folder opens
again."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.encoders import load_encoder
from core.records import ItemStore
from core.systems.composition.records import LoadedBenchmark
from core.systems.composition.reports.tables import load_result, write_result
from core.systems.composition.scoring.compare import compare_results
from core.systems.composition.scoring.encoder import EncoderScorer
from core.systems.composition.scoring.run import run_composition
from tests.support.benchmarks import Given, benchmark, pair


@dataclass(frozen=True)
class Photos(ItemStore):
    """Each photograph twice: as it is, and much darker."""

    paths: tuple[Path, ...]

    def __len__(self) -> int:
        return 2 * len(self.paths)

    def name(self, index: int) -> str:
        return f"{self.paths[index // 2].name}, {index % 2}"

    def read(self, index: int) -> bytes:
        image, file = Image.open(self.paths[index // 2]).convert("RGB").resize((256, 256)), io.BytesIO()
        image.point([int(v * (0.2 if index % 2 else 1.0)) for v in range(256)] * 3).save(file, "PNG")
        return file.getvalue()


@pytest.mark.slow
def test_the_embedded_encoder_tells_bright_photographs_from_dark_ones(shared_data: Path, tmp_path: Path):
    paths = sorted((shared_data / "backgrounds" / "images").glob("*.jpg"))
    said = ("a bright photo", "a dark photo")
    made = benchmark("pairs", [pair(f"{i}", (2 * i, 2 * i + 1), said) for i in range(len(paths))], "image")
    pictured = LoadedBenchmark(made, Photos(tuple(paths)))
    result = run_composition(pictured, EncoderScorer(load_encoder("embedded")), cache=tmp_path / "cache")
    again = run_composition(pictured, EncoderScorer(load_encoder("embedded")), cache=tmp_path / "cache")
    np.testing.assert_array_equal(result.margin, again.margin)
    assert result.metrics[0].value.low > 0.6  # chance is 0.25
    assert result.foil_similarity is not None
    assert len(set(result.foil_similarity.tolist())) == 1  # one pair of captions
    write_result(result, made, tmp_path / "run")
    guess = run_composition(
        pictured,
        Given(tuple(np.array([[1.0, 0.0], [0.0, i % 4 - 1.0]]) for i in range(len(paths)))),
        name="guess",
        blind=False,
    )
    found = compare_results(load_result(tmp_path / "run"), guess)
    assert found.rows[0].difference.value < 0
