"""diagnosis.json and the tables hold what docs/schema.md says, no more, no less."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core.checks.audit_table import audit_table
from core.records import Competence, Estimate
from core.reports.tables.diagnosis import (
    SCHEMA,
    audit_frame,
    clusters_table,
    insights_table,
    memberships_table,
    prediction_table,
    samples_table,
    to_document,
    weights_table,
    write_results,
)
from core.reports.tables.sections import sections_table
from core.reports.terminal import text_summary
from core.statistics.counts import top_members
from core.systems.probes.records import results_of, with_results
from core.systems.proposer.records import KEY, Proposal, Proposed
from core.yours import OwnMark, new_set, with_mark, with_set
from tests.support.diagnoses import make_diagnosis
from tests.support.faithfulness import made_faithfulness
from tests.support.probes import with_probes
from tests.support.words import in_two_parts, made_prediction, with_words

FREE = ("settings", "versions", "by_reason", "details")
"""Keys whose own keys are names: not part of the schema."""


def keys(value: Any, path: str = "") -> Iterator[str]:
    """Every key of a document as a path; the items of a list are "[]"."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield f"{path}.{key}".lstrip(".")
            if key not in FREE:
                yield from keys(item, f"{path}.{key}".lstrip("."))
    elif isinstance(value, list):
        within = path.replace("rows[].rows", "rows")  # a row's rows have the keys of a row
        for item in value:
            yield from keys(item, f"{within}[]")


@pytest.mark.parametrize("options", [{}, {"n_clusters": 0}, {"with_errors": False}, {"hostile": True}], ids=str)
def test_every_key_is_documented_and_every_documented_key_is_written(options: dict[str, Any], repository: Path) -> None:
    described = (
        (repository / "docs" / "schema.md").read_text("utf-8").split("## diagnosis.json")[1].split("## The tables")[0]
    )
    documented = set(re.findall(r"^\| `([^`]+)` \|", described, flags=re.MULTILINE))
    plain = make_diagnosis(**options)
    written = {re.sub(r"\.(value|low|high)$", "", key) for key in keys(to_document(plain))}
    assert written <= documented
    if not options:
        whole = replace(with_words(plain), prediction=made_prediction(), faithfulness=made_faithfulness())
        ruled = replace(
            in_two_parts(whole),
            insights=(replace(whole.insights[0], tests=(("weather", "=", "fog"),)), *whole.insights[1:]),
        )
        probed = with_probes(ruled)
        more = replace(
            results_of(probed)[0], name="made, 4 shots", settings={**results_of(probed)[0].settings, "shots": 4}
        )
        probed = with_results(probed, (*results_of(probed), more))
        offered = Proposal(
            "in the dark", "an assistant", "", "all samples", 24, 36, 1, "not confirmed", "could be chance"
        )
        probed = replace(probed, extras={**probed.extras, KEY: Proposed((offered,))})
        own = with_set(probed, new_set(ruled, "mine", np.arange(3), "an outline"))
        full = {
            re.sub(r"\.(value|low|high)$", "", key)
            for key in keys(to_document(with_mark(own, OwnMark("sample", 0, title="x"))))
        }
        assert full == documented


def test_a_run_without_words_says_so_with_null() -> None:
    document = to_document(make_diagnosis())
    assert document["words"] is None
    assert document["prediction"] is None
    assert all(insight["held_out"] is None for insight in document["insights"])


def test_json_and_table_say_what_the_terminal_says() -> None:
    diagnosis = replace(with_words(), prediction=made_prediction())
    printed = text_summary(diagnosis)
    shown = [
        row
        for section in to_document(diagnosis)["sections"]
        for row in section["rows"]
        if row["verdict"] not in ("not confirmed", "not tested")
    ]
    assert len(shown) >= 8
    for row in shown:
        assert row["subject"] in printed
        assert row["text"][1:] in printed
    table = sections_table(diagnosis)
    groups = table[table["section"] == "groups"]
    assert groups["rank"].tolist() == [1, 2]
    assert groups["p"].tolist() == [cluster.p for cluster in diagnosis.clusters]
    assert (groups["low"] <= groups["value"]).all()
    assert (groups["value"] > groups["against"]).all()


def test_phrases_carry_their_evidence_and_their_sentence() -> None:
    diagnosis = with_words()
    document = json.loads(json.dumps(to_document(diagnosis), allow_nan=False))
    told = next(i for i in document["insights"] if i["kind"] == "phrase")
    assert told["held_out"] == {"value": 0.87, "low": 0.8, "high": 0.93}
    assert told["family"] == "light"
    assert told["sentence"].startswith(
        'Images like "in the dark": wrong on 30 of 30 (100%), 9.0% of the others; not tested.'
    )
    assert document["clusters"][0]["title"] == "Images with weather: fog"
    assert document["words"] == {"encoder": "made", "n_phrases": 8, "n_families": 7}


def test_a_prediction_is_written_row_by_row() -> None:
    document = to_document(replace(with_words(), prediction=made_prediction()))["prediction"]
    assert document["digest"] == "ab12" * 16
    assert [row["as_predicted"] for row in document["rows"]] == [True, False, None, None, False]
    assert document["rows"][3]["observed"] is None
    assert document["rows"][0]["sentence"].endswith("Holds.")
    assert document["excluded"] == [{"id": "a.png", "reason": "the same image is among the diagnosed ones"}]


def test_the_rows_of_a_prediction_keep_the_class_that_a_cluster_was_found_in() -> None:
    diagnosis, made = with_words(), made_prediction()
    of_class = replace(made.rows[0], kind="cluster", text=diagnosis.clusters[0].name, scope="bus")
    told = replace(diagnosis, prediction=replace(made, rows=(of_class, *made.rows[1:])))
    assert to_document(told)["prediction"]["rows"][0]["text"].startswith("Group 1 (")
    scopes = ["bus", *(row.scope for row in made.rows[1:])]
    assert [row["scope"] for row in to_document(told)["prediction"]["rows"]] == scopes
    assert prediction_table(told)["scope"].tolist() == scopes


def test_the_audit_has_a_row_for_each_phrase_and_scope() -> None:
    cells = audit_table(with_words(), most=3)
    table = audit_frame(cells)
    assert len(table) == len(cells) == 3 * 4
    assert table["phrase"].nunique() == 3
    assert set(table["scope"]) == {"all samples", "bus", "car", "tram"}
    assert list(table.columns[:7]) == [
        "phrase",
        "family",
        "scope",
        "support",
        "observed",
        "observed_low",
        "observed_high",
    ]


def test_the_document_is_strict_json_without_nan(tmp_path: Path) -> None:
    write_results(make_diagnosis(n_clusters=0), tmp_path)
    text = (tmp_path / "diagnosis.json").read_text("utf-8")

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    document = json.loads(text, parse_constant=refuse)
    assert document["schema"] == SCHEMA == "errata.diagnosis/1"
    assert document["predictability"]["correlation"] == {"value": None, "low": None, "high": None}


def test_the_same_diagnosis_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_results(make_diagnosis(), tmp_path / name)
    for file in ("diagnosis.json", "samples.parquet", "memberships.parquet", "excluded.parquet"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_samples_have_the_documented_columns_and_types(tmp_path: Path) -> None:
    diagnosis = make_diagnosis()
    write_results(diagnosis, tmp_path)
    table = pd.read_parquet(tmp_path / "samples.parquet")
    assert list(table.columns) == ["id", "loss", "predicted", "spread", "cluster", "membership", "x", "y"]
    assert pd.api.types.is_string_dtype(table["id"])
    assert list(table["id"]) == list(diagnosis.samples.ids)
    assert table["cluster"].dtype == np.int64
    np.testing.assert_array_equal(table["loss"], diagnosis.outcomes.loss)
    for row, (cluster, membership) in enumerate(zip(table["cluster"], table["membership"], strict=True)):
        best = max(diagnosis.clusters, key=lambda c: c.membership[row])
        assert membership == best.membership[row]
        assert cluster == (best.id if best.membership[row] >= 0.5 else -1)


def test_with_nothing_found_every_sample_is_in_no_cluster() -> None:
    diagnosis = make_diagnosis(n_clusters=0)
    assert (samples_table(diagnosis)["cluster"] == -1).all()
    assert list(memberships_table(diagnosis).columns) == ["id"]
    assert (weights_table(diagnosis)["weight"] == 1).all()
    assert insights_table(diagnosis).empty


def test_memberships_have_a_column_for_each_confirmed_cluster() -> None:
    diagnosis = make_diagnosis(n_clusters=3, n=120)
    table = memberships_table(diagnosis)
    assert list(table.columns) == ["id", "0", "1", "2"]
    np.testing.assert_array_equal(table["2"], diagnosis.clusters[2].membership)


def test_left_out_rows_keep_their_reason(tmp_path: Path) -> None:
    write_results(make_diagnosis(), tmp_path)
    table = pd.read_parquet(tmp_path / "excluded.parquet")
    assert table.to_dict("list") == {
        "id": ["street/9001.png", "street/9002.png"],
        "reason": ["image could not be decoded", "loss is not a number"],
    }


def test_clusters_come_in_rank_order_and_candidates_after_them_without_id_or_p() -> None:
    table = clusters_table(make_diagnosis())
    assert table["id"].tolist() == [0, 1, pd.NA]
    assert table["confirmed"].tolist() == [True, True, False]
    assert table["p"].isna().tolist() == [False, False, True]
    document = to_document(make_diagnosis())
    assert [c["id"] for c in document["clusters"]] == [0, 1]
    assert [c["p"] for c in document["candidates"]] == [None]


def test_members_are_listed_by_membership_and_equals_by_loss() -> None:
    diagnosis = make_diagnosis()
    membership = np.zeros(60)
    membership[[3, 9, 20, 30]] = [0.6, 0.9, 0.6, 0.49]
    loss = diagnosis.outcomes.loss.copy()
    loss[[3, 20]] = [1.0, 2.0]
    changed = replace(diagnosis, outcomes=replace(diagnosis.outcomes, loss=loss))
    assert top_members(changed, replace(diagnosis.clusters[0], membership=membership), 24).tolist() == [9, 20, 3]


def test_weights_follow_the_lower_bound_and_have_mean_one() -> None:
    diagnosis = make_diagnosis(n_clusters=1)
    cluster = replace(
        diagnosis.clusters[0], membership=np.where(np.arange(60) < 6, 0.8, 0.2), excess_loss=Estimate(9.0, 0.5, 12.0)
    )
    weights = weights_table(replace(diagnosis, clusters=(cluster,)))["weight"].to_numpy()
    inside = 1 + 0.8 * 0.5 / diagnosis.outcomes.loss.mean()
    np.testing.assert_allclose(weights[:6] / weights[6:7], inside)
    assert weights.mean() == pytest.approx(1)
    negative = replace(cluster, excess_loss=Estimate(0.1, -0.5, 0.6))
    assert (weights_table(replace(diagnosis, clusters=(negative,)))["weight"] == 1).all()


def test_weights_follow_the_measure_that_was_tested() -> None:
    diagnosis = make_diagnosis(n_clusters=1)
    errors = np.arange(60) < 15
    cluster = replace(
        diagnosis.clusters[0],
        membership=(np.arange(60) < 6).astype(float),
        excess_loss=Estimate(0.1, -0.5, 0.6),
        error_difference=Estimate(0.4, 0.1, 0.7),
        measure="error rate",
    )
    outcomes = replace(diagnosis.outcomes, errors=errors)
    weights = weights_table(replace(diagnosis, outcomes=outcomes, clusters=(cluster,)))["weight"].to_numpy()
    np.testing.assert_allclose(weights[:6] / weights[-1], 1 + 0.1 / 0.25)  # 10 points, of an error rate of 25%
    of_loss = replace(cluster, measure="mean loss")
    assert (weights_table(replace(diagnosis, outcomes=outcomes, clusters=(of_loss,)))["weight"] == 1).all()


def test_a_phrase_of_which_the_encoder_was_measured_is_a_row_like_any_other() -> None:
    diagnosis = with_words()
    assert diagnosis.words is not None
    n = len(diagnosis.words.phrases)
    known = Competence(np.full(n, 0.95), np.full(n, 0.9), np.ones(n), np.full(n, 40), np.full(n, 40), 0.75)
    measured = replace(diagnosis, words=replace(diagnosis.words, competence=known))
    assert list(insights_table(measured)) == list(insights_table(diagnosis))
    assert len(insights_table(measured)) == len(diagnosis.insights)
