"""The tables of the real cases: what a user would bring for each, from data that lies beside the repository."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import pandas as pd
from PIL import Image

from core.data.tables.roles import Roles
from core.records import F64, I64, Bool

FOLDS = 5


@dataclass(frozen=True)
class Case:
    """One question put to Errata."""

    title: str
    question: str
    table: pd.DataFrame
    images: Path | None
    roles: Roles


def cifar10(data: Path) -> Case:
    """CIFAR-10 test images; probabilities of a network fine-tuned by cross-validation. `human_entropy` stays as a
    condition, `mturk_*` goes."""
    frame = pd.read_parquet(data / "cifar10" / "cifar10.parquet")
    kept = frame[["id", "image", "label", "class_name", "cl_probs", "human_entropy"]]
    return Case(
        "CIFAR-10, a network fine-tuned by cross-validation",
        "Where is its cross-entropy high? Conditions: how much people disagree (`human_entropy`) "
        "and measured properties.",
        kept,
        None,
        Roles(label="label", probabilities=("cl_probs",)),
    )


def cifar10_edges(data: Path) -> Case:
    """CIFAR-10 test images as a small classifier sees them."""
    from io import BytesIO

    frame = pd.read_parquet(data / "cifar10" / "cifar10.parquet")
    features = np.stack([edges_and_colours(_small(BytesIO(image["bytes"]))) for image in frame["image"]])
    labels = frame["label"].to_numpy(np.int64)
    return Case(
        "CIFAR-10, a small classifier on edges and colours",
        "The clothing's classifier on small photographs of ten kinds of things.",
        frame[["id", "image", "label", "class_name", "human_entropy"]].assign(
            probabilities=list(held_out_probabilities(features, labels, np.ones(len(frame), dtype=bool)))
        ),
        None,
        Roles(label="label", probabilities=("probabilities",)),
    )


def _conflict(data: Path, *, keep_equal: bool = False) -> pd.DataFrame:
    frame = pd.read_csv(data / "cue_conflict" / "index.csv")
    wanted = (frame["kind"] == "cue-conflict") & (keep_equal | (frame["shape_class"] != frame["texture_class"]))
    frame = frame[wanted].drop(columns=["kind", "cue_conflict", "width", "height"])
    # "cue-conflict_airplane_airplane1-bicycle2.jpg": the source of the shape is airplane1
    frame["shape_source"] = frame["file"].str.extract(r"_([a-z]+\d+)-", expand=False)
    assert frame["shape_source"].notna().all(), "A file name does not name its shape source."
    return frame.reset_index(drop=True)


def conflict_resnet50(data: Path) -> Case:
    return Case(
        "Cue conflict, ResNet-50",
        "Loss: 1 where ResNet-50's decision is not the class of the shape. "
        "Groups: the source of the shape, so none is on both sides of a fold.",
        _conflict(data),
        data / "cue_conflict",
        Roles(image="file", label="shape_class", prediction="pred_resnet50", group="shape_source"),
    )


def conflict_four(data: Path) -> Case:
    return Case(
        "Cue conflict, mean error of four networks",
        "Loss: share of four networks that are wrong about the shape (five levels). "
        "The networks' decisions are listed as outcomes, not conditions.",
        _conflict(data),
        data / "cue_conflict",
        Roles(image="file", label="shape_class", loss="err_rate_4cnn", group="shape_source"),
    )


def conflict_four_with_equal(data: Path) -> Case:
    return Case(
        "Cue conflict with the pictures whose texture fits, mean error of four networks",
        "As before, with the 80 pictures whose texture is of the shape's own class: does Errata see "
        "that these are easy?",
        _conflict(data, keep_equal=True),
        data / "cue_conflict",
        Roles(image="file", label="shape_class", loss="err_rate_4cnn", group="shape_source"),
    )


def clothing(data: Path) -> Case:
    return Case(
        "Clothing, a small classifier on edges and colours",
        "A logistic regression on histograms of edges and colours; "
        f"every picture scored by a fit on the other {FOLDS - 1} of {FOLDS} folds.",
        _clothing(data, bright_only=False),
        data / "clothing",
        Roles(image="file", label="label", probabilities=("probabilities",)),
    )


def clothing_bright(data: Path) -> Case:
    return Case(
        "Clothing, the same classifier trained on bright pictures only",
        "As before, but each fit sees only the brighter half of each class. "
        "Is that seen in the losses, and if so by Errata?",
        _clothing(data, bright_only=True),
        data / "clothing",
        Roles(image="file", label="label", probabilities=("probabilities",)),
    )


def imagenet(data: Path) -> Case:
    """One image a class, so nothing can be compared within a class; the tower that diagnoses made the losses as
    well."""
    frame = pd.read_csv(data / "imagenet_sample" / "index.csv")
    probabilities = lite0_probabilities([data / "imagenet_sample" / name for name in frame["file"]])
    table = frame[["file", "class_index", "class_name", "orig_width", "orig_height"]].assign(
        probabilities=list(probabilities)
    )
    return Case(
        "ImageNet sample, EfficientNet-Lite0's own losses",
        "Cross-entropy of EfficientNet-Lite0, which is also the tower that diagnoses. "
        "One image a class: nothing is compared within class.",
        table,
        data / "imagenet_sample",
        Roles(image="file", label="class_index", probabilities=("probabilities",)),
    )


def _clothing(data: Path, *, bright_only: bool) -> pd.DataFrame:
    frame = pd.read_csv(data / "clothing" / "index.csv")
    small = np.stack([_small(data / "clothing" / name) for name in frame["file"]])
    labels = frame["label"].to_numpy(np.int64)
    usable = _brighter_half(small.mean(axis=(1, 2, 3)), labels) if bright_only else np.ones(len(frame), dtype=bool)
    features = np.stack([edges_and_colours(picture) for picture in small])
    return frame[["file", "label", "class_name"]].assign(
        probabilities=list(held_out_probabilities(features, labels, usable))
    )


def _small(file: Path | BinaryIO) -> F64:
    """(64, 64, 3) in [0, 1]."""
    with Image.open(file) as image:
        return np.asarray(image.convert("RGB").resize((64, 64), Image.Resampling.BOX), np.float64) / 255


def _brighter_half(brightness: F64, labels: I64) -> Bool:
    medians = np.array([np.median(brightness[labels == c]) for c in range(int(labels.max()) + 1)])
    return brightness >= medians[labels]


def edges_and_colours(picture: F64) -> F64:
    """Nine gradient orientations in each of 8 x 8 cells, then 4 x 4 x 4 colors in each quarter; square roots of
    shares.

    Source of the edges: Dalal & Triggs 2005, without block normalization. Nothing here comes from the tower that
    diagnoses.
    """
    grey = picture.mean(axis=2)
    down, right = np.gradient(grey)
    strength = np.hypot(down, right)
    angle = (np.floor((np.arctan2(down, right) % np.pi) / np.pi * 9)).astype(int) % 9
    rows, columns = np.indices(grey.shape) // 8
    edges = np.bincount(((rows * 8 + columns) * 9 + angle).ravel(), strength.ravel(), 64 * 9).reshape(64, 9)
    quarter = (np.indices(grey.shape)[0] // 32) * 2 + np.indices(grey.shape)[1] // 32
    colour = np.minimum((picture * 4).astype(int), 3) @ np.array([16, 4, 1])
    colours = np.bincount((quarter * 64 + colour).ravel(), minlength=256).reshape(4, 64)
    shares = [part / np.maximum(part.sum(axis=1, keepdims=True), 1e-9) for part in (edges, colours)]
    return np.sqrt(np.concatenate([part.ravel() for part in shares]))


def held_out_probabilities(features: F64, labels: I64, usable: Bool, *, seed: int = 0) -> F64:
    """(n, k) each row from a fit on the other folds' `usable` rows."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    out = np.full((len(labels), int(labels.max()) + 1), np.nan)
    for train, test in StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(features, labels):
        seen = train[usable[train]]
        model: Any = make_pipeline(StandardScaler(), LogisticRegression(C=0.001, max_iter=500))
        out[test] = model.fit(features[seen], labels[seen]).predict_proba(features[test])
    assert np.isfinite(out).all()
    return out


def lite0_probabilities(paths: list[Path]) -> npt.NDArray[Any]:
    """(n, 1000) softmax of EfficientNet-Lite0's classifier, with the embedded encoder's own preprocessing."""
    from core.encoders.embedded.checkpoint import read_state_dict
    from core.encoders.embedded.encoder import EmbeddedEncoder
    from core.encoders.embedded.weights import efficientnet_weights

    weights = read_state_dict(efficientnet_weights())
    encoder = EmbeddedEncoder(threads=1)
    features = np.concatenate([encoder.features(encoder.preprocess(Image.open(path))[None]) for path in paths])
    logits = features.astype(np.float64) @ weights["_fc.weight"].T.astype(np.float64) + weights["_fc.bias"]
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


CASES: dict[str, Callable[[Path], Case]] = {
    "cifar10": cifar10,
    "cifar10-edges": cifar10_edges,
    "conflict-resnet50": conflict_resnet50,
    "conflict-four": conflict_four,
    "conflict-four-with-equal": conflict_four_with_equal,
    "clothing": clothing,
    "clothing-bright": clothing_bright,
    "imagenet": imagenet,
}
