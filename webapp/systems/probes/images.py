"""One image explained: what each class's score is the sum of, the nearest support images, and the texts behind two
classes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import InvalidInput
from core.numbers import signed
from core.records import F64, Diagnosis
from core.systems.probes.records import LogitParts, Neighbours, ProbeResult
from webapp.markup.html import picture
from webapp.markup.shares import own_model
from webapp.state.caches import own_cache
from webapp.systems.probes.render import render

if TYPE_CHECKING:
    from core.systems.probes.zero_shot.similarities import PromptSimilarity

TONES = ("var(--accent)", "var(--hot)", "var(--good)", "var(--ink-3)", "var(--cold)", "var(--bad)")
"""Colors of the parts of a score, in their order."""
MAX_TEXTS = 8
MAX_NEAREST = 6
PLACEHOLDER = re.compile(r"\[v\d+\]")
"""How a learned vector is written in a prompt."""


def checked_place(result: ProbeResult, place: int) -> int:
    """The place if the result has it; raises InvalidInput otherwise."""
    if not 0 <= place < len(result.rows):
        raise InvalidInput(f"This result has samples 0 to {len(result.rows) - 1}: got {place}. Press a sample.")
    return place


def explanation_view(
    diagnosis: Diagnosis, result: ProbeResult, place: int, texts: Sequence[tuple[str, Sequence[PromptSimilarity]]] = ()
) -> str:
    """Everything that is known of why the probe says what it says of one image.

    Args:
        place: in `result.rows`.
        texts: (class, its texts with their cosines) of the true and the predicted class, from `similarities`.
    """
    image, (names, bars) = _image(diagnosis, result, checked_place(result, place)), _bars(result, place)
    near = result.neighbours if result.support is not None else ()
    return render(
        "why.html.j2",
        image=image,
        bars=bars,
        parts=[(name, _tone(i)) for i, name in enumerate(names)],
        neighbours=[(n.affinity, _nearest(diagnosis, result, n, place)) for n in near],
        texts=texts_view(texts),
        mine=own_model(diagnosis),
    )


def _image(diagnosis: Diagnosis, result: ProbeResult, place: int) -> dict[str, Any]:
    """What is known of the image itself, and what both models say of it."""
    names = result.class_names
    outcomes = result.outcomes
    row = int(result.rows[place])
    assert outcomes.predictions is not None
    assert outcomes.scores is not None
    true = int(result.labels[place])
    said = int(outcomes.predictions[place])
    yours = None if diagnosis.outcomes.predictions is None else int(diagnosis.outcomes.predictions[row])
    return {
        "name": diagnosis.samples.ids[row],
        "picture": picture(diagnosis, row),
        "true": names[true],
        "said": names[said],
        "sure": float(outcomes.scores[place, said]),
        "right": true == said,
        "loss": float(outcomes.loss[place]),
        "unit": outcomes.said_unit,
        "yours": "" if yours is None else names[yours],
        "yours_right": yours == true,
    }


def parts_of(result: ProbeResult, place: int) -> tuple[tuple[str, ...], np.ndarray, F64]:
    """(names of the parts, (t,) classes, (parts, t) values), each part centered over the classes shown.

    A softmax does not change when a part adds the same to every class, so the centered values say the same as the raw
    ones and can be seen.
    """
    parts = result.parts if result.parts is not None else _whole(result, place)
    at = place if result.parts is not None else 0
    values = parts.values[:, at].astype(np.float64)
    return parts.names, parts.classes[at], values - values.mean(1, keepdims=True)


def _whole(result: ProbeResult, place: int) -> LogitParts:
    """The score as one part, where a probe has only one: the log of the probabilities."""
    scores = result.outcomes.scores
    assert scores is not None
    true = int(result.labels[place])
    own = np.log(np.maximum(scores[place], 1e-300))
    leading = [c for c in np.argsort(-own, kind="stable").tolist() if c != true][:5]
    classes = np.array([[true, *leading]], np.int64)
    return LogitParts(("score",), classes, own[classes][None].astype(np.float32))


def _bars(result: ProbeResult, place: int) -> tuple[tuple[str, ...], list[dict[str, Any]]]:
    """(the parts' names, a stacked bar for the true class and the leading others): what each part adds to its score,
    beside the mean of those shown."""
    names, classes, values = parts_of(result, place)
    assert result.outcomes.predictions is not None
    said = int(result.outcomes.predictions[place])
    true = int(result.labels[place])
    span = max(float(np.maximum(values, 0).sum(0).max()), float(-np.minimum(values, 0).sum(0).min()), 1e-9)
    bars: list[dict[str, Any]] = []
    for c, own in zip(classes.tolist(), values.T):
        marks = tuple(word for word, holds in (("true", c == true), ("said", c == said)) if holds)
        spoken = ", ".join(f"{name} {signed(v)}" for name, v in zip(names, own.tolist()))
        pieces = _stacked(own, span)
        total = float(own.sum())
        bars.append({"name": result.class_names[c], "marks": marks, "pieces": pieces, "total": total, "spoken": spoken})
    return names, bars


def _stacked(values: F64, span: float) -> tuple[tuple[float, float, str], ...]:
    """(left end, width, color) of the parts of one class, in per cent of the bar's length: from its middle
    positive ones to the right, negative ones to the left."""
    pieces: list[tuple[float, float, str]] = []
    right = left = 50.0
    for i, value in enumerate(values.tolist()):
        width = 50 * abs(value) / span
        pieces.append((right if value >= 0 else left - width, width, _tone(i)))
        right, left = (right + width, left) if value >= 0 else (right, left - width)
    return tuple(pieces)


def _tone(part: int) -> str:
    return TONES[part % len(TONES)]


def _nearest(diagnosis: Diagnosis, result: ProbeResult, near: Neighbours, place: int) -> list[dict[str, Any]]:
    """The images nearest to this one that the probe learned from; those of a pool have no image here."""
    support = result.support
    assert support is not None
    found = [*zip(near.nearest[place].tolist(), near.similarity[place].tolist())][:MAX_NEAREST]
    return [
        {
            "id": support.ids[at],
            "name": support.ids[at].rsplit("/", 1)[-1],
            "picture": picture(diagnosis, int(support.rows[at])) if support.rows[at] >= 0 else "",
            "label": result.class_names[int(support.labels[at])],
            "similarity": similarity,
            "agrees": int(support.labels[at]) == int(result.labels[place]),
        }
        for at, similarity in found
        if at >= 0
    ]


def similarities(diagnosis: Diagnosis, result: ProbeResult, place: int) -> list[tuple[str, list[PromptSimilarity]]]:
    """The texts of the true class and of the said one, or of the strongest other where it is right, by their cosine
    with the image."""
    from core.encoders import load_encoder
    from core.systems.probes.zero_shot.similarities import prompt_similarities

    words = diagnosis.words
    scores = result.outcomes.scores
    if not result.prompts or words is None or not words.encoder or scores is None or any(map(_learned, result.prompts)):
        return []
    true = int(result.labels[checked_place(result, place)])
    other = next(c for c in np.argsort(-scores[place], kind="stable").tolist() if c != true)
    image = words.joint.vectors[int(result.rows[place])]
    said = prompt_similarities(result, image, load_encoder(words.encoder), (true, int(other)), own_cache())
    return [(result.class_names[c], [s for s in said if s.class_index == c]) for c in (true, int(other))]


def _learned(prompts: Sequence[str]) -> bool:
    """Whether learned vectors stand in a class's prompts: these are no texts that could be encoded as they are
    written."""
    return any(PLACEHOLDER.search(text) for text in prompts)


def texts_view(texts: Sequence[tuple[str, Sequence[PromptSimilarity]]]) -> str:
    """The texts that are nearest to the image, of two classes side by side, on one scale; "" without texts."""
    if not texts:
        return ""
    values = [s.cosine for _, own in texts for s in own]
    low = min(values)
    span = max(max(values) - min(values), 1e-9)
    columns: list[tuple[str, list[tuple[PromptSimilarity, float]], int]] = []
    for name, own in texts:
        best = sorted(own, key=lambda s: -s.cosine)[:MAX_TEXTS]
        columns.append((name, [(s, 8 + 92 * (s.cosine - low) / span) for s in best], len(own)))
    return render("texts.html.j2", columns=columns)
