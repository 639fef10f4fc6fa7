"""Of scans, in plain sentences: what outlines mean, what reference masks are worth, and whether they may stand in for
a true mask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from core.numbers import bracketed, count, number
from core.records import Diagnosis, Estimate
from core.systems.neuralizer.reference.names import KEY, said_structure

RULE = (
    "A reference mask is what a small network makes of a scan when it is shown other scans of the upload with their "
    "true masks. It is no truth and no finding about a person: it serves to order scans for a look."
)
NAMES = {
    "network": "the network",
    "vote": "the vote of the examples' masks",
    "control": "the control (examples with their masks upside down)",
    "expected": "the run's own expectation from the embedding",
}
HINT = (
    "In the tab Ask, “Why?” tells by files whether a cluster fails for its bias field or noise, and “Reference masks” "
    "draws masks from low-loss scans and says whether they may stand in for a true mask."
)


def reference_lines(found: Mapping[str, Any]) -> list[str]:
    """A line on each structure, one on how the stand-in orders scans, and the verdict; of the document of a
    `Standin`."""
    lines = [_structure(one) for one in found["structures"]]
    best = found["best"]
    correlation = found["correlation"]
    said = [f"{NAMES[way]} {_figure(_estimate(correlation[way]), 2)}" for way in NAMES if way in correlation]
    lines.append(
        f"Rank correlation with the true loss on {count(found['n'], 'labelled scan')}, 1 - Dice with the reference of "
        f"{'; '.join(said[:3])}. For comparison, {said[3]}."
    )
    if found["offered"] and not found["n_unlabelled"]:
        lines.append(
            f"The disagreement with the reference by {NAMES[best]} may stand in for the loss; the table has no scan "
            "without a true mask."
        )
    elif found["offered"]:
        lines.append(
            f"The disagreement with the reference by {NAMES[best]} is offered as a stand-in for the loss of "
            f"{count(found['n_unlabelled'], 'scan')} without a true mask. It orders them as far as they are like the "
            "labeled ones; its size is not that of the loss."
        )
    else:
        lines.append(f"No stand-in is offered: {found['refusal']}.")
    return lines


def reference_of(diagnosis: Diagnosis) -> list[str]:
    """The lines that a run keeps of its reference masks; none where there are none."""
    found = diagnosis.extras.get(KEY)
    return reference_lines(found) if isinstance(found, Mapping) else []


def _structure(one: Mapping[str, Any]) -> str:
    dice = {way: _estimate(x) for way, x in one["dice"].items()}
    gain = _estimate(one["gain"])
    wins = "network" if gain.low > 0 else "vote" if gain.high < 0 else ""
    verdict = f"{NAMES[wins]} is better" if wins else "neither is surely better"
    said = "; ".join(f"{NAMES[way]} {_figure(x, 2)}" for way, x in dice.items())
    name = said_structure(one["structure"])
    return f"Dice of the reference for {name}, {count(one['n'], 'scan')}: {said}. Of the first two {verdict}."


def _figure(one: Estimate, digits: int) -> str:
    return f"{number(one.value, digits)} {bracketed(one)}" if np.isfinite(one.value) else "undefined"


def _estimate(said: Mapping[str, Any]) -> Estimate:
    return Estimate(*(float("nan") if said[k] is None else float(said[k]) for k in ("value", "low", "high")))
