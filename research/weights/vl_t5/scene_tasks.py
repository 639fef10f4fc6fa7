"""What can be asked of a drawn scene whose truth is known: color, shape, count, thing, existence; where a thing is;
whether a sentence is true of it; and what is in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from core.language.grammar import plural
from core.systems.composition.scenes.shapes import COLOURS, SHAPES, Scene, Shape, ShapePhrase
from core.systems.vl_t5.tasks import CAPTION, GROUNDING, MATCHING, QUESTION, REGIONS, SPANS, part_word
from research.weights.vl_t5.spoken import FALSE, TRUE, Spoken, span_task

GRID = 7
"""Cells along a side, as the embedded encoder has them."""
YES = "yes"
NO = "no"
KINDS = ("colour", "shape", "count", "thing", "exists")
"""Of questions."""
ABSENT = "absent "
"""Before a kind, "colour" or "shape": asked of what the scene does not show. The answer is `NONE`."""
NONE = "none"
BEGINNINGS = ("what colour", "what shape", "how many", "what is", "is there")
"""How a question of each kind begins."""


@dataclass(frozen=True, slots=True, eq=False)
class SceneTasks:
    """Draws tasks on scenes. Only what has one answer is asked: a thing that is spoken of is the only one of its
    description."""

    scenes: Sequence[Scene]
    rng: np.random.Generator

    def draw(self, picture: int, prefix: str, kind: str = "") -> Spoken | None:
        """A task of that prefix on a scene; None where the scene has none.

        Args:
            kind: of questions: one of `KINDS`, or "colour" or "shape" with `ABSENT` before it; "" for any of `KINDS`.
        """
        scene = self.scenes[picture]
        if prefix == QUESTION:
            kind = kind or str(self.rng.choice(KINDS))
            return self._asked(picture, _QUESTIONS[kind](scene.things, self.rng), kind)
        if prefix == GROUNDING:
            return self._grounding(picture)
        if prefix == MATCHING:
            return self._matching(picture)
        if prefix == REGIONS:
            return self._regions(picture)
        said = listed(scene.things)
        if prefix == SPANS:
            return span_task(picture, said, self.rng)
        return Spoken(picture, CAPTION, said, "scene caption")

    def many(self, prefix: str, n: int, kind: str = "") -> list[Spoken]:
        """n tasks on scenes drawn at random."""
        made: list[Spoken] = []
        while len(made) < n:
            found = self.draw(int(self.rng.integers(len(self.scenes))), prefix, kind)
            made += [] if found is None else [found]
        return made

    def one_each(self, prefix: str, kind: str = "") -> list[Spoken]:
        """One task on every scene that has one: tasks of different images are independent."""
        found = (self.draw(picture, prefix, kind) for picture in range(len(self.scenes)))
        return [one for one in found if one is not None]

    def _asked(self, picture: int, pair: tuple[str, str] | None, kind: str) -> Spoken | None:
        return None if pair is None else Spoken(picture, f"{QUESTION} {pair[0]}", pair[1], kind)

    def _grounding(self, picture: int) -> Spoken | None:
        things = self.scenes[picture].things
        named = [(said, thing) for thing in things if (said := _named(thing, things))]
        if not named:
            return None
        said, thing = named[int(self.rng.integers(len(named)))]
        return Spoken(picture, f"{GROUNDING} the {said}", part_word(cell_of(thing)), "grounding")

    def _regions(self, picture: int) -> Spoken:
        """What is in some cells, in the order in which they are named. VL-T5 asks of one at a time; several share one
        look at the image."""
        things = self.scenes[picture].things
        picked = self.rng.permutation(len(things))[: int(self.rng.integers(1, len(things) + 1))]
        cells = " ".join(part_word(cell_of(things[i])) for i in picked)
        said = " , ".join(f"{things[i].colour} {things[i].shape}" for i in picked)
        return Spoken(picture, f"{REGIONS} {cells}", said, "regions")

    def _matching(self, picture: int) -> Spoken | None:
        """A sentence of two things: true, of another scene, or with the colors exchanged."""
        things = self.scenes[picture].things
        phrases = _two(things, self.rng)
        if phrases is None:
            return None
        kind = "match, true"
        wanted = TRUE
        if self.rng.random() < 0.5:
            first, second = phrases
            exchanged = (ShapePhrase(first.shape, second.colour), ShapePhrase(second.shape, first.colour))
            if self.rng.random() < 0.5:
                phrases = exchanged
                kind = "match, colours exchanged"
            else:
                phrases = _two(self.scenes[int(self.rng.integers(len(self.scenes)))].things, self.rng)
                kind = "match, another scene"
            if phrases is None or all(any(p.matches(t) for t in things) for p in phrases):
                return None
            wanted = FALSE
        return Spoken(picture, f"{MATCHING} {' and '.join(phrase.text() for phrase in phrases)}", wanted, kind)


def listed(things: Sequence[Shape]) -> str:
    """All things from left to right."""
    return " , ".join(f"{thing.colour} {thing.shape}" for thing in sorted(things, key=lambda thing: thing.x))


def cell_of(thing: Shape, side: int = GRID) -> int:
    """The cell of the grid that the thing's middle is in."""
    return min(side - 1, int(thing.y * side)) * side + min(side - 1, int(thing.x * side))


def lies_on(cell: int | None, thing: Shape, side: int = GRID) -> bool:
    """Whether the middle of the cell is inside the thing's square."""
    if cell is None:
        return False
    row, column = divmod(cell, side)
    x = (column + 0.5) / side
    y = (row + 0.5) / side
    return max(abs(x - thing.x), abs(y - thing.y)) <= thing.extent / 2


def spoken_of(said: str, things: Sequence[Shape]) -> Shape:
    """The thing that "the red cube" or "the small ball" means; `said` comes from `SceneTasks`."""
    words = said.removeprefix(f"{GROUNDING} the ").split()
    return next(t for t in things if set(words) <= {t.shape, t.colour, t.material, t.size})


def _named(thing: Shape, things: Sequence[Shape]) -> str:
    """The shortest description that no other thing has: "red cube", "small red cube"; "" where there is none."""
    for fields in (("colour", "shape"), ("size", "colour", "shape"), ("material", "colour", "shape")):
        values = [getattr(thing, field) for field in fields]
        if sum([getattr(t, field) for field in fields] == values for t in things) == 1:
            return " ".join(values)
    return ""


def _single(things: Sequence[Shape], field: str) -> list[Shape]:
    """Things of which no other has the same value."""
    counts = Counter(getattr(thing, field) for thing in things)
    return [thing for thing in things if counts[getattr(thing, field)] == 1]


def _pick(of: Sequence[Shape], rng: np.random.Generator) -> Shape | None:
    return of[int(rng.integers(len(of)))] if of else None


def _colour(things: Sequence[Shape], rng: np.random.Generator) -> tuple[str, str] | None:
    thing = _pick(_single(things, "shape"), rng)
    return None if thing is None else (f"what colour is the {thing.shape} ?", thing.colour)


def _shape(things: Sequence[Shape], rng: np.random.Generator) -> tuple[str, str] | None:
    thing = _pick(_single(things, "colour"), rng)
    return None if thing is None else (f"what shape is the {thing.colour} thing ?", thing.shape)


def _absent(things: Sequence[Shape], rng: np.random.Generator, field: str, question: str) -> tuple[str, str] | None:
    """A question about a shape or a color that no thing has."""
    every = SHAPES if field == "shape" else tuple(COLOURS)
    free = sorted(set(every) - {str(getattr(thing, field)) for thing in things})
    return (question.format(free[int(rng.integers(len(free)))]), NONE) if free else None


def _thing(things: Sequence[Shape], rng: np.random.Generator) -> tuple[str, str] | None:
    field = ("size", "material")[int(rng.integers(2))]
    thing = _pick(_single(things, field), rng)
    return None if thing is None else (f"what is the {getattr(thing, field)} thing ?", f"{thing.colour} {thing.shape}")


def _count(things: Sequence[Shape], rng: np.random.Generator) -> tuple[str, str] | None:
    way = int(rng.integers(3))
    if way == 0:
        return "how many things are there ?", str(len(things))
    field, every = ("shape", SHAPES) if way == 1 else ("colour", tuple(COLOURS))
    there = sorted({str(getattr(thing, field)) for thing in things})
    absent = rng.random() < 0.2
    pool = [value for value in every if (value in there) != absent]
    value = pool[int(rng.integers(len(pool)))]
    said = plural(value) if way == 1 else f"{value} things"
    return f"how many {said} are there ?", str(sum(getattr(thing, field) == value for thing in things))


def _exists(things: Sequence[Shape], rng: np.random.Generator) -> tuple[str, str] | None:
    pairs = {(thing.colour, thing.shape) for thing in things}
    if rng.random() < 0.5:
        colour, shape = sorted(pairs)[int(rng.integers(len(pairs)))]
        return f"is there a {colour} {shape} ?", YES
    colours = sorted({c for c, _ in pairs}) if rng.random() < 0.5 else list(COLOURS)
    shapes = sorted({s for _, s in pairs}) if rng.random() < 0.5 else list(SHAPES)
    free = [(c, s) for c in colours for s in shapes if (c, s) not in pairs]
    if not free:
        return None
    colour, shape = free[int(rng.integers(len(free)))]
    return f"is there a {colour} {shape} ?", NO


def _two(things: Sequence[Shape], rng: np.random.Generator) -> tuple[ShapePhrase, ShapePhrase] | None:
    """Two things that differ in shape and color."""
    pairs = [(a, b) for a in things for b in things if a.shape != b.shape and a.colour != b.colour]
    if not pairs:
        return None
    first, second = pairs[int(rng.integers(len(pairs)))]
    return ShapePhrase(first.shape, first.colour), ShapePhrase(second.shape, second.colour)


_Asks = Callable[[Sequence[Shape], np.random.Generator], "tuple[str, str] | None"]
_QUESTIONS: dict[str, _Asks] = {
    "colour": _colour,
    "shape": _shape,
    "count": _count,
    "thing": _thing,
    "exists": _exists,
    ABSENT + "colour": partial(_absent, field="shape", question="what colour is the {} ?"),
    ABSENT + "shape": partial(_absent, field="colour", question="what shape is the {} thing ?"),
}
