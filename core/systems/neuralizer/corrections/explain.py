"""Is it the bias field, the noise or another fault? What each correction takes off a cluster's loss, beside its
control."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from core.errors import InvalidInput
from core.numbers import number, with_interval
from core.records import Diagnosis, Estimate
from core.systems.neuralizer.corrections.altered import (
    MANIFEST,
    UNCHANGED,
    AlterationEffect,
    Rescored,
    change_between,
    effects_of_alterations,
)
from core.systems.neuralizer.corrections.names import CONTROL, said_correction

_ANEW = "Export the scans again."
SAME_LOSS = 0.2
"""Of the mean loss: how far the losses of unchanged files may lie from the run's on average."""
NO_SHARE = "share of its excess not defined (that may be 0)"


@dataclass(frozen=True, slots=True)
class CorrectionFinding:
    """What one correction does to a cluster."""

    correction: str
    effect: AlterationEffect
    gap: Estimate
    """Mean loss of the members with the control minus with the correction: what being shown the fault is worth."""

    @property
    def explains(self) -> bool:
        """Whether the correction takes off loss, and more than its control does; all corrections at once."""
        return self.effect.drop.low > 0 and self.gap.low > 0

    def to_dict(self) -> dict[str, Any]:
        """As JSON; None for what is not defined, as a share is of an excess that may be 0."""
        effect = self.effect
        return {
            "correction": self.correction,
            "n": effect.n,
            "drop": _or_none(effect.drop),
            "drop_outside": _or_none(effect.drop_outside),
            "share": _or_none(effect.share),
            "gap": _or_none(self.gap),
            "explains": self.explains,
        }


def explain_by_corrections(
    diagnosis: Diagnosis, about: Mapping[str, Any], scores: Rescored, seed: int = 0
) -> tuple[CorrectionFinding, ...]:
    """The findings, those that explain most first.

    Args:
        about: what the manifest says (`CorrectionPlan.about`).

    Raises:
        InvalidInput: the manifest is of another run, names a sample that the run has not, members that have no file,
            or no correction with its control; or see `effects_of_alterations`.
    """
    if about.get("run") != diagnosis.fingerprint:
        raise InvalidInput("These files were made for another run. Name the run that they were exported for.")
    inside = _members(diagnosis, about, scores)
    members = np.array([id_ in inside for id_ in scores.ids])
    groups = _groups(diagnosis, scores)
    corrections = [name for name in scores.losses if name + CONTROL in scores.losses]
    if not corrections:
        raise InvalidInput(f"{MANIFEST} names no correction with its control. {_ANEW}")
    effects = {e.alteration: e for e in effects_of_alterations(scores, members, groups, seed, of=len(corrections))}
    found = [
        CorrectionFinding(
            name,
            effects[name],
            change_between(scores, (name + CONTROL, name), members, groups, seed, of=len(corrections)),
        )
        for name in corrections
    ]
    return tuple(sorted(found, key=lambda one: (not one.explains, -one.effect.drop.value)))


def not_the_runs(diagnosis: Diagnosis, scores: Rescored) -> str:
    """That the unchanged files do not have the losses of the run, as those of another model; "" where they do, to a
    fifth of the mean."""
    own = diagnosis.outcomes.loss[_rows(diagnosis, scores)]
    now = scores.losses[UNCHANGED]
    there = np.isfinite(now)
    apart = float(np.abs(now - own)[there].mean())
    mean = float(np.abs(own[there]).mean())
    if apart <= SAME_LOSS * mean:
        return ""
    return (
        f"The losses of the unchanged files lie {number(apart, 2)} from the run's on average, which are "
        f"{number(mean, 2)}. "
        "If another model or another loss scored them, what follows holds for that one and not for the run's."
    )


@dataclass(frozen=True, slots=True)
class CorrectionFigures:
    """A finding's figures as they are read, each with a word for its direction: "drops by 0.28 (0.10 to 0.46)"."""

    change: str
    share: str
    """Of the cluster's excess, or that it is not defined."""
    beyond: str
    """How far the loss then lies below that with the control, or above it."""
    outside: str
    verdict: str


def figures_of(finding: CorrectionFinding) -> CorrectionFigures:
    """Figures in the style of `core.numbers`, for the terminal and the page."""
    effect = finding.effect
    share = finding.effect.share

    return CorrectionFigures(
        _moved(effect.drop),
        f"{with_interval(_turned(share) if effect.drop.value < 0 else share, share=True)} of its excess"
        if np.isfinite(share.value)
        else NO_SHARE,
        f"{with_interval(_size(finding.gap))} {'above' if finding.gap.value < 0 else 'below'}",
        _moved(effect.drop_outside),
        "explains" if finding.explains else "explains nothing that is sure",
    )


def sentence(finding: CorrectionFinding) -> str:
    """One line for the terminal."""
    said = figures_of(finding)
    name = said_correction(finding.correction)
    return (
        f"{name[:1].upper()}{name[1:]}: the loss {said.change}, {said.share}; it is then {said.beyond} that with the "
        "control; "
        f"outside the cluster it {said.outside}. {said.verdict[:1].upper()}{said.verdict[1:]}."
    )


def _or_none(found: Estimate) -> dict[str, float] | None:
    return found.to_dict() if np.isfinite(found.value) else None


def _turned(found: Estimate) -> Estimate:
    return Estimate(-found.value, -found.high, -found.low)


def _size(found: Estimate) -> Estimate:
    """The figure without its sign, which a word beside it says; the interval of what that word says."""
    return _turned(found) if found.value < 0 else found


def _moved(drop: Estimate) -> str:
    return f"{'rises' if drop.value < 0 else 'drops'} by {with_interval(_size(drop))}"


def _members(diagnosis: Diagnosis, about: Mapping[str, Any], scores: Rescored) -> set[str]:
    """Ids of the cluster's samples, each of which has files, as all ids are of the run."""
    named = about.get("members")
    if not isinstance(named, list) or not all(isinstance(one, str) for one in named):  # pyright: ignore
        raise InvalidInput(f"'members' in {MANIFEST} must be a list of names of samples. {_ANEW}")
    members = set(cast("list[str]", named))
    for ids, known, where in ((scores.ids, set(diagnosis.samples.ids), "run"), (members, set(scores.ids), "files")):
        if strange := sorted(set(ids) - known):
            raise InvalidInput(f"{MANIFEST} names the sample {strange[0][:80]!r}, which is not in the {where}. {_ANEW}")
    return members


def _groups(diagnosis: Diagnosis, scores: Rescored) -> Any:
    if diagnosis.samples.groups is None:
        return None
    return diagnosis.samples.groups[_rows(diagnosis, scores)]


def _rows(diagnosis: Diagnosis, scores: Rescored) -> list[int]:
    """Of the run, in the order of the scores."""
    row = {id_: k for k, id_ in enumerate(diagnosis.samples.ids)}
    return [row[id_] for id_ in scores.ids]
