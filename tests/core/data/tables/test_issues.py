"""Cleanlab's table of issues becomes columns that may explain a failure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core.cli.main import main
from core.data.samples import DataSet, read_data_set
from core.data.tables.roles import Roles
from core.errors import InvalidInput
from tests.support.tables import said

N = 30
TABLE = pd.DataFrame(
    {"id": [f"s{i}" for i in range(N)], "loss": np.linspace(0, 1, N), "light": ["dark", "bright"] * 15}
)
ISSUES = pd.DataFrame(
    {
        "is_label_issue": [i < 10 for i in range(N)],
        "label_score": np.linspace(0, 1, N),
        "given_label": [0, 1] * 15,
        "predicted_label": [1, 1] * 15,
        "is_outlier_issue": [False] * 20 + [True] * 10,
        "outlier_score": np.linspace(1, 0, N),
    }
)
"""As `Datalab.get_issues` gives it, its parts joined."""
NEW = ["is_label_issue", "label_quality", "is_outlier_issue", "outlier_quality"]


def read(issues: Any, table: pd.DataFrame = TABLE) -> DataSet:
    return read_data_set(table, embeddings=np.random.default_rng(0).normal(size=(len(table), 4)), issues=issues)


def columns(found: DataSet) -> dict[str, list[Any]]:
    return {column.name: column.values.tolist() for column in found.samples.metadata}


def test_issues_are_conditions_and_name_no_label_or_prediction() -> None:
    found = read(ISSUES)
    assert list(columns(found)) == ["light", *NEW]
    assert columns(found)["is_label_issue"] == ["yes"] * 10 + ["no"] * 20
    assert columns(found)["label_quality"] == ISSUES["label_score"].tolist()
    assert found.samples.labels is None
    assert said(found, "to 30 of 30 rows, matched by the row numbers of the issues.")


@pytest.mark.parametrize("order", [range(N), range(N - 1, -1, -1), range(0, N, 2)], ids=["all", "reversed", "half"])
@pytest.mark.parametrize("key", ["row numbers", "id", "index"])
def test_a_file_goes_by_ids_or_by_the_row_numbers_in_it(tmp_path: Path, order: range, key: str) -> None:
    part = ISSUES.iloc[list(order)]
    if key == "id":
        part.assign(id=TABLE["id"][list(order)]).to_csv(tmp_path / "issues.csv", index=False)
    else:
        part.to_csv(tmp_path / "issues.csv")
    found = columns(read(part if key == "index" else tmp_path / "issues.csv"))
    wanted = ISSUES["label_score"].where(ISSUES.index.isin(order)).to_numpy()
    np.testing.assert_allclose(found["label_quality"], wanted, rtol=1e-12)
    known = [flag for row, flag in enumerate(found["is_label_issue"]) if row in order]
    assert known == ["yes" if row < 10 else "no" for row in range(N) if row in order]


@pytest.mark.parametrize("ending", [".tsv", ";.csv", "utf-16.csv", ".parquet"])
def test_row_numbers_are_read_whatever_the_file(tmp_path: Path, ending: str) -> None:
    part, path = ISSUES.iloc[::-1], tmp_path / f"issues{ending}"
    if ending == ".parquet":
        part.to_parquet(path)
    else:
        separator = {".tsv": "\t", ";.csv": ";"}.get(ending, ",")
        part.to_csv(path, sep=separator, encoding="utf-16" if "16" in ending else "utf-8")
    np.testing.assert_allclose(columns(read(path))["label_quality"], ISSUES["label_score"], rtol=1e-12)


@pytest.mark.parametrize(
    ("made", "fault"),
    [
        (ISSUES.set_index(TABLE["id"].to_numpy()[::-1]), "must hold row numbers, 0 to 29: it has 's29'"),
        (ISSUES.set_index(pd.Index(range(1, N + 1))), "must hold row numbers, 0 to 29: it has '1'"),
        (ISSUES.assign(id=["s1", "s1", *TABLE["id"][2:]]), "has 's1' twice in 'id'. Keep one row"),
        (ISSUES.assign(is_label_issue=["yes", "perhaps"] * 15), "must be true or false: got 'perhaps'"),
        (ISSUES.assign(label_quality=0.5), "gives 'label_quality' twice"),
    ],
)
def test_issues_that_might_be_of_other_rows_are_refused(made: pd.DataFrame, fault: str) -> None:
    with pytest.raises(InvalidInput, match=fault):
        read(made)


KEYED = TABLE.assign(number=range(N), file=[f"{i}.png" for i in range(N)])


@pytest.mark.parametrize(
    ("shared", "roles", "key"),
    [
        (["number", "id"], Roles(), "id"),
        (["number", "file"], Roles(), "file"),
        (["number"], Roles(id="number"), "number"),
    ],
)
def test_rows_go_together_by_the_ids_whatever_else_is_unique(shared: list[str], roles: Roles, key: str) -> None:
    """A column that only numbers the rows of each table stands before the ids and says nothing."""
    turned = pd.concat([ISSUES, KEYED[shared]], axis=1)[::-1].reset_index(drop=True)
    if key != "number":
        turned["number"] = range(N)
    vectors = np.random.default_rng(0).normal(size=(N, 4))
    found = read_data_set(KEYED, embeddings=vectors, issues=turned, roles=roles)
    assert columns(found)["label_quality"] == ISSUES["label_score"].tolist()
    assert said(found, f"to 30 of 30 rows, matched by the column {key!r}.")


def test_two_keys_that_disagree_and_another_order_are_refused() -> None:
    both = pd.concat([ISSUES, KEYED[["id", "file"]]], axis=1)
    with pytest.raises(InvalidInput, match=r"'29.png' in 'file' where the table has '0.png'. Rows are matched"):
        read(both.assign(file=both["file"].to_numpy()[::-1]), KEYED)
    turned = ISSUES.assign(number=range(N))[::-1].reset_index(drop=True)
    with pytest.raises(InvalidInput, match=r"'number' where the table has '0'. If 'number' identifies the rows"):
        read(turned, KEYED)


def test_rows_without_an_id_have_no_issues() -> None:
    found = read(ISSUES.assign(id=TABLE["id"].where(TABLE.index > 1, None)))
    assert columns(found)["is_label_issue"][:3] == [None, None, "yes"]


def test_flags_with_gaps_are_numbers_in_a_file() -> None:
    found = columns(read(ISSUES.assign(is_label_issue=[1.0, 0.0, np.nan] * 10)))
    assert found["is_label_issue"] == ["yes", "no", None] * 10


def test_an_index_that_repeats_is_no_row_number() -> None:
    found = columns(read(ISSUES.set_index(pd.Index([0] * N))))
    assert found["label_quality"] == ISSUES["label_score"].tolist()


def test_the_table_of_clean_learning_is_read_too() -> None:
    issues = ISSUES[["is_label_issue", "given_label", "predicted_label"]].assign(label_quality=ISSUES["label_score"])
    assert list(columns(read(issues))) == ["light", "is_label_issue", "label_quality"]


def test_cleanlab_itself_writes_such_a_table(tmp_path: Path) -> None:
    classification = pytest.importorskip("cleanlab.classification")
    linear_model = pytest.importorskip("sklearn.linear_model")
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(100, 3))
    labels = (vectors[:, 0] > 0).astype(int)
    labels[:8] = 1 - labels[:8]
    classification.CleanLearning(linear_model.LogisticRegression(), seed=0).find_label_issues(vectors, labels).to_csv(
        tmp_path / "issues.csv"
    )
    table = pd.DataFrame({"loss": rng.random(100), "light": ["dark", "bright"] * 50})
    found = columns(read(tmp_path / "issues.csv", table))
    assert found["is_label_issue"][:8].count("yes") >= 6
    assert found["is_label_issue"][8:].count("yes") <= 10
    assert np.mean(found["label_quality"][:8]) < np.mean(found["label_quality"][8:]) - 0.3


@pytest.mark.parametrize(
    ("issues", "fault"),
    [
        (ISSUES[["given_label"]], "lacks cleanlab's columns"),
        (ISSUES[:20].set_index(pd.Index(range(100, 120))), "20 rows, the table 30, and no column of ids is shared."),
        (ISSUES.assign(id=[f"t{i}" for i in range(N)]), "No row of the table of issues is in the table. Add the same"),
    ],
)
def test_what_does_not_belong_to_the_table_is_refused(issues: pd.DataFrame, fault: str) -> None:
    with pytest.raises(InvalidInput, match=fault):
        read(issues)


def test_a_column_that_the_table_has_already_is_refused() -> None:
    with pytest.raises(InvalidInput, match="the table of issues have 'is_label_issue'"):
        read(ISSUES, TABLE.assign(is_label_issue="?"))


def test_issues_of_a_task_of_several_rows_a_picture_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--table", "t.csv", "--per-class", "--issues", "i.csv", "--out", str(tmp_path / "run.errata")]
    assert main(["diagnose", *arguments]) == 2
    assert "--issues needs one row per image, --per-class makes several" in capsys.readouterr().err
