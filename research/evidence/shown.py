"""Is a question answered where something is like it, and refused where nothing is?

    python -m research.evidence.shown DATA [--cache FOLDER]

DATA holds clothing/ and cifar10/: 300 photographs of each, as in `names.py`. Their own classes are shown; thirty other
things are not. The line of the encoder was measured on other photographs (`core.checks.competence`).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from core.embeddings.rows import read_rows
from core.encoders import load_encoder
from core.language.competence import find_competence
from core.language.likeness import likeness, question_vectors, support, things_of
from core.statistics.intervals import wilson
from research.evidence.lines import show
from research.evidence.name_cases import Case
from research.evidence.names import ROWS, Photographs, encoded_picture, square_picture, table_of

SHOWN = {
    "clothing": ("dress", "hat", "shoes", "pants", "t-shirt", "shirt", "skirt", "shorts"),
    "cifar10": ("airplane", "car", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
}
ABSENT = (
    *("elephant", "giraffe", "banana", "zebra", "spider", "teapot", "violin", "washing machine", "strawberry"),
    *("castle", "microscope", "penguin", "bicycle", "beach", "motorcycle", "swimming pool", "street", "skateboard"),
    *("soccer game", "surfer", "baby", "guitar", "tent", "volcano", "lighthouse", "mushroom", "pizza", "piano"),
    *("bookcase", "traffic light"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--encoder", default="embedded")
    parser.add_argument("--cache", type=Path)
    given = parser.parse_args()
    encoder = load_encoder(given.encoder)
    table, note = find_competence(encoder, given.cache)
    if table is None or table.line is None:
        raise SystemExit(note or "Too few phrases are known to this encoder for a line.")
    things = things_of(encoder, given.cache)
    print("| photographs | of things that are shown, answered | n | of things that are not, refused | n |")
    print("|---|---|---|---|---|")
    for data, shown in SHOWN.items():
        case = Case("grey", data, "tune")  # type: ignore[arg-type]
        index = table_of(case, given.data)
        rows = np.sort(np.random.default_rng(0).permutation(len(index))[:ROWS])
        payloads = tuple(encoded_picture(square_picture(source)) for source in index["picture"].iloc[rows])
        names = tuple(f"{i:04d}" for i in range(len(rows)))
        joint = read_rows(Photographs(names, payloads), encoder, cache=given.cache).joint.vectors
        asked = [f"a {thing}" for thing in (*shown, *ABSENT)]
        texts = question_vectors(asked, encoder, given.cache)
        reached = [support(scores) >= table.line for scores in likeness(joint, texts, things).T]
        there = sum(reached[: len(shown)])
        not_there = sum(not r for r in reached[len(shown) :])
        shares = [show(wilson(there, len(shown))), show(wilson(not_there, len(ABSENT)))]
        print(f"| {data} | {shares[0]} | {len(shown)} | {shares[1]} | {len(ABSENT)} |")


if __name__ == "__main__":
    main()
