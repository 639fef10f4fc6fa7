"""One image explained, as markup: what each class's score is the sum of, the nearest support images, and the texts
behind two classes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import InvalidInput
from core.numbers import number, percent, signed
from core.records import F64, Diagnosis, LogitParts, Neighbours, ProbeResult
from webapp.markup.html import esc, picture

TONES = ("var(--accent)", "var(--hot)", "var(--good)", "var(--ink-3)", "var(--cold)", "var(--bad)")
"""Colours of the parts of a score, in their order."""
MAX_TEXTS = 8
NEAREST = 6
PLACEHOLDER = re.compile(r"\[v\d+\]")
"""How a learned vector is written in a prompt."""


@dataclass(frozen=True, slots=True)
class TextSimilarity:
    """One text of a class and its cosine with the image."""

    text: str
    cosine: float


def checked_place(result: ProbeResult, place: int) -> int:
    """The place if the result has it; raises InvalidInput otherwise."""
    if not 0 <= place < len(result.rows):
        raise InvalidInput(f"This result has images 0 to {len(result.rows) - 1}: got {place}. Press a picture.")
    return place


def explanation_view(
    diagnosis: Diagnosis, result: ProbeResult, place: int, texts: Sequence[tuple[str, Sequence[TextSimilarity]]] = ()
) -> str:
    """Everything that is known of why the probe says what it says of one image.

    Args:
        place: in `result.rows`.
        texts: (class, its texts with their cosines) of the true and the predicted class, from `similarities`.
    """
    row = int(result.rows[checked_place(result, place)])
    return (
        '<article class="answer probe-why" aria-live="polite"><h3 class="pane-title" tabindex="-1">Why this one</h3>'
        f"{_facts(diagnosis, result, place, row)}{parts_view(result, place)}{neighbours_view(diagnosis, result, place)}{texts_view(texts)}</article>"
    )


def _facts(diagnosis: Diagnosis, result: ProbeResult, place: int, row: int) -> str:
    names, outcomes = result.class_names, result.outcomes
    assert outcomes.predictions is not None
    assert outcomes.scores is not None
    true, said = int(result.labels[place]), int(outcomes.predictions[place])
    source = picture(diagnosis, row)
    face = (
        f'<img src="{source}" alt="{esc(diagnosis.samples.ids[row])}">'
        if source
        else '<span class="no-picture">no picture</span>'
    )
    model = ""
    if diagnosis.outcomes.predictions is not None:
        mine = int(diagnosis.outcomes.predictions[row])
        model = f"<dt>Your model</dt><dd>{esc(names[mine])} {_mark(mine == true)}</dd>"
    return (
        f'<div class="why-top">{face}<dl><dt>Image</dt><dd>{esc(diagnosis.samples.ids[row])}</dd>'
        f"<dt>True class</dt><dd>{esc(names[true])}</dd>{model}"
        f"<dt>The probe</dt><dd>{esc(names[said])}, {percent(float(outcomes.scores[place, said]))} sure "
        f"{_mark(true == said)}</dd>"
        f"<dt>Its loss</dt><dd>{number(float(outcomes.loss[place]))} {esc(outcomes.unit)}</dd></dl></div>"
    )


def _mark(right: bool) -> str:
    return '<span class="outcome held">right</span>' if right else '<span class="outcome bad">wrong</span>'


def parts_of(result: ProbeResult, place: int) -> tuple[tuple[str, ...], np.ndarray, F64]:
    """(names of the parts, (t,) classes, (parts, t) values), each part centred over the classes shown.

    A softmax does not change when a part adds the same to every class, so the centred values say the same as the raw
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
    true, own = int(result.labels[place]), np.log(np.maximum(scores[place], 1e-300))
    leading = [c for c in np.argsort(-own, kind="stable").tolist() if c != true][:5]
    classes = np.array([[true, *leading]], np.int64)
    return LogitParts(("score",), classes, own[classes][None].astype(np.float32))


def parts_view(result: ProbeResult, place: int) -> str:
    """One stacked bar for the true class and the leading others: what each part adds to its score, beside the mean of
    those shown."""
    names, classes, values = parts_of(result, place)
    totals = values.sum(0)
    assert result.outcomes.predictions is not None
    said, true = int(result.outcomes.predictions[place]), int(result.labels[place])
    span = max(float(np.maximum(values, 0).sum(0).max()), float(-np.minimum(values, 0).sum(0).min()), 1e-9)
    rows = ""
    for t in range(classes.shape[0]):
        c = int(classes[t])
        mark = "".join(f" <em>{word}</em>" for word, holds in (("true", c == true), ("said", c == said)) if holds)
        spoken = ", ".join(f"{n} {signed(float(v))}" for n, v in zip(names, values[:, t]))
        rows += (
            f'<div class="part-row"><span>{esc(result.class_names[c])}{mark}</span>{_bar(values[:, t], span)}'
            f'<span class="dot-said" title="{esc(spoken)}">{signed(float(totals[t]))}</span></div>'
        )
    key = "".join(
        f'<span><i style="background:{TONES[i % len(TONES)]}"></i>{esc(n)}</span>' for i, n in enumerate(names)
    )
    note = (
        "Each bar is a class’s score beside the mean of those shown: to the right speaks for it, "
        "to the left against it. The longest sum wins."
    )
    return (
        f'<h4>What the scores are made of</h4><p class="muted small-note">{note}</p><div '
        f'class="parts">{rows}</div><p class="seg-key">{key}</p>'
    )


def _bar(values: F64, span: float) -> str:
    """The parts of one class stacked from the middle: positive ones to the right, negative ones to the left."""
    drawn, right, left = "", 50.0, 50.0
    for i, value in enumerate(values.tolist()):
        width = 50 * abs(value) / span
        start = right if value >= 0 else left - width
        right, left = (right + width, left) if value >= 0 else (right, left - width)
        drawn += f'<i style="left:{start:.2f}%;width:{width:.2f}%;background:{TONES[i % len(TONES)]}"></i>'
    return f'<span class="part-bar" aria-hidden="true">{drawn}</span>'


def neighbours_view(diagnosis: Diagnosis, result: ProbeResult, place: int) -> str:
    """The nearest support images by each affinity side by side; "" where the probe learned from none."""
    if result.support is None or not result.neighbours:
        return ""
    columns = "".join(
        f"<section><h5>By {esc(n.affinity)}</h5>{_nearest(diagnosis, result, n, place)}</section>"
        for n in result.neighbours
    )
    return f'<h4>Nearest images that it learned from</h4><div class="affinities">{columns}</div>'


def _nearest(diagnosis: Diagnosis, result: ProbeResult, near: Neighbours, place: int) -> str:
    support, tiles = result.support, ""
    assert support is not None
    true = int(result.labels[place])
    for at, similarity in list(zip(near.nearest[place].tolist(), near.similarity[place].tolist()))[:NEAREST]:
        if at < 0:
            continue
        label, row = int(support.labels[at]), int(support.rows[at])
        name = result.class_names[label]
        source = picture(diagnosis, row) if row >= 0 else ""
        ident = support.ids[at].rsplit("/", 1)[-1]
        face = (
            f'<img src="{source}" alt="{esc(name)}" loading="lazy">'
            if source
            else f'<span class="no-picture">{esc(ident)}</span>'
        )
        agrees = " agrees" if label == true else ""
        tiles += (
            f'<figure class="tile{agrees}" title="{esc(support.ids[at])}">{face}<figcaption '
            f'class="tile-foot"><b>{number(similarity)}</b>'
            f"<span>{esc(name)}</span></figcaption></figure>"
        )
    return f'<div class="gallery">{tiles}</div>' if tiles else '<p class="muted">None.</p>'


def similarities(diagnosis: Diagnosis, result: ProbeResult, place: int) -> list[tuple[str, list[TextSimilarity]]]:
    """The texts of the true class and of the said one, or of the strongest other where it is right, by their cosine
    with the image."""
    from core.embeddings.cache import default_cache
    from core.encoders import load_encoder
    from core.probes.zero_shot.similarities import prompt_similarities

    words, scores = diagnosis.words, result.outcomes.scores
    if not result.prompts or words is None or not words.encoder or scores is None or any(map(_learned, result.prompts)):
        return []
    true = int(result.labels[checked_place(result, place)])
    other = next(c for c in np.argsort(-scores[place], kind="stable").tolist() if c != true)
    image = words.joint.vectors[int(result.rows[place])]
    said = prompt_similarities(result, image, load_encoder(words.encoder), (true, int(other)), default_cache())
    return [
        (result.class_names[c], [TextSimilarity(s.text, s.cosine) for s in said if s.class_index == c])
        for c in (true, int(other))
    ]


def _learned(prompts: Sequence[str]) -> bool:
    """Whether learned vectors stand in a class's prompts: these are no texts that could be encoded as they are
    written."""
    return any(PLACEHOLDER.search(text) for text in prompts)


def texts_view(texts: Sequence[tuple[str, Sequence[TextSimilarity]]]) -> str:
    """The texts that are nearest to the image, of two classes side by side, on one scale."""
    if not texts:
        return ""
    values = [s.cosine for _, own in texts for s in own]
    low, span = min(values), max(max(values) - min(values), 1e-9)
    columns = ""
    for name, own in texts:
        best = sorted(own, key=lambda s: -s.cosine)
        rows = "".join(
            f'<li><span>{esc(s.text)}</span><span class="bar" aria-hidden="true"><i '
            f'style="width:{8 + 92 * (s.cosine - low) / span:.0f}%"></i></span>'
            f"<b>{number(s.cosine, 3)}</b></li>"
            for s in best[:MAX_TEXTS]
        )
        more = (
            f'<p class="muted small-note">The nearest {MAX_TEXTS} of {len(best)}.</p>' if len(best) > MAX_TEXTS else ""
        )
        columns += f'<section><h5>{esc(name)}</h5><ol class="text-list">{rows}</ol>{more}</section>'
    return f'<h4>Its texts, by their cosine with the image</h4><div class="affinities">{columns}</div>'
