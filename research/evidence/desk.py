"""How far honest tables stay from the thresholds of the sanity desk, and how far mistakes go past them.

    python -m research.evidence.desk DATA

DATA holds ag_news/, sst2/, flickr8k/, cifar10/, imagenet_x/ and cue_conflict/; the examples that ship come with it.
Losses: the least chance that a wrong row has a larger one than a right row of its label, of all and of those from 0 to
log k ("bounded"), beside that against the predicted class; the least share of their variance that follows from scores,
beside dropout's. Classes: kappa of the best renaming, judged by rows that it was not chosen on, of the table, of its
errors, and renumbered; "sure" where it is beyond chance and rows as written are not.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from time import process_time

import numpy as np
import pandas as pd

from core.data.desk.classes import is_renamed, renamed
from core.data.desk.scales import explained
from core.data.samples import Roles, read_data_set
from core.data.tables.metadata import names_prediction
from core.records import F64, I64, Bool, Column
from core.statistics.losses import brier, cross_entropy, margin
from research.evidence.text_cases import read_ag_news, read_sst2, with_scores

EXAMPLES = Path(__file__).parents[2] / "assets/examples"
ROWS = 300
Table = tuple[str, I64, I64, F64 | None]
"""Name, labels, predictions, probabilities if they are known."""


def tables(data: Path) -> Iterator[Table]:
    """Real tables whose models somebody else made, or a plain classifier of words."""
    for name in ("scenes", "clothing", "clips", "definitions", "nothing_to_find"):
        yield read(name, pd.read_csv(EXAMPLES / name / "table.csv"))
    yield read("ag_news", read_ag_news(data))
    yield read("sst2", read_sst2(data))
    captions = pd.read_csv(data / "flickr8k/captions.csv").sample(frac=1, random_state=0)
    captions["label"] = captions["caption_1"].str.extract(r"\b(dog|girl|boy|man|woman|people)\b")[0].fillna("other")
    captions = captions[["caption_0", "label"]].rename(columns={"caption_0": "text"})
    yield read("flickr8k", with_scores(captions[:4000], captions[4000:]))
    cifar = pd.read_parquet(data / "cifar10/cifar10.parquet")
    scores = np.stack(cifar["cl_probs"].tolist()).astype(np.float64)
    yield "cifar10", cifar["label"].to_numpy(np.int64), scores.argmax(1), scores
    images = pd.read_parquet(data / "imagenet_x/imagenet_x_val.parquet")
    for model in ("ResNet50", "SimCLR"):
        yield (
            f"imagenet_x {model}",
            images["class"].to_numpy(np.int64),
            images[f"{model}_pred"].to_numpy(np.int64),
            None,
        )
    cues = pd.read_csv(data / "cue_conflict/index.csv")
    for model in [name for name in cues if name.startswith("pred_")]:
        for kind, part in cues.dropna(subset=[model]).groupby("kind"):
            _, codes = np.unique(part[["shape_class", model]].to_numpy(str), return_inverse=True)
            both = codes.reshape(-1, 2).astype(np.int64)
            texture = Column("texture", "category", part["texture_class"].to_numpy(object))
            print(f"textures of {kind} tell {model} in {names_prediction(texture, both[:, 1], both[:, 0]):.2f}")
            yield f"{kind} {model}", both[:, 0], both[:, 1], None


def read(name: str, frame: pd.DataFrame) -> Table:
    found = read_data_set(frame.drop(columns=["file", "text"], errors="ignore"), roles=Roles())
    labels = found.samples.labels
    guesses = found.outcomes.predictions
    scores = found.outcomes.scores
    assert labels is not None
    assert guesses is not None
    return name, labels, guesses, scores


def losses_of(scores: F64, labels: I64) -> dict[str, F64]:
    """(n,) losses that people write beside their predictions."""
    truth = scores[np.arange(len(labels)), labels].clip(1e-12)
    weight = 1 / np.bincount(labels, minlength=scores.shape[1])[labels]
    smooth = -np.log(scores.clip(1e-12)).mean(1)
    heated = {f"temperature {t:g}": scores.clip(1e-12) ** (1 / t) for t in (0.5, 3.0, 10.0)}
    return {
        "cross-entropy": cross_entropy(scores, labels),
        "focal": -((1 - truth) ** 2) * np.log(truth),
        "smoothed by 0.1": -0.9 * np.log(truth) + 0.1 * smooth,
        "smoothed by 0.3": -0.7 * np.log(truth) + 0.3 * smooth,
        "weighted by class": -np.log(truth) * weight,
        "1 - p": 1 - truth,
        "brier": brier(scores, labels),
        "margin": margin(scores, labels),
        **{name: cross_entropy(hot / hot.sum(1, keepdims=True), labels) for name, hot in heated.items()},
    }


def larger(loss: F64, wrong: Bool, labels: I64) -> float:
    """Chance that a wrong row has a larger loss than a right one of its label."""
    ranks = pd.Series(loss).groupby(labels).rank()
    n = np.bincount(labels)
    n1 = np.bincount(labels, wrong)
    return float((np.bincount(labels, ranks * wrong) - n1 * (n1 + 1) / 2).sum() / (n1 * (n - n1)).sum())


def kappa_of(labels: I64, guesses: I64) -> str:
    moved, own, other, _ = renamed(labels, guesses)
    return f"{other.kappa:5.2f}{' sure' if is_renamed(own, other) else '     '}" if moved else " none     "


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data", type=Path)
    began = process_time()
    rng = np.random.default_rng(0)
    for name, labels, guesses, scores in tables(parser.parse_args().data):
        wrong = labels != guesses
        k = int(max(labels.max(), guesses.max())) + 1
        least = ""
        if scores is not None:
            made = losses_of(scores, labels)
            found = {kind: larger(loss, wrong, labels) for kind, loss in made.items()}
            worst = min(found, key=lambda kind: found[kind])
            own = made["cross-entropy"]
            most = np.log(scores.shape[1])
            low = min(found[kind] for kind, loss in made.items() if loss.min() >= 0 and loss.max() <= most)
            predicted = larger(-np.log(scores.max(1)), wrong, labels)
            dropout = explained(own * np.exp(rng.normal(0, 0.5, len(own))), own, scores, labels)
            follows = min(explained(made[kind], own, scores, labels) for kind in made if kind != "weighted by class")
            least = f"least {found[worst]:.2f} ({worst}), bounded {low:.3f}, predicted {predicted:.3f}, follows "
            least += f"{follows:.3f}, dropout {dropout:.3f}"
        order = rng.permutation(k)
        some = rng.permutation(len(labels))[:ROWS]
        print(
            f"{name:42} n {len(labels):6,} right {1 - wrong.mean():.2f}  as it is {kappa_of(labels, guesses)}"
            f"  errors {kappa_of(labels[wrong], guesses[wrong])}  renumbered "
            f"{kappa_of(order[labels], guesses)}  of {ROWS} {kappa_of(order[labels[some]], guesses[some])}  {least}"
        )
    print(f"{process_time() - began:.0f} CPU seconds")


if __name__ == "__main__":
    main()
