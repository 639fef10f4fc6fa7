"""What was brought beside a run is decided by its ids, and refused where they do not decide it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from core.checks.which_comparison import which_comparison
from core.data.tables.roles import Roles
from core.errors import InvalidInput
from core.records import Diagnosis
from tests.support.diagnoses import make_diagnosis


@pytest.fixture(scope="module")
def run() -> Diagnosis:
    return make_diagnosis()


def table(folder: Path, name: str, ids: Sequence[str], column: str = "id") -> Path:
    path = folder / name
    pd.DataFrame({column: ids, "label": "cat", "prediction": "cat"}).to_csv(path, index=False)
    return path


def others(n: int, prefix: str = "other") -> list[str]:
    return [f"{prefix}-{i}" for i in range(n)]


def test_one_table_of_the_runs_ids_is_a_new_model(run: Diagnosis, tmp_path: Path) -> None:
    ids = run.samples.ids
    whole = which_comparison(run, [table(tmp_path, "second.csv", ids)])
    assert whole.kind == "new model"
    assert f"{len(ids)} of {len(ids)} ids are the run's" in whole.reason
    part = [*ids[:18], *others(2)]
    assert which_comparison(run, [table(tmp_path, "part.csv", part)]).kind == "new model"
    twice = [*ids, *ids]  # a repeated id counts once
    assert which_comparison(run, [table(tmp_path, "twice.csv", twice)]).kind == "new model"


def test_several_tables_of_the_runs_ids_are_checkpoints(run: Diagnosis, tmp_path: Path) -> None:
    tables = [table(tmp_path, f"epoch{i}.csv", run.samples.ids) for i in (1, 2, 3)]
    found = which_comparison(run, tables)
    assert found.kind == "checkpoints"
    assert "3 tables" in found.reason


def test_other_ids_are_new_data_and_so_are_images_alone(run: Diagnosis, tmp_path: Path) -> None:
    new = table(tmp_path, "new.csv", [*others(18), *run.samples.ids[:2]])
    found = which_comparison(run, [new], with_items=True)
    assert (found.kind, found.reason) == ("new data", "new.csv: 2 of 20 ids are the run's. New data.")
    assert which_comparison(run, [], with_items=True).kind == "new data"


@pytest.mark.parametrize(("n_known", "share"), [(3, "15%"), (10, "50%"), (17, "85%")])
def test_ids_known_in_part_are_refused_with_the_share_and_the_limits(
    run: Diagnosis, tmp_path: Path, n_known: int, share: str
) -> None:
    mixed = table(tmp_path, "mixed.csv", [*run.samples.ids[:n_known], *others(20 - n_known)])
    with pytest.raises(InvalidInput, match=rf"mixed\.csv: {n_known} of 20 ids \({share}\).*90%.*10%.*--these-are"):
        which_comparison(run, [mixed])
    assert which_comparison(run, [mixed], chosen="new data").kind == "new data"
    assert which_comparison(run, [mixed], chosen="new model").reason == "Compared as new model, as you chose."


def test_mixtures_are_refused_by_the_names_of_the_tables(run: Diagnosis, tmp_path: Path) -> None:
    known = table(tmp_path, "second.csv", run.samples.ids)
    new = table(tmp_path, "new.csv", others(20))
    more = table(tmp_path, "more.csv", others(20, "more"))
    with pytest.raises(InvalidInput, match=r"second\.csv has the run's ids, new\.csv others"):
        which_comparison(run, [new, known])
    with pytest.raises(InvalidInput, match=r"must be one table: got 2 \('new.csv', 'more.csv'\)"):
        which_comparison(run, [new, more])
    with pytest.raises(InvalidInput, match=r"second\.csv has the run's ids, but images"):
        which_comparison(run, [known], with_items=True)


def test_what_the_ids_cannot_tell_is_asked(run: Diagnosis, tmp_path: Path) -> None:
    (tmp_path / "bare.csv").write_text("label,prediction\ncat,dog\n", "utf-8")
    with pytest.raises(InvalidInput, match=r"bare\.csv has no column of ids \('label', 'prediction'\).*--these-are"):
        which_comparison(run, [tmp_path / "bare.csv"])
    with pytest.raises(InvalidInput, match="Nothing to compare"):
        which_comparison(run, [])


def test_a_choice_that_does_not_fit_the_number_of_tables_is_refused(run: Diagnosis, tmp_path: Path) -> None:
    tables = [table(tmp_path, f"epoch{i}.csv", run.samples.ids) for i in (1, 2)]
    with pytest.raises(InvalidInput, match="One table can be compared as new model: got 2"):
        which_comparison(run, tables, chosen="new model")
    for chosen in ("checkpoints", "new model"):
        with pytest.raises(InvalidInput, match="got none"):
            which_comparison(run, [], chosen=chosen, with_items=True)
    assert which_comparison(run, tables[:1], chosen="checkpoints").kind == "checkpoints"


def test_a_named_column_holds_the_ids_and_rows_that_the_run_left_out_do_not_count(
    run: Diagnosis, tmp_path: Path
) -> None:
    named = table(tmp_path, "named.csv", run.samples.ids, column="who")
    assert which_comparison(run, [named], Roles(id="who")).kind == "new model"
    left_out = replace(run, excluded=tuple((name, "no image") for name in others(len(run.samples))))
    both = table(tmp_path, "both.csv", [*run.samples.ids, *others(len(run.samples))])
    assert which_comparison(left_out, [both]).kind == "new model"
