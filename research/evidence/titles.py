"""How often is a title right, and does it know? Clusters with a known cause, cut from photographs that no fit saw.

    python -m research.evidence.titles DATA [--texts] [--cache FOLDER] [--seeds 1 2 3]

DATA holds flickr8k/. The shipped model of titles was fitted on 1,228 photographs of the training part that no fit of
the encoder saw; it is tried on the 1,091 of dev and train_extra, all of which are new to it, and their edited copies.
Half of the natural causes are phrases of the vocabulary, half are the words of `CAUSES`. A theme is right where what
one of its first three words says is mentioned in captions of 40% of the members and of 1.5 times the share of the
rest, and near from 20% and 1.7 times (`core.checks.title_fit`).

With --texts, DATA holds what `measure_text_competence` takes, and the shipped model of texts is tried on the halves of
AG News, SST-2 and Multi30k that it was not fitted on; all causes are phrases.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.checks.competence import MIN_MENTIONS, drawn_edits, folded, mentions, own_words, read_shown, times_shown
from core.checks.picture_edits import EditedStore
from core.checks.text_competence import known_of_texts
from core.checks.title_fit import Attribute, Judged, Kind, TitlePool, both_right, judge, phrase_attribute, plants
from core.checks.title_pools import photograph_pool, text_pool
from core.cli.terminal import TerminalProgress
from core.data.captioned import read_captioned
from core.data.texts.columns import TextItems
from core.embeddings.embed import read_images
from core.embeddings.rows import read_rows
from core.encoders import load_encoder
from core.language.competence import find_competence
from core.language.parts import WORTH_SAYING, Halves, chance_of_two, halves_of
from core.language.phrases import phrase_directions
from core.language.title_model import TitleModel, titled as titled_by
from core.language.vocabulary import read_vocabulary
from core.records import F64, I64, Bool
from core.statistics.intervals import wilson
from research.evidence.lines import show
from research.weights.embedded.measure_text_competence import marks_of, read_sources

COUNTS: Mapping[Kind, int] = {"natural": 200, "edit": 150, "column": 60, "region": 60, "mixture": 80, "random": 300}
TAKEN_APART: tuple[Kind, ...] = ("natural", "mixture", "random")
CAUSES: Mapping[str, str] = {
    "snow": r"snow", "water": r"\b(?:water|ocean|lake|river|pool|wave|surf)", "grass": r"grass", "ball": r"\bball",
    "beach": r"\b(?:beach|sand)", "red": r"\bred\b", "blue": r"\bblue\b", "black": r"\bblack\b", "white": r"\bwhite\b",
    "yellow": r"\byellow\b", "jump": r"jump|leap|air\b", "run": r"\brun", "bike": r"bike|bicycl|motorcycl",
    "street": r"street|road|sidewalk|city", "rock": r"rock|cliff|mountain", "sit": r"\bsit", "stick": r"\bstick",
    "sport": r"soccer|football|basketball|hockey|baseball|tennis", "smile": r"smil|laugh", "swim": r"swim",
    "swing": r"swing|slide|playground", "night": r"night|dark", "tree": r"\btree|wood|forest", "fence": r"fence",
    "hat": r"\bhat\b|\bcap\b|helmet", "wall": r"\bwall\b|building", "car": r"\bcars?\b|truck|vehicle",
}  # fmt: skip


def taken_apart(model: TitleModel, judged: Judged) -> Halves | None:
    """The best split of a planted cluster; None where no theme describes it."""
    first_themes, _ = titled_by(model, judged.ranked)
    return halves_of(model, judged.ranked, first_themes, judged.plant.members) if first_themes else None


def titled(model: TitleModel, judged: Judged) -> tuple[float, tuple[tuple[str, ...], ...]]:
    """(chance, the words of each theme) of the title that the model gives a planted cluster."""
    first_themes, chance = titled_by(model, judged.ranked)
    return chance, tuple(theme.texts for theme in first_themes)


def read_pool(data: Path, cache: Path | None) -> tuple[TitlePool, TitleModel, Attribute]:
    """The photographs that no fit saw, the shipped model, and what draws natural causes."""
    encoder = load_encoder("embedded")
    known = read_shown()
    vocabulary = read_vocabulary()
    captioned = read_captioned(data / "captions.csv", data / "images", ["dev", "train_extra"])
    with TerminalProgress() as progress:
        photographs = read_rows(captioned.pictures, encoder, cache=cache, progress=progress)
        edited = EditedStore(captioned.pictures, drawn_edits(photographs.kept))
        changed = read_rows(edited, encoder, cache=cache, progress=progress)
    said = folded([captioned.captions[row] for row in photographs.kept.tolist()])
    made = [edited.edits[row] for row in changed.kept.tolist()]
    place = {row: i for i, row in enumerate(photographs.kept.tolist())}
    table, note = find_competence(encoder, None)
    if table is None or table.titles is None:
        raise SystemExit(note or "The shipped table has no model of titles.")
    phrases = [one.text for one in vocabulary.phrases]
    patterns = {text: known.captions.get(text) or own_words(text) for text in phrases if text in table.phrases}
    pool = photograph_pool(
        photographs,
        changed,
        (np.array([place[row] for row, _ in made]), [edit for _, edit in made]),
        known.edits,
        {text: times_shown(pattern, mentions(pattern, said)) for text, pattern in patterns.items() if pattern},
        {name: mentions(pattern, said) >= MIN_MENTIONS for name, pattern in known.classes.items()},
        (phrases, phrase_directions(vocabulary, encoder, cache=cache), table.phrases),
    )
    return pool, table.titles, _causes(pool, {name: mentions(pattern, said) for name, pattern in CAUSES.items()})


def read_text_pool(data: Path, cache: Path | None) -> tuple[TitlePool, TitleModel, Attribute]:
    """The same of texts."""
    encoder = load_encoder("minilm")
    vocabulary = read_vocabulary(None, "text")
    sources, texts = zip(*read_sources(data, second=True), strict=True)
    with TerminalProgress() as progress:
        reading = read_images(
            TextItems(tuple(map(str, range(len(texts)))), texts),
            encoder,
            modality="text",
            cache=cache,
            progress=progress,
        )
    kept = reading.kept.tolist()
    marks = marks_of([sources[row] for row in kept])
    table, note = find_competence(encoder, None)
    if table is None or table.titles is None:
        raise SystemExit(note or "The shipped table has no model of titles.")
    known = known_of_texts([texts[row] for row in kept], vocabulary, marks)
    phrases = [one.text for one in vocabulary.phrases]
    words = (phrases, phrase_directions(vocabulary, encoder, cache=cache), table.phrases)
    pool = text_pool(reading, {text: own for text, own in known.items() if text in table.phrases}, words)
    return pool, table.titles, phrase_attribute(pool)


def _causes(pool: TitlePool, mentioned: Mapping[str, I64]) -> Attribute:
    """Half of the time a word of captions, else a phrase."""
    of_phrases = phrase_attribute(pool)

    def draw(rng: np.random.Generator, rows: I64) -> tuple[str, Bool, Bool]:
        if rng.random() < 0.5:
            return of_phrases(rng, rows)
        name = str(rng.choice(list(mentioned)))
        times = mentioned[name][rows]
        return name, times >= MIN_MENTIONS, times == 0

    return draw


def share(hit: Bool) -> str:
    """Such as "0.78 [0.70, 0.84]"."""
    return show(wilson(int(hit.sum()), len(hit))) if len(hit) else "–"


@dataclass(frozen=True, slots=True)
class Told:
    """What the model says of one cluster, and how right that is."""

    kind: Kind
    cause: str
    dirt: float
    chance: float
    right: float
    two: bool
    """Whether it is said to be of two kinds; and whether the best way to take it apart names both causes."""
    both: bool


def drawn(pool: TitlePool, model: TitleModel, causes: Attribute, seed: int) -> Iterator[Told]:
    """The clusters of one draw."""
    rng = np.random.default_rng(seed)
    for plant in plants(pool, COUNTS, seed, causes):
        one = judge(pool, plant, rng)
        chance, found = titled(model, one)
        halves = taken_apart(model, one) if plant.kind in TAKEN_APART else None
        two = (
            (chance_of_two(model, halves) >= WORTH_SAYING, both_right(pool, plant, halves)) if halves else (False,) * 2
        )
        yield Told(plant.kind, plant.cause, plant.dirt, chance, one.of(found[0]) if found else 0.0, *two)


def report(model: TitleModel, told: Sequence[Told]) -> list[str]:
    """The tables of the page."""
    chance, right, kind = (np.array([getattr(one, name) for one in told]) for name in ("chance", "right", "kind"))
    likely = chance >= model.likely
    perhaps = (chance >= model.perhaps) & (chance < model.likely)
    lines = [
        "| clusters | n | theme right | right or near | likely | of these right | near | wrong | perhaps "
        "| of these right or near | said, and right or near |",
        "|" + "---|" * 11,
    ]
    real = kind != "random"
    no_column = kind != "column"
    groups = {name: kind == name for name in COUNTS if name in kind}
    for name, own in {**groups, "all but random": real, "all but random and columns": real & no_column}.items():
        a = own & likely
        b = own & perhaps
        cells = [right[own] >= 1, right[own] > 0, a[own], right[a] >= 1, right[a] == 0.5, right[a] == 0]
        cells += [b[own], right[b] > 0, ((a | b) & (right > 0))[own]]
        lines.append(f"| {name} | {own.sum():,} | {' | '.join(map(share, cells))} |")
    lines += ["", *_bins(chance, right), "", *(_by(told, "edit", lambda one: one.cause) if "edit" in kind else ())]
    return [*lines, "", *_by(told, "natural", lambda one: f"{one.dirt:.0%} others"), "", *_of_two(told)]


def _bins(chance: F64, right: F64) -> list[str]:
    lines = ["| chance said | n | mean said | right | right or near |", "|---|---|---|---|---|"]
    for low in np.arange(10) / 10:
        own = (chance >= low) & (chance < low + 0.1 + (low > 0.85))
        cells = f"{own.sum():,} | {chance[own].mean():.2f} | {share(right[own] >= 1)} | {share(right[own] > 0)}"
        lines.append(f"| {low:.1f} to {low + 0.1:.1f} | {cells} |")
    return lines


def _by(told: Sequence[Told], kind: Kind, of: Callable[[Told], str]) -> list[str]:
    lines = [f"| {kind} | n | right | mean said |", "|---|---|---|---|"]
    for name in sorted({of(one) for one in told if one.kind == kind}):
        own = [one for one in told if one.kind == kind and of(one) == name]
        right = np.mean([one.right >= 1 for one in own])
        said = np.mean([one.chance for one in own])
        lines.append(f"| {name} | {len(own)} | {right:.2f} | {said:.2f} |")
    return lines


def _of_two(told: Sequence[Told]) -> Iterator[str]:
    """Whether mixtures are told, and how well."""
    for kind in TAKEN_APART:
        two, both = np.array([(one.two, one.both) for one in told if one.kind == kind]).T
        yield f"{kind}: said to be of two {share(two)}; both named {share(both)}, of those said {share(both[two])}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--texts", action="store_true", help="of texts, and not of photographs")
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(1, 11)), help="draws of clusters, pooled")
    given = parser.parse_args()
    pool, model, causes = (
        read_text_pool(given.data, given.cache) if given.texts else read_pool(given.data / "flickr8k", given.cache)
    )
    told: list[Told] = []
    print(f"lines: likely {model.likely:.2f}, perhaps {model.perhaps:.2f}")
    for seed in given.seeds:
        own = list(drawn(pool, model, causes, seed))
        good = np.array([one.chance >= model.perhaps and one.right > 0 for one in own if one.kind != "random"])
        print(f"draw {seed}, all but random: said, and right or near {good.mean():.3f}", flush=True)
        told += own
    print("", *report(model, told), sep="\n")


if __name__ == "__main__":
    main()
