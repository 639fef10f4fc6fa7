"""Class names as a classifier: the mean of each class's encoded texts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from core.arrays import read_arrays
from core.embeddings.texts import encode_texts
from core.encoders import Encoder
from core.encoders.arithmetic import unit, unit_rows
from core.errors import InvalidInput
from core.files import keep_arrays
from core.records import F32, F64, I64, Progress, no_progress
from core.systems.common.named_texts import read_lists
from core.systems.probes.zero_shot.prompt_texts import PromptTexts, make_texts

SCORINGS = ("mean vector", "mean of cosines")
BATCH = 512
"""Texts between two signs of life, which are also the moments at which a run can be canceled."""


def check_weight(weight: float | None) -> None:
    """Refuse a weight of the descriptions that is not a share.

    Raises:
        InvalidInput: it is below 0, above 1 or nan.
    """
    if weight is not None and not 0 <= weight <= 1:  # also refuses nan
        raise InvalidInput(f"description_weight must be 0 to 1, or empty to pool all texts: got {weight:g}.")


@dataclass(frozen=True, slots=True, eq=False)
class TextClassifier:
    """k classes as vectors of the joint space."""

    vectors: F32
    """(k, d) unit rows; shorter ones under scoring "mean of cosines", where a class's score is the mean of the cosines
    with its texts."""
    prompts: tuple[tuple[str, ...], ...]
    """For each class the texts behind its vector."""
    truncated: int = 0
    """Texts that lost their end to the tower's limit."""
    notes: tuple[str, ...] = ()


def text_classifier(
    encoder: Encoder,
    class_names: Sequence[str],
    *,
    description_weight: float | None = None,
    scoring: str = "mean vector",
    cache: Path | None = None,
    progress: Progress = no_progress,
    **settings: Any,
) -> TextClassifier:
    """The classifier that a text tower makes of class names.

    Args:
        description_weight: None pools templates and descriptions before the mean, as SuS-X does ("CuPL+e"; Udandarao et
            al. 2023, arXiv 2211.16198), so that many sentences outweigh few templates; else the weight of the
            descriptions' mean.
        scoring: "mean vector", or "mean of cosines" (Menon & Vondrick 2023, arXiv 2210.07183), which leaves the mean at
            its own length.
        cache: folder where sums of text vectors are kept between runs.
        progress: called as ("encode the class prompts", done, total).
        settings: of the texts, see `core.systems.probes.zero_shot.prompt_texts.make_texts`.

    Raises:
        InvalidInput: a setting, file or text box breaks its rule.
    """
    texts = make_texts(class_names, **settings, modality=encoder.modality)
    check_weight(description_weight)
    total = count_texts(texts.templated) + count_texts(texts.described)
    first = count_texts(texts.templated)
    templated = pool_texts(encoder, texts.templated, cache, after(progress, 0, total))
    described = pool_texts(encoder, texts.described, cache, after(progress, first, total)) if texts.described else None
    return classifier_of(texts, templated, described, description_weight, scoring)


@dataclass(frozen=True, slots=True, eq=False)
class PooledTexts:
    """What is kept of the encoded texts of k classes."""

    sums: F64
    """(k, d) sum of the texts' unit vectors; zeros for a class without texts."""
    counts: I64
    """(k,) texts of each class."""
    truncated: int


def count_texts(prompts: Sequence[Sequence[str]]) -> int:
    """Texts of all classes."""
    return sum(map(len, prompts))


def after(progress: Progress, done_before: int, total: int) -> Progress:
    """The progress of a part of `total` texts that begins after `done_before` of them."""

    def report(step: str, done: int, _: int) -> None:
        progress(step, done_before + done, total)

    return report


def pool_texts(
    encoder: Encoder, prompts: Sequence[Sequence[str]], cache: Path | None = None, progress: Progress = no_progress
) -> PooledTexts:
    """The texts of k classes, in any number by class, encoded in batches and summed by class; the sums are kept in
    `cache`.

    Only sums are held, so that thousands of classes with eighty texts each fit in memory.
    """
    path = _cache_path(encoder, prompts, cache)
    counts = np.array([len(own) for own in prompts], np.int64)
    total = count_texts(prompts)
    if path and (kept := _kept(path)):
        progress("encode the class prompts", total, total)
        return PooledTexts(kept["sums"].astype(np.float64), counts, int(kept["truncated"]))
    flat = [text for own in prompts for text in own]
    of = np.repeat(np.arange(len(prompts)), counts)
    sums: F64 | None = None
    truncated = 0
    for start in range(0, total, BATCH):
        batch = flat[start : start + BATCH]
        vectors = unit_rows(encode_texts(encoder, batch))
        sums = np.zeros((len(prompts), vectors.shape[1])) if sums is None else sums
        np.add.at(sums, of[start : start + BATCH], vectors.astype(np.float64))
        truncated += encoder.count_truncated(batch)
        progress("encode the class prompts", min(start + BATCH, total), total)
    if sums is None:
        raise InvalidInput("There is no text to encode. Give at least one class a template or a description.")
    if path:
        keep_arrays(path, {"sums": sums, "truncated": np.array(truncated)})
    return PooledTexts(sums, counts, truncated)


def _cache_path(encoder: Encoder, prompts: Sequence[Sequence[str]], cache: Path | None) -> Path | None:
    if cache is None:
        return None
    key = hashlib.sha256(json.dumps([encoder.fingerprint, [list(own) for own in prompts]]).encode())
    return cache / "texts" / f"pool-{key.hexdigest()[:32]}.npz"


def _kept(path: Path) -> dict[str, Any] | None:
    try:
        found = read_arrays(path)
        return found if {"sums", "truncated"} <= found.keys() else None
    except (OSError, KeyError, ValueError, BadZipFile, EOFError):
        return None  # none yet, or a damaged one


def class_vectors(
    templated: PooledTexts, described: PooledTexts | None, weight: float | None = None, scoring: str = "mean vector"
) -> tuple[F64, F64]:
    """((k, d), (k, d)) the templates' and the descriptions' share of each class's vector, which is their sum.

    A class without descriptions is its templates alone. With `weight` None both are pooled: each text counts the same.
    Else the means (scaled to length 1 under "mean vector") are weighted 1 - weight and weight.
    """
    if scoring not in SCORINGS:
        raise InvalidInput(f"scoring must be one of {', '.join(SCORINGS)}: got {scoring[:60]!r}.")
    some = np.zeros((len(templated.counts), 1), bool) if described is None else (described.counts > 0)[:, None]
    own = templated.sums, np.zeros_like(templated.sums) if described is None else described.sums
    beside = np.zeros_like(templated.counts) if described is None else described.counts
    counts = templated.counts[:, None], beside[:, None]
    if weight is None:
        first, second = (s / np.maximum(counts[0] + counts[1], 1) for s in own)
    else:
        means = [
            unit(s) if scoring == "mean vector" else s / np.maximum(c, 1) for s, c in zip(own, counts, strict=True)
        ]
        first = np.where(some, 1 - weight, 1.0) * means[0]
        second = np.where(some, weight, 0.0) * means[1]
    if scoring == "mean vector":
        lengths = np.maximum(np.linalg.norm(first + second, axis=1, keepdims=True), 1e-12)
        first = first / lengths
        second = second / lengths
    return first, second


def classifier_of(
    texts: PromptTexts, templated: PooledTexts, described: PooledTexts | None, weight: float | None, scoring: str
) -> TextClassifier:
    """The classifier of encoded texts, with the texts that have a say in it."""
    first, second = class_vectors(templated, described, weight, scoring)
    used = _used(texts, weight)
    truncated = templated.truncated + (0 if described is None else described.truncated)
    notes = texts.notes
    if truncated:
        every = count_texts(texts.templated) + count_texts(texts.described)
        notes += (f"{truncated:,} of {every:,} prompts are longer than the text tower reads and lost their end.",)
    return TextClassifier((first + second).astype(np.float32), used, truncated, notes)


def _used(texts: PromptTexts, weight: float | None) -> tuple[tuple[str, ...], ...]:
    if not texts.described:
        return texts.templated
    pairs = zip(texts.templated, texts.described, strict=True)
    if weight == 1:
        return tuple(described or templated for templated, described in pairs)
    return tuple(templated if weight == 0 else templated + described for templated, described in pairs)


def mean_vectors(encoder: Encoder, prompts: Sequence[Sequence[str]], cache: Path | None = None) -> F32:
    """(k, d) for each class the mean of its prompts' unit vectors, scaled to length 1 again, as in CLIP's released
    code."""
    return unit_rows(pool_texts(encoder, prompts, cache).sums)


def text_count(templates: str, own_templates: str = "", descriptions: str = "") -> tuple[float, float]:
    """(templates, descriptions) of a class, for an estimate of time; a file that cannot be read counts as 10
    descriptions."""
    fixed = {"simple": 1, "7": 7, "80": 80}
    first = fixed.get(templates, max(1, len(own_templates.split("\n"))))
    if not descriptions.strip():
        return first, 0.0
    try:
        lists = read_lists(descriptions, "descriptions")
    except InvalidInput:
        return first, 10.0
    return first, count_texts(tuple(lists.values())) / len(lists)
