"""Sentences about reference masks: their quality, and whether they may stand in for a true mask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from core.numbers import bracketed, count, number
from core.records import Diagnosis, Estimate

KEY = "reference"
"""Key of `Diagnosis.extras`."""
RULE = (
    "A small network draws a reference mask from other scans of the upload with their true masks. It orders scans for "
    "review. It is neither a true mask nor a finding about a person."
)
NAMES = {
    "network": "the network",
    "vote": "the vote of the examples' masks",
    "control": "the control (examples with their masks upside down)",
    "expected": "the run's prediction from the embedding",
}
HINT = (
    "In the tab Ask, “Why?” tests whether a group's errors come from its bias field or noise. “Reference masks” draws "
    "masks from low-loss scans, and tests whether they may stand in for a true mask."
)


def reference_lines(document: Mapping[str, Any]) -> list[str]:
    """A line on each structure, one on how the stand-in orders scans, and the verdict, from a `Standin`'s document."""
    lines = [_structure_line(figures) for figures in document["structures"]]
    correlation = document["correlation"]
    texts = [f"{NAMES[way]} {_figure(_estimate(correlation[way]))}" for way in NAMES if way in correlation]
    lines.append(
        f"Rank correlation with the true loss on {count(document['n'], 'labeled scan')}, 1 - Dice with the reference "
        f"of {'; '.join(texts[:3])}. For comparison, {texts[3]}."
    )
    best = NAMES[document["best"]]
    if not document["offered"]:
        lines.append(f"Errata offers no stand-in: {document['refusal']}.")
    elif not document["n_unlabelled"]:
        lines.append(
            f"Disagreement with the reference by {best} may stand in for the loss. All scans of the table have a true "
            "mask, so it is not needed."
        )
    else:
        lines.append(
            f"Disagreement with the reference by {best} may stand in for the loss of "
            f"{count(document['n_unlabelled'], 'scan')} without a true mask. It orders scans like the labeled ones; "
            "its size is not the loss."
        )
    return lines


def reference_of(diagnosis: Diagnosis) -> list[str]:
    """The lines on a run's reference masks, if it has them."""
    document = diagnosis.extras.get(KEY)
    return reference_lines(document) if isinstance(document, Mapping) else []


def _structure_line(figures: Mapping[str, Any]) -> str:
    gain = _estimate(figures["gain"])
    verdict = "no difference shown between the first two"
    if gain.low > 0:
        verdict = f"{NAMES['network']} is better than the vote"
    elif gain.high < 0:
        verdict = "the vote is better than the network"
    dice = "; ".join(f"{NAMES[way]} {_figure(_estimate(values))}" for way, values in figures["dice"].items())
    name = structure_name(figures["structure"])
    return f"Dice of the reference for {name}, {count(figures['n'], 'scan')}: {dice}; {verdict}."


def _figure(estimate: Estimate) -> str:
    if not np.isfinite(estimate.value):
        return "undefined"
    return f"{number(estimate.value, 2)} {bracketed(estimate)}"


def _estimate(values: Mapping[str, Any]) -> Estimate:
    return Estimate(*(float("nan") if values[k] is None else float(values[k]) for k in ("value", "low", "high")))


def structure_name(structure: int) -> str:
    """A structure's name: its class value, the only known name."""
    return f"class {structure}" if structure else "the mask"
