"""The Probe tab: a form made of a probe's settings, a result beside the user's model, and one image explained."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import core.encoders
from core.errors import InvalidInput
from core.probes import PROBES, make_probe
from core.probes.settings import settings_of
from core.records import Diagnosis, LogitParts, Neighbours, ProbeResult, SampleSet, Support
from core.store import save
from tests.webapp.showcase import PlainEncoder, add_words, make_showcase
from tests.webapp.test_markup import Tags
from webapp.jobs import JOBS
from webapp.probe_classes import MOST_CELLS, classes_view, confusion_view, reliability_view
from webapp.probe_clusters import four_way_view, gallery_view
from webapp.probe_figures import KINDS, rows_of_kind
from webapp.probe_form import cards, controls, read_press
from webapp.probe_images import explanation_view, parts_of, similarities
from webapp.probe_learned import details_view, learned_view
from webapp.probe_runs import Probing, added, allowed, compared, estimate, is_path, refusal, run_one, split_of, with_probes
from webapp.probe_views import matrix_view, result_view, table_view
from webapp.session import RUNS, Session
from webapp.tabs.probe import on_back, on_choose, on_explain, on_failures, on_found, on_open, on_result, on_start

N = 120
HARMLESS = {"templates", "own_templates", "synonyms", "descriptions", "concept", "init"}
"""Settings of free text that no probe takes for a path: lines, JSON (checked), and words."""


def press(**said: Any) -> Any:
    return SimpleNamespace(_data=said)


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    real = core.encoders.load_encoder
    monkeypatch.setattr(core.encoders, "load_encoder", lambda name="embedded", **kw: PlainEncoder() if name == "plain" else real(name, **kw))


@pytest.fixture(scope="module")
def streets() -> Diagnosis:
    return add_words(make_showcase(N))


@pytest.fixture(scope="module")
def result(streets: Diagnosis) -> Iterator[ProbeResult]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(core.encoders, "load_encoder", lambda name="embedded", **kw: PlainEncoder())
        results, name = run_one(streets, "zero-shot", {})
        assert name == "zero-shot"
        yield results[0]


@pytest.fixture
def example(streets: Diagnosis, tmp_path: Path) -> str:
    save(streets, tmp_path / "probed" / "run")
    return RUNS.offer(tmp_path / "probed" / "run")


def started(session: Session, probing: Probing, **settings: Any) -> tuple[Any, ...]:
    *_, last = on_start(session, probing, None, press(probe="zero-shot", settings=settings))
    return last


# The form


@pytest.mark.parametrize("name", list(PROBES))
def test_every_setting_has_one_labelled_control_unless_it_is_a_path(name: str, streets: Diagnosis) -> None:
    form = controls(name, streets)
    for setting in settings_of(core_class(name)):
        assert form.count(f'data-setting="{setting.name}"') == (0 if is_path(setting) else 1), setting.name
        assert form.count(f'for="set-{setting.name}"') == (0 if is_path(setting) else 1)
    assert form.count('data-setting="seed"') == 1


def core_class(name: str) -> Any:
    from core.probes import probe_class

    return probe_class(name)


@pytest.mark.parametrize("name", list(PROBES))
def test_no_visitor_makes_the_server_open_a_file_by_its_path(name: str) -> None:
    for setting in settings_of(core_class(name)):
        if setting.kind != "str" or setting.choices:
            continue
        if is_path(setting):
            with pytest.raises(InvalidInput, match="path on the server"):
                allowed(name, {setting.name: "/etc/passwd"})
        else:
            assert setting.name in HARMLESS, f"{setting.name} is new: say in probe_runs whether it is a path"
    if "descriptions" in {s.name for s in settings_of(core_class(name))}:
        with pytest.raises(InvalidInput, match="JSON itself"):
            allowed(name, {"descriptions": "/etc/passwd"})
        with pytest.raises(InvalidInput, match="Paste"):
            allowed(name, {"synonyms": "secret.JSON "})


def test_a_probe_whose_module_is_missing_is_shown_and_cannot_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PROBES, "later", "core.probes.not_there_yet:Later")
    found = cards()
    assert 'value="later" disabled' in found
    assert "Not available" in found
    assert 'value="zero-shot" checked' in found


def test_a_form_from_the_browser_is_not_trusted() -> None:
    assert read_press({"probe": "x" * 999, "settings": "no object"}) == ("x" * 60, {})
    assert read_press({"settings": {"seed": "1"}}) == ("", {"seed": "1"})


def test_the_estimate_says_how_long_or_what_is_wrong(example: str) -> None:
    assert estimate([example, "zero-shot", {}]).startswith("About ")
    assert "templates must be one of" in estimate([example, "zero-shot", {"templates": "81"}])
    assert "seed" in estimate([example, "zero-shot", {"seed": "-1"}])
    assert "no longer held" in estimate(["unknown", "zero-shot", {}])
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


# Runs


def test_a_result_on_an_example_stays_with_the_visitor(example: str) -> None:
    session = Session(example)
    job, status, probing, view, gallery, why, failures, back = started(session, Probing(example))
    assert job == ""
    assert "Done" in status
    assert RUNS.get(example).probes == ()
    assert [r.name for r in probing.results] == ["zero-shot"]
    accuracy = probing.results[0].accuracy
    assert f"right on {100 * accuracy.value:.0f}" in view["value"]
    assert "Why this one" not in why
    assert failures["visible"]
    assert not back["visible"]
    assert gallery["run"] == example


def test_a_result_on_a_visitors_own_run_is_stored_with_it(streets: Diagnosis) -> None:
    run = RUNS.add(streets)
    _, _, probing, *_ = started(Session(run), Probing(run))
    assert [r.name for r in RUNS.get(run).probes] == ["zero-shot"]
    fresh, _, form, pool, view, *_ = on_open(Session(run), Probing())
    assert fresh.results[0].accuracy.value == probing.results[0].accuracy.value
    assert "probe-head" in view["value"]
    assert 'data-probe="zero-shot"' in form["value"]
    assert not pool["visible"]


def test_the_same_settings_replace_a_result_and_others_get_a_name_of_their_own(streets: Diagnosis, result: ProbeResult) -> None:
    same, name = added((result,), replace(result, seconds=9.0))
    assert (len(same), name, same[0].seconds) == (1, "zero-shot", 9.0)
    other, name = run_one(streets, "zero-shot", {"templates": "own", "own_templates": "a {} in the dark."}, results=(result,))
    assert len(other) == 2
    assert name == "zero-shot, templates own"
    again, name = added(other, replace(result, settings={"seed": 7}))
    assert name == "zero-shot (2)"
    assert len({r.name for r in again}) == len(again) == 3


def test_a_pool_is_asked_for_only_where_one_is_used(example: str) -> None:
    asked = {name: on_choose(Session(example), press(probe=name))[1]["visible"] for name in PROBES}
    assert asked == {name: bool(make_probe(name).needs().pool) for name in PROBES}
    assert asked["sus-x"]
    assert not asked["zero-shot"]


def test_a_stopped_run_says_so_and_keeps_what_was_there(example: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import core.probes.run

    def endless(*_: Any, progress: Any, **__: Any) -> Any:
        while True:
            progress("probe", 0, 9)

    monkeypatch.setattr(core.probes.run, "run_probe", endless)
    running = on_start(Session(example), Probing(example), None, press(probe="zero-shot", settings={}))
    job, *_ = next(running)
    next(running)
    assert JOBS.cancel(job)
    *_, last = running
    assert "Stopped" in last[1]
    assert "value" not in str(last[3])  # the result's place is left as it is


def test_what_cannot_be_probed_is_said_before_anything_runs(streets: Diagnosis) -> None:
    unlabelled = replace(streets, samples=SampleSet(streets.samples.ids, name="no labels"))
    for diagnosis, said in ((replace(streets, words=None), "text tower"), (unlabelled, "true class")):
        assert said in refusal(diagnosis)
        with pytest.raises(InvalidInput, match=said):
            run_one(diagnosis, "zero-shot", {})
    with pytest.raises(InvalidInput, match="There is no probe"):
        run_one(streets, "fortune-telling", {})
    with pytest.raises(InvalidInput, match="No run is open"):
        list(on_start(Session(), Probing(), None, press(probe="zero-shot", settings={})))
    run = RUNS.add(replace(streets, words=None))
    _, chooser, form, *_ = on_open(Session(run), Probing())
    assert chooser == ""
    assert "No probe can run" in form["value"]
    assert "No run is open" in on_open(Session(), Probing())[2]["value"]


# The result


def test_the_four_kinds_part_the_images_and_agree_with_the_comparison(streets: Diagnosis, result: ProbeResult) -> None:
    diagnosis = replace(streets, probes=(result,))
    found = compared(diagnosis, "zero-shot")
    assert found is not None
    for scope, counted in (("all", found.overall), *((str(f.cluster), f) for f in found.clusters)):
        rows = [rows_of_kind(diagnosis, result, kind, scope) for kind, _ in KINDS]
        assert [len(r) for r in rows] == [counted.fixed, counted.broken, counted.both, counted.neither]
        assert len(np.unique(np.concatenate(rows))) == counted.n
    view = four_way_view(diagnosis, result, found)
    assert view.count('class="segs"') == 1 + len(streets.clusters)
    assert f'data-scope="all" data-kind="broken" aria-label="Show {found.overall.broken} images' in view


def test_the_gallery_shows_the_kind_that_was_asked_and_counts_the_others(streets: Diagnosis, result: ProbeResult) -> None:
    diagnosis = replace(streets, probes=(result,))
    view = gallery_view(diagnosis, result, "broken", "all", 5)
    places = rows_of_kind(diagnosis, result, "broken")
    assert view.count('data-do="explain"') == min(5, len(places))
    assert f"Broken: {len(places)} images of all images" in view
    assert f'data-place="{places[0]}"' in view  # the probe's largest loss first
    losses = result.outcomes.loss[places]
    assert (np.diff(losses) <= 0).all()
    assert "of cluster 1" in gallery_view(diagnosis, result, "nonsense", "0")


def test_a_model_of_which_only_losses_are_known_is_not_compared(streets: Diagnosis, result: ProbeResult) -> None:
    blind = replace(streets, outcomes=replace(streets.outcomes, errors=None, predictions=None, scores=None), probes=(result,))
    assert compared(blind, "zero-shot") is None
    view = result_view(blind, (result,), result, None)
    assert "only losses are known" in view
    assert len(rows_of_kind(blind, result, "wrong")) + len(rows_of_kind(blind, result, "right")) == N
    assert "Wrong:" in gallery_view(blind, result, "", "all")


def test_any_two_are_set_side_by_side_with_opposite_signs(streets: Diagnosis, result: ProbeResult) -> None:
    assert "Run another probe" in matrix_view(streets, (result,))
    other = replace(result, name="other", outcomes=replace(result.outcomes, errors=~result.outcomes.errors))  # type: ignore[operator]
    view = matrix_view(replace(streets, probes=(result, other)), (result, other))
    gap = 2 * result.accuracy.value - 1
    assert f"{100 * abs(gap):.0f}\u202fpoints" in view
    assert view.count('class="better clear"') == view.count('class="worse clear"') > 0
    table = table_view(streets, (result, other), other)
    assert table.count('data-do="result"') == 2
    assert table.count(">shown<") == 1


def test_classes_confusions_and_calibration_are_those_of_the_outcomes(streets: Diagnosis, result: ProbeResult) -> None:
    said = Tags(classes_view(streets, result, None)).text
    for c, name in enumerate(result.class_names):
        own = result.labels == c
        assert name in said
        assert f"{100 * float((~result.outcomes.errors[own]).mean()):.0f}" in said  # type: ignore[index]
    heat = confusion_view(result)
    right = int((result.outcomes.predictions == result.labels)[result.labels == 0].sum())
    assert f"of bus, {right} (" in heat
    assert reliability_view(result).count("<circle") == 15
    many = tuple(f"class {i}" for i in range(MOST_CELLS + 1))
    assert "True class → said" in confusion_view(replace(result, class_names=many))


def test_names_and_texts_stay_text(streets: Diagnosis, result: ProbeResult) -> None:
    bad = "<img src=x onerror=alert(1)>"
    names = (bad, "car", "tram")
    samples = replace(streets.samples, class_names=names, images=None)
    made = replace(result, name=bad, class_names=names, prompts=((bad,), (bad,), (bad,)), details={bad: [{bad: bad}]}, notes=(bad,), split=bad)
    diagnosis = replace(streets, samples=samples, probes=(made,))
    found = result_view(diagnosis, (made,), made, compared(diagnosis, bad)) + gallery_view(diagnosis, made, "broken", "all")
    found += explanation_view(diagnosis, made, 0, [(bad, similarities(diagnosis, result, 0)[0][1])])
    assert "img" not in Tags(found).names


# One image


def test_the_parts_add_up_to_what_sets_the_classes_apart(result: ProbeResult) -> None:
    scores = result.outcomes.scores
    assert scores is not None
    for place in (0, 7, 50):
        names, classes, values = parts_of(result, place)
        assert len(names) == len(values)
        assert classes[0] == result.labels[place]
        total = values.sum(0)
        logs = np.log(scores[place, classes])
        np.testing.assert_allclose(total - total[0], logs - logs[0], atol=1e-4)


def test_stacked_parts_and_nearest_images_are_drawn(streets: Diagnosis, result: ProbeResult) -> None:
    classes = np.tile(np.array([0, 1, 2]), (N, 1))
    values = np.zeros((2, N, 3), np.float32)
    values[0, :, 0], values[1, :, 1] = 3.0, 1.5
    support = Support(("a", "pool/x.png"), np.array([0, 1]), np.array([3, -1]), np.zeros(2, np.int64), "2 images")
    near = Neighbours("image", np.tile(np.array([0, 1]), (N, 1)), np.tile(np.array([0.9, 0.5], np.float32), (N, 1)))
    made = replace(result, parts=LogitParts(("zero-shot", "cache"), classes, values), support=support, neighbours=(near,))
    names, _, centred = parts_of(made, 4)
    assert names == ("zero-shot", "cache")
    np.testing.assert_allclose(centred, [[2, -1, -1], [-0.5, 1, -0.5]])
    view = explanation_view(streets, made, 4)
    assert "By image" in view
    assert "x.png" in view  # an image of a pool has no picture here, so its name stands there
    assert view.count("data:image/webp") == 2  # the image itself, and the one neighbour among the samples


def test_texts_of_the_true_and_the_strongest_other_class_are_compared(streets: Diagnosis, result: ProbeResult) -> None:
    found = similarities(streets, result, 0)
    assert found[0][0] == result.class_names[result.labels[0]]
    assert found[0][0] != found[1][0]
    text = PlainEncoder().encode_texts([result.prompts[int(result.labels[0])][0]])[0]
    assert found[0][1][0].cosine == pytest.approx(float(text @ streets.words.joint.vectors[0]), abs=1e-5)  # type: ignore[union-attr]
    learned = replace(result, prompts=tuple(("[v1] [v2] name.",) for _ in result.class_names))
    assert similarities(streets, learned, 0) == []  # vectors are no words that could be encoded


def test_pressing_leads_from_a_kind_to_an_image_and_back_to_another_result(example: str) -> None:
    session = Session(example)
    _, _, probing, *_ = started(session, Probing(example))
    shown, _, gallery, *_ = on_result(session, probing, press(do="kind", scope="0", kind="both"))
    assert (shown.scope, shown.kind) == ("0", "both")
    assert "Both wrong:" in gallery
    assert "Why this one" in on_explain(session, shown, press(do="explain", place="3"))
    for wrong in ("-1", str(N), "x"):
        with pytest.raises(InvalidInput):
            on_explain(session, shown, press(do="explain", place=wrong))
    made, view, *_ = on_result(session, shown, press(do="result", name="zero-shot"))
    assert made.scope == "all"
    assert "probe-head" in view["value"]
    with pytest.raises(InvalidInput, match="another run"):
        on_result(Session("other"), shown, press(do="kind"))


def test_what_was_learned_is_shown_whatever_its_shape(result: ProbeResult) -> None:
    curve = [{"epoch": i, "loss": 1.0 / (i + 1)} for i in range(5)]
    words = [{"vector": 1, "by cosine": [["frosty", 0.24], ["icy", 0.2]]}]
    said = details_view({"chosen epoch": 4, "curve": curve, "nearest words": words, "trained on": ["bus", "car"], "deep": {"a": [1, 2]}})
    assert "<polyline" in said
    assert "frosty 0.24, icy 0.20" in said
    assert "Chosen epoch" in said
    purity = np.array([0.5, np.nan, 1.0], np.float32)
    support = Support(("a", "b"), np.array([0, 2]), np.array([-1, -1]), np.zeros(2, np.int64), "from a pool", purity, purity)
    assert Tags(learned_view(replace(result, support=support))).text.count("none") == 2


# Its own failures


@pytest.mark.slow
def test_a_probes_own_failures_open_as_a_run_with_a_way_back(streets: Diagnosis) -> None:
    run = RUNS.add(add_words(make_showcase(200)))
    session = Session(run)
    _, _, probing, *_ = started(session, Probing(run))
    *_, (_, status, found) = on_failures(session, probing)
    assert "Done" in status
    made = RUNS.get(found)
    np.testing.assert_array_equal(made.outcomes.loss, probing.results[0].outcomes.loss)
    tabs, picker, left, opened, *_ = on_found(session, probing, found, [("streets", "example-streets")])
    assert (tabs["selected"], opened.run, left.former) == ("explore", found, run)
    assert [value for _, value in picker["choices"]] == [found, run, "example-streets"]
    shown, *_ = on_open(opened, left)
    assert shown.former == run
    assert compared(with_probes(found, made.probes), "zero-shot") is None  # the model of that run is the probe itself
    tabs, _, left, opened, *_ = on_back(shown)
    assert (opened.run, left.former) == (run, "")
