from __future__ import annotations

import pytest

from core import probes
from core.errors import InvalidInput
from core.probes.ladder.steps import ladder


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
        ladder("few-shot", shots=shots)
