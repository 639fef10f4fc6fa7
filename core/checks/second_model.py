"""A second model's predictions on the samples of a run: a table with the same ids, read as the first one was; and a
diagnosis of where it is worse than the first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain, count
from pathlib import Path

import numpy as np

from core import records
from core.checks.compare import LOSSES_ALONE
from core.checks.contract import other_columns
from core.checks.matched import note_missing, rows_of_run, same_samples
from core.data.rows import DIFFERS
from core.data.samples import describe_table, read_data_set
from core.data.tables.frames import TableLike, as_frame
from core.data.tables.roles import Roles
from core.discovery.settings import DEFAULTS, Settings
from core.errors import InvalidInput, quoted
from core.records import (
    BROUGHT,
    I64,
    Bool,
    Diagnosis,
    FailureCluster,
    ModelResult,
    Outcomes,
    Progress,
    no_progress,
    other_models,
    with_models,
)
from core.records.ledger import Ledger
from core.statistics.groups import groups_at
from core.statistics.intervals import accuracy_of

UNNAMED = "second model"
"""Name of a second model whose answers are not in a file."""
MAX_SAVED_MODELS = 20
"""How many second models a run keeps, the latest: under `SECOND_MODELS`, by name, a letter for each sample."""
RIGHT = b"r"
WRONG = b"w"
ABSENT = b"-"


@dataclass(frozen=True, slots=True, eq=False)
class SecondOutcomes:
    """Another model's outcomes on samples of a run."""

    outcomes: Outcomes
    rows: I64
    """(m,) rows of the run that they belong to, ascending."""
    class_names: tuple[str, ...]
    """The names that the labels and the outcomes' predictions and scores index."""
    labels: I64 | None
    """(m,) the true classes in its own table, if any."""
    notes: tuple[str, ...]
    """What was left out or differs."""


def read_second(
    diagnosis: Diagnosis, table: TableLike, roles: Roles = Roles(), *, progress: Progress = no_progress
) -> SecondOutcomes:
    """Read another model's outcomes on samples of the run; arguments and errors as for `with_second`."""
    name = UNNAMED
    if isinstance(table, str | Path):
        name = Path(table).name
    data = read_data_set(table, roles=roles, progress=progress)
    if data.outcomes.errors is None:
        if diagnosis.outcomes.errors is None:
            raise InvalidInput(LOSSES_ALONE)
        raise InvalidInput(
            f"{name} does not show which answers are wrong. Add labels with predictions, probabilities or logits."
        )
    rows, order = rows_of_run(diagnosis, data.samples.ids)
    if not len(order):
        raise InvalidInput(
            f"No id of {name} ({data.samples.ids[0]!r}, ...) matches the run's ({diagnosis.samples.ids[0]!r}, ...). "
            f"{_how_to_fix_ids(table, roles)}"
        )
    shared = {*diagnosis.samples.ids, *(data.samples.ids[at] for at in order)}
    shared -= {name for name, _ in diagnosis.excluded}
    twice = sorted({name for name, reason in data.excluded if reason.endswith(DIFFERS)} & shared)
    if twice:
        raise InvalidInput(
            f"{name} has more than one answer for {len(twice):,} of the run's samples, and they differ "
            f"({quoted(*twice, most=4)}). Give each sample one row."
        )
    desk = Ledger(0, as_is=roles.as_is)
    samples = same_samples(diagnosis, rows[order], data.samples.keep(order), name, desk)
    note_missing(diagnosis, rows, order, data.samples.ids, name, desk)
    notes = (*desk.notes, *data.notes, *other_columns(diagnosis, data.read, name))
    return SecondOutcomes(data.outcomes.keep(order), rows[order], samples.class_names, samples.labels, notes)


def _how_to_fix_ids(table: TableLike, roles: Roles) -> str:
    """What to do if no id is the run's."""
    frame = as_frame(table)
    assert frame is not None
    columns = describe_table(frame, roles=roles).columns
    if any(role in ("id", "image") for _, role, _ in columns):
        return "If another column holds the run's ids, choose it with --id."
    listed = quoted(*(name for name, _, _ in columns))
    return f"Rows were numbered, since no column ({listed}) looks like ids. Add a column with the run's ids."


def with_outcomes(
    diagnosis: Diagnosis,
    name: str,
    model: str,
    outcomes: Outcomes,
    rows: I64,
    source: str,
    class_names: tuple[str, ...] = (),
    labels: I64 | None = None,
) -> Diagnosis:
    """Add another model's outcomes on the (m,) `rows`, whose errors are known, to the run's results.

    Args:
        source: where they come from, in a sentence.
        class_names: what predictions and labels index, the run's own first; by default these alone.
        labels: (m,) the true classes by which the other model was judged; by default the run's.
    """
    samples = diagnosis.samples
    assert outcomes.errors is not None
    groups = groups_at(samples.groups, rows)
    if labels is None:
        labels = np.full(len(rows), -1, np.int64)
        if samples.labels is not None:
            labels = samples.labels[rows]
    names = class_names or samples.class_names
    accuracy = accuracy_of(outcomes.errors, groups)
    result = ModelResult(name, model, names, rows, labels, outcomes, accuracy, source)
    results = diagnosis.extras.get(BROUGHT)
    if not isinstance(results, tuple):
        results = ()
    return with_models(diagnosis, (*results, result))


def with_second(
    diagnosis: Diagnosis, table: TableLike, roles: Roles = Roles(), *, progress: Progress = no_progress
) -> tuple[Diagnosis, str, tuple[str, ...]]:
    """Add a second model to the run's results, for a comparison.

    Args:
        diagnosis: from `diagnose` or `load`.
        table: with the run's ids (or image paths), the label, and predictions, probabilities or logits; images are
            not needed. A path, a DataFrame or any other table that `diagnose` takes.
        roles: which column is which; usual names are recognized.
        progress: called as progress(step, done, total); may raise `Cancelled`.

    Returns:
        The run; the second model's name in it, which is the file's ("second model" without one); notes on what was left
        out or differs.

    Raises:
        InvalidInput: the errors cannot be computed from the table, no id is one of the run's, or most of the ids belong
            to other samples.
    """
    second = read_second(diagnosis, table, roles, progress=progress)
    path = Path(UNNAMED)
    if isinstance(table, str | Path):
        path = Path(table)
    taken = {p.name for p in other_models(diagnosis)} | {"model"}
    usual = (path.stem, path.name, f"table {path.name}")
    name = next(n for n in chain(usual, (f"{path.stem} {k}" for k in count(2))) if n not in taken)
    names = list(diagnosis.samples.class_names)
    names += [n for n in second.class_names if n not in names]  # a model may predict a class that no sample has
    outcomes = replace(second.outcomes, scores=None)  # their columns are in the order of the table's own names
    number = np.array([names.index(n) for n in second.class_names], np.int64)
    predictions = outcomes.predictions
    if predictions is not None:
        predictions = number[predictions]
        outcomes = replace(outcomes, predictions=predictions)
    labels = None
    if second.labels is not None:
        labels = number[second.labels]
    source = "Read from a table."
    result = with_outcomes(diagnosis, name, "given", outcomes, second.rows, source, tuple(names), labels)
    notes = second.notes
    first = diagnosis.outcomes.predictions
    if first is not None and predictions is not None and np.array_equal(predictions, first[second.rows]):
        same = f"{name} gives the same answers as the run's model. Check that it is not the same table."
        notes = (same, *notes)
    return result, name, notes


def keep_errors(diagnosis: Diagnosis, result: ModelResult) -> Diagnosis:
    """Save with the run which samples the second model gets wrong, replacing what was saved under its name."""
    assert result.outcomes.errors is not None
    codes = np.full(len(diagnosis.samples), ABSENT, "S1")
    codes[result.rows] = np.where(result.outcomes.errors, WRONG, RIGHT)
    saved = _saved_errors(diagnosis)
    saved.pop(result.name, None)  # so that it is the latest
    saved[result.name] = codes.tobytes().decode("ascii")
    latest = dict(list(saved.items())[-MAX_SAVED_MODELS:])
    return replace(diagnosis, extras={**diagnosis.extras, records.SECOND_MODELS: latest})


def kept_errors(diagnosis: Diagnosis) -> dict[str, tuple[I64, Bool]]:
    """(rows, whether it is wrong there) of each second model saved with the run, by name."""
    errors = dict[str, tuple[I64, Bool]]()
    for name, text in _saved_errors(diagnosis).items():
        codes = np.frombuffer(str(text).encode(), "S1")
        if len(codes) == len(diagnosis.samples):  # otherwise the run was edited by hand
            rows = np.flatnonzero(codes != ABSENT).astype(np.int64)
            errors[str(name)] = rows, codes[rows] == WRONG
    return errors


def _saved_errors(diagnosis: Diagnosis) -> dict[str, str]:
    """A copy of what is saved; empty if the run was edited by hand."""
    saved = diagnosis.extras.get(records.SECOND_MODELS)
    if not isinstance(saved, dict):
        return {}
    return dict(saved)


def difference_of_errors(diagnosis: Diagnosis, result: ModelResult) -> Outcomes:
    """(m,) on the rows of `result`: 1 where only the second model is wrong, -1 where only the first is, else 0.

    Its mean, in [-1, 1], is how much more often the second model is wrong. It does not depend on what was found in the
    first model's errors, so it needs no correction for that search.

    Raises:
        InvalidInput: the errors of one of the two are unknown.
    """
    first = diagnosis.outcomes.errors
    second = result.outcomes.errors
    if first is None or second is None:
        raise InvalidInput(
            "Only losses are known for one of the models, not errors, so regressions cannot be found. "
            "Add labels with predictions or probabilities for each."
        )
    loss = second.astype(np.float64) - first[result.rows].astype(np.float64)
    return Outcomes(
        loss,
        f"errors of {result.name} minus those of the first model",
        "more errors",
        f"1 where {result.name} alone is wrong, -1 where the first model alone is, 0 where both are right or wrong",
    )


def diagnose_regressions(
    diagnosis: Diagnosis, result: ModelResult, *, settings: Settings = DEFAULTS, progress: Progress = no_progress
) -> Diagnosis:
    """Diagnose the difference of errors: clusters in which the second model got worse by more than elsewhere.

    Args:
        result: the second model on rows of the run, from `core.checks.second_model.with_second`.

    Raises:
        InvalidInput: errors are unknown, both models are wrong on the same samples, or they share too few.
    """
    from core.discovery.method import diagnose_records  # the whole search: imported only if needed

    rows = result.rows
    outcomes = difference_of_errors(diagnosis, result)
    broken = int((outcomes.loss > 0).sum())
    fixed = int((outcomes.loss < 0).sum())
    if not broken:
        raise InvalidInput(f"{result.name} breaks none of the {len(rows):,} samples, so it has no regressions.")
    samples = diagnosis.samples.keep(rows)
    words = None
    if diagnosis.words is not None:
        words = diagnosis.words.keep(rows)
    named = replace(samples, name=f"{result.name} against the first model on {samples.name}")
    regressions = diagnose_records(
        named, outcomes, diagnosis.embeddings.keep(rows), words=words, settings=settings, progress=progress
    )
    notes = [
        f"The loss is {outcomes.source}. {result.name} breaks {broken:,} of {len(rows):,} samples and fixes {fixed:,}. "
        "In a group it got worse by more than on the others; the others may have improved."
    ]
    notes += [f"From the first model's run: {note}" for note in diagnosis.notes]
    regressions = _within_range(regressions)
    notes = tuple(dict.fromkeys((*notes, *regressions.notes)))
    return replace(regressions, notes=notes, excluded=diagnosis.excluded)


def _within_range(regressions: Diagnosis) -> Diagnosis:
    """Clip intervals to possible values: a mean of differences of errors lies in [-1, 1], a difference of two of these
    means in [-2, 2]. Intervals of few rows, or corrected for a search, can reach further."""
    from core.discovery.effects import clipped

    def clip(cluster: FailureCluster) -> FailureCluster:
        mean = float(np.clip(cluster.mean_loss, -1, 1))
        return replace(cluster, excess_loss=clipped(cluster.excess_loss, -2, 2), mean_loss=mean)

    return replace(
        regressions,
        clusters=tuple(map(clip, regressions.clusters)),
        candidates=tuple(map(clip, regressions.candidates)),
        insights=tuple(replace(i, effect=clipped(i.effect, -2, 2)) for i in regressions.insights),
        classes=tuple(replace(c, mean_loss=clipped(c.mean_loss, -1)) for c in regressions.classes),
    )
