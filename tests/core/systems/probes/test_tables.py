"""Probes and comparisons in the exports and in diagnosis.json, and their way through the store."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from core.checks.compare import compare, comparisons
from core.checks.second_model import with_outcomes
from core.reports.tables.comparison import comparison_table, comparisons_table
from core.reports.tables.diagnosis import to_document, write_results
from core.store import load, save
from core.systems.probes.records import results_of, with_results
from core.systems.probes.tables import probe_document, probes_table
from tests.support.diagnoses import assert_same, make_diagnosis
from tests.support.probes import made_probe, with_probes


def test_probes_and_all_that_explains_them_come_back_from_the_store(tmp_path: Path) -> None:
    run = with_probes()
    save(run, tmp_path / "run.errata")
    again = load(tmp_path / "run.errata")
    assert_same(results_of(run), results_of(again))
    assert_same(compare(run, "model", "weak"), compare(again, "model", "weak"))


def test_a_row_for_each_sample_and_probe_says_what_was_predicted() -> None:
    run = with_probes()
    table = probes_table(run)
    assert list(table.columns) == ["id", "probe", "label", "prediction", "loss", "p_true", "correct"]
    assert table["probe"].value_counts().to_dict() == {"weak": 60, "made, 2 shots": 57}
    np.testing.assert_array_equal(table["correct"], table["label"] == table["prediction"])
    np.testing.assert_allclose(table["loss"], -np.log(table["p_true"]))
    own = table[table["probe"] == "made, 2 shots"]
    assert own["correct"].mean() == results_of(run)[0].accuracy.value
    assert own["id"].tolist() == list(run.samples.ids[:57])


def test_a_run_without_probes_has_empty_tables_and_no_file(tmp_path: Path) -> None:
    write_results(make_diagnosis(), tmp_path)
    assert not (tmp_path / "probes.parquet").exists()
    assert probes_table(make_diagnosis()).empty
    assert comparisons_table(make_diagnosis()).empty
    assert to_document(make_diagnosis())["probes"] == []


def test_the_files_of_a_run_hold_its_probes(tmp_path: Path) -> None:
    write_results(with_probes(), tmp_path)
    assert len(pd.read_parquet(tmp_path / "probes.parquet")) == 117
    document = json.loads((tmp_path / "diagnosis.json").read_text("utf-8"))
    first = document["probes"][0]
    assert first["settings"] == {"shots": 2, "tune": False, "seed": 0}
    assert first["support"]["purity"] == [0.5, None, 1.0]
    assert first["comparison"]["scopes"][0]["kind"] == "all"
    assert first["excluded"] == {"n": 3, "by_reason": {"it taught the probe": 3}}


def test_the_comparison_has_a_row_for_all_each_cluster_and_each_class_whose_counts_add_up() -> None:
    run = with_probes()
    found = compare(run, "model", "weak")
    table = comparison_table(run, found)
    assert table["kind"].tolist() == ["all", "cluster", "cluster", "class", "class", "class"]
    np.testing.assert_array_equal(table[["fixed", "broken", "both", "neither"]].sum(axis=1), table["n"])
    assert table.loc[0, "difference"] == found.overall.difference.value
    assert table["cluster"].tolist() == [pd.NA, 0, 1, pd.NA, pd.NA, pd.NA]
    assert {"shares_low", "excess_gap_high"} <= set(table.columns)


def test_without_the_models_errors_the_probes_are_compared_with_the_first() -> None:
    run = with_probes(make_diagnosis(with_errors=False))
    assert [(c.a, c.b) for c in comparisons(run)] == [("made, 2 shots", "weak")]
    assert probe_document(run, results_of(run)[0])["comparison"] is None
    assert set(comparisons_table(run)["a"]) == {"made, 2 shots"}


def test_a_probe_whose_own_losses_are_diagnosed_is_not_compared_with_itself() -> None:
    run = make_diagnosis()
    own = with_results(
        replace(run, extras={"probe": "zero-shot"}),
        (made_probe(run, name="zero-shot"), made_probe(run, name="other", seed=4)),
    )
    assert [(c.a, c.b) for c in comparisons(own)] == [("model", "other")]


def test_a_model_that_was_brought_is_saved_once_and_what_is_not_known_of_it_stays_empty(tmp_path: Path) -> None:
    run = with_probes()
    outcomes = replace(run.outcomes, predictions=None, scores=None)
    brought = with_outcomes(run, "mine", "given", outcomes, np.arange(60), "Made.")
    again = with_results(brought, results_of(brought))
    assert [one.name for one in results_of(again)] == ["mine", "made, 2 shots", "weak"]
    save(again, tmp_path / "run.errata")
    assert [one.name for one in results_of(load(tmp_path / "run.errata"))] == ["mine", "made, 2 shots", "weak"]
    own = probes_table(again).query("probe == 'mine'")
    assert outcomes.errors is not None
    assert own["correct"].tolist() == (~outcomes.errors).tolist()
    assert own["p_true"].isna().all()
    assert set(own["prediction"]) == {""}
