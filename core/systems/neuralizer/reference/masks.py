"""Reference masks: a Neuralizer's masks for a scan from low-loss scans of other patients with their true masks, the
plain vote of these masks, and a control with each example's mask upside down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.errors import InvalidInput
from core.records import F32, F64, I64, Bool, Progress, Reporter, no_progress
from core.systems.neuralizer.network import Neuralizer
from core.systems.neuralizer.reference.read import MaskSquares
from core.systems.neuralizer.reference.wording import structure_name
from core.systems.neuralizer.use import treat, vote

EXAMPLES = 8
"""Example scans for the network; more hardly help (docs/evidence/scans.md)."""
MIN_EXAMPLES = 3
WAYS = ("network", "vote", "control")
MIN_PIXELS = 4
"""Smallest area of a structure in an example scan."""


@dataclass(frozen=True, slots=True, eq=False)
class ReferenceMasks:
    """Reference masks of one structure for some scans."""

    structure: int
    rows: I64
    """(m,) rows of the scans."""
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
        groups: (n,) group of each scan, such as its patient, -1 without one; examples come from other groups.
        progress: called as ("reference masks", done, total).

    Raises:
        InvalidInput: fewer than `MIN_EXAMPLES` labeled scans of other groups hold a structure.
    """
    references = list[ReferenceMasks]()
    structures = scans.structures
    report = Reporter(progress, "reference masks", len(structures) * len(rows))
    for structure in structures:
        true, predicted = scans.of(structure)
        loss = np.where(scans.labelled, dice_losses(predicted, true), np.inf)
        usable = scans.labelled & (true.sum((1, 2, 3)) >= MIN_PIXELS)
        order = np.argsort(loss, kind="stable")
        order = order[usable[order]]
        masks = {way: np.zeros((len(rows), *true.shape[1:]), np.bool_) for way in WAYS}
        for k, row in enumerate(rows.tolist()):
            report(len(references) * len(rows) + k)
            others = order[order != row]
            if groups is not None and groups[row] >= 0:
                others = others[groups[others] != groups[row]]
            if len(others) < MIN_EXAMPLES:
                raise InvalidInput(
                    f"Only {len(others)} labeled scans of others hold {structure_name(structure)}, and "
                    f"{MIN_EXAMPLES} are needed as examples. Add scans with a true mask."
                )
            for way, mask in _masks_by_way(network, scans.images, true, row, others[:examples]).items():
                masks[way][k] = mask >= 0.5
        references.append(ReferenceMasks(structure, rows, masks))
    report(len(structures) * len(rows), last=True)
    return tuple(references)


def _masks_by_way(network: Neuralizer, images: F32, true: F32, row: int, chosen: I64) -> dict[str, F32]:
    """(P, side, side) masks by way; the examples of each slice are the slices at its position."""
    before = np.ascontiguousarray(images[chosen].swapaxes(0, 1))  # (P, L, side, side)
    after = np.ascontiguousarray(true[chosen].swapaxes(0, 1))
    return {
        "network": treat(network, before, after, images[row], mask=True),
        "vote": np.stack([vote(examples) for examples in after]),
        "control": treat(network, before, np.ascontiguousarray(after[:, :, ::-1]), images[row], mask=True),
    }


def dice_losses(first: F32 | Bool, second: F32 | Bool) -> F64:
    """(n,) 1 - Dice of (n, P, h, w) masks over all slices; nan where both are empty."""
    a = first > 0.5
    b = second > 0.5
    axes = tuple(range(1, a.ndim))
    both = (a & b).sum(axes)
    all_ = a.sum(axes) + b.sum(axes)
    return np.where(all_ > 0, 1 - 2 * both / np.maximum(all_, 1), np.nan)
