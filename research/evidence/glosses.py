"""Texts that a text encoder's student may learn from where it is to ship: WordNet's definitions and examples, alone,
joined and mixed."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

FILES = ("data.noun", "data.verb", "data.adj", "data.adv")
HELD_OUT = 2000
"""Senses of which nothing is learned: the first half serves for choosing settings, the second for the report."""


@dataclass(frozen=True, slots=True)
class Sense:
    """One entry of WordNet."""

    words: tuple[str, ...]
    definition: str
    examples: tuple[str, ...]


def read_senses(folder: Path) -> list[Sense]:
    """Every entry of WordNet's four files, in their order."""
    found: list[Sense] = []
    for name in FILES:
        for line in (folder / name).read_text("utf-8").splitlines():
            if line.startswith(" "):  # the license, at the head of the file
                continue
            head, _, gloss = line.partition("|")
            fields = head.split()
            spelled = fields[4 : 4 + 2 * int(fields[3], 16) : 2]  # every second field is a number
            words = tuple(re.sub(r"\([a-z]+\)$", "", word).replace("_", " ") for word in spelled)
            said, *quoted = re.split(r';\s*(?=")', gloss.strip())
            examples = tuple(text for part in quoted if len((text := part.strip(' ";')).split()) > 1)
            found.append(Sense(words, said.strip(), examples))
    return found


def parted(senses: Sequence[Sense], seed: int) -> tuple[list[Sense], list[Sense], list[Sense]]:
    """(to learn from, to choose settings by, to report on)."""
    order = np.random.default_rng([seed, 0]).permutation(len(senses))
    held = order[:HELD_OUT]
    learned = np.sort(order[HELD_OUT:])
    half = HELD_OUT // 2
    first, second, third = ([senses[i] for i in rows.tolist()] for rows in (learned, held[:half], held[half:]))
    return first, second, third


class Mixer:
    """Makes texts of many kinds out of senses: a student that reads definitions alone knows little else."""

    def __init__(self, senses: Sequence[Sense], rng: np.random.Generator) -> None:
        self.senses = senses
        self.rng = rng
        self.examples = [example for sense in senses for example in sense.examples]
        self.words = [word for sense in senses for word in sense.words]
        self.running = " ".join(s.definition for s in senses).split() + " ".join(self.examples).split()

    def texts(self, n: int, shares: dict[str, float]) -> list[str]:
        """n texts, of each kind in about its share.

        Args:
            shares: by the name of a method without its underscore; they add up to 1.
        """
        kinds: dict[str, Callable[[], str]] = {kind: getattr(self, f"_{kind}") for kind in shares}
        drawn = self.rng.choice(list(kinds), n, p=list(shares.values()))
        return [kinds[str(kind)]() for kind in drawn]

    def _one(self, of: Sequence[str]) -> str:
        return of[int(self.rng.integers(len(of)))]

    def _sense(self) -> Sense:
        return self.senses[int(self.rng.integers(len(self.senses)))]

    def _piece(self) -> str:
        return self._one(self.examples) if self.rng.random() < 0.4 else self._sense().definition

    def _definition(self) -> str:
        return self._sense().definition

    def _example(self) -> str:
        return self._one(self.examples)

    def _entry(self) -> str:
        """Words, what they mean, and examples."""
        sense = self._sense()
        return ". ".join((f"{', '.join(sense.words)}: {sense.definition}", *sense.examples))

    def _several(self) -> str:
        """Two or three pieces of different senses."""
        return ". ".join(self._piece() for _ in range(int(self.rng.integers(2, 4))))

    def _many(self) -> str:
        """Long texts: four to sixteen pieces."""
        return ". ".join(self._piece() for _ in range(int(self.rng.integers(4, 17))))

    def _mixed(self) -> str:
        """A piece in which some words gave way to headwords, names among them, or to words of other texts."""
        share = self.rng.uniform(0.1, 0.6)
        return " ".join(self._other() if self.rng.random() < share else word for word in self._piece().split())

    def _headline(self) -> str:
        """Three to twelve headwords and words of other texts in a row."""
        return " ".join(self._other() for _ in range(int(self.rng.integers(3, 13))))

    def _other(self) -> str:
        return self._one(self.words if self.rng.random() < 0.5 else self.running)
