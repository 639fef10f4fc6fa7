"""Real text classifiers diagnosed end to end: what is found on half of the test rows, and whether it comes back.

    python -m research.evidence.text_cases DATA [--splits 5] [--encoder minilm] --out FILE

DATA holds ag_news/ and sst2/. AG News: a logistic regression on words (tf-idf) is fitted on half of the test file (the
train file is not at hand) and scores the other half. SST-2: it is fitted on the train file and scores dev and test. A
third of the scored rows is held back, in another way for each split. One JSON line a split.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import json
from pathlib import Path
from time import process_time

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from core.diagnose import diagnose
from core.discovery.settings import Settings
from core.records import Diagnosis
from core.reports.wording.findings import cluster_title

AG_CLASSES = ("World", "Sports", "Business", "Sci/Tech")


def read_ag_news_rows(data: Path) -> pd.DataFrame:
    """The texts and their classes, in an order that no class and no day leads."""
    raw = gzip.decompress((data / "ag_news/test.csv.gz").read_bytes()).decode()
    rows = list(csv.reader(io.StringIO(raw)))
    frame = pd.DataFrame(
        {"text": [f"{title}\n{body}" for _, title, body in rows], "label": [AG_CLASSES[int(k) - 1] for k, _, _ in rows]}
    )
    return frame.iloc[np.random.default_rng(0).permutation(len(frame))]


def read_ag_news(data: Path) -> pd.DataFrame:
    rows = read_ag_news_rows(data)
    return with_scores(rows.iloc[: len(rows) // 2], rows.iloc[len(rows) // 2 :])


def read_sst2(data: Path) -> pd.DataFrame:
    def part(name: str) -> pd.DataFrame:
        lines = gzip.decompress((data / f"sst2/{name}.tsv.gz").read_bytes()).decode().splitlines()
        cells = [line.rpartition("\t") for line in lines]
        kept = [(text, ("negative", "positive")[int(label)]) for text, _, label in cells if label in ("0", "1")]
        return pd.DataFrame(kept, columns=["text", "label"])

    return with_scores(part("train"), pd.concat([part("dev"), part("test")]))


def with_scores(fitted: pd.DataFrame, scored: pd.DataFrame) -> pd.DataFrame:
    """The scored rows with the classifier's probabilities."""
    words = TfidfVectorizer(min_df=2, ngram_range=(1, 2), sublinear_tf=True)
    model = LogisticRegression(C=10, max_iter=1000).fit(words.fit_transform(fitted["text"]), fitted["label"])
    said = model.predict_proba(words.transform(scored["text"]))
    out = scored.reset_index(drop=True)
    for k, name in enumerate(model.classes_):
        out[f"prob_{name}"] = said[:, k]
    return out


def told(found: Diagnosis) -> list[dict[str, object]]:
    """What each frozen finding said of the held-back rows, and what they show."""
    assert found.prediction is not None
    return [
        {
            "kind": row.kind, "text": row.text, "scope": row.scope, "n": row.n, "p": row.p,
            "predicted": row.predicted.value, "observed": None if row.observed is None else row.observed.value,
            "rest": row.rest, "as_predicted": row.as_predicted,
        }
        for row in found.prediction.rows
        if row.kind in ("cluster", "phrase", "condition")
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--splits", type=int, default=5)
    parser.add_argument("--encoder", default="minilm")
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    for name, read in (("sst2", read_sst2), ("ag_news", read_ag_news)):
        table = read(given.data)
        for split in range(given.splits):
            began = process_time()
            found = diagnose(
                table,
                encoder=given.encoder,
                hold_back=1 / 3,
                settings=Settings(seed=split, map=False, n_permutations=1000),
                cache=given.cache,
            )
            errors = found.outcomes.errors
            line = {
                "set": name, "split": split, "n": len(found.samples), "held_back": len(table) - len(found.samples),
                "error_rate": None if errors is None else float(errors.mean()),
                "clusters": [[cluster_title(found, c), c.size, c.p] for c in found.clusters],
                "told": told(found), "cpu_s": round(process_time() - began, 1),
            }  # fmt: skip
            with given.out.open("a") as file:
                file.write(json.dumps(line) + "\n")
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
