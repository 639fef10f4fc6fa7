#!/usr/bin/env python
"""Cut the label maps to the coronal slices that ship.

    python -m research.weights.neuralizer.cut_labels labels_2mm.npz [--out assets/scans/labels.npz]

The input holds `labels` (20, 96, 112, 96), SynthSeg's training label maps turned to R-A-S and sampled at 2 mm.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from core.files import write_arrays
from research.weights.neuralizer.drawn_scans import FILE

PLANES = range(44, 69, 2)
"""Along back to front: 4 mm apart, through the deep gray matter."""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("labels", type=Path)
    parser.add_argument("--out", type=Path, default=FILE)
    given = parser.parse_args(arguments)
    with np.load(given.labels, allow_pickle=False) as stored:
        volumes = stored["labels"]
    slices = volumes[:, :, list(PLANES), :].transpose(0, 2, 3, 1)[:, :, ::-1]  # subject, plane, down, right
    write_arrays(given.out, {"labels": np.ascontiguousarray(slices, np.uint16), "planes": np.array(PLANES)})


if __name__ == "__main__":
    main()
