"""What the outlines on images of a run mean."""

from __future__ import annotations

from core.data.inline import has_outlines
from core.records import Diagnosis

OUTLINES = "Outlines: truth orange, prediction blue and dashed."


def outlines_sentence(diagnosis: Diagnosis) -> str:
    """The legend of images of this run; "" where they bear no outlines."""
    if has_outlines(diagnosis.samples):
        return OUTLINES
    return ""
