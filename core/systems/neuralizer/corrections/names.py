"""Names of corrections, for commands and pages that start without the network."""

from __future__ import annotations

CORRECTIONS = ("bias", "denoise", "super-resolution")
"""Faults that a scan may have unnoticed and that the shipped network removes; it does not remove motion and missing
lines of k-space (docs/evidence/scans.md)."""
CHANGES = ("backwards", "steady-light", "longest-shot")
"""Changes of clips (`core.systems.neuralizer.corrections.clips`)."""
BY_MODALITY = {"scan": CORRECTIONS, "clip": CHANGES}
FAULT_TITLES = {
    "bias": "a bias field",
    "denoise": "noise",
    "super-resolution": "coarse pixels",
    "backwards": "the order of frames",
    "steady-light": "changes of light",
    "longest-shot": "cuts",
}
"""The fault that each correction removes."""
DEFAULT_ITEMS = 40
"""Corrected items of the cluster, and as many others, by default."""
CONTROL = " (control)"
"""Suffix of a control's name: its examples keep the fault; for clips, see `clips`."""


def correction_title(name: str) -> str:
    """A title such as "noise (denoise)", with the name in `--fault` and files; unknown names stay."""
    if name not in FAULT_TITLES:
        return name
    return f"{FAULT_TITLES[name]} ({name})"
