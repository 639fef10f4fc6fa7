"""Made rows of what a training cost."""

from __future__ import annotations

from core.records import Estimate
from core.systems.composition.training.forgetting_rows import ForgettingRow


def lost_accuracy(pictures: str = "240 images") -> ForgettingRow:
    """Zero-shot accuracy that fell from 87 to 83%."""
    before, after = Estimate(0.87, 0.8, 0.9), Estimate(0.83, 0.8, 0.9)
    difference = Estimate(-0.04, -0.07, -0.01)
    return ForgettingRow("Zero-shot", pictures, "accuracy", 240, before, after, difference, 0.02, 12, 2, "lost")
