"""Items of the rendered benchmark: two images that differ in what belongs to what, and a caption of each.

Both captions of an item use the same words, so only their binding tells the images apart. What an item does not speak
of (the material of "a red cube") stays with its shape in both images; places, turns, ground and light are drawn
again for each image. "seen" items neither show nor name a held-out pair; in an "unseen" item each caption names at
least one, and nothing else in its images is held out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np

from core.errors import InvalidInput
from core.systems.composition.scenes.held_out import HeldOut, Pair, held_out_pairs
from core.systems.composition.scenes.placement import bare, laid_out
from core.systems.composition.scenes.shapes import (
    COLOURS,
    MATERIALS,
    RELATIONS,
    SHAPES,
    Scene,
    Shape,
    ShapePhrase,
    Statement,
)

KINDS: Mapping[str, str] = {
    "colour": "the colours are swapped",
    "material": "the materials are swapped",
    "size": "the sizes are swapped",
    "relation": "the places in a relation are swapped",
    "count": "the counts are swapped",
    "noun": "other things altogether: the easy control",
}
SPLITS = ("train", "seen", "unseen")
""""train" and "seen" are drawn alike, but never by the same random numbers."""
_COUNTS = ((1, 2), (1, 3), (2, 3))


@dataclass(frozen=True, slots=True)
class RenderedPlan:
    """What may be drawn."""

    kinds: tuple[str, ...] = tuple(KINDS)
    held_out: HeldOut = field(default_factory=lambda: held_out_pairs(0))
    distractors: tuple[int, int] = (0, 2)
    """Fewest and most things of other shapes that neither caption speaks of."""

    def __post_init__(self) -> None:
        kinds = self.kinds
        if not kinds or len(set(kinds)) < len(kinds) or not set(kinds) <= set(KINDS):
            raise InvalidInput(
                f"A plan's kinds must be at least 1 different ones of {list(KINDS)}: got {list(kinds)}. Fix them."
            )


@dataclass(frozen=True, slots=True, eq=False)
class RenderedItem:
    """Two scenes and their captions: caption i is true of scene i and false of the other."""

    id: str
    scenes: tuple[Scene, Scene]
    statements: tuple[Statement, Statement]
    tags: Mapping[str, str]

    @property
    def captions(self) -> tuple[str, str]:
        return self.statements[0].text(), self.statements[1].text()


def draw_items(plan: RenderedPlan, n: int, seed: int, split: str) -> list[RenderedItem]:
    """Draw `n` items, the kinds as even in number as n allows, in random order; the same plan, seed and split give the
    same items.

    Args:
        split: "train" or "seen" (no held-out pair is shown or named), or "unseen" (each caption names at least one).

    Returns:
        Items with the tags kind, split, relation, same size, same material, same colour (of the two things that are
        spoken of), things, distractors, unseen pairs (named by the two captions together) and layout.

    """
    rng = np.random.default_rng([seed, SPLITS.index(split)])
    drawer = _Drawer(plan, split == "unseen", rng)
    order = rng.permutation(n) % len(plan.kinds)
    return [drawer.item(plan.kinds[int(k)], f"{split}-{i:05d}", split) for i, k in enumerate(order)]


@dataclass(slots=True)
class _Subject:
    """One of the two things of an item, in both images: what its phrase says and how many there are."""

    phrases: tuple[ShapePhrase, ShapePhrase]
    things: tuple[Shape, Shape]

    def times(self, side: int) -> int:
        return self.phrases[side].count or 1


class _Drawer:
    """Draws items of one plan and split, and keeps the choices that each kind allows."""

    def __init__(self, plan: RenderedPlan, unseen: bool, rng: np.random.Generator) -> None:
        self.plan = plan
        self.unseen = unseen
        self.rng = rng
        self.choices: dict[str, list[tuple[str, ...]]] = {}

    def item(self, kind: str, name: str, split: str) -> RenderedItem:
        subjects, relation = self._subjects(kind)
        if kind == "relation":  # the second caption says the same relation of the second thing to the first
            statements = (_said(subjects, 0, relation), _said(subjects[::-1], 1, relation))
        else:
            statements = (_said(subjects, 0), _said(subjects, 1))
        others = self._distractors(subjects, kind)
        scenes = tuple(self._scene(subjects, others, kind, relation, side) for side in (0, 1))
        for side in (0, 1):
            assert statements[side].holds(scenes[side]), statements
            assert not statements[side].holds(scenes[1 - side]), statements
        unseen = sum(self.plan.held_out.in_phrase(phrase) for statement in statements for phrase in statement.phrases)
        tags = {
            "kind": kind,
            "split": split,
            **_sameness(subjects, kind),
            "things": _counted(scenes),
            "distractors": str(len(others)),
        }
        if kind == "relation":
            tags["relation"] = relation or ""
        return RenderedItem(name, scenes, statements, {**tags, "unseen pairs": str(unseen), "layout": "independent"})  # type: ignore[arg-type]

    def _scene(
        self, subjects: Sequence[_Subject], others: Sequence[Shape], kind: str, relation: str | None, side: int
    ) -> Scene:
        order = subjects if side == 0 or kind != "relation" else subjects[::-1]
        things = [subject.things[side] for subject in order for _ in range(subject.times(side))]
        return laid_out([*things, *others], self.rng, relation=relation)

    def _subjects(self, kind: str) -> tuple[list[_Subject], str | None]:
        rng = self.rng
        if kind in ("colour", "material"):
            return self._swapped(kind), None
        if kind == "noun":
            c1, c2, c3, c4, s1, s2, s3, s4 = self._noun()
            first = [(ShapePhrase(s1, c1), ShapePhrase(s3, c3)), (ShapePhrase(s2, c2), ShapePhrase(s4, c4))]
            return [self._subject(phrases) for phrases in first], None
        c1, c2, s1, s2 = self._pick("named", self._named)
        if kind == "size":
            a, b = ("small", "large") if rng.random() < 0.5 else ("large", "small")
            return [
                self._subject((ShapePhrase(s1, c1, size=a), ShapePhrase(s1, c1, size=b))),
                self._subject((ShapePhrase(s2, c2, size=b), ShapePhrase(s2, c2, size=a))),
            ], None
        if kind == "count":
            a, b = rng.permutation(_COUNTS[int(rng.integers(len(_COUNTS)))]).tolist()
            pairs = [
                (ShapePhrase(s1, c1, count=a), ShapePhrase(s1, c1, count=b)),
                (ShapePhrase(s2, c2, count=b), ShapePhrase(s2, c2, count=a)),
            ]
            return [self._subject(phrases, size="small") for phrases in pairs], None
        relation = str(rng.choice(list(RELATIONS)))
        return [self._subject((phrase, phrase)) for phrase in (ShapePhrase(s1, c1), ShapePhrase(s2, c2))], relation

    def _swapped(self, kind: str) -> list[_Subject]:
        a, b, s1, s2 = self._pick(kind, lambda: self._swaps(kind))
        if kind == "colour":
            return [
                self._subject((ShapePhrase(s1, a), ShapePhrase(s1, b))),
                self._subject((ShapePhrase(s2, b), ShapePhrase(s2, a))),
            ]
        return [
            self._subject((ShapePhrase(s1, material=a), ShapePhrase(s1, material=b))),
            self._subject((ShapePhrase(s2, material=b), ShapePhrase(s2, material=a))),
        ]

    def _subject(self, phrases: tuple[ShapePhrase, ShapePhrase], *, size: str | None = None) -> _Subject:
        """What is not said is drawn once, so that it is the same in both images (but for "noun", where the shapes
        differ)."""
        size = size or str(self.rng.choice(["small", "large"]))
        drawn: dict[str, tuple[str, str]] = {}

        def thing(phrase: ShapePhrase) -> Shape:
            if phrase.shape not in drawn:
                drawn[phrase.shape] = self._free("colour", phrase.shape), self._free("material", phrase.shape)
            colour, material = drawn[phrase.shape]
            return bare(phrase.shape, phrase.colour or colour, phrase.material or material, phrase.size or size)

        return _Subject(phrases, (thing(phrases[0]), thing(phrases[1])))

    def _free(self, attribute: str, shape: str) -> str:
        """An attribute of a shape that nobody speaks of: never a held-out one."""
        values, held = self._values(attribute)
        left = [value for value in values if (value, shape) not in held]
        return left[int(self.rng.integers(len(left)))]

    def _distractors(self, subjects: Sequence[_Subject], kind: str) -> list[Shape]:
        low, high = self.plan.distractors
        crowd = max(sum(subject.times(side) for subject in subjects) for side in (0, 1))
        n = min(int(self.rng.integers(low, high + 1)), max(low, 5 - crowd))
        named = {thing.shape for subject in subjects for thing in subject.things}
        spare = [shape for shape in SHAPES if shape not in named]
        distractors: list[Shape] = []
        for _ in range(n):
            shape = spare[int(self.rng.integers(len(spare)))]
            distractors.append(bare(shape, self._free("colour", shape), self._free("material", shape), "small"))
        return distractors

    def _pick(self, key: str, build: Callable[[], list[tuple[str, ...]]]) -> tuple[str, ...]:
        if key not in self.choices:
            self.choices[key] = build()
        choices = self.choices[key]
        return choices[int(self.rng.integers(len(choices)))]

    def _values(self, attribute: str) -> tuple[Sequence[str], frozenset[Pair]]:
        """The colours or materials, and the held-out pairs of one with a shape."""
        held_out = self.plan.held_out
        if attribute == "colour":
            return tuple(COLOURS), held_out.colour
        return MATERIALS, held_out.material

    def _swaps(self, kind: str) -> list[tuple[str, ...]]:
        """(a, b, shape 1, shape 2): caption 1 has "a shape1" and "b shape2", caption 2 the swap."""
        held = self._values(kind)[1]
        return [
            (a, b, s1, s2)
            for a, b, s1, s2 in self._combinations(kind)
            if self._fits([(a, s1) in held, (b, s2) in held], [(b, s1) in held, (a, s2) in held])
        ]

    def _named(self) -> list[tuple[str, ...]]:
        """(colour 1, colour 2, shape 1, shape 2) of captions that name the same pairs in both."""
        held = self.plan.held_out.colour
        return [
            (a, b, s1, s2)
            for a, b, s1, s2 in self._combinations("colour")
            if self._fits([(a, s1) in held, (b, s2) in held])
        ]

    def _combinations(self, attribute: str) -> Iterator[tuple[str, str, str, str]]:
        """Two different values of the attribute with two different shapes."""
        values = self._values(attribute)[0]
        return (
            found for found in product(values, values, SHAPES, SHAPES) if len({*found[:2]}) == len({*found[2:]}) == 2
        )

    def _noun(self) -> tuple[str, ...]:
        """Four colours and four different shapes, pair by pair."""
        while True:
            a, b, s1, s2 = self._pick("named", self._named)
            c, d, s3, s4 = self._pick("named", self._named)
            if len({s1, s2, s3, s4}) == 4:
                return a, b, c, d, s1, s2, s3, s4

    def _fits(self, *captions: Sequence[bool]) -> bool:
        if self.unseen:
            return all(any(held) for held in captions)
        return not any(any(held) for held in captions)


def _said(subjects: Sequence[_Subject], side: int, relation: str | None = None) -> Statement:
    return Statement(tuple(subject.phrases[side] for subject in subjects), relation)


def _sameness(subjects: Sequence[_Subject], kind: str) -> dict[str, str]:
    """Whether the two things that are spoken of share what is not swapped."""
    tags: dict[str, str] = {}
    for name in ("size", "material", "colour"):
        same = {getattr(subjects[0].things[side], name) == getattr(subjects[1].things[side], name) for side in (0, 1)}
        if name != kind:
            tags[f"same {name}"] = {(True,): "yes", (False,): "no"}.get(tuple(same), "in one picture")
    return tags


def _counted(scenes: Sequence[Scene]) -> str:
    return str(max(len(scene.things) for scene in scenes))
