#!/usr/bin/env python
"""Measure what captioned photographs taught the trained part, beside the joint space without it.

    python -m research.weights.embedded.measure_captions DATA [--scratch FOLDER] [--weights 1 2 4]
        [--part tune] [--folds] [--words]

DATA holds flickr8k/, imagenet_sample/ and cifar10/. Retrieval on a part of the captioned images that nothing was
fitted on, and zero-shot accuracy. With --folds the object part is fitted anew without a fifth of ImageNet's names, five
times, with the images of "tune" for its two scales. With --words the AUROC of each word of the captions on "dev" and
"held" together with its 95% interval: images with the word in two captions or more against those with it in none.
The means over words, and what each space has more than the first, have bootstrap intervals over the images.
"""

from __future__ import annotations

import argparse
import io
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from open_clip.zero_shot_metadata import IMAGENET_CLASSNAMES
from PIL import Image

from core.encoders.embedded.alignment import Alignment
from core.encoders.embedded.caption_part import load_part
from core.encoders.embedded.checkpoint import read_state_dict
from core.encoders.embedded.weights import efficientnet_weights
from core.records import F32, F64, I64
from core.statistics.ranking import auroc_interval
from research.weights.embedded.alignment import N_CLASSES, ensemble, expected_features, fit, read_class_texts
from research.weights.embedded.captioned import N_CAPTIONS, CaptionCorpus, Reader, Seen, read_corpus
from research.weights.embedded.fragments import IDLE

MIN_SHOWN = 10
"""Images that show a word, at least, for it to be measured."""
DRAWS = 1000
"""Bootstrap draws of the images."""
COLOURS = "black white red blue green yellow orange pink purple brown grey gray".split()
COUNTS = "one two three four five several many group".split()

Vectors = tuple[Callable[[F32, F32], F32], Callable[[F32], F32]]
"""Images, from features and cues, and texts, from sentence vectors, to unit rows of one space."""


def ranks(images: F32, texts: F32) -> tuple[I64, I64]:
    """How many captions of others lie before an image's first own one, and images before a caption's own."""
    scores = images @ texts.T
    owner = np.repeat(np.arange(len(images)), N_CAPTIONS)
    best = scores[owner, np.arange(len(texts))].reshape(-1, N_CAPTIONS).max(1)
    return (scores > best[:, None]).sum(1), (scores > scores[owner, np.arange(len(texts))]).sum(0)


def recall(before: I64, n: int) -> str:
    """R@1 / 5 / 10 in per cent, the 95% interval of the first over the n images, and the median rank."""
    hits = (before < 1).reshape(n, -1).mean(1)
    first = 100 * float(hits.mean())
    error = 196 * float(hits.std(ddof=1)) / n**0.5
    shares = " / ".join(f"{100 * float((before < k).mean()):.1f}" for k in (1, 5, 10))
    low = first - error
    high = first + error
    return f"{shares} (R@1 {low:.1f} to {high:.1f}, {n} pictures); median rank {np.median(before) + 1:.0f}"


def words_of(corpus: CaptionCorpus, rows: I64) -> dict[str, tuple[I64, I64]]:
    """Word: the images that show it, and those of which nobody says it, as places in `rows`."""
    said: list[dict[str, int]] = []
    for row in rows:
        counts: dict[str, int] = {}
        for caption in corpus.captions[row]:
            for word in set(re.findall(r"[a-z]+", caption.lower())) - IDLE:
                counts[word] = counts.get(word, 0) + 1
        said.append(counts)
    found: dict[str, tuple[I64, I64]] = {}
    for word in sorted({word for counts in said for word in counts}):
        times = np.array([counts.get(word, 0) for counts in said])
        shown = np.flatnonzero(times >= 2)
        never = np.flatnonzero(times == 0)
        if len(shown) >= MIN_SHOWN and len(word) > 2:
            found[word] = shown, never
    return found


class ZeroShot:
    """ImageNet's sample and CIFAR-10, and the texts of their names."""

    def __init__(self, data: Path, reader: Reader) -> None:
        index = pd.read_csv(data / "imagenet_sample" / "index.csv")
        files = [data / "imagenet_sample" / file for file in index["file"]]
        self.large = reader.pictures("imagenet", len(files), lambda i: Image.open(files[i]).convert("RGB"))
        self.classes = index["class_index"].to_numpy()
        tiny = pd.read_parquet(data / "cifar10" / "cifar10.parquet")
        cells = [cell["bytes"] for cell in tiny["image"]]
        self.small = reader.pictures("cifar10", len(cells), lambda i: Image.open(io.BytesIO(cells[i])).convert("RGB"))
        labels = pd.read_csv(data / "cifar10" / "index.csv").set_index("id").loc[tiny["id"]]
        self.labels = labels["label"].to_numpy()
        ten = labels.groupby("label")["class_name"].first().tolist()
        self.ten = ensemble(reader.named("cifar10", ten))
        self.names = ensemble(reader.named("imagenet", list(IMAGENET_CLASSNAMES)))

    def known(self, space: Vectors) -> tuple[float, float]:
        """Top-1 per cent among 1,000 names and among ten."""
        return (
            _accuracy(space, self.large, self.classes, self.names),
            _accuracy(space, self.small, self.labels, self.ten),
        )

    def unseen(self, alignment: Alignment, scales: F32) -> tuple[float, float]:
        """Top-1 per cent among 200 names that the object part never saw: mean and deviation over five folds."""
        weights = read_state_dict(efficientnet_weights())
        texts = read_class_texts()
        folds = np.random.RandomState(0).permutation(N_CLASSES) % 5
        found = list[float]()
        for fold in range(5):
            known = np.where(folds != fold)[0]
            unseen = np.where(folds == fold)[0]
            fitted = fit(texts, known, weights["_fc.weight"], weights["_fc.bias"], expected_features(weights), scales)
            others = ("conditions", "captions", "caption_weight")
            space = replace(fitted, **{name: getattr(alignment, name) for name in others})
            rows = np.isin(self.classes, unseen)
            part = Seen(self.large.features[rows], self.large.cues[rows])
            places = np.searchsorted(unseen, self.classes[rows])
            found.append(_accuracy((space.images, space.texts), part, places, self.names[unseen]))
        return float(np.mean(found)), float(np.std(found))


def _accuracy(space: Vectors, seen: Seen, labels: I64, sentences: F32) -> float:
    scores = space[0](seen.features, seen.cues) @ space[1](sentences).T
    return float((scores.argmax(1) == labels).mean() * 100)


def draw_pictures(n: int) -> F32:
    """(1 + DRAWS, n) how often each image is in each bootstrap draw; the first row has each once."""
    drawn = np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), DRAWS)
    return np.concatenate([np.ones((1, n)), drawn]).astype(np.float32)


def word_areas(scores: F32, found: dict[str, tuple[I64, I64]], times: F32) -> F64:
    """(draws, words) AUROC of each word in each draw, nan in a draw that holds no image with the word.

    Args:
        scores: (n, words) of n images.
        found: the words' images, as `words_of` gives them.
        times: (draws, n) how often each image is in a draw.
    """
    areas: list[F64] = []
    for column, (shown, never) in zip(scores.T, found.values(), strict=True):
        inside = column[shown][:, None]
        outside = column[never][None]
        wins = (inside > outside).astype(np.float32) + np.float32(0.5) * (inside == outside)
        with_it = times[:, shown]
        without = times[:, never]
        won = ((with_it @ wins).astype(np.float64) * without).sum(1)
        with np.errstate(invalid="ignore"):
            areas.append(won / (with_it.sum(1, dtype=np.float64) * without.sum(1, dtype=np.float64)))
    return np.stack(areas, axis=1)


def with_interval(draws: F64, sign: str = "") -> str:
    """The first value, and the 95% interval that the others span."""
    low, high = np.quantile(draws[1:], [0.025, 0.975])
    return f"{draws[0]:{sign}.3f} ({low:{sign}.3f} to {high:{sign}.3f})"


def report_words(corpus: CaptionCorpus, rows: I64, seen: Seen, spaces: dict[str, Vectors], reader: Reader) -> None:
    """AUROC of each word in each space, and their means."""
    found = words_of(corpus, rows)
    sentences = reader.sentences(f"words {len(found)}", list(found))
    times = draw_pictures(len(rows))
    table: dict[str, F64] = {}
    for name, (images, texts) in spaces.items():
        scores = images(seen.features[rows], seen.cues[rows]) @ texts(sentences).T
        table[name] = word_areas(scores, found, times)
    for column, (word, (shown, never)) in enumerate(found.items()):
        each = [auroc_interval(float(areas[0, column]), len(shown), len(never)) for areas in table.values()]
        cells = " | ".join(f"{area.value:.2f} ({area.low:.2f} to {area.high:.2f})" for area in each)
        print(f"| {word} | {len(shown)} | {cells} |")
    first = next(iter(table))
    for title, chosen in (("all words", list(found)), ("colours", COLOURS), ("counts", COUNTS)):
        columns = np.array([i for i, word in enumerate(found) if word in chosen])
        means = {name: np.nanmean(areas[:, columns], axis=1) for name, areas in table.items()}
        for name, areas in table.items():
            good = 100 * float((areas[0, columns] >= 0.8).mean())
            more = "" if name == first else f"; more than {first} {with_interval(means[name] - means[first], '+')}"
            said = f"mean {with_interval(means[name])}, {good:.0f}% at .8 or more{more}"
            print(f"{title}, {name}: {len(columns)} words, {said}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--scratch", type=Path)
    parser.add_argument("--weights", type=float, nargs="+", default=[1.0])
    parser.add_argument("--part", choices=("tune", "held", "dev"), default="tune")
    parser.add_argument("--folds", action="store_true")
    parser.add_argument("--words", action="store_true")
    given = parser.parse_args()
    corpus = read_corpus(given.data / "flickr8k")
    reader = Reader(given.scratch)
    seen = reader.pictures("whole", len(corpus.files), corpus.open)
    captions = reader.sentences("captions", [caption for five in corpus.captions for caption in five])
    part = load_part()
    alignment = reader.encoder.alignment
    joined = {"without": replace(alignment, captions=None)} | {
        f"both, weight {weight:g}": replace(alignment, captions=part, caption_weight=weight) for weight in given.weights
    }
    spaces: dict[str, Vectors] = {name: (space.images, space.texts) for name, space in joined.items()}
    spaces["trained part alone"] = part.images, part.texts
    rows = corpus.rows(given.part)
    zero_shot = ZeroShot(given.data, reader)
    own = (rows[:, None] * N_CAPTIONS + np.arange(N_CAPTIONS)).ravel()
    scales = seen.features[corpus.rows("tune")]
    for name, (images, texts) in spaces.items():
        to_text, to_image = ranks(images(seen.features[rows], seen.cues[rows]), texts(captions[own]))
        top, ten = zero_shot.known((images, texts))
        print(f"{name}, {given.part}\n  image to text {recall(to_text, len(rows))}")
        print(f"  text to image {recall(to_image, len(rows))}")
        print(f"  ImageNet {top:.1f}, CIFAR-10 {ten:.1f}", flush=True)
    for name, space in joined.items() if given.folds else ():
        mean, deviation = zero_shot.unseen(space, scales)
        print(f"unseen names, {name}: {mean:.1f} (deviation over folds {deviation:.1f})")
    if given.words:
        report_words(corpus, np.concatenate([corpus.rows("dev"), corpus.rows("held")]), seen, spaces, reader)


if __name__ == "__main__":
    main()
