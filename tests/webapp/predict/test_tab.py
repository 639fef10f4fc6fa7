"""Predictions: what is frozen is shown first, and what fails again is counted honestly."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from core.diagnose import diagnose
from core.discovery.settings import Settings
from core.errors import InvalidInput
from core.records import Diagnosis, Estimate, Prediction, PredictionRow
from core.reports.wording.predictions import replication_sentence
from tests.support.diagnoses import make_diagnosis
from tests.webapp.markup.test_html import Tags
from webapp.explore.cards import cluster_list
from webapp.predict.tab import PredictState, lasso_of, on_go, on_open, on_predict
from webapp.predict.view import headline, prediction_view, selection_line
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
        said = replication_sentence(prediction).rstrip(".")
        assert headline(prediction) == said[:1].upper() + said[1:]
        assert headline(prediction) in Tags(prediction_view(make_diagnosis(), prediction)).text
        assert (
            "Trust the new data over the original p-values" in Tags(prediction_view(make_diagnosis(), prediction)).text
        )
        assert "true" not in headline(prediction)


def test_the_interval_that_judges_stands_before_the_frozen_one() -> None:
    said = Tags(prediction_view(make_diagnosis(), a_prediction(a_row()))).text
    assert said.index("(38 to 72%)") < said.index("frozen (45 to 65%)")


def test_only_findings_are_judged() -> None:
    rows = [a_row("phrase"), a_row("condition", came=None, n=2), a_row("your lasso"), a_row("by-eye lasso", came=False)]
    said = prediction_view(make_diagnosis(), a_prediction(*rows))
    assert said.count('class="outcome') == 2
    assert '<span class="outcome unsure">too few to tell: fewer than 5 samples</span>' in said


def test_findings_stand_before_what_a_person_would_have_picked() -> None:
    prediction = a_prediction(
        a_row("top-loss neighbors", text="neighbours"),
        a_row("your lasso", text="yours"),
        a_row("phrase", text="in fog"),
    )
    said = prediction_view(make_diagnosis(), prediction)
    assert said.index("in fog") < said.index("by eye") < said.index("yours")
    assert said.count('class="line"') == 3 + 3  # the rows and the key
    assert "ab" * 32 in said


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


def test_frozen_findings_stand_there_before_fresh_samples_are_opened(found: Diagnosis, tmp_path: Path) -> None:
    session = Session(RUNS.add(found))
    shown, frozen, word, result = on_open(session, PredictState())
    assert shown.prediction is None
    assert "SHA-256" in frozen
    assert "An interval here can be narrower than in Findings" in frozen
    assert "Draw a lasso" in word
    assert "No check yet" in result
    table, vectors = files(tmp_path, 300, 1)
    *_, (job, status, shown, result) = on_predict(session, table, None, vectors)
    assert job == ""
    assert "Done" in status
    assert "holds" in result
    assert shown.prediction.digest in frozen
    assert RUNS.get(session.run).prediction is not None
    assert "table1.csv" in result


def test_a_lasso_goes_along_and_a_cluster_does_not(found: Diagnosis, tmp_path: Path) -> None:
    x, y = (float(v) for v in np.median(found.map.xy, axis=0))
    session = Session(RUNS.add(found), polygon=((x, y), (x + 99, y), (x + 99, y + 99), (x, y + 99)))
    assert len(lasso_of(session, found)) > 20
    assert not len(lasso_of(Session(session.run, cluster=0), found))
    table, vectors = files(tmp_path, 300, 2)
    *_, (_, _, _, result) = on_predict(session, table, None, vectors)
    assert "Your lasso" in result
    assert "compared too, as" in selection_line([1, 2])


def test_files_that_do_not_fit_give_one_message(found: Diagnosis, tmp_path: Path) -> None:
    session = Session(RUNS.add(found))
    trying = on_predict(session, None, None, None)
    assert "No new samples" in next(trying)[1]  # stays where the message goes after a while
    with pytest.raises(InvalidInput, match="No new samples"):
        next(trying)
    with pytest.raises(InvalidInput, match="No run is open"):
        list(on_predict(Session(), "x.csv", None, None))
    table, _ = files(tmp_path, 300, 3)
    with pytest.raises(InvalidInput, match="embeddings"):
        list(on_predict(session, table, None, None))
    np.save(
        tmp_path / "wide.npy",
        np.ones((300, 9), np.float32) + np.random.default_rng(0).random((300, 9), dtype=np.float32),
    )
    with pytest.raises(InvalidInput, match="8"):
        list(on_predict(session, table, None, str(tmp_path / "wide.npy")))


def test_a_held_back_part_is_told_of_in_the_list_and_leads_to_the_tab() -> None:
    diagnosis = replace(make_diagnosis(), prediction=a_prediction(a_row()))
    assert f"On fresh.csv: {replication_sentence(a_prediction(a_row()))}" in cluster_list(diagnosis)
    assert "fresh.csv" not in cluster_list(make_diagnosis())
    session = Session(RUNS.add(diagnosis))
    tabs, shown, *_, result = on_go(session, PredictState(), SimpleNamespace(_data={"do": "predict"}))  # type: ignore[arg-type]
    assert tabs["selected"] == "predict"
    assert shown.prediction is not None
    assert headline(shown.prediction) in result


def test_error_rates_and_mean_losses_stand_apart() -> None:
    rows = (a_row(), replace(a_row("phrase", text="in fog"), measure="mean loss"))
    said = Tags(prediction_view(make_diagnosis(), a_prediction(*rows))).text
    assert said.index("Predicted and observed error rate") < said.index("weather = fog")
    assert said.index("weather = fog") < said.index("Predicted and observed mean cross-entropy, in nats")
    assert said.index("Predicted and observed mean cross-entropy") < said.index("in fog")
    clusters = make_diagnosis().clusters
    found = replace(
        make_diagnosis(),
        clusters=(replace(clusters[0], measure="mean loss"), replace(clusters[1], measure="error rate")),
    )
    frozen = Tags(on_open(Session(RUNS.add(found)), PredictState())[1]).text
    assert "Predicted error rate" in frozen
    assert "Predicted mean cross-entropy" in frozen
