"""A made-up diagnosis that fills the page as a real one would, and stored runs of it for a test's server."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from core.encoders.arithmetic import unit
from core.language.directions import words_of
from core.records import Diagnosis, Embeddings, Estimate, FailureMap, Insight
from core.store import save
from tests.support.diagnoses import make_diagnosis


def make_showcase(n: int = 600, *, n_clusters: int = 3, seed: int = 0, **kwargs: bool) -> Diagnosis:
    """`make_diagnosis` with a map of islands, the members of each cluster together on one of them."""
    diagnosis = make_diagnosis(n, seed=seed, n_clusters=n_clusters, **kwargs)
    rng = np.random.default_rng(seed)
    cluster, _ = diagnosis.cluster_of()
    island = np.where(cluster >= 0, cluster, max(n_clusters, 1) + np.arange(n) % 5)
    at = 5 * np.stack([np.cos(island * 2.4) * np.sqrt(island + 0.4), np.sin(island * 2.4) * np.sqrt(island + 0.4)], 1)
    xy = (at + rng.normal(0, 1.1, (n, 2))).astype(np.float32)
    return replace(diagnosis, map=FailureMap(xy, "umap"))


PHRASES = (
    ("in the dark", "light"),
    ("in fog", "weather"),
    ("on grass", "surface"),
    ("red", "object color"),
    ("seen from above", "view"),
)


class PlainEncoder:
    """An encoder of texts alone: each word is a fixed direction, "dark" the one along which `make_diagnosis` moves its
    dark samples."""

    name = fingerprint = "plain"
    modality = "image"
    joint_space = "plain"
    width = 8
    logit_scale = 20.0

    def count_truncated(self, texts: Sequence[str]) -> int:
        return 0

    def encode_texts(self, texts: Sequence[str]) -> np.ndarray:
        return unit(
            np.stack(
                [sum((self._word(w) for w in text.lower().split()), np.zeros(self.width)) for text in texts]
            ).astype(np.float32)
        )

    def _word(self, word: str) -> np.ndarray:
        if word == "dark":
            return 6 * np.eye(self.width)[0]
        own = np.random.default_rng(zlib.crc32(word.encode())).normal(size=self.width)
        own[0] = 0.0
        return own


def add_words(diagnosis: Diagnosis) -> Diagnosis:
    """The diagnosis with words over its own vectors, a null for questions, and two phrases on its first
    cluster."""
    encoder = PlainEncoder()
    directions = unit(encoder.encode_texts([p for p, _ in PHRASES]) - encoder.encode_texts(["something"]))
    joint = Embeddings(diagnosis.embeddings.vectors, "plain", "plain")
    words = words_of(joint, directions, tuple(p for p, _ in PHRASES), tuple(f for _, f in PHRASES), encoder="plain")
    return replace(
        diagnosis,
        words=words,
        family_null=np.random.default_rng(0).uniform(1.5, 4.0, 399).astype(np.float32),
        insights=(
            *diagnosis.insights,
            *(_phrase(diagnosis, c.id) for c in diagnosis.clusters[:1]),
            *_exploratory(diagnosis),
        ),
    )


def _phrase(diagnosis: Diagnosis, cluster: int) -> Insight:
    return replace(
        diagnosis.insights[0],
        text="in the dark",
        columns=(),
        cluster=cluster,
        kind="phrase",
        family="light",
        error_difference=Estimate(0.6, 0.4, 0.8),
        coverage=Estimate(0.7, 0.5, 0.9),
        held_out=Estimate(0.9, 0.8, 0.97),
        stability=1.0,
        number=0,
        proxies=("at night",),
    )


def _exploratory(diagnosis: Diagnosis) -> list[Insight]:
    """A phrase that was not confirmed."""
    return [replace(_phrase(diagnosis, c.id), text="in fog", p=None, confirmed=False) for c in diagnosis.clusters[:1]]


def write_examples(folder: Path) -> Path:
    """Two stored examples below `folder`: one with three clusters and words, one with nothing to find and no words."""
    save(add_words(make_showcase()), folder / "streets" / "run.errata")
    nothing = make_showcase(400, n_clusters=0, seed=3)
    save(replace(nothing, samples=replace(nothing.samples, name="nothing to find")), folder / "nothing" / "run.errata")
    return folder
