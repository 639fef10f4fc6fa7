#!/usr/bin/env python
"""Fit the embedded encoder's joint space and write assets/encoder/alignment.safetensors; or measure the one that is
there.

    python -m research.weights.embedded.fit_alignment fit FOLDER [FOLDER ...]
    python -m research.weights.embedded.fit_alignment measure DATA FOLDER [...]

The folders of images set two scale numbers; DATA holds imagenet_sample/ and cifar10/. `measure` fits again with a fifth
of the classes held out, five times, besides scoring the file that ships.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Iterable
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
from PIL import Image

from core.encoders.arithmetic import unit_rows
from core.encoders.embedded.alignment import FILE, PREFIX, Alignment
from core.encoders.embedded.checkpoint import read_state_dict
from core.encoders.embedded.encoder import EmbeddedEncoder
from core.encoders.embedded.pixel_cues import measure_cues
from core.encoders.embedded.weights import efficientnet_weights
from core.records import F32, I64
from research.weights.embedded.alignment import N_CLASSES, TEMPLATES, ensemble, expected_features, fit, read_class_texts

PER_FOLDER = 1000
"""Images drawn of each folder, with seed 0."""
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}
DERIVED = {"classifier", "classifier_bias", "conditions"}
"""Parts of the alignment that the network's own checkpoint holds, so that they need not ship; and the words, which
`fit_words.py` adds."""


def draw_images(folders: list[Path]) -> list[Path]:
    """Up to PER_FOLDER images of each folder."""
    rng = np.random.default_rng(0)
    drawn: list[Path] = []
    for folder in folders:
        paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES)
        drawn += [paths[i] for i in sorted(rng.choice(len(paths), min(len(paths), PER_FOLDER), replace=False))]
    return drawn


def open_on_white(source: Path | io.BytesIO) -> Image.Image:
    """The image as RGB, transparent parts white."""
    image = Image.open(source).convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")


def features_of(encoder: EmbeddedEncoder, sources: Iterable[Path | io.BytesIO]) -> F32:
    """(n, 1280) pooled features."""
    return features_and_cues(encoder, sources)[0]


def features_and_cues(encoder: EmbeddedEncoder, sources: Iterable[Path | io.BytesIO]) -> tuple[F32, F32]:
    """(n, 1280) pooled features and (n, q) cues."""
    inputs = (encoder.preprocess(open_on_white(s))[None] for s in sources)
    pairs = [(encoder.features(batch), measure_cues(batch)) for batch in inputs]
    return np.concatenate([features for features, _ in pairs]), np.concatenate([cues for _, cues in pairs])


def write(alignment: Alignment, file: Path) -> None:
    """Save what the checkpoint does not hold; words that the file has stay in it."""
    from safetensors.numpy import load_file

    words = {name: array for name, array in load_file(file).items() if name.startswith(PREFIX)} if file.exists() else {}
    write_parts({f.name: getattr(alignment, f.name) for f in fields(alignment) if f.name not in DERIVED} | words, file)


def write_parts(parts: dict[str, F32], file: Path) -> None:
    """Save the maps in half precision, the means in single."""
    from safetensors.numpy import save_file

    halves = {
        name: np.ascontiguousarray(array, np.float16 if array.ndim == 2 else np.float32)
        for name, array in parts.items()
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    save_file(halves, file)


def main_fit(folders: list[Path]) -> None:
    """Fit on all classes and write the file."""
    weights = read_state_dict(efficientnet_weights())
    encoder = EmbeddedEncoder(alignment_file=None)
    features = features_of(encoder, draw_images(folders))
    texts = read_class_texts()
    everything = np.arange(N_CLASSES)
    write(
        fit(texts, everything, weights["_fc.weight"], weights["_fc.bias"], expected_features(weights), features), FILE
    )
    print(f"{FILE.name}: {FILE.stat().st_size / 1e6:.1f} MB, scales from {len(features):,} images")


def main_measure(data: Path, folders: list[Path]) -> None:
    """Zero-shot accuracy in per cent: of the shipped file, and of five fits that each never saw 200 of the classes."""
    import pandas as pd

    from core.encoders.embedded.minilm import embed_sentences

    encoder = EmbeddedEncoder()
    weights = read_state_dict(efficientnet_weights())
    texts = read_class_texts()
    index = pd.read_csv(data / "imagenet_sample" / "index.csv")
    x, cues = features_and_cues(encoder, [data / "imagenet_sample" / f for f in index["file"]])
    y = index["class_index"].to_numpy()
    names = ensemble(texts.names)
    print(f"seen classes, top-1 of 1,000: {_accuracy(encoder.alignment, x, cues, y, names):.1f}")
    tiny = pd.read_parquet(data / "cifar10" / "cifar10.parquet")
    labels = pd.read_csv(data / "cifar10" / "index.csv").set_index("id").loc[tiny["id"]]
    ten = labels.groupby("label")["class_name"].first().tolist()
    prompts = ensemble(np.stack([unit_rows(embed_sentences([t.format(n) for n in ten])) for t in TEMPLATES]))
    small, small_cues = features_and_cues(encoder, [io.BytesIO(cell["bytes"]) for cell in tiny["image"]])
    print(
        "CIFAR-10, top-1 of 10: "
        f"{_accuracy(encoder.alignment, small, small_cues, labels['label'].to_numpy(), prompts):.1f}"
    )
    calibration = features_of(encoder, draw_images(folders))
    folds = np.random.RandomState(0).permutation(N_CLASSES) % 5
    held_out = []
    for fold in range(5):
        known = np.where(folds != fold)[0]
        unseen = np.where(folds == fold)[0]
        fitted = fit(texts, known, weights["_fc.weight"], weights["_fc.bias"], expected_features(weights), calibration)
        fitted = replace(fitted, conditions=encoder.alignment.conditions)
        rows = np.isin(y, unseen)
        held_out.append(_accuracy(fitted, x[rows], cues[rows], np.searchsorted(unseen, y[rows]), names[unseen]))
    print(
        f"held-out classes, top-1 of 200: {np.mean(held_out):.1f}, standard deviation over the five "
        f"{np.std(held_out):.1f}"
    )


def _accuracy(alignment: Alignment, features: F32, cues: F32, labels: I64, sentences: F32) -> float:
    scores = alignment.images(features, cues) @ alignment.texts(sentences).T
    return float((scores.argmax(1) == labels).mean() * 100)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("fit").add_argument("folders", nargs="+", type=Path)
    measure = verbs.add_parser("measure")
    measure.add_argument("data", type=Path)
    measure.add_argument("folders", nargs="+", type=Path)
    given = parser.parse_args()
    if given.verb == "fit":
        main_fit(given.folders)
    else:
        main_measure(given.data, given.folders)
