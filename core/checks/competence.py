"""How well an encoder tells pictures that show a phrase from pictures that do not, phrase by phrase.

Which pictures show what is known in two ways. Captions: people who saw a photograph wrote down what is on it; a phrase
is shown where at least two captions mention it, and not shown where none does. Edits: a photograph was made dark,
noisy, foggy, ... here. Each phrase is measured with the direction by which it would name a cluster, against pictures
that differ in anything else too: half of those without it are edited as well, since a word that lights up for noise as
for what it means is no name for either.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from core.checks.picture_edits import EDITS, EditedStore
from core.data.captioned import CaptionedPhotographs
from core.embeddings.rows import read_rows
from core.encoders import Encoder
from core.files import ASSETS
from core.language.competence import BAR, MIN_PICTURES, CompetenceTable, PhraseCompetence
from core.language.grammar import stems, words_in
from core.language.likeness import TOP, likeness, question_vectors, support, things_of
from core.language.phrases import phrase_directions
from core.language.vocabulary import Vocabulary, read_vocabulary
from core.records import F32, F64, I64, Bool, Progress, no_progress
from core.statistics.ranking import auroc, auroc_interval

SHOWN = ASSETS / "phrases" / "shown.json"
MENTIONS = 2
"""Captions that must mention a phrase, so that it counts as shown; one is enough of a phrase that fewer than `RARE`
pictures would show so."""
RARE = 20
PER_EDIT = 45
"""Pictures of each edit."""
MIN_PHRASES = 10
"""Phrases that must be known before it is measured from which support on something is said to be shown."""
MISSED = 0.05
"""Share of the phrases that may be a name and do not reach that support where they are shown."""
SHOWING, BESIDE = 0.5, 250
"""Share of the pictures that show a phrase, and how many others, of which it is asked."""


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """By what it is known that a picture shows a phrase."""

    captions: Mapping[str, str]
    """Pattern of captions that mention it; with "!" in front, of captions none of which may."""
    edits: Mapping[str, tuple[str, ...]]
    """Edits that show it."""


def read_shown() -> Shown:
    """The shipped account of what shows a phrase."""
    said = cast("dict[str, Any]", json.loads(SHOWN.read_text("utf-8")))
    return Shown(said["captions"], {phrase: tuple(edits) for phrase, edits in said["edits"].items()})


def measure_competence(
    encoder: Encoder,
    captioned: CaptionedPhotographs,
    vocabulary: Vocabulary | None = None,
    *,
    shown: Shown | None = None,
    cache: Path | None = None,
    progress: Progress = no_progress,
) -> CompetenceTable:
    """The table of an encoder's competence; a phrase that neither captions nor edits show is not in it.

    Args:
        captioned: photographs that no fit of the encoder saw.
        vocabulary: the phrases; None takes those that ship. One that `shown` does not know is looked for in the
            captions by its own words.
    """
    phrases, known = vocabulary or read_vocabulary(), shown or read_shown()
    photographs = read_rows(captioned.pictures, encoder, cache=cache, progress=progress)
    captions = [captioned.captions[row] for row in photographs.kept.tolist()]
    edited = EditedStore(captioned.pictures, _drawn(photographs.kept))
    changed = read_rows(edited, encoder, cache=cache, progress=progress)
    made = [edited.edits[row] for row in changed.kept.tolist()]
    directions = phrase_directions(phrases, encoder, cache=cache, progress=progress)
    pool = _Pool(photographs.joint.vectors, changed.joint.vectors, captions, photographs.kept, made)
    found: dict[str, PhraseCompetence] = {}
    for phrase, direction in zip(phrases.phrases, directions):
        each = [pool.by_edits(known.edits[phrase.text], direction)] if phrase.text in known.edits else []
        pattern = known.captions.get(phrase.text) or (None if each else own_words(phrase.text))
        each += [pool.by_captions(pattern, direction)] if pattern else []
        known_by = [one for one in each if one is not None]
        if known_by:  # the weaker: a name must hold wherever its word may be meant
            found[phrase.text] = min(known_by, key=lambda one: one.auroc.low)
    line = pool.line(encoder, known, found, cache)
    what = f"{len(captions):,} captioned photographs and {len(made):,} edited ones that no fit saw"
    return CompetenceTable(encoder.name, encoder.fingerprint, what, found, line)


def own_words(phrase: str) -> str | None:
    """The pattern of captions that hold every word of a phrase that carries meaning; None where it has none."""
    bare = stems(phrase)
    return "".join(rf"(?=.*\b{re.escape(stem)})" for stem in bare) or None


def _drawn(rows: I64) -> tuple[tuple[int, str], ...]:
    """Which photograph is edited in which way: each edit takes the next ones of a shuffled circle."""
    order = np.random.default_rng(0).permutation(rows).tolist()
    names = [name for name in EDITS for _ in range(PER_EDIT)]
    return tuple((order[i % len(order)], name) for i, name in enumerate(names))


class _Pool:
    """The pictures, and what is known of each."""

    def __init__(
        self,
        photographs: F32,
        edited: F32,
        captions: Sequence[tuple[str, ...]],
        rows: I64,
        made: Sequence[tuple[int, str]],
    ) -> None:
        self.photographs, self.edited = photographs.astype(np.float64), edited.astype(np.float64)
        self.folded = [[" ".join(words_in(caption)) for caption in own] for own in captions]
        place = {row: i for i, row in enumerate(rows.tolist())}
        self.origin = np.array([place[row] for row, _ in made], np.int64)
        self.edit = np.array([edit for _, edit in made], object)

    def shows(self, pattern: str) -> tuple[Bool, Bool]:
        """Which photographs show it by their captions, and which do not."""
        wanted = re.compile(pattern.removeprefix("!"))
        mentions = np.array([sum(bool(wanted.search(caption)) for caption in own) for own in self.folded])
        often = mentions >= (MENTIONS if (mentions >= MENTIONS).sum() >= RARE else 1)
        never = mentions == 0
        return (never, often) if pattern.startswith("!") else (often, never)

    def by_captions(self, pattern: str, direction: F32) -> PhraseCompetence | None:
        """Photographs that the captions say show it, against those that they do not mention it of, as they are and
        edited."""
        inside, outside = self.shows(pattern)
        without = outside[self.origin]
        return measured(
            self.photographs[inside] @ direction,
            np.concatenate([self.photographs[outside] @ direction, self.edited[without] @ direction]),
            "captions",
        )

    def by_edits(self, edits: Sequence[str], direction: F32) -> PhraseCompetence | None:
        """Pictures with these edits, against unchanged ones and those with other edits."""
        inside = np.isin(self.edit, edits)
        n_plain = int((~inside).sum())
        plain = np.random.default_rng(1).permutation(len(self.photographs))[:n_plain]
        outside = np.concatenate([self.edited[~inside] @ direction, self.photographs[plain] @ direction])
        return measured(self.edited[inside] @ direction, outside, "edits")

    def line(
        self, encoder: Encoder, shown: Shown, found: Mapping[str, PhraseCompetence], cache: Path | None
    ) -> float | None:
        """The support that all but `MISSED` of the phrases that may be a name reach, asked of pictures some of which
        show them."""
        known = known_enough(found)
        if len(known) < MIN_PHRASES:
            return None
        texts = question_vectors(known, encoder, cache)
        things = things_of(encoder, cache)
        plain, edited = (likeness(v.astype(np.float32), texts, things) for v in (self.photographs, self.edited))

        def showing(place: int, text: str) -> F64:
            if found[text].ground == "edits":
                return edited[np.isin(self.edit, shown.edits[text]), place]
            return plain[self.shows(shown.captions.get(text) or own_words(text) or "")[0], place]

        return support_line([(showing(i, text), plain[:, i]) for i, text in enumerate(known)])


def known_enough(found: Mapping[str, PhraseCompetence]) -> list[str]:
    """The phrases that may be a name."""
    return [text for text, one in found.items() if one.auroc.low >= BAR]


def support_line(likenesses: Sequence[tuple[F64, F64]]) -> float:
    """The support that all but `MISSED` of the phrases that may be a name reach, asked of samples some of which show
    them.

    Args:
        likenesses: of each such phrase, its likeness to the samples that show it and to all others.
    """
    rng, reached = np.random.default_rng(2), list[float]()
    for scores, others in likenesses:
        some = rng.permutation(scores)[: max(TOP, round(SHOWING * len(scores)))]
        reached.append(support(np.concatenate([some, rng.permutation(others)[:BESIDE]])))
    return float(np.quantile(reached, MISSED))


def measured(inside: F64, outside: F64, ground: str) -> PhraseCompetence | None:
    """How well scores tell the samples that show a phrase from those that do not; None where either are too few."""
    if min(len(inside), len(outside)) < MIN_PICTURES:
        return None
    positive: Bool = np.arange(len(inside) + len(outside)) < len(inside)
    area = auroc(np.concatenate([inside, outside]), positive)
    return PhraseCompetence(auroc_interval(area, len(inside), len(outside)), len(inside), len(outside), ground)
