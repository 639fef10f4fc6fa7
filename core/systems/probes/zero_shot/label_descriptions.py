"""Classification by descriptions of the classes in place of examples, and how far it depends on the wording."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

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
SECONDS_PER_TEXT = 0.004
"""CPU seconds of the embedded encoder's text tower on one core for a pattern or a description."""
LOADING = 4.0
"""CPU seconds to load that tower."""
SECONDS_PER_SAMPLE = 0.025
"""The same to encode a text of fifty words anew with the tuned encoder, in torch."""
WORDED = "one word in each pattern"
TUNED = "one word in each pattern, tuned"
_TUNED = (
    "The upper half of the text encoder was tuned on the descriptions, all patterns at once; neither the samples nor "
    "their labels had a part in that."
)
TUNED_FORM = {
    "text": f"{_TUNED} Then every text was encoded anew. Nothing is drawn at random.",
    "image": f"{_TUNED} The images' vectors are as they were. Nothing is drawn at random.",
}
DUAL_FORM = (
    "This is the dual-encoder form of label descriptions: cosines with the vectors that the run already has; nothing "
    "is trained. The training of a language model is the command `learn`."
)


@dataclass(frozen=True)
class DescribedLabels:
    """Cosine of a sample with the mean vector of what is said of each class, beside the class's bare name and one word
    for it in fourteen patterns.

    Source: Gao et al. 2023 (EMNLP, arXiv 2305.02239), who train a masked language model on the descriptions and report
    the mean and the spread over patterns. Ours is the form for an encoder with a joint space, where nothing is trained:
    the centroid of the descriptions takes the place of training; or the upper half of the text encoder is tuned on the
    descriptions. The control draws the descriptions anew among the
    classes, as many each.
    """

    title: ClassVar[str] = "Label descriptions"
    what: ClassVar[str] = (
        "What is said of each class (related terms, a dictionary's line, sentences) in place of examples, beside bare "
        "names and fourteen wordings of one word; for texts and images."
    )
    source: ClassVar[str] = "Gao et al. 2023, EMNLP, arXiv 2305.02239 (dual-encoder form)"

    descriptions: str = setting(
        "", "a JSON file, or its text, with a list of texts for each class; or a manual_24.tsv", kind="file"
    )
    order: str = setting(
        "", "the classes in the order of the numbers of a manual_24.tsv, with commas, as in: negative, positive"
    )
    words: str = setting(
        "", 'the word of a class in the patterns, one class a line, as in "negative: awful"', kind="text"
    )
    patterns: str = setting(
        "auto",
        "the fourteen wordings: of topics, sentiments or photographs, or your own; auto goes by what a sample is",
        choices=("auto", "topic", "sentiment", "photo", "own"),
    )
    own_patterns: str = setting("", "your own, one a line, each with <mask> where the word goes", kind="text")
    by: str = setting(
        "descriptions",
        "what the probe itself goes by, the others set beside it; tuned: patterns, with the encoder tuned on the "
        "descriptions (minilm and embedded alone)",
        choices=WAYS,
        advanced=True,
    )
    lr: float = setting(LEARNING_RATE, "learning rate of tuned", low=1e-7, high=1e-2, advanced=True)
    steps: int = setting(STEPS, "steps of tuned, all descriptions in each", low=1, high=100, advanced=True)
    shuffles: int = setting(
        SHUFFLES, "how often descriptions are drawn anew among the classes", low=0, high=200, advanced=True
    )

    def __post_init__(self) -> None:
        if self.patterns == "own":
            read_patterns(self.own_patterns)

    def needs(self) -> Needs:
        """Nothing but names."""
        return Needs()

    def estimate(self, n: int, k: int, folds: int) -> float:
        """CPU seconds: the texts dominate. What a file holds is not counted but taken for thirty texts a class."""
        texts = k * (1 + 14 + (30 if self.descriptions.strip() else 3))
        anew = SECONDS_PER_SAMPLE * n + 4 * SECONDS_PER_TEXT * self.steps * texts if self.by == "tuned" else 0.0
        return LOADING + SECONDS_PER_TEXT * texts + 2e-9 * n * k * 512 + anew

    def run(self, part: ProbeInput) -> Scored:
        """Cosines at the encoder's scale, with the other ways beside them as controls.

        Raises:
            InvalidInput: a file cannot be used, or the encoder is to be tuned and cannot be.
        """
        halves = halves_of(part.encoder) if self.by == "tuned" else None  # refused before anything is encoded
        given, terms, notes = self._given(part)
        words = read_words(self.words, part.class_names, terms)
        patterns = self._patterns(part.encoder)
        described = tuple(own or (name,) for own, name in zip(given, spoken_names(part.class_names)))
        labels = _Vectors.of(part, words, patterns, described)
        features = part.test.features.astype(np.float64)
        centres = {"descriptions": labels.centroids(), "patterns": labels.in_patterns(), "names": labels.names}
        controls = self._beside(features, labels, part.seed)
        in_words = _said(words, patterns)
        texts = {"descriptions": described, "patterns": in_words, "names": _alone(part.class_names), "tuned": in_words}
        choices = [Choice("patterns", float(len(patterns)), "given" if self.patterns == "own" else "fixed")]
        form = DUAL_FORM
        if halves is None:
            found = features @ centres[self.by].T
        else:
            filled = tuple(zip(*in_words, strict=True))
            tuned = tuned_texts(part, halves, described, filled, lr=self.lr, steps=self.steps)
            found = tuned.features @ unit(tuned.filled.mean(0)).T
            form = TUNED_FORM[part.encoder.modality]
            controls[TUNED] = np.stack([_nearest(tuned.features, own) for own in tuned.filled])
            for name, value, default in (("lr", self.lr, LEARNING_RATE), ("steps", self.steps, STEPS)):
                choices.append(Choice(name, float(value), "fixed" if value == default else "given"))
        every = [text for own in (*described, *in_words) for text in own]
        cut = part.encoder.count_truncated(every)
        names = tuple(pattern.name for pattern in patterns)
        return Scored(
            logit_scale_of(part.encoder) * found,
            controls=controls,
            repeats={key: names for key in (WORDED, TUNED) if key in controls},
            choices=tuple(choices),
            prompts=texts[self.by],
            details=_details(part, words, described, cut),
            notes=(form, *notes, *_cut_note(cut, len(every))),
        )

    def _beside(self, features: F64, labels: _Vectors, seed: int) -> dict[str, I64]:
        """What the ways that nothing is tuned for predict, but the probe's own."""
        controls = {} if self.by == "names" else {"bare names": _nearest(features, labels.names)[None]}
        controls[WORDED] = np.stack([_nearest(features, own) for own in labels.filled])
        if self.by != "descriptions":
            controls["descriptions"] = _nearest(features, labels.centroids())[None]
        if self.shuffles:
            rng = np.random.default_rng([seed, 11])
            drawn = [_nearest(features, labels.centroids(rng)) for _ in range(self.shuffles)]
            controls["descriptions drawn anew among the classes"] = np.stack(drawn)
        return controls

    def _given(self, part: ProbeInput) -> tuple[tuple[tuple[str, ...], ...], tuple[str, ...], tuple[str, ...]]:
        """The descriptions of each class, its term, and what is to be said of them."""
        if self.descriptions.strip():
            read = read_descriptions(self.descriptions)
            found, notes = of_classes(read, part.class_names, self.order)
            return found, terms_of(read, found), notes
        if self.order.strip():
            raise InvalidInput("order says which class each number of a file is, and there are no descriptions.")
        said = (
            "No descriptions were given, so each class is described by its name alone and in a sentence"
            " (and other names that WordNet has). Bring your own: related terms, a dictionary's line, sentences."
        )
        return proposed(part.class_names, part.encoder.modality), ("",) * len(part.class_names), (said,)

    def _patterns(self, encoder: Encoder) -> tuple[Pattern, ...]:
        if self.patterns == "own":
            return read_patterns(self.own_patterns)
        own = SPEECH[encoder.modality].class_patterns
        return read_patterns(own if self.patterns == "auto" else self.patterns)


def _nearest(features: F64, centres: F64) -> I64:
    """(m,) the class of the nearest of (k, d) centers."""
    return (features @ centres.T).argmax(1).astype(np.int64)


def proposed(class_names: Sequence[str], modality: str) -> tuple[tuple[str, ...], ...]:
    """Descriptions to begin with: the name, other names of images' classes, and each in a sentence."""
    others = synonyms_of(class_names) if modality == "image" else {}
    speech = SPEECH[modality]
    found = list[tuple[str, ...]]()
    for name, spoken in zip(class_names, spoken_names(class_names)):
        terms = (spoken, *spoken_names(others.get(name, ())))
        found.append((*terms, *(f"{speech.shows(term)}." for term in terms)))
    return tuple(found)


def _said(words: Sequence[str], patterns: Sequence[Pattern]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(pattern.filled(word) for pattern in patterns) for word in words)


def _alone(names: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    return tuple((name,) for name in spoken_names(names))


def _cut_note(cut: int, every: int) -> tuple[str, ...]:
    lost = "descriptions and filled patterns are longer than the text tower reads and lost their end"
    return (f"{cut:,} of {every:,} {lost}.",) if cut else ()


def _details(
    part: ProbeInput, words: Sequence[str], described: Sequence[Sequence[str]], truncated: int
) -> dict[str, Any]:
    rows = zip(part.class_names, words, described, strict=True)
    return {
        "Classes": [{"class": name, "word": word, "descriptions": len(own)} for name, word, own in rows],
        "Texts that lost their end": truncated,
    }


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
        names = spoken_names(part.class_names)
        k = len(part.class_names)
        flat = [text for own in described for text in own]
        texts = [*names, *(p.filled(word) for p in patterns for word in words), *flat]
        step = "encode the descriptions"
        found = encode_texts(part.encoder, texts, part.cache, progress=part.progress, step=step)
        vectors = unit_rows(found).astype(np.float64)
        at = k * (1 + len(patterns))
        of_class = np.repeat(np.arange(k), [len(own) for own in described]).astype(np.int64)
        return cls(vectors[:k], vectors[k:at].reshape(len(patterns), k, -1), vectors[at:], of_class)

    def centroids(self, rng: np.random.Generator | None = None) -> F64:
        """(k, d) the mean of each class's descriptions, scaled to length 1; with `rng` of as many drawn from all."""
        of_class = self.of_class if rng is None else rng.permutation(self.of_class)
        sums = np.zeros_like(self.names)
        np.add.at(sums, of_class, self.descriptions)
        return unit(sums)

    def in_patterns(self) -> F64:
        """(k, d) the mean of each class's filled patterns, scaled to length 1."""
        return unit(self.filled.mean(0))
