"""Failure clusters followed over checkpoints."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.checks.checkpoints.follow import MAX_CHECKPOINTS, by_number, follow, in_order
from core.cli.main import main
from core.errors import InvalidInput
from core.records import Diagnosis, Estimate
from core.reports.html.checkpoints import checkpoint_charts
from core.store import save
from tests.support.diagnoses import make_diagnosis
from tests.support.second_models import write_answers


@pytest.fixture
def run() -> Diagnosis:
    made = make_diagnosis(n=200)
    return replace(made, samples=replace(made.samples, groups=None, group_name=""))


def tables(run: Diagnosis, folder: Path, *rates: float) -> list[Path]:
    """A checkpoint each, wrong at random with that rate in the first cluster, .1 elsewhere."""
    rng, members = np.random.default_rng(0), run.clusters[0].membership >= 0.5
    draw = rng.random(len(run.samples))
    return [
        write_answers(run, draw < np.where(members, rate, 0.1), folder / f"epoch{i + 1}.csv")
        for i, rate in enumerate(rates)
    ]


def test_rates_are_counted_among_members_and_in_the_rest_of_the_scope(run: Diagnosis, tmp_path: Path) -> None:
    found = follow(run, tables(run, tmp_path, 0.9, 0.5, 0.05))
    one, members = found.clusters[0], run.clusters[0].membership >= 0.5
    assert found.names == ("epoch1", "epoch2", "epoch3")
    assert one.n == (members.sum(),) * 3
    draw = np.random.default_rng(0).random(len(run.samples))
    for rate, wanted in zip(one.rates, (0.9, 0.5, 0.05), strict=True):
        assert rate.value == pytest.approx((draw[members] < wanted).mean())
        assert rate.low <= rate.value <= rate.high
    assert one.change.value == pytest.approx(one.rates[2].value - one.rates[0].value)
    assert one.change.high < 0
    assert one.p is not None
    assert one.p < 0.001
    assert found.everything.n == (200,) * 3


def test_the_runs_own_rate_in_a_cluster_is_the_corrected_one(run: Diagnosis, tmp_path: Path) -> None:
    found = follow(run, tables(run, tmp_path, 0.5))
    assert run.outcomes.errors is not None
    assert found.clusters[0].baseline == run.clusters[0].error_rate
    assert found.everything.baseline.value == pytest.approx(run.outcomes.errors.mean())
    assert found.clusters[0].p is None


def test_samples_that_a_checkpoint_lacks_are_counted_and_empty_ones_undefined(run: Diagnosis, tmp_path: Path) -> None:
    first, last = tables(run, tmp_path, 0.9, 0.1)
    members = run.clusters[0].membership >= 0.5
    pd.read_csv(last)[~members].to_csv(last, index=False)
    found = follow(run, [first, last])
    assert found.clusters[0].n == (members.sum(), 0)
    assert np.isnan(found.clusters[0].rates[1].value)
    assert found.clusters[0].p is None
    assert any("epoch2: " in note and "not in epoch2.csv" in note for note in found.notes)
    assert len(checkpoint_charts(run, found)) == len(run.clusters) + 1


def test_checkpoints_stand_in_order_of_their_numbers() -> None:
    given = [Path(f"{name}.csv") for name in ("step-10", "step-9", "last", "step-100")]
    assert [table.stem for table in in_order(given)] == ["last", "step-9", "step-10", "step-100"]
    globbed = [Path("epoch1.csv"), Path("epoch10.csv"), Path("epoch5.csv")]
    assert [table.stem for table in by_number(globbed)] == ["epoch1", "epoch5", "epoch10"]
    assert by_number([*globbed, Path("a.csv")]) == [*globbed, Path("a.csv")]
    assert [table.stem for table in in_order([Path("1².csv"), Path("²"), Path("1.csv")])] == ["1", "1²", "²"]


def test_the_runs_own_model_as_a_checkpoint_is_corrected_and_no_change_is_tested(
    run: Diagnosis, tmp_path: Path
) -> None:
    """Its clusters were chosen for its errors: whatever comes after looks better."""
    assert run.outcomes.errors is not None
    own = write_answers(run, run.outcomes.errors, tmp_path / "epoch0.csv")
    found = follow(run, [own, *tables(run, tmp_path, 0.9, 0.1)])
    one = found.clusters[0]
    assert one.rates[0] == one.baseline == run.clusters[0].error_rate
    assert one.p is None
    assert np.isnan(one.change.value)
    assert found.everything.p is not None
    assert any("epoch0 is the run's own model" in note for note in found.notes)


def test_the_line_of_the_rest_is_broken_where_nothing_was_answered_there(run: Diagnosis, tmp_path: Path) -> None:
    made = tables(run, tmp_path, 0.9, 0.5, 0.1)
    members = run.clusters[0].membership >= 0.5
    pd.read_csv(made[1])[members].to_csv(made[1], index=False)
    chart = checkpoint_charts(run, follow(run, made))[0]
    assert [len(line.split()) for line in chart.rest] == [1, 1]


def test_what_cannot_be_followed_is_refused(run: Diagnosis, tmp_path: Path) -> None:
    table = tables(run, tmp_path, 0.5)[0]
    with pytest.raises(InvalidInput, match=f"1 to {MAX_CHECKPOINTS} tables"):
        follow(run, [])
    with pytest.raises(InvalidInput, match="Two tables are named 'epoch1'"):
        follow(run, [table, table])
    with pytest.raises(InvalidInput, match="Only losses are known"):
        follow(make_diagnosis(with_errors=False), [table])


def test_the_command_prints_and_writes(run: Diagnosis, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save(run, tmp_path / "run.errata")
    given = [str(path) for path in tables(run, tmp_path, 0.9, 0.1)]
    for name in ("f.html", "f.csv", "f.json"):
        assert main(["follow", str(tmp_path / "run.errata"), *given, "--out", str(tmp_path / name)]) == 0
    said = capsys.readouterr().out
    assert "From epoch1 to epoch2 the error rate fell: −" in said
    assert len(pd.read_csv(tmp_path / "f.csv")) == 2 * (len(run.clusters) + 1)
    written = json.loads((tmp_path / "f.json").read_text("utf-8"))
    assert written["scopes"][0]["change"]["value"] < 0
    page = (tmp_path / "f.html").read_text("utf-8")
    assert page.count("<svg") == len(run.clusters) + 1
    assert main(["follow", str(tmp_path / "run.errata")]) == 2


def test_a_chart_keeps_what_it_draws_inside_itself(run: Diagnosis, tmp_path: Path) -> None:
    found = follow(run, tables(run, tmp_path, 1.0, 0.0, 0.3))
    sure = replace(found.clusters[0], rates=(Estimate(1, 0.9, 1), *found.clusters[0].rates[1:]))
    for chart in checkpoint_charts(run, replace(found, clusters=(sure, *found.clusters[1:]))):
        for point in (*chart.points, chart.run_point):
            assert 0 <= point.x <= 300
            assert 0 <= point.high <= point.y <= point.low <= 130
