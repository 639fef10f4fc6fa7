"""The rungs of the ladder from zero-shot to learned prompts, by method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from core.errors import InvalidInput
from core.probes.base import said_shots

SHOTS = (1, 4, 16)


@dataclass(frozen=True, slots=True)
class LadderStep:
    """One rung of the ladder."""

    name: str
    """As the papers' figures call it, where they have it."""
    probe: str
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    shots: int | None = None
    setting: Literal["all classes", "base-to-new"] = "all classes"
    seeded: bool = True
    """False: no draw has a part in it, so one run stands for all seeds."""

    @property
    def title(self) -> str:
        """Such as "coop, 16 shots, base-to-new"."""
        shots = () if self.shots is None else (said_shots(self.shots),)
        return ", ".join((self.name, *shots, *((self.setting,) if self.setting != "all classes" else ())))


PLAIN = tuple(
    LadderStep(f"zero-shot-{t}" if t != "simple" else "zero-shot", "zero-shot", {"templates": t}, seeded=False)
    for t in ("simple", "7", "80")
)
SUPPORT_SETS = (
    LadderStep("sus-x", "sus-x", {"templates": "7", "tune": False}),
    LadderStep("sus-x, tuned", "sus-x", {"templates": "7", "tune": True}),
    LadderStep("transclip", "transclip"),
)
HEADS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("lp++", "lp++", {}),
    ("tip-adapter", "tip-adapter", {"train_keys": False}),
    ("tip-adapter-f", "tip-adapter", {"train_keys": True}),
    ("linear-probe", "linear-probe", {}),
)
"""(step, probe, settings) of what learns from shots."""


def ladder(method: str, descriptions: str = "", shots: Sequence[int] = SHOTS) -> tuple[LadderStep, ...]:
    """The steps of a method: its baselines first.

    Args:
        method: "zero-shot", "sus-x", "few-shot", "coop", "cocoop" or "all".
        descriptions: a file of sentences for each class, or "".

    Raises:
        InvalidInput: there is no such method, or shots are none or below 1.
    """
    if not shots or min(shots) < 1:
        raise InvalidInput(
            f"shots must be at least 1 a class: got {', '.join(map(str, shots)) or 'none'}. "
            "The papers take 1, 2, 4, 8 and 16."
        )
    described = LadderStep("descriptions", "zero-shot", {"templates": "7", "descriptions": descriptions}, seeded=False)
    heads = [LadderStep(name, probe, {"shots": s, **more}, s) for s in shots for name, probe, more in HEADS]
    coop, cocoop = _learned("coop", shots), _learned("cocoop", shots)
    ladders = {
        "zero-shot": [*PLAIN, described],
        "sus-x": [*PLAIN, described, *SUPPORT_SETS],
        "few-shot": [PLAIN[0], *heads],
        "coop": [PLAIN[0], *coop],
        "cocoop": [PLAIN[0], *cocoop],
        "all": [*PLAIN, described, *SUPPORT_SETS, *heads, *coop, *cocoop],
    }
    if method not in ladders:
        raise InvalidInput(f"There is no method {method!r} to reproduce. Use one of {', '.join(ladders)}.")
    return tuple({step.title: step for step in ladders[method]}.values())


def _learned(name: str, shots: Sequence[int]) -> list[LadderStep]:
    """Learned prompts with each number of shots, then base-to-new with the most, beside zero-shot."""
    most = max(shots)
    return [
        *(LadderStep(name, name, {"shots": s}, s) for s in shots),
        LadderStep("zero-shot", "zero-shot", {"templates": "simple"}, None, "base-to-new", seeded=False),
        LadderStep(name, name, {"shots": most}, most, "base-to-new"),
    ]
