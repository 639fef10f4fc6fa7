"""A run whose arrays do not belong together is damaged; nothing later may meet a row that is not there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import nan
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import InvalidInput
from core.language.title_model import model_of
from core.records import Competence, Diagnosis, Estimate, Faithfulness
from core.store import load, save
from core.store.rows import check_rows
from tests.support.diagnoses import make_diagnosis
from tests.support.faithfulness import made_faithfulness
from tests.support.sensitivity import made_sensitivity
from tests.support.stored import edit_state
from tests.support.words import PHRASES, in_two_parts, with_words


def _clusters(diagnosis: Diagnosis, **changed: Any) -> Diagnosis:
    return replace(diagnosis, clusters=tuple(replace(one, **changed) for one in diagnosis.clusters))


BENT: dict[str, Any] = {
    "suspected labels": lambda d: replace(d, label_errors=np.array([2**40])),
    "counterexamples": lambda d: _clusters(d, counterexamples=np.array([-1])),
    "membership": lambda d: _clusters(d, membership=np.zeros(3)),
    "labels": lambda d: replace(d, samples=replace(d.samples, labels=np.full(60, 3))),
    "predicted losses": lambda d: replace(d, estimate=replace(d.estimate, predicted=np.zeros((60, 2)))),
    "map": lambda d: replace(d, map=replace(d.map, xy=np.zeros((60, 3), np.float32))),
    "coordinates that are not finite": lambda d: replace(d, map=replace(d.map, xy=np.full((60, 2), nan, np.float32))),
    "mask of an insight": lambda d: replace(d, insights=(replace(d.insights[0], mask=np.zeros(61, bool)),)),
    "each kind of cause once": lambda d: replace(d, faithfulness=Faithfulness(made_faithfulness().kinds[1:])),
    "counts must be at most 60 rows": lambda d: replace(d, faithfulness=_untold(n_named=61)),
    "must have 0 to 60 rows, not 61": lambda d: replace(d, faithfulness=_untold(n=61)),
    "must have 0 to 60 rows, not -1": lambda d: replace(d, faithfulness=_untold(n=-1)),
    r"AUROC: must be 0 to 1 and within its interval, not 1\.7": lambda d: replace(
        d, faithfulness=_untold(auroc=Estimate(1.7, 0.6, 1.8))
    ),
    r"interval, not 0\.9 \[0\.6, 0\.8\]": lambda d: replace(d, faithfulness=_untold(auroc=Estimate(0.9, 0.6, 0.8))),
    r"interval, not nan \[0\.6, 0\.8\]": lambda d: replace(d, faithfulness=_untold(auroc=Estimate(nan, 0.6, 0.8))),
    "share of failing rows: must be 0 to 1": lambda d: replace(d, faithfulness=_untold(rate_rest=-0.1)),
    "faithfulness of 'condition': counts": lambda d: replace(d, faithfulness=_untried(n_named=31)),
    "faithfulness of 'condition': AUROC": lambda d: replace(d, faithfulness=_untried(auroc=Estimate(0.5, 0.6, 0.8))),
    "must be strings": lambda d: _column(d, "category", np.full(60, 1.5)),
    "must be numbers": lambda d: _column(d, "number", np.full(60, None)),
}


def _named(**changed: Any) -> Callable[[Diagnosis], Diagnosis]:
    def bent(diagnosis: Diagnosis) -> Diagnosis:
        called = in_two_parts(diagnosis).clusters[0].called
        assert called is not None
        part = replace(called.parts[0], **{k: v for k, v in changed.items() if k != "odds"})
        return _clusters(diagnosis, called=replace(called, parts=(part,), chance=changed.get("odds", 0.5)))

    return bent


TITLED: dict[str, Any] = {
    "rows of a part: must be 0 to 59, not 60": _named(rows=np.array([60])),
    "rows of a part: must be 0 to 59, not -1": _named(rows=np.array([-1])),
    "rows of a part: shape must be any": _named(rows=np.zeros((2, 2), np.int64)),
    "has no rows": _named(rows=np.zeros(0, np.int64)),
    "no words": _named(words=()),
    "share of a part": _named(share=nan),
    "chance of a part": _named(chance=1.5),
    "chance of a title": _named(odds=nan),
    "AUROC of a measured phrase": lambda d: _words(d, competence=_known(nan)),
    "a title model with the shapes": lambda d: _words(d, titles={**_model(), "one": [[1.0]]}),
    "thresholds of 0.9 and 0.5": lambda d: _words(d, titles={**_model(), "perhaps": 0.9, "likely": 0.5}),
    "numbers that are not finite": lambda d: _words(d, titles={**_model(), "two": [[1e300] * 11] * 3}),
}


def _words(diagnosis: Diagnosis, **changed: Any) -> Diagnosis:
    found = with_words(diagnosis)
    assert found.words is not None
    return replace(found, words=replace(found.words, **changed))


def _model() -> dict[str, Any]:
    return model_of(None, "image").write()


def _known(auroc: float) -> Competence:
    area, counts = np.full(len(PHRASES), auroc), np.full(len(PHRASES), 50)
    return Competence(area, area, area, counts, counts, 0.75)


@pytest.mark.parametrize("what", TITLED)
def test_an_altered_title_is_named(what: str) -> None:
    with pytest.raises(ValueError, match=what):
        check_rows(TITLED[what](make_diagnosis()))


def test_a_run_whose_title_speaks_of_rows_that_are_not_there_is_damaged(tmp_path: Path) -> None:
    save(in_two_parts(make_diagnosis()), tmp_path / "run.errata")

    def change(said: dict[str, Any]) -> None:
        said["diagnosis"]["clusters"]["$tuple"][0]["called"]["parts"]["$tuple"][0]["share"] = 7.0

    edit_state(tmp_path / "run.errata", change)
    with pytest.raises(InvalidInput, match=r"is damaged .*share of a part"):
        load(tmp_path / "run.errata")


def test_whole_titles_and_models_pass() -> None:
    check_rows(in_two_parts(_words(make_diagnosis(), titles=_model(), competence=_known(0.8))))


def _untold(**changed: Any) -> Faithfulness:
    found = made_faithfulness()
    return replace(found, kinds=tuple(replace(kind, **changed) for kind in found.kinds))


def _untried(**changed: Any) -> Faithfulness:
    found = made_faithfulness()
    return replace(found, causes=tuple(replace(cause, **changed) for cause in found.causes))


def _column(diagnosis: Diagnosis, kind: Any, values: Any) -> Diagnosis:
    column = replace(diagnosis.samples.metadata[0], kind=kind, values=values)
    return replace(diagnosis, samples=replace(diagnosis.samples, metadata=(column,)))


def test_a_whole_diagnosis_passes() -> None:
    check_rows(make_diagnosis())
    check_rows(make_diagnosis(n_clusters=0, with_errors=False, with_images=False))


@pytest.mark.parametrize("what", BENT)
def test_an_array_that_does_not_belong_is_named(what: str) -> None:
    with pytest.raises(ValueError, match=what):
        check_rows(BENT[what](make_diagnosis()))


def test_a_run_of_rows_that_are_not_there_is_damaged(tmp_path: Path) -> None:
    save(replace(make_diagnosis(), label_errors=np.array([0, 60])), tmp_path / "run.errata")
    with pytest.raises(InvalidInput, match=r"is damaged \(suspected labels"):
        load(tmp_path / "run.errata")


def test_a_run_with_a_number_for_a_cluster_is_damaged(tmp_path: Path) -> None:
    save(make_diagnosis(), tmp_path / "run.errata")
    edit_state(tmp_path / "run.errata", lambda said: said["diagnosis"]["clusters"].update({"$tuple": [5]}))
    with pytest.raises(InvalidInput, match=r"is damaged \(Diagnosis\.clusters"):
        load(tmp_path / "run.errata")


NAN, INFINITE = {"$float": "nan"}, {"$float": "inf"}
PLANTED: dict[str, tuple[str, Any, str]] = {
    "share": ("share", 1.5, "share of a pattern: must be 0 to 1, not 1.5"),
    "share of nothing": ("share", NAN, "share of a pattern: must be 0 to 1, not nan"),
    "size": ("size", 0, "size of a pattern: must be 1 to 400, not 0"),
    "strength": ("strength", 0.0, "strength of a pattern: must be above 0"),
    "strength without end": ("strength", INFINITE, "strength of a pattern: must be 0 to 1, not inf"),
    "strength yes": ("strength", True, r"PlantedPattern\.strength has the wrong type: bool"),
    "a hole in the grid": ("strength", 0.36, r"must have one pattern of 10 samples \(class\) and strength 0.35, not 0"),
    "two of a kind": ("strength", 0.5, r"must have one pattern of 10 samples \(class\) and strength 0.[35]+, not [02]"),
    "n_found": ("n_found", 41, "n_found of a pattern: must be 0 to 40, not 41"),
    "n_plants": ("n_plants", 0, "n_plants of a pattern: must be finite and at least 1, not 0"),
    "excess_loss": ("excess_loss", NAN, "excess_loss of a pattern: must be finite, not nan"),
    "found": ("found", {"$record": "Estimate", "value": NAN, "low": 0, "high": 1}, r"found\.value of a pattern"),
}
RUN: dict[str, tuple[str, Any, str]] = {
    "power": ("power", 2.0, "power: must be 0 to 1, not 2"),
    "base": ("base", NAN, "base: must be 0 to 1, not nan"),
    "class_size": ("class_size", -1, "class_size: must be 0 to 400, not -1"),
    "smallest": ("smallest", 0, "smallest: must be finite and at least 1"),
    "surest": ("surest", -5, "surest: must be finite and at least 1"),
    "patterns": ("patterns", {"$tuple": []}, "must have at least one pattern"),
}


def _refused(tmp_path: Path, change: Callable[[dict[str, Any]], object], why: str) -> None:
    """A run whose diagnosis somebody changed so is damaged, and why."""
    run = tmp_path / "run.errata"
    save(replace(make_diagnosis(), sensitivity=made_sensitivity(), settings={"within": ()}), run)
    assert load(run).sensitivity is not None
    edit_state(run, lambda said: change(said["diagnosis"]))
    with pytest.raises(InvalidInput, match=rf"is damaged \(.*{why}") as caught:
        load(run)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("what", [*PLANTED, *RUN])
def test_an_altered_record_of_planted_failures_is_damaged(what: str, tmp_path: Path) -> None:
    name, value, why = (PLANTED | RUN)[what]

    def change(said: dict[str, Any]) -> None:
        of = said["sensitivity"]
        (of["patterns"]["$tuple"][0] if what in PLANTED else of)[name] = value

    _refused(tmp_path, change, why)


@pytest.mark.parametrize("name", ["chance", "local_fdr"])
@pytest.mark.parametrize(("value", "why"), [(1.01, "not 1.01"), (NAN, "not nan"), (True, "bool")])
def test_an_altered_chance_of_a_cluster_is_damaged(name: str, value: Any, why: str, tmp_path: Path) -> None:
    _refused(tmp_path, lambda said: said["clusters"]["$tuple"][0].update({name: value}), f"{name}.*{why}")


@pytest.mark.parametrize("within", [5, None, "tram", {"$tuple": ["tram", 5]}])
def test_altered_names_of_the_classes_to_search_are_damaged(within: Any, tmp_path: Path) -> None:
    _refused(tmp_path, lambda said: said["settings"]["$dict"].update(within=within), "must be class names")


@pytest.mark.parametrize(
    ("name", "value"), [("alpha", "much"), ("alpha", 5), ("seed", 1.5), ("seed", [1]), ("alpha_inside", None)]
)
def test_altered_numbers_among_the_settings_are_damaged(name: str, value: Any, tmp_path: Path) -> None:
    _refused(tmp_path, lambda said: said["settings"]["$dict"].update({name: value}), f"{name} of the settings: ")
