"""A run whose arrays do not belong together is damaged; nothing later may meet a row that is not there."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import InvalidInput
from core.files import digest, read_arrays, write_arrays
from core.records import Diagnosis
from core.store import ARRAYS, STATE, load, save
from core.store.rows import check_rows
from tests.support.diagnoses import make_diagnosis


def _clusters(diagnosis: Diagnosis, **changed: Any) -> Diagnosis:
    return replace(diagnosis, clusters=tuple(replace(one, **changed) for one in diagnosis.clusters))


BENT: dict[str, Any] = {
    "suspected labels": lambda d: replace(d, label_errors=np.array([2**40])),
    "counterexamples": lambda d: _clusters(d, counterexamples=np.array([-1])),
    "membership": lambda d: _clusters(d, membership=np.zeros(3)),
    "labels": lambda d: replace(d, samples=replace(d.samples, labels=np.full(60, 3))),
    "predicted losses": lambda d: replace(d, estimate=replace(d.estimate, predicted=np.zeros((60, 2)))),
    "map": lambda d: replace(d, map=replace(d.map, xy=np.zeros((60, 3), np.float32))),
    "mask of an insight": lambda d: replace(d, insights=(replace(d.insights[0], mask=np.zeros(61, bool)),)),
    "words are needed": lambda d: _column(d, "category", np.full(60, 1.5)),
    "numbers are needed": lambda d: _column(d, "number", np.full(60, None)),
}


def _column(diagnosis: Diagnosis, kind: Any, values: Any) -> Diagnosis:
    column = replace(diagnosis.samples.metadata[0], kind=kind, values=values)
    return replace(diagnosis, samples=replace(diagnosis.samples, metadata=(column,)))


def test_a_whole_diagnosis_passes() -> None:
    check_rows(make_diagnosis())
    check_rows(make_diagnosis(n_clusters=0, with_errors=False, with_images=False))


@pytest.mark.parametrize("what", BENT)
def test_an_array_that_does_not_belong_is_named(what: str) -> None:
    with pytest.raises(ValueError, match=what):
        check_rows(BENT[what](make_diagnosis()))


def test_a_run_of_rows_that_are_not_there_is_damaged(tmp_path: Path) -> None:
    save(replace(make_diagnosis(), label_errors=np.array([0, 59])), tmp_path)
    said = json.loads((tmp_path / STATE).read_text("utf-8"))
    with (tmp_path / ARRAYS).open("rb") as file:
        arrays = read_arrays(file)
    write_arrays(tmp_path / ARRAYS, arrays | {"/label_errors": np.array([0, 60])})
    said["digests"][ARRAYS] = digest(tmp_path / ARRAYS)
    (tmp_path / STATE).write_text(json.dumps(said), "utf-8")
    with pytest.raises(InvalidInput, match=r"is damaged \(suspected labels"):
        load(tmp_path)


def test_a_run_with_a_number_for_a_cluster_is_damaged(tmp_path: Path) -> None:
    save(make_diagnosis(), tmp_path / "run")
    state = tmp_path / "run" / STATE
    said = json.loads(state.read_text("utf-8"))
    said["diagnosis"]["clusters"]["$tuple"] = [5]
    state.write_text(json.dumps(said), "utf-8")
    with pytest.raises(InvalidInput, match=r"is damaged \(Diagnosis\.clusters"):
        load(tmp_path / "run")
