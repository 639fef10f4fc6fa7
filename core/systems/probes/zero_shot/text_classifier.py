"""Class names as a classifier: the mean of each class's encoded texts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
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
BATCH_TEXTS = 512
"""Texts between two progress reports; a run can be canceled at each report."""


def check_weight(weight: float | None) -> None:
    """Refuse a weight of the descriptions outside 0 to 1.

    Raises:
        InvalidInput: the weight is below 0, above 1 or nan.
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
    """For each class the texts of its vector."""
    truncated: int = 0
    """Texts truncated to the tower's limit."""
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
    """Encode class names into a classifier.

    Args:
        description_weight: None pools templates and descriptions before the mean, as SuS-X does ("CuPL+e"; Udandarao et
            al. 2023, arXiv 2211.16198), so that many sentences outweigh few templates; else the weight of the
            descriptions' mean.
        scoring: "mean vector", or "mean of cosines" (Menon & Vondrick 2023, arXiv 2210.07183), which leaves the mean at
            its own length.
        cache: folder for sums of text vectors, kept between runs.
        progress: called as ("Encoding class prompts", done, total).
        settings: of the texts, see `core.systems.probes.zero_shot.prompt_texts.make_texts`.

    Raises:
        InvalidInput: a setting, file or text box breaks its rule.
    """
    texts = make_texts(class_names, **settings, modality=encoder.modality)
    check_weight(description_weight)
    n_templated = count_texts(texts.templated)
    total = n_templated + count_texts(texts.described)
    templated = pool_texts(encoder, texts.templated, cache, after(progress, 0, total))
    described = None
    if texts.described:
        described = pool_texts(encoder, texts.described, cache, after(progress, n_templated, total))
    return classifier_of(texts, templated, described, description_weight, scoring)


@dataclass(frozen=True, slots=True, eq=False)
class PooledTexts:
    """Sums over the encoded texts of k classes."""

    sums: F64
    """(k, d) sum of the texts' unit vectors; zeros for a class without texts."""
    counts: I64
    """(k,) texts of each class."""
    truncated: int


def count_texts(prompts: Sequence[Sequence[str]]) -> int:
    """Texts of all classes."""
    return sum(map(len, prompts))


def after(progress: Progress, done_before: int, total: int) -> Progress:
    """Progress for a part of `total` texts that starts after `done_before` texts."""

    def report(step: str, done: int, _: int) -> None:
        progress(step, done_before + done, total)

    return report


def pool_texts(
    encoder: Encoder, prompts: Sequence[Sequence[str]], cache: Path | None = None, progress: Progress = no_progress
) -> PooledTexts:
    """The texts of k classes, any number for each, encoded in batches and summed by class; `cache` stores the sums.

    Only sums are kept, so that thousands of classes with eighty texts each fit in memory.
    """
    path = None
    if cache is not None:
        key = hashlib.sha256(json.dumps([encoder.fingerprint, [list(texts) for texts in prompts]]).encode())
        path = cache / "texts" / f"pool-{key.hexdigest()[:32]}.npz"
    counts = np.array([len(texts) for texts in prompts], np.int64)
    total = count_texts(prompts)
    saved = _read_sums(path)
    if saved is not None:
        progress("Encoding class prompts", total, total)
        return PooledTexts(saved["sums"].astype(np.float64), counts, int(saved["truncated"]))
    flat = list(chain.from_iterable(prompts))
    class_of = np.repeat(np.arange(len(prompts)), counts)
    sums: F64 | None = None
    truncated = 0
    for start in range(0, total, BATCH_TEXTS):
        batch = flat[start : start + BATCH_TEXTS]
        vectors = unit_rows(encode_texts(encoder, batch))
        if sums is None:
            sums = np.zeros((len(prompts), vectors.shape[1]))
        np.add.at(sums, class_of[start : start + BATCH_TEXTS], vectors.astype(np.float64))
        truncated += encoder.count_truncated(batch)
        progress("Encoding class prompts", min(start + BATCH_TEXTS, total), total)
    if sums is None:
        raise InvalidInput("The classes have no text to encode. Add a template or a description for at least one.")
    if path is not None:
        keep_arrays(path, {"sums": sums, "truncated": np.array(truncated)})
    return PooledTexts(sums, counts, truncated)


def _read_sums(path: Path | None) -> dict[str, Any] | None:
    """The arrays of the cache file; None without one or for a damaged one."""
    if path is None:
        return None
    try:
        arrays = read_arrays(path)
    except (OSError, KeyError, ValueError, BadZipFile, EOFError):
        return None
    if {"sums", "truncated"} <= arrays.keys():
        return arrays
    return None


def class_vectors(
    templated: PooledTexts, described: PooledTexts | None, weight: float | None = None, scoring: str = "mean vector"
) -> tuple[F64, F64]:
    """((k, d), (k, d)) the shares of templates and descriptions in each class's vector, which is their sum.

    A class without descriptions uses its templates alone. With `weight` None both are pooled: each text counts the
    same. Otherwise the means (scaled to length 1 under "mean vector") are weighted 1 - weight and weight.
    """
    if scoring not in SCORINGS:
        raise InvalidInput(f"scoring must be one of {', '.join(SCORINGS)}: got {scoring[:60]!r}.")
    if described is None:
        described = PooledTexts(np.zeros_like(templated.sums), np.zeros_like(templated.counts), 0)
    n_templated = templated.counts[:, None]
    n_described = described.counts[:, None]
    if weight is None:
        n = np.maximum(n_templated + n_described, 1)
        first = templated.sums / n
        second = described.sums / n
    else:
        if scoring == "mean vector":
            first = unit(templated.sums)
            second = unit(described.sums)
        else:
            first = templated.sums / np.maximum(n_templated, 1)
            second = described.sums / np.maximum(n_described, 1)
        has_descriptions = n_described > 0
        first = np.where(has_descriptions, 1 - weight, 1.0) * first
        second = np.where(has_descriptions, weight, 0.0) * second
    if scoring == "mean vector":
        lengths = np.maximum(np.linalg.norm(first + second, axis=1, keepdims=True), 1e-12)
        first = first / lengths
        second = second / lengths
    return first, second


def classifier_of(
    texts: PromptTexts, templated: PooledTexts, described: PooledTexts | None, weight: float | None, scoring: str
) -> TextClassifier:
    """The classifier of encoded texts, with the texts that count in it."""
    first, second = class_vectors(templated, described, weight, scoring)
    truncated = templated.truncated
    if described is not None:
        truncated += described.truncated
    notes = texts.notes
    if truncated:
        total = count_texts(texts.templated) + count_texts(texts.described)
        notes += (f"The text tower truncated {truncated:,} of {total:,} prompts.",)
    return TextClassifier((first + second).astype(np.float32), _used(texts, weight), truncated, notes)


def _used(texts: PromptTexts, weight: float | None) -> tuple[tuple[str, ...], ...]:
    """For each class the texts with a weight above 0."""
    if not texts.described or weight == 0:
        return texts.templated
    pairs = zip(texts.templated, texts.described, strict=True)
    if weight == 1:
        return tuple(described or templated for templated, described in pairs)
    return tuple(templated + described for templated, described in pairs)


def mean_vectors(encoder: Encoder, prompts: Sequence[Sequence[str]], cache: Path | None = None) -> F32:
    """(k, d) the mean of each class's unit prompt vectors, scaled to length 1 again, as in CLIP's released code."""
    return unit_rows(pool_texts(encoder, prompts, cache).sums)


def text_count(templates: str, own_templates: str = "", descriptions: str = "") -> tuple[float, float]:
    """(templates, descriptions) of a class, for an estimate of time; an unreadable file counts as 10 descriptions."""
    n_templates = {"simple": 1, "7": 7, "80": 80}.get(templates, max(1, len(own_templates.split("\n"))))
    if not descriptions.strip():
        return n_templates, 0.0
    try:
        lists = read_lists(descriptions, "descriptions")
    except InvalidInput:
        return n_templates, 10.0
    return n_templates, count_texts(tuple(lists.values())) / len(lists)
