"""Reference masks: what a Neuralizer makes of a scan when it is shown low-loss scans of other patients with their true
masks; beside the plain vote of these masks, and a control in whose examples each mask is upside down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.errors import InvalidInput
from core.records import F32, F64, I64, Bool, Progress, Reporter, no_progress
from core.systems.neuralizer.network import Neuralizer
from core.systems.neuralizer.reference.names import said_structure
from core.systems.neuralizer.reference.read import MaskSquares
from core.systems.neuralizer.use import treat, vote

EXAMPLES = 8
"""Scans that the network is shown: beyond these it hardly gains (docs/evidence/scans.md)."""
LEAST_EXAMPLES = 3
WAYS = ("network", "vote", "control")
LEAST = 4
"""Pixels of a structure from which on a scan can be an example of it."""


@dataclass(frozen=True, slots=True, eq=False)
class ReferenceMasks:
    """Of one structure, for some scans."""

    structure: int
    rows: I64
    """(m,) of the scans."""
    masks: Mapping[str, Bool]
    """(m, P, side, side) by way."""


def reference_masks(
    scans: MaskSquares,
    network: Neuralizer,
    rows: I64,
    groups: I64 | None = None,
    examples: int = EXAMPLES,
    progress: Progress = no_progress,
) -> tuple[ReferenceMasks, ...]:
    """A mask of each structure for each of the rows.

    Args:
        groups: (n,) group of each scan (a patient), -1 for one that is alone; no example is of the target's.
        progress: called as ("reference masks", done, total).

    Raises:
        InvalidInput: fewer than `LEAST_EXAMPLES` labeled scans of other groups hold a structure.
    """
    found = list[ReferenceMasks]()
    structures = scans.structures
    told = Reporter(progress, "reference masks", len(scans.structures) * len(rows))
    for structure in structures:
        true, predicted = scans.of(structure)
        loss = np.where(scans.labelled, dice_losses(predicted, true), np.inf)
        usable = scans.labelled & (true.sum((1, 2, 3)) >= LEAST)
        order = np.argsort(loss, kind="stable")
        order = order[usable[order]]
        made = {way: np.zeros((len(rows), *true.shape[1:]), np.bool_) for way in WAYS}
        for k, row in enumerate(rows.tolist()):
            told(len(found) * len(rows) + k)
            others = order[order != row]
            if groups is not None and groups[row] >= 0:
                others = others[groups[others] != groups[row]]
            if len(others) < LEAST_EXAMPLES:
                raise InvalidInput(
                    f"Only {len(others)} labeled scans of others hold {said_structure(structure)}, and at least "
                    f"{LEAST_EXAMPLES} are needed as examples. Bring more scans with a true mask."
                )
            chosen = others[:examples]
            for way, mask in _three(network, scans.images, true, row, chosen).items():
                made[way][k] = mask >= 0.5
        found.append(ReferenceMasks(structure, rows, made))
    told(len(structures) * len(rows), last=True)
    return tuple(found)


def _three(network: Neuralizer, images: F32, true: F32, row: int, chosen: I64) -> dict[str, F32]:
    """(P, side, side) by way; each slice is told by the slices at its place."""
    before, after = (np.ascontiguousarray(x[chosen].swapaxes(0, 1)) for x in (images, true))  # (P, L, side, side)
    return {
        "network": treat(network, before, after, images[row], mask=True),
        "vote": np.stack([vote(own) for own in after]),
        "control": treat(network, before, np.ascontiguousarray(after[:, :, ::-1]), images[row], mask=True),
    }


def dice_losses(found: F32 | Bool, wanted: F32 | Bool) -> F64:
    """(n,) 1 - Dice of (n, P, h, w) masks, all slices together; nan where both are empty."""
    a = found > 0.5
    b = wanted > 0.5
    axes = tuple(range(1, a.ndim))
    both = (a & b).sum(axes)
    all_ = a.sum(axes) + b.sum(axes)
    return np.where(all_ > 0, 1 - 2 * both / np.maximum(all_, 1), np.nan)
