"""The Second model tab: a table of answers, a student's card, what was broken and mended, and what is refused."""

from __future__ import annotations

import html
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pandas as pd
import pytest

from core.checks.second_model import kept_errors
from core.data.texts.columns import TextItems
from core.errors import InvalidInput
from core.records import ClusterName, Diagnosis
from core.reports.tables.columns import column_of
from core.store import save
from tests.support.second_models import write_answers, write_card
from tests.webapp.callbacks import press
from tests.webapp.markup.test_html import Tags
from webapp.second.tab import (
    SecondState,
    on_address,
    on_compare,
    on_kept,
    on_mapped,
    on_open,
    on_press,
    on_usable,
    on_worse,
)
from webapp.second.view import second_view
from webapp.state.forget import end_visit
from webapp.state.query import query_of, session_of
from webapp.state.runs import RUNS
from webapp.state.session import Session

pytestmark = pytest.mark.usefixtures("plain")


def beside(run: str, table: Path | None, card: Path | None = None, *columns: str) -> tuple[Any, ...]:
    """(state, result, gallery, files) of a comparison on the run."""
    given, known = (None if path is None else str(path) for path in (table, card))
    *_, (_, _, *made) = on_compare(Session(run=run), given, known, False, *(columns or ("", "", "")))
    return tuple(made)


@pytest.fixture
def errors(streets: Diagnosis) -> np.ndarray:
    assert streets.outcomes.errors is not None
    return streets.outcomes.errors


def test_what_the_second_model_broke_is_counted_shown_and_can_be_taken_along(
    streets: Diagnosis, example: str, errors: np.ndarray, tmp_path: Path
) -> None:
    right = np.flatnonzero(~errors)[:9]
    wrong = errors.copy()
    wrong[right] = True
    table = write_answers(streets, wrong, tmp_path / "student.csv", shuffled=True)
    state, result, gallery, *files = beside(example, table, write_card(tmp_path / "distilled.json"))
    assert "The student is 2.0 times as fast and loses 7.5 points" in result
    assert "got worse beyond chance" in result
    assert 'data-scope="all" data-kind="broken" aria-label="Show 9 images' in result
    assert "9.40 ms" in result
    assert "17.2 million" in result
    assert "Broken: 9 images of all images" in gallery["value"]
    assert gallery["value"].count("data-zoom") == 9
    assert gallery["run"] == example
    told = {Path(file["value"]).name: Path(file["value"]).read_text("utf-8") for file in files}
    assert "The student is 2.0 times as fast" in told["beside.html"]
    assert json.loads(told["beside.json"])["scopes"][0]["broken"] == 9
    assert told["beside.csv"].count("\n") == 2 + len(streets.clusters) + len(streets.samples.class_names)
    assert {"article", "table", "button"} <= Tags(result + gallery["value"]).names

    place = int(streets.samples.labels[right[0]]) if streets.samples.labels is not None else 0
    state, shown = on_press(Session(run=example), state, press(do="kind", kind="broken", scope=f"class-{place}"))
    n = int((streets.samples.labels[right] == place).sum()) if streets.samples.labels is not None else 0
    assert f"Broken: {n} image{'s' * (n > 1)} of class {streets.samples.class_names[place]}" in shown["value"]


def test_what_is_looked_at_is_shown_on_the_map_and_its_worst_place_is_diagnosed(
    streets: Diagnosis, example: str, errors: np.ndarray, tmp_path: Path
) -> None:
    right = np.flatnonzero(~errors)[:9]
    wrong = errors.copy()
    wrong[right] = True
    state, *_ = beside(example, write_answers(streets, wrong, tmp_path / "new.csv"))
    _, opened, pane, points = on_mapped(Session(run=example), state)
    assert sorted(opened.rows) == right.tolist()
    assert "Broken: new" in pane
    assert points["selection"]["count"] == 9
    assert opened.undone().run == example
    *_, (_, status, run) = on_worse(Session(run=example), state)
    found = RUNS.get(run)
    assert found.outcomes.loss.sum() == 9
    assert "in the list of runs" in status
    with pytest.raises(InvalidInput, match="belongs to another run"):
        on_mapped(Session(run="example-other"), SecondState(example, state.second))


def test_answers_stay_with_a_run_of_ones_own_and_are_replaced_by_those_of_the_same_table(
    streets: Diagnosis, errors: np.ndarray, tmp_path: Path
) -> None:
    run = RUNS.add(streets)
    for wrong in (errors, ~errors):
        beside(run, write_answers(streets, wrong, tmp_path / "new.csv"))
    kept = kept_errors(RUNS.get(run))
    assert list(kept) == ["new"]
    reloaded = on_open(Session(run=run), SecondState())[2]
    assert "Compared before: new." in reloaded
    assert "Add the table again" in reloaded
    assert kept["new"][1].tolist() == (~errors).tolist()
    shown = column_of(RUNS.get(run), "beside:new")
    assert shown is not None
    assert shown.values.tolist() == ["fixed" if wrong else "broken" for wrong in errors]


def test_a_comparison_comes_back_from_the_address_until_it_is_deleted(
    streets: Diagnosis, example: str, errors: np.ndarray, tmp_path: Path
) -> None:
    given = write_answers(streets, ~errors, tmp_path / "new.csv"), write_card(tmp_path / "distilled.json")
    state, result, gallery, *files = beside(example, *given)
    session, points = on_kept(Session(run=example, cluster=1), state)
    query = points["view"]["query"]
    assert query == query_of(session)
    assert (query["cluster"], query["beside"]) == ("2", state.beside)
    later = session_of(query, streets, example).only(row=3)  # it stays when something else is picked
    status, again, *shown = on_open(later, SecondState())
    assert (status, again.beside, shown) == ("", state.beside, [result, gallery, *files])
    assert on_address(later, state) == tuple(gr.skip() for _ in range(7))
    save(streets, tmp_path / "another" / "run.errata")
    elsewhere = replace(later, run=RUNS.offer(tmp_path / "another" / "run.errata"))
    end_visit("")
    for gone in (later, elsewhere, replace(later, beside="*" * 22)):
        status, again, waiting, *_ = on_open(gone, SecondState())
        assert "Add the second model's table again" in html.unescape(status)
        assert "No comparison yet" in waiting
        assert on_open(gone, again)[0] == gr.skip()
    assert "beside" not in query_of(session_of({"beside": "../" * 7 + "a"}, streets, example))


def test_without_a_card_nothing_is_said_of_speed(
    streets: Diagnosis, example: str, errors: np.ndarray, tmp_path: Path
) -> None:
    _, result, *_ = beside(example, write_answers(streets, errors, tmp_path / "same.csv"))
    assert "The second model is right as often. None of the" in result
    assert "times as fast" not in result
    assert "cost-row" not in result


def test_columns_of_unusual_names_are_named(
    streets: Diagnosis, example: str, errors: np.ndarray, tmp_path: Path
) -> None:
    path = write_answers(streets, ~errors, tmp_path / "other.csv")
    pd.read_csv(path).rename(columns={"id": "a", "label": "b", "prediction": "c"}).to_csv(path, index=False)
    state, *_ = beside(example, path, None, "a", "b", " c ")
    assert state.second.comparison.overall.fixed == int(errors.sum())
    with pytest.raises(InvalidInput, match="no column 'd'"):
        beside(example, path, None, "a", "b", "d")


def test_files_that_cannot_be_used_are_refused_with_the_next_step(
    streets: Diagnosis, example: str, errors: np.ndarray, tmp_path: Path
) -> None:
    table = write_answers(streets, errors, tmp_path / "second.csv")
    with pytest.raises(InvalidInput, match="Add a table"):
        beside(example, None)
    with pytest.raises(InvalidInput, match="No run is open"):
        beside("", table)
    strangers = tmp_path / "strangers.csv"
    pd.read_csv(table).assign(id=[f"x{i}" for i in range(len(errors))]).to_csv(strangers, index=False)
    with pytest.raises(InvalidInput, match=r"No id of strangers\.csv \('x0', ...\)"):
        beside(example, strangers)
    without = tmp_path / "without.csv"
    pd.read_csv(table).drop(columns="id").to_csv(without, index=False)
    with pytest.raises(InvalidInput, match=r"No id of without\.csv|another label in without\.csv"):
        beside(example, without)
    for text, message in (
        ("no json", "card.json"),
        ("[]", "damaged or not a student's card"),
        (json.dumps({"teacher": {}, "student": {}}), "damaged or not a student's card"),
    ):
        (tmp_path / "card.json").write_text(text, "utf-8")
        with pytest.raises(InvalidInput, match=message):
            beside(example, table, tmp_path / "card.json")
    bad = write_card(tmp_path / "card.json", figures={"teacher_ms": 1.0, "student_ms": 0.0})
    with pytest.raises(InvalidInput, match="damaged or not a student's card"):
        beside(example, table, bad)


def test_why_a_comparison_failed_stays_in_the_view(streets: Diagnosis, example: str, tmp_path: Path) -> None:
    pd.DataFrame({"id": streets.samples.ids, "prediction": "x"}).to_csv(tmp_path / "bare.csv", index=False)
    for table, reason in ((None, "No second model"), (tmp_path / "bare.csv", "no true class was found")):
        steps = on_compare(Session(run=example), None if table is None else str(table), None, False, "", "", "")
        said: list[str] = []
        with pytest.raises(InvalidInput, match=reason):
            said.extend(status for _, status, *_ in steps)
        assert "The comparison did not finish" in said[-1]
        assert reason in said[-1]


def test_of_a_part_of_the_samples_the_headline_says_of_how_many(
    streets: Diagnosis, example: str, errors: np.ndarray, tmp_path: Path
) -> None:
    path = write_answers(streets, errors, tmp_path / "part.csv")
    pd.read_csv(path)[:50].to_csv(path, index=False)
    _, result, *_ = beside(example, path)
    assert f"On 50 of the run&#39;s {len(errors)} images, the second model" in result


def test_a_long_name_of_a_cluster_is_cut_and_stands_whole_behind_it(
    streets: Diagnosis, errors: np.ndarray, tmp_path: Path
) -> None:
    title = "Images of a very long title that goes on and on and on"
    named = ClusterName(title, "property", grade="likely")
    long = (replace(streets.clusters[0], called=named), *streets.clusters[1:])
    save(replace(streets, clusters=long), tmp_path / "long" / "run.errata")
    _, result, *_ = beside(
        RUNS.offer(tmp_path / "long" / "run.errata"), write_answers(streets, errors, tmp_path / "a.csv")
    )
    assert re.search(rf'<b title="{title}">{title[:30]}[^<]{{0,12}}…</b>', result)


def test_models_judged_by_two_truths_are_counted_and_not_tested(
    streets: Diagnosis, example: str, errors: np.ndarray, tmp_path: Path
) -> None:
    path = write_answers(streets, ~errors, tmp_path / "relabelled.csv")
    table = pd.read_csv(path)
    table.loc[:2, "label"] = [next(n for n in streets.samples.class_names if n != own) for own in table["label"][:3]]
    table.to_csv(path, index=False)
    state, result, *_, written = beside(example, path)
    found = state.second.comparison
    assert all(scope.p is None for scope in (found.overall, *found.clusters, *found.classes))
    assert {scope.verdict for scope in (found.overall, *found.clusters)} == {"open"}
    assert "(not tested)" in result
    assert f"3 of {len(errors)} samples have different labels for" in result
    assert "p =" not in result
    assert json.loads(Path(written["value"]).read_text("utf-8"))["scopes"][0]["p"] is None


def test_texts_in_another_order_are_noticed_where_ids_are_row_numbers(streets: Diagnosis, tmp_path: Path) -> None:
    n = len(streets.samples)
    texts = tuple(f"sentence {i} of some words" for i in range(n))
    ids = tuple(map(str, range(n)))
    samples = replace(streets.samples, ids=ids, items=TextItems(ids, texts), modality="text")
    save(replace(streets, samples=samples), tmp_path / "texts" / "run.errata")
    run = RUNS.offer(tmp_path / "texts" / "run.errata")
    assert samples.labels is not None
    label = [samples.class_names[c] for c in samples.labels]
    table = pd.DataFrame({"text": texts, "label": label, "prediction": label})
    table.to_csv(tmp_path / "same.csv", index=False)
    state, *_ = beside(run, tmp_path / "same.csv")
    assert state.second.comparison.overall.n == n
    table.iloc[::-1].to_csv(tmp_path / "turned.csv", index=False)
    with pytest.raises(InvalidInput, match=f"{n} of {n} samples have another text in turned.csv"):
        beside(run, tmp_path / "turned.csv")


def test_a_class_that_only_the_second_model_names_is_shown_by_its_name(
    streets: Diagnosis, example: str, errors: np.ndarray, tmp_path: Path
) -> None:
    path = write_answers(streets, errors, tmp_path / "new.csv")
    table = pd.read_csv(path)
    row = int(np.flatnonzero(~errors)[0])
    table.loc[row, "prediction"] = "aardvark"  # before all others by the alphabet
    table.to_csv(path, index=False)
    state, _, gallery, *_ = beside(example, path)
    assert "second model: aardvark" in gallery["value"]
    names, said = state.second.result.class_names, state.second.result.outcomes.predictions
    assert [names[c] for c in said] == table["prediction"].tolist()


def test_the_tab_says_why_there_is_nothing_and_forgets_another_runs_result(
    streets: Diagnosis, example: str, errors: np.ndarray, tmp_path: Path
) -> None:
    assert "No run is open" in on_open(Session(), SecondState())[2]
    _, state, waiting, *_ = on_open(Session(run=example), SecondState())
    assert "No comparison yet" in waiting
    assert state.run == example
    blind = replace(streets, outcomes=replace(streets.outcomes, errors=None, predictions=None, scores=None))
    save(blind, tmp_path / "blind" / "run.errata")
    other = RUNS.offer(tmp_path / "blind" / "run.errata")
    status, made, why, *_ = on_open(Session(run=other), state)
    assert status == ""
    assert "losses but no right and wrong" in why
    assert [on_usable(Session(run=run))["interactive"] for run in ("", other, example)] == [False, False, True]
    with pytest.raises(InvalidInput, match="losses but no right and wrong"):
        beside(other, write_answers(streets, errors, tmp_path / "a.csv"))
    with pytest.raises(InvalidInput, match="Add the table again"):
        on_press(Session(run=other), made, press(do="kind", kind="broken", scope="all"))


def test_a_run_without_a_cluster_says_so(streets: Diagnosis, errors: np.ndarray, tmp_path: Path) -> None:
    save(replace(streets, clusters=(), insights=()), tmp_path / "none" / "run.errata")
    run = RUNS.offer(tmp_path / "none" / "run.errata")
    state, result, *_ = beside(run, write_answers(streets, ~errors, tmp_path / "a.csv"))
    assert "No group was confirmed" in result
    assert "no confirmed group to compare" in result
    assert second_view(RUNS.get(run), state.second) == result
