"""What every probe takes and gives. A probe sees features, names and shots; it never sees the labels of the rows that
it scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol

from core.encoders import Encoder
from core.options import setting
from core.records import F32, F64, I64, Embeddings, ItemStore, Progress, SampleSet, no_progress
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
    """(n,) labels of a pool that no probe may use: they only measure how pure its support set came out. -1 where
    unknown."""

    def __len__(self) -> int:
        return len(self.ids)

    def keep(self, at: I64) -> Images:
        """The same images restricted to `at`, in that order."""
        picked = (None if a is None else a[at] for a in (self.labels, self.rows, self.hidden))
        return Images(self.features[at], tuple(self.ids[i] for i in at.tolist()), *picked)


@dataclass(frozen=True, slots=True)
class Needs:
    """What a probe wants to be given for each fold."""

    shots: int = 0
    """Labeled images a class, the same number of each: how frequent classes are is not seen. Where a class has too
    few, a setting `fewer` of the probe says whether to take what there is."""
    validation: int = 0
    """Labeled images a class by which settings are chosen; never shots, never scored."""
    pool: bool = False
    """Unlabeled images (or ones in class folders) to make a support set of."""
    prompt_tower: bool = False
    """A text tower behind its word embeddings, through which prompts are learned: no encoder of texts offers one."""


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
    """Folder where text vectors are kept between runs."""
    progress: Progress = no_progress
    items: ItemStore | None = None
    """What the rows of `test` show to the encoder, for a probe that encodes them anew; None where they are not at
    hand."""


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """What a probe says of the m test images of a part. k classes."""

    logits: F64
    """(m, k) finite, already at the encoder's scale: their softmax is the probe's probabilities."""
    parts: Mapping[str, F64] = field(default_factory=dict[str, F64])
    """(m, k) each; they sum to the logits. Empty: one part only."""
    controls: Mapping[str, I64] = field(default_factory=dict[str, I64])
    """(r, m) what r repeats of the same probe predict without the thing that is said to help, by the control's name."""
    support: Images | None = None
    """What it learned from, with the labels that it took them for."""
    support_source: str = ""
    purity: F32 | None = None
    """(k,) see `Support.purity`."""
    neighbours: tuple[Neighbours, ...] = ()
    """Places in `support`."""
    choices: tuple[Choice, ...] = ()
    prompts: tuple[tuple[str, ...], ...] = ()
    """For each class the texts that were encoded."""
    details: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """JSON-like; see `ProbeResult.details`."""
    notes: tuple[str, ...] = ()
    repeats: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """What each repeat of a control is called, by the control's name; where they have no names, nothing."""


class Probe(Protocol):
    """A frozen dataclass whose fields are the settings, made by `core.options.setting`: page and command line build
    their controls from them. `probes.run` also reads those called `fewer`, `templates` and `descriptions`."""

    title: ClassVar[str]
    """For the page, such as "SuS-X"."""
    what: ClassVar[str]
    """One sentence: what it does and what it needs."""
    source: ClassVar[str]
    """Paper and year."""

    def needs(self) -> Needs: ...

    def estimate(self, n: int, k: int, folds: int) -> float:
        """CPU seconds that n images and k classes are likely to take with the embedded encoder's text tower; rough,
        shown before a run."""
        ...

    def run(self, part: ProbeInput) -> Scored:
        """Score the part's test images.

        Raises:
            InvalidInput: names, files or shots do not fit; the message says what to do.
        """
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """What probes are run on."""

    samples: SampleSet
    """n rows with labels."""
    joint: Embeddings
    """(n, d) the samples in the encoder's space shared with texts."""
    encoder: Encoder
    pool: Images | None = None
    """Images for a support set; None takes the other half of the samples, without their labels."""
    split: Split | None = None
    """None: every row is scored, by halves where the probe learns from labeled or pooled rows."""
    seed: int = 0
    cache: Path | None = None

    @property
    def labels(self) -> I64:
        """(n,) index into the class names, of samples that `check_task` has passed."""
        assert self.samples.labels is not None
        return self.samples.labels


def shots_field(default: int) -> Any:
    """The setting `shots` of a probe that learns from labeled images."""
    return setting(default, "labeled samples a class to learn from", low=1, high=1000)


def fewer_field() -> Any:
    """The setting `fewer` of a probe that learns from labeled images."""
    return setting(False, "take what there is of a class that offers fewer shots", advanced=True)


def said_shots(shots: int) -> str:
    """ "1 shot", "4 shots"."""
    return f"{shots} shot{'s' * (shots != 1)}"


def logit_scale_of(encoder: Encoder) -> float:
    """exp(logit_scale) of the checkpoint: what cosines are multiplied with before a softmax. 100 for OpenAI's CLIP."""
    return float(encoder.logit_scale)
