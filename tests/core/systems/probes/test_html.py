"""The report's sections on probes: what both models answer, in sentences and images, escaped, without scripts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.checks.compare import compare
from core.language.titles import capital
from core.reports.comparison import comparison_section
from core.reports.html.comparison import compared_images
from core.reports.html.diagnosis import render_report, write_section
from core.reports.terminal import section_lines
from core.reports.wording.comparison import overall_sentences, verdict_words
from core.systems.probes.records import results_of, with_results
from core.systems.probes.wording import probe_lines
from tests.support.diagnoses import make_diagnosis
from tests.support.page import Page
from tests.support.probes import made_probe, with_probes


def test_a_run_without_probes_does_not_speak_of_them() -> None:
    assert "Would another model fail here too?" not in render_report(make_diagnosis())


def test_each_probe_has_a_section_with_accuracy_controls_and_the_four_ways() -> None:
    run = with_probes()
    page = Page(render_report(run))
    text = page.text[page.text.index("Would another model fail here too?") :]
    for wanted in (
        "Probe: made, 2 shots",
        "Probe: weak",
        "random words, mean of 5 repeats",
        "alpha = 1.5 (the method's default)",
        "beta = 5.5 (chosen on validation rows)",
    ):
        assert wanted in text
    found = compare(run, "model", "weak")
    assert overall_sentences(found, run)[0] in text
    for scope in found.clusters:
        assert capital(verdict_words(found, scope, run)) in text
        assert f"{scope.fixed} fixed, {scope.broken} broken, {scope.both} wrong in both" in text
    assert "2 shots a class" in text
    assert "3 prompts were cut at the text tower's limit." in text


@pytest.mark.parametrize(
    "options", [{}, {"with_images": False}, {"with_errors": False}, {"n_clusters": 0}, {"hostile": True}], ids=str
)
def test_nothing_is_fetched_and_no_script_runs(options: dict[str, Any]) -> None:
    page = Page(render_report(with_probes(make_diagnosis(**options))))
    assert not list(page.named("script", "link", "iframe", "object", "embed", "form", "base"))
    assert all((a.get("src") or "data:image/webp").startswith("data:image/webp") for a in page.named("img"))


def test_markup_in_a_name_or_note_is_shown_as_text(tmp_path: Path) -> None:
    run = make_diagnosis()
    bad = replace(made_probe(run, name="<script>x</script>"), notes=("<img src=x onerror=alert(1)>",))
    page = Page(render_report(with_results(run, (bad,))))
    assert "<script>x</script>" in page.text
    assert not list(page.named("script"))
    assert not [a for a in page.named("img") if "onerror" in a]
    hostile = with_results(run, (bad,))
    write_section(hostile, comparison_section(hostile, compare(hostile)), tmp_path / "c.html")
    beside = Page((tmp_path / "c.html").read_text("utf-8"))
    assert "<script>x</script> beside your model" in beside.text
    assert not list(beside.named("script"))
    assert any("default-src 'none'" in (a.get("content") or "") for a in beside.named("meta"))


def test_pictures_of_what_is_fixed_and_what_both_fail_on_say_what_each_model_says() -> None:
    run = with_probes()
    found = compare(run, "model", "weak")
    fixed, both = compared_images(run, found, lambda rows: [run.samples.ids[i] for i in rows.tolist()])
    weak, outcomes, names = results_of(run)[1].outcomes, run.outcomes, run.samples.class_names
    assert outcomes.errors is not None
    assert outcomes.predictions is not None
    assert weak.errors is not None
    assert weak.predictions is not None
    assert len(both) == min(8, found.overall.both)
    for example in both:
        row = run.samples.ids.index(example["entry"])
        said = (names[outcomes.predictions[row]], names[weak.predictions[row]])
        assert example["answers"] == [("your model", said[0], True), ("weak", said[1], True)]
    assert all([wrong for *_, wrong in example["answers"]] == [True, False] for example in fixed)


def test_a_probe_that_scored_some_rows_is_read_at_the_right_ones() -> None:
    run = make_diagnosis()
    some = made_probe(run)
    rows = some.rows[10:40:3]
    outcomes = some.outcomes.keep(rows)
    run = with_results(run, (replace(some, rows=rows, labels=some.labels[rows], outcomes=outcomes),))
    found = compare(run)
    fixed, both = compared_images(run, found, lambda at: at.tolist())
    assert found.overall.n == 10
    for example in (*both, *fixed):
        place = rows.tolist().index(example["entry"])
        assert example["answers"][1][1] == run.samples.class_names[outcomes.predictions[place]]


def test_a_comparison_as_the_command_prints_it(golden: Callable[..., None]) -> None:
    run = with_probes()
    answers = {"weak": compare(run, "model", "weak"), "made": compare(run, "model", "made, 2 shots")}
    golden("comparison.txt", {name: section_lines(comparison_section(run, found)) for name, found in answers.items()})


def test_the_lines_of_a_probe_give_its_accuracy_and_its_controls() -> None:
    run = with_probes()
    told = probe_lines(results_of(run)[0])
    assert told[0].startswith("made, 2 shots is right on ")
    assert "of 57 images" in told[0]
    assert any(
        "Control, zero-shot: right on 50% (40 to 60%); the probe's gain over it: +20 points" in line for line in told
    )


def test_of_all_samples_nothing_is_said_to_be_here() -> None:
    run = with_probes()
    found = compare(run, "model", "weak")
    assert verdict_words(found, found.overall, run) == "worse: weak is wrong more often"
