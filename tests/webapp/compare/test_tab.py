"""The place Compare: a new model, a student's card, checkpoints, what was fixed and broken, and what is refused."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator, Sequence
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
from core.records import Diagnosis
from core.reports.tables.columns import column_of
from core.reports.wording.findings import cluster_title
from core.store import save
from tests.support.second_models import write_answers, write_card
from tests.webapp.callbacks import press
from tests.webapp.markup.test_html import Tags
from webapp.compare.tab import CompareState, on_compare, on_kept, on_mapped, on_open, on_press, on_reopen, on_worse
from webapp.compare.verdict import NEW_DATA, NEW_MODEL
from webapp.state.forget import end_visit
from webapp.state.query import query_of, session_of
from webapp.state.runs import RUNS
from webapp.state.session import Session

pytestmark = pytest.mark.usefixtures("plain")


def steps_of(run: str, tables: Sequence[Path], card: Path | None, chosen: str, *columns: str) -> Iterator[Any]:
    """The steps of a comparison on the run."""
    known = None if card is None else str(card)
    given = [str(table) for table in tables]
    return on_compare(Session(run=run), CompareState(), given, chosen, None, known, False, *(columns or ("", "", "")))


def beside(run: str, table: Path | None, card: Path | None = None, *columns: str, chosen: str = "") -> Any:
    """(state, result, gallery, files) of a new model on the run."""
    tables = [] if table is None else [table]
    *_, (_, _, state, result, _chart, gallery, _, _, *files) = steps_of(run, tables, card, chosen, *columns)
    return state, result["value"], gallery, *files


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
    _state, result, gallery, *files = beside(example, table, write_card(tmp_path / "distilled.json"))
    assert "The student is 2.0 times as fast and loses 7.5 points" in result
    assert "got worse beyond chance" in result
    sentences, fold = result.split('<details class="sure">')
    assert "The student fixed 0 and broke 9 of" in sentences
    assert "95% CI" not in sentences  # figures come after the images
    assert "95% CI" in fold
    assert sentences.count('class="group-verdict"') == len(streets.clusters)
    assert "4.70 ms a text on one thread, the teacher 9.40" in result
    assert "17.2 M parameters" in result
    assert "Broken: 9 images of all images" in gallery["value"]
    assert gallery["value"].count("data-zoom") == 9
    assert gallery["run"] == example
    told = {Path(file["value"]).name: Path(file["value"]).read_text("utf-8") for file in files}
    assert "The student is 2.0 times as fast" in told["comparison.html"]
    assert json.loads(told["comparison.json"])["scopes"][0]["broken"] == 9
    assert told["comparison.csv"].count("\n") == 2 + len(streets.clusters) + len(streets.samples.class_names)
    assert {"article", "table", "button"} <= Tags(result + gallery["value"]).names
    for name in streets.samples.class_names:
        assert f">Class {name}<" in fold


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
        on_mapped(Session(run="example-other"), replace(state, run=example))


def test_answers_stay_with_a_run_of_ones_own_and_are_replaced_by_those_of_the_same_table(
    streets: Diagnosis, errors: np.ndarray, tmp_path: Path
) -> None:
    run = RUNS.add(streets)
    for wrong in (errors, ~errors):
        beside(run, write_answers(streets, wrong, tmp_path / "new.csv"))
    kept = kept_errors(RUNS.get(run))
    assert list(kept) == ["new"]
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
    status, again, shown, _, same_gallery, _, _, *same_files = on_open(later, CompareState())
    assert (status, again.beside, same_gallery, same_files) == ("", state.beside, gallery, files)
    groups = '<section class="group-verdict"'  # how it was decided what was brought is not kept
    assert shown["value"].split(groups)[1:] == result.split(groups)[1:]
    assert on_open(replace(later, cluster=None), again)[1:] == tuple(gr.skip() for _ in range(9))
    save(streets, tmp_path / "another" / "run.errata")
    elsewhere = replace(later, run=RUNS.offer(tmp_path / "another" / "run.errata"))
    end_visit("")
    for gone in (later, elsewhere, replace(later, beside="*" * 22)):
        status, again, waiting, *_ = on_open(gone, CompareState())
        assert "Add the second model's table again" in html.unescape(status)
        assert "to check on new data" in waiting["value"]
        assert on_open(gone, again)[0] == gr.skip()
    assert "beside" not in query_of(session_of({"beside": "../" * 7 + "a"}, streets, example))


def test_without_a_card_nothing_is_said_of_speed(
    streets: Diagnosis, example: str, errors: np.ndarray, tmp_path: Path
) -> None:
    _, result, *_ = beside(example, write_answers(streets, errors, tmp_path / "same.csv"))
    assert "The second model is right as often. None of the" in result
    assert "The second model fixed 0 and broke 0 of" in result
    assert "times as fast" not in result
    assert "on one thread" not in result


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
    with pytest.raises(InvalidInput, match="Nothing to compare"):
        beside(example, None)
    with pytest.raises(InvalidInput, match="No run is open"):
        beside("", table)
    strangers = tmp_path / "strangers.csv"
    pd.read_csv(table).assign(id=[f"x{i}" for i in range(len(errors))]).to_csv(strangers, index=False)
    with pytest.raises(
        InvalidInput, match=r"strangers.csv: 0 of \d+ ids are the run's. New data. The run used given embeddings"
    ):  # other ids are new data
        beside(example, strangers)
    with pytest.raises(InvalidInput, match=r"No id of strangers\.csv \('x0', ...\)"):
        beside(example, strangers, chosen="new model")
    without = tmp_path / "without.csv"
    pd.read_csv(table).drop(columns="id").to_csv(without, index=False)
    with pytest.raises(InvalidInput, match=r"without\.csv has no column of ids"):
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
    for table, reason in ((None, "Nothing to compare"), (tmp_path / "bare.csv", "no true class was found")):
        steps = steps_of(example, [] if table is None else [table], None, "")
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
    state, *_ = beside(run, tmp_path / "same.csv", chosen="new model")
    assert state.second.comparison.overall.n == n
    table.iloc[::-1].to_csv(tmp_path / "turned.csv", index=False)
    with pytest.raises(InvalidInput, match=f"{n} of {n} samples have another text in turned.csv"):
        beside(run, tmp_path / "turned.csv", chosen="new model")


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


def test_the_place_is_never_empty_and_forgets_another_runs_result(
    streets: Diagnosis, example: str, errors: np.ndarray, tmp_path: Path
) -> None:
    assert "No run is open" in on_open(Session(), CompareState())[2]["value"]
    _, state, shown, *_ = on_open(Session(run=example), CompareState())
    assert "to check on new data" in shown["value"]
    assert state.run == example
    blind = replace(streets, outcomes=replace(streets.outcomes, errors=None, predictions=None, scores=None))
    save(blind, tmp_path / "blind" / "run.errata")
    other = RUNS.offer(tmp_path / "blind" / "run.errata")
    compared, *_ = beside(example, write_answers(streets, errors, tmp_path / "a.csv"))
    _, made, shown, *_ = on_open(Session(run=other), compared)
    assert (made.run, dict(made.verdicts)) == (other, {})
    assert shown["link"] == RUNS.link(other)  # by which the page hides what is of another run
    assert on_reopen(Session(run=other), compared)[-3:] == (None, None, None)  # its upload goes too
    assert on_reopen(Session(run=example), compared)[-3:] == (gr.skip(),) * 3
    assert on_reopen(Session(run=other), CompareState())[-3:] == (gr.skip(),) * 3
    assert on_press(Session(run=other), compared, press(do="show", kind=NEW_MODEL))[0].run == other
    with pytest.raises(InvalidInput, match="losses but no right and wrong"):
        beside(other, tmp_path / "a.csv")
    with pytest.raises(InvalidInput, match="Add the table again"):
        on_press(Session(run=other), made, press(do="kind", kind="broken", scope="all"))


def test_what_was_compared_stays_while_its_visitor_is_elsewhere(
    streets: Diagnosis, example: str, errors: np.ndarray, tmp_path: Path
) -> None:
    state, *_ = beside(example, write_answers(streets, ~errors, tmp_path / "new.csv"))
    session, _ = on_kept(Session(run=example), state)
    assert on_open(session, state)[0] == gr.skip()
    _, again, shown, *_ = on_open(session.only(cluster=1), state)  # a group was opened meanwhile
    assert again.second is state.second
    assert shown["value"].index('<span class="badge">2</span>') < shown["value"].index('<span class="badge">1</span>')
    _, switched, *_ = (None, *on_press(session, again, press(do="show", kind=NEW_DATA)))
    assert (switched.open, switched.second) == (NEW_DATA, None)
    back, *_ = on_press(session, switched, press(do="show", kind=NEW_MODEL))
    assert back.second is state.second


def test_an_example_opens_with_the_second_model_beside_it(
    streets: Diagnosis, errors: np.ndarray, tmp_path: Path
) -> None:
    save(streets, tmp_path / "shipped" / "run.errata")
    write_answers(streets, ~errors, tmp_path / "shipped" / "second.csv")
    run = RUNS.offer(tmp_path / "shipped" / "run.errata")
    _, state, shown, chart, gallery, second, _, *files = on_open(Session(run=run), CompareState())
    assert f"fixed {errors.sum()} and broke {(~errors).sum()} of" in shown["value"]
    assert "ships with this example" in shown["value"]
    drawn = json.loads(chart["value"].plot)["data"]
    n = len(errors)
    assert drawn[0]["x"] == [pytest.approx(100 * (errors.sum() - (~errors).sum()) / n)]  # all samples, in points
    assert [trace["name"] for trace in drawn[1:4]] == [
        f"{cluster.id + 1}. {cluster_title(streets, cluster)}" for cluster in streets.clusters
    ]
    assert "Broken: " in gallery["value"]
    assert second["visible"]
    assert {file["visible"] for file in files} == {False}
    _, state, shown, *_ = on_open(Session(run=run, cluster=0), CompareState())
    assert state.open == NEW_DATA  # as the button of a group asks, even where nothing is known of new data


def test_a_group_that_is_open_in_findings_leads_to_what_is_known_of_new_data(
    streets: Diagnosis, tmp_path: Path
) -> None:
    run = RUNS.add(streets)
    _, state, shown, *_ = on_open(Session(run=run, cluster=1), CompareState())
    assert state.open == NEW_DATA
    assert "to check on new data" in shown["value"]


def test_checkpoints_are_put_in_order_and_can_be_taken_along(streets: Diagnosis, example: str, tmp_path: Path) -> None:
    rng, n = np.random.default_rng(0), len(streets.samples)
    given = [write_answers(streets, rng.random(n) < 0.4, tmp_path / f"epoch{i}.csv") for i in (10, 2)]
    *_, (_, _, _state, shown, chart, gallery, second, _, *files) = steps_of(example, given, None, "")
    view = shown["value"]
    assert "2 tables have the run" in view
    drawn = json.loads(chart["value"].plot)
    assert sum(trace["mode"] == "lines+markers" for trace in drawn["data"]) == len(streets.clusters) + 1
    assert drawn["layout"]["xaxis"]["ticktext"] == ["this run's<br>model", "epoch2", "epoch10"]
    assert view.index("epoch2: ") < view.index("epoch10: ")
    assert "wrong in epoch2" in view.split('<details class="sure">')[0]
    assert "From epoch2 to epoch10" in view
    assert gallery == ""
    assert not second["visible"]
    assert [Path(file["value"]).is_file() for file in files[:2]] == [True, True]
    assert files[2] == gr.update(visible=False)
    (tmp_path / "bad.csv").write_text("id,label\nnobody,x\n", "utf-8")
    with pytest.raises(InvalidInput, match=r"epoch10\.csv has the run's ids, bad\.csv others"):
        list(steps_of(example, [*given, tmp_path / "bad.csv"], None, ""))


def test_two_archives_are_refused(example: str) -> None:
    given = [Path("a.zip"), Path("b.tar")]
    with pytest.raises(InvalidInput, match="Images must be one archive: got 2"):
        list(steps_of(example, given, None, ""))


def test_a_run_without_a_cluster_says_so(streets: Diagnosis, errors: np.ndarray, tmp_path: Path) -> None:
    save(replace(streets, clusters=(), insights=()), tmp_path / "none" / "run.errata")
    run = RUNS.offer(tmp_path / "none" / "run.errata")
    _state, result, *_ = beside(run, write_answers(streets, ~errors, tmp_path / "a.csv"))
    assert "No group was confirmed" in result
    assert "All images" in result
    assert "fixed" in result
