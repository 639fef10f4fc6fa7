"""What a run calls its reference masks, for pages that start without the network."""

from __future__ import annotations

KEY = "reference"
"""Of `Diagnosis.extras`."""


def said_structure(structure: int) -> str:
    """What a structure is called: its class value, as nothing else is known of it."""
    return f"class {structure}" if structure else "the mask"
