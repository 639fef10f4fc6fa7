from __future__ import annotations

import pytest

from core.errors import InvalidInput
from core.systems import probes
from research.ladder.steps import LadderChoices, ladder


def test_the_ladder_begins_with_zero_shot_and_has_each_step_once():
    for method in ("zero-shot", "sus-x", "few-shot", "coop", "cocoop", "all"):
        titles = [step.title for step in ladder(method)]
        assert titles[0] == "zero-shot"
        assert len(set(titles)) == len(titles)
    everything = [step.title for step in ladder("all")]
    for title in (
        "zero-shot-7",
        "zero-shot-80",
        "descriptions",
        "sus-x",
        "lp++, 4 shots",
        "tip-adapter-f, 16 shots",
        "linear-probe, 1 shot",
    ):
        assert title in everything
    for title in (
        "coop, 16 shots",
        "coop, 16 shots, base-to-new",
        "cocoop, 16 shots, base-to-new",
        "zero-shot, base-to-new",
    ):
        assert title in everything


def test_every_step_has_settings_that_its_probe_knows():
    for step in ladder("all"):
        assert probes.make_probe(step.probe, step.settings)


def test_an_unknown_method_is_refused():
    with pytest.raises(InvalidInput, match=r"no method 'clip' to reproduce. Use one of zero-shot, sus-x"):
        ladder("clip")


@pytest.mark.parametrize("shots", [(), (0,), (4, -1)])
def test_shots_below_one_are_refused(shots):
    with pytest.raises(InvalidInput, match="at least 1 a class"):
        ladder("few-shot", LadderChoices(shots))


def test_sus_x_is_told_its_descriptions_and_stands_with_fixed_and_with_chosen_weights():
    steps = {s.name: s for s in ladder("sus-x", LadderChoices(descriptions="said.json", per_class=100))}
    assert [steps[name].settings["tune"] for name in ("sus-x", "sus-x, tuned")] == [False, True]
    for name in ("sus-x", "sus-x, tuned"):
        assert (steps[name].settings["descriptions"], steps[name].settings["per_class"]) == ("said.json", 100)
    assert steps["sus-x"].seeded  # the half that stands in is drawn
    pooled = {s.name: s.seeded for s in ladder("sus-x", LadderChoices(pooled=True))}
    assert (pooled["sus-x"], pooled["sus-x, tuned"]) == (False, True)


def test_the_words_that_a_context_starts_from_reach_every_learned_step():
    learned = [s for s in ladder("all", LadderChoices(init="")) if s.probe in ("coop", "cocoop")]
    assert len(learned) == 8
    assert {s.settings["init"] for s in learned} == {""}


def test_other_data_sets_are_steps_of_what_learns_for_any_names():
    chosen = LadderChoices((4, 16), source="imagenet", targets=("pets", "cars"))
    titles = [s.title for s in ladder("cocoop", chosen)]
    assert titles[-2:] == [f"cocoop, 16 shots, trained on imagenet, scored on {name}" for name in ("pets", "cars")]
    with pytest.raises(InvalidInput, match="its own classes alone"):
        ladder("sus-x", chosen)
