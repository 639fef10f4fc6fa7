"""Sanity desk: check a table's columns against each other, once columns are recognized and losses known.

A plausible table that is read wrongly gives a plausible report. So labels, predictions, scores, losses and numbers are
compared. What only a mistake explains stops the reading (`core.records.ledger.Ledger.doubt`); what may be a mistake is
noted. A model that is merely bad causes neither.
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
    """Stop at columns that contradict each other, or note them.

    Args:
        frame: the table, n rows.
        measured: losses and what else is known of the n rows.
        ledger: of the n rows; only rows that stay are compared, and rows dropped for their loss.

    Raises:
        InvalidInput: a contradiction that only a mistake explains; the message names it, and the option to override.
    """
    check_unreadable(frame, recognized, ledger)
    check_spelling(recognized, measured, ledger)
    check_missing(measured, ledger)
    check_classes(recognized, measured, ledger)
    check_losses(frame, recognized, measured, ledger)
    check_scores(measured, ledger)
    check_regression(frame, recognized, ledger)
    check_whole(frame, recognized, ledger)
