"""Classification by descriptions of the classes instead of examples, with the effect of their wording."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import ClassVar

import numpy as np

from core.embeddings.texts import encode_texts
from core.encoders import Encoder
from core.encoders.arithmetic import unit, unit_rows
from core.errors import InvalidInput
from core.language.grammar import spoken_names
from core.language.prompts import synonyms_of
from core.language.speech import SPEECH
from core.options import setting
from core.records import F64, I64
from core.systems.common.class_descriptions import (
    Pattern,
    of_classes,
    read_descriptions,
    read_patterns,
    read_words,
    terms_of,
)
from core.systems.probes.base import Needs, ProbeInput, Scored, logit_scale_of
from core.systems.probes.records import Choice
from core.systems.probes.zero_shot.tuned_texts import LEARNING_RATE, STEPS, halves_of, tuned_texts

WAYS = ("descriptions", "patterns", "names", "tuned")
SHUFFLES = 20
"""Repeats of the control with shuffled descriptions: a convention."""
SECONDS_PER_TEXT = 0.004
"""CPU seconds of the embedded encoder's text tower on one core for a pattern or a description."""
LOADING_SECONDS = 4.0
"""CPU seconds to load that tower."""
SECONDS_PER_SAMPLE = 0.025
"""CPU seconds to encode a text of fifty words with the tuned encoder, in torch."""
WORDED = "one word in each pattern"
TUNED = "one word in each pattern, tuned"
SHUFFLED = "shuffled descriptions"
_TUNED = (
    "Errata tuned the upper half of the text encoder on the descriptions, all patterns at once, without the samples "
    "and their labels."
)
TUNED_FORM = {
    "text": f"{_TUNED} It then encoded every text again. Nothing is random.",
    "image": f"{_TUNED} The images kept their vectors. Nothing is random.",
}
DUAL_FORM = (
    "This is the dual-encoder form of label descriptions: cosines with the run's vectors, without training. "
    "The command `learn` trains a language model."
)


@dataclass(frozen=True)
class DescribedLabels:
    """Cosine of a sample with the mean vector of each class's descriptions, compared with the class's bare name and one
    word for it in fourteen patterns.

    Source: Gao et al. 2023 (EMNLP, arXiv 2305.02239), who train a masked language model on the descriptions and report
    the mean and the spread over patterns. Ours is the form for an encoder with a joint space, without training: the
    centroid of the descriptions replaces it; or the upper half of the text encoder is tuned on the descriptions. The
    control shuffles the descriptions among the classes, which keep their numbers.
    """

    title: ClassVar[str] = "Label descriptions"
    what: ClassVar[str] = (
        "Descriptions of each class (related terms, a dictionary's line, sentences) instead of examples, compared with "
        "bare names and fourteen wordings; for texts and images."
    )
    source: ClassVar[str] = "Gao et al. 2023, EMNLP, arXiv 2305.02239 (dual-encoder form)"

    descriptions: str = setting(
        "", "JSON file or text with a list of texts for each class; or a manual_24.tsv", kind="file"
    )
    order: str = setting("", "classes in the order of a manual_24.tsv's numbers, as in: negative, positive")
    words: str = setting("", 'word of each class in the patterns, one a line, as in "negative: awful"', kind="text")
    patterns: str = setting(
        "auto",
        "fourteen wordings of topics, sentiments or photographs, or your own (auto: by the kind of samples)",
        choices=("auto", "topic", "sentiment", "photo", "own"),
    )
    own_patterns: str = setting("", "your own patterns, one a line, each with <mask> for the word", kind="text")
    by: str = setting(
        "descriptions",
        "classification by descriptions, patterns or names, the others as controls; tuned: patterns with a tuned "
        "encoder (minilm and embedded only)",
        choices=WAYS,
        advanced=True,
    )
    lr: float = setting(LEARNING_RATE, "learning rate of tuned", low=1e-7, high=1e-2, advanced=True)
    steps: int = setting(STEPS, "steps of tuned, all descriptions in each", low=1, high=100, advanced=True)
    shuffles: int = setting(
        SHUFFLES, "repeats of the control with shuffled descriptions", low=0, high=200, advanced=True
    )

    def __post_init__(self) -> None:
        if self.patterns == "own":
            read_patterns(self.own_patterns)

    def needs(self) -> Needs:
        """Nothing but names."""
        return Needs()

    def estimate(self, n: int, k: int, folds: int) -> float:
        """CPU seconds: the texts dominate. A file is not read but counts as thirty texts a class."""
        texts = k * (1 + 14 + (30 if self.descriptions.strip() else 3))
        tuning = 0.0
        if self.by == "tuned":
            tuning = SECONDS_PER_SAMPLE * n + 4 * SECONDS_PER_TEXT * self.steps * texts
        return LOADING_SECONDS + SECONDS_PER_TEXT * texts + 2e-9 * n * k * 512 + tuning

    def run(self, part: ProbeInput) -> Scored:
        """Cosines at the encoder's scale, with the other classifications as controls.

        Raises:
            InvalidInput: a file cannot be used, or `by` is "tuned" and the encoder cannot be tuned.
        """
        halves = None
        if self.by == "tuned":
            halves = halves_of(part.encoder)  # refused before anything is encoded
        texts_of_class, terms, notes = self._descriptions(part)
        words = read_words(self.words, part.class_names, terms)
        patterns = self._patterns(part.encoder)
        spoken = spoken_names(part.class_names)
        described = tuple(texts or (name,) for texts, name in zip(texts_of_class, spoken))
        vectors = _Vectors.of(part, words, patterns, described)
        features = part.test.features.astype(np.float64)
        controls = self._controls(features, vectors, part.seed)
        filled = tuple(tuple(pattern.filled(word) for pattern in patterns) for word in words)
        choices = [Choice("patterns", float(len(patterns)), "given" if self.patterns == "own" else "fixed")]
        form = DUAL_FORM
        prompts = filled
        if halves is not None:
            by_pattern = tuple(zip(*filled, strict=True))
            tuned = tuned_texts(part, halves, described, by_pattern, lr=self.lr, steps=self.steps)
            cosines = tuned.features @ unit(tuned.filled.mean(0)).T
            form = TUNED_FORM[part.encoder.modality]
            controls[TUNED] = np.stack([_nearest(tuned.features, centers) for centers in tuned.filled])
            for name, value, default in (("lr", self.lr, LEARNING_RATE), ("steps", self.steps, STEPS)):
                choices.append(Choice(name, float(value), "fixed" if value == default else "given"))
        elif self.by == "descriptions":
            cosines = features @ vectors.centroids().T
            prompts = described
        elif self.by == "patterns":
            cosines = features @ unit(vectors.filled.mean(0)).T
        else:
            cosines = features @ vectors.names.T
            prompts = tuple((name,) for name in spoken)
        encoded = list(chain.from_iterable((*described, *filled)))
        truncated = part.encoder.count_truncated(encoded)
        if truncated:
            notes += (f"The text tower truncated {truncated:,} of {len(encoded):,} descriptions and filled patterns.",)
        pattern_names = tuple(pattern.name for pattern in patterns)
        rows = zip(part.class_names, words, described, strict=True)
        return Scored(
            logit_scale_of(part.encoder) * cosines,
            controls=controls,
            repeats={key: pattern_names for key in (WORDED, TUNED) if key in controls},
            choices=tuple(choices),
            prompts=prompts,
            details={
                "Classes": [{"class": name, "word": word, "descriptions": len(texts)} for name, word, texts in rows],
                "Truncated texts": truncated,
            },
            notes=(form, *notes),
        )

    def _controls(self, features: F64, vectors: _Vectors, seed: int) -> dict[str, I64]:
        """Predictions of the other classifications without tuning."""
        controls: dict[str, I64] = {}
        if self.by != "names":
            controls["bare names"] = _nearest(features, vectors.names)[None]
        controls[WORDED] = np.stack([_nearest(features, centers) for centers in vectors.filled])
        if self.by != "descriptions":
            controls["descriptions"] = _nearest(features, vectors.centroids())[None]
        if self.shuffles:
            rng = np.random.default_rng([seed, 11])
            controls[SHUFFLED] = np.stack([_nearest(features, vectors.centroids(rng)) for _ in range(self.shuffles)])
        return controls

    def _descriptions(self, part: ProbeInput) -> tuple[tuple[tuple[str, ...], ...], tuple[str, ...], tuple[str, ...]]:
        """(descriptions of each class, term of each class, notes)."""
        if self.descriptions.strip():
            file = read_descriptions(self.descriptions)
            described, notes = of_classes(file, part.class_names, self.order)
            return described, terms_of(file, described), notes
        if self.order.strip():
            raise InvalidInput("order is for a file of descriptions with numbers, and there is none. Add descriptions.")
        note = (
            "Without descriptions, each class is described by its name alone and in a sentence (also with other names "
            "from WordNet). Add your own: related terms, a dictionary's line, sentences."
        )
        return proposed(part.class_names, part.encoder.modality), ("",) * len(part.class_names), (note,)

    def _patterns(self, encoder: Encoder) -> tuple[Pattern, ...]:
        if self.patterns == "own":
            return read_patterns(self.own_patterns)
        if self.patterns == "auto":
            return read_patterns(SPEECH[encoder.modality].class_patterns)
        return read_patterns(self.patterns)


def _nearest(features: F64, centres: F64) -> I64:
    """(m,) the class of the nearest of (k, d) centers."""
    return (features @ centres.T).argmax(1).astype(np.int64)


def proposed(class_names: Sequence[str], modality: str) -> tuple[tuple[str, ...], ...]:
    """Default descriptions: the name, for images also its synonyms, and each in a sentence."""
    synonyms: Mapping[str, Sequence[str]] = {}
    if modality == "image":
        synonyms = synonyms_of(class_names)
    speech = SPEECH[modality]
    described = list[tuple[str, ...]]()
    for name, spoken in zip(class_names, spoken_names(class_names)):
        terms = (spoken, *spoken_names(synonyms.get(name, ())))
        described.append((*terms, *(f"{speech.shows(term)}." for term in terms)))
    return tuple(described)


@dataclass(frozen=True, slots=True, eq=False)
class _Vectors:
    """k classes as texts of the joint space, unit rows."""

    names: F64
    """(k, d) bare names."""
    filled: F64
    """(p, k, d) each class's word in each pattern."""
    descriptions: F64
    """(t, d) all descriptions, class by class."""
    of_class: I64
    """(t,) the class of each."""

    @classmethod
    def of(
        cls, part: ProbeInput, words: Sequence[str], patterns: Sequence[Pattern], described: Sequence[Sequence[str]]
    ) -> _Vectors:
        k = len(part.class_names)
        texts = list(spoken_names(part.class_names))
        for pattern in patterns:
            texts += [pattern.filled(word) for word in words]
        for texts_of_class in described:
            texts += texts_of_class
        step = "Encoding descriptions"
        vectors = unit_rows(encode_texts(part.encoder, texts, part.cache, progress=part.progress, step=step))
        vectors = vectors.astype(np.float64)
        at = k * (1 + len(patterns))
        of_class = np.repeat(np.arange(k), [len(texts_of_class) for texts_of_class in described]).astype(np.int64)
        return cls(vectors[:k], vectors[k:at].reshape(len(patterns), k, -1), vectors[at:], of_class)

    def centroids(self, rng: np.random.Generator | None = None) -> F64:
        """(k, d) the mean of each class's descriptions, scaled to length 1; with `rng`, of shuffled descriptions."""
        of_class = self.of_class
        if rng is not None:
            of_class = rng.permutation(of_class)
        sums = np.zeros_like(self.names)
        np.add.at(sums, of_class, self.descriptions)
        return unit(sums)
