"""How often right tables of real data are refused, and what is noted of them.

    python -m research.evidence.right_tables DATA

Beside the tables of `research.evidence.desk`: a logistic regression on words of e-SNLI, SugarCrepe, COLA, SVAMP,
CommonsenseQA and captions of MetaShift (ladder_captions/), one on the embedded encoder's vectors of clothing/ and
flickr8k/, and people's answers on CIFAR-10. Each is read whole and by 300 rows, with and without scores, and with each
of `losses_of`.
"""

from __future__ import annotations

import argparse
import gzip
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image
from sklearn.linear_model import LogisticRegression

from core.data.samples import Roles, read_data_set
from core.encoders import load_encoder
from core.errors import InvalidInput
from core.records import F32, F64, I64
from research.evidence.desk import ROWS, Table, losses_of, read, tables
from research.evidence.text_cases import with_scores
from tests.mistakes.good import ORDINARY

PICTURES = (("clothing", "index.csv", 500), ("flickr8k", "captions.csv", 600))
"""Folder, table, and how many of its images are fitted."""


def of_words(data: Path) -> Iterator[tuple[str, pd.DataFrame]]:
    """Texts with their classes, in any order."""

    def lines(path: str) -> list[str]:
        return gzip.decompress((data / path).read_bytes()).decode().splitlines()

    def frame(rows: list[tuple[str, Any]]) -> pd.DataFrame:
        return pd.DataFrame(rows, columns=["text", "label"]).sample(frac=1, random_state=0)

    first, second, said = (lines(f"esnli/{name}.dev.gz") for name in ("s1", "s2", "labels"))
    yield "esnli", frame([(f"{a} # {b}", label) for a, b, label in zip(first, second, said)])
    foils = [json.loads(path.read_text("utf-8")) for path in sorted((data / "sugarcrepe").glob("*.json"))]
    pairs = [(one["caption"], one["negative_caption"]) for file in foils for one in file.values()]
    yield "sugarcrepe", frame([(text, label) for pair in pairs for text, label in zip(pair, ("right", "wrong"))])
    cola = json.loads((data / "cola/COLA_multiobjects_matching_benchmark.json").read_text("utf-8"))
    yield "cola", frame([(row[at], label) for row in cola for at, label in ((1, "first"), (3, "second"))])
    svamp = json.loads((data / "svamp/SVAMP.json").read_text("utf-8"))
    yield "svamp", frame([(f"{one['Body']} {one['Question']}", one["Type"]) for one in svamp])
    asked = [json.loads(line) for line in lines("cose_cqa/v1.0_train_rand_split.jsonl.gz")]
    yield "commonsense qa", frame([(one["question"]["stem"], one["answerKey"]) for one in asked])
    shifted = pd.read_csv(data / "ladder_captions/va_metadata_metashift_captioning_blip.csv")
    yield "metashift", frame(list(zip(shifted["blip_caption"].astype(str), shifted["y"].map("class {}".format))))


def right_tables(data: Path) -> Iterator[Table]:
    """All of them."""
    yield from tables(data)
    for name, frame in of_words(data):
        half = min(len(frame) // 2, 8000)
        yield read(name, with_scores(frame[:half], frame[half:]))
    for name, table, fitted in PICTURES:
        frame = pd.read_csv(data / name / table).sample(frac=1, random_state=0)[:1000]
        said = frame.get("class_name")
        if said is None:
            said = frame["caption_1"].str.extract(r"\b(dog|girl|boy|man|woman|people)\b")[0].fillna("other")
        vectors = _vectors([data / name / ("images" if name == "flickr8k" else "") / file for file in frame["file"]])
        model = LogisticRegression(C=30, max_iter=500).fit(vectors[:fitted], said[:fitted])
        scores = model.predict_proba(vectors[fitted:])
        labels = np.searchsorted(model.classes_, said[fitted:].to_numpy(str))
        yield name, labels.astype(np.int64), scores.argmax(1), scores
    cifar = pd.read_parquet(data / "cifar10/cifar10.parquet")
    votes = np.stack(cifar["human_counts"].tolist()).astype(np.float64)
    scores = votes / votes.sum(1, keepdims=True)
    yield "cifar10 people", cifar["label"].to_numpy(np.int64), scores.argmax(1), scores


def _vectors(files: list[Path]) -> F32:
    encoder = load_encoder("embedded")
    stacks = [
        np.stack([encoder.preprocess(Image.open(f).convert("RGB")) for f in files[i : i + 64]])
        for i in range(0, len(files), 64)
    ]
    return np.concatenate([encoder.encode_items(stack)[0] for stack in stacks])


def readings(labels: I64, guesses: I64, scores: F64 | None) -> Iterator[tuple[str, pd.DataFrame]]:
    """The same rows as people write them."""
    k = int(max(labels.max(), guesses.max())) + 1 if scores is None else scores.shape[1]
    names = np.array([f"c{i}" for i in range(k)], dtype=object)
    plain = pd.DataFrame({"label": names[labels], "prediction": names[guesses]})
    yield "predictions", plain
    if scores is None:
        return
    columns = {f"prob_{name}": scores[:, i] for i, name in enumerate(names)}
    yield "scores", plain[["label"]].assign(**columns)
    yield "scores of two digits", plain[["label"]].assign(**{name: one.round(2) for name, one in columns.items()})
    for kind, loss in losses_of(scores, labels).items():
        yield kind, plain.assign(loss=loss)
        yield f"{kind}, with scores", plain[["label"]].assign(loss=loss, **columns)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data", type=Path)
    began = process_time()
    rng = np.random.default_rng(0)
    counts = Counter[str]()
    names = list[str]()
    for name, labels, guesses, scores in right_tables(parser.parse_args().data):
        names.append(name)
        for n in (ROWS, len(labels)):
            rows = rng.permutation(len(labels))[:n]
            for form, frame in readings(labels[rows], guesses[rows], None if scores is None else scores[rows]):
                counts["readings"] += 1
                try:
                    said = [note for note in read_data_set(frame, roles=Roles()).notes if not ORDINARY.match(note)]
                except InvalidInput as refused:
                    said = [f"REFUSED: {refused}"]
                counts["refused"] += any(note.startswith("REFUSED") for note in said)
                counts["noted"] += bool(said) and not said[0].startswith("REFUSED")
                for note in said:
                    print(f"{name}, {len(rows)} rows, {form}: {note[:200]}")
    print(f"{len(names)} tables, {dict(counts)}, {process_time() - began:.0f} CPU seconds")


if __name__ == "__main__":
    main()
