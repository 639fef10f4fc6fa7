"""Score the rendered pairs with which Composition opens, and store the result.

python -m research.scenes.store_opening
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from core.encoders import load_encoder
from core.files import write_text
from core.records.codec import encode
from core.systems.composition.records import CompositionResult
from core.systems.composition.scenes.shipped import open_shipped
from core.systems.composition.scoring.encoder import EncoderScorer
from core.systems.composition.scoring.run import run_composition
from webapp.systems.composition.state import OPENING

N_PAIRS = 60


def make_opening() -> CompositionResult:
    """The embedded encoder's result; its seconds, which differ from run to run, are left out."""
    scorer = EncoderScorer(load_encoder("embedded"))
    result = run_composition(open_shipped("rendered", n=N_PAIRS), scorer, name="embedded")
    return replace(result, seconds=0.0)


def write_result(result: CompositionResult, path: Path) -> None:
    """Write a result with every array, as `webapp.systems.composition.state.opening` reads it."""
    arrays: dict[str, np.ndarray[Any, Any]] = {}
    tree = encode(result, arrays)
    values = {name: {"dtype": str(array.dtype), "values": array.tolist()} for name, array in arrays.items()}
    write_text(path, json.dumps({"result": tree, "arrays": values}) + "\n")


if __name__ == "__main__":
    write_result(make_opening(), OPENING)
    print(f"{OPENING}: {OPENING.stat().st_size / 1e3:.0f} kB")
