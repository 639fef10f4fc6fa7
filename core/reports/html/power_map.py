"""What would have been found as an image: sizes of planted patterns down, strengths across, each cell colored by the
share that was found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.numbers import percent
from core.records import Diagnosis, PlantedPattern, Sensitivity
from core.reports.wording.sensitivity import how_planted, pattern_sentence, scope_text, share_text, strength_brief

STEPS = 3
"""Colors from nothing on."""


@dataclass(frozen=True, slots=True)
class PowerCell:
    """One size and strength as it is shown."""

    text: str
    share: float
    """Of plants that were found, 0 to 1."""
    step: int
    """0 to STEPS, the same in whole steps."""
    enough: bool
    """Whether it is found so often that it is said to be found."""
    sentence: str
    """Everything that is known of the cell, in a sentence."""


@dataclass(frozen=True, slots=True)
class PowerMap:
    """Rows of (share, of what and how many samples, cells), in the order of `strengths`."""

    strengths: tuple[str, ...]
    rows: tuple[tuple[str, str, tuple[PowerCell, ...]], ...]
    power: str
    """From which share on a pattern is said to be found."""
    how: str
    """How it was made."""


def power_map(diagnosis: Diagnosis) -> PowerMap | None:
    """The grid of `core.records.Sensitivity` arranged; None where a run has none."""
    sensitivity = diagnosis.sensitivity
    if sensitivity is None or not sensitivity.patterns:
        return None
    strengths = sorted({p.strength for p in sensitivity.patterns})
    sizes = dict.fromkeys((p.scope, p.size) for p in sensitivity.patterns)
    of = {(p.scope, p.size, p.strength): p for p in sensitivity.patterns}
    rows: list[tuple[str, str, tuple[PowerCell, ...]]] = []
    for scope, size in sizes:
        cells = [of[scope, size, strength] for strength in strengths]
        label = f"of {scope_text(sensitivity, cells[0])}, {size:,} samples"
        rows.append((share_text(cells[0]), label, tuple(_cell(sensitivity, p) for p in cells)))
    heads = tuple(strength_brief(sensitivity, strength) for strength in strengths)
    return PowerMap(heads, tuple(rows), percent(sensitivity.power), how_planted(diagnosis))


def _cell(sensitivity: Sensitivity, pattern: PlantedPattern) -> PowerCell:
    share = pattern.found.value
    enough = share >= sensitivity.power
    step = int(np.floor(share * STEPS))
    if enough:
        step = STEPS
    return PowerCell(percent(share, 0), share, step, enough, pattern_sentence(sensitivity, pattern))
