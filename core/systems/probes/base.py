"""Inputs and outputs of every probe. A probe sees features, names and shots, never the labels of the rows it scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol

from core.encoders import Encoder
from core.errors import InvalidInput
from core.options import setting
from core.records import F32, F64, I64, Diagnosis, Embeddings, ItemStore, Progress, SampleSet, Words, no_progress
from core.systems.probes.records import Choice, Neighbours
from core.systems.probes.splits import Split


@dataclass(frozen=True, slots=True, eq=False)
class Images:
    """Images as the encoder sees them."""

    features: F32
    """(n, d) unit rows of the joint space."""
    ids: tuple[str, ...]
    labels: I64 | None = None
    """(n,) index into the class names; None where they are unknown or must not be seen."""
    rows: I64 | None = None
    """(n,) row among the samples; None for images of a pool."""
    hidden: I64 | None = None
    """(n,) labels of a pool that no probe may use: they only measure the purity of its support set. -1 where
    unknown."""

    def __len__(self) -> int:
        return len(self.ids)

    def keep(self, at: I64) -> Images:
        """The same images restricted to `at`, in that order."""
        columns = [None if column is None else column[at] for column in (self.labels, self.rows, self.hidden)]
        return Images(self.features[at], tuple(self.ids[i] for i in at.tolist()), *columns)


@dataclass(frozen=True, slots=True)
class Needs:
    """Requirements of a probe for each fold."""

    shots: int = 0
    """Labeled images a class, equally many of each, so class frequencies stay unseen. For classes with too few, the
    probe's setting `fewer` decides whether to take what there is."""
    validation: int = 0
    """Labeled images a class for choosing settings; never shots, never scored."""
    pool: bool = False
    """Unlabeled images (or images in class folders) for a support set."""
    prompt_tower: bool = False
    """A text tower that takes word embeddings, through which prompts are learned: encoders of texts offer none."""


@dataclass(frozen=True, slots=True, eq=False)
class ProbeInput:
    """One fold's work: learn from shots, validation and pool, then score `test`."""

    class_names: tuple[str, ...]
    """k names as the user wrote them."""
    encoder: Encoder
    test: Images
    """Without labels."""
    shots: Images | None = None
    validation: Images | None = None
    pool: Images | None = None
    seed: int = 0
    cache: Path | None = None
    """Folder of text vectors, kept between runs."""
    progress: Progress = no_progress
    items: ItemStore | None = None
    """The files or texts of `test`, for a probe that encodes them again; None where they are not available."""


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """A probe's output for the m test images of a fold. k classes."""

    logits: F64
    """(m, k) finite, already at the encoder's scale: their softmax is the probe's probabilities."""
    parts: Mapping[str, F64] = field(default_factory=dict[str, F64])
    """(m, k) each; they sum to the logits. Empty: one part only."""
    controls: Mapping[str, I64] = field(default_factory=dict[str, I64])
    """(r, m) predictions of r repeats of the same probe without the component under test, by the control's name."""
    support: Images | None = None
    """Images that it learned from, with the labels that it assigned to them."""
    support_source: str = ""
    purity: F32 | None = None
    """(k,) see `Support.purity`."""
    neighbours: tuple[Neighbours, ...] = ()
    """Positions in `support`."""
    choices: tuple[Choice, ...] = ()
    prompts: tuple[tuple[str, ...], ...] = ()
    """For each class the texts that were encoded."""
    details: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """JSON-like; see `ProbeResult.details`."""
    notes: tuple[str, ...] = ()
    repeats: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """Names of the repeats of a control, by the control's name; missing where repeats have no names."""


class Probe(Protocol):
    """A frozen dataclass whose fields are the settings, declared by `core.options.setting`: page and command line
    build their controls from them. `probes.run` also reads the settings `fewer`, `templates` and `descriptions`."""

    title: ClassVar[str]
    """For the page, such as "SuS-X"."""
    what: ClassVar[str]
    """One sentence: what it does and what it needs."""
    source: ClassVar[str]
    """Paper and year."""

    def needs(self) -> Needs: ...

    def estimate(self, n: int, k: int, folds: int) -> float:
        """Approximate CPU seconds for n images and k classes with the embedded encoder's text tower, shown before a
        run."""
        ...

    def run(self, part: ProbeInput) -> Scored:
        """Score the part's test images.

        Raises:
            InvalidInput: names, files or shots do not fit.
        """
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """Samples, encoder and split that probes run on."""

    samples: SampleSet
    """n rows with labels."""
    joint: Embeddings
    """(n, d) the samples in the encoder's space shared with texts."""
    encoder: Encoder
    pool: Images | None = None
    """Images for a support set; None uses the other half of the samples, without their labels."""
    split: Split | None = None
    """None scores every row, in two halves where the probe learns from labeled or pooled rows."""
    seed: int = 0
    cache: Path | None = None

    @property
    def labels(self) -> I64:
        """(n,) index into the class names, of samples that `check_task` has passed."""
        assert self.samples.labels is not None
        return self.samples.labels


def words_of(diagnosis: Diagnosis) -> Words:
    """The samples as a text encoder sees them.

    Raises:
        InvalidInput: the run has no text encoder or no labels, so no probe can run on it.
    """
    samples = diagnosis.samples
    n_classes = 0 if samples.labels is None else len(samples.class_names)
    if n_classes < 2:
        raise InvalidInput(
            f"A probe needs each sample's true class, of two or more: {samples.name!r} has {n_classes}. "
            "Diagnose a table with a label column."
        )
    if diagnosis.words is None and samples.modality == "scan":
        raise InvalidInput(
            f"A probe compares class names with samples, and the encoder of the scans of {samples.name!r} knows no "
            "words. Use another run."
        )
    if diagnosis.words is None or not diagnosis.words.encoder:
        raise InvalidInput(
            f"A probe compares class names with samples, and no text encoder saw those of {samples.name!r}. Diagnose "
            "again with images, clips or texts, and with words (on the command line with --images or --texts and "
            "without --no-words)."
        )
    return diagnosis.words


def shots_field(default: int) -> Any:
    """The setting `shots` of a probe that learns from labeled images."""
    return setting(default, "labeled samples a class to learn from", low=1, high=1000)


def fewer_field() -> Any:
    """The setting `fewer` of a probe that learns from labeled images."""
    return setting(False, "accept classes with fewer shots", advanced=True)


def shots_words(shots: int) -> str:
    """ "1 shot", "4 shots"."""
    return f"{shots} shot{'s' * (shots != 1)}"


def logit_scale_of(encoder: Encoder) -> float:
    """exp(logit_scale) of the checkpoint, the factor on cosines before a softmax. 100 for OpenAI's CLIP."""
    return float(encoder.logit_scale)
