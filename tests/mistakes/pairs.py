"""A run, and a second table held against it: mistakes that people make between the two, and honest pairs.

A table is brought as new data (`predict`), or as another model's answers on the run's samples, which `compare`, `gate`
and `follow` read alike.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

import errata
from core.discovery.settings import Settings
from core.errors import InvalidInput
from core.records import Diagnosis
from tests.mistakes.judging import USUAL
from tests.mistakes.right import NAMES, Brought, World, columns, named, softmax, table, world
from tests.mistakes.words import APART, CODES, SCALE, WRITTEN

N = 600
QUICK = Settings(n_permutations=199, map=False, sensitivity=False)
BASES: dict[str, Callable[[World], Brought]] = {
    "names": lambda w: table(w, label=named(w.truth), prediction=named(w.guess), loss=w.loss),
    "numbers": lambda w: table(w, label=w.truth, prediction=w.guess, loss=w.loss),
    "answers": lambda w: table(w, label=named(w.truth), prediction=named(w.guess)),
    "losses": lambda w: table(w, loss=w.loss),
    "shares": lambda w: table(w, label=named(w.truth), **columns("prob", w.probabilities)),
    "numbered shares": lambda w: table(w, label=w.truth, **columns("prob", w.probabilities, range(4))),
    "listed shares": lambda w: _listed(table(w, label=named(w.truth)), w, np.argsort(NAMES)),
    "shares and losses": lambda w: table(w, label=named(w.truth), loss=w.loss, **columns("prob", w.probabilities)),
}
Other = Callable[[int], World] | None


@dataclass(frozen=True)
class Pair:
    """A second table, with a mistake or honest."""

    name: str
    base: str
    """Key of `BASES`: what the run was made of, and the right second table."""
    words: str
    """A pattern: a refusal or a new note names the mistake if it fits. Of an honest pair: what may be noted."""
    make: Callable[[Brought, World], Brought]
    other: Other = None
    """Draws new samples; None for another model's answers on those of the run."""


def drawn(seed: int, margins: Any = (3.6, 2.0, 1.3, 2.6), shares: Any = (0.35, 0.3, 0.2, 0.15)) -> World:
    return world(seed, margins=margins, truth=np.random.default_rng(seed).choice(4, N, p=shares))


@dataclass(frozen=True, eq=False)
class Second(World):
    """Another model on the samples of the run."""

    run: World


def another_model(seed: int) -> Second:
    w, other = drawn(seed), np.random.default_rng(seed + 77)
    return Second(w.rng, w.truth, w.logits + other.normal(0, 0.7, w.logits.shape), w.light, drawn(seed))


def vectors(w: World, seed: int) -> Any:
    rng = np.random.default_rng(seed + 1000)
    seen = np.c_[3 * np.eye(4)[w.truth], 1.5 * (w.light == "dark"), np.zeros((N, 7))]
    return (seen + rng.normal(0, 0.5, seen.shape)).astype(np.float32)


@cache
def run_of(base: str, seed: int = 0) -> Diagnosis:
    w = drawn(seed)
    return errata.diagnose(BASES[base](w).frame, embeddings=vectors(w, seed), settings=QUICK)


def held(base: str, other: Other, brought: Brought, w: World, seed: int) -> tuple[tuple[str, ...], list[Any]]:
    """(notes, figures) of a table held against the run."""
    run = run_of(base, seed)
    assert brought.frame is not None
    if other is not None:
        found = errata.predict(run, brought.frame, embeddings=vectors(w, seed + 1)).prediction
        assert found is not None
        return found.notes, [
            (r.text, r.n, r.not_tried, None if r.observed is None else round(r.observed.value, 5)) for r in found.rows
        ]
    beside, name, notes = errata.with_second(run, brought.frame)
    beside = errata.compare(beside, name)
    scopes = (beside.overall, *beside.clusters, *beside.classes)
    return (*notes, *beside.notes), [(f.n, f.both, f.fixed, f.broken, f.p is None) for f in scopes]


def right_of(base: str, other: Other, seed: int) -> tuple[Brought, World]:
    """The right second table, and what it is of."""
    w = another_model(seed) if other is None else other(seed + 1)
    right = BASES[base](w)
    if isinstance(w, Second):  # what it says of the samples is what the run's table said
        mine = BASES[base](w.run).frame
        assert mine is not None
        right = right.put(**{name: mine[name] for name in ("light", "size", "site")})
    return right, w


@cache
def held_right(base: str, other: Other, seed: int) -> tuple[tuple[str, ...], list[Any]]:
    """What is said of the right second table, which many mistakes are made in."""
    return held(base, other, *right_of(base, other, seed), seed)


def outcome(pair: Pair, seed: int = 0) -> tuple[str, str]:
    """One of `judging.OUTCOMES`, and what was said, of the samples that the seed draws."""
    known, figures = held_right(pair.base, pair.other, seed)
    right, w = right_of(pair.base, pair.other, seed)
    try:
        notes, came = held(pair.base, pair.other, pair.make(right, w), w, seed)
    except InvalidInput as error:
        return "refused" if re.search(pair.words, str(error), re.IGNORECASE) else "SILENT", str(error)
    new = [note for note in notes if note not in known and not USUAL.match(note)]
    if came == figures:
        return "right", " | ".join(new)
    naming = [note for note in new if re.search(pair.words, note, re.IGNORECASE)]
    return ("noted", naming[0]) if naming else ("SILENT", " | ".join(new))


def _listed(t: Brought, w: World, order: Any) -> Brought:
    return t.put(probabilities=[str(row) for row in w.probabilities[:, order].tolist()])


def _called(t: Brought, w: World, names: Any) -> Brought:
    """With classes called so, in the order of NAMES, in labels and predictions."""
    return t.put(label=named(w.truth, names), prediction=named(w.guess, names))


def _turned(t: Brought, w: World) -> Brought:
    """With columns of scores in the other order."""
    return t.put(**columns("prob", w.probabilities[:, ::-1], range(4)))


def _heated(t: Brought, w: World, by: float) -> Brought:
    return t.put(**columns("prob", softmax(w.logits / by)))


def _rows(t: Brought, keep: Any) -> Brought:
    assert t.frame is not None
    return replace(t, frame=t.frame.iloc[np.arange(N)[keep]])


def _sorted_alike(t: Brought, w: World) -> Brought:
    """Other samples under the ids of the run's: both tables were sorted by class."""
    site = w.rng.permutation(t.values("site"))
    return t.put(light=w.rng.permutation(w.light), size=w.rng.normal(20, 4, N), site=site)


def _new(name: str, words: str, make: Any, base: str = "names", other: Any = drawn) -> Pair:
    return Pair(name, base, words, make, other)


def _of(name: str, words: str, make: Any, base: str = "answers") -> Pair:
    return Pair(name, base, words, make)


_LOSSES: dict[str, Callable[[Any], Any]] = {
    "in bits": lambda loss: loss / np.log(2),
    "with log10": lambda loss: loss / np.log(10),
    "summed over 16 tokens": lambda loss: 16 * loss,
    "in percent": lambda loss: 100 * loss,
    "as perplexity": np.exp,
    "as roots": np.sqrt,
    "as 1 - p": lambda loss: 1 - np.exp(-loss),
    "as log-likelihoods": lambda loss: -loss,
}
_UNIT = rf"{SCALE}|multiple|as large|distributed|sign"
_CODES = f"{CODES}|differently"
_LIGHTS = {"bright": 0, "dim": 1, "dark": 2}
_TITLES, _GERMAN = [name.title() for name in NAMES], ("Hase", "Katze", "Eule", "Pferd")
_ONE, _OTHER = ("rabbit", "Cat", "owl", "horse"), ("bunny", "cat", "owl", "horse")
_SWAPPED, _MERGED = ("rabbit", "owl", "cat", "horse"), ("horse", "cat", "owl", "horse")
_SORTED = np.argsort(np.argsort(NAMES))
MISTAKES = [
    *(
        _new(f"{base}: losses {how}", _UNIT, lambda t, w, f=f: t.put(loss=f(w.loss)), base)
        for base in ("names", "losses", "shares and losses")
        for how, f in _LOSSES.items()
    ),
    _new("a temperature of 3", "temperature", lambda t, w: _heated(t, w, 3), "shares"),
    _new("a temperature of 1/3", "temperature", lambda t, w: _heated(t, w, 1 / 3), "shares"),
    _new("classes in capitals", "'Cat' for 'cat'.*Use the run's class names", lambda t, w: _called(t, w, _TITLES)),
    _new("classes in German", "'Katze' for 'cat'", lambda t, w: _called(t, w, _GERMAN)),
    _new("one class in capitals", "'Cat'", lambda t, w: _called(t, w, _ONE)),
    _new("one class renamed", "'bunny'", lambda t, w: _called(t, w, _OTHER)),
    _new("two classes exchanged", _CODES, lambda t, w: _called(t, w, _SWAPPED)),
    _new("classes from 1", _CODES, lambda t, w: _called(t, w, (1, 2, 3, 4)), "numbers"),
    _new("classes by the alphabet", _CODES, lambda t, w: _called(t, w, _SORTED), "numbers"),
    _new("names for numbers", "'cat' for '1'", lambda t, w: _called(t, w, NAMES), "numbers"),
    _new("numbers for names", "'1' for 'cat'", lambda t, w: _called(t, w, range(4))),
    _new("predictions of another vocabulary", WRITTEN, lambda t, w: t.put(prediction=w.guess)),
    _new("a condition in capitals", "'Dark'", lambda t, w: t.put(light=[v.title() for v in w.light])),
    _new("a condition with spaces", "' dark'", lambda t, w: t.put(light=[f" {v}" for v in w.light])),
    _new("a value renamed", "'night'", lambda t, w: t.put(light=[v.replace("dark", "night") for v in w.light])),
    _new("a condition as numbers", "'light' .*2", lambda t, w: t.put(light=[_LIGHTS[v] for v in w.light])),
    _new("a condition's column renamed", "no column 'light'", lambda t, w: t.put(light=None, lighting=w.light)),
    _new("vectors of other rows", APART, lambda t, w: _rows(t, w.other_rows())),
    _new("scores in another order", CODES, _turned, "numbered shares"),
    _new("listed scores in another order", CODES, lambda t, w: _listed(t, w, range(4)), "listed shares"),
    _new("scores by name", "'cat' for '1'", lambda t, w: BASES["shares"](w), "numbered shares"),
    _of("ids in capitals", "case", lambda t, w: t.put(id=[v.upper() for v in t.values("id")])),
    _of("some ids in capitals", "case", lambda t, w: t.put(id=[v.replace("s01", "S01") for v in t.values("id")])),
    _of("ids without zeros", "No id of", lambda t, w: t.put(id=[v.replace("s0", "s") for v in t.values("id")])),
    _of("another model with numbers", WRITTEN, lambda t, w: _called(t, w, range(4))),
    _of("another model with names", WRITTEN, lambda t, w: _called(t, w, NAMES), "numbers"),
    _of("another model from 1", "'1' for '0'", lambda t, w: _called(t, w, (1, 2, 3, 4)), "numbers"),
    _of("another model in capitals", WRITTEN, lambda t, w: _called(t, w, _TITLES)),
    _of("one class in capitals there", WRITTEN, lambda t, w: _called(t, w, _ONE)),
    _of("one class renamed there", WRITTEN, lambda t, w: _called(t, w, _OTHER)),
    _of("two classes in one", "another label", lambda t, w: _called(t, w, _MERGED)),
    _of("its predictions are numbers", WRITTEN, lambda t, w: t.put(prediction=w.guess)),
    _of("its scores in another order", CODES, _turned, "numbered shares"),
    _of("the worst rows are gone", "easier", lambda t, w: _rows(t, ~w.run.wrong)),
    _of("half of the worst are gone", "easier", lambda t, w: _rows(t, ~w.run.wrong | (np.arange(N) % 2 == 0))),
    _of("no answer to the worst", "easier", lambda t, w: t.put(prediction=np.where(w.run.wrong, None, named(w.guess)))),
    _of(
        "empty texts for the worst", "missing", lambda t, w: t.put(prediction=np.where(w.run.wrong, "", named(w.guess)))
    ),
    _of("a class is gone", "of the run: cat", lambda t, w: _rows(t, w.truth != 1)),
    _of("other samples under the same ids", "other samples", _sorted_alike),
    _of("rows in another order", "another order", lambda t, w: t.put(id=t.values("id")[w.other_rows()])),
    _of("the run's own table", "same answer", lambda t, w: BASES["answers"](w.run)),
]
_PLAIN = "^$"
_SETS: dict[str, Callable[[int], World]] = {
    "harder samples": lambda seed: drawn(seed, margins=(2, 1, 0.5, 1)),
    "easier samples": lambda seed: drawn(seed, margins=(5, 4, 3, 4)),
    "other shares of the classes": lambda seed: drawn(seed, shares=(0.05, 0.1, 0.15, 0.7)),
}
HONEST = [
    *(
        _new(f"{base}: {what}", "losses are about" if base == "losses" else _PLAIN, lambda t, w: t, base, other)
        for base in ("names", "losses", "shares and losses")
        for what, other in _SETS.items()
    ),
    _new("a new value", _PLAIN, lambda t, w: t.put(light=w.some("fog", w.light))),
    _new("larger values", _PLAIN, lambda t, w: t.put(size=1.4 * t.values("size"))),
    _new("columns turned round", _PLAIN, lambda t, w: replace(t, frame=t.frame[t.frame.columns[::-1]]), "shares"),
    _of("another model's losses in bits", _PLAIN, lambda t, w: t.put(loss=w.loss / np.log(2)), "names"),
    _of("a better model", _PLAIN, lambda t, w: t.put(prediction=named((w.logits + np.eye(4)[w.truth]).argmax(1)))),
    _of("a part of the samples", "they are not in .*$", lambda t, w: _rows(t, w.rng.random(N) < 0.8)),
    _of(
        "labels looked at again",
        "another label|different labels",
        lambda t, w: t.put(label=w.some("owl", named(w.truth))),
    ),
    _of("a time for each answer", _PLAIN, lambda t, w: t.put(milliseconds=w.rng.normal(9, 1, N))),
]
"""Nothing is refused of these, nor noted but what is true of them."""
