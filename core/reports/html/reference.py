"""Reference masks as a page: what they are worth, and scans with the outlines of reference and prediction."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from core.data.scans.outlines import Mask, outlined
from core.data.scans.slices import webp
from core.files import write_text
from core.numbers import number
from core.probes.reference.masks import ReferenceMasks
from core.probes.reference.read import MaskSquares
from core.probes.reference.standin import Standin
from core.records import Diagnosis
from core.reports.html.diagnosis import style
from core.reports.html.render import render
from core.reports.wording.scans import RULE, reference_lines

SHOWN, SIZE = 36, 240
LEGEND = (
    "The slice in the middle, as coarse as the network sees it. Outlines: the reference mask is the orange line, your "
    "model's mask the blue dashes."
)


def write_reference(
    diagnosis: Diagnosis, scans: MaskSquares, standin: Standin, found: Sequence[ReferenceMasks], path: Path
) -> None:
    """Write the page to `path`: one HTML document that fetches nothing and runs nothing."""
    write_text(path, reference_page(diagnosis, scans, standin, found))


def reference_page(diagnosis: Diagnosis, scans: MaskSquares, standin: Standin, found: Sequence[ReferenceMasks]) -> str:
    """The page's text."""
    way = standin.best
    rows, values = found[0].rows, standin.standin[way]
    order = np.argsort(-np.nan_to_num(values, nan=-1.0), kind="stable")[:SHOWN].tolist()
    shown = [
        (_picture(scans, found, int(rows[k]), k, way), standin.ids[k], _line(float(values[k]), float(standin.loss[k])))
        for k in order
    ]
    return render(
        "reference.html.j2",
        diagnosis=diagnosis,
        rule=RULE,
        lines=reference_lines(standin.document()),
        shown=shown,
        legend=LEGEND,
        notes=standin.notes,
        **style(),
    )


def _line(disagreement: float, loss: float) -> str:
    return f"disagreement {number(disagreement, 2)}, " + (
        f"loss {number(loss, 2)}" if np.isfinite(loss) else "no true mask"
    )


def _picture(scans: MaskSquares, found: Sequence[ReferenceMasks], row: int, k: int, way: str) -> str:
    middle = scans.images.shape[1] // 2
    reference: Mask = np.zeros(scans.images.shape[2:], np.uint8)
    predicted = reference.copy()
    for value, one in enumerate(found, 1):
        reference[one.masks[way][k, middle]] = value
        predicted[scans.of(one.structure)[1][row, middle] > 0] = value
    grey = Image.fromarray(np.round(255 * scans.images[row, middle]).astype(np.uint8)).convert("RGB")
    shown = webp(outlined(grey, (reference, predicted), SIZE))
    return f"data:image/webp;whole=1;base64,{b64encode(shown).decode('ascii')}"
