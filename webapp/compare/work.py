"""The work of the place Compare: decide what was brought, compare it with the run, and write the downloads."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from core.arrays import read_arrays
from core.data.tables.roles import Roles
from core.documents import read_stored
from core.errors import DiagnosisError, InvalidInput
from core.files import write_arrays, write_json
from core.records import I64, Diagnosis, Prediction, Progress, no_progress, other_models
from core.records.codec import decode, encode
from webapp.compare.verdict import CHECKPOINTS, NEW_DATA, NEW_MODEL, SecondModel, Verdict
from webapp.state.choices import IMAGES
from webapp.state.downloads import csv_of, folder_of
from webapp.state.runs import RUNS
from webapp.state.session import Session, require_own, require_run, selected_rows

if TYPE_CHECKING:
    from core.checks.which_comparison import ComparisonKind

LOSSES_ALONE = (
    "This run has losses but no right and wrong answers, and losses of two models have no common scale. "
    "Diagnose a table with a label and predictions or probabilities."
)
KIND = "second"
"""Of the folders that hold a comparison with a new model, by which the page's address reopens it."""
RECORD = "kept.json"
ARRAYS = "kept.npz"
CARD = "distilled.json"
EXAMPLE = "second.csv"
"""A second model's answers beside a shipped run."""
EXAMPLE_REASON = "second.csv, which ships with this example, has the run's ids: a new model."

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Brought:
    """What a visitor added, and what they say of it."""

    tables: tuple[Path, ...] = ()
    images: str | None = None
    """An archive."""
    vectors: str | None = None
    card: str | None = None
    """Of a student: its distilled.json."""
    roles: Roles = Roles()
    chosen: ComparisonKind | None = None


def brought(
    files: Sequence[str] | None, chosen: str, vectors: str | None, card: str | None, as_is: bool, *columns: str
) -> Brought:
    """Sort the added files into tables and an archive.

    Args:
        chosen: what the visitor says they are, or "".
        columns: names of the id, the label, and the prediction, "" for usual names.

    Raises:
        InvalidInput: there are several archives.
    """
    archives = [name for name in files or () if name.lower().endswith(IMAGES)]
    if len(archives) > 1:
        raise InvalidInput(f"Images must be one archive: got {len(archives)}. Pack them into one zip.")
    tables = tuple(Path(name) for name in files or () if name not in archives)
    named = [str(column or "").strip() or None for column in columns]
    roles = Roles(id=named[0], label=named[1], prediction=named[2], as_is=as_is)
    kind = cast("ComparisonKind | None", chosen or None)
    return Brought(tables, next(iter(archives), None), vectors, card, roles, kind)


def compare_brought(session: Session, added: Brought, folder: Path, progress: Progress) -> Verdict:
    """Decide what was brought and compare it.

    Args:
        folder: for the downloads.

    Raises:
        InvalidInput: the ids do not decide it, or the files do not fit the run.
    """
    from core.checks.which_comparison import which_comparison  # reads tables with pandas

    diagnosis = require_run(session)
    items = bool(added.images or added.vectors)
    which = which_comparison(
        diagnosis, added.tables, added.roles, chosen=added.chosen, with_items=items, progress=progress
    )
    if which.kind == NEW_DATA:
        table = None
        if added.tables:
            table = str(added.tables[0])
        try:
            prediction = make_prediction(session, table, added.images, added.vectors, progress, added.roles)
        except InvalidInput as error:  # say first why they are taken for new data
            raise InvalidInput(f"{which.reason} {error}") from None
        return Verdict(NEW_DATA, prediction, which.reason)
    if diagnosis.outcomes.errors is None:
        raise InvalidInput(LOSSES_ALONE)
    if which.kind == CHECKPOINTS:
        return _followed(diagnosis, added, which.reason, folder, progress)
    return _second(session.run, added, which.reason, folder, progress)


def _second(run: str, added: Brought, reason: str, folder: Path, progress: Progress) -> Verdict:
    """Compare a new model, and write report, table, and results."""
    from core.checks.compare import compare
    from core.checks.second_model import keep_errors, with_second
    from core.reports.comparison import comparison_section
    from core.reports.html.diagnosis import write_section
    from core.reports.tables.comparison import comparison_document, comparison_table
    from core.reports.wording.second_model import second_lines

    diagnosis = RUNS.get(run)
    costs = None
    if added.card:
        costs = costs_of(Path(added.card))
    with_answers, name, notes = with_second(diagnosis, added.tables[0], added.roles, progress=progress)
    progress("comparing", 0, 1)
    comparison = compare(with_answers, "model", name)
    progress("comparing", 1, 1)
    progress("writing the report", 0, 1)
    noted = replace(comparison, notes=(*comparison.notes, *notes))
    report, table, document = (folder / f"comparison.{kind}" for kind in ("html", "csv", "json"))
    lead = second_lines(diagnosis, comparison, costs)
    write_section(with_answers, comparison_section(with_answers, noted), report, lead)
    rows = comparison_table(with_answers, comparison)
    table.write_bytes(csv_of(rows.columns, rows.itertuples(index=False)))
    write_json(document, comparison_document(with_answers, noted))
    progress("writing the report", 1, 1)
    result = other_models(with_answers)[-1]
    if not RUNS.is_example(run) and not RUNS.is_linked(run):  # its map and charts can then show them
        RUNS.change(run, lambda now: keep_errors(now, result))
    second = SecondModel(result, comparison, notes, costs)
    keep(run, second, added.card, folder)
    return Verdict(NEW_MODEL, second, reason, folder, folder.name.removeprefix(f"{KIND}-"))


def _followed(diagnosis: Diagnosis, added: Brought, reason: str, folder: Path, progress: Progress) -> Verdict:
    """Follow the groups over checkpoints, and write charts and table."""
    from core.checks.checkpoints.follow import follow, in_order
    from core.reports.checkpoints import checkpoints_section
    from core.reports.html.diagnosis import write_section
    from core.reports.tables.checkpoints import checkpoints_table

    followed = follow(diagnosis, in_order(added.tables), added.roles, progress=progress)
    write_section(diagnosis, checkpoints_section(diagnosis, followed), folder / "comparison.html")
    rows = checkpoints_table(diagnosis, followed)
    (folder / "comparison.csv").write_bytes(csv_of(rows.columns, rows.itertuples(index=False)))
    return Verdict(CHECKPOINTS, followed, reason, folder)


def make_prediction(
    session: Session,
    table: str | None,
    images: str | None,
    vectors: str | None,
    progress: Progress,
    roles: Roles = Roles(),
) -> Prediction:
    """Read and embed new samples, and check the frozen findings; a visitor's own run keeps the result.

    Raises:
        InvalidInput: no run is open, no files were added, or they do not fit the run.
    """
    from core.checks.fresh import predict_fresh  # reads tables with pandas, images with the encoder

    diagnosis = require_own(session)
    if not (table or images):
        raise InvalidInput(
            "No new samples. Add a table with the same columns as the run's, and images, clips, or scans if it had any."
        )
    first, archive, embeddings = [Path(name) if name else None for name in (table, images, vectors)]
    predicted = predict_fresh(
        diagnosis,
        first,
        images=archive,
        embeddings=embeddings,
        roles=roles,
        selection=lasso_of(session, diagnosis),
        progress=progress,
    )
    assert predicted.prediction is not None
    prediction = replace(predicted.prediction, source=Path(table or images or "new samples").name)
    RUNS.change(session.run, lambda now: replace(now, prediction=prediction))
    return prediction


def lasso_of(session: Session, diagnosis: Diagnosis) -> I64:
    """Return the rows that the user picked by eye in Findings; a cluster does not count."""
    if session.polygon or session.rows:
        return selected_rows(session.closed, diagnosis)
    return np.empty(0, np.int64)


def verdicts_of(run: str) -> dict[ComparisonKind, Verdict]:
    """Return what a run comes with: the check of held-out or new data, and for a shipped example a second model."""
    diagnosis = RUNS.get(run)
    verdicts: dict[ComparisonKind, Verdict] = {}
    if diagnosis.prediction is not None:
        verdicts[NEW_DATA] = Verdict(NEW_DATA, diagnosis.prediction, "")
    if RUNS.is_example(run):
        second = _shipped(run, RUNS.path(run).with_name(EXAMPLE))
        if second is not None:
            verdicts[NEW_MODEL] = second
    return verdicts


@lru_cache(maxsize=8)
def _shipped(run: str, table: Path) -> Verdict | None:
    """Return the comparison with the table beside a shared run, computed once; None without a usable one."""
    from core.checks.compare import compare
    from core.checks.second_model import with_second

    diagnosis = RUNS.get(run)
    if not table.is_file() or diagnosis.outcomes.errors is None:
        return None
    try:
        with_answers, name, notes = with_second(diagnosis, table, progress=no_progress)
        second = SecondModel(other_models(with_answers)[-1], compare(with_answers, "model", name), notes)
    except DiagnosisError:  # a file of the operator's that happens to have this name
        _log.warning("%s cannot be compared with its run", table, exc_info=True)
        return None
    return Verdict(NEW_MODEL, second, EXAMPLE_REASON)


def keep(run: str, second: SecondModel, card: str | None, folder: Path) -> None:
    """Write the comparison beside its downloads for `reopened`, with the card of a student. It is deleted with them."""
    arrays: dict[str, Any] = {}
    encoded = encode((second.result, second.comparison, second.notes), arrays)
    write_arrays(folder / ARRAYS, arrays)
    if card:
        shutil.copyfile(card, folder / CARD)
    write_json(folder / RECORD, {"run": RUNS.link(run), "kept": encoded})


def reopened(run: str, beside: str) -> tuple[SecondModel, Path] | None:
    """Return a run's comparison by its id, and the folder of its files; None if it was deleted."""
    folder = folder_of(KIND, beside)
    try:
        stored = {}
        if folder:
            stored = read_stored(folder / RECORD, below=folder)
        if folder is None or stored.get("run") != RUNS.link(run):
            return None
        result, comparison, notes = decode(stored["kept"], read_arrays(folder / ARRAYS))
        return SecondModel(result, comparison, notes, costs_of(folder / CARD)), folder
    except (InvalidInput, OSError, ValueError, KeyError, TypeError):  # deleted meanwhile
        return None


def costs_of(card: Path) -> Any:
    """Return the costs of teacher and student from a card; None without a card."""
    if not card.is_file():
        return None
    from core.checks.model_cost import read_costs

    return read_costs(card)
