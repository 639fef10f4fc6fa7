"""Diagnose the shipped examples and store each finished run beside its data, so that the page opens on it at once.

    python -m research.examples.make_runs [NAME ...]
    python -m research.examples.make_runs --check [NAME ...]

The settings are the defaults. A check on new data that the shipped run holds (`make_second`) stays where the findings
are those that were checked. With `--check` each is made again and compared, and nothing is written; the tests do so
with one of them, and with the others by parts (`tests/research/examples/test_make_runs.py`).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from core.checks.freeze import freeze
from core.cli.terminal import TerminalProgress
from core.diagnose import diagnose
from core.discovery.settings import DEFAULTS, Settings
from core.files import ASSETS
from core.records import F32, Diagnosis
from core.store import load, put
from core.systems.neuralizer.reference.read import read_squares
from core.systems.neuralizer.reference.standin import measure_standin
from core.systems.neuralizer.reference.wording import KEY
from core.systems.neuralizer.weights import read_network, side_of
from research.examples.compare_runs import differences

EXAMPLES = ASSETS / "examples"
TITLES = {"clothing": "photos of clothes", "definitions": "definitions of words", "scans": "drawn scans of heads"}
"""What the page calls an example where that is not its folder's name."""
NOTES = {"clothing": "The model was trained without skirts and tops without sleeves (assets/examples/README.md)."}
"""What a run of an example says of its model."""


def diagnose_example(name: str, settings: Settings = DEFAULTS) -> Diagnosis:
    """The example as the page's visitor would diagnose it, under the example's own name."""
    folder = EXAMPLES / name
    images = folder / "images.zip" if (folder / "images.zip").is_file() else None
    found = diagnose(folder / "table.csv", images=images, settings=settings, progress=TerminalProgress())
    notes = tuple(note for note in found.notes if "came from the cache" not in note)  # true of this machine only
    if found.samples.modality == "scan":
        found = _with_reference(found, folder)
    if name in NOTES:
        notes = (NOTES[name], *notes)
    # half precision is enough for a stored view and halves what the repository carries; the diagnosis was made on the
    # full vectors
    words = found.words and replace(
        found.words,
        joint=replace(found.words.joint, vectors=_halved(found.words.joint.vectors)),
        directions=_halved(found.words.directions),
    )
    return replace(
        found,
        samples=replace(found.samples, name=TITLES.get(name, name.replace("_", " "))),
        notes=notes,
        embeddings=replace(found.embeddings, vectors=_halved(found.embeddings.vectors)),
        words=words,
    )


def _with_reference(found: Diagnosis, folder: Path) -> Diagnosis:
    """With what reference masks are worth there, as `python -m core reference` keeps it."""
    network, card = read_network()
    scans = read_squares(folder / "table.csv", folder / "images.zip", side_of(card, network))
    standin, _ = measure_standin(found, scans, network, progress=TerminalProgress())
    return replace(found, extras={**found.extras, KEY: standin.document()})


def _halved(array: F32) -> F32:
    return array.astype(np.float16).astype(np.float32)


def with_check(found: Diagnosis, shipped: Diagnosis) -> Diagnosis:
    """The run with the shipped run's check on new data, where its findings are those that were checked."""
    checked = shipped.prediction
    if checked is None:
        return found
    if freeze(found).digest != checked.digest:
        print(f"{found.samples.name}: other findings than those checked. Check them by make_second --only-check.")
        return found
    return replace(found, prediction=checked)


def check(name: str) -> list[str]:
    """What the example says otherwise where it is made again; empty where it says the same."""
    made = diagnose_example(name, Settings(map=False, sensitivity=False))
    return differences(made, load(EXAMPLES / name / "run.errata"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the named examples, or all; with `--check` 1 where one says something else than the shipped run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("names", nargs="*", help="examples; all where none is named")
    parser.add_argument("--check", action="store_true", help="compare with the shipped runs and write nothing")
    asked = parser.parse_args(arguments)
    differ = False
    for name in asked.names or sorted(f.name for f in EXAMPLES.iterdir() if (f / "table.csv").is_file()):
        if asked.check:
            found = check(name)
            print(f"{name}: {'; '.join(found) or 'the same'}")
            differ |= bool(found)
            continue
        path = EXAMPLES / name / "run.errata"
        found = diagnose_example(name)
        if path.is_file():
            found = with_check(found, load(path))
        # images themselves lie beside the run
        put(found, path, thumbnails=found.samples.modality != "image")
        print(f"{name}: {len(found.samples):,} samples, {len(found.clusters)} clusters")
    return int(differ)


if __name__ == "__main__":
    sys.exit(main())
