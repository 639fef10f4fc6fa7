"""The drop of a cluster's loss with each correction, compared with its control."""

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
from core.systems.neuralizer.corrections.names import CONTROL, correction_title

_EXPORT_AGAIN = "Export the scans again."
MAX_LOSS_GAP = 0.2
"""Largest mean gap between the losses of unchanged files and the run's, as a share of the mean loss. A convention."""
NO_SHARE = "share of its excess undefined (the excess may be 0)"


@dataclass(frozen=True, slots=True)
class CorrectionFinding:
    """The effect of one correction on a cluster."""

    correction: str
    effect: AlterationEffect
    gap: Estimate
    """Mean loss of the members with the control minus with the correction: the benefit of showing the fault."""

    @property
    def explains(self) -> bool:
        """Whether the correction lowers the loss, and more than its control does; for all corrections at once."""
        return self.effect.drop.low > 0 and self.gap.low > 0

    def to_dict(self) -> dict[str, Any]:
        """JSON values; None for an undefined estimate."""
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
        about: further content of the manifest (`CorrectionPlan.about`).

    Raises:
        InvalidInput: the manifest belongs to another run, names an unknown sample or members without files, or no
            correction with its control; or as `effects_of_alterations`.
    """
    if about.get("run") != diagnosis.fingerprint:
        raise InvalidInput("These files belong to another run. Use the run they were exported from.")
    listed = about.get("members")
    if not isinstance(listed, list) or not all(isinstance(id_, str) for id_ in listed):  # pyright: ignore
        raise InvalidInput(f"'members' in {MANIFEST} must be a list of names of samples. {_EXPORT_AGAIN}")
    member_ids = set(cast("list[str]", listed))
    ids = diagnosis.samples.ids
    for named, known, source in ((scores.ids, set(ids), "run"), (member_ids, set(scores.ids), "files")):
        unknown = sorted(set(named) - known)
        if unknown:
            raise InvalidInput(
                f"{MANIFEST} names the sample {unknown[0][:80]!r}, which is not in the {source}. {_EXPORT_AGAIN}"
            )
    members = np.array([id_ in member_ids for id_ in scores.ids])
    groups = None
    if diagnosis.samples.groups is not None:
        groups = diagnosis.samples.groups[_rows(diagnosis, scores)]
    corrections = [name for name in scores.losses if name + CONTROL in scores.losses]
    if not corrections:
        raise InvalidInput(f"{MANIFEST} names no correction with its control. {_EXPORT_AGAIN}")
    looks = len(corrections)
    effects = {e.alteration: e for e in effects_of_alterations(scores, members, groups, seed, of=looks)}
    findings = list[CorrectionFinding]()
    for name in corrections:
        gap = change_between(scores, (name + CONTROL, name), members, groups, seed, of=looks)
        findings.append(CorrectionFinding(name, effects[name], gap))
    return tuple(sorted(findings, key=lambda finding: (not finding.explains, -finding.effect.drop.value)))


def not_the_runs(diagnosis: Diagnosis, scores: Rescored) -> str:
    """A note that the unchanged files have other losses than the run, by more than a fifth of the mean; else ""."""
    run_losses = diagnosis.outcomes.loss[_rows(diagnosis, scores)]
    file_losses = scores.losses[UNCHANGED]
    scored = np.isfinite(file_losses)
    gap = float(np.abs(file_losses - run_losses)[scored].mean())
    mean = float(np.abs(run_losses[scored]).mean())
    if gap <= MAX_LOSS_GAP * mean:
        return ""
    return (
        f"The losses of the unchanged files differ from the run's by {number(gap, 2)} on average; the run's mean is "
        f"{number(mean, 2)}. If another model or another loss scored them, these results hold for that one only."
    )


@dataclass(frozen=True, slots=True)
class CorrectionFigures:
    """A finding's figures as text, each with its direction: "drops by 0.28 (0.10 to 0.46)"."""

    change: str
    share: str
    """Share of the cluster's excess, or that it is undefined."""
    beyond: str
    """How far the loss then lies below or above that with the control."""
    outside: str
    verdict: str


def figures_of(finding: CorrectionFinding) -> CorrectionFigures:
    """Figures in the style of `core.numbers`, for the terminal and the page."""
    effect = finding.effect
    share = NO_SHARE
    if np.isfinite(effect.share.value):
        signed = effect.share
        if effect.drop.value < 0:
            signed = _negate(effect.share)
        share = f"{with_interval(signed, share=True)} of its excess"
    side = "below"
    if finding.gap.value < 0:
        side = "above"
    verdict = "not confirmed"
    if finding.explains:
        verdict = "explains"
    return CorrectionFigures(
        _describe_drop(effect.drop),
        share,
        f"{with_interval(_magnitude(finding.gap))} {side}",
        _describe_drop(effect.drop_outside),
        verdict,
    )


def sentence(finding: CorrectionFinding) -> str:
    """A line for the terminal."""
    figures = figures_of(finding)
    name = correction_title(finding.correction)
    return (
        f"{name[:1].upper()}{name[1:]}: the loss {figures.change}, {figures.share}, to {figures.beyond} the control; "
        f"the others' loss {figures.outside}. {figures.verdict[:1].upper()}{figures.verdict[1:]}."
    )


def _or_none(estimate: Estimate) -> dict[str, float] | None:
    return estimate.to_dict() if np.isfinite(estimate.value) else None


def _negate(estimate: Estimate) -> Estimate:
    return Estimate(-estimate.value, -estimate.high, -estimate.low)


def _magnitude(estimate: Estimate) -> Estimate:
    """The estimate in the direction of its sign, which a word beside it gives."""
    return _negate(estimate) if estimate.value < 0 else estimate


def _describe_drop(drop: Estimate) -> str:
    verb = "rises" if drop.value < 0 else "drops"
    return f"{verb} by {with_interval(_magnitude(drop))}"


def _rows(diagnosis: Diagnosis, scores: Rescored) -> list[int]:
    """Rows of the run in the order of the scores."""
    row = {id_: k for k, id_ in enumerate(diagnosis.samples.ids)}
    return [row[id_] for id_ in scores.ids]
