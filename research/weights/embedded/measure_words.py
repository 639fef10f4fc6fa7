#!/usr/bin/env python
"""Measure what the embedded encoder knows of photo conditions and places, on images and with wordings that its fit
never saw.

    python -m research.weights.embedded.measure_words DATA STAMPS [--n 400] [--cache FOLDER]

DATA holds imagenet_sample/, tuxpaint_stamps/ and backgrounds/; STAMPS is usr/share/tuxpaint/stamps of Debian's
tuxpaint-stamps-default.

"before" scores with the object dimensions alone, "after" with all. Of each word: AUROC of images that have it against
images that do not, by the inner product with the text's vector ("text") and with the difference of the texts with and
without the words ("difference"), the mean over the wordings, its 95% bootstrap interval over images, and the worst
wording.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from scipy.stats import spearmanr

from core.encoders.embedded.encoder import EmbeddedEncoder
from core.encoders.embedded.photo_words import CONDITIONS
from core.encoders.embedded.pixel_cues import measure_cues
from core.records import F32, Bool
from core.statistics.ranking import auroc
from research.weights.embedded.phrases import PHRASES
from research.weights.embedded.unseen_nouns import NOUNS_TESTED, OBJECTS, PLACE_CLASSES
from research.weights.embedded.unseen_pictures import EDITS, Scenes, read_square
from research.weights.embedded.unseen_wordings import WORDS, Wordings

N_BOOTSTRAP = 500


def interval(scores: F32, shown: Bool, seed: int = 0) -> tuple[float, float, float]:
    """Mean AUROC over the rows of (wordings, images), and its 95% bootstrap interval over images."""
    rng = np.random.default_rng(seed)
    on = np.where(shown)[0]
    off = np.where(~shown)[0]
    drawn: list[float] = []
    for _ in range(N_BOOTSTRAP):
        rows = np.r_[rng.choice(on, len(on)), rng.choice(off, len(off))]
        drawn.append(float(np.mean([auroc(s[rows], shown[rows]) for s in scores])))
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(np.mean([auroc(s, shown) for s in scores])), float(low), float(high)


class Pictures:
    """Joint vectors of sets of images, kept in a folder between runs; they hold features and cues, which no fit
    changes."""

    def __init__(self, encoder: EmbeddedEncoder, folder: Path | None) -> None:
        self.encoder = encoder
        self.folder = folder

    def joint(self, name: str, make: Callable[[], list[F32]]) -> F32:
        """(n, d) joint vectors of the images that `make` gives as the network's inputs."""
        file = self.folder / f"{name}.npz" if self.folder else None
        if file and file.exists():
            kept = np.load(file)
            features = kept["features"]
            cues = kept["cues"]
        else:
            batch = np.stack(make())
            features = self.encoder.features(batch)
            cues = measure_cues(batch)
            if file:
                file.parent.mkdir(parents=True, exist_ok=True)
                np.savez(file, features=features, cues=cues)
        return self.encoder.alignment.images(features, cues)


class WordingVectors:
    """Vectors of wordings."""

    def __init__(self, encoder: EmbeddedEncoder) -> None:
        self.encoder = encoder

    def alone(self, wording: str) -> F32:
        """(d,) of the wording said of no particular thing."""
        return self.encoder.encode_texts([wording.format(n="thing") if "{n}" in wording else wording])[0]

    def difference(self, wording: str) -> F32:
        """(d,) mean over nouns of the text with the wording less the text without."""
        framed = wording if "{n}" in wording else "a photo of a {n}, " + wording
        texts = [framed.format(n=noun) for noun in NOUNS_TESTED] + [f"a photo of a {noun}" for noun in NOUNS_TESTED]
        vectors = self.encoder.encode_texts(texts)
        return (vectors[: len(NOUNS_TESTED)] - vectors[len(NOUNS_TESTED) :]).mean(0)


def report(word: Wordings, images: F32, shown: Bool, texts: WordingVectors, where: str) -> None:
    """Print one row of the table."""
    n_objects = texts.encoder.alignment.n_objects
    cells: list[str] = []
    for kind in (texts.alone, texts.difference):
        vectors = np.stack([kind(wording) for wording in word.wordings])
        before = np.mean([auroc(s, shown) for s in vectors[:, :n_objects] @ images[:, :n_objects].T])
        scores = vectors @ images.T
        mean, low, high = interval(scores, shown)
        worst = min(auroc(s, shown) for s in scores)
        cells.append(f"{before:.2f} | {mean:.2f} ({low:.2f} to {high:.2f}) | {worst:.2f}")
    print(f"| {word.name} | {where} | {int(shown.sum())}, {int((~shown).sum())} | {' | '.join(cells)} |", flush=True)


def check_wordings() -> None:
    """No wording of the test may contain or be a phrase of two or more words of the fit."""
    known = {p.text for p in PHRASES if " " in p.text and p.form != "adjective"}
    for word in WORDS:
        for wording in word.wordings:
            taken = [text for text in known if re.search(rf"\b{re.escape(text)}\b", wording)]
            if taken:
                raise SystemExit(
                    f"The wording {wording!r} of {word.name!r} holds {taken}, which the fit has "
                    "seen. Say it differently."
                )


def main(data: Path, stamps: Path, n: int, cache: Path | None) -> None:
    """Print the table of words, the correlation of objects with brightness, and the ranking of things in a
    condition."""
    check_wordings()
    encoder = EmbeddedEncoder()
    pictures = Pictures(encoder, cache)
    texts = WordingVectors(encoder)
    index = pd.read_csv(data / "imagenet_sample" / "index.csv")
    order = np.random.default_rng(1).permutation(len(index))
    paths = [data / "imagenet_sample" / index["file"][i] for i in order]
    plain = pictures.joint("originals", lambda: [encoder.preprocess(read_square(path)) for path in paths])
    by_name = {word.name: word for word in WORDS}
    print("| word | pictures | n with, without | text: before | after | worst | difference: before | after | worst |")
    print("|---" * 9 + "|")
    edited: dict[str, F32] = {}
    for name, edit in EDITS.items():
        edited[name] = pictures.joint(f"{name} {n}", partial(_edited, encoder, edit, paths[:n]))
        both = np.concatenate([edited[name], plain[n:]])
        report(by_name[name], both, np.arange(len(both)) < n, texts, "ImageNet, edited")
    scenes = Scenes(data, stamps)
    for name in scenes.words:
        made = [pictures.joint(f"scenes {name} {k}", partial(_scenes, encoder, scenes, name, bool(k))) for k in (1, 0)]
        report(
            by_name[name],
            np.concatenate(made),
            np.repeat([True, False], [len(part) for part in made]),
            texts,
            "cut-outs",
        )
    names = index["clip_class_name"].to_numpy()[order]
    for name, classes in PLACE_CLASSES.items():
        shown = np.isin(names, classes)
        report(by_name[name], plain, shown, texts, "ImageNet classes")
    measure_objects(encoder, plain, pictures, paths)
    measure_ranking(encoder, plain[:n], edited, names[:n])


def _edited(
    encoder: EmbeddedEncoder, edit: Callable[[Image.Image, np.random.Generator], Image.Image], paths: list[Path]
) -> list[F32]:
    rng = np.random.default_rng(2)
    return [encoder.preprocess(edit(read_square(path), rng)) for path in paths]


def _scenes(encoder: EmbeddedEncoder, scenes: Scenes, name: str, shown: bool) -> list[F32]:
    return [encoder.preprocess(image) for image in scenes.draw(name, shown, 300)]


def measure_objects(encoder: EmbeddedEncoder, plain: F32, pictures: Pictures, paths: list[Path]) -> None:
    """Absolute Spearman correlation of object names' scores with the brightness of the originals."""
    light = np.array([np.asarray(read_square(path).convert("L"), np.float32).mean() for path in paths])
    vectors = encoder.encode_texts([f"a photo of a {name}" for name in OBJECTS])
    n_objects = encoder.alignment.n_objects
    for label, part in (("before", slice(0, n_objects)), ("after", slice(None))):
        found = np.array(
            [
                abs(float(np.asarray(spearmanr(vectors[i, part] @ plain[:, part].T, light))[0]))
                for i in range(len(vectors))
            ]
        )
        worst = np.argsort(-found)[:3]
        largest = [(OBJECTS[i], round(float(found[i]), 3)) for i in worst]
        print(
            f"{len(OBJECTS)} object names against brightness, n={len(plain)}, {label}: "
            f"mean |rho| {found.mean():.3f}, largest {largest}"
        )
    block = np.linalg.norm(vectors[:, n_objects : n_objects + len(CONDITIONS)], axis=1)
    print(
        f"length of the block of these texts: mean {block.mean():.3f}, largest {block.max():.3f} "
        f"({OBJECTS[int(block.argmax())]})"
    )


def measure_ranking(encoder: EmbeddedEncoder, plain: F32, edited: dict[str, F32], names: F32) -> None:
    """For "a dark photo of a dog" and the like: how often the dark dog beats the dog as it came, and other things in
    the dark."""
    n_objects = encoder.alignment.n_objects
    phrases = {
        "dark": "a murky photo of a {n} taken without any lamp",
        "blurred": "a {n} whose outlines are smudged by a bad lens",
        "black-and-white": "an old newspaper photo of a {n}, no hues at all",
    }
    for name, phrase in phrases.items():
        vectors = encoder.encode_texts([phrase.format(n=noun) for noun in names])
        for label, part in (("before", slice(0, n_objects)), ("after", slice(None))):
            own = (vectors[:, part] * edited[name][:, part]).sum(1)
            original = (vectors[:, part] * plain[:, part]).sum(1)
            others = vectors[:, part] @ edited[name][:, part].T
            over_original = np.mean(own > original)
            over_others = np.mean(own[:, None] > others)
            print(
                f"{phrase!r} {label}, n={len(names)}: over its original {over_original:.2f}, "
                f"over another {name} thing {over_others:.2f}"
            )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("stamps", type=Path)
    parser.add_argument("--n", type=int, default=400, help="pictures edited for each word")
    parser.add_argument("--cache", type=Path)
    given = parser.parse_args()
    main(given.data, given.stamps, given.n, given.cache)
