"""Near-duplicate samples, by their vectors: each set becomes one group.

A duplicated row with its loss is one piece of evidence, not two: in data without a pattern, with 30% of the rows
duplicated, a search that treats duplicates as samples claims something in most runs. The rule and its measurements:
docs/decisions/copies.md.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.embeddings.copies import distinct_rows, find_copies, is_coarse
from core.numbers import count
from core.records import F32, I64, Bool, Outcomes, Progress, SampleSet, no_progress
from core.statistics.groups import joined

GROUP_NAME = "copies"
"""Name of the groups in a table that names none."""
MAX_COMPARED_VECTORS = 200_000
"""Among more distinct vectors only equal ones are joined: comparing pairs takes time quadratic in their number."""
EXACT_ONLY = (
    f"Errata looked for exact duplicates only, as there are more than {MAX_COMPARED_VECTORS:,} samples. "
    "If rows belong together, name their column with --group."
)
OVERRIDE = "If they are different samples, run again with --separate-copies (in Python: group_copies=False)."


def join_copies(
    samples: SampleSet, outcomes: Outcomes, vectors: F32, *, together: bool = True, progress: Progress = no_progress
) -> tuple[SampleSet, tuple[str, ...]]:
    """Join exact and near-duplicates, and the groups that the samples already have, into groups; and a note.

    Args:
        vectors: (n, d) embeddings that are compared.
        together: False leaves the samples as they are; the note then counts the near-duplicates.

    Returns:
        The same samples and no note where every near-duplicate is already in the group of its twin.
    """
    if not len(samples) == len(outcomes.loss) == len(vectors):
        return samples, ()  # refused where the three are checked
    first, vector_of_row = distinct_rows(vectors)
    many = len(first) > MAX_COMPARED_VECTORS
    if is_coarse(vectors[first]):
        # different samples may share a coarse vector, so classes and losses must be equal too, where losses differ
        # enough between samples: there are at least half as many losses as vectors
        by_loss = len(np.unique(outcomes.loss)) >= len(first) / 2
        copies = _equal_rows(vector_of_row, samples, outcomes, by_loss=by_loss)
        caveat = "Vectors and losses take few values, so these may be different samples."
        if by_loss:
            caveat = "Vectors take few values, so their losses had to be equal too."
        equal = "equal vectors" if samples.labels is None else "equal vectors and classes"
        return _joined(samples, copies, copies, together=together, equal=equal, caveat=caveat)
    if many:
        grouped, notes = _joined(samples, vector_of_row, vector_of_row, together=together)
        return grouped, (*notes, EXACT_ONLY)
    exact, copies = find_copies(vectors, (first, vector_of_row), progress=progress)
    return _joined(samples, exact, copies, together=together)


def _joined(
    samples: SampleSet, exact: I64, copies: I64, *, together: bool, equal: str = "equal vectors", caveat: str = ""
) -> tuple[SampleSet, tuple[str, ...]]:
    """The samples with each set of copies in one group, and a note.

    Args:
        exact, copies: (n,) set numbers of equal rows, and of near-duplicates.
        equal: what the rows of an exact set share. caveat: a sentence on coarse vectors.
    """
    groups = np.arange(len(samples))
    if samples.groups is not None:
        groups = np.unique(samples.groups, return_inverse=True)[1]
    apart = _spanning(copies, groups)
    if not apart.any():
        return samples, ()
    joined_groups = joined(int(groups.max()) + 1, groups, copies)[groups]
    if joined_groups.max() == 0:
        return samples, (f"All {len(samples):,} rows have nearly the same vector. They count as different samples.",)
    n_sets = len(np.unique(copies[apart]))
    sets = _sets_text(int(apart.sum()), n_sets, int((apart & _spanning(exact, groups)).sum()), equal)
    ending = "s" if n_sets == 1 else ""
    if not together:
        return samples, (
            f"{sets} count{ending} as different samples, as you asked. If they are not, every p-value is too small.",
        )
    sentences = [f"{sets} stay{ending} together.", caveat, OVERRIDE]
    note = " ".join(sentence for sentence in sentences if sentence)
    return replace(samples, groups=joined_groups, group_name=samples.group_name or GROUP_NAME), (note,)


def _sets_text(n_rows: int, n_sets: int, n_equal: int, equal: str) -> str:
    """For example "1 near-duplicate pair" or "10 sets of near-duplicates (24 rows, 12 with equal vectors)"."""
    kind = "duplicate" if n_equal == n_rows else "near-duplicate"
    if n_rows == 2:
        return f"1 {kind} pair"
    if n_equal == n_rows:
        rows = f"{n_rows:,} rows with {equal}"
    elif n_equal:
        rows = f"{n_rows:,} rows, {n_equal:,} with {equal}"
    else:
        rows = f"{n_rows:,} rows"
    return f"{count(n_sets, 'set')} of {kind}s ({rows})"


def _equal_rows(vector_of_row: I64, samples: SampleSet, outcomes: Outcomes, *, by_loss: bool) -> I64:
    """(n,) set numbers of rows that agree in vector, class and, if asked, loss."""
    parts = [vector_of_row]
    if samples.labels is not None:
        parts.append(samples.labels)
    if by_loss:
        parts.append(np.unique(outcomes.loss, return_inverse=True)[1])
    same = np.zeros(len(vector_of_row), np.int64)
    for part in parts:
        same = np.unique(same * (int(part.max()) + 1) + part, return_inverse=True)[1]
    return same.astype(np.int64)


def _spanning(sets: I64, groups: I64) -> Bool:
    """(n,) whether a row's set has rows of several groups."""
    pairs = np.unique(np.c_[sets, groups], axis=0)
    return np.bincount(pairs[:, 0], minlength=int(sets.max()) + 1)[sets] > 1
