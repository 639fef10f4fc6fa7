"""How well an encoder tells images that show a phrase from images that do not, phrase by phrase.

Which images show what is known in two ways. Captions: people who saw a photograph wrote down what is on it; a phrase
is shown where at least two captions mention it, and not shown where none does. Edits: a photograph was made dark,
noisy, foggy, ... here. Each phrase is measured with the direction by which it would name a cluster, against images
that differ in anything else too: half of those without it are edited as well, since a word that lights up for noise as
for what it means says neither.
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

SHOWN = ASSETS / "phrases" / "shown.json"
MENTIONS = 2
"""Captions that must mention a phrase, so that it counts as shown; one is enough of a phrase that fewer than `RARE`
images would show so."""
RARE = 20
PER_EDIT = 45
"""Images of each edit."""
MIN_PHRASES = 10
"""Phrases that must be known before it is measured from which support on something is said to be shown."""
MISSED = 0.04
"""Share of the known phrases that do not reach that support where they are shown. More would refuse what small
images show: chosen on those of `research/evidence/shown.py`."""
DRAWS = 20
"""Times that each phrase is asked, of other samples: one time alone moves the line by a third of a deviation."""
THING = re.compile(r"(?:next to|with) (an? \w+)")
"""A phrase that names a thing."""
MANY = 100
"""Photographs of a thing in which the phrases are asked for too."""
SHOWING = 0.5
BESIDE = 250
"""Share of the images that show a phrase, and how many others, of which it is asked."""


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """By what it is known that an image shows a phrase."""

    captions: Mapping[str, str]
    """Pattern of captions that mention it; with "!" in front, of captions none of which may."""
    edits: Mapping[str, tuple[str, ...]]
    """Edits that show it."""
    classes: Mapping[str, str] = field(default_factory=dict[str, str])
    """Pattern of captions that mention each of the classes from which clusters are cut."""


def read_shown() -> Shown:
    """The shipped account of what shows a phrase."""
    said = cast("dict[str, Any]", read_json(SHOWN))
    return Shown(said["captions"], {phrase: tuple(edits) for phrase, edits in said["edits"].items()}, said["classes"])


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
    """The table of an encoder's competence; a phrase that neither captions nor edits show is not in it.

    Args:
        captioned: photographs that no fit of the encoder saw.
        vocabulary: the phrases; None takes those that ship. One that `shown` does not know is looked for in the
            captions by its own words.
        spoken: captions of photographs, of each some, in which is counted how often people say a phrase; none takes
            those of `captioned`. A phrase that is known by edits alone, or by what no caption says, is not counted.
    """
    phrases = vocabulary or read_vocabulary()
    known = shown or read_shown()
    photographs = read_rows(captioned.pictures, encoder, cache=cache, progress=progress)
    captions = [captioned.captions[row] for row in photographs.kept.tolist()]
    edited = EditedStore(captioned.pictures, drawn_edits(photographs.kept))
    changed = read_rows(edited, encoder, cache=cache, progress=progress)
    made = [edited.edits[row] for row in changed.kept.tolist()]
    directions = phrase_directions(phrases, encoder, cache=cache, progress=progress)
    vectors = np.concatenate([photographs.joint.vectors, changed.joint.vectors])
    pool = _Pool(captions, photographs.kept, made)
    people = folded(spoken) if spoken else pool.folded
    found: dict[str, PhraseCompetence] = {}
    shows: dict[str, Bool] = {}
    times: dict[str, I64] = {}
    for phrase, direction in zip(phrases.phrases, directions):
        each = [(*pool.by_edits(known.edits[phrase.text]), "edits")] if phrase.text in known.edits else []
        pattern = known.captions.get(phrase.text) or (None if each else own_words(phrase.text))
        if pattern:
            counted = mentions(pattern, pool.folded)
            each.append((*pool.by_captions(pattern, counted), "captions"))
            times[phrase.text] = times_shown(pattern, counted)
        scores = vectors.astype(np.float64) @ direction
        both = [(measured(scores[inside], scores[outside], ground), inside) for inside, outside, ground in each]
        known_by = [(one, inside) for one, inside in both if one is not None]
        if known_by:  # the weaker: a name must hold wherever its word may be meant
            weaker, shows[phrase.text] = min(known_by, key=lambda one: one[0].auroc.low)
            found[phrase.text] = replace(weaker, said=_said(pattern, people))
    line = support_line(encoder, found, vectors, shows, len(captions), cache)
    chance = shown_questions(encoder, photographs.joint.vectors, pool.folded, known, cache)
    what = f"{len(captions):,} captioned photographs and {len(made):,} edited ones that no fit saw"
    words = [phrase.text for phrase in phrases.phrases], directions, found
    scopes = {name: mentions(pattern, pool.folded) >= MENTIONS for name, pattern in known.classes.items()}
    copies = pool.origin, [edit for _, edit in made]
    titles = model_of_pool(photograph_pool(photographs, changed, copies, known.edits, times, scopes, words))
    return CompetenceTable(encoder.name, encoder.fingerprint, what, found, line, chance, titles)


def own_words(phrase: str) -> str | None:
    """The pattern of captions that hold every word of a phrase that carries meaning; None where it has none."""
    bare = stems(phrase)
    return "".join(rf"(?=.*\b{re.escape(stem)})" for stem in bare) or None


def mentions(pattern: str, folded: Sequence[Sequence[str]]) -> I64:
    """(n,) how many captions of each photograph hold a pattern of `Shown`; with "!" in front, what it speaks of.

    Args:
        folded: the captions of each, as `words_in` folds them, with a blank between words.
    """
    wanted = re.compile(pattern.removeprefix("!"))
    return np.array([sum(bool(wanted.search(caption)) for caption in own) for own in folded], np.int64)


def times_shown(pattern: str, times: I64) -> I64:
    """(n,) in how many captions of each photograph it is said, by the (n,) that hold the pattern; of one with "!",
    enough where none holds it."""
    return np.where(times == 0, MENTIONS, 0) if pattern.startswith("!") else times


def folded(captions: Sequence[Sequence[str]]) -> list[list[str]]:
    """The captions as patterns of `Shown` read them."""
    return [[" ".join(words_in(caption)) for caption in own] for own in captions]


def _said(pattern: str | None, folded: Sequence[Sequence[str]]) -> float:
    """Of how many in 1,000 photographs at least two captions hold the pattern; nan of one that none may hold."""
    if pattern is None or pattern.startswith("!"):
        return math.nan
    return 1000 * float((mentions(pattern, folded) >= MENTIONS).mean())


def drawn_edits(rows: I64) -> tuple[tuple[int, str], ...]:
    """Which photograph is edited in which way: each edit takes the next ones of a shuffled circle."""
    order = np.random.default_rng(0).permutation(rows).tolist()
    names = [name for name in EDITS for _ in range(PER_EDIT)]
    return tuple((order[i % len(order)], name) for i, name in enumerate(names))


class _Pool:
    """What is known of each image: of photographs, by their captions, and of edited ones after them."""

    def __init__(self, captions: Sequence[tuple[str, ...]], rows: I64, made: Sequence[tuple[int, str]]) -> None:
        self.folded = folded(captions)
        place = {row: i for i, row in enumerate(rows.tolist())}
        self.origin = np.array([place[row] for row, _ in made], np.int64)
        self.edit = np.array([edit for _, edit in made], object)

    def by_captions(self, pattern: str, times: I64) -> tuple[Bool, Bool]:
        """Photographs that the captions say show it, and those that they do not mention it of, as they are and edited;
        times: (n,) captions that hold the pattern."""
        inside, outside = mentioned(pattern, times)
        return np.append(inside, np.zeros(len(self.edit), bool)), np.append(outside, outside[self.origin])

    def by_edits(self, edits: Sequence[str]) -> tuple[Bool, Bool]:
        """Images with these edits, and unchanged ones and those with other edits."""
        inside = np.isin(self.edit, edits)
        plain = np.zeros(len(self.folded), bool)
        plain[np.random.default_rng(1).permutation(len(plain))[: int((~inside).sum())]] = True
        return np.append(np.zeros(len(plain), bool), inside), np.append(plain, ~inside)


def shown_questions(
    encoder: Encoder, vectors: F32, captions: Sequence[Sequence[str]], shown: Shown, cache: Path | None = None
) -> Chance | None:
    """By what likeness photographs show what their captions mention: the phrases, and the things that these name, among
    all of them; and the phrases among those of a thing that many show.

    Args:
        vectors: (n, d) photographs.
        captions: of each, as `folded` gives them.
    """
    holds = {text: mentioned(pattern, mentions(pattern, captions))[0] for text, pattern in shown.captions.items()}
    every = np.ones(len(vectors), bool)
    asked: list[tuple[str, str | None, Bool, Bool]] = [(text, None, every, holds[text]) for text in holds]
    for text in holds:
        if (named := THING.fullmatch(text)) is not None:
            thing = named[1]
            scope = holds[text]
            asked.append((thing, None, every, scope))
            if scope.sum() >= MANY:
                asked += [(f"{thing} {other}", thing, scope, holds[other]) for other in holds if other != text]
    return chance_of_questions(encoder, vectors, asked, cache)


def mentioned(pattern: str, times: I64) -> tuple[Bool, Bool]:
    """Which photographs show it, by the (n,) captions of each that hold the pattern, and which do not."""
    often = times >= (MENTIONS if (times >= MENTIONS).sum() >= RARE else 1)
    never = times == 0
    return (never, often) if pattern.startswith("!") else (often, never)


def chance_of_questions(
    encoder: Encoder, vectors: F32, asked: Sequence[tuple[str, str | None, Bool, Bool]], cache: Path | None = None
) -> Chance | None:
    """The chance that questions teach of which it is known what shows them.

    Args:
        vectors: (n, d) samples.
        asked: of each a text, the thing that it is said of ("a dog") or None, the (n,) samples of its scope, and the
            (n,) samples that show it.
    """
    asked = [one for one in asked if teaches(one[3][one[2]])]
    if not asked:
        return None
    directions, _ = asked_directions(encoder, [one[0] for one in asked], [one[1] for one in asked], cache)
    return fit_chance(
        [
            ((vectors[scope] @ direction).astype(np.float64), shows[scope])
            for (_, _, scope, shows), direction in zip(asked, directions)
        ]
    )


def support_line(
    encoder: Encoder,
    found: Mapping[str, PhraseCompetence],
    vectors: F32,
    shows: Mapping[str, Bool],
    n_others: int,
    cache: Path | None,
) -> float | None:
    """The support that all but `MISSED` of the known phrases reach, asked of samples some of which show them; None
    where too few are known.

    Args:
        vectors: (n, d) samples.
        shows: (n,) of each phrase, which show it.
        n_others: of so many of the first samples the others are drawn.
    """
    names = [text for text, one in found.items() if one.auroc.low >= BAR]
    if len(names) < MIN_PHRASES:
        return None
    asked = likeness(vectors, question_vectors(names, encoder, cache), things_of(encoder, cache))
    rng = np.random.default_rng(2)
    reached = list[float]()
    for place, text in enumerate(names):
        showing = asked[shows[text], place]
        others = asked[:n_others, place]
        for _ in range(DRAWS):
            some = rng.permutation(showing)[: max(TOP, round(SHOWING * len(showing)))]
            reached.append(support(np.concatenate([some, rng.permutation(others)[:BESIDE]])))
    return float(np.quantile(reached, MISSED))


def measured(inside: F64, outside: F64, ground: str) -> PhraseCompetence | None:
    """How well scores tell the samples that show a phrase from those that do not; None where either are too few."""
    if min(len(inside), len(outside)) < MIN_PICTURES:
        return None
    positive: Bool = np.arange(len(inside) + len(outside)) < len(inside)
    area = auroc(np.concatenate([inside, outside]), positive)
    return PhraseCompetence(auroc_interval(area, len(inside), len(outside)), len(inside), len(outside), ground)
