"""Captions of a cluster's members, and which of their words the rest of the class lacks.

A caption is a suggestion. A word is claimed of the cluster only where it passes: it is more frequent in members'
captions than in those of the rest of the class, by permuting membership within the class, over all words at once.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.checks.questions import speaker_of
from core.discovery.called import scope_rows
from core.discovery.design import Design, design_of
from core.documents import read_text
from core.embeddings.texts import encode_texts
from core.encoders.arithmetic import unit_rows
from core.errors import InvalidInput
from core.numbers import count
from core.options import check_text
from core.records import F64, Diagnosis, FailureCluster, Progress, no_progress
from core.systems.vl_t5.over_represented import over_represented

if TYPE_CHECKING:
    from core.embeddings.texts import TextTower

Words = tuple[str, ...]
ALPHA = 0.05
MIN_CAPTIONS = 5
"""A word is tested where at least this many captions have it, and as many lack it. A convention."""
QUOTED_CAPTIONS = 3
MAX_CAPTIONS = 50_000
MAX_LENGTH = 300
"""Characters of a caption: text towers cut longer texts."""
SILENT = frozenset(
    "a an and are as at be by for from has have he her his i in into is it its near of off on or out over some that "
    "the their them there they this to two under up was while who with "
    "image images photo photograph photographs photos picture pictures".split()
)
"""Words without content of their own, or that only name the medium."""
_WORD = re.compile(r"[a-z0-9'-]+")


def words_of(caption: str) -> Words:
    """Lower-case words, marks left out.

    Example:
        >>> words_of("A dog , running .")
        ('a', 'dog', 'running')
    """
    return tuple(_WORD.findall(caption.lower()))


@dataclass(frozen=True, slots=True)
class CaptionWord:
    """A word of the captions."""

    word: str
    inside: float
    """Share of the members' captions that have it."""
    outside: float
    """Share of the other captions of the scope that have it."""
    p: float | None
    """Adjusted over all words of this cluster's captions; None where nothing could be permuted."""
    confirmed: bool


@dataclass(frozen=True, slots=True)
class CaptionedCluster:
    """What captions say of one cluster."""

    cluster: int
    """Its id."""
    name: str
    scope: str
    size: int
    """Members with a caption."""
    others: int
    """Other images of its scope with a caption."""
    quoted: tuple[str, ...]
    """The most frequent captions of members."""
    words: tuple[CaptionWord, ...]
    """The strongest first."""
    tested: int
    """Number of words compared."""
    cosines: tuple[float, ...] = ()
    """Mean cosine between each of `quoted` and the members that have it; empty where captions were not chosen by
    nearness."""

    @property
    def confirmed(self) -> tuple[CaptionWord, ...]:
        return tuple(word for word in self.words if word.confirmed)


def read_captions(path: Path) -> tuple[str, ...]:
    """The captions of a text file, one per line, without duplicates.

    Raises:
        InvalidInput: the file cannot be read, or as `parse_captions`.
    """
    return parse_captions(read_text(path), path.name)


def parse_captions(text: str, source: str, max_captions: int = MAX_CAPTIONS) -> tuple[str, ...]:
    """The captions of a text, one per line, without duplicates and with single spaces.

    Args:
        source: name of the text in messages, the subject of "holds 3 captions".
        max_captions: most captions allowed, duplicates aside.

    Raises:
        InvalidInput: it holds too few or too many, or one is too long or not valid text.
    """
    captions = dict[str, None]()
    for number, line in enumerate(text.splitlines(), 1):
        caption = " ".join(line.split())
        if not caption:
            continue
        check_text(caption, f"{source}, line {number:,}")
        if len(caption) > MAX_LENGTH:
            raise InvalidInput(
                f"{source}, line {number:,}: {len(caption):,} characters, at most {MAX_LENGTH} allowed: "
                f"{caption[:40]!r}. Shorten the caption, or break it into lines."
            )
        captions[caption] = None
    if not 2 <= len(captions) <= max_captions:
        step = "Add captions" if len(captions) < 2 else "Remove some"
        raise InvalidInput(
            f"{source} holds {count(len(captions), 'different caption')}; 2 to {max_captions:,} are needed, one per "
            f"line. {step}."
        )
    return tuple(captions)


def nearest_captions(
    diagnosis: Diagnosis,
    captions: Sequence[str],
    *,
    encoder: TextTower | None = None,
    cache: Path | None = None,
    progress: Progress = no_progress,
) -> tuple[list[str], F64]:
    """The caption nearest to each sample in the encoder's space, and (n,) their cosine. The nearest may still not fit.

    Raises:
        InvalidInput: the samples are not images; the run has no words, or those of another edition of its encoder.
    """
    words = diagnosis.words
    if diagnosis.samples.modality != "image":
        raise InvalidInput(
            f"Captions need images, but the samples of this run are {diagnosis.samples.modality}s. "
            "Use a run of images, or test phrases with `ask` or `tag`."
        )
    if words is None or not words.encoder:
        raise InvalidInput(
            "Captions cannot be compared with this run, because no encoder with a text tower embedded its samples. "
            "Diagnose again with --images and without --no-words."
        )
    tower = speaker_of(words, encoder)
    vectors = unit_rows(encode_texts(tower, captions, cache, progress=progress, step="encode the captions"))
    likeness = words.joint.vectors @ vectors.T  # (n, captions)
    return [captions[int(i)] for i in likeness.argmax(1).tolist()], likeness.max(1).astype(np.float64)


def describe_clusters(
    diagnosis: Diagnosis,
    captions: Sequence[str | None],
    *,
    cosines: F64 | None = None,
    permutations: int = 5000,
    seed: int = 0,
    progress: Progress = no_progress,
) -> tuple[CaptionedCluster, ...]:
    """Test the words of the captions of each confirmed cluster.

    Args:
        captions: one per sample; None where a sample has no caption.
        cosines: (n,) cosine of each caption and its sample, where captions were chosen by it.

    Raises:
        InvalidInput: captions and samples differ in number.
    """
    if len(captions) != len(diagnosis.samples):
        raise InvalidInput(
            f"{len(captions):,} captions for {len(diagnosis.samples):,} samples. Add one caption per sample."
        )
    captioned = _CaptionedRun(diagnosis, design_of(diagnosis), captions, cosines)
    described = list[CaptionedCluster]()
    for i, cluster in enumerate(diagnosis.clusters):
        progress("compare the words of captions", i, len(diagnosis.clusters))
        described.append(captioned.describe(cluster, permutations, seed))
    progress("compare the words of captions", len(described), len(described))
    return tuple(described)


class _CaptionedRun:
    """A run with a caption for each sample."""

    def __init__(
        self, diagnosis: Diagnosis, design: Design, captions: Sequence[str | None], cosines: F64 | None
    ) -> None:
        self.diagnosis = diagnosis
        self.design = design
        self.captions = captions
        self.cosines = cosines
        self.words = [frozenset(words_of(text or "")) - SILENT for text in captions]
        self.has_caption = np.array([text is not None for text in captions])

    def describe(self, cluster: FailureCluster, permutations: int, seed: int) -> CaptionedCluster:
        """Compare the captions of a cluster's members with those of the others in its scope."""
        design = self.design
        rows = np.flatnonzero(scope_rows(self.diagnosis, cluster.scope, design) & self.has_caption)
        members = cluster.membership[rows] >= 0.5
        rows_of_caption: dict[str, list[int]] = {}
        for row in rows[members].tolist():
            rows_of_caption.setdefault(self.captions[row] or "", []).append(row)
        # most frequent first, ties by first appearance
        quoted = tuple(sorted(rows_of_caption, key=lambda text: -len(rows_of_caption[text]))[:QUOTED_CAPTIONS])
        near: tuple[float, ...] = ()
        if self.cosines is not None:
            near = tuple(float(self.cosines[rows_of_caption[text]].mean()) for text in quoted)
        counts = Counter[str]()
        for row in rows.tolist():
            counts.update(self.words[row])
        words = sorted(word for word, n in counts.items() if MIN_CAPTIONS <= n <= len(rows) - MIN_CAPTIONS)
        n = int(members.sum())
        tested: list[CaptionWord] = []
        if words and 0 < n < len(rows):
            present = np.array([[word in self.words[row] for word in words] for row in rows.tolist()])
            groups = None if design.groups is None else design.groups[rows]
            strata = design.centring_stratum[rows]
            test = over_represented(present, members, strata, groups, permutations=permutations, seed=seed)
            for k in np.argsort(-test.statistic, kind="stable").tolist():
                p = float(test.p[k]) if design.testable and not np.isnan(test.p[k]) else None
                confirmed = p is not None and p <= ALPHA
                tested.append(CaptionWord(words[int(k)], float(test.inside[k]), float(test.outside[k]), p, confirmed))
        return CaptionedCluster(
            cluster.id, cluster.name, cluster.scope, n, len(rows) - n, quoted, tuple(tested), len(words), near
        )
