"""What a run stores of its table for comparing another table with it: the unit of its numbers, its columns, its
classes. What cannot be compared is rejected or noted, never compared silently."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import ks_2samp

from core.data.desk.scales import MAX_RATIO_ERROR, MIN_ROWS, common_ratio
from core.data.tables.roles import columns_read
from core.errors import quoted
from core.numbers import number
from core.records import F64, I64, Diagnosis, Outcomes, SampleSet
from core.records.ledger import Ledger
from core.statistics.losses import cross_entropy

QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9, 0.99)
MIN_UNIT_RATIO = 30.0
"""Values larger by this factor at each of QUANTILES have another unit: of 560 shifts of the losses in eight data sets
(halves, one class against another or against the others, 50 to 95% of the samples wrong) none exceeded 8."""
WRONG_QUANTILES = (0.05, 0.1, 0.25, 0.5, 0.75)
MIN_WRONG_RATIO = 1.2
MIN_WRONG = 30
"""The losses of wrong samples hardly shift if a set is harder: of 1,420 pairs of parts of real data with 30 wrong
samples or more each, one differed by more than 1.2 times at each of these quantiles. Losses in bits are 1.44 times
those in nats (docs/evidence/predictions.md)."""
MAX_KS_DISTANCE = 0.3
MIN_SHAPE_WRONG = 50
"""Nor does their distribution: its Kolmogorov-Smirnov distance was at most 0.22 in the 970 pairs with 50 wrong samples
or more each. Another temperature, a root or a power exceeds this."""


def other_unit(
    before: F64, after: F64, min_ratio: float = MIN_UNIT_RATIO, quantiles: Sequence[float] = QUANTILES
) -> str:
    """How (m,) values differ throughout from (n,) earlier ones: "about 100 times as large"; "" if both may have one
    unit. Missing values (nan) are ignored.

    Args:
        min_ratio: factor by which they must differ at each of the quantiles.
    """
    before = before[np.isfinite(before)]
    after = after[np.isfinite(after)]
    if not before.any() or not after.any():
        return ""
    if before.min() >= 0 >= after.max() or before.max() <= 0 <= after.min():
        return "of the other sign"
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.quantile(np.abs(after), quantiles) / np.quantile(np.abs(before), quantiles)
    ratios = ratios[np.isfinite(ratios) & (ratios > 0)]
    if not len(ratios) or max(float(ratios.min()), 1 / float(ratios.max())) < min_ratio:
        return ""
    times = float(np.median(ratios))
    return f"about {times:.3g} times as large"


def other_loss(diagnosis: Diagnosis, samples: SampleSet, fresh: Outcomes, same: I64, desk: Ledger) -> str:
    """The loss of new samples if a run's losses cannot be compared with it: "squared error" or "losses about 100 times
    as large"; "" if they can. What is only likely is noted.

    Args:
        samples: (m,) the new samples, whose outcomes are `fresh`.
        same: (m,) the run's row that is the same sample; -1 without one.

    Raises:
        InvalidInput: the losses cannot be compared, and neither can errors.
    """
    known = diagnosis.outcomes
    other = ""
    if fresh.name != known.name:
        other = fresh.name
    other = other or _computed_difference(known, diagnosis.samples, fresh, samples, same)
    if not other:
        unit = other_unit(known.loss, fresh.loss)
        if unit:
            other = f"losses {unit}"
    if not other:
        _note_likely(known, fresh, desk)
        return ""
    difference = f"The run measures {known.name}, the new table gives {other}"
    if known.errors is None or desk.as_is:
        desk.doubt(f"{difference}, so they cannot be compared. Give the same loss and unit (--loss, --loss-kind).")
        return ""
    desk.note(
        f"{difference}. Findings of error rate were checked, findings of mean loss were not. "
        "Give the same columns in the same unit to check them all."
    )
    return other


def _computed_difference(known: Outcomes, run: SampleSet, fresh: Outcomes, samples: SampleSet, same: I64) -> str:
    """How the losses differ by arithmetic: for the same samples, or from the probabilities behind them."""
    shared = (same >= 0) & (known.loss[same] > MAX_RATIO_ERROR)
    factors: list[float] = []
    if shared.sum() >= MIN_ROWS:
        factors.append(common_ratio(fresh.loss[shared] / known.loss[same[shared]]))
    before = _times_cross_entropy(known, run)
    after = _times_cross_entropy(fresh, samples)
    if before is not None and after is not None:
        if before > 0 and not after > 0:
            return "losses that are not a multiple of the cross-entropy of label and scores"
        if after > 0 and not before > 0:
            return "losses that are a multiple of the cross-entropy of label and scores"
        if before:
            factors.append(after / before)
    for factor in factors:
        if factor > 0 and abs(factor - 1) > 3 * MAX_RATIO_ERROR:
            return f"losses {number(factor)} times as large"
    return ""


def _times_cross_entropy(outcomes: Outcomes, samples: SampleSet) -> float | None:
    """The factor between the losses and the cross-entropy of label and scores, 0 if there is no single one; None if
    scores or labels are unknown."""
    if outcomes.scores is None or samples.labels is None:
        return None
    computed = cross_entropy(outcomes.scores, samples.labels)
    sure = computed > MAX_RATIO_ERROR
    if sure.sum() < MIN_ROWS:
        return None
    return common_ratio(outcomes.loss[sure] / computed[sure])


def _note_likely(known: Outcomes, fresh: Outcomes, desk: Ledger) -> None:
    """Note losses that may have another unit: of wrong samples, which hardly shift, or without errors of all."""
    if known.errors is None or fresh.errors is None:
        unit = other_unit(known.loss, fresh.loss, MIN_WRONG_RATIO)
        where = "Everywhere"
        reason = "Harder or easier samples may also cause this"
    elif min(known.errors.sum(), fresh.errors.sum()) >= MIN_WRONG:
        before = known.loss[known.errors]
        after = fresh.loss[fresh.errors]
        unit = other_unit(before, after, MIN_WRONG_RATIO, WRONG_QUANTILES)
        if not unit and min(len(before), len(after)) >= MIN_SHAPE_WRONG:
            test: Any = ks_2samp(before, after)
            if test.statistic > MAX_KS_DISTANCE:
                unit = "distributed differently"
        where = "Where the model is wrong"
        reason = "Harder samples hardly change those"
    else:
        return
    if unit:
        desk.note(
            f"{where}, the new losses are {unit}. {reason}. Check that model, temperature, and unit are those of the "
            "run (bits are 1.44 times nats); otherwise mean losses cannot be compared."
        )


def other_columns(diagnosis: Diagnosis, read: Mapping[str, Sequence[str]], table: str) -> list[str]:
    """Sentences on columns that another table was read from and that have other names in the run.

    Args:
        read: as `core.data.samples.DataSet.read`.
    """
    of_run = columns_read(diagnosis.extras)
    sentences: list[str] = []
    for role in ("label", "target", "loss"):
        if of_run.get(role) and read.get(role) and list(of_run[role]) != list(read[role]):
            sentences.append(
                f"The run's {role} comes from {quoted(*map(str, of_run[role]))}, that of {table} from "
                f"{quoted(*read[role])}. Use --{role} if that is wrong."
            )
    return sentences
