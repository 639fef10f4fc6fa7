"""Reference masks as a page: their quality, and scans with the outlines of reference and prediction, by the network and
by the vote."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from core.data.images.outlines import REFERENCE_COLOUR, Mask, draw_outlines
from core.data.images.thumbnails import webp
from core.numbers import number
from core.records import Bool, Diagnosis
from core.reports.html.diagnosis import style
from core.reports.html.render import render
from core.systems.neuralizer.reference.masks import ReferenceMasks
from core.systems.neuralizer.reference.read import MaskSquares
from core.systems.neuralizer.reference.standin import OFFERED, Standin
from core.systems.neuralizer.reference.wording import RULE, reference_lines
from core.systems.neuralizer.templates import TEMPLATES

MAX_SHOWN_SCANS = 36
OUTLINE_PIXELS = 240
WAY_TITLES = {"network": "the network's mask", "vote": "the vote"}
LEGEND = (
    "Each scan appears twice, as its middle slice at the network's resolution: with the network's mask on the left, "
    "with the vote of the examples' masks on the right. Outlines: the reference mask is the light green line, your "
    "model's mask the blue dashes; a true mask, an orange line elsewhere, is not drawn here."
)


@dataclass(frozen=True, slots=True)
class ShownScan:
    """A scan with its reference masks."""

    name: str
    pictures: tuple[tuple[str, str], ...]
    """(address, alternative text) with the network's mask and with the vote."""
    line: str
    """Its disagreement with either, and its loss."""


def reference_page(
    diagnosis: Diagnosis, scans: MaskSquares, standin: Standin, references: Sequence[ReferenceMasks]
) -> str:
    """The page: one HTML document without external resources and scripts."""
    return render(
        "reference.html.j2",
        TEMPLATES,
        diagnosis=diagnosis,
        rule=RULE,
        lines=reference_lines(standin.document()),
        shown=shown_scans(scans, standin, references),
        legend=LEGEND,
        notes=standin.notes,
        **style(),
    )


def shown_scans(
    scans: MaskSquares, standin: Standin, references: Sequence[ReferenceMasks], max_scans: int = MAX_SHOWN_SCANS
) -> tuple[ShownScan, ...]:
    """The scans that disagree most with the best reference.

    Without an offered stand-in, scans without a true mask come last, in the order of the table.
    """
    values = np.where(_has_disagreement(standin), standin.standin[standin.best], -1.0)
    order = np.argsort(-np.nan_to_num(values, nan=-1.0), kind="stable")[:max_scans].tolist()
    return tuple(_show_scan(scans, standin, references, k) for k in order)


def _show_scan(scans: MaskSquares, standin: Standin, references: Sequence[ReferenceMasks], k: int) -> ShownScan:
    row = int(references[0].rows[k])
    name = standin.ids[k]
    loss = float(standin.loss[k])
    pictures = tuple((_draw_outlines(scans, references, row, k, way), f"{name}, {WAY_TITLES[way]}") for way in OFFERED)
    line = "no true mask"
    if np.isfinite(loss):
        line = f"loss {number(loss, 2)}"
    if _has_disagreement(standin)[k]:
        disagreement = ", ".join(f"{way} {number(float(standin.standin[way][k]), 2)}" for way in OFFERED)
        line = f"disagreement: {disagreement}; {line}"
    return ShownScan(name, pictures, line)


def _has_disagreement(standin: Standin) -> Bool:
    """(n,) scans whose disagreement may be shown: those with a true mask, and all if the stand-in is offered."""
    return np.isfinite(standin.loss) | (not standin.refusal)


def _draw_outlines(scans: MaskSquares, references: Sequence[ReferenceMasks], row: int, k: int, way: str) -> str:
    middle = scans.images.shape[1] // 2
    reference: Mask = np.zeros(scans.images.shape[2:], np.uint8)
    predicted = reference.copy()
    for value, masks in enumerate(references, 1):
        reference[masks.masks[way][k, middle]] = value
        predicted[scans.of(masks.structure)[1][row, middle] > 0] = value
    gray = Image.fromarray(np.round(255 * scans.images[row, middle]).astype(np.uint8)).convert("RGB")
    shown = webp(draw_outlines(gray, (reference, predicted), OUTLINE_PIXELS, REFERENCE_COLOUR))
    return f"data:image/webp;whole=1;base64,{b64encode(shown).decode('ascii')}"
