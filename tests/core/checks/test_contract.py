"""What a run freezes of its table, and what another table is held to."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import errata
from core.checks.contract import MIN_UNIT_RATIO, other_unit
from core.cli.main import main
from core.data.tables.roles import READ, Roles
from core.discovery.settings import Settings
from core.errors import InvalidInput
from core.records import Diagnosis
from core.store import save

QUICK = Settings(n_permutations=199, map=False, sensitivity=False)
N = 400
ROWS = np.random.default_rng(0).normal(size=(2 * N, 16)).astype(np.float32)


def table(seed: int, **changed: Any) -> pd.DataFrame:
    """Losses with a group of high ones, and a column "age" of which the oldest fail."""
    rng = np.random.default_rng(seed)
    age = rng.uniform(20, 90, N)
    wrong = rng.random(N) < np.where(age > 80, 0.9, 0.1)
    said = np.where(wrong, 1 - np.arange(N) % 2, np.arange(N) % 2)
    made = {"label": np.arange(N) % 2, "prediction": said, "loss": rng.gamma(2, 0.3, N) + 2 * wrong, "age": age}
    frame = pd.DataFrame({"label": [f"c{c}" for c in made["label"]], "prediction": [f"c{c}" for c in said]})
    return frame.assign(loss=made["loss"], age=age, **changed)


@pytest.fixture(scope="module")
def run() -> Diagnosis:
    return errata.diagnose(table(0), embeddings=ROWS[:N], settings=QUICK)


@pytest.fixture(scope="module")
def losses_alone() -> Diagnosis:
    return errata.diagnose(table(0)[["loss", "age"]], embeddings=ROWS[:N], settings=QUICK)


def predicted(run: Diagnosis, fresh: pd.DataFrame, **given: Any) -> Any:
    found = errata.predict(run, fresh, embeddings=ROWS[N:], **given).prediction
    assert found is not None
    return found


@pytest.mark.parametrize("times", [100.0, 0.01, 1000.0])
def test_losses_of_another_unit_are_refused_where_only_losses_are_known(times: float, losses_alone: Diagnosis) -> None:
    fresh = table(1)[["loss", "age"]]
    assert not any("large" in note for note in predicted(losses_alone, fresh).notes)
    with pytest.raises(InvalidInput, match=r"gives losses about [\d.e+-]+ times as large, so they cannot be compared"):
        predicted(losses_alone, fresh.assign(loss=fresh["loss"] * times))
    turned = predicted(losses_alone, fresh.assign(loss=-fresh["loss"] * 0.9), roles=Roles(as_is=True))
    assert any("of the other sign" in note for note in turned.notes)


def test_losses_of_another_unit_leave_the_error_rates_to_be_tried(run: Diagnosis) -> None:
    by_loss = replace(run, insights=tuple(replace(i, measure="mean loss") for i in run.insights))
    assert any(i.confirmed for i in run.insights)
    fresh = table(1)
    found = predicted(by_loss, fresh.assign(loss=fresh["loss"] * 100))
    assert any("losses about" in note and "findings of mean loss were not" in note for note in found.notes)
    rows = [row for row in found.rows if row.kind == "condition"]
    assert rows
    assert all("losses about" in (row.not_tried or "") for row in rows)
    assert not any(row.not_tried for row in predicted(by_loss, fresh).rows)


def test_a_worse_model_is_of_no_other_unit() -> None:
    rng = np.random.default_rng(0)
    right, wrong = rng.gamma(0.5, 0.1, 2000), rng.gamma(3, 1.0, 2000)
    before = np.r_[right[:1800], wrong[:200]]
    for share in (0.3, 0.5, 0.7, 0.9):
        n = int(1000 * share)
        assert other_unit(before, np.r_[wrong[:n], right[: 1000 - n]]) == ""
    assert other_unit(before, before * MIN_UNIT_RATIO * 0.9) == ""
    assert other_unit(before, before * MIN_UNIT_RATIO * 1.1)
    assert other_unit(np.r_[before, np.nan], before * 100) == "about 100 times as large"
    assert other_unit(np.zeros(50), before) == other_unit(before, np.zeros(50)) == ""


@pytest.mark.parametrize(
    ("age", "said"),
    [
        (lambda age: age * 365, "'age' is about 3[0-9]+ times as large"),
        (lambda age: np.where(age > 80, "old", "young"), "'age' holds words"),
    ],
)
def test_a_column_of_another_unit_or_kind_is_not_tried(age: Any, said: str, run: Diagnosis) -> None:
    assert any(i.confirmed and "age" in i.text for i in run.insights)
    fresh = table(1)
    rows = [
        r for r in predicted(run, fresh.assign(age=age(fresh["age"]))).rows if r.kind == "condition" and "age" in r.text
    ]
    assert rows
    for row in rows:
        assert row.not_tried is not None
        assert pd.Series([row.not_tried]).str.contains(said).all()
        assert row.n == 0


def test_other_classes_are_refused_and_missing_ones_said(run: Diagnosis) -> None:
    fresh = table(1)
    numbered = fresh.assign(label=fresh["label"].str[1:], prediction=fresh["prediction"].str[1:])
    with pytest.raises(InvalidInput, match=r"None of the new samples' classes \('0', '1'\) is one of the run's"):
        predicted(run, numbered)
    found = errata.predict(run, fresh[fresh["label"] == "c0"], embeddings=ROWS[N:][::2]).prediction
    assert found is not None
    assert any("No new sample has these classes of the run: c1." in note for note in found.notes)


def test_the_columns_are_kept_and_others_are_said(run: Diagnosis) -> None:
    assert run.extras[READ] == {"label": ("label",), "prediction": ("prediction",), "loss": ("loss",)}
    fresh = table(1)
    assert not any("comes from" in note for note in predicted(run, fresh).notes)
    renamed = fresh.rename(columns={"label": "truth"})
    said = "The run's label comes from 'label', that of the new samples from 'truth'"
    assert any(note.startswith(said) for note in predicted(run, renamed).notes)
    beside = pd.DataFrame({"id": run.samples.ids, "y_true": table(0)["label"], "prediction": table(0)["prediction"]})
    _, _, notes = errata.with_second(run, beside)
    assert any(note.startswith("The run's label comes from 'label', that of second model") for note in notes)


def test_as_is_helps_where_a_table_is_refused_and_is_offered(run: Diagnosis, losses_alone: Diagnosis) -> None:
    """Each message that offers --as-is: obeyed, the table is tried, and the message is a note."""
    fresh, own = table(1), table(0)
    numbered = fresh.assign(label=fresh["label"].str[1:], prediction=fresh["prediction"].str[1:])
    for of, brought in ((losses_alone, fresh[["loss", "age"]].assign(loss=100 * fresh["loss"])), (run, numbered)):
        with pytest.raises(InvalidInput, match="add --as-is") as refused:
            predicted(of, brought)
        found = predicted(of, brought, roles=Roles(as_is=True))
        assert any(said in note for note in found.notes for said in [str(refused.value).split(" If the table")[0]])
        assert not any("losses about" in (row.not_tried or "") for row in found.rows)
    other = pd.DataFrame({"id": run.samples.ids, "label": own["label"][::-1].to_numpy(), "prediction": "c0"})
    with pytest.raises(InvalidInput, match="add --as-is"):
        errata.with_second(run, other)
    *_, notes = errata.with_second(run, other, Roles(as_is=True))
    assert any("differently from the run" in note or "another label" in note for note in notes)


def test_the_order_of_listed_probabilities_is_asked_for_by_an_option_that_helps(tmp_path: Path) -> None:
    """Of a run's three classes the fresh table has two: their order in a list is not known."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 2 * N)
    scores = np.eye(3)[truth] * 0.5 + rng.dirichlet(np.ones(3), 2 * N) * 0.5
    columns = {"label": np.array(["ant", "bee", "cat"])[truth], "probabilities": [str(row) for row in scores.tolist()]}
    frame, rows = pd.DataFrame(columns), np.arange(2 * N)
    run = errata.diagnose(frame[:N], embeddings=ROWS[:N], settings=QUICK)
    some = (rows >= N) & (truth != 1)
    with pytest.raises(InvalidInput, match="List all 3 classes in their order"):
        errata.predict(run, frame[some], embeddings=ROWS[some])
    order = Roles(class_names=("ant", "bee", "cat"))
    found = errata.predict(run, frame[some], embeddings=ROWS[some], roles=order).prediction
    assert found is not None
    assert any("No new sample has these classes of the run: bee" in note for note in found.notes)
    assert not any("not diagnosed" in note for note in found.notes)
    save(run, tmp_path / "run.errata")
    frame.assign(id=[*run.samples.ids, *run.samples.ids])[:N][truth[:N] != 1].to_csv(tmp_path / "new.csv", index=False)
    asked = ["compare", str(tmp_path / "run.errata"), "--second", str(tmp_path / "new.csv")]
    assert main(asked) == 2
    assert main([*asked, "--class-names", "ant", "bee", "cat"]) == 0


def test_losses_in_bits_and_of_another_shape_are_noted_and_harder_samples_are_not(
    run: Diagnosis, losses_alone: Diagnosis
) -> None:
    """By what is said where the model is wrong, or everywhere where that is not known."""
    fresh, alone = table(1), table(1)[["loss", "age"]]
    for of, brought, where in ((run, fresh, "Where the model is wrong"), (losses_alone, alone, "Everywhere")):
        for times, noted in ((1.0, False), (1.1, False), (1.44 if of is run else 1.8, True)):
            found = predicted(of, brought.assign(loss=times * brought["loss"]))
            assert any(n.startswith(where) and "times as large" in n for n in found.notes) == noted, (where, times)
    spread = predicted(run, fresh.assign(loss=2.6 * (fresh["loss"] / 2.6) ** 6))
    assert any("the new losses are distributed differently" in note for note in spread.notes)


def test_losses_of_samples_that_were_diagnosed_tell_the_unit(run: Diagnosis) -> None:
    """Forty rows of the run come again among the fresh ones, and their losses are twice what they were."""
    both = pd.concat([table(0)[:40], table(1)[:-40]], ignore_index=True)
    rows = np.r_[ROWS[:40], ROWS[N + 40 :]]
    for times, said in ((1.0, False), (1.1, True)):
        found = errata.predict(run, both.assign(loss=times * both["loss"]), embeddings=rows).prediction
        assert found is not None
        assert any("losses 1.10 times as large" in note for note in found.notes) == said, found.notes
