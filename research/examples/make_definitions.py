#!/usr/bin/env python
"""Make the example of texts again: definitions of nouns from WordNet, and what a small classifier says of each.

    python -m research.examples.make_definitions --wordnet data.noun [--out FOLDER]

data.noun is WordNet 3.0's (Debian package wordnet-base; license in LICENCES.md). The task: of which kind is the thing
that a definition defines? The classifier is a logistic regression on the words (tf-idf), fitted on 400 definitions of
each kind; another 200 of each are scored. A few seconds.
"""

from __future__ import annotations

import argparse
import csv
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from core.files import ASSETS
from core.records import F64

FOLDER = ASSETS / "examples" / "definitions"
KINDS = {
    5: "animal",
    6: "artifact",
    8: "body part",
    13: "food",
    15: "place",
    18: "person",
    20: "plant",
    27: "substance",
}
"""Numbers of WordNet's lexicographer files, and what they hold."""
FITTED = 400
SCORED = 200
SEED = 0
"""Definitions of each kind."""
MIN_WORDS = 3


@dataclass(frozen=True)
class Definition:
    """One sense of a noun."""

    word: str
    text: str
    kind: str


def read_definitions(path: Path) -> list[Definition]:
    """The definitions of the kinds, without their examples; of equal ones the first."""
    found: dict[str, Definition] = {}
    for line in path.read_text("utf-8").splitlines():
        if line.startswith(" "):  # the license, at the head of the file
            continue
        head, _, gloss = line.partition("|")
        fields = head.split()
        text = re.split(r';\s*"', gloss.strip())[0].strip()
        if (kind := KINDS.get(int(fields[1]))) and len(text.split()) >= MIN_WORDS:
            found.setdefault(text.casefold(), Definition(fields[4].replace("_", " "), text, kind))
    return list(found.values())


def drawn(definitions: list[Definition]) -> tuple[list[Definition], list[Definition]]:
    """(to fit, to score), kind by kind."""
    rng = np.random.default_rng(SEED)
    fitted = list[Definition]()
    scored = list[Definition]()
    for kind in sorted(KINDS.values()):
        own = [one for one in definitions if one.kind == kind]
        order = rng.permutation(len(own)).tolist()
        scored += [own[i] for i in order[:SCORED]]
        fitted += [own[i] for i in order[SCORED : SCORED + FITTED]]
    return fitted, scored


def probabilities(fitted: list[Definition], scored: list[Definition]) -> tuple[F64, list[str]]:
    """((n, k) of the scored, the kinds in their order)."""
    words = TfidfVectorizer(min_df=2, sublinear_tf=True)
    model = LogisticRegression(C=5, max_iter=500)
    model.fit(words.fit_transform([one.text for one in fitted]), [one.kind for one in fitted])
    return model.predict_proba(words.transform([one.text for one in scored])), list(model.classes_)


def write_table(scored: list[Definition], said: F64, kinds: list[str], path: Path) -> None:
    """Write table.csv: id (the word, numbered where it repeats), text, label and a probability for each kind."""
    seen: dict[str, int] = {}
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["id", "text", "label", *(f"prob_{kind}" for kind in kinds)])
        for one, row in zip(scored, said):
            seen[one.word] = seen.get(one.word, 0) + 1
            name = one.word if seen[one.word] == 1 else f"{one.word} ({seen[one.word]})"
            table.writerow([name, one.text, one.kind, *(f"{p:.5f}" for p in row)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wordnet", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=FOLDER)
    given = parser.parse_args()
    fitted, scored = drawn(read_definitions(given.wordnet))
    said, kinds = probabilities(fitted, scored)
    given.out.mkdir(parents=True, exist_ok=True)
    write_table(scored, said, kinds, given.out / "table.csv")
    wrong = sum(kinds[int(row.argmax())] != one.kind for one, row in zip(scored, said))
    print(f"definitions: {wrong} of {len(scored)} wrong")


if __name__ == "__main__":
    main()
