"""A second model read from a table and set beside the first."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.checks.compare import compare, comparisons
from core.checks.second_model import (
    MAX_SAVED_MODELS,
    keep_errors,
    kept_errors,
    read_second,
    rows_of_run,
    with_outcomes,
    with_second,
)
from core.cli.main import main
from core.errors import InvalidInput
from core.records import SECOND_MODELS, Diagnosis, Outcomes, other_models, with_models
from core.records.codec import Unread
from core.records.models import BROUGHT, OWN
from core.reports.wording.comparison import model_name
from core.store import load, save
from tests.support.diagnoses import make_diagnosis
from tests.support.second_models import write_answers


@pytest.fixture
def run() -> Diagnosis:
    found = make_diagnosis()
    return replace(found, outcomes=replace(found.outcomes, errors=np.arange(len(found.samples)) % 3 == 0))


def test_errors_are_matched_by_id_whatever_the_order_of_the_table(run: Diagnosis, tmp_path: Path) -> None:
    wrong = np.random.default_rng(0).random(len(run.samples)) < 0.3
    second = read_second(run, write_answers(run, wrong, tmp_path / "new.csv", shuffled=True))
    assert second.rows.tolist() == list(range(len(run.samples)))
    assert [note.split(":")[0] for note in second.notes] == ["Recognized columns"]
    assert second.outcomes.errors is not None
    assert second.outcomes.errors.tolist() == wrong.tolist()
    found, name, _ = with_second(run, tmp_path / "new.csv")
    assert name == "new"
    assert run.outcomes.errors is not None
    assert compare(found, "model", name).overall.fixed == int((run.outcomes.errors & ~wrong).sum())


def test_a_sample_that_is_answered_twice_must_be_answered_alike(run: Diagnosis, tmp_path: Path) -> None:
    right = pd.read_csv(write_answers(run, np.zeros(len(run.samples), np.bool_), tmp_path / "right.csv"))
    wrong = pd.read_csv(write_answers(run, np.ones(len(run.samples), np.bool_), tmp_path / "wrong.csv"))
    assert len(read_second(run, pd.concat([right, right[:9]])).rows) == len(run.samples)
    with pytest.raises(InvalidInput, match=r"more than one answer for 9 of the run's samples, and they differ"):
        read_second(run, pd.concat([right, wrong[:9]]))


def test_paths_are_matched_by_their_ends_where_no_id_is_the_runs(run: Diagnosis) -> None:
    names = [f"set/{'a' if i < 2 else 'b'}/{i % 2 if i < 4 else i}.jpg" for i in range(len(run.samples))]
    other = replace(run, samples=replace(run.samples, ids=tuple(names)))
    assert rows_of_run(other, [f"images/{name}" for name in names])[0].tolist() == list(range(len(names)))
    asked = ["a/0.jpg", "0.jpg", "5.jpg", "y/set/b/5.jpg", "6.jpg", "no.jpg", "other/b/7.jpg"]
    rows, order = rows_of_run(other, asked)
    # two end in 0.jpg; two would be 5.jpg; that of another folder is another
    assert rows.tolist() == [0, -1, -1, -1, 6, -1, -1]
    assert order.tolist() == [0, 4]
    assert rows_of_run(other, [names[3], "6.jpg"])[0].tolist() == [3, -1]  # where one id is the run's, all are taken so


def test_a_table_matched_by_the_ends_of_its_paths_says_so(run: Diagnosis, tmp_path: Path) -> None:
    path = write_answers(run, np.zeros(len(run.samples), bool), tmp_path / "new.csv")
    table = pd.read_csv(path)
    table["id"] = "images/" + table["id"].astype(str)
    table.to_csv(path, index=False)
    second = read_second(run, path)
    assert second.rows.tolist() == list(range(len(run.samples)))
    assert second.notes[0].startswith("Matched all ids of new.csv by the ends of their paths: 'images/")


def test_rows_that_are_missing_or_strange_are_counted(run: Diagnosis, tmp_path: Path) -> None:
    path = write_answers(run, np.arange(len(run.samples)) % 2 == 0, tmp_path / "new.csv")
    table = pd.read_csv(path)
    table.loc[:4, "id"] = [f"stranger {i}" for i in range(5)]
    table.to_csv(path, index=False)
    second = read_second(run, path)
    assert len(second.rows) == len(run.samples) - 5
    assert "Left out 5 rows of new.csv: their ids are not in the run." in second.notes
    assert "Left out 5 samples of the run: they are not in new.csv." in second.notes


def test_a_table_of_other_samples_or_of_losses_alone_is_refused(run: Diagnosis, tmp_path: Path) -> None:
    path = write_answers(run, np.arange(len(run.samples)) % 2 == 0, tmp_path / "new.csv")
    pd.read_csv(path).assign(id=[f"x{i}" for i in range(len(run.samples))]).to_csv(path, index=False)
    with pytest.raises(InvalidInput, match="No id of"):
        read_second(run, path)
    with pytest.raises(InvalidInput, match="If another column holds the run's ids, choose it with --id"):
        read_second(run, path)
    bare = tmp_path / "bare.csv"
    pd.read_csv(path).drop(columns="id").to_csv(bare, index=False)
    with pytest.raises(InvalidInput, match=r"Rows were numbered, since no column \('label', 'prediction'\)"):
        read_second(run, bare)
    pd.read_csv(path).drop(columns="label").to_csv(bare, index=False)
    with pytest.raises(InvalidInput, match=r"Add a column 'label', or name the true class with --label"):
        read_second(run, bare)
    pd.DataFrame({"id": run.samples.ids, "loss": run.outcomes.loss}).to_csv(path, index=False)
    with pytest.raises(InvalidInput, match="does not show which answers are wrong"):
        read_second(run, path)


def test_rows_in_another_order_are_refused_also_where_two_classes_hide_it(run: Diagnosis, tmp_path: Path) -> None:
    """With two even classes rows in any order agree in half of the labels."""
    n = len(run.samples)
    labels, rng = np.arange(n) % 2, np.random.default_rng(2)
    even = replace(run, samples=replace(run.samples, labels=labels, class_names=("cat", "dog")))
    path, names = tmp_path / "new.csv", np.array(["cat", "dog"])
    table = pd.DataFrame({"id": run.samples.ids, "label": names[labels], "prediction": names[labels]})
    table.loc[: n // 10, "label"] = "dog"
    table.to_csv(path, index=False)
    assert any("have another label" in note for note in read_second(even, path).notes)
    table.assign(label=rng.permutation(names[labels])).to_csv(path, index=False)
    with pytest.raises(InvalidInput, match="row numbers as ids and another order"):
        read_second(even, path)


def test_what_is_written_keeps_the_notes_of_the_table_beside_those_of_the_comparison(
    run: Diagnosis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_answers(run, np.zeros(len(run.samples), bool), tmp_path / "new.csv")
    table = pd.read_csv(path)
    table.loc[:4, "id"] = [f"stranger {i}" for i in range(5)]
    table.to_csv(path, index=False)
    save(run, tmp_path / "run.errata")
    monkeypatch.setattr(
        "core.checks.compare.compare", lambda *given: replace(compare(*given), notes=("told by the comparison",))
    )
    for name in ("beside.json", "beside.html"):
        assert (
            main(["compare", str(tmp_path / "run.errata"), "--second", str(path), "--out", str(tmp_path / name)]) == 0
        )
        written = (tmp_path / name).read_text("utf-8")
        assert "told by the comparison" in written
        assert "Left out 5 rows of new.csv" in written


def test_kept_errors_survive_the_store_and_miss_what_was_not_answered(run: Diagnosis, tmp_path: Path) -> None:
    wrong = np.arange(len(run.samples)) % 2 == 0
    path = write_answers(run, wrong, tmp_path / "new.csv")
    pd.read_csv(path).iloc[5:].to_csv(path, index=False)
    given, _, _ = with_second(run, path)
    save(keep_errors(run, other_models(given)[-1]), tmp_path / "run.errata")
    rows, errors = kept_errors(load(tmp_path / "run.errata"))["new"]
    assert rows.tolist() == list(range(5, len(run.samples)))
    assert errors.tolist() == wrong[5:].tolist()
    altered = replace(run, extras={"second models": {"new": "rw"}})
    assert kept_errors(altered) == {}
    for odd in (["r"], "r", 3):
        assert kept_errors(replace(run, extras={SECOND_MODELS: odd})) == {}


def test_a_second_model_that_comes_again_is_the_latest(run: Diagnosis) -> None:
    rows, errors = np.arange(len(run.samples)), run.outcomes.errors
    assert errors is not None
    outcomes = Outcomes(errors.astype(float), "0/1 error", "error", "given", errors=errors)
    for name in ["first", *(f"m{i}" for i in range(MAX_SAVED_MODELS - 1)), "first", "last"]:
        run = keep_errors(
            run, other_models(with_outcomes(run, name, "given", outcomes, rows, "Read from a table."))[-1]
        )
    assert len(kept_errors(run)) == MAX_SAVED_MODELS
    assert {"first", "last"} <= kept_errors(run).keys()


@pytest.mark.slow
def test_the_command_sets_two_models_side_by_side(
    run: Diagnosis, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(run, tmp_path / "run.errata")
    table = write_answers(run, np.zeros(len(run.samples), bool), tmp_path / "new.csv")
    assert (
        main(["compare", str(tmp_path / "run.errata"), "--second", str(table), "--out", str(tmp_path / "beside.html")])
        == 0
    )
    said = capsys.readouterr().out
    assert "new fixed 20 and broke 0" in said
    assert (tmp_path / "beside.html").is_file()
    worse = tmp_path / "worse.errata"
    assert main(["compare", str(tmp_path / "run.errata"), "--second", str(table), "--worse", str(worse)]) == 2
    assert "new breaks none of the 60 samples" in capsys.readouterr().err
    write_answers(run, np.arange(len(run.samples)) % 2 == 0, tmp_path / "new.csv")
    assert main(["compare", str(tmp_path / "run.errata"), "--second", str(table), "--worse", str(worse)]) == 0
    assert "Written:" in capsys.readouterr().out
    assert load(worse).outcomes.name == "errors of new minus those of the first model"
    assert main(["compare", str(tmp_path / "run.errata"), "model", "x", "--second", str(table)]) == 2


def test_of_two_models_without_labels_the_run_is_named_first(run: Diagnosis) -> None:
    blind = replace(run, outcomes=replace(run.outcomes, errors=None))
    losses = pd.DataFrame({"id": run.samples.ids, "loss": np.linspace(0.1, 2, len(run.samples))})
    with pytest.raises(InvalidInput, match="The run has no labels"):
        with_second(blind, losses)


def test_another_model_whose_errors_are_unknown_is_compared_with_nothing(run: Diagnosis, tmp_path: Path) -> None:
    rows = np.arange(len(run.samples))
    known = with_outcomes(run, "known", "given", run.outcomes, rows, "Made.")
    (result,) = other_models(known)
    both = with_models(known, (result, replace(result, name="losses", outcomes=replace(run.outcomes, errors=None))))
    assert [found.b for found in comparisons(both)] == ["known"]
    with pytest.raises(InvalidInput, match="Only losses are known for 'losses'"):
        compare(both, "model", "losses")
    save(both, tmp_path / "run.errata")
    assert [one.name for one in other_models(load(tmp_path / "run.errata"))] == ["known", "losses"]


@pytest.mark.parametrize("order", [[1, 0], [0, 0]])
def test_another_model_with_rows_in_disorder_is_damaged(run: Diagnosis, order: list[int]) -> None:
    rows = np.arange(len(run.samples))
    (result,) = other_models(with_outcomes(run, "b", "given", run.outcomes, rows, "Made."))
    with pytest.raises(ValueError, match="rows of another model: must be unique and ascending"):
        replace(result, rows=np.array([*order, *rows[2:]])).check(len(rows))


def test_another_model_of_a_run_without_labels_comes_back(run: Diagnosis, tmp_path: Path) -> None:
    bare = replace(run, samples=replace(run.samples, labels=None, class_names=()), classes=())
    outcomes = replace(run.outcomes, predictions=None, scores=None)
    found = with_outcomes(replace(bare, outcomes=outcomes), "b", "given", outcomes, np.arange(60), "Made.")
    save(found, tmp_path / "run.errata")
    assert [one.name for one in other_models(load(tmp_path / "run.errata"))] == ["b"]


def test_another_model_is_added_beside_results_that_cannot_be_read(run: Diagnosis) -> None:
    unread = Unread({"$record": "Gone"}, {})
    altered = replace(run, extras={BROUGHT: unread, OWN: unread})
    found = with_outcomes(altered, "b", "given", run.outcomes, np.arange(60), "Made.")
    assert [one.name for one in other_models(found)] == ["b"]
    assert unread in found.extras.values()
    assert model_name("model", found) == "your model"
