"""Check that multiple labels per row fit the scores of each class: in scale, in order, in the meaning of 1."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.stats import norm, rankdata

from core.data.desk.classes import ALPHA, MIN_KAPPA
from core.data.desk.numbers import SIGMAS
from core.data.tables.scores import MAX_SUM_ERROR
from core.errors import quoted
from core.numbers import percent
from core.records import F64, Bool
from core.records.ledger import Ledger

MAX_CELLS = 10_000_000
"""Of the (k, k) table of labels by scores (80 MB); with more classes their order is not checked."""


def check_several(present: Bool, scores: F64, role: str, names: Sequence[str], ledger: Ledger) -> None:
    """Stop where scores are of another kind or their classes in another order than the labels, or where 1 means absent;
    note scores that are no better than a guess.

    Args:
        present: (n, k) whether the class is present, of usable rows.
        scores: (n, k) the model's output for each class, as written.
        role: "probabilities", "logits" or "prediction".
        names: of the k classes.

    Raises:
        InvalidInput: only a mistake explains the scores.
    """
    if not len(scores):
        return
    if role == "logits" and scores.min() >= 0 and not present.all():
        top = float(scores.max())
        next_step = "Name the right columns."
        if top <= 1:
            next_step = "If they are shares, name them as probabilities."
        elif top <= 100:
            next_step = "If they are shares, divide them by 100 and name them as probabilities."
        ledger.doubt(
            f"No logit is below 0 (they run from {scores.min():.3g} to {top:.3g}), so every class counts as predicted, "
            f"but labels have a class in {percent(float(present.mean()))} of rows. {next_step}"
        )
    softmax = ((scores > 0) & (scores < 1)).any(axis=1) & (np.abs(scores.sum(axis=1) - 1) <= MAX_SUM_ERROR)
    contradicted = softmax & (present.sum(axis=1) != 1)
    if role == "probabilities" and softmax.mean() > 0.5 and contradicted.any():
        report = ledger.doubt if contradicted.sum() > 0.5 * softmax.sum() else ledger.note
        report(
            f"{int(softmax.sum()):,} of {len(scores):,} rows of probabilities sum to 1, like a softmax, but "
            f"{int(contradicted.sum()):,} of these have several labels or none. Use a sigmoid per class."
        )
    if len(names) ** 2 <= MAX_CELLS:
        _check_order(present, scores, names, ledger)


def _check_order(present: Bool, scores: F64, names: Sequence[str], ledger: Ledger) -> None:
    table, errors = _associations(present, scores)
    known = np.isfinite(errors)
    same_class = np.diag(table)
    if not known.any():
        return
    partner, written, reordered, error = _reordered(present, scores)
    low = same_class + float(-norm.ppf(ALPHA / len(names))) * errors < 0
    turned: list[int] = np.flatnonzero(low & (same_class <= -MIN_KAPPA)).tolist()
    mean = float(same_class[known].mean())
    spread = SIGMAS * _mean_error(errors[known])
    higher = "rows with a class score higher than rows without"
    if reordered >= MIN_KAPPA and written + SIGMAS * error < MIN_KAPPA * reordered:
        moved = [(names[i], names[j]) for i, j in enumerate(partner) if i != j]
        listed = ", ".join(f"labels of {a!r} go with scores of {b!r}" for a, b in moved[:3])
        if len(moved) > 3:
            listed += ", ..."
        ledger.doubt(
            f"Labels and scores have the classes in two orders: {listed}. There {higher} in {_pairs(written)} as "
            f"written, in {_pairs(reordered)} reordered. Write both in one order."
        )
    elif turned:
        ledger.doubt(
            f"Scores are lower where a class is present, for {quoted(*(names[i] for i in turned))}: {higher} in "
            f"{_pairs(float(same_class[turned].mean()))}. Write 1 for present and 0 for absent, and scores of presence."
        )
    elif mean + spread < 0:
        ledger.note(f"Scores are worse than chance: {higher} in {_pairs(mean)}. Check that 1 means present in both.")
    elif mean - spread <= 0 and mean + spread < MIN_KAPPA:
        ledger.note(
            f"Scores are no better than chance: {higher} in {_pairs(mean)}. Check that both come from the same rows."
        )


def _pairs(association: float) -> str:
    return f"{percent((1 + association) / 2)} of pairs"


def _associations(present: Bool, scores: F64) -> tuple[F64, F64]:
    """(k, k) association of each class' labels with each class' scores, 2 AUROC - 1 by the Mann-Whitney statistic, 0
    where the labels do not differ; and (k,) its standard error if they are unrelated, or inf."""
    n = len(scores)
    ones = present.sum(axis=0)
    pairs = ones * (n - ones)
    above = present.T.astype(np.float64) @ rankdata(scores, axis=0) - (ones * (ones + 1) / 2)[:, None]
    table = np.where(pairs > 0, 2 * above.T / np.maximum(pairs, 1) - 1, 0.0).T
    return table, np.where(pairs > 0, np.sqrt((n + 1) / (3 * np.maximum(pairs, 1))), np.inf)


def _mean_error(errors: F64) -> float:
    return float(np.sqrt((errors**2).sum()) / max(len(errors), 1))


def _reordered(present: Bool, scores: F64) -> tuple[list[int], float, float, float]:
    """Associations after the best reordering of the scores, chosen on each half of the rows and measured on the other.

    Returns:
        The class whose scores go with each class' labels, one to one, of equal ones the same class; and over the
        classes that get another's scores, the mean association as written and reordered, and the first's standard
        error.
    """
    k = present.shape[1]
    half = np.random.default_rng(0).permutation(len(scores)) % 2
    halves = [_associations(present[half == side], scores[half == side]) for side in (0, 1)]
    moved = list[tuple[float, float, float]]()
    for (judged, errors), (chosen, _) in (halves, halves[::-1]):
        partner = _partners(chosen)
        for i in range(k):
            if partner[i] != i and np.isfinite(errors[i]):
                moved.append((judged[i, i], judged[i, partner[i]], errors[i]))
    known = np.array(moved).reshape(-1, 3)
    written = 0.0
    reordered = 0.0
    if len(known):
        written, reordered = known[:, :2].mean(axis=0).tolist()
    return _partners(_associations(present, scores)[0]), written, reordered, _mean_error(known[:, 2])


def _partners(table: F64) -> list[int]:
    return linear_sum_assignment(table + 1e-9 * np.eye(len(table)), maximize=True)[1].tolist()
