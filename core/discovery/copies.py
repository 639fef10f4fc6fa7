"""Samples that are copies of one another by their vectors, kept together as groups."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.embeddings.copies import distinct_rows, find_copies, is_coarse
from core.numbers import count
from core.records import F32, I64, Bool, Outcomes, Progress, SampleSet, no_progress
from core.statistics.groups import joined

NAME = "copies"
"""What the groups are called where there were none before."""
NEARLY = (
    "Nearly means within half the distance of their 20 nearest neighbors, and within less where vectors have few "
    "dimensions."
)
MOST_COMPARED = 200_000
"""Of more distinct vectors only exact copies are told: comparing pairs takes time by the square of their number."""
UNCOMPARED = (
    f"Near copies are not looked for among more than {MOST_COMPARED:,} samples; exact ones are. If rows belong "
    "together, name a column that says which (--group)."
)
OTHERWISE = "If they are different samples, diagnose again with --separate-copies (in Python: group_copies=False)."


def join_copies(
    samples: SampleSet, outcomes: Outcomes, vectors: F32, *, together: bool = True, progress: Progress = no_progress
) -> tuple[SampleSet, tuple[str, ...]]:
    """The samples with exact and near copies in one group each, joined with the groups that they have; and a note.

    The rule and its reasons are in docs/decisions/copies.md.

    Args:
        vectors: (n, d) embeddings, by which copies are told.
        together: False leaves the samples as they are and says how many copies are not kept together.

    Returns:
        The same samples and no note where there are no copies, or none that are not in one group already.
    """
    if not len(samples) == len(outcomes.loss) == len(vectors):
        return samples, ()  # refused where the three are checked
    first, of_row = distinct_rows(vectors)
    coarse = is_coarse(vectors[first])
    many = len(first) > MOST_COMPARED
    if coarse:
        exact = copies = _alike(of_row, samples, outcomes)
    elif many:
        exact = copies = of_row
    else:
        exact, copies = find_copies(vectors, (first, of_row), progress=progress)
    said = _of_coarse(outcomes, len(first)) if coarse else ""
    grouped, notes = _joined(samples, exact, copies, said, together=together)
    return grouped, notes if coarse or not many else (*notes, UNCOMPARED)


def _joined(
    samples: SampleSet, exact: I64, copies: I64, coarse: str, *, together: bool
) -> tuple[SampleSet, tuple[str, ...]]:
    """The samples with their copies in one group each, and a note.

    Args:
        exact, copies: (n,) numbers of equal rows, and of copies. coarse: what is said of vectors that take few values.
    """
    own = np.arange(len(samples)) if samples.groups is None else np.unique(samples.groups, return_inverse=True)[1]
    apart = _spanning(copies, own)
    if not apart.any():
        return samples, ()
    groups = joined(int(own.max()) + 1, own, copies)[own]
    if groups.max() == 0:
        return samples, (
            f"All {len(samples):,} rows have one vector, or nearly so, and are taken for different samples.",
        )
    n_equal = int((apart & _spanning(exact, own)).sum())
    n_sets = len(np.unique(copies[apart]))
    if not together:
        return samples, (
            f"{_counted(int(apart.sum()), n_sets)} They were not kept together, as was asked: they count as different "
            f"samples. {_equal(n_equal, int(apart.sum()))} If they are not different, every p here is too small.",
        )
    note = (
        f"{_counted(int(apart.sum()), n_sets)} "
        f"{'It counts' if n_sets == 1 else 'Each set counts'} as one group, which is kept together. "
    )
    note += _equal(n_equal, int(apart.sum()), "vector and class" if coarse and samples.labels is not None else "vector")
    if coarse:
        note += f" {coarse}"
    elif n_equal < apart.sum():
        note += f" {NEARLY}"
    return replace(samples, groups=groups, group_name=samples.group_name or NAME), (f"{note} {OTHERWISE}",)


def _counted(rows: int, sets: int) -> str:
    """Such as "149 rows are copies of another row, which makes 1 set of 150 rows."."""
    more = rows - sets
    said = "1 row is a copy" if more == 1 else f"{more:,} rows are copies"
    return f"{said} of another row, which makes {count(sets, 'set')} of {rows:,} rows{'' if sets == 1 else ' in all'}."


def _equal(equal: int, rows: int, what: str = "vector") -> str:
    """How many of the rows in sets have exactly what another row has."""
    if equal == rows:
        return f"The rows of a set have the same {what}."
    if equal == 0:
        return f"No two of them have exactly the same {what}; they nearly have."
    return f"{equal:,} of them have exactly the {what} of another row, the others nearly."


def _alike(of_row: I64, samples: SampleSet, outcomes: Outcomes) -> I64:
    """(n,) group numbers of rows that agree in vector, class and, where losses can tell, in the loss."""
    tells = _losses_tell(outcomes, int(of_row.max()) + 1)
    parts = [of_row, samples.labels, np.unique(outcomes.loss, return_inverse=True)[1] if tells else None]
    same = np.zeros(len(of_row), np.int64)
    for part in parts:
        if part is not None:
            same = np.unique(same * (int(part.max()) + 1) + part, return_inverse=True)[1]
    return same.astype(np.int64)


def _losses_tell(outcomes: Outcomes, n_vectors: int) -> bool:
    """Whether equal losses say anything: there are at least half as many of them as there are distinct vectors."""
    return len(np.unique(outcomes.loss)) >= n_vectors / 2


def _of_coarse(outcomes: Outcomes, n_vectors: int) -> str:
    if _losses_tell(outcomes, n_vectors):
        return "The vectors take few values, so that different samples may share one: their losses are equal as well."
    return "Vectors and losses take few values, so that these may as well be samples that are merely alike."


def _spanning(sets: I64, groups: I64) -> Bool:
    """(n,) whether a row's set has rows of several groups."""
    pairs = np.unique(np.c_[sets, groups], axis=0)
    return np.bincount(pairs[:, 0], minlength=int(sets.max()) + 1)[sets] > 1
