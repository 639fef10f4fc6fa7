"""What captions say of a cluster's pictures, and which of their words the rest of the class does not have.

A caption is a suggestion. Its words are said of the cluster only where they pass: more often in the captions of members
than in those of the rest of the class, by a permutation of membership inside the class, over all words at once.
"""

from __future__ import annotations

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
from core.records import F64, I64, Bool, Diagnosis, FailureCluster, Progress, no_progress
from core.systems.vl_t5.caption_words import words_of
from core.systems.vl_t5.over_represented import over_represented

if TYPE_CHECKING:
    from core.embeddings.texts import TextTower

ALPHA = 0.05
LEAST = 5
"""Captions that must have a word, and lack it."""
QUOTED = 3
MAX_CAPTIONS = 50_000
MAX_LENGTH = 300
"""Characters of a caption: text towers cut what is longer."""
SILENT = frozenset(
    "a an and are as at be by for from has have he her his i in into is it its near of off on or out over some that "
    "the their them there they this to two under up was while who with "
    "image images photo photograph photographs photos picture pictures".split()
)
"""Words that say nothing of what is in a picture, or only that it is one."""


@dataclass(frozen=True, slots=True)
class SaidWord:
    """A word of the captions."""

    word: str
    inside: float
    """Share of the members' captions that have it."""
    outside: float
    """The same of the rest of the scope."""
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
    """Pictures of the rest of its scope with one."""
    quoted: tuple[str, ...]
    """Captions that members have most often."""
    words: tuple[SaidWord, ...]
    """The strongest first."""
    tested: int
    """Words that were looked at."""
    cosines: tuple[float, ...] = ()
    """Of each of `quoted` how near it is to the members that have it, the mean cosine; empty where captions were not
    chosen by nearness."""

    @property
    def confirmed(self) -> tuple[SaidWord, ...]:
        return tuple(word for word in self.words if word.confirmed)


def read_captions(path: Path) -> tuple[str, ...]:
    """The captions of a text file, one a line, each once.

    Raises:
        InvalidInput: it cannot be read, or as `parse_captions`.
    """
    return parse_captions(read_text(path), path.name)


def parse_captions(text: str, where: str, most: int = MAX_CAPTIONS) -> tuple[str, ...]:
    """The captions of a text, one a line, each once and in single spaces.

    Args:
        where: what the text is called in messages, the subject of "holds 3 captions".
        most: different captions that are taken.

    Raises:
        InvalidInput: it holds none or too many, or one is too long or no text.
    """
    found = dict[str, None]()
    for number, line in enumerate(text.splitlines(), 1):
        if not (caption := " ".join(line.split())):
            continue
        check_text(caption, f"{where}, line {number:,}")
        if len(caption) > MAX_LENGTH:
            raise InvalidInput(
                f"{where}, line {number:,}: a caption may have {MAX_LENGTH} characters, and this one has "
                f"{len(caption):,}: {caption[:40]!r}. Shorten it, or break it into lines."
            )
        found[caption] = None
    if not 2 <= len(found) <= most:
        raise InvalidInput(
            f"{where} holds {count(len(found), 'different caption')}; 2 to {most:,} are needed, one a line. "
            f"{'Write more' if len(found) < 2 else 'Leave some out'}."
        )
    return tuple(found)


def nearest_captions(
    diagnosis: Diagnosis,
    captions: Sequence[str],
    *,
    encoder: TextTower | None = None,
    cache: Path | None = None,
    progress: Progress = no_progress,
) -> tuple[list[str], F64]:
    """Of each sample the caption whose text the encoder finds most like it, and (n,) the cosine of the two: the nearest
    is given even where none fits.

    Raises:
        InvalidInput: it is a run of texts; the run has no words, or they are of another edition of its encoder.
    """
    words = diagnosis.words
    if diagnosis.samples.modality != "image":
        raise InvalidInput(
            f"Captions are of pictures, and the samples of this run are {diagnosis.samples.modality}s. "
            "Give a run of pictures, or put phrases with `ask` or `tag`."
        )
    if words is None or not words.encoder:
        raise InvalidInput(
            "Captions cannot be compared with this run: no encoder with a text tower saw its samples. Diagnose again "
            "with --images and without --no-words."
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
    """What the captions say of each confirmed cluster.

    Args:
        captions: one a sample; None where there is none.
        cosines: (n,) how near each is to its sample, where it was chosen for that.

    Raises:
        InvalidInput: there are not as many captions as samples.
    """
    if len(captions) != len(diagnosis.samples):
        raise InvalidInput(
            f"There are {len(captions):,} captions for {len(diagnosis.samples):,} samples. Bring one each."
        )
    spoken = _Spoken(diagnosis, design_of(diagnosis), captions, cosines)
    made = list[CaptionedCluster]()
    for i, cluster in enumerate(diagnosis.clusters):
        progress("compare the words of captions", i, len(diagnosis.clusters))
        made.append(spoken.of(cluster, permutations, seed))
    progress("compare the words of captions", len(made), len(made))
    return tuple(made)


class _Spoken:
    """A run with a caption a sample."""

    def __init__(
        self, diagnosis: Diagnosis, design: Design, captions: Sequence[str | None], cosines: F64 | None
    ) -> None:
        self.diagnosis = diagnosis
        self.design = design
        self.captions = captions
        self.cosines = cosines
        self.words = [frozenset() if text is None else frozenset(words_of(text)) - SILENT for text in captions]
        self.there = np.array([text is not None for text in captions])

    def of(self, cluster: FailureCluster, permutations: int, seed: int) -> CaptionedCluster:
        """What the captions of a cluster's members say, beside those of the rest of its scope."""
        rows = np.flatnonzero(scope_rows(self.diagnosis, cluster.scope, self.design) & self.there)
        members = cluster.membership[rows] >= 0.5
        own = [text for row in rows[members].tolist() if (text := self.captions[row]) is not None]
        quoted = tuple(text for text, _ in Counter(own).most_common(QUOTED))
        counts = Counter(word for row in rows.tolist() for word in self.words[row])
        words = sorted(word for word, n in counts.items() if LEAST <= n <= len(rows) - LEAST)
        n = int(members.sum())
        found = self._tested(rows, members, words, permutations, seed) if words and 0 < n < len(rows) else ()
        near = tuple(self._nearness(rows[members], text) for text in quoted) if self.cosines is not None else ()
        return CaptionedCluster(
            cluster.id, cluster.name, cluster.scope, n, len(rows) - n, quoted, found, len(words), near
        )

    def _nearness(self, rows: I64, caption: str) -> float:
        assert self.cosines is not None
        return float(self.cosines[[row for row in rows.tolist() if self.captions[row] == caption]].mean())

    def _tested(
        self, rows: I64, members: Bool, words: Sequence[str], permutations: int, seed: int
    ) -> tuple[SaidWord, ...]:
        present = np.array([[word in self.words[row] for word in words] for row in rows.tolist()])
        design = self.design
        groups = None if design.groups is None else design.groups[rows]
        strata = design.centring_stratum[rows]
        test = over_represented(present, members, strata, groups, permutations=permutations, seed=seed)
        made: list[SaidWord] = []
        for k in np.argsort(-test.statistic, kind="stable").tolist():
            p = float(test.p[k]) if design.testable and not np.isnan(test.p[k]) else None
            confirmed = p is not None and p <= ALPHA
            made.append(SaidWord(words[int(k)], float(test.inside[k]), float(test.outside[k]), p, confirmed))
        return tuple(made)
