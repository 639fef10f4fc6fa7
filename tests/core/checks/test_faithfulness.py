"""Whether named causes tell failing rows from others, on rows that their choice did not see."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.checks import faithfulness as module
from core.checks.faithfulness import measure_faithfulness
from core.discovery.settings import Settings
from core.errors import Cancelled
from core.records import Column, Diagnosis, Faithfulness
from core.reports.wording.reasons import faithfulness_lines
from core.statistics.ranking import auroc
from core.store import load, save
from research.arrays import diagnose_arrays

FAST = Settings(map=False, sensitivity=False, n_permutations=200)
N = 500


def planted(strength: float, seed: int = 0, n: int = N) -> Diagnosis:
    """In a fifth of the rows, "fog", errors are more frequent by `strength`; embeddings see it."""
    rng = np.random.default_rng(seed)
    fog = rng.random(n) < 0.2
    vectors = rng.normal(size=(n, 8)).astype(np.float32)
    vectors[fog, 0] += 3
    errors = rng.random(n) < 0.08 + strength * fog
    weather = np.array(["fog" if f else "clear" for f in fog], dtype=object)
    return diagnose_arrays(
        vectors, errors.astype(float), errors=errors, columns=(Column("weather", "category", weather),), settings=FAST
    )


@pytest.fixture(scope="module")
def found() -> tuple[Diagnosis, Faithfulness]:
    diagnosis = planted(0.6)
    return diagnosis, measure_faithfulness(diagnosis)


def test_a_planted_cause_is_named_with_the_auroc_that_it_has(found: tuple[Diagnosis, Faithfulness]) -> None:
    diagnosis, measured = found
    kind = {k.kind: k for k in measured.kinds}["condition"]
    fog = np.array(diagnosis.samples.metadata[0].values == "fog")
    errors = diagnosis.outcomes.errors
    assert errors is not None
    assert (kind.n, kind.n_failing, kind.n_named) == (N, int(errors.sum()), int(fog.sum()))
    assert kind.auroc.value == pytest.approx(auroc(fog.astype(float), errors))
    assert kind.auroc.low < kind.auroc.value < kind.auroc.high
    assert kind.auroc.low > 0.6
    assert kind.rate_named == pytest.approx(errors[fog].mean())
    assert kind.rate_rest == pytest.approx(errors[~fog].mean())
    causes = [c for c in measured.causes if c.text == "weather = fog"]
    assert [c.n for c in causes] == [N // 2, N // 2]  # each half has found it, and tried it in the other


def test_what_was_measured_is_kept_with_the_run(found: tuple[Diagnosis, Faithfulness], tmp_path: Path) -> None:
    diagnosis, measured = found
    save(replace(diagnosis, faithfulness=measured), tmp_path / "run.errata")
    kept = load(tmp_path / "run.errata").faithfulness
    assert kept is not None
    assert [(k.kind, k.n_named) for k in kept.kinds] == [(k.kind, k.n_named) for k in measured.kinds]
    assert [c.text for c in kept.causes] == [c.text for c in measured.causes]
    assert faithfulness_lines(diagnosis, kept) == faithfulness_lines(diagnosis, measured)


def test_where_nothing_is_to_be_found_nothing_is_named() -> None:
    measured = measure_faithfulness(planted(0.0, seed=3))
    assert measured.refused == ""
    assert {k.kind: k.n_named for k in measured.kinds}["any"] == 0


def test_every_row_is_judged_by_the_half_that_did_not_see_it(monkeypatch: pytest.MonkeyPatch) -> None:
    diagnosis = planted(0.6)
    halves: list[tuple[set[str], set[str]]] = []
    made = module._Half.__init__

    def watched(half: module._Half, *given: Any) -> None:
        made(half, *given)
        halves.append((set(half.diagnosis.samples.ids), {diagnosis.samples.ids[i] for i in half.rows.tolist()}))

    monkeypatch.setattr(module._Half, "__init__", watched)
    measure_faithfulness(diagnosis)
    assert len(halves) == 2
    for chosen, judged in halves:
        assert not chosen & judged
    assert halves[0][1] | halves[1][1] == set(diagnosis.samples.ids)


def test_outcomes_of_the_judged_rows_do_not_change_what_is_named() -> None:
    diagnosis = planted(0.6)
    whole = module.DataSet(diagnosis.samples, diagnosis.outcomes, diagnosis.embeddings, (), ())
    chosen, other = module.hold_back(whole, 0.5)
    errors = other.outcomes.errors
    assert errors is not None
    turned = module.DataSet(
        other.samples,
        type(other.outcomes)(
            1.0 - other.outcomes.loss, other.outcomes.name, other.outcomes.unit, other.outcomes.source, errors=~errors
        ),
        other.embeddings,
        (),
        (),
    )
    quiet = lambda step, done, total: None  # noqa: E731
    one, two = (module._Half(diagnosis, chosen, part, quiet).named() for part in (other, turned))
    assert all(np.array_equal(one[kind], two[kind]) for kind in one)
    assert one["any"].any()


def test_too_few_rows_are_said_and_not_measured() -> None:
    measured = measure_faithfulness(planted(0.6, n=60))
    assert measured.kinds == ()
    assert "At least 40 samples are needed" in measured.refused


def test_its_steps_are_told_by_half_and_it_can_be_stopped() -> None:
    told: list[str] = []

    def watched(step: str, done: int, total: int) -> None:
        told.append(step)
        if step.startswith("half 2: "):
            raise Cancelled("enough")

    with pytest.raises(Cancelled, match="enough"):
        measure_faithfulness(planted(0.6, n=120), progress=watched)
    assert told[0] == "try the causes"
    assert any(step.startswith("half 1: ") for step in told)
