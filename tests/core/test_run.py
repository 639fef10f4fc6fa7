"""A run from Python: what it answers, how it shows itself, and what it refuses, as a program meets it."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Iterator
from inspect import isfunction, signature
from pathlib import Path
from types import NoneType, SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import errata
from core.data.tables.frames import as_frame
from core.extensions import load, methods
from core.reports.wording.findings import cluster_title
from core.results import MAX_LETTERS, MAX_LINES
from core.run import Run
from core.statistics.counts import wrong_members
from tests.support.diagnoses import assert_same, make_diagnosis
from tests.support.page import Page
from tests.support.words import with_words

QUICK = errata.Settings(n_permutations=199, map=False, sensitivity=False)
N = 240
RNG = np.random.default_rng(0)
VECTORS = RNG.normal(size=(N, 8)).astype(np.float32)


@pytest.fixture(scope="module")
def run() -> Run:
    return Run.of(make_diagnosis(n=200, n_clusters=3))


def answers(run: Run, *, better: bool = True) -> pd.DataFrame:
    """A second model's table: right on all, or guessed on most."""
    names = np.array(run.samples.class_names, dtype=object)
    labels = run.samples.labels
    assert labels is not None
    guesses = np.random.default_rng(1).integers(len(names), size=len(labels))
    said = labels if better else np.where(np.arange(len(labels)) % 5, guesses, labels)
    return pd.DataFrame({"id": run.samples.ids, "label": names[labels], "prediction": names[said]})


def test_a_run_is_the_diagnosis_and_what_is_made_of_it_stays_a_run(run: Run, tmp_path: Path) -> None:
    assert isinstance(run, errata.Diagnosis)
    path = run.save(tmp_path / "run.errata")
    opened = errata.open(path)
    assert type(opened) is errata.Run
    assert_same(opened.clusters, run.clusters)
    beside, name, _ = errata.with_second(opened, answers(opened))
    assert type(beside) is errata.Run
    assert name == "second model"
    assert run.report(tmp_path / "run.html").read_text("utf-8").startswith("<!doctype html>")


def test_findings_are_those_of_the_table_in_its_order(run: Run) -> None:
    table = run.findings.to_frame()
    assert table["confirmed"].all()
    assert [f.title for f in run.findings if f.kind == "group"] == table["title"][table["kind"] == "cluster"].tolist()
    assert [f.p for f in run.findings] == pytest.approx(table["p"].tolist())
    assert {f.kind for f in run.hints} == {"hint"}
    assert not run.hints.to_frame()["confirmed"].any()
    whole = errata.findings_table(run)
    assert len(run.findings) + len(run.hints) == len(whole)


def test_a_group_gives_its_count_its_samples_and_its_images(run: Run) -> None:
    errors = run.outcomes.errors
    assert errors is not None
    groups = [finding for finding in run.findings if finding.kind == "group"]
    assert len(groups) == len(run.clusters)
    for group, cluster in zip(groups, run.clusters):
        members = cluster.membership >= 0.5
        assert group.title == cluster_title(run, cluster)
        assert group.n_wrong == errors[members].sum()
        assert group.error_rate == pytest.approx(errors[members].mean())
        assert group.others == cluster.error_outside
        assert group.corrected is cluster.error_rate
        assert group.scope == cluster.scope
        assert sorted(group.samples["id"]) == sorted(np.array(run.samples.ids)[members])
        assert group.wrong_first()[:6].tolist() == wrong_members(run, cluster, 6).tolist()
        images = group.images(4)
        assert [image.size for image in images] == [(64, 64)] * min(4, members.sum())
        assert group.samples["wrong"].sum() == group.n_wrong


def test_classes_and_pairs_give_their_rows(run: Run) -> None:
    labels, predictions = run.samples.labels, run.outcomes.predictions
    names = run.samples.class_names
    assert labels is not None
    seen = set[str]()
    for finding in run.findings:
        if finding.kind == "class":
            assert set(labels[finding.rows]) == {names.index(finding.name)}
        elif finding.kind == "confusion" and predictions is not None:
            true, said = map(names.index, finding.name.split(" → "))
            assert set(labels[finding.rows]) == {true}
            assert set(predictions[finding.rows]) <= {said}
            assert finding.others is None
        seen.add(finding.kind)
    assert "class" in seen


def test_the_frame_has_a_row_for_each_sample_and_the_columns_of_the_table(run: Run) -> None:
    frame = run.to_frame()
    assert frame["id"].tolist() == list(run.samples.ids)
    assert frame["loss"].to_numpy() == pytest.approx(run.outcomes.loss)
    for column in run.samples.metadata:
        assert column.name in frame
    assert frame["label"].isin(run.samples.class_names).all()


def test_a_string_is_one_question_and_a_list_gives_a_list() -> None:
    run = Run.of(with_words(make_diagnosis(n=200)))
    phrase = run.words.phrases[0] if run.words else ""
    with pytest.raises(errata.InvalidInput, match=r"words|encoder"):  # these words come from no encoder
        run.ask(phrase)


def test_a_comparison_takes_a_frame_another_run_or_a_name(run: Run, tmp_path: Path) -> None:
    table = answers(run)
    compared = run.compare(table)
    wrong = int(run.outcomes.errors.sum()) if run.outcomes.errors is not None else 0
    assert compared.overall.fixed == wrong
    assert compared.overall.broken == 0
    again = compared.run.compare("second model")
    assert again.overall.fixed == wrong
    table.to_csv(tmp_path / "new.csv", index=False)
    assert run.compare(str(tmp_path / "new.csv")).b == "new"
    assert compared.report(tmp_path / "c.html").stat().st_size > 1000
    assert compared.to_frame()["subject"].tolist() == [row.subject for row in compared.section.rows]
    with pytest.raises(errata.InvalidInput, match=r"no model 'nonsense'.*It has: 'model'"):
        run.compare("nonsense")


def test_two_runs_of_the_same_samples_are_compared() -> None:
    frame = pd.DataFrame({"label": ["a", "b"] * (N // 2), "prediction": ["a"] * N})
    other = frame.assign(prediction=["b"] * N)
    first, second = (errata.diagnose(f, embeddings=VECTORS, settings=QUICK) for f in (frame, other))
    for compared in (errata.compare(first, second), first.compare(second)):
        assert (compared.overall.fixed, compared.overall.broken) == (N // 2, N // 2)
    assert not first.gate(second, settings=None, margin=0).worse


def test_a_gate_takes_a_frame_and_says_what_holds_back(run: Run) -> None:
    assert run.gate(answers(run), settings=None).passed
    worse = run.gate(answers(run, better=False), settings=None)
    assert not worse.passed
    assert repr(worse).startswith("Gate failed: second model is worse in")
    assert errata.gate(run, answers(run), settings=None).passed


def test_rows_lazy_frames_and_streams_become_tables() -> None:
    rows = [{"id": "a", "loss": 0.1}, {"id": "b", "loss": 0.2}]
    frame = pd.DataFrame(rows)

    class Image:
        def __init__(self, decode: bool = True) -> None:
            self.decode = decode

    class Stream:
        """What `datasets.IterableDataset` offers: no length, no to_pandas."""

        def __init__(self, decoded: bool = True) -> None:
            self.features = {"image": Image(decoded), "loss": object()}

        def cast_column(self, name: str, feature: Image) -> Stream:
            assert name == "image"
            return Stream(feature.decode)

        def __iter__(self) -> Iterator[dict[str, Any]]:
            assert not self.features["image"].decode  # pyright: ignore[reportAttributeAccessIssue]
            yield {"image": {"bytes": b"..."}, "loss": 0.5}

    lazy = SimpleNamespace(collect=lambda: SimpleNamespace(to_pandas=lambda: frame))
    for table in (rows, tuple(rows), lazy):
        made = as_frame(table)
        assert isinstance(made, pd.DataFrame)
        assert made.equals(frame)
    streamed = as_frame(Stream())
    assert isinstance(streamed, pd.DataFrame)
    assert streamed["loss"].tolist() == [0.5]


def test_a_pickle_holds_what_a_saved_run_holds_and_copies_are_the_run(run: Run) -> None:
    again = pickle.loads(pickle.dumps(run))
    assert type(again) is Run
    assert_same(again.clusters, run.clusters)
    assert len(again.findings[0].images(2)) == 2
    assert copy.copy(run) is run
    assert copy.deepcopy({"run": run})["run"] is run
    finding = run.findings[0]
    assert copy.copy(finding).title == finding.title


def shown(run: Run) -> list[Any]:
    """Everything that a program may end a cell with."""
    compared, gated = run.compare(answers(run)), run.gate(answers(run, better=False), settings=None)
    return [run, run.findings, run.hints, *run.findings, *run.hints, compared, gated]


def test_every_result_shows_itself_in_ten_lines_and_in_a_cell(run: Run) -> None:
    for result in shown(run):
        lines = repr(result).splitlines()
        assert 1 <= len(lines) <= MAX_LINES
        assert max(map(len, lines)) <= MAX_LETTERS
        html = result._repr_html_()
        assert len(html) < 400_000
        assert len(Page(html).text) > 10
    first = run.findings[0]
    assert first.title in repr(run.findings)
    assert f"{first.title}. {first.text}" in Page(first._repr_html_()).text


def test_hostile_names_stay_text() -> None:
    run = Run.of(make_diagnosis(hostile=True))
    for result in shown(run):
        assert {tag for tag, _ in Page(result._repr_html_()).tags} <= {"div", "p", "b", "img", "blockquote"}
        assert all(line.isprintable() for line in repr(result).splitlines())


def test_an_unknown_name_lists_what_there_is(run: Run) -> None:
    with pytest.raises(AttributeError, match=r"A run has no 'finding'. It has: .*findings"):
        _ = run.finding
    with pytest.raises(AttributeError, match=r"A finding has no 'rate'. It has: .*error_rate"):
        _ = run.findings[0].rate
    assert {"ask", "compare", "findings", "gate", "predict", "probe", "report", "save", "to_frame"} <= set(dir(run))


USES: dict[str, Callable[[Any], Any]] = {
    "diagnose": lambda value: errata.diagnose(value),
    "check": lambda value: errata.check(value),
    "ask": lambda value: errata.ask(value, "dark"),
    "compare": lambda value: errata.compare(value),
    "gate": lambda value: errata.gate(value, pd.DataFrame()),
    "predict": lambda value: errata.predict(value, pd.DataFrame()),
    "with_second": lambda value: errata.with_second(value, pd.DataFrame()),
    "findings_table": lambda value: errata.findings_table(value),
    "samples_table": lambda value: errata.samples_table(value),
    "save": lambda value: errata.save(value, "x.errata"),
    "write_report": lambda value: errata.write_report(value, Path("x.html")),
    "audit": lambda value: errata.audit(value, []),
    "open": lambda value: errata.open(value),
}
SECOND: dict[str, Callable[[Run, Any], Any]] = {
    "ask": lambda run, value: run.ask(value),
    "compare": lambda run, value: run.compare(value),
    "gate": lambda run, value: run.gate(value),
    "predict": lambda run, value: run.predict(value),
    "with_second": lambda run, value: errata.with_second(run, value),
    "save": lambda run, value: run.save(value),
    "report": lambda run, value: run.report(f"missing/{value}" if isinstance(value, str) and value else value),
    "probe": lambda run, value: run.probe(value),
}
BAD = {
    "a word": "nonsense",
    "an empty string": "",
    "None": None,
    "a list": [],
    "a dict": {},
    "a number": 7,
    "a float": 0.5,
    "an empty frame": pd.DataFrame(),
    "an object": object(),
    "bytes": b"bytes",
    "an empty array": np.empty(0),
}


def refusals(use: Callable[[Any], Any]) -> dict[str, str]:
    """What was answered to each bad value that did not end in one sentence: the error's type, or what was given."""
    wrong: dict[str, str] = {}
    for name, value in BAD.items():
        try:
            wrong[name] = f"gave {use(value)!r}"[:100]
        except errata.DiagnosisError as error:
            if "\n" in str(error):
                wrong[name] = str(error)
        except Exception as error:
            wrong[name] = f"{type(error).__name__}: {error}"
    return wrong


@pytest.mark.parametrize("name", USES)
def test_a_wrong_first_argument_is_refused_in_one_sentence(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert refusals(USES[name]) == {}


@pytest.mark.parametrize("name", SECOND)
def test_a_wrong_second_argument_is_refused_in_one_sentence(
    run: Run, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert refusals(lambda value: SECOND[name](run, value)) == {}


def unless(value: Any, taken: type, wrong: Any) -> Any:
    """The value, or one that is wrong where the argument takes it."""
    return wrong if isinstance(value, taken) else value


PARAMETERS: dict[str, Callable[..., Any]] = {
    **{name: getattr(errata, name) for name in errata.__all__ if isfunction(getattr(errata, name))},
    **{f"figures.{name}": getattr(errata.figures, name) for name in dir(errata.figures)},
    **{f"run.{name}": load(attribute) for name, attribute in methods().items()},
}
FITS_NOTHING = {"an object": object(), "a frame": pd.DataFrame({"a": [1]}), "bytes": b"bytes", "a list": [object()]}


@pytest.mark.parametrize("name", PARAMETERS)
def test_every_argument_of_a_function_is_refused_where_it_is_of_no_such_type(
    run: Run, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    function = PARAMETERS[name]
    parameters = signature(function).parameters.values()
    given = {"diagnosis": run, "run": run, "table": answers(run), "texts": "dark", "path": "x.csv", "answer": None}
    needed = {p.name: given[p.name] for p in parameters if p.default is p.empty and p.name in given}
    for parameter in parameters:
        if parameter.annotation != "Any":
            for value in FITS_NOTHING.values():
                with pytest.raises(errata.DiagnosisError):
                    function(**{**needed, parameter.name: value})


@pytest.mark.parametrize("kind", [errata.Settings, errata.Roles, errata.LossTable])
def test_every_argument_of_a_constructor_is_refused_where_it_is_of_no_such_type(kind: Any) -> None:
    for name in signature(kind).parameters:
        wrong = refusals(lambda value, name=name: kind(**{name: value}))
        assert {text for text in wrong.values() if not text.startswith("gave")} == set()
        assert {"an object", "bytes"}.isdisjoint(wrong)


def test_an_estimator_refuses_arguments_of_other_types_when_it_is_fitted() -> None:
    made: Any = errata.LossRegressor
    for name in signature(made).parameters:
        with pytest.raises(errata.InvalidInput, match=name):
            made(**{name: pd.DataFrame()}).fit(VECTORS, VECTORS[:, 0])


def test_numbers_paths_and_lists_of_other_libraries_fit() -> None:
    made = errata.Settings(alpha=np.float32(0.1), seed=np.int64(3), words=np.True_)  # pyright: ignore[reportArgumentType]
    assert (made.seed, made.words) == (3, True)
    named = errata.Roles(conditions=pd.Index(["a", "b"]), masks=["c", "d"], texts="e")  # pyright: ignore[reportArgumentType]
    assert (named.conditions, named.masks, named.texts) == (("a", "b"), ("c", "d"), ("e",))


TYPED: dict[str, Callable[[Run, Any], Any]] = {
    "roles": lambda _, value: errata.diagnose(
        {"loss": RNG.random(50)}, embeddings=VECTORS[:50], roles=unless(value, NoneType, 7)
    ),
    "margin": lambda run, value: run.gate(answers(run), margin="x" if isinstance(value, (int, float)) else value),
    "against": lambda run, value: run.compare(answers(run), against=value),
    "answer": lambda run, value: errata.answer_parts(run, value),
    "answer in a sentence": lambda run, value: errata.answer_sentence(run, value),
    "insight": lambda run, value: errata.sentence(run, value),
    "another model": lambda run, value: errata.figures.compare(run, unless(value, NoneType, 7)),
    "selected": lambda _, value: errata.figures.selected(value),
    "images": lambda run, value: run.findings[0].images(unless(unless(value, NoneType, "x"), int, "x")),
    "images below 0": lambda run, _: run.findings[0].images(-1),
    "seed below 0": lambda run, _: run.compare(answers(run), seed=-1),
    "numbers as questions": lambda run, _: run.ask(pd.Series([5.0])),  # type: ignore[call-overload]
    "modality": lambda _, value: errata.diagnose(
        {"loss": RNG.random(50)}, embeddings=VECTORS[:50], roles=errata.Roles(modality=unless(value, NoneType, "song"))
    ),
    "a loss table's file": lambda _, value: errata.LossTable().save(value),
    "parts of a loss table": lambda _, value: errata.LossTable.joined([] if value is None else value),
}


@pytest.mark.parametrize("name", TYPED)
def test_an_argument_of_a_wrong_type_is_refused_in_one_sentence(
    run: Run, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert refusals(lambda value: TYPED[name](run, value)) == {}
