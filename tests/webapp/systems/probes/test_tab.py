"""The part Classes of Probe: a form made of a probe's settings, a result group by group, and one image explained."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core.encoders import EMBEDDED, ENCODERS
from core.errors import InvalidInput
from core.options import settings_of
from core.records import Diagnosis, SampleSet
from core.systems.probes import PROBES
from core.systems.probes.records import ProbeResult, results_of
from tests.support.showcase import add_words, make_showcase
from tests.support.visits import serve
from tests.webapp.callbacks import press
from webapp.state.jobs import JOBS
from webapp.state.runs import RUNS
from webapp.state.session import Session
from webapp.systems.probes.form import controls, read_press
from webapp.systems.probes.inputs import check_paths, estimate, is_path, refusal, split_of, unfit
from webapp.systems.probes.state import ProbeState, add, compared, run_one, with_probes
from webapp.systems.probes.tab import (
    form_of,
    on_explain,
    on_failures,
    on_figures,
    on_new_results,
    on_open,
    on_result,
    on_start,
)

pytestmark = pytest.mark.usefixtures("plain")
N = 120
HARMLESS = set("templates own_templates synonyms descriptions concept init order words own_patterns".split())
"""Settings of free text that no probe takes for a path: lines, JSON (checked), and words."""


def started(session: Session, probing: ProbeState, **settings: Any) -> tuple[Any, ...]:
    *_, (job, _, made) = on_start(session, None, press(probe="zero-shot", settings=settings))
    return job, *on_new_results(session, probing, made)


@pytest.mark.parametrize("name", list(PROBES))
def test_every_setting_has_one_labelled_control_unless_it_is_a_path(name: str, streets: Diagnosis) -> None:
    form = controls(name, streets)
    for setting in settings_of(core_class(name)):
        assert form.count(f'data-setting="{setting.name}"') == (0 if is_path(setting) else 1), setting.name
        assert form.count(f'for="set-{setting.name}"') == (0 if is_path(setting) else 1)
    assert form.count('data-setting="seed"') == 1


def core_class(name: str) -> Any:
    from core.systems.probes import probe_class

    return probe_class(name)


@pytest.mark.parametrize("name", list(PROBES))
def test_no_visitor_makes_the_server_open_a_file_by_its_path(name: str) -> None:
    for setting in settings_of(core_class(name)):
        if setting.kind != "str" or setting.choices:
            continue
        if is_path(setting):
            with pytest.raises(InvalidInput, match="path on the server"):
                check_paths(name, {setting.name: "/etc/passwd"})
        else:
            assert setting.name in HARMLESS, f"{setting.name} is new: is it a path? Say so in probe/inputs.py"
    if "descriptions" in {s.name for s in settings_of(core_class(name))}:
        with pytest.raises(InvalidInput, match="must be JSON text"):
            check_paths(name, {"descriptions": "/etc/passwd"})
        with pytest.raises(InvalidInput, match="Paste"):
            check_paths(name, {"synonyms": "secret.JSON "} if name != "label-desc" else {"own_patterns": "secret.tsv"})


def test_a_probe_whose_module_is_missing_is_shown_and_cannot_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PROBES, "later", "core.systems.probes.none_yet:Later")
    found = controls("zero-shot", add_words(make_showcase(60)))
    assert 'value="later" disabled' in found
    assert "Not installed" in found
    assert 'value="zero-shot" checked' in found


def test_a_form_from_the_browser_is_not_trusted() -> None:
    assert read_press({"probe": "x" * 999, "settings": "no object"}) == ("x" * 60, {})
    assert read_press({"settings": {"seed": "1"}}) == ("", {"seed": "1"})


def test_the_estimate_says_how_long_or_what_is_wrong(example: str) -> None:
    assert estimate([example, "zero-shot", {}]).startswith("About ")
    assert "templates must be one of" in estimate([example, "zero-shot", {"templates": "81"}])
    assert "seed" in estimate([example, "zero-shot", {"seed": "-1"}])
    assert "no longer has this run" in estimate(["unknown", "zero-shot", {}])
    assert estimate("nonsense") == estimate(None) == ""


def test_the_split_column_is_offered_where_it_has_both_parts(streets: Diagnosis) -> None:
    assert "set-split" not in controls("zero-shot", streets)
    parts = np.where(np.arange(N) % 2 == 0, "train", "test").astype(object)
    divided = replace(streets, samples=replace(streets.samples, splits=parts))
    assert "set-split" in controls("zero-shot", divided)
    found = split_of(divided, "column")
    assert found is not None
    assert len(found.folds[0].test) == N // 2
    with pytest.raises(InvalidInput, match="'halves' or 'column'"):
        split_of(divided, "/etc/passwd")


def test_a_result_on_an_example_stays_with_the_visitor(example: str) -> None:
    session = Session(example)
    job, status, probing, chart, view, gallery, why, _, failures = started(session, ProbeState(example))
    assert job == ""
    assert "Done" in status
    assert results_of(RUNS.get(example)) == ()
    assert [r.name for r in probing.results] == ["zero-shot"]
    accuracy = probing.results[0].accuracy
    assert f"Right on {100 * accuracy.value:.0f}" in view["value"]
    assert why == ""
    assert failures["visible"]
    assert not chart["visible"]
    assert gallery["run"] == example


def test_fewer_shots_are_added_with_the_most_and_drawn(example: str) -> None:
    settings = {"shots": "4", "c": "1", "fewer_shots": True}
    *_, (_, _, made) = on_start(Session(example), None, press(probe="linear-probe", settings=settings))
    status, kept, chart, view, *_ = on_new_results(Session(example), ProbeState(example), made)
    assert [r.name[:22] for r in kept.results] == [f"linear-probe, {n}" for n in ("1 shot, ", "2 shots,", "4 shots,")]
    assert "and 2 with fewer shots to" in status
    assert "Linear-probe, 4 shots, c 1.0: would it" in view["value"]  # the most are shown
    (curve,) = [trace for trace in json.loads(chart["value"].plot)["data"] if trace["mode"] == "lines+markers"]
    assert curve["x"] == [1, 2, 4]
    assert curve["y"] == [r.accuracy.value for r in kept.results]
    highs = np.add(curve["y"], curve["error_y"]["array"])
    np.testing.assert_allclose(highs, [r.accuracy.high for r in kept.results])
    fold = on_figures(kept)["value"].split('id="probe-shots-figures"')[1].split("</details>")[0]
    assert "linear-probe, c 1.0 is right on" in fold
    _, _, _, chart, *_ = started(Session(example), ProbeState(example))
    assert not chart["visible"]


def test_a_result_on_a_visitors_own_run_is_stored_with_it(streets: Diagnosis) -> None:
    run = RUNS.add(streets)
    _, _, probing, *_ = started(Session(run), ProbeState(run))
    assert [r.name for r in results_of(RUNS.get(run))] == ["zero-shot"]
    fresh, form, pool, _, view, *_ = on_open(Session(run), ProbeState())
    assert fresh.results[0].accuracy.value == probing.results[0].accuracy.value
    assert "probe-group" in view["value"]
    assert 'data-probe="zero-shot"' in form["value"]
    assert not pool["visible"]


def test_the_same_settings_replace_a_result_and_others_get_a_name_of_their_own(
    streets: Diagnosis, result: ProbeResult
) -> None:
    same, name = add((result,), replace(result, seconds=9.0))
    assert (len(same), name, same[0].seconds) == (1, "zero-shot", 9.0)
    other, name = run_one(
        streets, "zero-shot", {"templates": "own", "own_templates": "a {} in the dark."}, results=(result,)
    )
    assert len(other) == 2
    assert name == "zero-shot, own templates"
    again, name = add(other, replace(result, settings={"seed": 7}))
    assert name == "zero-shot (2)"
    assert len({r.name for r in again}) == len(again) == 3


def test_on_texts_a_probe_that_learns_prompts_is_refused_in_a_sentence_and_no_pool_is_asked_for(
    streets: Diagnosis,
) -> None:
    texts = replace(streets, samples=replace(streets.samples, modality="text"))
    assert "these samples are texts" in unfit("cocoop", texts)
    assert [n for n in PROBES if unfit(n, texts)] == ["coop", "cocoop"]
    assert not any(unfit(n, streets) for n in PROBES)
    with pytest.raises(InvalidInput, match="Choose a probe without learned prompts"):
        form_of("a run", texts, "coop")
    assert not form_of("a run", texts, "sus-x")[1]["visible"]


def test_a_stopped_run_says_so_and_keeps_what_was_there(example: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import core.systems.probes.run

    def endless(*_: Any, progress: Any, **__: Any) -> Any:
        while True:
            progress("probe", 0, 9)

    monkeypatch.setattr(core.systems.probes.run, "run_probe", endless)
    running = on_start(Session(example), None, press(probe="zero-shot", settings={}))
    job, *_ = next(running)
    next(running)
    assert JOBS.cancel(job)
    *_, last = running
    assert "Stopped" in last[1]
    assert last[2] is None
    assert "value" not in str(
        on_new_results(Session(example), ProbeState(example), None)
    )  # every place is left as it is


def test_what_cannot_be_probed_is_said_before_anything_runs(streets: Diagnosis) -> None:
    unlabelled = replace(streets, samples=SampleSet(streets.samples.ids, name="no labels"))
    for diagnosis, said in ((replace(streets, words=None), "no text encoder"), (unlabelled, "true class")):
        assert said in refusal(diagnosis)
        with pytest.raises(InvalidInput, match=said):
            run_one(diagnosis, "zero-shot", {})
    with pytest.raises(InvalidInput, match="Unknown probe"):
        run_one(streets, "fortune-telling", {})
    with pytest.raises(InvalidInput, match="No run is open"):
        list(on_start(Session(), None, press(probe="zero-shot", settings={})))
    run = RUNS.add(replace(streets, words=None))
    _, form, _, _, result, *_ = on_open(Session(run), ProbeState())
    assert result["value"] == ""  # nothing else says that a probe is to be chosen
    assert "No probe can run" in form["value"]
    assert "No run is open" in on_open(Session(), ProbeState())[1]["value"]


def test_pressing_leads_from_a_kind_to_an_image_and_back_to_another_result(example: str) -> None:
    session = Session(example)
    _, _, probing, *_ = started(session, ProbeState(example))
    shown, _, _, gallery, *_ = on_result(session, probing, press(do="kind", scope="0", kind="both"))
    assert (shown.scope, shown.kind) == ("0", "both")
    assert "Both wrong:" in gallery
    assert "Why this prediction" in on_explain(session, shown, press(do="explain", place="3"))
    for wrong in ("-1", str(N), "x", float("inf"), float("nan"), None):
        with pytest.raises(InvalidInput):
            on_explain(session, shown, press(do="explain", place=wrong))
    made, _, view, *_ = on_result(session, shown, press(do="result", name="zero-shot"))
    assert made.scope == "all"
    assert "probe-group" in view["value"]
    with pytest.raises(InvalidInput, match="another run"):
        on_result(Session("other"), shown, press(do="kind"))


def test_what_was_added_while_a_probe_was_at_work_is_not_lost(streets: Diagnosis, example: str) -> None:
    session, other = Session(example), RUNS.add(streets)
    *_, (_, _, late) = on_start(session, None, press(probe="zero-shot", settings={"seed": "5"}))
    _, _, meanwhile, *_ = started(session, ProbeState(example), templates="own", own_templates="a {} in the dark.")
    elsewhere, *_ = on_open(Session(other), meanwhile)
    status, kept, *views = on_new_results(Session(other), elsewhere, late)
    assert f" to {streets.samples.name}." in status
    assert kept.run == other
    assert all("value" not in str(view) for view in views)  # the open run's places are left as they are
    assert [r.name for r in kept.by_run[example]] == ["zero-shot, own templates", "zero-shot"]
    unseen = on_new_results(Session(other), meanwhile, late)[1]  # the other run was opened in Findings alone
    again, *_ = on_open(session, unseen)
    assert again.run == example
    assert on_figures(again)["value"].count('data-do="result"') == 2


def test_a_stopped_diagnosis_of_failures_opens_no_earlier_run(example: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from webapp.systems.probes import tab

    def endless(_: Any, __: Any, progress: Any) -> str:
        while True:
            progress("diagnose", 0, 9)

    session = Session(example)
    _, _, probing, *_ = started(session, ProbeState(example))
    monkeypatch.setattr(tab, "diagnose_failures", endless)
    running = on_failures(session, probing)
    job, _, finished = next(running)
    assert finished == ""  # what an earlier press had made is forgotten at once
    next(running)
    assert JOBS.cancel(job)
    *_, last = running
    assert last[2] == ""


@pytest.mark.parametrize("wrong", ["1.7", True, "-1", "nan", "1e300", [1]])
def test_a_seed_that_is_no_whole_number_is_refused(example: str, wrong: Any) -> None:
    assert "seed must be a whole number" in estimate([example, "zero-shot", {"seed": wrong}])


@pytest.mark.slow
def test_a_probes_own_failures_become_a_run_whose_model_is_the_probe(streets: Diagnosis) -> None:
    serve("probing")
    run = RUNS.add(add_words(make_showcase(200)))
    session = Session(run)
    _, _, probing, *_ = started(session, ProbeState(run))
    *_, (_, status, found) = on_failures(session, probing)
    assert "Done" in status
    made = RUNS.get(found)
    np.testing.assert_array_equal(made.outcomes.loss, probing.results[0].outcomes.loss)
    # The model of that run is the probe itself.
    assert compared(with_probes(found, results_of(made)), "zero-shot") is None


def test_the_place_opens_with_zero_shot_where_its_encoder_comes_along_and_the_picked_group_first(
    example: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Press Run" in on_open(Session(example), ProbeState())[4]["value"]
    monkeypatch.setitem(ENCODERS, "plain", "tests.support.showcase:PlainEncoder")
    monkeypatch.setitem(EMBEDDED, "plain", "plain")
    state, _, _, _, view, *_ = on_open(Session(example), ProbeState())
    assert [result.name for result in state.results] == ["zero-shot"]
    clusters = [c.id for c in RUNS.get(example).clusters if c.confirmed]
    assert re.findall(r'class="probe-group" data-scope="(\w+)"', view["value"]) == [*map(str, clusters), "all"]
    assert "value" not in str(on_open(Session(example), state))  # nothing changed meanwhile
    state, form, _, _, view, *_ = on_open(Session(example, cluster=clusters[-1]), state)
    assert "value" not in str(form)  # what was filled in stays
    assert re.search(r'data-scope="(\w+)"', view["value"])[1] == str(clusters[-1])  # pyright: ignore[reportOptionalSubscript]
