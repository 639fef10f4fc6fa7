"""Flickr8k's photographs in classes that their captions agree on, as one table for the ladder of probes.

    python -m research.evidence.caption_classes DATA --out scenes.parquet
    python -m research.evidence.probes --dataset scenes.parquet --out FOLDER --halves

DATA holds flickr8k/. Taken are the photographs that the embedded encoder was not fitted on: the corpus's dev part and
the tenth of train that is held for reports. The classes are the words of the scoreboard's images
(`research.scoreboard.picture_tier.WORDS`). Figures: docs/evidence/probes.md.
"""

from __future__ import annotations

import argparse
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from research.scoreboard.picture_tier import WORDS
from research.weights.embedded.captioned import N_CAPTIONS, part_of

AGREE = 2
"""So many captions name the class, and none of the other classes is named by as many."""
LEAST = 40
"""Photographs of a class: half of them teach, 16 as shots and 4 to choose by."""


def class_of(captions: Sequence[str]) -> str | None:
    """The one class that at least two captions name; None where there is none, or several."""
    said = [set(re.findall(r"[a-z]+", caption.lower())) for caption in captions]
    named = [name for name, words in WORDS.items() if sum(bool(one & {*words}) for one in said) >= AGREE]
    return named[0] if len(named) == 1 else None


def read_classes(folder: Path) -> dict[str, str]:
    """{file: class} of photographs that the encoder was not fitted on, of classes with at least `LEAST`."""
    table = pd.read_csv(folder / "captions.csv")
    columns = [f"caption_{i}" for i in range(N_CAPTIONS)]
    found: dict[str, str] = {}
    for file, split, *captions in table[["file", "split", *columns]].itertuples(index=False):
        if part_of(file, split) in ("dev", "held") and (name := class_of(captions)):
            found[file] = name
    many = Counter(found.values())
    return {file: name for file, name in found.items() if many[name] >= LEAST}


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the table and print the classes."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("data", type=Path)
    ask.add_argument("--out", type=Path, required=True)
    said = ask.parse_args(arguments)
    folder = said.data / "flickr8k"
    found = read_classes(folder)
    pictures = [{"bytes": (folder / "images" / file).read_bytes(), "path": file} for file in found]
    frame = pd.DataFrame({"id": list(found), "image": pictures, "label": list(found.values())})
    frame.to_parquet(said.out, index=False)
    print(f"{len(frame):,} photographs: {dict(Counter(found.values()).most_common())}")


if __name__ == "__main__":
    main()
