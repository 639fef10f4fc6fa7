"""Whether several labels of a row fit what a model says of each class: in scale, in order, in what 1 means."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.stats import norm, rankdata

from core.data.desk.classes import ALPHA, MENDED
from core.data.desk.numbers import SIGMAS
from core.data.tables.scores import MAX_SUM_ERROR
from core.errors import quoted
from core.numbers import percent
from core.records import F64, Bool
from core.records.ledger import Ledger

MAX_CELLS = 10_000_000
"""Of the table of each class by the scores of each (80 MB); with more classes their order is not looked at."""


def check_several(present: Bool, said: F64, role: str, names: Sequence[str], ledger: Ledger) -> None:
    """Stop where scores are of another kind or their classes in another order than the labels, or where 1 means absent;
    note scores that are no better than a guess.

    Args:
        present: (n, k) whether the class is there, of rows that can be used.
        said: (n, k) what the model says of each class, as written.
        role: "probabilities", "logits" or "prediction".
        names: of the k classes.

    Raises:
        InvalidInput: what a mistake alone explains.
    """
    if not len(said):
        return
    if role == "logits" and said.min() >= 0 and not present.all():
        top = float(said.max())
        shares = "Name them as probabilities" if top <= 1 else "Divide them by 100 and name them as probabilities"
        ledger.doubt(
            f"No logit is below 0: they run from {said.min():.3g} to {top:.3g}, so every class would be held for there "
            f"in every row, and by the labels a class is there in {percent(float(present.mean()))} of rows. "
            f"{shares + ' if they are shares' if top <= 100 else 'Name the right columns'}."
        )
    fractions = ((said > 0) & (said < 1)).any(axis=1) & (np.abs(said.sum(axis=1) - 1) <= MAX_SUM_ERROR)
    other = fractions & (present.sum(axis=1) != 1)
    if role == "probabilities" and fractions.mean() > 0.5 and other.any():
        say = ledger.doubt if other.sum() > 0.5 * fractions.sum() else ledger.note
        say(
            f"The probabilities of a row sum to 1 in {int(fractions.sum()):,} of {len(said):,} rows, as a softmax "
            f"makes them, and in {int(other.sum()):,} of these the labels say that several classes are there, or none. "
            "Write the probability of each class by itself (a sigmoid)."
        )
    if len(names) ** 2 <= MAX_CELLS:
        _check_order(present, said, names, ledger)


def _check_order(present: Bool, said: F64, names: Sequence[str], ledger: Ledger) -> None:
    table, errors = _told(present, said)
    known = np.isfinite(errors)
    own = np.diag(table)
    if not known.any():
        return
    partner, written, mended, error = _reordered(present, said)
    low = own + float(-norm.ppf(ALPHA / len(names))) * errors < 0
    turned: list[int] = np.flatnonzero(low & (own <= -MENDED)).tolist()
    mean = float(own[known].mean())
    spread = SIGMAS * _mean_error(errors[known])
    first = "of a row with a class and one without, the first has the higher score"
    if mended >= MENDED and written + SIGMAS * error < MENDED * mended:
        moved = [(names[i], names[j]) for i, j in enumerate(partner) if i != j]
        listed = ", ".join(f"the labels of {a!r} go with the scores of {b!r}" for a, b in moved[:3])
        ledger.doubt(
            f"Labels and scores have the classes in two orders: {listed}{', ...' if len(moved) > 3 else ''}. Of these "
            f"classes, {first} in {_pairs(written)} as written, and in {_pairs(mended)} if the scores are reordered "
            "so. Write both in one order."
        )
    elif turned:
        ledger.doubt(
            f"Scores are lower where the labels say that a class is there, for {quoted(*(names[i] for i in turned))}: "
            f"{first} in {_pairs(float(own[turned].mean()))}. Write 1 in the labels where a class is there, 0 where it "
            "is absent, and in the scores how likely it is there."
        )
    elif mean + spread < 0:
        ledger.note(
            f"Scores are worse than guesses: {first} in {_pairs(mean)}. Check that 1 means in both that a class is "
            "there, unless the model is so."
        )
    elif mean - spread <= 0 and mean + spread < MENDED:
        ledger.note(
            f"Scores are no better than guesses: {first} in {_pairs(mean)}. Check that both are of the same rows."
        )


def _pairs(told: float) -> str:
    return f"{percent((1 + told) / 2)} of pairs"


def _told(present: Bool, said: F64) -> tuple[F64, F64]:
    """(k, k) what each class' labels have to do with each class' scores, 2 AUROC - 1 by the Mann-Whitney statistic, 0
    where the labels do not differ; and (k,) its standard error where they have nothing to do with each other, or
    inf."""
    n = len(said)
    ones = present.sum(axis=0)
    pairs = ones * (n - ones)
    above = present.T.astype(np.float64) @ rankdata(said, axis=0) - (ones * (ones + 1) / 2)[:, None]
    table = np.where(pairs > 0, 2 * above.T / np.maximum(pairs, 1) - 1, 0.0).T
    return table, np.where(pairs > 0, np.sqrt((n + 1) / (3 * np.maximum(pairs, 1))), np.inf)


def _mean_error(errors: F64) -> float:
    return float(np.sqrt((errors**2).sum()) / max(len(errors), 1))


def _reordered(present: Bool, said: F64) -> tuple[list[int], float, float, float]:
    """What the best order of the scores tells of labels by which it was not chosen: each half of the rows is judged by
    the other's.

    Returns:
        Whose scores go with each class' labels, one to one, of equal ones its own; and over the classes that get those
        of another, what they tell as written and reordered, and the first's standard error.
    """
    k = present.shape[1]
    half = np.random.default_rng(0).permutation(len(said)) % 2
    halves = [_told(present[half == side], said[half == side]) for side in (0, 1)]
    found = list[tuple[float, float, float]]()
    for (judged, errors), (chosen, _) in (halves, halves[::-1]):
        partner = _partners(chosen)
        found += [(judged[i, i], judged[i, partner[i]], errors[i]) for i in range(k) if partner[i] != i]
    known = np.array([one for one in found if np.isfinite(one[2])]).reshape(-1, 3)
    written, mended = known[:, :2].mean(axis=0).tolist() if len(known) else (0.0, 0.0)
    return _partners(_told(present, said)[0]), written, mended, _mean_error(known[:, 2])


def _partners(table: F64) -> list[int]:
    return linear_sum_assignment(table + 1e-9 * np.eye(len(table)), maximize=True)[1].tolist()
