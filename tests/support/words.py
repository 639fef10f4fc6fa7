"""A made-up diagnosis that can be asked in words: eight phrases along the axes of a small joint space, and an encoder
that speaks them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from core.encoders.arithmetic import unit
from core.language.directions import words_of
from core.records import ClusterName, ClusterPart, Diagnosis, Embeddings, Estimate, Insight, Prediction, PredictionRow
from tests.support.diagnoses import CLASSES, make_diagnosis

PHRASES = ("in the dark", "at night", "in the rain", "on grass", "seen from above", "blurred", "red", "striped")
SPACE = "made-joint"
_D = 12


class AxisEncoder:
    """Speaks each phrase as one axis of the joint space; what it does not know is an axis of its own."""

    name, fingerprint, description = "made", "made-1", "An encoder for tests."
    modality = "image"
    finding_space, joint_space = "made", SPACE

    def encode_texts(self, texts: Sequence[str]) -> Any:
        vectors = np.zeros((len(texts), _D), np.float32)
        vectors[:, -1] = 1.0
        for row, text in enumerate(texts):
            for axis, phrase in enumerate(PHRASES):
                if phrase in text:
                    vectors[row, axis] = 1.0
            if "spaceship" in text:
                vectors[row, len(PHRASES)] = 1.0
        return unit(vectors)


def with_words(diagnosis: Diagnosis | None = None, *, seed: int = 0) -> Diagnosis:
    """The diagnosis with words: its dark samples (every fourth one) lie along "in the dark" and "at night".

    Cluster 0 is described by "in the dark" (held-out AUROC 0.87), and "in the rain" is confirmed on its own in buses.
    """
    found = make_diagnosis(120) if diagnosis is None else diagnosis
    n, rng = len(found.samples), np.random.default_rng(seed)
    dark = np.arange(n) % 4 == 0
    vectors = rng.normal(0, 0.05, (n, _D)).astype(np.float32)
    vectors[:, -1] += 1
    vectors[:, : len(PHRASES)] += rng.normal(0, 0.1, (n, len(PHRASES))).astype(np.float32)
    vectors[:, len(PHRASES)] = 0  # no image differs along "spaceship"
    vectors[dark, :2] += 0.8
    joint = Embeddings(unit(vectors), "made", SPACE)
    directions = np.eye(_D, dtype=np.float32)[: len(PHRASES)]
    words = words_of(
        joint,
        directions,
        PHRASES,
        ("light", "light", "weather", "surface", "view", "quality", "colour", "pattern"),
        encoder="made",
    )
    return replace(
        found,
        words=words,
        family_null=rng.uniform(0.5, 3.0, 999).astype(np.float32),
        insights=(*found.insights, *phrases_of(found, dark)),
    )


def phrases_of(diagnosis: Diagnosis, dark: Any) -> tuple[Insight, ...]:
    """One phrase for cluster 0, if there is one, and one for buses."""
    errors = diagnosis.outcomes.errors is not None
    bus = np.arange(len(dark)) % len(CLASSES) == 0
    own = Insight(
        text="in the rain",
        columns=(),
        scope="bus",
        cluster=None,
        mask=bus & (np.arange(len(dark)) % 2 == 0),
        size=20,
        effect=Estimate(0.5, 0.1, 0.9),
        error_inside=0.61 if errors else None,
        error_outside=0.09 if errors else None,
        p=0.0013,
        confirmed=True,
        retrieval=None,
        proxies=(),
        kind="phrase",
        family="weather",
        error_difference=Estimate(0.45, 0.21, 0.7) if errors else None,
        coverage=Estimate(0.47, 0.3, 0.6),
        number=2,
    )
    describing = replace(
        own,
        text="in the dark",
        scope="all samples",
        cluster=0,
        mask=dark,
        size=int(dark.sum()),
        p=None,
        confirmed=False,
        retrieval=0.9,
        proxies=("at night",),
        family="light",
        held_out=Estimate(0.87, 0.8, 0.93),
        stability=0.8,
        number=0,
    )
    return (describing, own) if diagnosis.clusters else (own,)


def in_two_parts(diagnosis: Diagnosis) -> Diagnosis:
    """The diagnosis with a first cluster of two kinds: two thirds of it foggy, as is confirmed of all samples, the
    others at night."""
    first = diagnosis.clusters[0]
    rows = np.flatnonzero(first.membership >= 0.5)
    cut = 2 * len(rows) // 3
    foggy = ClusterPart("Images with weather: fog", ("weather = fog",), 0.8, rows[:cut], cut / len(rows))
    night = ClusterPart("At night", ("at night",), 0.7, rows[cut:], 1 - cut / len(rows))
    title = "Perhaps: images with weather: fog and at night"
    called = ClusterName(title, "parts", ("striped",), "perhaps", 0.6, parts=(foggy, night))
    return replace(diagnosis, clusters=(replace(first, called=called), *diagnosis.clusters[1:]))


def made_prediction(measure: Any = "error rate") -> Prediction:
    """What five findings and habits said of 320 fresh samples."""

    def row(
        kind: Any,
        text: str,
        scope: str,
        n: int,
        predicted: float,
        observed: float | None,
        ok: bool | None,
        p: float | None,
    ) -> PredictionRow:
        seen = None if observed is None else Estimate(observed, max(observed - 0.15, 0.0), min(observed + 0.15, 1.0))
        return PredictionRow(
            kind=kind,
            text=text,
            scope=scope,
            n=n,
            predicted=Estimate(predicted, predicted - 0.1, predicted + 0.1),
            expected=Estimate(predicted, predicted - 0.2, predicted + 0.2),
            observed=seen,
            rest=None if observed is None else 0.1,
            p=p,
            measure=measure,
            as_predicted=ok,
        )

    return Prediction(
        digest="ab12" * 16,
        n_fresh=320,
        measure=measure,
        source="320 held-out samples",
        rows=(
            row("cluster", "Cluster 1", "all samples", 40, 0.55, 0.58, True, 0.0004),
            row("phrase", "in the rain", "bus", 12, 0.5, 0.2, False, 0.21),
            row("condition", "weather = fog", "tram", 3, 0.4, 0.33, None, None),
            row("condition", "weather = snow", "all samples", 0, 0.4, None, None, None),
            row("by-eye lasso", "the worst spot of the map", "all samples", 18, 0.8, 0.25, False, None),
        ),
        notes=("2 fresh samples are also among the diagnosed ones and are left out.",),
        excluded=(("a.png", "the same image is among the diagnosed ones"),),
    )
