"""How well an encoder separates images that show a phrase from images that do not, phrase by phrase.

Which images show what is known in two ways. Captions: people described each photograph; a phrase is shown if at least
two captions mention it, and not shown if none does. Edits: a photograph was made dark, noisy, foggy, ... here. Each
phrase is measured with the direction that would name a cluster, against images that differ in other ways too: half of
those without it are edited as well, since a word that scores high for noise as well as for its meaning shows neither.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from core.checks.picture_edits import EDITS, EditedStore
from core.checks.title_pools import model_of_pool, photograph_pool
from core.data.captioned import CaptionedPhotographs
from core.documents import read_json
from core.embeddings.rows import read_rows
from core.encoders import Encoder
from core.files import ASSETS
from core.language.chance import Chance, asked_directions, fit_chance, teaches
from core.language.competence import BAR, MIN_PICTURES, CompetenceTable, PhraseCompetence
from core.language.grammar import stems, words_in
from core.language.likeness import TOP, likeness, question_vectors, support, things_of
from core.language.phrases import phrase_directions
from core.language.vocabulary import Vocabulary, read_vocabulary
from core.records import F32, F64, I64, Bool, Progress, no_progress
from core.statistics.ranking import auroc, auroc_interval

SHOWN_FILE = ASSETS / "phrases" / "shown.json"
MIN_MENTIONS = 2
"""Captions that must mention a phrase for it to count as shown: one writer may err. One caption is enough if fewer than
`MIN_SHOWN` images would count otherwise."""
MIN_SHOWN = 20
IMAGES_PER_EDIT = 45
MIN_PHRASES = 10
"""Known phrases needed to measure the support line. A convention."""
MISSED_SHARE = 0.04
"""Share of the known phrases that do not reach the support line although samples show them. A higher line would refuse
what small images show: chosen on those of `research/evidence/shown.py`."""
DRAWS = 20
"""How often each phrase is asked, of other samples: a single draw moves the line by a third of a deviation."""
OBJECT_PHRASE = re.compile(r"(?:next to|with) (an? \w+)")
"""A phrase that names an object."""
MIN_PHOTOGRAPHS = 100
"""Photographs of an object needed to ask for the phrases among them too."""
SHOWING_SHARE = 0.5
OTHER_IMAGES = 250
"""Each draw asks a phrase of this share of the images that show it, and of this many others."""


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """How to know that an image shows a phrase."""

    captions: Mapping[str, str]
    """Pattern for captions that mention it; after "!", a pattern that no caption may hold."""
    edits: Mapping[str, tuple[str, ...]]
    """Edits that show it."""
    classes: Mapping[str, str] = field(default_factory=dict[str, str])
    """Pattern for captions that mention each of the classes from which clusters are cut."""


def read_shown() -> Shown:
    """The shipped definition of what shows each phrase."""
    content = cast("dict[str, Any]", read_json(SHOWN_FILE))
    edits = {phrase: tuple(names) for phrase, names in content["edits"].items()}
    return Shown(content["captions"], edits, content["classes"])


def measure_competence(
    encoder: Encoder,
    captioned: CaptionedPhotographs,
    vocabulary: Vocabulary | None = None,
    *,
    shown: Shown | None = None,
    spoken: Sequence[Sequence[str]] = (),
    cache: Path | None = None,
    progress: Progress = no_progress,
) -> CompetenceTable:
    """Measure an encoder's competence phrase by phrase; phrases that neither captions nor edits show are left out.

    Args:
        captioned: photographs that no fit of the encoder saw.
        vocabulary: the phrases; None takes the shipped ones. A phrase that `shown` lacks is searched in the captions
            by its own words.
        spoken: captions of photographs, for counting how often people use a phrase; empty takes those of `captioned`.
            Phrases known by edits alone, or by what no caption mentions, are not counted.
    """
    phrases = vocabulary or read_vocabulary()
    known = shown or read_shown()
    photographs = read_rows(captioned.pictures, encoder, cache=cache, progress=progress)
    captions = [captioned.captions[row] for row in photographs.kept.tolist()]
    edited = EditedStore(captioned.pictures, drawn_edits(photographs.kept))
    changed = read_rows(edited, encoder, cache=cache, progress=progress)
    drawn = [edited.edits[row] for row in changed.kept.tolist()]
    directions = phrase_directions(phrases, encoder, cache=cache, progress=progress)
    vectors = np.concatenate([photographs.joint.vectors, changed.joint.vectors])
    pool = _Pool(captions, photographs.kept, drawn)
    people = pool.folded
    if spoken:
        people = folded(spoken)
    measured_phrases: dict[str, PhraseCompetence] = {}
    shows: dict[str, Bool] = {}
    times: dict[str, I64] = {}
    for phrase, direction in zip(phrases.phrases, directions):
        grounds: list[tuple[Bool, Bool, str]] = []
        if phrase.text in known.edits:
            grounds.append((*pool.by_edits(known.edits[phrase.text]), "edits"))
        pattern = known.captions.get(phrase.text)
        if not pattern and not grounds:
            pattern = own_words(phrase.text)
        if pattern:
            counted = mentions(pattern, pool.folded)
            grounds.append((*pool.by_captions(pattern, counted), "captions"))
            times[phrase.text] = times_shown(pattern, counted)
        scores = vectors.astype(np.float64) @ direction
        weakest: PhraseCompetence | None = None
        for inside, outside, ground in grounds:
            competence = measured(scores[inside], scores[outside], ground)
            # the weaker of both grounds: a name must hold wherever its word may be meant
            if competence is not None and (weakest is None or competence.auroc.low < weakest.auroc.low):
                weakest = competence
                shows[phrase.text] = inside
        if weakest is not None:
            measured_phrases[phrase.text] = replace(weakest, spoken=_spoken_rate(pattern, people))
    line = support_line(encoder, measured_phrases, vectors, shows, len(captions), cache)
    chance = shown_questions(encoder, photographs.joint.vectors, pool.folded, known, cache)
    what = f"{len(captions):,} captioned photographs and {len(drawn):,} edited ones that no fit saw"
    words = [phrase.text for phrase in phrases.phrases], directions, measured_phrases
    scopes = {name: mentions(pattern, pool.folded) >= MIN_MENTIONS for name, pattern in known.classes.items()}
    copies = pool.origin, [edit for _, edit in drawn]
    titles = model_of_pool(photograph_pool(photographs, changed, copies, known.edits, times, scopes, words))
    return CompetenceTable(encoder.name, encoder.fingerprint, what, measured_phrases, line, chance, titles)


def own_words(phrase: str) -> str | None:
    """Pattern for captions that hold every meaningful word of a phrase; None if it has none."""
    bare = stems(phrase)
    return "".join(rf"(?=.*\b{re.escape(stem)})" for stem in bare) or None


def mentions(pattern: str, folded: Sequence[Sequence[str]]) -> I64:
    """(n,) how many captions of each photograph hold a pattern of `Shown`, with or without its "!".

    Args:
        folded: the captions of each, words folded as by `words_in` and joined with blanks.
    """
    wanted = re.compile(pattern.removeprefix("!"))
    return np.array([sum(bool(wanted.search(caption)) for caption in texts) for texts in folded], np.int64)


def times_shown(pattern: str, times: I64) -> I64:
    """(n,) how many captions of each photograph mention the phrase, from the (n,) that hold the pattern; for a pattern
    with "!", enough if none holds it."""
    if pattern.startswith("!"):
        return np.where(times == 0, MIN_MENTIONS, 0)
    return times


def folded(captions: Sequence[Sequence[str]]) -> list[list[str]]:
    """The captions as patterns of `Shown` read them."""
    return [[" ".join(words_in(caption)) for caption in texts] for texts in captions]


def _spoken_rate(pattern: str | None, folded: Sequence[Sequence[str]]) -> float:
    """Photographs in 1,000 with at least two captions that hold the pattern; nan for a pattern with "!"."""
    if pattern is None or pattern.startswith("!"):
        return math.nan
    return 1000 * float((mentions(pattern, folded) >= MIN_MENTIONS).mean())


def drawn_edits(rows: I64) -> tuple[tuple[int, str], ...]:
    """(photograph, edit) pairs: each edit takes the next photographs of a shuffled circle."""
    order = np.random.default_rng(0).permutation(rows).tolist()
    pairs: list[tuple[int, str]] = []
    for name in EDITS:
        for _ in range(IMAGES_PER_EDIT):
            pairs.append((order[len(pairs) % len(order)], name))
    return tuple(pairs)


class _Pool:
    """What is known of each image: photographs by their captions, then edited ones."""

    def __init__(self, captions: Sequence[tuple[str, ...]], rows: I64, drawn: Sequence[tuple[int, str]]) -> None:
        self.folded = folded(captions)
        position = {row: i for i, row in enumerate(rows.tolist())}
        self.origin = np.array([position[row] for row, _ in drawn], np.int64)
        self.edit = np.array([edit for _, edit in drawn], object)

    def by_captions(self, pattern: str, times: I64) -> tuple[Bool, Bool]:
        """Photographs whose captions mention it, and images that do not show it: photographs without a mention, plain
        and edited; times: (n,) captions that hold the pattern."""
        inside, outside = mentioned(pattern, times)
        return np.append(inside, np.zeros(len(self.edit), bool)), np.append(outside, outside[self.origin])

    def by_edits(self, edits: Sequence[str]) -> tuple[Bool, Bool]:
        """Images with these edits; and as many unchanged ones as ones with other edits."""
        inside = np.isin(self.edit, edits)
        plain = np.zeros(len(self.folded), bool)
        plain[np.random.default_rng(1).permutation(len(plain))[: int((~inside).sum())]] = True
        return np.append(np.zeros(len(plain), bool), inside), np.append(plain, ~inside)


def shown_questions(
    encoder: Encoder, vectors: F32, captions: Sequence[Sequence[str]], shown: Shown, cache: Path | None = None
) -> Chance | None:
    """Measure how likeness relates to what captions mention. Asked: the phrases, and the objects that they name, among
    all photographs; and the phrases among photographs of an object that many show.

    Args:
        vectors: (n, d) photographs.
        captions: of each, from `folded`.
    """
    holds = {text: mentioned(pattern, mentions(pattern, captions))[0] for text, pattern in shown.captions.items()}
    every = np.ones(len(vectors), bool)
    asked: list[tuple[str, str | None, Bool, Bool]] = [(text, None, every, holds[text]) for text in holds]
    for text in holds:
        match = OBJECT_PHRASE.fullmatch(text)
        if match is None:
            continue
        name = match[1]
        scope = holds[text]
        asked.append((name, None, every, scope))
        if scope.sum() >= MIN_PHOTOGRAPHS:
            asked += [(f"{name} {second}", name, scope, holds[second]) for second in holds if second != text]
    return chance_of_questions(encoder, vectors, asked, cache)


def mentioned(pattern: str, times: I64) -> tuple[Bool, Bool]:
    """Which photographs show it, from the (n,) captions of each that hold the pattern, and which do not."""
    enough = MIN_MENTIONS
    if (times >= MIN_MENTIONS).sum() < MIN_SHOWN:
        enough = 1
    often = times >= enough
    never = times == 0
    if pattern.startswith("!"):
        return never, often
    return often, never


def chance_of_questions(
    encoder: Encoder, vectors: F32, asked: Sequence[tuple[str, str | None, Bool, Bool]], cache: Path | None = None
) -> Chance | None:
    """Fit the chance of being shown on questions with known answers.

    Args:
        vectors: (n, d) samples.
        asked: for each a text, the object that it describes ("a dog") or None, the (n,) samples of its scope, and the
            (n,) samples that show it.
    """
    asked = [question for question in asked if teaches(question[3][question[2]])]
    if not asked:
        return None
    directions, _ = asked_directions(encoder, [text for text, *_ in asked], [name for _, name, *_ in asked], cache)
    answered: list[tuple[F64, Bool]] = []
    for (_, _, scope, shows), direction in zip(asked, directions):
        answered.append(((vectors[scope] @ direction).astype(np.float64), shows[scope]))
    return fit_chance(answered)


def support_line(
    encoder: Encoder,
    phrases: Mapping[str, PhraseCompetence],
    vectors: F32,
    shows: Mapping[str, Bool],
    n_others: int,
    cache: Path | None,
) -> float | None:
    """The support that all but `MISSED_SHARE` of the known phrases reach among samples some of which show them; None
    with too few known phrases.

    Args:
        vectors: (n, d) samples.
        shows: (n,) for each phrase, which samples show it.
        n_others: the others are drawn from this many first samples.
    """
    names = [text for text, competence in phrases.items() if competence.auroc.low >= BAR]
    if len(names) < MIN_PHRASES:
        return None
    asked = likeness(vectors, question_vectors(names, encoder, cache), things_of(encoder, cache))
    rng = np.random.default_rng(2)
    reached = list[float]()
    for column, text in enumerate(names):
        showing = asked[shows[text], column]
        others = asked[:n_others, column]
        n_showing = max(TOP, round(SHOWING_SHARE * len(showing)))
        for _ in range(DRAWS):
            drawn = rng.permutation(showing)[:n_showing]
            reached.append(support(np.concatenate([drawn, rng.permutation(others)[:OTHER_IMAGES]])))
    return float(np.quantile(reached, MISSED_SHARE))


def measured(inside: F64, outside: F64, ground: str) -> PhraseCompetence | None:
    """How well scores separate samples that show a phrase from others; None with too few of either."""
    if min(len(inside), len(outside)) < MIN_PICTURES:
        return None
    positive: Bool = np.arange(len(inside) + len(outside)) < len(inside)
    area = auroc(np.concatenate([inside, outside]), positive)
    return PhraseCompetence(auroc_interval(area, len(inside), len(outside)), len(inside), len(outside), ground)
