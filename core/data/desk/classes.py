"""Whether labels and predictions speak of the same classes, in one numbering, one spelling and one order of rows."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from scipy.stats import binom, hypergeom

from core.data.tables.classes import Texts
from core.data.tables.outcomes import Measured
from core.data.tables.recognise import RecognizedColumns
from core.errors import quoted
from core.numbers import percent
from core.records import F64, I64
from core.records.ledger import Ledger

Rows = TypeVar("Rows", F64, I64)
ALPHA = 0.001
"""Chance at which one test of the desk takes a right table for a wrong one."""
MENDED = 0.5
"""Cohen's kappa that another order of classes or rows must reach, half the way from guessing to always right. Tables of
nothing but a model's errors, the honest ones nearest to a mistake, stay below it (docs/evidence/desk.md)."""
SHIFTS = (1, -1, 2, -2, 3, -3, 4, -4, 5, -5)
"""Rows by which one column may have slipped against another."""


@dataclass(frozen=True, slots=True)
class Fit:
    """How often predictions hit labels among n rows, and how often a guess with their frequencies would."""

    hits: int
    expected: float
    n: int

    @property
    def chance(self) -> float:
        return self.expected / self.n

    @property
    def kappa(self) -> float:
        """(observed - chance) / (1 - chance); 0 where chance alone is always right. Source: Cohen 1960."""
        left = self.n - self.expected
        return (self.hits - self.expected) / left if left > 0 else 0.0

    def below(self, chance: float) -> bool:
        return float(binom.cdf(self.hits, self.n, min(chance, 1.0))) < ALPHA

    def above(self, chance: float) -> bool:
        return float(binom.sf(self.hits - 1, self.n, min(chance, 1.0))) < ALPHA


def fit(labels: I64, guesses: I64) -> Fit:
    """How often (n,) guesses hit labels, both in one numbering."""
    k = int(max(labels.max(), guesses.max())) + 1
    frequency = np.bincount(guesses, minlength=k) / len(guesses)
    return Fit(int((labels == guesses).sum()), float(frequency[labels].sum()), len(labels))


def check_classes(recognized: RecognizedColumns, measured: Measured, ledger: Ledger) -> None:
    """Stop where classes were renumbered or rows slipped; note where predictions are no better than a guess.

    Raises:
        InvalidInput: another order of classes, or of rows, makes sense of predictions that make none as they are.
    """
    roles = recognized.roles
    labels = measured.labels
    scores = measured.scores
    if labels is None:
        return
    column = None if roles.prediction is None else measured.predictions
    best = None if scores is None else np.nan_to_num(scores, nan=-1.0).argmax(axis=1).astype(np.int64)
    listed = roles.probabilities or roles.logits
    for guesses, what in ((column, repr(roles.prediction)), (best, f"{quoted(*listed[:1])}, ...")):
        if guesses is None:
            continue
        rows = ledger.kept_rows()
        rows = rows[(labels[rows] >= 0) & (guesses[rows] >= 0)]
        if len(np.unique(labels[rows])) > 1:
            pair = f"label {roles.label!r} and {'prediction' if guesses is column else 'scores'} {what}"
            _check_pair(labels[rows], guesses[rows], measured.class_names, pair, guesses is best, ledger)
            steps = np.diff(measured.loss[rows])
            if (steps > 0).any() and (steps < 0).any():  # not sorted by what came of them
                _check_parts(labels[rows], guesses[rows], pair, ledger)


def _check_pair(labels: I64, guesses: I64, names: Sequence[str], pair: str, scored: bool, ledger: Ledger) -> None:
    whole = fit(labels, guesses)
    right = f"{percent(whole.hits / whole.n)} of {whole.n:,} rows are right"
    guessed = f"guessing gives {percent(whole.chance)}"
    moved, own, other, partner = renamed(labels, guesses)
    truth, said = (np.bincount(side, minlength=len(partner)) for side in (labels, guesses))
    both = np.bincount(labels, guesses == partner[labels], minlength=len(partner))
    by_chance = binom.sf(both - 1, truth, said[partner] / whole.n) * len(partner)
    apart = np.flatnonzero((said == 0) & (truth[partner] == 0) & (2 * both > truth) & (by_chance < ALPHA))
    if moved and other.kappa >= MENDED and is_renamed(own, other):
        pairs = [(names[i], names[int(j)]) for i, j in enumerate(partner) if i != j and truth[i]]
        listed = ", ".join(f"{a!r} goes with {b!r}" for a, b in pairs[:4])
        next_step = (
            "Write both in one numbering, from 0 or from 1."
            if all(name.lstrip("-").isdigit() for one in pairs for name in one)
            else "Name the classes in the order of the scores (--class-names), or write the labels by name."
            if scored
            else "Write both alike."
        )
        alike = " Of two classes, a model that is worse than guesses and its errors alone look the same."
        alike = alike if len(partner) == 2 else ""
        ledger.doubt(
            f"The {pair} name the classes in two ways: {listed}{', ...' if len(pairs) > 4 else ''}. As written {right} "
            f"({guessed}); of the {own.n:,} rows of such classes {percent(own.hits / own.n)} are, and "
            f"{percent(other.hits / own.n)} if the classes are renamed so. {next_step}{alike}"
        )
    elif len(apart):
        i = int(apart[0])
        j = int(partner[apart[0]])
        ledger.note(
            f"Of {pair}, {names[i]!r} is never predicted and {names[j]!r} is never a label, and most rows of the one "
            "have the other. If they are one class, write both alike."
        )
    elif whole.below(whole.chance):
        ledger.note(
            f"Predictions are worse than guesses: of {pair}, {right}, and {guessed}. Check that both name the classes "
            "alike, unless the model is so."
        )
    elif whole.n > 2 * max(SHIFTS) and not whole.above(whole.chance) and whole.below((1 + whole.chance) / 2):
        fits = {s: fit(*slipped(labels, guesses, s)) for s in SHIFTS}
        shift, *others = sorted(fits, key=lambda s: -fits[s].kappa)
        best = fits[shift]
        # one shift must do better than any other, as it does not where rows repeat themselves
        if best.kappa >= MENDED and best.above(max(fits[s].hits / fits[s].n for s in others)):
            ledger.doubt(
                f"The rows of {pair} have slipped by {abs(shift)}: as written {right} ({guessed}), and "
                f"{percent(best.hits / best.n)} if each prediction is that of the row {abs(shift)} "
                f"{'before' if shift > 0 else 'after'}. Write them in one order."
            )
        else:
            ledger.note(
                f"Predictions are no better than guesses: of {pair}, {right}, and {guessed}. Check that both are of "
                "the same rows."
            )


def _check_parts(labels: I64, guesses: I64, pair: str, ledger: Ledger) -> None:
    """Note a first or last part of the rows, up to where their share of right ones changes most, in which predictions
    are no better than guesses: there the rows of one side were shuffled."""
    right = labels == guesses
    n = len(labels)
    change = np.cumsum(right) - right.mean() * np.arange(1, n + 1)
    cut = 1 + int(np.abs(change).argmax())
    first = np.arange(cut)
    last = np.arange(cut, n)
    here, there = (first, last) if change[cut - 1] < 0 else (last, first)
    # where rows are sorted by class, neighbors are of one
    sorted_ = any(2 * (side[1:] != side[:-1]).mean() < 1 - fit(side, side).chance for side in (labels, guesses))
    if len(here) <= 2 * max(SHIFTS) or sorted_:
        return
    part = fit(labels[here], guesses[here])
    other = fit(labels[there], guesses[there])
    apart = hypergeom.cdf(part.hits, part.n + other.n, part.hits + other.hits, part.n) < ALPHA / n
    open_ = not part.above(part.chance) and not part.below(part.chance) and part.below((1 + part.chance) / 2)
    if apart and open_:
        ledger.note(
            f"Of {pair}, the {'first' if here[0] < cut else 'last'} {part.n:,} rows are no better than guesses: "
            f"{percent(part.hits / part.n)} are right there, and {percent(other.hits / other.n)} elsewhere. Check that "
            "both sides are of the same rows there, unless rows are sorted by how sure the model is."
        )


def is_renamed(own: Fit, other: Fit) -> bool:
    """Whether rows hit less often than chance as they are written, and more often renamed. Among many classes not even
    none are less than chance: there no more than chance will do."""
    chance = max(own.chance, other.chance)
    none = Fit(0, own.expected, own.n)
    return other.above(other.chance) and (own.below(chance) or not (none.below(chance) or own.above(chance)))


def renamed(labels: I64, guesses: I64) -> tuple[int, Fit, Fit, I64]:
    """What the best renaming of classes, one to one, gives on rows by which it was not chosen: each half of the rows
    is judged by the other's.

    Returns:
        How many rows have a label that goes with another class; of these, the fit as written and renamed; and for each
        class its partner by all rows.
    """
    k = int(max(labels.max(), guesses.max())) + 1
    half = np.random.default_rng(0).permutation(len(labels)) % 2
    hits = np.zeros(2, np.int64)
    expected = np.zeros(2)
    n = 0
    for side in (0, 1):
        chosen = half != side
        judged = half == side
        partner = _partners(labels[chosen], guesses[chosen], k)
        rows = judged & (partner[labels] != labels)
        if not rows.any():
            continue
        truth = labels[rows]
        said = guesses[rows]
        frequency = np.bincount(said, minlength=k) / len(said)
        n += len(said)
        for at, named in enumerate((truth, partner[truth])):
            hits[at] += int((named == said).sum())
            expected[at] += float(frequency[named].sum())
    own, other = (Fit(int(hits[at]), float(expected[at]), n) for at in (0, 1))
    return n, own, other, _partners(labels, guesses, k)


def _partners(labels: I64, guesses: I64, k: int) -> I64:
    """(k,) the prediction that each label goes with, one to one: cells of the confusion table are taken by their size,
    of equal ones the diagonal first. A label whose predictions are all taken keeps its own class, or if that is taken,
    gets one that is left: where cats are taken for dogs, dogs must be taken for something else.

    Greedy, not Hungarian: the table of 100,000 classes is never made, and where a renaming is real both find it.
    """
    cells, counts = np.unique(labels * k + guesses, return_counts=True)
    order = np.lexsort((cells // k != cells % k, -counts))
    partner = np.full(k, -1, np.int64)
    taken = np.zeros(k, np.bool_)
    for label, guess in zip((cells[order] // k).tolist(), (cells[order] % k).tolist()):
        if partner[label] < 0 and not taken[guess]:
            partner[label], taken[guess] = guess, True
    keeps = (partner < 0) & ~taken
    partner[keeps], taken[keeps] = np.flatnonzero(keeps), True
    partner[partner < 0] = np.flatnonzero(~taken)
    return partner


def slipped(first: Rows, second: Rows, shift: int) -> tuple[Rows, Rows]:
    """Both without their ends, each row of the first beside that of the second `shift` rows before."""
    return (first[shift:], second[:-shift]) if shift > 0 else (first[:shift], second[-shift:])


def check_spelling(recognized: RecognizedColumns, measured: Measured, ledger: Ledger) -> None:
    """Stop where a label and a prediction, or a class of the scores, differ in case alone and would count as two.

    Raises:
        InvalidInput: one of two spellings is known to one side alone.
    """
    if recognized.roles.target is not None or not measured.written:
        return
    columns = list(measured.written)
    written = list(measured.written.values())
    sides = [set[str](text for text in texts if text is not None) for texts in written]
    sides += [set(measured.class_names)] if measured.scores is not None else []
    folded: dict[str, set[str]] = {}
    for text in set[str]().union(*sides):
        folded.setdefault(_folded(text), set()).add(text)
    twins = [sorted(same) for same in folded.values() if len(same) > 1]
    compared = quoted(*columns) + (" and the scores" if measured.scores is not None else "")
    for same in twins:
        odd = {text for text in same if any(text not in side for side in sides if side & set(same))}
        if odd and len(sides) > 1:
            said = (
                f"{quoted(*same)} differ in case, spaces or coding alone and are read as {len(same)} classes, though "
                f"{compared} do not have all of them in common"
            )
            if _is_one_class(written, odd):
                ledger.doubt(f"{said}: rows would count as wrong for their spelling. Write each class in one way.")
            else:
                ledger.note(f"{said}. Write each class in one way, unless they are two.")
    if twins and len(sides) == 1:
        ledger.note(
            f"{quoted(*twins[0])} differ in case, spaces or coding alone: {len(twins[0])} classes. Write both alike."
        )


def _is_one_class(written: Sequence[Texts], odd: set[str]) -> bool:
    """Whether half of the rows with such a spelling have on the other side the same class but for case; a class of its
    own that is seldom met, or never predicted, does not. True where there is no other side, or no row with both."""
    if len(written) < 2:
        return True
    pairs = [(a, b) for a, b in zip(*written) if a is not None and b is not None and (a in odd or b in odd)]
    return not pairs or 2 * sum(_folded(a) == _folded(b) for a, b in pairs) >= len(pairs)


def _folded(text: str) -> str:
    """The text whatever its case and spaces, and whether an accent is a character of its own."""
    return " ".join(unicodedata.normalize("NFC", text.casefold()).split())
