"""What a probe's result is made of on the page: sections of markup from records."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from core.records import OWN, Diagnosis
from core.systems.probes.records import Choice, LogitParts, Neighbours, ProbeResult, Support, results_of, with_results
from tests.support.showcase import PlainEncoder
from tests.webapp.markup.test_html import Tags
from webapp.markup.shares import MODEL_KINDS, own_model, rows_of_kind
from webapp.markup.two_models import gallery_view
from webapp.systems.probes.classes import MAX_CELLS, confusion_view, reliability_view
from webapp.systems.probes.groups import groups_view
from webapp.systems.probes.images import explanation_view, parts_of, similarities
from webapp.systems.probes.learned import learned_view
from webapp.systems.probes.result import figures_view, table_view
from webapp.systems.probes.state import compared

pytestmark = pytest.mark.usefixtures("plain")
N = 120


def test_the_four_kinds_part_the_images_and_agree_with_the_comparison(streets: Diagnosis, result: ProbeResult) -> None:
    diagnosis = with_results(streets, (result,))
    found = compared(diagnosis, "zero-shot")
    assert found is not None
    for scope, counted in (("all", found.overall), *((str(f.cluster), f) for f in found.clusters)):
        rows = [rows_of_kind(diagnosis, result, kind, scope) for kind, _ in MODEL_KINDS]
        assert [len(r) for r in rows] == [counted.fixed, counted.broken, counted.both, counted.neither]
        assert len(np.unique(np.concatenate(rows))) == counted.n
    view = Tags(figures_view(diagnosis, (result,), result, found)).text
    for counted in (*found.clusters, *found.classes):
        assert f"{counted.fixed} fixed, {counted.broken} broken, {counted.both} wrong in both" in view
    assert "here minus that on the others: " in view


def test_the_gallery_shows_the_kind_that_was_asked_and_counts_the_others(
    streets: Diagnosis, result: ProbeResult
) -> None:
    diagnosis = with_results(streets, (result,))
    view = gallery_view(diagnosis, result, "broken", "all", 5)
    places = rows_of_kind(diagnosis, result, "broken")
    assert view.count('data-do="explain"') == min(5, len(places))
    assert f"Broken: {len(places)} images of all images" in view
    assert f'data-place="{places[0]}"' in view  # the probe's largest loss first
    losses = result.outcomes.loss[places]
    assert (np.diff(losses) <= 0).all()
    assert "of group 1" in gallery_view(diagnosis, result, "nonsense", "0")


def test_a_model_of_which_only_losses_are_known_is_not_compared(streets: Diagnosis, result: ProbeResult) -> None:
    blind = replace(
        with_results(streets, (result,)), outcomes=replace(streets.outcomes, errors=None, predictions=None, scores=None)
    )
    assert compared(blind, "zero-shot") is None
    view = figures_view(blind, (result,), result, None)
    assert "has only losses" in view
    assert "Zero-shot is right on " in groups_view(blind, result)
    assert len(rows_of_kind(blind, result, "wrong")) + len(rows_of_kind(blind, result, "right")) == N
    assert "Wrong:" in gallery_view(blind, result, "", "all")


def test_predictions_that_errata_made_are_called_the_probes_and_not_your_models(
    streets: Diagnosis, result: ProbeResult
) -> None:
    other = replace(result, name="other", outcomes=replace(result.outcomes, errors=~result.outcomes.errors))  # type: ignore[operator]
    for extras, mine, rows in (({}, "your model", 3), ({OWN: "zero-shot"}, "the zero-shot probe", 2)):
        run = with_results(replace(streets, extras=extras), (result, other))
        found = compared(run, "other")
        view = figures_view(run, results_of(run), other, found) + gallery_view(run, other, "fixed", "all")
        assert f"Against {mine}" in view
        assert ("your model" in view.lower()) == ("yours: " in view) == (not extras)
        assert table_view(run, results_of(run), other).count("<tr>") == 1 + rows  # one and the same is not listed twice
    assert own_model(replace(streets, extras={OWN: "lp++, 4 shots"})).title == "The probe “lp++, 4 shots”"


def test_chosen_numbers_have_three_digits_and_say_which_half(streets: Diagnosis, result: ProbeResult) -> None:
    chosen = (Choice("alpha, part 1", 1.5714285, "validation"), Choice("alpha, part 2", 0.0031622, "validation"))
    told = replace(result, choices=(*chosen, Choice("steps", 1240.0, "given")), details={"epoch, part 2": 3})
    view = " ".join(
        Tags(figures_view(streets, (told,), told, compared(with_results(streets, (told,)), told.name))).text.split()
    )
    for said in ("alpha for the first half = 1.57 ", "alpha for the second half = 0.00316 ", "steps = 1,240 "):
        assert said in view
    assert "Epoch for the second half" in view
    assert "part 2" not in view


def test_each_group_counts_and_shows_what_is_fixed_broken_and_shared(streets: Diagnosis, result: ProbeResult) -> None:
    diagnosis = with_results(streets, (result,))
    found = compared(diagnosis, "zero-shot")
    assert found is not None
    view = groups_view(diagnosis, result)
    sections = view.split('<section class="probe-group"')[1:]
    assert len(sections) == 1 + len(streets.clusters)
    for section, counts in zip(sections, (*found.clusters, found.overall), strict=True):
        said = " ".join(Tags("<section" + section).text.split())
        assert f"Zero-shot gets {counts.fixed} of these {counts.fixed + counts.both} error" in said
        for kind, n in (("fixed", counts.fixed), ("broken", counts.broken), ("both", counts.both)):
            row = section.split(f'class="probe-kind {kind}"')[1].split('class="probe-kind')[0]
            assert row.count('data-do="explain"') == min(6, n)
            assert (f'data-kind="{kind}"' in row) is (n > 6)


def test_every_result_is_listed_and_can_be_shown(streets: Diagnosis, result: ProbeResult) -> None:
    other = replace(result, name="other", outcomes=replace(result.outcomes, errors=~result.outcomes.errors))  # type: ignore[operator]
    table = table_view(streets, (result, other), other)
    assert table.count('data-do="result"') == 2
    assert table.count(">shown<") == 1


def test_classes_confusions_and_calibration_are_those_of_the_outcomes(streets: Diagnosis, result: ProbeResult) -> None:
    said = Tags(figures_view(streets, (result,), result, None)).text
    for c, name in enumerate(result.class_names):
        own = result.labels == c
        assert name in said
        assert f"{100 * float((~result.outcomes.errors[own]).mean()):.0f}" in said  # type: ignore[index]
    heat = confusion_view(result)
    right = int((result.outcomes.predictions == result.labels)[result.labels == 0].sum())
    assert re.search(rf"{right} of \d+ samples of bus \(", heat)
    assert reliability_view(streets, result).count("<circle") == 15
    many = tuple(f"class {i}" for i in range(MAX_CELLS + 1))
    assert "True class → predicted" in confusion_view(replace(result, class_names=many))


def test_names_and_texts_stay_text(streets: Diagnosis, result: ProbeResult) -> None:
    bad = "<img src=x onerror=alert(1)>"
    names = (bad, "car", "tram")
    samples = replace(streets.samples, class_names=names, items=None)
    made = replace(
        result,
        name=bad,
        class_names=names,
        prompts=((bad,), (bad,), (bad,)),
        details={bad: [{bad: bad}]},
        notes=(bad,),
        split=bad,
    )
    diagnosis = with_results(replace(streets, samples=samples), (made,))
    found = figures_view(diagnosis, (made,), made, compared(diagnosis, bad)) + groups_view(diagnosis, made)
    found += gallery_view(diagnosis, made, "broken", "all")
    found += explanation_view(diagnosis, made, 0, [(bad, similarities(diagnosis, result, 0)[0][1])])
    assert "img" not in Tags(found).names


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
    made = replace(
        result, parts=LogitParts(("zero-shot", "cache"), classes, values), support=support, neighbours=(near,)
    )
    names, _, centred = parts_of(made, 4)
    assert names == ("zero-shot", "cache")
    np.testing.assert_allclose(centred, [[2, -1, -1], [-0.5, 1, -0.5]])
    view = explanation_view(streets, made, 4)
    assert "By image" in view
    assert "x.png" in view  # an image of a pool has no image here, so its name stands there
    assert view.count("data:image/webp") == 2  # the image itself, and the one neighbor among the samples


def test_texts_of_the_true_and_the_strongest_other_class_are_compared(streets: Diagnosis, result: ProbeResult) -> None:
    found = similarities(streets, result, 0)
    assert found[0][0] == result.class_names[result.labels[0]]
    assert found[0][0] != found[1][0]
    text = PlainEncoder().encode_texts([result.prompts[int(result.labels[0])][0]])[0]
    assert found[0][1][0].cosine == pytest.approx(float(text @ streets.words.joint.vectors[0]), abs=1e-5)  # type: ignore[union-attr]
    learned = replace(result, prompts=tuple(("[v1] [v2] name.",) for _ in result.class_names))
    assert similarities(streets, learned, 0) == []  # vectors are no words that could be encoded


def test_what_was_learned_is_shown_whatever_its_shape(result: ProbeResult) -> None:
    curve = [{"epoch": i, "loss": 1.0 / (i + 1)} for i in range(5)]
    words = [{"vector": 1, "by cosine": [["frosty", 0.24], ["icy", 0.2]]}]
    details = {"chosen epoch": 4, "curve": curve, "nearest words": words, "trained on": ["bus"], "deep": {"a": [1, 2]}}
    said = learned_view(replace(result, details=details))
    assert said.count("<tr>") == 1 + len(curve) + 1 + len(words)
    assert "frosty 0.24, icy 0.20" in said
    assert "Chosen epoch" in said
    purity = np.array([0.5, np.nan, 1.0], np.float32)
    support = Support(
        ("a", "b"), np.array([0, 2]), np.array([-1, -1]), np.zeros(2, np.int64), "from a pool", purity, purity
    )
    assert Tags(learned_view(replace(result, support=support))).text.count("none") == 2
