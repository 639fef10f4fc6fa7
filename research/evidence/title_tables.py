"""The titles that clusters get on five real tables, each with the answers of a small model that was trained here.

    python -m research.evidence.title_tables DATA [--only scenes texts] [--cache FOLDER]
    python -m research.evidence.title_tables --examples

DATA holds flickr8k/, ag_news/, cifar10/, clothing/ and cue_conflict/. Every table has at most 1,000 rows, none of which
its model was trained on. What the model cannot know is decided before it is trained: dogs in snow or water (scenes),
dark and blurred photographs (edited). Nothing is planted in the losses. `--examples` lists the runs that ship.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from core.data.tables.roles import Roles
from core.diagnose import diagnose
from core.discovery.called import scope_rows
from core.discovery.settings import Settings
from core.encoders import load_encoder
from core.numbers import percent
from core.records import F32, F64, Diagnosis, FailureCluster
from core.reports.wording.findings import cluster_title
from core.store import load
from research.evidence.case_tables import clothing as clothing_case
from research.evidence.name_edits import blur, dark
from research.evidence.text_cases import AG_CLASSES, read_ag_news_rows

ROWS = 1000
TAUGHT = 3000
BATCH = 32
"""Rows of a table, photographs of Flickr8k that teach, and photographs encoded at once."""
EXAMPLES = Path(__file__).parents[2] / "assets/examples"
SAID = {
    "dog": r"\bdogs?\b|\bpupp",
    "child": r"\bchild|\bkids?\b|\bboys?\b|\bgirls?\b|\btoddler|\bbaby",
    "woman": r"\bwom[ae]n\b|\blad(?:y|ies)\b",
    "man": r"\bm[ae]n\b|\bguys?\b|\bplayers?\b",
}
"""A photograph's class is the one that most captions name; "other" where none is named by `AGREE`."""
UNSEEN = r"\bsnow|\bwater|\bpool\b|\blake|\briver|\bocean|\bswim"
AGREE = 2
FEW = {"World": 60, "Sports": 60, "Business": 30, "Sci/Tech": 60}
"""Texts that teach the classifier of news, by class."""


@dataclass(frozen=True)
class Brought:
    """What somebody would bring: a table, its images or vectors, and which column plays which part."""

    table: pd.DataFrame
    roles: Roles = Roles()
    images: Path | None = None
    embeddings: F32 | None = None
    copies: bool = True
    """False where equal vectors are different samples."""


def scenes(data: Path) -> Brought:
    """Photographs of Flickr8k by whom they show; the model saw no dog in snow or near water."""
    frame = pd.read_csv(data / "flickr8k/captions.csv").set_index("file")
    captions = frame[[f"caption_{i}" for i in range(5)]].apply(lambda column: column.str.lower())

    def agree(pattern: str) -> pd.Series[Any]:
        return captions.apply(lambda column: column.str.contains(pattern)).sum(axis=1)

    named = pd.DataFrame({name: agree(pattern) for name, pattern in SAID.items()})
    frame["label"] = named.idxmax(axis=1).where(named.max(axis=1) >= AGREE, "other")
    hidden = (frame["label"] == "dog") & (agree(UNSEEN) >= 1)
    taught = frame[(frame["split"] == "train") & ~hidden].iloc[:TAUGHT]
    shown = frame[frame["split"] != "train"].iloc[:ROWS]
    raw = {file: (data / "flickr8k/images" / file).read_bytes() for file in (*taught.index, *shown.index)}
    model = _fit(_vectors(raw[file] for file in taught.index), taught["label"])
    answers = _probabilities(model, _vectors(raw[file] for file in shown.index))
    return Brought(answers.assign(image=[raw[file] for file in shown.index], label=shown["label"].to_numpy()))


def texts(data: Path) -> Brought:
    """News of four kinds by a model that saw few texts, fewest of business, which it takes for technology."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    rows = read_ag_news_rows(data)
    taught = pd.concat([rows[rows["label"] == name].iloc[: FEW[name]] for name in AG_CLASSES])
    shown = rows.drop(taught.index).iloc[:ROWS].reset_index(drop=True)
    words = TfidfVectorizer(sublinear_tf=True)
    model = _fit(words.fit_transform(taught["text"]), taught["label"], strength=10.0)
    return Brought(_probabilities(model, words.transform(shown["text"])).join(shown))


def edited(data: Path) -> Brought:
    """Small photographs of ten kinds of things, a tenth of them darkened and a tenth blurred, which no column says; the
    model saw neither."""
    frame = pd.read_parquet(data / "cifar10/cifar10.parquet")
    order = np.random.default_rng(0).permutation(len(frame))
    rng = np.random.default_rng(1)
    taught = frame.iloc[order[ROWS:]]
    shown = frame.iloc[order[:ROWS]].reset_index(drop=True)

    def edit(row: int, raw: bytes) -> bytes:
        if row % 10 not in (0, 1):
            return raw
        kept = BytesIO()
        (dark, blur)[row % 10](Image.open(BytesIO(raw)).convert("RGB"), rng).save(kept, "PNG")
        return kept.getvalue()

    raw = [edit(row, image["bytes"]) for row, image in enumerate(shown["image"])]
    model = _fit(_vectors(image["bytes"] for image in taught["image"]), taught["class_name"])
    table = _probabilities(model, _vectors(raw)).assign(label=shown["class_name"])
    day = np.array(["Monday", "Tuesday", "Wednesday"])[rng.integers(3, size=len(shown))]
    return Brought(table.assign(image=raw, day=day))


def clothing(data: Path) -> Brought:
    """Clothes by a model of edges and colors, each scored by a fit on the others."""
    case = clothing_case(data)
    return Brought(case.table, case.roles, case.images)


def numbers(data: Path) -> Brought:
    """A regression without images: how many people name the shape, from how four networks do. The model saw none of
    the silhouettes and edges, and is asked for them too."""
    from sklearn.linear_model import Ridge

    frame = pd.read_csv(data / "cue_conflict/index.csv").sample(frac=1, random_state=0)
    networks = ["alexnet_caffe", "googlenet_caffe", "vgg16_caffe", "resnet50"]
    right = np.column_stack([frame[f"pred_{name}"] == frame["shape_class"] for name in networks])
    features = np.column_stack([right, pd.get_dummies(frame["shape_class"])]).astype(np.float64)
    taught = (frame["kind"] == "cue-conflict").to_numpy() & (np.arange(len(frame)) % 2 == 0)
    model: Any = Ridge(1.0).fit(features[taught], frame["human_acc"][taught])
    shown = np.flatnonzero(~taught)[:ROWS]
    table = frame[["kind", "shape_class", "human_acc"]].iloc[shown].reset_index(drop=True)
    table["networks_right"], table["guess"] = right[shown].sum(axis=1), model.predict(features[shown])
    roles = Roles(target="human_acc", prediction="guess", loss_kind="absolute error", conditions=("networks_right",))
    return Brought(table, roles, embeddings=features[shown].astype(np.float32), copies=False)


TABLES: dict[str, Callable[[Path], Brought]] = {
    "scenes": scenes,
    "texts": texts,
    "edited": edited,
    "clothing": clothing,
    "numbers": numbers,
}


def _vectors(pictures: Iterable[bytes]) -> F32:
    """(n, d) what the embedded encoder makes of encoded images: all that the models of photographs see."""
    encoder = load_encoder("embedded")
    parts = list[F32]()
    held = list[Any]()
    for raw in (*pictures, None):
        if raw is not None:
            held.append(encoder.preprocess(Image.open(BytesIO(raw)).convert("RGB")))
        if held and (raw is None or len(held) == BATCH):
            parts.append(encoder.encode_items(np.stack(held))[0])
            held = []
    return np.concatenate(parts)


def _fit(features: Any, labels: pd.Series[Any], strength: float = 1.0) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=strength, max_iter=2000).fit(features, labels)


def _probabilities(model: Any, features: Any) -> pd.DataFrame:
    return pd.DataFrame(model.predict_proba(features), columns=[f"prob_{name}" for name in model.classes_])


def lines(found: Diagnosis) -> list[str]:
    """One row of a table for each confirmed cluster and each candidate, as observed."""
    return [_line(found, cluster) for cluster in (*found.clusters, *found.candidates)]


def _line(found: Diagnosis, cluster: FailureCluster) -> str:
    inside = cluster.membership >= 0.5
    outside = scope_rows(found, cluster.scope) & ~inside
    errors = found.outcomes.errors

    def told(rows: Any) -> str:
        values: F64 = (found.outcomes.loss if errors is None else errors)[rows].astype(np.float64)
        return "-" if not len(values) else f"{values.mean():.2f}" if errors is None else percent(float(values.mean()))

    kind = "confirmed" if cluster.confirmed else "candidate"
    title = cluster_title(found, cluster).replace("|", "/")
    return f"| {title} | {kind} | {cluster.scope} | {cluster.size:,} | {told(inside)} | {told(outside)} |"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table of titles for each run."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("data", type=Path, nargs="?", help="folder of the data; left out with --examples")
    ask.add_argument("--only", nargs="+", choices=list(TABLES), default=list(TABLES))
    ask.add_argument("--examples", action="store_true", help="the runs that ship, and no table")
    ask.add_argument("--permutations", type=int, default=1000)
    ask.add_argument("--cache", type=Path, help="folder for the diagnosis' vectors")
    said = ask.parse_args(arguments)
    if said.examples:
        for folder in sorted(EXAMPLES.glob("*/run.errata")):
            _print(folder.parent.name, load(folder))
        return
    if said.data is None:
        ask.error("Give the folder of the data, or --examples.")
    for name in said.only:
        began = process_time()
        brought = TABLES[name](said.data)
        found = diagnose(
            brought.table,
            images=brought.images,
            embeddings=brought.embeddings,
            encoder="minilm" if name == "texts" else "embedded",
            roles=brought.roles,
            settings=Settings(map=False, sensitivity=False, n_permutations=said.permutations),
            cache=said.cache,
            group_copies=brought.copies,
        )
        _print(name, found)
        print(f"{name}: {process_time() - began:.0f} s of CPU", file=sys.stderr)


def _print(name: str, found: Diagnosis) -> None:
    errors = found.outcomes.errors
    n = len(found.samples)
    wrong = f"mean loss {found.outcomes.loss.mean():.2f}" if errors is None else f"{percent(errors.mean())} wrong"
    print(f"\n{name}: {n:,} rows, {wrong}\n", flush=True)
    print("| title | | scope | rows | inside | outside |\n|---|---|---|---|---|---|")
    print("\n".join(lines(found)) or "| none | | | | | |", flush=True)


if __name__ == "__main__":
    main()
