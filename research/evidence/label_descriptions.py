"""Label descriptions and tags on texts with known answers.

    python -m research.evidence.label_descriptions --data DATA --vectors FOLDER [--out FILE]
    python -m research.evidence.label_descriptions --null RUN --runs 200

Reads SST-2's test sentences and AG News' test articles (neither ships), the descriptions and patterns of Gao et al.
2023 in their own layout, and embeds the texts once with MiniLM (FOLDER keeps the vectors). For each set: bare names,
one word in each of the fourteen published patterns, the centroid of the published descriptions, and the descriptions
drawn anew among the classes; then the same with the patterns that ship. Nothing is tuned. Then how well each tag of
`failure-causes` whose truth can be read off the words finds its articles: odd rows of AG News, since even rows chose
between the plain mean of a tag's texts and two differences. With --null: how often a tag passes where nothing fails.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from core.data.texts.columns import clean
from core.discovery.design import design_of
from core.encoders import load_encoder
from core.language.directions import centred
from core.records import F32, F64, I64, Bool, Embeddings, Estimate, SampleSet
from core.statistics.intervals import bootstrap, wilson
from core.statistics.ranking import auroc
from core.store import load
from core.systems.label_descriptions.tagging import tag_samples
from core.systems.label_descriptions.tags import read_tags, tag_directions, tag_patterns
from core.systems.probes import make_probe
from core.systems.probes.base import Task
from core.systems.probes.run import run_probe

DRAWS = 200
TRUTHS = {
    "negation": r"\b(not|never|no longer|without)\b|n't\b",
    "question": r"\?",
    "numbers": r"\d",
    "money": r"\$|\b(price|prices|dollars|euros?)\b",
    "quotation": r"[\"“]|&quot;",
    "future events": r"\bwill\b",
    "violence": r"\b(kill|killed|bomb|attack|war|shot|dead)",
    "dates and times": r"\b(Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday|January|October|August|2004)\b",
    "names of companies": r"\b(Inc|Corp|Ltd|Microsoft|Google|IBM|Oracle)\b",
    "contrast": r"\b(but|however|although)\b",
    "markup left over": r"&lt;|<|#\d+;",
    "web addresses": r"www\.|http|\.com",
    "abbreviations": r"\b[A-Z]{2,5}\b",
}
"""What tells that a tag is true of an article: rough, and fixed beforehand."""


@dataclass(frozen=True, slots=True)
class TextSet:
    """Labeled texts, and what the published files call their classes."""

    name: str
    folder: str
    """Of the published descriptions."""
    class_names: tuple[str, ...]
    """In the order of the file's numbers."""
    words: tuple[str, ...]
    """The published verbalizers."""
    shipped: str
    """The set of patterns that ships and fits."""


NEWS = ("World", "Sports", "Business", "Sci/Tech")
TOPICS = ("World", "Sports", "Business", "Tech")
SETS = (
    TextSet("sst2", "sst2", ("negative", "positive"), ("awful", "great"), "sentiment"),
    TextSet("ag_news", "agnews", NEWS, TOPICS, "topic"),
)


def read_set(data: Path, name: str) -> tuple[list[str], I64]:
    """The texts and their classes, from 0."""
    if name == "sst2":
        with gzip.open(data / "sst2" / "test.tsv.gz", "rt", encoding="utf-8") as file:
            rows = [line.rstrip("\n").rsplit("\t", 1) for line in file]
        return [clean(text) for text, _ in rows], np.array([int(label) for _, label in rows])
    with gzip.open(data / "ag_news" / "test.csv.gz", "rt", encoding="utf-8") as file:
        found = list(csv.reader(file))
    return [clean(f"{title}\n{text}") for _, title, text in found], np.array([int(row[0]) - 1 for row in found])


def vectors_of(texts: Sequence[str], path: Path) -> F32:
    """(n, 384) MiniLM's vectors, kept in a file."""
    if path.is_file():
        return np.load(path)["vectors"]
    encoder = load_encoder("minilm")
    parts = [encoder.encode_items(np.array(texts[at : at + 256], object))[0] for at in range(0, len(texts), 256)]
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, vectors=np.concatenate(parts))
    return np.concatenate(parts)


def classified(one: TextSet, labels: I64, vectors: F32, data: Path, patterns: str) -> dict[str, Any]:
    """What the probe makes of a set: accuracy of each way with its interval, and the centroid's gain over each."""
    encoder = load_encoder("minilm")
    folder = data / "labeldesc" / one.folder
    samples = SampleSet(
        tuple(f"{i:05d}" for i in range(len(labels))), labels=labels, class_names=one.class_names, modality="text"
    )
    settings = {
        "descriptions": str(folder / "manual_24.tsv"),
        "order": ", ".join(one.class_names),
        "words": "\n".join(f"{name}: {word}" for name, word in zip(one.class_names, one.words, strict=True)),
        "shuffles": DRAWS,
        **({"patterns": one.shipped} if patterns == "shipped" else {"patterns": "own"}),
        **({} if patterns == "shipped" else {"own_patterns": str(folder / "prompts.tsv")}),
    }
    task = Task(samples, Embeddings(vectors, "minilm", encoder.joint_space), encoder)
    found = run_probe("label-desc", make_probe("label-desc", settings), task)
    return {
        "set": one.name,
        "patterns": patterns,
        "n": len(labels),
        "centroid": found.accuracy.to_dict(),
        "controls": [
            {
                "name": c.name,
                "accuracy": c.accuracy.to_dict(),
                "gain of the centroid": c.gain.to_dict(),
                "p": c.p,
                "repeats": c.repeats,
                "spread": c.spread if c.each else None,
                "least": min((v for _, v in c.each), default=None),
                "greatest": max((v for _, v in c.each), default=None),
            }
            for c in found.controls
        ],
    }


def tags_told(texts: Sequence[str], labels: I64, vectors: F32) -> list[dict[str, Any]]:
    """AUROC of each checkable tag, centered by class, by its description and (mean) by its name in the patterns."""
    odd = np.arange(len(texts)) % 2 == 1
    tags = read_tags("failure-causes", "text")
    encoder = load_encoder("minilm")
    directions = tag_directions(tags, tag_patterns("text"), encoder)
    along = np.asarray(centred(vectors[odd], labels[odd]), np.float64)
    found: list[dict[str, Any]] = []
    for name, rule in TRUTHS.items():
        t = tags.names.index(name)
        truth = np.array([bool(re.search(rule, text)) for text, keep in zip(texts, odd) if keep])
        worded = [auroc(along @ own[t], truth) for own in directions.worded]
        row = {"tag": name, "n": int(truth.sum()), "described": _interval(along @ directions.described[t], truth)}
        found.append(row | {"wordings": [float(np.mean(worded)), min(worded), max(worded)]})
    return found


def _interval(scores: F64, truth: Bool) -> dict[str, float]:
    rng = np.random.default_rng(0)
    found: Estimate = bootstrap(lambda at: auroc(scores[at], truth[at]), len(truth), None, rng, repeats=300)
    return found.to_dict()


def null_claims(run: Path, names: str, runs: int, first: int) -> dict[str, Any]:
    """In how many of `runs` copies of a finished run, whose outcomes are shuffled within classes, any tag passes."""
    found = load(run)
    tags = read_tags(names, found.samples.modality)
    claims = 0
    design = design_of(found)
    for seed in range(first, first + runs):
        at = design.permuter(found.outcomes.fitted[:, None]).draw(1, np.random.default_rng(seed))[:, 0]
        shuffled = replace(found, outcomes=found.outcomes.keep(at))
        report = tag_samples(shuffled, tags, n_permutations=199, seed=seed, patterns=tag_patterns("image")[:1])
        claims += any(report.is_confirmed(tag) for tag in report.tags)
    return {"run": str(run), "tags": len(tags.names), "runs": runs, "claims": claims, **wilson(claims, runs).to_dict()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--vectors", type=Path)
    parser.add_argument("--null", type=Path, metavar="RUN", help="shuffle this run's outcomes, and tag it")
    parser.add_argument("--names", default="darkness, falling snow, fog, a small object far away, a desert, flowers")
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--first", type=int, default=7000)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    if given.null:
        print(json.dumps(null_claims(given.null, given.names, given.runs, given.first)))
        return
    if given.data is None or given.vectors is None:
        parser.error("give --data and --vectors, or --null")
    rows: list[dict[str, Any]] = []
    for one in SETS:
        texts, labels = read_set(given.data, one.name)
        vectors = vectors_of(texts, given.vectors / f"{one.name}_test.npz")
        rows += [classified(one, labels, vectors, given.data, patterns) for patterns in ("published", "shipped")]
        if one.name == "ag_news":
            rows.append({"tags": tags_told(texts, labels, vectors)})
    for row in rows:
        print(json.dumps(row))
    if given.out:
        given.out.write_text(json.dumps(rows, indent=1), "utf-8")


if __name__ == "__main__":
    main()
