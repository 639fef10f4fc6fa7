from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core.errors import InvalidInput
from core.folders import all_at_once
from core.systems.composition.records import Benchmark, CompositionResult, Picture
from core.systems.composition.reports import tables as results
from core.systems.composition.reports.tables import RESULT, items_table, load_result, result_document, write_result
from core.systems.composition.scoring.encoder import EncoderScorer
from core.systems.composition.scoring.run import run_composition
from tests.support.benchmarks import Given, choices, colour_encoder, pairs, pictured, queries, random_scores

NAMES = ["composition.json", "items.parquet", "scores.npz"]


def made(kind: str) -> tuple[CompositionResult, Benchmark]:
    rng = np.random.default_rng(0)
    if kind == "retrieval":
        own = queries(12, 20, rng)
        return run_composition(pictured(own), Given(random_scores(own, rng))), own
    own = (
        replace(pairs(14), pictures=tuple(Picture(f"{i}.png", (0.0, 1.0, 5.0, 6.5)) for i in range(28)))
        if kind == "pairs"
        else choices(60, 4)
    )
    own = replace(own, excluded=(("lost", "no image: x.png"),), notes=("A note with ü.",))
    return run_composition(pictured(own, [3]), EncoderScorer(colour_encoder(own, rng))), own


def save_result(result: Any, benchmark: Any, folder: Path) -> None:
    """As `compose run` writes one model's."""
    with all_at_once(folder, RESULT) as scratch:
        write_result(result, benchmark, scratch)


def same(a: Any, b: Any) -> bool:
    """Whether two trees of records hold the same, arrays to the last bit."""
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
    if hasattr(a, "__dataclass_fields__"):
        return type(a) is type(b) and all(same(getattr(a, f.name), getattr(b, f.name)) for f in fields(a))
    if isinstance(a, tuple | list):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    return a == b or (a != a and b != b)


@pytest.mark.parametrize("kind", ["pairs", "choice", "retrieval"])
def test_a_saved_result_comes_back_whole(kind: str, tmp_path: Path):
    result, benchmark = made(kind)
    save_result(result, benchmark, tmp_path / "run")
    assert same(result, load_result(tmp_path / "run"))
    assert sorted(p.name for p in (tmp_path / "run").iterdir()) == NAMES


def test_the_document_is_plain_json_with_every_figure():
    result, _ = made("choice")
    document = json.loads(json.dumps(result_document(result), allow_nan=False))
    assert document["n"] == len(result.ids) == 59
    assert [m["key"] for m in document["metrics"]] == ["r@1", "r@3", "mean rank"]
    assert document["metrics"][0]["value"] == result.metrics[0].value.to_dict()
    assert document["metrics"][0]["chance"] == 0.25
    assert [b["name"] for b in document["blind"]] == [
        "shorter caption",
        "longer caption",
        "learned from other captions",
    ]
    assert document["excluded"]["by_reason"] == {"no image": 1, "an image cannot be read": 1}
    assert document["excluded"]["items"][0] == {"id": "lost", "reason": "no image: x.png"}


def test_the_table_has_one_row_an_item_with_its_scores():
    result, benchmark = made("pairs")
    table = items_table(result, benchmark)
    assert len(table) == 13  # p1 has the image that cannot be read
    first = table.iloc[1]
    assert (first["id"], first["captions"], first["pictures"]) == ("p2", ["a2", "b2"], ["4.png", "5.png"])
    assert first["match"] == ["0:0", "1:1"]
    assert first["tag half"] == "0"
    assert first["scores"] == result.matrices[1].ravel().tolist()
    np.testing.assert_array_equal(table["correct group"], result.correct["group"])
    np.testing.assert_array_equal(table["margin"], result.margin)


def test_the_saved_table_is_the_same_table(tmp_path: Path):
    result, benchmark = made("retrieval")
    save_result(result, benchmark, tmp_path)
    saved = pd.read_parquet(tmp_path / "items.parquet")
    table = items_table(result, benchmark)
    assert list(saved.columns) == list(table.columns)
    np.testing.assert_array_equal(saved["value map"], result.values["map"])
    assert saved["pictures"][3].tolist() == table["pictures"][3]


def test_saving_again_replaces_and_leaves_other_files_alone(tmp_path: Path):
    (tmp_path / "mine.txt").write_text("mine")
    first, benchmark = made("pairs")
    second = replace(first, name="another")
    for result in (first, second):
        save_result(result, benchmark, tmp_path)
    assert load_result(tmp_path).name == "another"
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([*NAMES, "mine.txt"])


def test_a_save_that_fails_leaves_the_earlier_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    result, benchmark = made("pairs")
    save_result(result, benchmark, tmp_path)

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(results, "write_json", full)
    with pytest.raises(InvalidInput, match="No space left on device"):
        save_result(replace(result, name="later"), benchmark, tmp_path)
    assert load_result(tmp_path).name == result.name
    assert sorted(p.name for p in tmp_path.iterdir()) == NAMES


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("damage", ["cut", "gone", "empty"])
def test_a_damaged_or_missing_file_is_one_message(name: str, damage: str, tmp_path: Path):
    result, benchmark = made("pairs")
    save_result(result, benchmark, tmp_path)
    path = tmp_path / name
    data = path.read_bytes()
    path.unlink()
    if damage != "gone":
        path.write_bytes(data[: len(data) // 2] if damage == "cut" else b"")
    with pytest.raises(
        InvalidInput, match="no composition.json" if name == NAMES[0] and damage == "gone" else "is damaged"
    ):
        load_result(tmp_path)


@pytest.mark.parametrize("change", [{"state": {}}, {"state": None}, {"digests": []}, {"format": None}])
def test_json_of_another_shape_is_one_message(change: dict[str, Any], tmp_path: Path):
    result, benchmark = made("pairs")
    save_result(result, benchmark, tmp_path)
    path = tmp_path / "composition.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | change))
    with pytest.raises(InvalidInput, match=r"is damaged|has format None"):
        load_result(tmp_path)


def test_a_list_in_place_of_the_document_is_one_message(tmp_path: Path):
    (tmp_path / "composition.json").write_text("[]")
    with pytest.raises(InvalidInput, match="is damaged"):
        load_result(tmp_path)


def test_a_benchmark_that_is_not_the_results_is_refused(tmp_path: Path):
    result, _ = made("pairs")
    with pytest.raises(InvalidInput, match="'p0' of 'pairs, colours' is not in Made choice"):
        save_result(result, choices(5), tmp_path / "run")
    assert not any((tmp_path / "run").iterdir())
