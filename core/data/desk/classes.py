"""Check that labels and predictions have the same classes, numbering, spelling and order of rows."""

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
"""False-positive rate of one test of the desk: a correct table taken for a wrong one. So small since each table meets
many tests."""
MIN_KAPPA = 0.5
"""Cohen's kappa that another order of classes or rows must reach, half the way from guessing to always right. Tables of
a model's errors alone, the honest ones nearest to a mistake, stay below it (docs/evidence/desk.md)."""
SHIFTS = (1, -1, 2, -2, 3, -3, 4, -4, 5, -5)
"""Rows by which one column may be shifted against another."""


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
        if left <= 0:
            return 0.0
        return (self.hits - self.expected) / left

    def below(self, chance: float) -> bool:
        return float(binom.cdf(self.hits, self.n, min(chance, 1.0))) < ALPHA

    def above(self, chance: float) -> bool:
        return float(binom.sf(self.hits - 1, self.n, min(chance, 1.0))) < ALPHA


def fit(labels: I64, guesses: I64) -> Fit:
    """Count how often (n,) guesses hit labels, both in one numbering."""
    k = int(max(labels.max(), guesses.max())) + 1
    frequency = np.bincount(guesses, minlength=k) / len(guesses)
    return Fit(int((labels == guesses).sum()), float(frequency[labels].sum()), len(labels))


def check_classes(recognized: RecognizedColumns, measured: Measured, ledger: Ledger) -> None:
    """Stop where classes were renumbered or rows shifted; note where predictions are no better than a guess.

    Raises:
        InvalidInput: predictions fit the labels only in another order of classes, or of rows.
    """
    roles = recognized.roles
    labels = measured.labels
    if labels is None:
        return
    if roles.prediction is not None and measured.predictions is not None:
        pair = f"label {roles.label!r} and prediction {roles.prediction!r}"
        _check_guesses(labels, measured.predictions, pair, "Write both the same way.", measured, ledger)
    if measured.scores is not None:
        best = np.nan_to_num(measured.scores, nan=-1.0).argmax(axis=1).astype(np.int64)
        listed = roles.probabilities or roles.logits
        pair = f"label {roles.label!r} and scores {quoted(*listed[:1])}, ..."
        by_name = "Name the classes in the order of the scores (--class-names), or write the labels by name."
        _check_guesses(labels, best, pair, by_name, measured, ledger)


def _check_guesses(labels: I64, guesses: I64, pair: str, by_name: str, measured: Measured, ledger: Ledger) -> None:
    """Check (n,) guesses; `by_name` is the next step where classes with names are in another order."""
    rows = ledger.kept_rows()
    rows = rows[(labels[rows] >= 0) & (guesses[rows] >= 0)]
    if len(np.unique(labels[rows])) > 1:
        _check_pair(labels[rows], guesses[rows], measured.class_names, pair, by_name, ledger)
        steps = np.diff(measured.loss[rows])
        if (steps > 0).any() and (steps < 0).any():  # rows sorted by loss have a wrong part without any mistake
            _check_parts(labels[rows], guesses[rows], pair, ledger)


def _check_pair(labels: I64, guesses: I64, names: Sequence[str], pair: str, by_name: str, ledger: Ledger) -> None:
    whole = fit(labels, guesses)
    right = f"{percent(whole.hits / whole.n)} of {whole.n:,} rows are right"
    chance = f"by chance {percent(whole.chance)}"
    moved, as_written, reordered, partner = renamed(labels, guesses)
    truth = np.bincount(labels, minlength=len(partner))
    predicted = np.bincount(guesses, minlength=len(partner))
    both = np.bincount(labels, guesses == partner[labels], minlength=len(partner))
    by_chance = binom.sf(both - 1, truth, predicted[partner] / whole.n) * len(partner)
    apart = np.flatnonzero((predicted == 0) & (truth[partner] == 0) & (2 * both > truth) & (by_chance < ALPHA))
    if moved and reordered.kappa >= MIN_KAPPA and is_renamed(as_written, reordered):
        pairs = [(names[i], names[int(j)]) for i, j in enumerate(partner) if i != j and truth[i]]
        listed = ", ".join(f"{a!r} goes with {b!r}" for a, b in pairs[:4])
        if len(pairs) > 4:
            listed += ", ..."
        next_step = by_name
        if all(a.lstrip("-").isdigit() and b.lstrip("-").isdigit() for a, b in pairs):
            next_step = "Write both in one numbering, from 0 or from 1."
        if len(partner) == 2:
            next_step += " With two classes, a table of errors alone looks the same."
        ledger.doubt(
            f"The {pair} order the classes in two ways: {listed}. In the {as_written.n:,} rows of these classes "
            f"{percent(as_written.hits / as_written.n)} are right as written, and "
            f"{percent(reordered.hits / as_written.n)} renamed. {next_step}"
        )
    elif len(apart):
        i = int(apart[0])
        j = int(partner[apart[0]])
        ledger.note(
            f"Of {pair}, {names[i]!r} is never predicted, {names[j]!r} is never a label, and most rows of one have the "
            "other. If they are one class, write both the same way."
        )
    elif whole.below(whole.chance):
        ledger.note(
            f"Predictions are worse than chance: of {pair}, {right}, {chance}. Check that both name the classes alike."
        )
    elif whole.n > 2 * max(SHIFTS) and not whole.above(whole.chance) and whole.below((1 + whole.chance) / 2):
        fits = {s: fit(*slipped(labels, guesses, s)) for s in SHIFTS}
        shift, *others = sorted(fits, key=lambda s: -fits[s].kappa)
        best = fits[shift]
        # one shift must do better than any other, as it does not where rows repeat themselves
        if best.kappa >= MIN_KAPPA and best.above(max(fits[s].hits / fits[s].n for s in others)):
            ledger.doubt(
                f"The rows of {pair} are shifted by {abs(shift)}: {right} as written, and "
                f"{percent(best.hits / best.n)} with each prediction from {rows_away(shift)}. Write both in one order."
            )
        else:
            ledger.note(
                f"Predictions are no better than chance: of {pair}, {right}, {chance}. "
                "Check that both come from the same rows."
            )


def rows_away(shift: int) -> str:
    return f"{abs(shift)} row{'s' if abs(shift) > 1 else ''} {'before' if shift > 0 else 'after'}"


def _check_parts(labels: I64, guesses: I64, pair: str, ledger: Ledger) -> None:
    """Note a first or last part of the rows in which predictions are no better than chance: there the rows of one side
    were shuffled. It ends where the share of right rows changes most."""
    right = labels == guesses
    n = len(labels)
    change = np.cumsum(right) - right.mean() * np.arange(1, n + 1)
    cut = 1 + int(np.abs(change).argmax())
    here = np.arange(cut)
    there = np.arange(cut, n)
    position = "first"
    if change[cut - 1] >= 0:
        here, there = there, here
        position = "last"
    # where rows are sorted by class, neighbors share it
    sorted_ = any(2 * (side[1:] != side[:-1]).mean() < 1 - fit(side, side).chance for side in (labels, guesses))
    if len(here) <= 2 * max(SHIFTS) or sorted_:
        return
    part = fit(labels[here], guesses[here])
    remaining = fit(labels[there], guesses[there])
    # the cut was chosen as the largest change of n, so its test pays for n
    apart = hypergeom.cdf(part.hits, n, part.hits + remaining.hits, part.n) < ALPHA / n
    open_ = not part.above(part.chance) and not part.below(part.chance) and part.below((1 + part.chance) / 2)
    if apart and open_:
        ledger.note(
            f"Of {pair}, the {position} {part.n:,} rows are no better than chance: {percent(part.hits / part.n)} are "
            f"right, {percent(remaining.hits / remaining.n)} of the others. "
            "Check that both come from the same rows, unless rows are sorted by confidence."
        )


def is_renamed(as_written: Fit, reordered: Fit) -> bool:
    """Whether rows hit less often than chance as written, and more often renamed. Among many classes not even 0 hits
    are less than chance: there, hits that are not above chance suffice."""
    chance = max(as_written.chance, reordered.chance)
    no_hits = Fit(0, as_written.expected, as_written.n)
    if not reordered.above(reordered.chance):
        return False
    return as_written.below(chance) or not (no_hits.below(chance) or as_written.above(chance))


def renamed(labels: I64, guesses: I64) -> tuple[int, Fit, Fit, I64]:
    """Fit of the best one-to-one renaming of classes, chosen on each half of the rows and counted on the other.

    Returns:
        Number of rows whose label goes with another class; of these, the fit as written and renamed; and for each
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
        predicted = guesses[rows]
        frequency = np.bincount(predicted, minlength=k) / len(predicted)
        n += len(predicted)
        for at, named in enumerate((truth, partner[truth])):
            hits[at] += int((named == predicted).sum())
            expected[at] += float(frequency[named].sum())
    as_written = Fit(int(hits[0]), float(expected[0]), n)
    reordered = Fit(int(hits[1]), float(expected[1]), n)
    return n, as_written, reordered, _partners(labels, guesses, k)


def _partners(labels: I64, guesses: I64, k: int) -> I64:
    """(k,) the prediction that each label goes with, one to one: cells of the confusion table in the order of size, of
    equal ones the diagonal first. A label whose predictions are all taken keeps its class or, if that is taken, gets a
    free one: where cats are taken for dogs, dogs must be taken for something else.

    Greedy, not Hungarian: the table of 100,000 classes is never built, and both find a real renaming.
    """
    cells, counts = np.unique(labels * k + guesses, return_counts=True)
    order = np.lexsort((cells // k != cells % k, -counts))
    partner = np.full(k, -1, np.int64)
    taken = np.zeros(k, np.bool_)
    for label, guess in zip((cells[order] // k).tolist(), (cells[order] % k).tolist()):
        if partner[label] < 0 and not taken[guess]:
            partner[label] = guess
            taken[guess] = True
    keeps = (partner < 0) & ~taken
    partner[keeps] = np.flatnonzero(keeps)
    taken[keeps] = True
    partner[partner < 0] = np.flatnonzero(~taken)
    return partner


def slipped(first: Rows, second: Rows, shift: int) -> tuple[Rows, Rows]:
    """Pair each row of the first with that of the second `shift` rows before; the ends are cut."""
    if shift > 0:
        return first[shift:], second[:-shift]
    return first[:shift], second[-shift:]


def check_spelling(recognized: RecognizedColumns, measured: Measured, ledger: Ledger) -> None:
    """Stop where a label and a prediction, or a class of the scores, differ only in case and would count as two.

    Raises:
        InvalidInput: a spelling occurs on one side only.
    """
    if recognized.roles.target is not None or not measured.written:
        return
    columns = list(measured.written)
    written = list(measured.written.values())
    sides = [set[str](text for text in texts if text is not None) for texts in written]
    compared = quoted(*columns)
    if measured.scores is not None:
        sides.append(set(measured.class_names))
        compared += " and the scores"
    folded: dict[str, set[str]] = {}
    for text in set[str]().union(*sides):
        folded.setdefault(_folded(text), set()).add(text)
    twins = [sorted(same) for same in folded.values() if len(same) > 1]
    for same in twins:
        odd = {text for text in same if any(text not in side for side in sides if side & set(same))}
        if odd and len(sides) > 1:
            difference = (
                f"{quoted(*same)} differ only in case, spaces or coding, and not all occur in each of {compared}"
            )
            if _is_one_class(written, odd):
                ledger.doubt(f"{difference}, so rows would count as wrong. Write each class in one way.")
            else:
                ledger.note(f"{difference}. If they are one class, write it in one way.")
    if twins and len(sides) == 1:
        ledger.note(
            f"{quoted(*twins[0])} differ only in case, spaces or coding but count as {len(twins[0])} classes. "
            "If they are one class, write it in one way."
        )


def _is_one_class(written: Sequence[Texts], odd: set[str]) -> bool:
    """Whether half of the rows with an odd spelling have the same class but for case on the other side; a separate
    class that is rare, or never predicted, does not. True without another side, or without a row with both."""
    if len(written) < 2:
        return True
    pairs = [(a, b) for a, b in zip(*written) if a is not None and b is not None and (a in odd or b in odd)]
    return not pairs or 2 * sum(_folded(a) == _folded(b) for a, b in pairs) >= len(pairs)


def _folded(text: str) -> str:
    """The text without case and extra spaces, its accents composed."""
    return " ".join(unicodedata.normalize("NFC", text.casefold()).split())
