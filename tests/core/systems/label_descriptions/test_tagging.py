from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.discovery.design import design_of
from core.errors import InvalidInput
from core.records import Diagnosis, Estimate, Outcomes
from core.store import load
from core.systems.common.class_descriptions import read_patterns
from core.systems.label_descriptions.tagging import MIN_DEVIATIONS, TagReport, tag_samples
from core.systems.label_descriptions.tags import read_tags
from core.systems.label_descriptions.wording import headline
from tests.support.diagnoses import make_diagnosis
from tests.support.words import AxisEncoder, with_words

NAMES = "in the dark, on grass, red, striped"
WORDINGS = read_patterns("<mask>\nit is <mask>")


def tagged(diagnosis: Diagnosis, names: str = NAMES, **more: Any) -> TagReport:
    tower: Any = AxisEncoder()
    tags = read_tags(names, "image")
    settings: dict[str, Any] = {"n_permutations": 500, **more}
    return tag_samples(diagnosis, tags, patterns=WORDINGS, encoder=tower, **settings)


def with_errors(diagnosis: Diagnosis, wrong: Any) -> Diagnosis:
    loss = wrong.astype(np.float64)
    return replace(diagnosis, outcomes=Outcomes(loss, "loss", "loss", "made", errors=wrong), family_null=None)


@pytest.fixture(scope="module")
def dark() -> Diagnosis:
    """Every fourth of 240 samples is dark, and most of these fail."""
    found = with_words(make_diagnosis(240))
    rng = np.random.default_rng(1)
    wrong = rng.random(240) < np.where(np.arange(240) % 4 == 0, 0.7, 0.1)
    return with_errors(found, wrong)


def test_a_tag_whose_samples_fail_is_confirmed_and_the_others_are_not(dark: Diagnosis) -> None:
    report = tagged(dark)
    first, *others = report.tags
    assert first.name == "in the dark"
    assert report.is_confirmed(first)
    assert not any(report.is_confirmed(tag) for tag in others)
    assert first.lift.low > 1.5
    assert first.among_failures > 2 * first.among_others
    assert first.error_difference is not None
    assert first.error_difference.low > 0


def test_who_carries_a_tag_is_the_plain_rule(dark: Diagnosis) -> None:
    report, place = tagged(dark), 1
    tag = report.tags[place]
    words = dark.words
    assert words is not None
    design = design_of(dark)
    tower = AxisEncoder()
    texts = tower.encode_texts([tag.name, f"a photo with {tag.name}", f"this photo has {tag.name}"]).mean(0)
    cosines = words.joint.vectors.astype(float) @ (texts / np.linalg.norm(texts))
    for block in np.unique(design.centring_stratum):
        cosines[design.centring_stratum == block] -= cosines[design.centring_stratum == block].mean()
    np.testing.assert_allclose(report.scores[:, place], cosines / cosines.std(), atol=1e-4)
    np.testing.assert_array_equal(report.carried[:, place], report.scores[:, place] >= MIN_DEVIATIONS)
    assert tag.size == report.carried[:, place].sum()


def test_lift_is_what_the_failure_rates_of_the_classes_do_not_explain() -> None:
    found = with_words(make_diagnosis(240))
    wrong = np.arange(240) % 3 == 0  # one class always fails, the others never
    report = tagged(with_errors(found, wrong))
    for tag in report.tags:
        assert tag.lift.value == pytest.approx(1.0)
        assert tag.p is None or tag.p > 0.5


def test_the_spread_over_wordings_is_that_of_the_wordings(dark: Diagnosis) -> None:
    tag = tagged(dark).tags[0]
    assert [one.pattern for one in tag.wordings] == [pattern.name for pattern in WORDINGS]
    lifts = [one.lift for one in tag.wordings]
    assert tag.spread("lift") == (pytest.approx(np.mean(lifts)), min(lifts), max(lifts))
    assert all(0 <= one.overlap <= 1 for one in tag.wordings)


def test_wordings_agree_where_their_lift_lies_on_the_side_of_the_description(dark: Diagnosis) -> None:
    tag = tagged(dark).tags[0]
    against = [replace(one, lift=0.5) for one in tag.wordings[:1]]
    assert tag.agreeing == len(tag.wordings) == 2
    assert replace(tag, wordings=(*against, *tag.wordings[1:])).agreeing == 1


def test_the_headline_tells_the_strongest_tag_or_that_none_is_told_from_chance(dark: Diagnosis) -> None:
    report = tagged(dark)
    first = report.tags[0]
    by_error, by_loss = (
        headline(replace(report, tags=(replace(first, measure=measure), *report.tags[1:])))
        for measure in ("error rate", "mean loss")
    )
    assert by_error.startswith("Failures carry “in the dark” ")
    assert by_error.endswith("; adjusted p = 0.002 (error rate). 2 of 2 other wordings agree.")
    above = r"Its samples have a mean loss \S+ above the others \(95% CI \S+ to \S+\); adjusted p \S+ \S+ \(mean loss\)"
    assert re.search(above, by_loss)
    unsure = replace(first, measure="mean loss", lift=Estimate(1.41, 0.89, 1.99))
    of_loss = headline(replace(report, tags=(unsure, replace(unsure, name="blurred"))))
    assert "Failures are not shown to carry “in the dark” more often than their classes explain: 1.41 times" in of_loss
    assert of_loss.endswith(" Confirmed for mean loss only: blurred.")
    assert headline(replace(report, tags=report.tags[1:])) == "No tag is confirmed."
    assert headline(replace(report, tags=(replace(first, p=None),))) == "No tag could be tested."


def told(report: TagReport) -> list[Any]:
    return [(tag.name, tag.p, tag.lift.to_dict()) for tag in report.tags]


def test_the_order_of_the_table_changes_no_figure(dark: Diagnosis) -> None:
    order = np.random.default_rng(3).permutation(240)
    assert dark.words is not None
    moved = replace(
        dark, samples=dark.samples.keep(order), outcomes=dark.outcomes.keep(order), words=dark.words.keep(order)
    )
    first, second = tagged(dark), tagged(moved)
    assert told(first) == told(second)
    np.testing.assert_array_equal(first.carried[order], second.carried)


def test_where_errors_are_unknown_the_worst_tenth_are_the_failures(dark: Diagnosis) -> None:
    losses = Outcomes(np.random.default_rng(0).random(240), "loss", "nats", "made")
    report = tagged(replace(dark, outcomes=losses))
    assert report.n_failures == 24
    assert "10%" in report.failures
    assert report.tags[0].error_difference is None
    assert report.tags[0].loss_difference is not None


def test_a_tag_that_hardly_any_sample_carries_is_not_tested(dark: Diagnosis) -> None:
    report = tagged(dark, "spaceship, in the dark")
    tag = next(t for t in report.tags if t.name == "spaceship")
    assert tag.size < 10
    assert tag.p is None
    assert "Skipped 1 tag: fewer than 10 samples with or without the tag." in report.notes


def test_few_groups_give_no_p(dark: Diagnosis) -> None:
    few = replace(dark, samples=replace(dark.samples, groups=np.arange(240) % 10))
    report = tagged(few)
    assert all(tag.p is None for tag in report.tags)
    assert any("too few groups of related rows" in note for note in report.notes)


def test_a_run_without_words_or_with_another_encoder_is_refused(dark: Diagnosis) -> None:
    with pytest.raises(InvalidInput, match="none embedded this run's samples"):
        tagged(replace(dark, words=None))
    assert dark.words is not None
    other = replace(dark.words, joint=replace(dark.words.joint, space="another"))
    with pytest.raises(InvalidInput, match="cannot be compared"):
        tagged(replace(dark, words=other))


@pytest.mark.slow
def test_shuffled_errors_claim_a_tag_no_more_often_than_alpha(dark: Diagnosis) -> None:
    rng, errors = np.random.default_rng(5), dark.outcomes.errors
    assert errors is not None
    claims = 0
    for seed in range(30):
        report = tagged(with_errors(dark, rng.permutation(errors)), n_permutations=199, seed=seed)
        claims += any(report.is_confirmed(tag) for tag in report.tags)
    assert claims <= 5  # 1.5 are expected of 30 runs at .05: above 5 with p < .004


@pytest.mark.slow
def test_of_six_tags_the_three_that_were_planted_into_the_scenes_are_confirmed(repository: Path) -> None:
    """Small objects, snow (of birds) and the dark (of animals) were planted; flowers, deserts and fog were not."""
    found = load(repository / "assets" / "examples" / "scenes" / "run.errata")
    names = "darkness, falling snow, fog, a small object far away, a desert, flowers"
    report = tag_samples(found, read_tags(names, "image"))
    confirmed = {tag.name for tag in report.tags if report.is_confirmed(tag)}
    assert confirmed == {"darkness", "falling snow", "a small object far away"}
