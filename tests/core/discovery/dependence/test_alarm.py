"""Rows that are related without a column that says so are noticed, and separate samples are left alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core.cli.main import main
from core.data.tables.roles import Roles
from core.diagnose import diagnose
from core.discovery.settings import Settings
from core.errors import InvalidInput
from core.records import F32, F64, I64, Bool, Diagnosis
from core.reports.sections import overview
from core.store import load
from research.evidence.dependence import drift, fails

D = 32
QUICK = Settings(n_permutations=199, n_members=2, map=False, words=False, sensitivity=False)


@dataclass
class Rows:
    """Samples whose difficulty has nothing to do with what is seen, and their table."""

    vectors: F32
    wrong: Bool
    ids: list[str]
    columns: dict[str, Any] = field(default_factory=dict)

    def picked(self, rows: I64) -> Rows:
        columns = {name: np.asarray(values)[rows] for name, values in self.columns.items()}
        return Rows(self.vectors[rows], self.wrong[rows], [self.ids[row] for row in rows], columns)

    def frame(self) -> pd.DataFrame:
        return pd.DataFrame({"id": self.ids, "loss": self.wrong.astype(float), **self.columns})

    def diagnosed(self, group: str | None = None, **options: Any) -> Diagnosis:
        return diagnose(self.frame(), embeddings=self.vectors, roles=Roles(group=group), settings=QUICK, **options)


def unit(vectors: F64) -> F32:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def film(n: int = 2000, seed: int = 0) -> Rows:
    rng = np.random.default_rng(seed)
    seen = drift(n, 12, 0.9, rng) @ rng.normal(size=(12, D)) * 0.4 + 0.4 * rng.normal(size=(n, D))
    wrong = fails(2 * drift(n, 1, 0.9, rng)[:, 0], rng)
    return Rows(unit(seen), wrong, [f"cam1_{row:05d}.jpg" for row in range(n)])


def patients(seed: int = 0, each: int = 10) -> Rows:
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(80), each)
    seen = rng.normal(size=(80, D))[patient] + 0.7 * rng.normal(size=(len(patient), D))
    wrong = fails(1.3 * rng.normal(size=80)[patient], rng)
    names = [f"p{who:03d}_f{row % each:02d}.png" for row, who in enumerate(patient.tolist())]
    rows = Rows(unit(seen), wrong, names, {"case": [f"C-{who:03d}" for who in patient.tolist()]})
    return rows.picked(rng.permutation(len(patient)))


def bursts(seed: int = 0) -> Rows:
    rng = np.random.default_rng(seed)
    burst = np.repeat(np.arange(220), rng.integers(1, 8, 220))
    seen = rng.normal(size=(220, D))[burst] + 0.5 * rng.normal(size=(len(burst), D))
    wrong = fails(1.3 * rng.normal(size=220)[burst], rng)
    taken = np.sort(rng.random(220))[burst] * 1e6 + np.arange(len(burst)) * 1.5
    rows = Rows(unit(seen), wrong, nameless(len(burst)), {"taken": taken})
    return rows.picked(rng.permutation(len(burst)))


def separate(seed: int = 0, n: int = 800) -> Rows:
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 20, n)
    seen = rng.normal(size=(20, D))[kind] + rng.normal(size=(n, D))
    return Rows(unit(seen), fails(0.8 * rng.normal(size=20)[kind], rng), nameless(n))


def nameless(n: int) -> list[str]:
    rng = np.random.default_rng(7)
    return ["".join(rng.choice(list("abcdefghij"), 12)) + ".jpg" for _ in range(n)]


def claims(diagnosis: Diagnosis) -> bool:
    predictability = diagnosis.estimate.predictability
    found = (*diagnosis.clusters, *(i for i in diagnosis.insights if i.confirmed))
    return bool(found) or predictability.confirmed or any(c.confirmed for c in diagnosis.classes)


@pytest.mark.parametrize(
    ("rows", "unit_name"),
    [(film(seed=1), "stretch"), (patients(), "case"), (bursts(2), "stretch")],
    ids=["film", "patients", "bursts"],
)
def test_related_rows_are_noticed_and_make_no_false_claim(rows: Rows, unit_name: str) -> None:
    assert claims(rows.diagnosed("none")), "as separate samples they make one, or this test shows nothing"
    found = rows.diagnosed()
    assert found.samples.dependence is not None
    assert found.samples.group_name == unit_name
    assert not claims(found)
    assert found.estimate.predictability.p is not None
    assert f"these are not {len(rows.ids):,} separate samples" in overview(found).warnings[0]


@pytest.mark.parametrize("seed", [0, 1])
def test_separate_samples_are_left_alone_in_any_order(seed: int) -> None:
    rows = separate(seed)
    rng = np.random.default_rng(seed)
    n = len(rows.ids)
    loss = np.where(rows.wrong, 1 + rng.random(n), rng.random(n))
    kind = np.argsort(rows.vectors[:, 0])
    for order in (np.arange(n), np.argsort(-loss), np.lexsort((loss, rows.wrong)), kind):
        found = diagnose(
            rows.picked(order).frame().assign(loss=loss[order], number=np.arange(n) % 400),
            embeddings=rows.vectors[order],
            settings=QUICK,
        )
        assert found.samples.dependence is None
        assert found.samples.groups is None
        assert not overview(found).warnings


def test_a_table_sorted_by_a_kind_of_which_one_fails_is_left_alone() -> None:
    rng = np.random.default_rng(3)
    kind = np.sort(rng.integers(0, 20, 800))
    seen = 0.7 * rng.normal(size=(20, D))[kind] + rng.normal(size=(800, D))
    wrong = rng.random(800) < np.where(kind == 4, 0.6, 0.08)
    assert Rows(unit(seen), wrong, nameless(800)).diagnosed().samples.dependence is None


def test_the_coarsest_key_is_used_and_its_columns_are_no_conditions() -> None:
    rng = np.random.default_rng(1)
    rows = patients()
    case = rows.columns["case"]
    visit = [f"{name}-{number}" for name, number in zip(case, rng.integers(0, 2, len(case)))]
    rows.columns |= {"visit": visit, "hospital": [f"h{int(name[2:]) % 4}" for name in case]}
    found = rows.diagnosed()
    assert found.samples.group_name == "case"
    assert [column.name for column in found.samples.metadata] == ["hospital"]
    assert any("'case', 'visit' name related rows" in note for note in found.notes)


def test_a_true_failure_is_found_among_noticed_patients() -> None:
    rows = patients()
    rng = np.random.default_rng(2)
    sign = rng.random(len(rows.ids)) < 0.15
    vectors = rows.vectors.astype(np.float64)
    vectors[sign] += rng.normal(size=D) * 0.25
    wrong = rng.random(len(sign)) < np.where(sign, 0.7, 0.08)
    found = Rows(unit(vectors), wrong, rows.ids, rows.columns).diagnosed()
    assert found.samples.dependence is not None
    assert found.clusters
    assert sign[found.clusters[0].membership >= 0.5].mean() > 0.6


def test_few_stretches_and_sets_without_names_give_no_p_until_the_user_answers() -> None:
    short = film(900)
    shuffled = patients()
    shuffled = Rows(shuffled.vectors, shuffled.wrong, nameless(len(shuffled.ids)))
    for rows in (short, shuffled):
        found = rows.diagnosed()
        assert found.samples.unanswered
        assert found.estimate.predictability.p is None
        assert not claims(found)
        section = overview(found)
        assert "Nothing was tested" in section.warnings[0]
        assert section.title == "No group is confirmed: rows look related, so nothing was tested."
        answered = rows.diagnosed("none")
        assert answered.samples.dependence is None
        assert answered.estimate.predictability.p is not None
    by_order = short.diagnosed("order")
    assert by_order.samples.dependence is not None
    assert by_order.estimate.predictability.p is not None


def test_names_relate_rows_where_the_user_says_so() -> None:
    rows = separate()
    assert rows.diagnosed().samples.groups is None
    named = Rows(rows.vectors, rows.wrong, [f"s{row // 10:02d}_{row}" for row in range(len(rows.ids))])
    found = named.diagnosed("names")
    assert found.samples.groups is not None
    assert len(np.unique(found.samples.groups)) == 80
    with pytest.raises(InvalidInput, match="fewer than 20 groups"):
        rows.diagnosed("names")


def test_a_column_of_that_name_comes_first_and_named_groups_are_not_doubted() -> None:
    rows = patients()
    rows.columns["none"] = rows.columns.pop("case")
    found = rows.diagnosed("none")
    assert found.samples.group_name == "none"
    assert found.samples.dependence is None


def test_near_duplicates_are_not_taken_for_related_rows() -> None:
    rows = separate(4, 600)
    twice = rows.picked(np.repeat(np.arange(600), 2))
    found = Rows(twice.vectors, twice.wrong, nameless(1200)).diagnosed()
    assert found.samples.group_name == "copies"
    assert found.samples.dependence is None


def test_held_out_rows_are_whole_groups_and_the_run_keeps_what_was_noticed(tmp_path: Path) -> None:
    rows = patients()
    found = rows.diagnosed(hold_back=0.3)
    cases = set(rows.columns["case"])
    kept = {rows.columns["case"][rows.ids.index(name)] for name in found.samples.ids}
    assert found.prediction is not None
    assert found.prediction.n_fresh == 10 * (len(cases) - len(kept))
    from core.store import save

    save(found, tmp_path / "run.errata")
    again = load(tmp_path / "run.errata")
    assert overview(again).warnings == overview(found).warnings


def test_frames_with_timestamps_are_noticed_from_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = film(500)
    rows.frame().assign(timestamp=np.arange(500) * 0.2).to_csv(tmp_path / "table.csv", index=False)
    np.save(tmp_path / "vectors.npy", rows.vectors)
    brought = ["--table", f"{tmp_path}/table.csv", "--embeddings", f"{tmp_path}/vectors.npy"]
    quick = ["--permutations", "199", "--no-map", "--no-words"]
    assert main(["diagnose", *brought, *quick, "--out", f"{tmp_path}/a.errata"]) == 0
    said = capsys.readouterr().out
    assert "these are not 500 separate samples. Nothing was tested" in said
    assert "p = " not in said
    assert main(["diagnose", *brought, *quick, "--group", "none", "--out", f"{tmp_path}/b.errata"]) == 0
    assert "separate samples" not in capsys.readouterr().out
