"""A second model's predictions on the samples of a run: a table with the same ids, read as the first one was; and where
it is worse than the first, diagnosed like any loss."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain, count
from pathlib import Path

import numpy as np

from core import records
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
from core.statistics.intervals import accuracy_of

UNNAMED = "second model"
"""What answers are called that are no file."""
MOST_KEPT = 20
"""How many are kept, the latest: under `SECOND_MODELS`, by the models' names, a letter for each sample."""
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
    """What the labels and the outcomes' predictions and scores index."""
    labels: I64 | None
    """(m,) the classes by which its table judges it, where it has them."""
    notes: tuple[str, ...]
    """What was left out or differs."""


def read_second(
    diagnosis: Diagnosis, table: TableLike, roles: Roles = Roles(), *, progress: Progress = no_progress
) -> SecondOutcomes:
    """Outcomes of another model on samples of the run; arguments and errors as of `with_second`."""
    name = Path(table).name if isinstance(table, str | Path) else UNNAMED
    audit = read_data_set(table, roles=roles, progress=progress)
    if audit.outcomes.errors is None:
        raise InvalidInput(
            f"{name} does not say which answers are wrong. It needs a label, and predictions, probabilities or logits."
        )
    rows, order = rows_of_run(diagnosis, audit.samples.ids)
    if not len(order):
        raise InvalidInput(
            f"No id of {name} (such as {audit.samples.ids[0]!r}) is one of the run's (such as "
            f"{diagnosis.samples.ids[0]!r}). {_mend_ids(table, roles)}"
        )
    ours = {*diagnosis.samples.ids, *(audit.samples.ids[at] for at in order)} - {one for one, _ in diagnosis.excluded}
    if twice := sorted({one for one, why in audit.excluded if why.endswith(DIFFERS)} & ours):
        raise InvalidInput(
            f"{name} answers {len(twice):,} of the run's samples more than once and not alike "
            f"({quoted(*twice, most=4)}), so which answer counts is not known. Give each sample one row."
        )
    desk = Ledger(0, as_is=roles.as_is)
    samples = same_samples(diagnosis, rows[order], audit.samples.keep(order), name, desk)
    note_missing(diagnosis, rows, order, audit.samples.ids, name, desk)
    notes = (*desk.notes, *audit.notes, *other_columns(diagnosis, audit.read, name))
    return SecondOutcomes(audit.outcomes.keep(order), rows[order], samples.class_names, samples.labels, notes)


def _mend_ids(table: TableLike, roles: Roles) -> str:
    """What to do where no id is the run's."""
    brought = as_frame(table)
    assert brought is not None
    columns = describe_table(brought, roles=roles).columns
    if any(role in ("id", "image") for _, role, _ in columns):
        return "If another column holds the run's ids, name it with --id."
    listed = quoted(*(name for name, _, _ in columns))
    return f"Its rows were numbered, since no column ({listed}) is known to hold ids. Add one with the run's ids."


def with_outcomes(
    diagnosis: Diagnosis,
    name: str,
    model: str,
    outcomes: Outcomes,
    rows: I64,
    said: str,
    class_names: tuple[str, ...] = (),
    labels: I64 | None = None,
) -> Diagnosis:
    """The run with another model's outcomes, whose errors are known, on its (m,) `rows` among its results.

    Args:
        said: where they come from, a sentence.
        class_names: what predictions and labels index, the run's own first; by default these alone.
        labels: (m,) the classes by which the other model was judged; by default the run's.
    """
    samples = diagnosis.samples
    assert outcomes.errors is not None
    groups = None if samples.groups is None else samples.groups[rows]
    if labels is None:
        labels = np.full(len(rows), -1, np.int64) if samples.labels is None else samples.labels[rows]
    names = class_names or samples.class_names
    accuracy = accuracy_of(outcomes.errors, groups)
    result = ModelResult(name, model, names, rows, labels, outcomes, accuracy, said)
    brought = diagnosis.extras.get(BROUGHT)
    return with_models(diagnosis, (*(brought if isinstance(brought, tuple) else ()), result))


def with_second(
    diagnosis: Diagnosis, table: TableLike, roles: Roles = Roles(), *, progress: Progress = no_progress
) -> tuple[Diagnosis, str, tuple[str, ...]]:
    """The run with a second model among its results, so that it can be compared.

    Args:
        diagnosis: what `diagnose` or `load` gave.
        table: with the run's ids (or image paths), the label, and predictions, probabilities or logits; images are
            not needed. A path, a DataFrame or what else `diagnose` takes for a table.
        roles: which column is which; usual names are recognized.
        progress: called as progress(step, done, total); may raise `Cancelled`.

    Returns:
        The run; the second model's name in it, which is the file's ("second model" without one); notes on what was left
        out or differs.

    Raises:
        InvalidInput: the errors cannot be known from the table, no id is one of the run's, or most of the ids stand for
            other samples.
    """
    found = read_second(diagnosis, table, roles, progress=progress)
    path = Path(table) if isinstance(table, str | Path) else Path(UNNAMED)
    taken = {p.name for p in other_models(diagnosis)} | {"model"}
    usual = (path.stem, path.name, f"table {path.name}")
    name = next(n for n in chain(usual, (f"{path.stem} {k}" for k in count(2))) if n not in taken)
    own = diagnosis.samples.class_names
    names = (*own, *(n for n in found.class_names if n not in own))  # a model may name a class that no sample has
    outcomes = replace(found.outcomes, scores=None)  # their columns are in the order of the table's own names
    place = np.array([names.index(n) for n in found.class_names], np.int64)
    if outcomes.predictions is not None:
        outcomes = replace(outcomes, predictions=place[outcomes.predictions])
    labels = None if found.labels is None else place[found.labels]
    said = "Read from a table."
    given = with_outcomes(diagnosis, name, "given", outcomes, found.rows, said, names, labels)
    notes = found.notes
    mine = diagnosis.outcomes.predictions
    second = outcomes.predictions
    if mine is not None and second is not None and np.array_equal(second, mine[found.rows]):
        notes = (
            f"{name} gives each sample the same answer as the run's own model. Check that it is not its table.",
            *notes,
        )
    return given, name, notes


def keep_errors(diagnosis: Diagnosis, result: ModelResult) -> Diagnosis:
    """The run with which of its samples the second model gets wrong, in place of what was kept under that name."""
    assert result.outcomes.errors is not None
    codes = np.full(len(diagnosis.samples), ABSENT, "S1")
    codes[result.rows] = np.where(result.outcomes.errors, WRONG, RIGHT)
    kept = _kept(diagnosis)
    kept.pop(result.name, None)  # so that it is the latest
    kept[result.name] = codes.tobytes().decode("ascii")
    return replace(diagnosis, extras={**diagnosis.extras, records.SECOND_MODELS: dict(list(kept.items())[-MOST_KEPT:])})


def kept_errors(diagnosis: Diagnosis) -> dict[str, tuple[I64, Bool]]:
    """(its rows, whether it is wrong there) of each second model that was kept with the run, by its name."""
    found = dict[str, tuple[I64, Bool]]()
    for name, text in _kept(diagnosis).items():
        codes = np.frombuffer(str(text).encode(), "S1")
        if len(codes) == len(diagnosis.samples):  # else the run was altered by hand
            rows = np.flatnonzero(codes != ABSENT).astype(np.int64)
            found[str(name)] = rows, codes[rows] == WRONG
    return found


def _kept(diagnosis: Diagnosis) -> dict[str, str]:
    """A copy of what is kept; nothing where the run was altered by hand."""
    kept = diagnosis.extras.get(records.SECOND_MODELS)
    return dict(kept) if isinstance(kept, dict) else {}


def difference_of_errors(diagnosis: Diagnosis, result: ModelResult) -> Outcomes:
    """(m,) on the rows of `result`: 1 where the second model alone is wrong, -1 where the first alone is, else 0.

    Its mean is by how much more often the second model is wrong, and lies in [-1, 1]. What was found in the first
    model's errors has no part in it, so nothing need be corrected for that.

    Raises:
        InvalidInput: the errors of one of the two are not known.
    """
    first = diagnosis.outcomes.errors
    second = result.outcomes.errors
    if first is None or second is None:
        raise InvalidInput(
            "Where a second model is worse can be found only if it is known which answers of both are wrong. "
            "Bring a label with predictions or probabilities for each."
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
    """The failure clusters of the difference: samples on which the second model got worse by more than elsewhere.

    Args:
        result: the second model on rows of the run, as `core.checks.second_model.with_second` gives it.

    Raises:
        InvalidInput: errors are not known, the two models are wrong on the same samples, or too few are common.
    """
    from core.discovery.method import diagnose_records  # the whole search: only where it is asked for

    rows = result.rows
    outcomes = difference_of_errors(diagnosis, result)
    broken = int((outcomes.loss > 0).sum())
    fixed = int((outcomes.loss < 0).sum())
    if not broken:
        raise InvalidInput(f"{result.name} breaks none of the {len(rows):,} samples, so it is nowhere worse.")
    samples = diagnosis.samples.keep(rows)
    words = None if diagnosis.words is None else diagnosis.words.keep(rows)
    named = replace(samples, name=f"{result.name} against the first model on {samples.name}")
    found = diagnose_records(
        named, outcomes, diagnosis.embeddings.keep(rows), words=words, settings=settings, progress=progress
    )
    said = (
        f"The loss is {outcomes.source}. {result.name} breaks {broken:,} of {len(rows):,} samples and fixes {fixed:,}. "
        "A cluster is a set on which it became worse by more than on the rest; the rest may have become better.",
        *(f"Of the first model's run: {note}" for note in diagnosis.notes),
    )
    found = _within_range(found)
    return replace(found, notes=tuple(dict.fromkeys((*said, *found.notes))), excluded=diagnosis.excluded)


def _within_range(found: Diagnosis) -> Diagnosis:
    """The same with no end of an interval beyond what can be: a mean of differences of errors lies in [-1, 1], and the
    difference of two such means in [-2, 2]. An interval of few rows, or one that pays for a search, reaches further."""
    from core.discovery.effects import clipped

    def held(cluster: FailureCluster) -> FailureCluster:
        mean = float(np.clip(cluster.mean_loss, -1, 1))
        return replace(cluster, excess_loss=clipped(cluster.excess_loss, -2, 2), mean_loss=mean)

    return replace(
        found,
        clusters=tuple(map(held, found.clusters)),
        candidates=tuple(map(held, found.candidates)),
        insights=tuple(replace(one, effect=clipped(one.effect, -2, 2)) for one in found.insights),
        classes=tuple(replace(one, mean_loss=clipped(one.mean_loss, -1)) for one in found.classes),
    )
