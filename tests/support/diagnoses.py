"""Small hand-made records for tests: images drawn here, numbers drawn from a seed, nothing read from disk."""

from __future__ import annotations

import io
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from core.records import (
    ClassFinding,
    Column,
    Detectable,
    Diagnosis,
    Embeddings,
    Estimate,
    FailureCluster,
    FailureMap,
    Insight,
    LossEstimate,
    NamedItems,
    Outcomes,
    Predictability,
    SampleSet,
)
from tests.support.sensitivity import made_sensitivity

CLASSES = ("bus", "car", "tram")
EFFECT = 1.2


@cache
def draw_picture(seed: int, *, dark: bool = False, size: int = 64) -> bytes:
    """PNG bytes of one disc over a two-tone ground; no two seeds look alike."""
    rng = np.random.default_rng(seed)
    light = 0.25 if dark else 1.0
    sky, ground, disc = (tuple(int(c * light) for c in rng.integers(60, 255, 3)) for _ in range(3))
    picture = Image.new("RGB", (size, size), sky)
    canvas = ImageDraw.Draw(picture)
    canvas.rectangle((0, size * 2 // 3, size, size), fill=ground)
    x, y, r = (int(v) for v in rng.integers(size // 4, size // 2, 3))
    canvas.ellipse((x - r // 2, y - r // 2, x + r // 2, y + r // 2), fill=disc)
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


@dataclass(frozen=True)
class MemoryImages(NamedItems):
    """A store over bytes in memory."""

    payloads: tuple[bytes, ...]

    def read(self, index: int) -> bytes:
        return self.payloads[index]


def make_samples(n: int = 60, *, seed: int = 0, with_images: bool = True, hostile: bool = False) -> SampleSet:
    """n samples of three classes in groups of two; every fourth one is dark.

    `hostile` gives ids and metadata that hold markup and spreadsheet formulas.
    """
    rng = np.random.default_rng(seed)
    dark = np.arange(n) % 4 == 0
    ids = tuple(f"street/{i:04d}.png" for i in range(n))
    if hostile:
        ids = ("<script>alert(1)</script>.png", "=HYPERLINK(1).png", *ids[2:])
    weather = np.array([("fog" if d else "clear") for d in dark], dtype=object)
    weather[3] = "<img src=x onerror=alert(2)>" if hostile else None
    brightness = np.where(dark, 0.2, 0.7) + rng.normal(0, 0.03, n)
    brightness[5] = np.nan
    pictures = tuple(draw_picture(seed * 1000 + i, dark=bool(dark[i])) for i in range(n)) if with_images else ()
    return SampleSet(
        ids=ids,
        items=MemoryImages(ids, pictures) if with_images else None,
        labels=(np.arange(n) % len(CLASSES)).astype(np.int64),
        class_names=CLASSES,
        metadata=(Column("weather", "category", weather), Column("brightness", "number", brightness, measured=True)),
        model_outputs=(Column("pred", "category", np.array([CLASSES[i % 3] for i in range(n)], dtype=object)),),
        groups=(np.arange(n) // 2).astype(np.int64),
        group_name="street",
        splits=np.array(["test"] * n, dtype=object),
        name="streets",
    )


def make_diagnosis(
    n: int = 60,
    *,
    seed: int = 0,
    n_clusters: int = 2,
    with_images: bool = True,
    with_errors: bool = True,
    hostile: bool = False,
) -> Diagnosis:
    """A complete Diagnosis with `n_clusters` confirmed clusters (0: nothing was found) of the dark samples.

    The figures are made up to be consistent with each other; nothing was fitted.
    """
    rng = np.random.default_rng(seed)
    samples = make_samples(n, seed=seed, with_images=with_images, hostile=hostile)
    assert samples.labels is not None
    dark = np.arange(n) % 4 == 0
    predicted = np.where(dark, 0.4 + EFFECT, 0.4) + rng.normal(0, 0.05, n)
    loss = np.abs(predicted + rng.normal(0, 0.2, n))
    errors = loss > 1.0
    scores = rng.dirichlet(np.ones(len(CLASSES)), n)
    vectors = rng.normal(size=(n, 8)).astype(np.float32)
    vectors[dark, 0] += 3
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)

    clusters = tuple(
        _cluster(c, n_clusters, samples, loss, errors if with_errors else None, rng) for c in range(n_clusters)
    )
    return Diagnosis(
        samples=samples,
        outcomes=Outcomes(
            loss=loss,
            name="cross-entropy",
            unit="nats",
            source="label x prob_* (3 columns)",
            clip=4.6,
            errors=errors if with_errors else None,
            scores=scores if with_errors else None,
            predictions=scores.argmax(1).astype(np.int64) if with_errors else None,
        ),
        embeddings=Embeddings(vectors, encoder="given", space="given"),
        estimate=LossEstimate(
            predicted=predicted,
            spread=np.abs(rng.normal(0.1, 0.02, n)),
            folds=(np.arange(n) // 2 % 5).astype(np.int64),
            predictability=_predictability(found=n_clusters > 0, with_errors=with_errors),
        ),
        classes=_class_findings(n, found=n_clusters > 0, with_errors=with_errors),
        clusters=clusters,
        candidates=(_candidate(n_clusters, n),),
        insights=tuple(_insight(c, dark, with_errors, hostile) for c in range(n_clusters)),
        detectable=(Detectable(10, None, None, 0.8), Detectable(20, 1.1, 0.4, 0.8), Detectable(40, 0.7, 0.25, 0.8)),
        sensitivity=made_sensitivity(),
        label_errors=np.array([7, 1], np.int64) if with_errors else np.empty(0, np.int64),
        map=FailureMap(vectors[:, :2] + rng.normal(0, 0.05, (n, 2)).astype(np.float32), "pca"),
        settings={"alpha": 0.05, "seed": seed, "n_members": 20, "n_permutations": 5000, "family": "ridge"},
        versions={"errata": "0.1.0", "numpy": "2.4.0"},
        fingerprint="ab" * 32,
        notes=(
            "Rows of one street were never split between fitting and testing.",
            "Cross-entropy was clipped at 4.6 nats for fitting.",
        ),
        excluded=(("street/9001.png", "image could not be decoded"), ("street/9002.png", "loss is not a number")),
    )


def confirmed_without_clusters() -> Diagnosis:
    """No cluster, while a class, a confused pair and a condition of no cluster are confirmed."""
    found = make_diagnosis()
    alone = replace(found.insights[0], cluster=None, retrieval=None)
    return replace(make_diagnosis(n_clusters=0), classes=found.classes, insights=(alone,))


def _cluster(
    c: int, n_clusters: int, samples: SampleSet, loss: np.ndarray, errors: np.ndarray | None, rng: np.random.Generator
) -> FailureCluster:
    n = len(samples)
    members = np.arange(n) % (4 * n_clusters) == 4 * c  # the dark samples, dealt out over the clusters
    membership = np.where(members, rng.uniform(0.55, 0.99, n), rng.uniform(0.0, 0.3, n))
    inside, outside = float(loss[members].mean()), float(loss[~members].mean())
    excess = inside - outside
    rates = None if errors is None else (float(errors[members].mean()), float(errors[~members].mean()))
    return FailureCluster(
        id=c,
        name=f"weather = fog, group {c}",
        scope="all samples",
        membership=membership,
        size=int(members.sum()),
        mean_loss=inside,
        excess_loss=Estimate(excess, excess - 0.4, excess + 0.2),
        error_rate=None if rates is None else Estimate(rates[0], max(rates[0] - 0.2, 0.0), min(rates[0] + 0.1, 1.0)),
        error_outside=None if rates is None else rates[1],
        error_difference=None
        if rates is None
        else Estimate(rates[0] - rates[1], rates[0] - rates[1] - 0.2, rates[0] - rates[1] + 0.1),
        p=0.001 * (c + 1),
        coverage=Estimate(0.4, 0.3, 0.5),
        counterexamples=np.array([1 + 2 * c, 5 + 2 * c, 9 + 2 * c], np.int64),
        cause="unknown: the table has no column that separates these samples; a column on time of day would be needed",
    )


def _candidate(c: int, n: int) -> FailureCluster:
    members = np.arange(n) % 7 == 3
    return FailureCluster(
        id=c,
        name="near tram",
        scope="tram",
        membership=np.where(members, 0.6, 0.1),
        size=int(members.sum()),
        mean_loss=0.6,
        excess_loss=Estimate(0.15, -0.2, 0.5),
        error_rate=None,
        error_outside=None,
        error_difference=None,
        p=None,
        coverage=Estimate(0.05, 0.01, 0.12),
        counterexamples=np.empty(0, np.int64),
        cause="unknown",
        confirmed=False,
        chance=0.34,
        local_fdr=0.7,
    )


def _insight(c: int, mask: np.ndarray, with_errors: bool, hostile: bool) -> Insight:
    return Insight(
        text="weather = <b>fog</b>" if hostile else "weather = fog",
        columns=("weather",),
        scope="all samples",
        cluster=c,
        mask=mask,
        size=int(mask.sum()),
        effect=Estimate(EFFECT, EFFECT - 0.3, EFFECT + 0.3),
        error_inside=0.9 if with_errors else None,
        error_outside=0.1 if with_errors else None,
        p=0.002 if c == 0 else None,
        confirmed=c == 0,
        retrieval=0.93,
        proxies=("brightness at most 0.31",),
    )


def _predictability(*, found: bool, with_errors: bool) -> Predictability:
    if found:
        return Predictability(
            r2=Estimate(0.41, 0.3, 0.5),
            rank_correlation=Estimate(0.55, 0.4, 0.67),
            correlation=Estimate(0.64, 0.5, 0.72),
            error_auroc=Estimate(0.88, 0.8, 0.94) if with_errors else None,
            p=0.0002,
            n_permutations=5000,
            confirmed=True,
            by_class=(("bus", 20, Estimate(0.6, 0.4, 0.75), 0.001), ("car", 20, Estimate(0.5, 0.2, 0.7), None)),
        )
    nan = float("nan")
    return Predictability(
        r2=Estimate(-0.02, -0.1, 0.05),
        rank_correlation=Estimate(0.03, -0.2, 0.25),
        correlation=Estimate(nan, nan, nan),
        error_auroc=Estimate(0.51, 0.4, 0.63) if with_errors else None,
        p=0.62,
        n_permutations=5000,
    )


def _class_findings(n: int, *, found: bool, with_errors: bool) -> tuple[ClassFinding, ...]:
    def rate(value: float) -> Estimate | None:
        return Estimate(value, value - 0.1, value + 0.1) if with_errors else None

    size = n // len(CLASSES)
    findings = [
        ClassFinding("bus", "class", size, Estimate(0.9, 0.7, 1.1), rate(0.35), 0.004 if found else 0.8, found),
        ClassFinding("car", "class", size, Estimate(0.6, 0.5, 0.7), rate(0.2), None, False),
    ]
    if with_errors:
        findings.append(
            ClassFinding(
                "bus → tram", "confusion", 6, Estimate(1.4, 1.1, 1.7), rate(0.8), 0.03 if found else 0.9, found
            )
        )
    return tuple(findings)


def assert_same(a: Any, b: Any, path: str = "diagnosis") -> None:
    """Equal values, types, dtypes and nan, all the way down; images apart."""
    if path.endswith(".items"):
        return
    assert type(a) is type(b), path
    if isinstance(a, np.ndarray):
        assert a.dtype == b.dtype, path
        np.testing.assert_array_equal(a, b, err_msg=path)
    elif is_dataclass(a):
        for f in fields(a):
            assert_same(getattr(a, f.name), getattr(b, f.name), f"{path}.{f.name}")
    elif isinstance(a, tuple | list):
        assert len(a) == len(b), path
        for i, (x, y) in enumerate(zip(a, b, strict=True)):
            assert_same(x, y, f"{path}[{i}]")
    elif isinstance(a, dict):
        assert a.keys() == b.keys(), path
        for key in a:
            assert_same(a[key], b[key], f"{path}[{key!r}]")
    else:
        assert a == b or (a != a and b != b), path
