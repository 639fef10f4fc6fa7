"""Accuracy by number of shots: which results make a curve, and what its points say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.errors import InvalidInput
from core.records import Diagnosis, Estimate
from core.statistics.paired import paired_difference, paired_p
from core.statistics.permutation import holm
from core.systems.probes import make_probe
from core.systems.probes.records import ProbeResult, with_results
from core.systems.probes.run import run_each, run_probe
from core.systems.probes.shot_curves import doubled, read_numbers, shot_curves
from core.systems.probes.splits import Fold, Split
from tests.support.diagnoses import make_diagnosis
from tests.support.heads import made_task
from tests.support.probes import made_probe


def shot_probe(shots: int, right: float, **changes: object) -> ProbeResult:
    made = made_probe(name=f"made, {shots} shot{'s' * (shots > 1)}", right=right, seed=shots)
    settings = {"shots": shots, "tune": False, "seed": 0, **changes}
    return replace(made, settings=settings)


def said(found: Estimate | None) -> dict[str, float] | None:
    return None if found is None else found.to_dict()


def run_with(*results: ProbeResult) -> Diagnosis:
    return with_results(make_diagnosis(), results)


def test_each_point_is_set_beside_zero_shot_and_the_number_before_on_the_same_rows() -> None:
    task, steps = made_task(160, 3), list[str]()
    numbers = (1, 2, 4)
    made = run_each(
        "lp++",
        [make_probe("lp++", {"shots": s}) for s in numbers],
        task,
        progress=lambda step, done, total: steps.append(step),
    )
    assert [r.name for r in made] == ["lp++, 1 shot", "lp++, 2 shots", "lp++, 4 shots"]
    assert steps[0].startswith("4 shots: ")  # the most first, so that what is lacking is known at once
    (rows,) = shot_curves(with_results(replace(make_diagnosis(), samples=task.samples), made))
    assert rows.n == 160
    (curve,) = rows.curves
    assert (curve.name, curve.zero_shot) == ("lp++", made[0].controls[0].accuracy)
    assert [(p.shots, p.labelled) for p in curve.points] == [(1, 2), (2, 4), (4, 8)]  # as many validate
    wrong = [errors for r in made if (errors := r.outcomes.errors) is not None]
    groups = task.samples.groups
    ps = holm([paired_p(wrong[0], wrong[1], groups), paired_p(wrong[1], wrong[2], groups)])
    over = holm([r.controls[0].p for r in made])
    for i, (point, result) in enumerate(zip(curve.points, made, strict=True)):
        assert point.gain_p == over[i]
        np.testing.assert_array_equal(result.rows, made[0].rows)
        assert (point.result, point.accuracy, point.gain) == (result.name, result.accuracy, result.controls[0].gain)
        assert said(point.step) == (None if i == 0 else said(paired_difference(wrong[i - 1], wrong[i], groups)))
        assert point.step_p == (None if i == 0 else ps[i - 1])


def test_what_the_second_part_lacks_is_refused_before_the_first_is_scored(monkeypatch: pytest.MonkeyPatch) -> None:
    task, rows, scored = made_task(80), np.arange(80), list[int]()
    probe = make_probe("lp++", {"shots": 2})
    monkeypatch.setattr(type(probe), "run", lambda self, part: scored.append(1))
    split = Split((Fold(rows[40:], rows[:40]), Fold(rows[:4], rows[40:])), "Two parts.")  # one image a class is left
    with pytest.raises(InvalidInput, match="fewer than 2 shots"):
        run_probe("lp++", probe, replace(task, split=split))
    assert not scored


def test_groups_of_rows_widen_a_step() -> None:
    results = shot_probe(1, 0.5), shot_probe(4, 0.7)
    plain = run_with(*results)
    n = len(plain.samples)
    grouped = replace(plain, samples=replace(plain.samples, groups=np.arange(n, dtype=np.int64) // 4))
    steps = [shot_curves(run)[0].curves[0].points[1].step for run in (plain, grouped)]
    assert steps[0] is not None
    assert steps[1] is not None
    assert steps[0].value == steps[1].value
    assert steps[0].low != steps[1].low


def test_only_results_that_differ_in_shots_alone_make_a_curve() -> None:
    one, four = shot_probe(1, 0.4), shot_probe(4, 0.8)
    assert shot_curves(run_with(four)) == ()
    assert shot_curves(run_with(one, shot_probe(4, 0.8, seed=1))) == ()
    assert shot_curves(run_with(one, shot_probe(4, 0.8, tune=True))) == ()
    assert shot_curves(run_with(one, replace(four, encoder="another"))) == ()
    assert shot_curves(run_with(one, replace(four, support=None))) == ()  # nothing taught it
    for wrong in (-4, True, "1", None):  # as in a file that was changed by hand
        assert shot_curves(run_with(four, replace(one, settings={**one.settings, "shots": wrong}))) == ()
    texts = replace(four.controls[0], accuracy=Estimate(0.6, 0.5, 0.7))  # zero-shot with other texts
    assert shot_curves(run_with(one, replace(four, controls=(texts,)))) == ()
    fewer = replace(made_probe(left_out=9), settings=four.settings)
    assert shot_curves(run_with(one, fewer)) == ()  # other rows were scored
    (rows,) = shot_curves(run_with(four, one))  # whatever the order in which they were run
    assert [p.shots for p in rows.curves[0].points] == [1, 4]
    assert rows.curves[0].name == "made"


def test_curves_on_the_same_rows_stand_together_under_names_that_differ() -> None:
    other = [shot_probe(s, 0.5, tune=True) for s in (2, 4)]
    found = shot_curves(run_with(shot_probe(1, 0.4), shot_probe(4, 0.8), *other))
    assert [[c.name for c in rows.curves] for rows in found] == [["made", "made, 2 shots"]]


def test_what_no_probe_here_can_say_of_its_labels_is_left_open() -> None:
    results = [replace(shot_probe(s, 0.5), probe="gone") for s in (1, 4)]
    assert [p.labelled for p in shot_curves(run_with(*results))[0].curves[0].points] == [None, None]
    kept = shot_curves(run_with(shot_probe(1, 0.4), shot_probe(4, 0.8)))[0].curves[0]
    assert [p.labelled for p in kept.points] == [1, 4]  # Tip-Adapter without tuning


def test_numbers_of_shots_are_read_from_a_text() -> None:
    assert read_numbers("16,1, 4,4") == (1, 4, 16)
    assert read_numbers("4") == read_numbers("") == ()  # one number, which the setting itself reads
    for wrong in ("1,x", "1,", "1,-2", "1,²", "1," + "9" * 5000):
        with pytest.raises(InvalidInput, match="whole numbers with commas"):
            read_numbers(wrong)
    with pytest.raises(InvalidInput, match="at most 12"):
        read_numbers(",".join(str(s) for s in range(1, 14)))


def test_fewer_shots_double_up_to_the_most() -> None:
    assert doubled(16) == (1, 2, 4, 8, 16)
    assert doubled(6) == (1, 2, 4, 6)
    assert doubled(2) == (1, 2)
    assert doubled(1) == (1,)
