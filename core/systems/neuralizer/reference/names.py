"""Names of reference masks in a run, for pages that start without the network."""

from __future__ import annotations

KEY = "reference"
"""Key of `Diagnosis.extras`."""


def structure_name(structure: int) -> str:
    """A structure's name: its class value, the only known name."""
    return f"class {structure}" if structure else "the mask"
