"""What a run freezes of its table, and another table is held against: the unit of its numbers, its columns, its
classes. What cannot be compared is refused or said, never compared all the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import ks_2samp

from core.data.desk.scales import EQUAL, FEWEST, one_ratio
from core.data.tables.roles import columns_read
from core.errors import quoted
from core.numbers import number
from core.records import F64, I64, Diagnosis, Outcomes, SampleSet
from core.records.ledger import Ledger
from core.statistics.losses import cross_entropy

QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9, 0.99)
OTHER_UNIT = 30.0
"""Values that are so many times larger at each of QUANTILES are of another unit: of 560 shifts of the losses in eight
data sets (halves, one class beside another or beside the rest, 50 to 95% of the samples wrong) none reached more than
8."""
OF_WRONG = (0.05, 0.1, 0.25, 0.5, 0.75)
SHIFTED = 1.2
FEWEST_WRONG = 30
"""The losses of wrong samples hardly shift where a set is harder: of 1,420 pairs of parts of real data with 30 wrong
samples or more each, one differed by more than 1.2 times at each of these quantiles. Losses in bits are 1.44 times
those in nats (docs/evidence/predictions.md)."""
OTHER_SHAPE = 0.3
FEWEST_SHAPES = 50
"""Nor does their distribution: its Kolmogorov-Smirnov distance was at most 0.22 in the 970 pairs with 50 wrong samples
or more each. Another temperature, a root or a power go beyond this."""


def other_unit(before: F64, after: F64, least: float = OTHER_UNIT, quantiles: Sequence[float] = QUANTILES) -> str:
    """How (m,) values differ throughout from (n,) earlier ones, such as "about 100 times as large"; "" where both may
    be of one unit. Missing values, nan, are passed over.

    Args:
        least: times by which they must differ at each of the quantiles.
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
    if not len(ratios) or max(float(ratios.min()), 1 / float(ratios.max())) < least:
        return ""
    times = float(np.median(ratios))
    return f"about {times:.3g} times as large"


def other_loss(diagnosis: Diagnosis, samples: SampleSet, fresh: Outcomes, same: I64, desk: Ledger) -> str:
    """What the losses of new samples are where those of a run cannot be compared with them, such as "squared error" or
    "losses about 100 times as large"; "" where they can. What is only likely is noted.

    Args:
        samples: (m,) the new samples, whose outcomes are `fresh`.
        same: (m,) the run's row that is the same sample, -1 for none.

    Raises:
        InvalidInput: they cannot, and there are no errors to compare instead.
    """
    own = diagnosis.outcomes
    other = "" if fresh.name == own.name else fresh.name
    other = other or _certain(own, diagnosis.samples, fresh, samples, same)
    if not other and (unit := other_unit(own.loss, fresh.loss)):
        other = f"losses {unit}"
    said = f"The run measures {own.name} and the fresh table gives {other}"
    if not other:
        _note_likely(own, fresh, desk)
    elif own.errors is None or desk.as_is:
        desk.doubt(f"{said}: they cannot be compared. Bring the same loss in the same unit (--loss, --loss-kind).")
    else:
        desk.note(
            f"{said}: findings of the mean loss were not tried, those of the error rate were. Bring the same columns "
            "in the same unit to try them all."
        )
        return other
    return ""


def _certain(own: Outcomes, run: SampleSet, fresh: Outcomes, samples: SampleSet, same: I64) -> str:
    """How the losses differ by arithmetic: of the same samples, or beside the probabilities that they come from."""
    again = (same >= 0) & (own.loss[same] > EQUAL)
    factors = [one_ratio(fresh.loss[again] / own.loss[same[again]])] if again.sum() >= FEWEST else []
    of_scores = [_of_cross_entropy(own, run), _of_cross_entropy(fresh, samples)]
    if None not in of_scores:
        before, after = (factor or 0.0 for factor in of_scores)
        if (before > 0) != (after > 0):
            no = "no " if before else "a "
            return f"losses that are {no}multiple of the cross-entropy of label and scores"
        factors += [after / before] if before else []
    times = next((f for f in factors if f > 0 and abs(f - 1) > 3 * EQUAL), None)
    return "" if times is None else f"losses {number(times)} times as large"


def _of_cross_entropy(outcomes: Outcomes, samples: SampleSet) -> float | None:
    """What number times the cross-entropy of label and scores the losses are, 0 for none; None where it is not
    known."""
    if outcomes.scores is None or samples.labels is None:
        return None
    computed = cross_entropy(outcomes.scores, samples.labels)
    sure = computed > EQUAL
    return one_ratio(outcomes.loss[sure] / computed[sure]) if sure.sum() >= FEWEST else None


def _note_likely(own: Outcomes, fresh: Outcomes, desk: Ledger) -> None:
    """Note losses that may be of another unit: of wrong samples, which hardly shift, or where no more is known, of
    all."""
    if own.errors is None or fresh.errors is None:
        unit = other_unit(own.loss, fresh.loss, SHIFTED)
        where = "Everywhere"
        but = "Harder or easier samples may do that too"
    elif min(own.errors.sum(), fresh.errors.sum()) >= FEWEST_WRONG:
        before = own.loss[own.errors]
        after = fresh.loss[fresh.errors]
        unit = other_unit(before, after, SHIFTED, OF_WRONG)
        if not unit and min(len(before), len(after)) >= FEWEST_SHAPES:
            found: Any = ks_2samp(before, after)
            unit = "otherwise spread" if found.statistic > OTHER_SHAPE else ""
        where = "Where the model is wrong"
        but = "Harder samples hardly change those"
    else:
        return
    if unit:
        desk.note(
            f"{where} the fresh losses are {unit}. {but}: check that the model, its temperature and the unit are those "
            "of the run (bits are 1.44 times nats), or what is said of mean losses does not hold."
        )


def other_columns(diagnosis: Diagnosis, read: Mapping[str, Sequence[str]], table: str) -> list[str]:
    """Sentences on what another table was read from that is called otherwise than the run's.

    Args:
        read: as `core.data.samples.DataSet.read`.
    """
    kept = columns_read(diagnosis.extras)
    return [
        f"The run's {role} was read from {quoted(*map(str, kept[role]))}, and that of {table} from "
        f"{quoted(*read[role])}: name it with --{role} if that is not meant."
        for role in ("label", "target", "loss")
        if kept.get(role) and read.get(role) and list(kept[role]) != list(read[role])
    ]
