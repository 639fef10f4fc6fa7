"""What a step does otherwise than the published figure beside it is said, and a tuned figure never passes for a fixed
one's peer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.systems.common.published import published_figures
from core.systems.probes.base import Images
from research.ladder.data_sets import LadderData
from research.ladder.departures import FIXED, STANDS_IN, departures, said_figure
from research.ladder.published import FIGURES
from research.ladder.steps import DEFAULT_CHOICES, LadderChoices, LadderStep, ladder
from tests.support.heads import made_task

FOUND = LadderData("made", made_task(40))


def step_named(title: str, choices: LadderChoices = DEFAULT_CHOICES) -> LadderStep:
    return next(s for s in ladder("all", choices) if s.title == title)


def test_no_tuned_figure_stands_unflagged_beside_fixed_weights():
    fixed, chosen = step_named("sus-x"), step_named("sus-x, tuned")
    figures = [f for f in published_figures(FIGURES) if f.model == "sus-x"]
    assert len(figures) == 12
    for figure in figures:
        assert figure.tuned
        assert FIXED in said_figure(figure, fixed)
        assert FIXED not in said_figure(figure, chosen)
        assert figure.source in said_figure(figure, fixed)


def test_every_figure_that_a_step_can_be_set_beside_has_its_protocol():
    steps = ladder("all", LadderChoices(source="imagenet", targets=("pets",)))
    asked = {(s.probe if s.probe == "sus-x" else s.name, s.setting) for s in steps}
    for figure in published_figures(FIGURES):
        if (figure.model, figure.setting) in asked:
            assert figure.protocol, figure.sentence


@pytest.mark.parametrize("published", [False, True])
def test_sus_x_without_a_pool_says_that_it_is_not_sus_x_as_published(published: bool):
    for title in ("sus-x", "sus-x, tuned"):
        assert STANDS_IN in departures(step_named(title), FOUND, published=published)
    pool = Images(FOUND.task.joint.vectors, FOUND.task.samples.ids, FOUND.task.samples.labels)
    said = departures(step_named("sus-x"), replace(FOUND, task=replace(FOUND.task, pool=pool)), published=published)
    assert STANDS_IN not in said
    assert "40 images in class folders" in said[0]


def test_weights_chosen_on_labelled_images_are_not_name_only():
    said = departures(step_named("sus-x, tuned"), FOUND, published=False)
    assert "not name-only: alpha, beta and gamma were chosen on 4 labelled validation images a class" in said
    assert not any(text.startswith("not name-only") for text in departures(step_named("sus-x"), FOUND, published=True))


def test_descriptions_that_are_missing_are_said_to_be():
    with_them = LadderChoices(descriptions="said.json")
    assert any("no descriptions" in text for text in departures(step_named("sus-x"), FOUND, published=True))
    assert not any(
        "no descriptions" in text for text in departures(step_named("sus-x", with_them), FOUND, published=True)
    )


def test_where_the_context_starts_is_said_where_the_paper_starts_elsewhere():
    at_random, words = LadderChoices(init=""), LadderChoices()

    def starts(title: str, choices: LadderChoices) -> bool:
        return any("start" in text for text in departures(step_named(title, choices), FOUND, published=False))

    assert starts("coop, 16 shots", words)
    assert not starts("coop, 16 shots", at_random)
    for title in ("cocoop, 16 shots", "coop, 16 shots, base-to-new", "cocoop, 16 shots, base-to-new"):
        assert starts(title, at_random)
        assert not starts(title, words)


def test_images_that_are_not_the_published_split_are_said_where_a_figure_stands_beside():
    other = "scored on images that are not the published test split (a split_zhou_*.json beside them is)"
    assert other in departures(step_named("zero-shot"), FOUND, published=True)
    assert other not in departures(step_named("zero-shot"), replace(FOUND, order=("a", "b")), published=True)
    assert departures(step_named("zero-shot"), FOUND, published=False) == ()
