"""What corrections are called, for commands and pages that start without the network."""

from __future__ import annotations

CORRECTIONS = ("bias", "denoise", "super-resolution")
"""Faults that a scan may have without anybody's knowing, and that the network that ships takes out; of motion and of
missing lines of k-space it does not (docs/evidence/scans.md)."""
CHANGES = ("backwards", "steady-light", "longest-shot")
"""Of clips (`core.systems.neuralizer.corrections.clips`)."""
BY_MODALITY = {"scan": CORRECTIONS, "clip": CHANGES}
SAID = {
    "bias": "a bias field",
    "denoise": "noise",
    "super-resolution": "coarse pixels",
    "backwards": "the order of frames",
    "steady-light": "changes of light",
    "longest-shot": "cuts",
}
"""What each takes out, as people say it."""
MOST = 40
"""Scans of the cluster, and as many others, that are corrected unless another number is asked for."""
CONTROL = " (control)"
"""Behind a correction's name: its examples leave the fault where it is; of clips, see `clips`."""


def said_correction(name: str) -> str:
    """Such as "noise (denoise)": the page's words, and the name that `--fault` and files have; one that is not known as
    it is."""
    return f"{SAID[name]} ({name})" if name in SAID else name
