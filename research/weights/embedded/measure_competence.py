#!/usr/bin/env python
"""Measure how well the embedded encoder knows each phrase, and write the table that ships.

    python -m research.weights.embedded.measure_competence DATA [--cache FOLDER]

DATA holds flickr8k/. Of its training part, the two tenths that no fit uses (by the file's name) are measured on, and
the captions of the whole say how often people say each phrase; its dev part is left to the reports, but for the chance
of showing a text: that is fitted on the splits dev and train_extra, and its report takes them in folds
(`research/evidence/asked.py`). Make the table again whenever the encoder or its phrases change: it is good for one
fingerprint only.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from core.checks.competence import measure_competence
from core.cli.terminal import TerminalProgress
from core.data.captioned import CaptionedPhotographs, read_captioned
from core.encoders import load_encoder
from core.language.competence import SHIPPED, write_competence
from core.language.vocabulary import read_vocabulary
from core.reports.wording.competence import competence_lines
from research.evidence.asked import Photographs
from research.weights.embedded.captioned import part_of


def training(folder: Path) -> CaptionedPhotographs:
    """The photographs of the corpus's training part."""
    return read_captioned(folder / "captions.csv", folder / "images", ["train"])


def apart(captioned: CaptionedPhotographs) -> CaptionedPhotographs:
    """Those of the training part that are measured on."""
    names = [Path(captioned.pictures.name(row)).name for row in range(len(captioned.pictures))]
    rows = np.flatnonzero([part_of(name, "train") != "fit" for name in names])
    return CaptionedPhotographs(captioned.pictures.keep(rows), tuple(captioned.captions[row] for row in rows.tolist()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--cache", type=Path)
    given = parser.parse_args()
    with TerminalProgress() as progress:
        encoder = load_encoder("embedded")
        whole = training(given.data / "flickr8k")
        table = measure_competence(encoder, apart(whole), spoken=whole.captions, cache=given.cache, progress=progress)
    photographs = Photographs(given.data, given.cache)
    table = replace(table, chance=photographs.chance(np.ones(len(photographs.captions), bool)))
    SHIPPED.mkdir(parents=True, exist_ok=True)
    write_competence(table, SHIPPED / "embedded.json")
    print("\n".join(competence_lines(table, read_vocabulary())))


if __name__ == "__main__":
    main()
