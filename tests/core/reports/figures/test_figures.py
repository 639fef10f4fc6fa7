"""Figures hold the numbers of the tables, and say in words what they show."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import errata
from core.checks.checkpoints.follow import follow
from core.errors import InvalidInput, MissingDependency
from core.numbers import number, percent
from core.records import Diagnosis
from core.reports.figures import template
from core.reports.sections import groups
from core.reports.tables.checkpoints import checkpoints_table
from core.reports.tables.comparison import comparison_table
from core.systems.probes.records import with_results
from core.systems.probes.tables import shot_curves_document
from errata import figures
from tests.support.diagnoses import make_diagnosis
from tests.support.probes import made_probe, with_probes
from tests.support.second_models import write_answers


@pytest.fixture(scope="module")
def run() -> Diagnosis:
    return make_diagnosis()


def drawn(figure: Any) -> dict[str, Any]:
    """What a browser is given."""
    return json.loads(figure.to_json())


def texts(figure: Any) -> str:
    return json.dumps(drawn(figure), ensure_ascii=False)


def intervals_of(figure: Any) -> dict[str, tuple[float, float, float]]:
    """Of each dot its name with value, low, and high."""
    found: dict[str, tuple[float, float, float]] = {}
    for trace in figure.data:
        if trace.error_x.array is not None:
            value, up, down = trace.x[0], trace.error_x.array[0], trace.error_x.arrayminus[0]
            found[trace.name] = (value, value - down, value + up)
    return found


def with_shots(run: Diagnosis) -> Diagnosis:
    few = made_probe(run, name="made, 1 shot", right=0.5)
    results = [replace(few, settings={**few.settings, "shots": 1}), made_probe(run)]
    return with_results(run, results)


@pytest.mark.parametrize("by", ["group", "loss"])
def test_the_map_holds_each_sample_once_where_the_table_has_it(run: Diagnosis, by: Any) -> None:
    figure = figures.map(run, by=by)
    table = errata.samples_table(run)
    rows = np.concatenate([trace.customdata[:, 0] for trace in figure.data]).astype(int)
    assert sorted(rows) == list(range(len(table)))
    for name, column in (("x", "x"), ("y", "y"), ("text", "id")):
        there = np.concatenate([getattr(trace, name) for trace in figure.data])
        assert there.tolist() == table[column].to_numpy()[rows].tolist()
    loss = np.concatenate([trace.customdata[:, 1] for trace in figure.data])
    np.testing.assert_allclose(loss, table["loss"].to_numpy()[rows], rtol=1e-6)


def test_the_map_names_groups_answers_and_the_unit_under_the_pointer(run: Diagnosis) -> None:
    by_name = {trace.name: trace for trace in figures.map(run).data}
    assert next(iter(by_name)) == "In no group"
    first = by_name[list(by_name)[-1]]
    assert first.meta.startswith("1. ")
    assert all(part in first.hovertemplate for part in ("%{meta}", "%{text}", "%{hovertext}", "customdata[1]", "nats"))
    row = int(first.customdata[0, 0])
    assert run.samples.labels is not None
    assert first.hovertext[0].startswith(run.samples.class_names[run.samples.labels[row]])
    with pytest.raises(InvalidInput, match="'colour'"):
        figures.map(run, by="colour")  # type: ignore[arg-type]


def test_points_of_the_map_travel_as_bytes_and_by_webgl(run: Diagnosis) -> None:
    for trace in drawn(figures.map(run))["data"]:
        assert trace["type"] == "scattergl"
        assert {trace[name]["dtype"] for name in ("x", "y", "customdata")} == {"f4"}


def test_intervals_are_those_of_report_and_findings_table(run: Diagnosis) -> None:
    found = intervals_of(figures.intervals(run))
    for row in groups(run).rows:
        assert row.estimate is not None
        np.testing.assert_allclose(
            found[f"{row.rank}. {row.subject}"], (row.estimate.value, row.estimate.low, row.estimate.high)
        )
        value = percent(row.estimate.value) if row.measure == "error rate" else number(row.estimate.value)
        assert f"{value} (" in texts(figures.intervals(run))
    table = errata.findings_table(run)
    conditions = table[table["kind"].isin(["condition", "phrase"])]
    assert len(conditions)
    assert len(found) == int(table["confirmed"].sum())
    for _, line in conditions.iterrows():
        name, scale = ("error_difference", 100) if line["measure"] == "error rate" else ("excess_loss", 1)
        wanted = [scale * line[column] for column in (name, f"{name}_low", f"{name}_high")]
        assert any(np.allclose(wanted, ends) for ends in found.values()), line["title"]


def test_a_run_without_findings_says_so(run: Diagnosis) -> None:
    nothing = replace(make_diagnosis(n_clusters=0), classes=(), insights=())
    assert intervals_of(figures.intervals(nothing)) == {}
    assert "No group is confirmed" in texts(figures.intervals(nothing))
    assert [trace.name for trace in figures.map(nothing).data] == ["Samples"]


def test_confusions_count_every_answer(run: Diagnosis) -> None:
    figure = figures.confusion(run)
    labels, predictions = run.samples.labels, run.outcomes.predictions
    assert labels is not None
    assert predictions is not None
    for name in figure.data[0].x:
        for taken in figure.data[0].x:
            a, b = (run.samples.class_names.index(text) for text in (name, taken))
            wanted = int(((labels == a) & (predictions == b)).sum())
            cells = [t.text[list(t.y).index(name)][list(t.x).index(taken)] for t in figure.data]
            assert "".join(cells) == (str(wanted) if wanted else "")
    assert f"Right on {int((labels == predictions).sum())} of 60 images: the diagonal." in texts(figure)


def test_a_matrix_of_many_classes_counts_those_it_leaves_out(run: Diagnosis) -> None:
    n = len(run.samples)
    names = tuple(f"class {number}" for number in range(n))
    samples = replace(run.samples, labels=np.arange(n), class_names=names)
    predictions = np.r_[1, np.arange(1, n)]
    many = replace(run, samples=samples, outcomes=replace(run.outcomes, predictions=predictions, scores=None))
    figure = figures.confusion(many)
    assert "Shown: the 30 of 60 classes with the most errors." in texts(figure)
    assert "class 0" in figure.data[0].y


def test_the_bars_of_the_losses_add_up_to_right_and_wrong(run: Diagnosis) -> None:
    right, wrong = figures.loss_histogram(run).data
    errors = run.outcomes.errors
    assert errors is not None
    assert (sum(right.y), sum(wrong.y)) == (int((~errors).sum()), int(errors.sum()))
    (every,) = figures.loss_histogram(make_diagnosis(with_errors=False)).data
    assert sum(every.y) == 60
    equal = replace(run, outcomes=replace(run.outcomes, loss=np.zeros(60)))
    assert sum(sum(trace.y) for trace in figures.loss_histogram(equal).data) == 60


def test_a_comparison_shows_the_gains_of_the_table(run: Diagnosis) -> None:
    both = with_probes(run)
    comparison = errata.compare(both, "weak").record
    found = list(intervals_of(figures.compare(both, comparison)).values())
    table = comparison_table(both, comparison)
    shown = table[(table["kind"] != "class") | (table["verdict"] != "open")]
    wanted = 100 * shown[["difference", "difference_low", "difference_high"]].to_numpy()
    np.testing.assert_allclose(found, wanted, atol=1e-9)
    assert texts(figures.compare(both, "weak")) == texts(figures.compare(both, comparison))
    assert texts(figures.compare(both, errata.compare(both, "weak"))) == texts(figures.compare(both, comparison))
    assert "fixed" in texts(figures.compare(both))
    with pytest.raises(InvalidInput, match="nothing to compare"):
        figures.compare(run)


def test_checkpoints_show_the_rates_of_the_table(run: Diagnosis, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    tables = [write_answers(run, rng.random(60) < share, tmp_path / f"e{share}.csv") for share in (0.5, 0.2)]
    followed = follow(run, tables)
    lines = [trace for trace in figures.checkpoints(run, followed).data if trace.mode == "lines+markers"]
    table = checkpoints_table(run, followed)
    assert np.concatenate([trace.y for trace in lines]).tolist() == table["error_rate"].tolist()
    ends = np.concatenate([np.add(trace.y, trace.error_y.array) for trace in lines])
    np.testing.assert_allclose(ends, table["high"])


def test_curves_over_labeled_samples_are_those_of_the_document(run: Diagnosis) -> None:
    probes = with_shots(run)
    curve = figures.shots(probes).data[0]
    (document,) = shot_curves_document(probes)
    points = document["curves"][0]["points"]
    assert list(curve.x) == [point["shots"] for point in points] == [1, 2]
    assert list(curve.y) == [point["accuracy"]["value"] for point in points]
    with pytest.raises(InvalidInput, match="no curve over labeled samples with the result 'none'"):
        figures.shots(probes, "none")


def test_reliability_weighs_to_the_accuracy(run: Diagnosis) -> None:
    probes = with_probes(run)
    for model, outcomes in (("model", run.outcomes), ("weak", made_probe(run, right=0.2, seed=1, left_out=0).outcomes)):
        _, dots = figures.reliability(probes, model).data
        assert outcomes.errors is not None
        assert np.mean(dots.y) == pytest.approx(1 - outcomes.errors.mean())  # 60 samples: bins of four
    with pytest.raises(InvalidInput, match="needs probabilities and labels"):
        figures.reliability(make_diagnosis(with_errors=False))
    with pytest.raises(InvalidInput, match="needs labels and predictions"):
        figures.confusion(make_diagnosis(with_errors=False))


def test_names_of_the_users_are_shown_as_text() -> None:
    hostile = make_diagnosis(hostile=True)
    for figure in (figures.map(hostile), figures.intervals(hostile)):
        found = texts(figure)
        assert "<script" not in found
        assert "<img" not in found
    assert "&lt;script&gt;alert(1)&lt;/script&gt;.png" in texts(figures.map(hostile))


def test_figures_wear_the_colors_of_the_page(run: Diagnosis, repository: Path) -> None:
    day, night = (repository / "assets/css/tokens.css").read_text("utf-8").split(".dark")
    for look, css in ((template.LIGHT, day), (template.DARK, night)):
        wanted = (look.paper, look.ink, look.soft, look.line, look.rest)
        for name, colour in zip(("card", "ink", "ink-2", "line", "line-2"), wanted):
            assert f"--{name}: {colour};" in css
    assert figures.intervals(run, dark=True).layout.template.layout.paper_bgcolor == template.DARK.paper


def test_every_figure_is_listed_and_an_unknown_one_names_the_others() -> None:
    every = "browse checkpoints compare confusion intervals loss_histogram map reliability selected shots".split()
    assert dir(figures) == every
    assert all(callable(getattr(figures, name)) for name in every)
    with pytest.raises(AttributeError, match=r"errata.figures has no 'pie'. It has: browse, checkpoints"):
        _ = figures.pie


def test_without_plotly_a_figure_names_what_to_install(run: Diagnosis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "plotly.graph_objects", None)
    with pytest.raises(MissingDependency, match=r"A figure needs plotly. Run `pip install plotly`."):
        figures.intervals(run)


def test_plotly_is_imported_with_the_first_figure(repository: Path) -> None:
    code = "import errata, sys; errata.figures.map; print('plotly' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], cwd=repository, capture_output=True, text=True, check=True)
    assert told.stdout == "False\n"


class Kernel:
    """What IPython gives inside a notebook."""

    kernel = object()


def test_in_a_notebook_the_lasso_of_the_map_gives_rows(run: Diagnosis, monkeypatch: pytest.MonkeyPatch) -> None:
    from plotly.graph_objects import FigureWidget

    assert figures.selected(figures.map(run)).tolist() == []
    monkeypatch.setattr("IPython.get_ipython", Kernel)
    widget = figures.map(run)
    assert isinstance(widget, FigureWidget)
    assert figures.selected(widget).tolist() == []
    chosen = [3, 0]
    wanted: list[int] = []
    for trace in (widget.data[0], widget.data[-1]):
        trace.selectedpoints = chosen
        wanted += trace.customdata[chosen, 0].astype(int).tolist()
    assert figures.selected(widget).tolist() == sorted(wanted)


def test_beside_the_map_stands_the_image_of_the_point_under_the_pointer(run: Diagnosis) -> None:
    from plotly.callbacks import Points

    box = figures.browse(run)
    widget, beside = box.children
    trace = widget.data[-1]
    trace._dispatch_on_hover(Points(point_inds=[1]), None)
    row = int(trace.customdata[1, 0])
    assert beside.value.startswith('<img alt="" src="data:image/')
    assert run.samples.ids[row] in beside.value


def test_without_anywidget_the_map_is_a_plain_figure(run: Diagnosis, monkeypatch: pytest.MonkeyPatch) -> None:
    from plotly.graph_objects import Figure

    monkeypatch.setattr("IPython.get_ipython", Kernel)
    monkeypatch.setitem(sys.modules, "anywidget", None)
    assert isinstance(figures.map(run), Figure)


@pytest.mark.parametrize("value", ["run.errata", None, [], {"loss": [1.0]}])
def test_what_is_no_run_is_refused_in_one_sentence(value: Any) -> None:
    for name in set(dir(figures)) - {"selected"}:
        with pytest.raises(InvalidInput, match="A run is needed"):
            getattr(figures, name)(value)
