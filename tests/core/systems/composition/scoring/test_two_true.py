"""Two true captions and a foil, as SugarCrepe++ scores them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from core.errors import InvalidInput
from core.records import F32
from core.systems.composition.failures.samples import sample_margins
from core.systems.composition.pictures import find_pictures
from core.systems.composition.readers import read_benchmark
from core.systems.composition.records import LoadedBenchmark, Scores
from core.systems.composition.scoring.blind import LearnedScorer, LengthScorer
from core.systems.composition.scoring.judging import judge, with_text_only
from core.systems.composition.scoring.run import run_composition
from tests.support.benchmark_files import TWO_TRUE, write


def read(folder: Path, rows: Sequence[dict[str, Any]] = TWO_TRUE) -> LoadedBenchmark:
    """The benchmark of these rows with images of its own."""
    for row in rows:
        Image.new("RGB", (20, 20), (len(row["filename"]) * 5 % 255, 40, 90)).save(folder / row["filename"])
    return find_pictures(read_benchmark("", write(folder / "swap_obj.json", list(rows))), folder)


def random_matrices(n: int, seed: int = 0) -> list[np.ndarray]:
    return [row[None] for row in np.random.default_rng(seed).integers(0, 6, (n, 3)).astype(np.float64)]


def test_the_scores_are_those_of_the_released_loop(tmp_path: Path) -> None:
    rows = [{**TWO_TRUE[0], "id": i, "filename": f"{i}.jpg"} for i in range(200)]
    benchmark = read_benchmark("", write(tmp_path / "swap_obj.json", rows))
    matrices = random_matrices(200)
    found = judge(benchmark, matrices)
    for i, (first, second, foil) in enumerate(m[0] for m in matrices):  # as the code asks, with its strict signs
        assert found.correct["both"][i] == (first > foil and second > foil)
        assert found.correct["first"][i] == (first > foil)
        assert found.correct["second"][i] == (second > foil)
    assert list(found.correct) == ["both", "first", "second"]
    assert [float(chance[0]) for chance in found.chance.values()] == [1 / 3, 0.5, 0.5]


def test_chance_is_what_scores_in_random_order_reach(tmp_path: Path) -> None:
    rows = [{**TWO_TRUE[0], "id": i, "filename": f"{i}.jpg"} for i in range(4000)]
    benchmark = read_benchmark("", write(tmp_path / "swap_obj.json", rows))
    rng = np.random.default_rng(1)
    found = judge(benchmark, [rng.normal(size=(1, 3)) for _ in rows])
    vectors: list[F32] = [rng.normal(size=(3, 64)).astype(np.float32) for _ in rows]
    told = with_text_only(found, benchmark, [v / np.linalg.norm(v, axis=1, keepdims=True) for v in vectors])
    for key, right in told.correct.items():
        assert right.mean() == pytest.approx(told.chance[key][0], abs=0.03)


def test_text_only_asks_that_the_true_ones_are_nearest_each_other(tmp_path: Path) -> None:
    benchmark = read_benchmark("", write(tmp_path / "swap_obj.json", TWO_TRUE))
    near = np.array([[1, 0, 0], [0.8, 0.6, 0], [0, 0, 1]], np.float32)
    told = with_text_only(judge(benchmark, random_matrices(2)), benchmark, [near, near[[0, 2, 1]]])
    assert told.correct["text only"].tolist() == [True, False]


class Reader:
    """A scorer with a text side: captions that begin alike are near each other."""

    name, fingerprint = "made", "made"

    def score(self, pictured: LoadedBenchmark, **_: Any) -> Scores:
        return Scores(self.name, self.fingerprint, tuple(random_matrices(len(pictured.benchmark))))

    def read_captions(self, captions: Sequence[str], **_: Any) -> F32:
        rows = np.array([[ord(c.lower()[2]), len(c), 1] for c in captions], np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_a_run_has_every_figure_and_the_similarity_to_the_foil_alone(tmp_path: Path) -> None:
    result = run_composition(read(tmp_path), Reader())  # pyright: ignore[reportArgumentType]
    assert [metric.key for metric in result.metrics] == ["both", "first", "second", "text only"]
    assert result.headline == "both"
    vectors = Reader().read_captions(list(TWO_TRUE[0][key] for key in ("caption", "negative_caption")))
    assert result.foil_similarity is not None
    assert result.foil_similarity[0] == pytest.approx(float(vectors[0] @ vectors[1]), abs=1e-6)


def test_an_item_whose_foil_says_what_a_true_caption_says_is_not_asked(tmp_path: Path) -> None:
    same = {**TWO_TRUE[0], "id": 3, "negative_caption": "On a  mat there is a CAT."}
    twice = {**TWO_TRUE[1], "id": 4, "caption2": TWO_TRUE[1]["caption"]}
    pictured = read(tmp_path, [TWO_TRUE[0], same, twice])
    assert [item.id for item in pictured.benchmark.items] == ["swap_obj/0", "swap_obj/4"]
    assert all(len(item.captions) == 3 for item in pictured.benchmark.items)
    assert pictured.benchmark.excluded == (("swap_obj/3", "captions are equal"),)


def test_baselines_and_failures_take_both_captions_for_true(tmp_path: Path) -> None:
    rows = [
        {**TWO_TRUE[i % 2], "id": i, "filename": f"{i}.jpg", "negative_caption": f"Zebra {i}, a long wrong text."}
        for i in range(60)
    ]
    pictured = LoadedBenchmark(read_benchmark("", write(tmp_path / "swap_obj.json", rows)), None)  # pyright: ignore
    for scorer in (LengthScorer(), LearnedScorer()):
        assert judge(pictured.benchmark, scorer.score(pictured).matrices).correct["both"].mean() > 0.9
    margins = sample_margins(np.array([[3.0, 1.0, 2.0]]), pictured.benchmark.items[0].match, "text")
    assert margins.tolist() == [1.0, -1.0]


def test_an_item_of_another_shape_is_refused(tmp_path: Path) -> None:
    benchmark = read_benchmark("", write(tmp_path / "swap_obj.json", TWO_TRUE))
    one = replace(benchmark.items[0], match=((0, 0),))
    with pytest.raises(InvalidInput, match="at least 3 captions, 2 of them true"):
        judge(replace(benchmark, items=(one,)), random_matrices(1))
