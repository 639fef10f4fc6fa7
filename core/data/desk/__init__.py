"""The sanity desk: once columns are recognized and losses known, what a table says twice is held against itself.

A plausible table that is read wrongly gives a plausible report. So labels, predictions, scores, losses and numbers are
compared, and what a mistake alone explains stops the reading (`core.records.ledger.Ledger.doubt`); what may be a
mistake is noted. A model that is merely bad is neither.
"""

from __future__ import annotations

import pandas as pd

from core.data.desk.classes import check_classes, check_spelling
from core.data.desk.losses import check_losses
from core.data.desk.numbers import check_missing, check_regression, check_unreadable, check_whole
from core.data.desk.scales import check_scores
from core.data.tables.outcomes import Measured
from core.data.tables.recognise import RecognizedColumns
from core.records.ledger import Ledger


def check_table(frame: pd.DataFrame, recognized: RecognizedColumns, measured: Measured, ledger: Ledger) -> None:
    """Stop over, or note, what does not fit together in a table.

    Args:
        frame: the table, n rows.
        measured: what is known of each of the n rows.
        ledger: the account of the n rows; only those that stand are compared, but for rows lost by their loss.

    Raises:
        InvalidInput: what a mistake alone explains; the message names it, and the option that says otherwise.
    """
    check_unreadable(frame, recognized, ledger)
    check_spelling(recognized, measured, ledger)
    check_missing(measured, ledger)
    check_classes(recognized, measured, ledger)
    check_losses(frame, recognized, measured, ledger)
    check_scores(measured, ledger)
    check_regression(frame, recognized, ledger)
    check_whole(frame, recognized, ledger)
