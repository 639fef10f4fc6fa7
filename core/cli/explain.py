"""The command `explain`: why samples may fail, in sentences."""

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

SHOWN = 10
"""Samples whose sentences are printed."""


@command(note="What is named, and what it is worth: docs/explain.md.")
@argument("run", "RUN", RUN)
@option("--row ID", "one sample: its sentence alone, without the measurement")
@option("--out FILE", "also write every sample's sentence: .csv, .parquet or .json")
@option("--not-kept", "measure anew, and leave the run as it is")
@JSON
def explain(
    run: Path, row: str | None = None, out: Path | None = None, not_kept: bool = False, as_json: bool = False
) -> None:
    """Why a sample may fail, in a sentence built from what was measured.

    Of a run as a whole: the sentences of the samples of highest expected loss, and whether the causes that they name
    tell failing samples from others, on samples that the choice of causes did not see. That is added to the run, and
    taken from there the next time.
    """
    if out is not None:
        check_suffix(out)
    from core.checks.reasons import reasons_of
    from core.reports.tables.reasons import reasons_document, reasons_table
    from core.reports.wording.reasons import RULE, faithfulness_lines, nothing_known, sentence_of
    from core.store import load

    diagnosis = load(run)
    if row is not None:
        found = reasons_of(diagnosis, [_place(diagnosis.samples.ids, row)])
        if as_json:
            print_json(reasons_document(diagnosis, found))
        else:
            say(sentence_of(diagnosis, found[0]) or nothing_known(diagnosis, found[0].row))
        return
    found = reasons_of(diagnosis)
    measured = _measured(diagnosis, run, kept=not not_kept)
    if out is not None:
        write_table(reasons_table(diagnosis), out)
    if as_json:
        print_json(reasons_document(diagnosis, found, measured))
        return
    told = sorted((one for one in found if one.grounds), key=lambda one: (-one.expected, one.row))
    say(f"Something is known of {len(told):,} of {len(found):,} samples. {RULE}")
    for one in told[:SHOWN]:
        say(f"{diagnosis.samples.ids[one.row]}: {sentence_of(diagnosis, one)}")
    if len(told) > SHOWN:
        say(f"... and {len(told) - SHOWN:,} more: --out FILE writes them all.")
    say("\n".join(faithfulness_lines(diagnosis, measured)))
    if out is not None:
        say(f"Written: {out}")


def _measured(diagnosis: Diagnosis, run: Path, *, kept: bool) -> Faithfulness:
    """What the run keeps, or else measured and, with `kept`, added to it."""
    from core.checks.faithfulness import measure_faithfulness
    from core.errors import InvalidInput
    from core.store import update

    if kept and diagnosis.faithfulness is not None:
        return diagnosis.faithfulness
    with TerminalProgress() as progress:
        measured = measure_faithfulness(diagnosis, progress=progress)
        try:
            if kept:
                update(diagnosis, run, lambda now: replace(now, faithfulness=measured), progress)
        except InvalidInput as error:  # as where the run may only be read
            say(f"Note: the measurement is not kept. {error}", file=sys.stderr)
    return measured


def _place(ids: tuple[str, ...], name: str) -> int:
    from core.errors import InvalidInput, quoted

    if name not in ids:
        raise InvalidInput(f"The run has no sample {name[:60]!r}. Its ids are such as {quoted(*ids[:3])}.")
    return ids.index(name)
