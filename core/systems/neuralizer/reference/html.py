"""Reference masks as a page: what they are worth, and scans with the outlines of reference and prediction, by the
network and by the vote side by side."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from core.data.scans.outlines import REFERENCE_COLOUR, Mask, outlined
from core.data.scans.slices import webp
from core.files import write_text
from core.numbers import number
from core.records import Bool, Diagnosis
from core.reports.html.diagnosis import style
from core.reports.html.render import render
from core.systems.neuralizer.reference.masks import ReferenceMasks
from core.systems.neuralizer.reference.read import MaskSquares
from core.systems.neuralizer.reference.standin import OFFERED, Standin
from core.systems.neuralizer.reference.wording import RULE, reference_lines
from core.systems.neuralizer.templates import TEMPLATES

SHOWN = 36
SIZE = 240
SIDES = {"network": "the network's mask", "vote": "the vote"}
LEGEND = (
    "Each scan stands here twice, as its slice in the middle and as coarse as the network sees it: with the network's "
    "mask on the left, with the vote of the examples' masks on the right. Outlines: the reference mask is the light "
    "green line, your model's mask the blue dashes; a true mask, an orange line elsewhere, is not drawn here."
)


@dataclass(frozen=True, slots=True)
class ShownScan:
    """A scan with its reference masks."""

    name: str
    pictures: tuple[tuple[str, str], ...]
    """(address, what it shows) with the network's mask and with the vote."""
    line: str
    """Its disagreement with either, and its loss."""


def write_reference(
    diagnosis: Diagnosis, scans: MaskSquares, standin: Standin, found: Sequence[ReferenceMasks], path: Path
) -> None:
    """Write the page to `path`: one HTML document that fetches nothing and runs nothing."""
    write_text(path, reference_page(diagnosis, scans, standin, found))


def reference_page(diagnosis: Diagnosis, scans: MaskSquares, standin: Standin, found: Sequence[ReferenceMasks]) -> str:
    """The page's text."""
    return render(
        "reference.html.j2",
        TEMPLATES,
        diagnosis=diagnosis,
        rule=RULE,
        lines=reference_lines(standin.document()),
        shown=shown_scans(scans, standin, found),
        legend=LEGEND,
        notes=standin.notes,
        **style(),
    )


def shown_scans(
    scans: MaskSquares, standin: Standin, found: Sequence[ReferenceMasks], most: int = SHOWN
) -> tuple[ShownScan, ...]:
    """The scans that disagree most with the reference that orders best, at most that many; where the stand-in is
    refused those without a true mask come last, in the order of the table."""
    values = np.where(_said(standin), standin.standin[standin.best], -1.0)
    order = np.argsort(-np.nan_to_num(values, nan=-1.0), kind="stable")[:most].tolist()
    return tuple(_shown(scans, standin, found, k) for k in order)


def _shown(scans: MaskSquares, standin: Standin, found: Sequence[ReferenceMasks], k: int) -> ShownScan:
    row = int(found[0].rows[k])
    name = standin.ids[k]
    loss = float(standin.loss[k])
    pictures = tuple((_picture(scans, found, row, k, way), f"{name}, {SIDES[way]}") for way in OFFERED)
    far = ", ".join(f"{way} {number(float(standin.standin[way][k]), 2)}" for way in OFFERED)
    known = f"loss {number(loss, 2)}" if np.isfinite(loss) else "no true mask"
    return ShownScan(name, pictures, f"disagreement: {far}; {known}" if _said(standin)[k] else known)


def _said(standin: Standin) -> Bool:
    """(n,) of which scans a disagreement may be said: of those with a true mask, and of all where it is offered."""
    return np.isfinite(standin.loss) | (not standin.refusal)


def _picture(scans: MaskSquares, found: Sequence[ReferenceMasks], row: int, k: int, way: str) -> str:
    middle = scans.images.shape[1] // 2
    reference: Mask = np.zeros(scans.images.shape[2:], np.uint8)
    predicted = reference.copy()
    for value, one in enumerate(found, 1):
        reference[one.masks[way][k, middle]] = value
        predicted[scans.of(one.structure)[1][row, middle] > 0] = value
    grey = Image.fromarray(np.round(255 * scans.images[row, middle]).astype(np.uint8)).convert("RGB")
    shown = webp(outlined(grey, (reference, predicted), SIZE, REFERENCE_COLOUR))
    return f"data:image/webp;whole=1;base64,{b64encode(shown).decode('ascii')}"
