"""The command `explain`: possible causes of a sample's loss, in sentences."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.command import argument, command, option
from core.cli.options import JSON, RUN
from core.cli.output import check_suffix, print_json, write_table
from core.cli.terminal import TerminalProgress, say

if TYPE_CHECKING:
    from core.records import Diagnosis, Faithfulness

SHOWN_SAMPLES = 10
"""Samples whose sentences are printed."""


@command(note="Which causes are named, and how well they predict: docs/explain.md.")
@argument("run", "RUN", RUN)
@option("--row ID", "id of one sample to explain, without the measurement (default: all samples)")
@option("--out FILE", "file for all sentences: .csv, .parquet or .json")
@option("--not-kept", "measure again and leave the run unchanged")
@JSON
def explain(
    run: Path, row: str | None = None, out: Path | None = None, not_kept: bool = False, as_json: bool = False
) -> None:
    """Explain in a sentence why a sample may be wrong.

    Prints the samples with the highest expected loss. Also measures whether the named causes separate errors from
    other samples, on samples that were not used to choose the causes. The run stores that measurement.
    """
    if out is not None:
        check_suffix(out)
    from core.checks.reasons import reasons_of
    from core.errors import InvalidInput, quoted
    from core.reports.tables.reasons import reasons_document, reasons_table
    from core.reports.wording.reasons import RULE, faithfulness_lines, nothing_known, sentence_of
    from core.store import load

    diagnosis = load(run)
    if row is not None:
        ids = diagnosis.samples.ids
        if row not in ids:
            raise InvalidInput(f"The run has no sample {row[:60]!r}. Use an id such as {quoted(*ids[:3])}.")
        reasons = reasons_of(diagnosis, [ids.index(row)])
        if as_json:
            print_json(reasons_document(diagnosis, reasons))
        else:
            say(sentence_of(diagnosis, reasons[0]) or nothing_known(diagnosis, reasons[0].row))
        return
    reasons = reasons_of(diagnosis)
    measured = _measure(diagnosis, run, keep=not not_kept)
    if out is not None:
        write_table(reasons_table(diagnosis), out)
    if as_json:
        print_json(reasons_document(diagnosis, reasons, measured))
        return
    explained = [reason for reason in reasons if reason.grounds]
    explained.sort(key=lambda reason: (-reason.expected, reason.row))
    say(f"{len(explained):,} of {len(reasons):,} samples have a possible cause. {RULE}")
    for reason in explained[:SHOWN_SAMPLES]:
        say(f"{diagnosis.samples.ids[reason.row]}: {sentence_of(diagnosis, reason)}")
    if len(explained) > SHOWN_SAMPLES:
        say(f"... and {len(explained) - SHOWN_SAMPLES:,} more. Use --out FILE to write all.")
    say("\n".join(faithfulness_lines(diagnosis, measured)))
    if out is not None:
        say(f"Written: {out}")


def _measure(diagnosis: Diagnosis, run: Path, *, keep: bool) -> Faithfulness:
    """Measure the reasons' faithfulness; with `keep`, take it from the run or add it there."""
    from core.checks.faithfulness import measure_faithfulness
    from core.errors import InvalidInput
    from core.store import update

    if keep and diagnosis.faithfulness is not None:
        return diagnosis.faithfulness
    with TerminalProgress() as progress:
        measured = measure_faithfulness(diagnosis, progress=progress)
        try:
            if keep:
                update(diagnosis, run, lambda now: replace(now, faithfulness=measured), progress)
        except InvalidInput as error:  # for example a read-only run
            say(f"Note: the measurement was not saved. {error}", file=sys.stderr)
    return measured
