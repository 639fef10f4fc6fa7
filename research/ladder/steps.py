"""The rungs of the ladder from zero-shot to learned prompts, by method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.errors import InvalidInput
from core.systems.probes.base import shots_words
from core.systems.probes.prompt_learning.coop import INIT

SHOTS = (1, 4, 16)
NO_DRAW = "No draw has a part in it; the interval is over rows."
LEARNED = ("coop", "cocoop")
"""Methods whose learning serves other class names."""


@dataclass(frozen=True, slots=True)
class LadderStep:
    """One rung of the ladder."""

    name: str
    """As the papers' figures call it, where they have it."""
    probe: str
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    shots: int | None = None
    setting: str = "all classes"
    """Or "base-to-new", or "trained on" and the name of the data set that taught."""
    target: str = ""
    """The data set that is scored, where another taught."""
    seeded: bool = True
    """False: no draw has a part in it, so one run stands for all seeds."""

    @property
    def title(self) -> str:
        """Such as "coop, 16 shots, base-to-new"."""
        shots = () if self.shots is None else (shots_words(self.shots),)
        return ", ".join((self.name, *shots, *((self.said_setting,) if self.setting != "all classes" else ())))

    @property
    def said_setting(self) -> str:
        """Such as "trained on imagenet, scored on pets"."""
        return self.setting + (f", scored on {self.target}" if self.target else "")


PLAIN = tuple(
    LadderStep(f"zero-shot-{t}" if t != "simple" else "zero-shot", "zero-shot", {"templates": t}, seeded=False)
    for t in ("simple", "7", "80")
)
HEADS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("lp++", "lp++", {}),
    ("tip-adapter", "tip-adapter", {"train_keys": False}),
    ("tip-adapter-f", "tip-adapter", {"train_keys": True}),
    ("linear-probe", "linear-probe", {}),
)
"""(step, probe, settings) of what learns from shots."""


@dataclass(frozen=True, slots=True)
class LadderChoices:
    """What a ladder can be told beside its method."""

    shots: Sequence[int] = SHOTS
    descriptions: str = ""
    """A file of sentences for each class, or ""."""
    init: str = INIT
    """Words that learned contexts start from; "" starts CoOp as in its own tables, from 16 random vectors."""
    pooled: bool = False
    """Whether a pool of images was given; it makes SuS-X's support set, and no draw has a part in that."""
    per_class: int = 20
    """Support images a class that are taken from the pool."""
    source: str = ""
    """Name of the data set that teaches, for the steps on other data sets."""
    targets: Sequence[str] = ()
    """Names of other data sets that are scored by what this one taught."""


DEFAULT_CHOICES = LadderChoices()


def ladder(method: str, choices: LadderChoices = DEFAULT_CHOICES) -> tuple[LadderStep, ...]:
    """The steps of a method: its baselines first.

    Args:
        method: "zero-shot", "sus-x", "few-shot", "coop", "cocoop" or "all".

    Raises:
        InvalidInput: there is no such method, shots are none or below 1, or there are targets and the method has
        nothing to say about other classes.
    """
    shots = choices.shots
    if not shots or min(shots) < 1:
        raise InvalidInput(
            f"shots must be at least 1 a class: got {', '.join(map(str, shots)) or 'none'}. "
            "The papers take 1, 2, 4, 8 and 16."
        )
    described = LadderStep(
        "descriptions", "zero-shot", {"templates": "7", "descriptions": choices.descriptions}, seeded=False
    )
    heads = [LadderStep(name, probe, {"shots": s, **more}, s) for s in shots for name, probe, more in HEADS]
    coop, cocoop = (_learned(name, choices) for name in LEARNED)
    support = _support(choices)
    ladders = {
        "zero-shot": [*PLAIN, described],
        "sus-x": [*PLAIN, described, *support],
        "few-shot": [PLAIN[0], *heads],
        "coop": [PLAIN[0], *coop],
        "cocoop": [PLAIN[0], *cocoop],
        "all": [*PLAIN, described, *support, *heads, *coop, *cocoop],
    }
    if method not in ladders:
        raise InvalidInput(f"There is no method {method!r} to reproduce. Use one of {', '.join(ladders)}.")
    if choices.targets and method not in (*LEARNED, "all"):
        raise InvalidInput(
            f"What {method} learns serves its own classes alone, so it cannot be scored on another data set. "
            f"Use one of {', '.join(LEARNED)}."
        )
    return tuple({step.title: step for step in ladders[method]}.values())


def _support(choices: LadderChoices) -> list[LadderStep]:
    """SuS-X by names alone, then with weights chosen on labeled images."""
    texts = {"templates": "7", "descriptions": choices.descriptions, "per_class": choices.per_class}
    return [
        LadderStep("sus-x", "sus-x", texts | {"tune": False}, seeded=not choices.pooled),
        LadderStep("sus-x, tuned", "sus-x", texts | {"tune": True}),
    ]


def _learned(name: str, choices: LadderChoices) -> list[LadderStep]:
    """Learned prompts with each number of shots; with the most, base-to-new beside zero-shot, and other data sets."""
    most = max(choices.shots)
    trained = f"trained on {choices.source}"
    taught: dict[str, Any] = {"shots": most, "init": choices.init}
    return [
        *(LadderStep(name, name, taught | {"shots": s}, s) for s in choices.shots),
        LadderStep("zero-shot", "zero-shot", {"templates": "simple"}, None, "base-to-new", seeded=False),
        LadderStep(name, name, taught, most, "base-to-new"),
        *(LadderStep(name, name, taught, most, trained, target) for target in choices.targets),
    ]
