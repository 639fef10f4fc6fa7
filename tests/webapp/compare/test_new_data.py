"""Predictions: what is frozen is shown first, and what fails again is counted honestly."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.diagnose import diagnose
from core.discovery.settings import Settings
from core.errors import InvalidInput
from core.records import Diagnosis, Estimate, MatchedSample, Prediction, PredictionRow
from core.reports.wording.predictions import replication_sentence
from tests.support.diagnoses import make_diagnosis
from tests.webapp.markup.test_html import Tags
from webapp.compare.tab import CompareState, on_compare, on_open
from webapp.compare.verdict import NEW_DATA, Verdict
from webapp.compare.view import headline, verdict_view
from webapp.compare.work import lasso_of
from webapp.explore.cards import cluster_list
from webapp.state.runs import RUNS
from webapp.state.session import Session


def a_row(
    kind: Any = "cluster", *, came: bool | None = True, n: int = 40, text: str = "weather = fog"
) -> PredictionRow:
    observed = Estimate(0.5, 0.35, 0.65) if n else None
    return PredictionRow(
        kind,
        text,
        "all samples",
        n,
        Estimate(0.55, 0.45, 0.65),
        Estimate(0.55, 0.38, 0.72),
        observed,
        0.1,
        0.002,
        came,
        "error rate",
    )


def a_prediction(*rows: PredictionRow, **kwargs: Any) -> Prediction:
    return Prediction("ab" * 32, 200, "error rate", "fresh.csv", rows, **kwargs)


def prediction_view(diagnosis: Diagnosis, prediction: Prediction, picked: int | None = None) -> str:
    return verdict_view(diagnosis, Verdict(NEW_DATA, prediction, ""), picked, [NEW_DATA])


def on_predict(session: Session, table: str | None, vectors: str | None) -> Iterator[tuple[Any, ...]]:
    """Check the findings on a table of other ids."""
    tables = [table] if table else []
    return on_compare(session, CompareState(), tables, "", vectors, None, False, "", "", "")


def files(folder: Path, n: int, seed: int) -> tuple[str, str]:
    """A table and its embeddings; the model errs on half of one corner of the space."""
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(n, 8)).astype(np.float32)
    corner = vectors[:, 0] > 0.8
    errors = rng.random(n) < np.where(corner, 0.7, 0.05)
    rows = "".join(
        f"{seed}-{i},car,{'bus' if wrong else 'car'},{'dark' if c else 'light'}\n"
        for i, (wrong, c) in enumerate(zip(errors, corner))
    )
    table, given = folder / f"table{seed}.csv", folder / f"vectors{seed}.npy"
    table.write_text("id,label,prediction,light\n" + rows)
    np.save(given, vectors)
    return str(table), str(given)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Diagnosis:
    table, vectors = files(tmp_path_factory.mktemp("first"), 400, 0)
    return diagnose(table, embeddings=vectors, settings=Settings(n_permutations=200, map=False, sensitivity=False))


def test_the_heading_counts_as_every_other_face_does() -> None:
    for rows in (
        [a_row(), a_row("phrase", came=False), a_row("condition", came=None, n=2), a_row("your lasso")],
        [a_row("by-eye lasso")],
        [],
    ):
        prediction = a_prediction(*rows)
        sentence = replication_sentence(prediction).rstrip(".")
        shown = Tags(prediction_view(make_diagnosis(), prediction)).text
        assert headline(prediction) == sentence[:1].upper() + sentence[1:]
        assert headline(prediction) in shown
    judged = prediction_view(make_diagnosis(), a_prediction(a_row()))
    assert "Trust the new data over the original p-values" in Tags(judged).text


def test_a_group_has_a_sentence_without_intervals_and_the_new_images_that_it_covers() -> None:
    diagnosis = make_diagnosis()
    seen = (
        MatchedSample("n1", "cat → dog", True, "data:image/webp;base64,AA", ""),
        MatchedSample("n2", "cat", False, "", ""),
    )
    rows = [replace(a_row(text=c.name), samples=seen, n_wrong=20, rest_wrong=0.095) for c in diagnosis.clusters]
    shown = prediction_view(diagnosis, a_prediction(*rows), picked=1)
    first, second, fold = re.split('<section class="group-verdict"|<details class="sure">', shown)[1:]
    assert "Wrong on 20 of 40 (50%), the others 9.5%. Expected 55% wrong." in Tags(first).text
    assert '<span class="badge">2</span>' in first  # the one that is open in Findings
    assert "open in Findings" in first
    assert "open in Findings" not in second
    assert "38 to 72%" not in first + second
    assert "38 to 72%" in fold
    assert first.count("<img") == 1
    assert "model: dog" in first
    assert "New images that it covers: 40" in Tags(first).text


def test_only_findings_are_judged_and_what_a_person_would_have_picked_is_listed() -> None:
    rows = [a_row("phrase"), a_row("condition", came=None, n=2), a_row("your lasso"), a_row("by-eye lasso", came=False)]
    said = prediction_view(make_diagnosis(), a_prediction(*rows))
    assert said.count('class="outcome') == 2
    assert '<span class="outcome unsure">too few to tell: fewer than 5 samples</span>' in said
    shown, fold = said.split('<details class="sure">')
    assert "Your lasso" not in shown
    assert "Your lasso" in fold
    assert "ab" * 32 in fold


def test_a_finding_that_no_fresh_sample_matches_is_shown_and_not_judged() -> None:
    said = prediction_view(make_diagnosis(), a_prediction(a_row(came=None, n=0), a_row()))
    assert "too few to tell" in said


def test_names_and_reasons_stay_text() -> None:
    hostile = "<img src=x onerror=alert(1)>"
    made = Prediction(
        "ab", 5, "error rate", hostile, (a_row("condition", text=hostile),), (hostile,), ((hostile, hostile),)
    )
    found = Tags(prediction_view(make_diagnosis(), made))
    assert "img" not in found.names


def test_frozen_findings_stand_there_before_new_samples_are_opened(found: Diagnosis, tmp_path: Path) -> None:
    session = Session(RUNS.add(found))
    _, state, shown, *_ = on_open(session, CompareState())
    frozen = shown["value"]
    assert not state.verdicts
    assert "SHA-256" in frozen
    assert "An interval here can be narrower than in Findings" in frozen
    table, vectors = files(tmp_path, 300, 1)
    *_, (job, status, state, shown, *_) = on_predict(session, table, vectors)
    assert job == ""
    assert "Done" in status
    assert "holds" in shown["value"]
    assert "table1.csv: 0 of 300 ids are the run" in shown["value"]
    assert state.verdict.result.digest in frozen
    kept = RUNS.get(session.run).prediction
    assert kept is not None
    assert [len(row.samples) for row in kept.rows if row.kind == "cluster"] == [6] * len(found.clusters)
    again = on_open(session, CompareState())[2]["value"]  # in another visit
    assert headline(kept) in again


def test_a_lasso_goes_along_and_a_cluster_does_not(found: Diagnosis, tmp_path: Path) -> None:
    x, y = (float(v) for v in np.median(found.map.xy, axis=0))
    session = Session(RUNS.add(found), polygon=((x, y), (x + 99, y), (x + 99, y + 99), (x, y + 99)))
    assert len(lasso_of(session, found)) > 20
    assert not len(lasso_of(Session(session.run, cluster=0), found))
    table, vectors = files(tmp_path, 300, 2)
    *_, (_, _, _, shown, *_) = on_predict(session, table, vectors)
    assert "Your lasso" in shown["value"]


def test_files_that_do_not_fit_give_one_message(found: Diagnosis, tmp_path: Path) -> None:
    session = Session(RUNS.add(found))
    with pytest.raises(InvalidInput, match="Nothing to compare"):
        list(on_predict(session, None, None))
    with pytest.raises(InvalidInput, match="No run is open"):
        list(on_predict(Session(), "x.csv", None))
    table, _ = files(tmp_path, 300, 3)
    with pytest.raises(InvalidInput, match="embeddings"):
        list(on_predict(session, table, None))
    wide = np.ones((300, 9), np.float32) + np.random.default_rng(0).random((300, 9), dtype=np.float32)
    np.save(tmp_path / "wide.npy", wide)
    with pytest.raises(InvalidInput, match="8"):
        list(on_predict(session, table, str(tmp_path / "wide.npy")))


def test_a_held_out_part_is_named_in_the_list_and_shown_in_the_place() -> None:
    diagnosis = replace(make_diagnosis(), prediction=a_prediction(a_row()))
    assert f"On fresh.csv: {replication_sentence(a_prediction(a_row()))}" in cluster_list(diagnosis)
    assert "fresh.csv" not in cluster_list(make_diagnosis())
    session = Session(RUNS.add(diagnosis))
    _, state, shown, *_ = on_open(session, CompareState())
    assert state.verdict.result is RUNS.get(session.run).prediction
    assert headline(state.verdict.result) in shown["value"]


def test_each_figure_is_in_the_measure_of_its_finding() -> None:
    rows = (a_row(), replace(a_row("phrase", text="in fog"), measure="mean loss"))
    said = Tags(prediction_view(make_diagnosis(), a_prediction(*rows))).text
    assert "Expected 55% wrong, observed 0.50" not in said
    assert "Expected mean loss 0.55, observed 0.50 on 40" in said
    clusters = make_diagnosis().clusters
    found = replace(
        make_diagnosis(),
        clusters=(replace(clusters[0], measure="mean loss"), replace(clusters[1], measure="error rate")),
    )
    frozen = Tags(on_open(Session(RUNS.add(found)), CompareState())[2]["value"]).text
    assert re.search(r"Expect mean loss \d\.\d+ \(", frozen)
    assert re.search(r"Expect \d+% wrong \(", frozen)
