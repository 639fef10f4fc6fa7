#!/usr/bin/env python
"""Measure how well the embedded encoder of texts knows each phrase, and write the table that ships.

    python -m research.weights.embedded.measure_text_competence DATA [--cache FOLDER]

DATA holds ag_news/, sst2/, svamp/, multi30k/ and cose_cqa/. MiniLM was fitted on none of their labels. Of AG News,
SST-2 and Multi30k the first halves are measured on; the rest is left to the reports. Make the table again whenever the
encoder or its phrases change: it is good for one fingerprint only.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from core.checks.text_competence import measure_text_competence
from core.cli.terminal import TerminalProgress
from core.data.texts.columns import TextItems, clean
from core.encoders import load_encoder
from core.language.competence import SHIPPED, write_competence
from core.language.vocabulary import read_vocabulary
from core.records import F64
from core.reports.wording.competence import competence_lines

EACH = 400
"""Texts of each class or source."""
TRUE_OF: Mapping[str, tuple[str, ...]] = {
    "about sport": ("ag 2",),
    "about business and companies": ("ag 3",),
    "about films and actors": ("sst 0", "sst 1"),
    "about arithmetic and counting": ("svamp",),
    "describing a picture": ("multi30k",),
    "positive in tone": ("sst 1",),
    "negative in tone": ("sst 0",),
}
"""By which sources' texts a phrase is true. Where one may be true of others' texts too, `_UNKNOWN` says so."""
_UNKNOWN: Mapping[str, tuple[str, ...]] = {"about business and companies": ("ag 4",)}


def read_sources(data: Path, *, second: bool = False) -> list[tuple[str, str]]:
    """(source, text) of at most `EACH` texts of each.

    Args:
        second: of the halves that the table was not measured on.
    """
    found: dict[str, list[str]] = {}
    rows = list(csv.reader(io.StringIO(gzip.decompress((data / "ag_news/test.csv.gz").read_bytes()).decode())))
    for label, title, body in _half(rows, second):
        found.setdefault(f"ag {label}", []).append(f"{title}\n{body}")
    reviews = gzip.decompress((data / "sst2/train.tsv.gz").read_bytes()).decode().splitlines()
    for line in _half(reviews, second):
        text, _, label = line.rpartition("\t")
        if label in ("0", "1"):
            found.setdefault(f"sst {label}", []).append(text)
    captions = gzip.decompress((data / "multi30k/task1_train.en.gz").read_bytes()).decode().splitlines()
    found["multi30k"] = _half(captions, second)
    if not second:
        for item in json.loads((data / "svamp/SVAMP.json").read_text("utf-8")):
            found.setdefault("svamp", []).append(f"{item['Body']} {item['Question']}")
        questions = gzip.decompress((data / "cose_cqa/v1.0_dev_rand_split.jsonl.gz").read_bytes()).decode().splitlines()
        found["cose"] = [json.loads(line)["question"]["stem"] for line in questions]
    rng = np.random.default_rng(0)
    return [
        (source, clean(texts[i]))
        for source, texts in sorted(found.items())
        for i in np.sort(rng.permutation(len(texts))[:EACH]).tolist()
    ]


def _half(lines: list[Any], second: bool) -> list[Any]:
    return lines[len(lines) // 2 :] if second else lines[: len(lines) // 2]


def marks_of(sources: list[str]) -> dict[str, F64]:
    """What is known of the texts by where they come from."""
    of = np.array(sources)
    marks: dict[str, F64] = {}
    for phrase, true in TRUE_OF.items():
        marks[phrase] = np.isin(of, true).astype(np.float64)
        marks[phrase][np.isin(of, _UNKNOWN.get(phrase, ()))] = np.nan
    return marks


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--cache", type=Path)
    given = parser.parse_args()
    sources, texts = zip(*read_sources(given.data), strict=True)
    items = TextItems(tuple(map(str, range(len(texts)))), texts)
    with TerminalProgress() as progress:
        table = measure_text_competence(
            load_encoder("minilm"), items, marks_of(list(sources)), cache=given.cache, progress=progress
        )
    write_competence(table, SHIPPED / "minilm.json")
    print("\n".join(competence_lines(table, read_vocabulary(None, "text"))))


if __name__ == "__main__":
    main()
