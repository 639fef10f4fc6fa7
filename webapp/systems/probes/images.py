"""Explanation of one image: the summands of each class's score, the nearest support images, and the texts of two
classes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import InvalidInput
from core.numbers import signed
from core.records import F64, Diagnosis
from core.systems.probes.records import Neighbours, ProbeResult
from webapp.markup.html import shown
from webapp.markup.shares import own_model
from webapp.state.caches import own_cache
from webapp.systems.probes.render import render

if TYPE_CHECKING:
    from core.systems.probes.zero_shot.similarities import PromptSimilarity

TONES = ("var(--accent)", "var(--hot)", "var(--good)", "var(--ink-3)", "var(--cold)", "var(--bad)")
"""Colors of the parts of a score, in order."""
MAX_TEXTS = 8
MAX_NEAREST = 6
LEARNED_VECTOR = re.compile(r"\[v\d+\]")
"""A learned vector as written in a prompt."""


def explanation_view(
    diagnosis: Diagnosis, result: ProbeResult, index: int, texts: Sequence[tuple[str, Sequence[PromptSimilarity]]] = ()
) -> str:
    """Everything that explains the probe's prediction for one image.

    Args:
        index: in `result.rows`.
        texts: (class, its texts with their cosines) of the true and the predicted class, from `similarities`.
    """
    _check_index(result, index)
    names, bars = _bars(result, index)
    neighbours = result.neighbours if result.support is not None else ()
    return render(
        "why.html.j2",
        image=_image(diagnosis, result, index),
        bars=bars,
        parts=[(name, _tone(i)) for i, name in enumerate(names)],
        neighbours=[(near.affinity, _nearest(diagnosis, result, near, index)) for near in neighbours],
        texts=texts_view(texts),
        mine=own_model(diagnosis),
    )


def _check_index(result: ProbeResult, index: int) -> None:
    if not 0 <= index < len(result.rows):
        raise InvalidInput(f"This result has samples 0 to {len(result.rows) - 1}: got {index}. Press a sample.")


def _image(diagnosis: Diagnosis, result: ProbeResult, index: int) -> dict[str, Any]:
    """The image, its class, and the predictions of both models."""
    names = result.class_names
    outcomes = result.outcomes
    row = int(result.rows[index])
    assert outcomes.predictions is not None
    assert outcomes.scores is not None
    true = int(result.labels[index])
    predicted = int(outcomes.predictions[index])
    yours = None
    if diagnosis.outcomes.predictions is not None:
        yours = int(diagnosis.outcomes.predictions[row])
    thumbnail, text = shown(diagnosis, row)
    return {
        "name": diagnosis.samples.ids[row],
        "picture": thumbnail,
        "text": text,
        "true": names[true],
        "predicted": names[predicted],
        "confidence": float(outcomes.scores[index, predicted]),
        "right": true == predicted,
        "loss": float(outcomes.loss[index]),
        "unit": outcomes.said_unit,
        "yours": "" if yours is None else names[yours],
        "yours_right": yours == true,
    }


def parts_of(result: ProbeResult, index: int) -> tuple[tuple[str, ...], np.ndarray, F64]:
    """(names of the parts, (t,) classes, (parts, t) values), each part centered over the classes shown.

    A softmax does not change when a part adds the same to every class, so centered values mean the same as raw ones and
    are visible. A probe without parts has one: the log of its probabilities.
    """
    if result.parts is not None:
        names = result.parts.names
        classes = result.parts.classes[index]
        values = result.parts.values[:, index].astype(np.float64)
    else:
        scores = result.outcomes.scores
        assert scores is not None
        true = int(result.labels[index])
        log_p = np.log(np.maximum(scores[index], 1e-300))
        leading = [c for c in np.argsort(-log_p, kind="stable").tolist() if c != true][:5]
        names = ("score",)
        classes = np.array([true, *leading], np.int64)
        values = log_p[classes][None].astype(np.float32).astype(np.float64)
    return names, classes, values - values.mean(1, keepdims=True)


def _bars(result: ProbeResult, index: int) -> tuple[tuple[str, ...], list[dict[str, Any]]]:
    """(names of the parts, stacked bars of the true class and the leading others): each part's contribution to the
    score, relative to the mean of the classes shown."""
    names, classes, values = parts_of(result, index)
    assert result.outcomes.predictions is not None
    predicted = int(result.outcomes.predictions[index])
    true = int(result.labels[index])
    span = max(float(np.maximum(values, 0).sum(0).max()), float(-np.minimum(values, 0).sum(0).min()), 1e-9)
    bars: list[dict[str, Any]] = []
    for c, contributions in zip(classes.tolist(), values.T):
        marks: list[str] = []
        if c == true:
            marks.append("true")
        if c == predicted:
            marks.append("predicted")
        spoken = ", ".join(f"{name} {signed(v)}" for name, v in zip(names, contributions.tolist()))
        pieces = _stacked(contributions, span)
        total = float(contributions.sum())
        bars.append({"name": result.class_names[c], "marks": marks, "pieces": pieces, "total": total, "spoken": spoken})
    return names, bars


def _stacked(values: F64, span: float) -> tuple[tuple[float, float, str], ...]:
    """(left end, width, color) of the parts of one class, in percent of the bar: positive parts from the middle to the
    right, negative ones to the left."""
    pieces: list[tuple[float, float, str]] = []
    right = left = 50.0
    for i, value in enumerate(values.tolist()):
        width = 50 * abs(value) / span
        if value >= 0:
            pieces.append((right, width, _tone(i)))
            right += width
        else:
            left -= width
            pieces.append((left, width, _tone(i)))
    return tuple(pieces)


def _tone(part: int) -> str:
    return TONES[part % len(TONES)]


def _nearest(diagnosis: Diagnosis, result: ProbeResult, near: Neighbours, index: int) -> list[dict[str, Any]]:
    """The nearest images that the probe learned from; those of a pool cannot be shown here."""
    support = result.support
    assert support is not None
    tiles: list[dict[str, Any]] = []
    nearest = zip(near.nearest[index].tolist(), near.similarity[index].tolist())
    for at, similarity in islice(nearest, MAX_NEAREST):
        if at < 0:
            continue
        row = int(support.rows[at])
        thumbnail, text = "", ""
        if row >= 0:
            thumbnail, text = shown(diagnosis, row)
        tiles.append(
            {
                "id": support.ids[at],
                "name": support.ids[at].rsplit("/", 1)[-1],
                "picture": thumbnail,
                "text": text,
                "label": result.class_names[int(support.labels[at])],
                "similarity": similarity,
                "agrees": int(support.labels[at]) == int(result.labels[index]),
            }
        )
    return tiles


def similarities(diagnosis: Diagnosis, result: ProbeResult, index: int) -> list[tuple[str, list[PromptSimilarity]]]:
    """The texts of the true class and of the predicted class, or of the strongest other where the probe is right, by
    cosine with the image."""
    from core.encoders import load_encoder
    from core.systems.probes.zero_shot.similarities import prompt_similarities

    words = diagnosis.words
    scores = result.outcomes.scores
    if not result.prompts or words is None or not words.encoder or scores is None:
        return []
    if any(LEARNED_VECTOR.search(text) for text in chain.from_iterable(result.prompts)):
        return []  # learned vectors are not texts that can be encoded
    _check_index(result, index)
    true = int(result.labels[index])
    second = next(c for c in np.argsort(-scores[index], kind="stable").tolist() if c != true)
    image = words.joint.vectors[int(result.rows[index])]
    texts = prompt_similarities(result, image, load_encoder(words.encoder), (true, int(second)), own_cache())
    return [(result.class_names[c], [s for s in texts if s.class_index == c]) for c in (true, int(second))]


def texts_view(texts: Sequence[tuple[str, Sequence[PromptSimilarity]]]) -> str:
    """The texts of two classes nearest to the image, side by side on one scale; "" without texts."""
    if not texts:
        return ""
    cosines = [s.cosine for s in chain.from_iterable(texts_of_class for _, texts_of_class in texts)]
    low = min(cosines)
    span = max(max(cosines) - low, 1e-9)
    columns: list[tuple[str, list[tuple[PromptSimilarity, float]], int]] = []
    for name, texts_of_class in texts:
        nearest = sorted(texts_of_class, key=lambda s: -s.cosine)[:MAX_TEXTS]
        columns.append((name, [(s, 8 + 92 * (s.cosine - low) / span) for s in nearest], len(texts_of_class)))
    return render("texts.html.j2", columns=columns)
