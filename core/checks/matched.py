"""The samples of another table among those of a run: by their ids, in the run's own classes, and whether they are the
same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from core.data.desk.classes import MENDED, is_renamed, renamed
from core.data.desk.losses import lost_worst
from core.data.inline import text_of
from core.numbers import listed
from core.records import I64, Diagnosis, SampleSet
from core.records.ledger import Ledger

MOST_OTHERS = 0.8
"""Of the other labels, texts or values that rows in any order would have, the share that may be before the table is one
of other samples."""


def rows_of_run(diagnosis: Diagnosis, ids: Sequence[str]) -> tuple[I64, I64]:
    """(m,) the run's row of each id, -1 where it is none of the run's; and the places of the others in the order of the
    run. Where no id is the run's and they are paths, they are matched by the ends of these ("images/0.jpg" is
    "0.jpg", and never "other/0.jpg"), and what is left in any case, as far as these tell one sample from another."""
    known = diagnosis.samples.ids
    rows = _rows_by(known, ids, lambda name: [name])
    if (rows >= 0).any():
        others = _rows_by(known, ids, lambda name: [name.casefold()])
        taken = np.isin(others, rows[rows >= 0])
        rows = np.where((rows < 0) & ~taken, others, rows)
    else:
        ways = (_ends, lambda name: _ends(name.casefold()))
        rows = next((r for way in ways if ((r := _rows_by(known, ids, way)) >= 0).any()), rows)
    found = np.flatnonzero(rows >= 0)
    return rows, found[np.argsort(rows[found], kind="stable")]


def _rows_by(known: Sequence[str], ids: Sequence[str], way: Callable[[str], Sequence[str]]) -> I64:
    """(m,) the row of the run whose id, written in such a way or shorter, is that of each id; -1 where none or several
    are. way: from an id to how it may be written, the longest first."""
    whole = dict[str, int]()
    short = dict[str, int]()
    for row, name in enumerate(known):
        first, *_ = ways = way(name)
        whole[first] = row if first not in whole else -1
        for end in ways:
            short[end] = row if end not in short else -1
    longer = (next((whole[end] for end in way(name) if end in whole), -1) for name in ids)
    rows = np.array([row if row >= 0 else short.get(way(name)[0], -1) for name, row in zip(ids, longer)], np.int64)
    taken = np.bincount(rows[rows >= 0], minlength=len(known))
    return np.where((rows >= 0) & (taken[rows] == 1), rows, -1)


def _ends(name: str) -> list[str]:
    """ "a/b/c.jpg" itself, "b/c.jpg" and "c.jpg"."""
    parts = name.split("/")
    return ["/".join(parts[at:]) for at in range(len(parts))]


def note_missing(diagnosis: Diagnosis, rows: I64, order: I64, ids: Sequence[str], table: str, desk: Ledger) -> None:
    """Note ids that are written otherwise, rows that are none of the run's, and samples without an answer: also which,
    where these are the run's worst or a whole class."""
    samples = diagnosis.samples
    errors = diagnosis.outcomes.errors
    places = [(int(at), int(rows[at])) for at in order]
    if others := [(ids[at], samples.ids[row]) for at, row in places if ids[at] != samples.ids[row]]:
        one, own = others[0]
        how = "but for upper and lower case" if one.casefold() == own.casefold() else "by the ends of their paths"
        which = "The" if len(others) == len(order) else f"{len(others):,}"
        desk.note(f"{which} ids of {table} were matched {how}: {one!r} is {own!r} of the run.")
    if strangers := len(rows) - len(order):
        desk.note(f"{strangers:,} rows of {table} have an id that the run does not know and are left out.")
    lost = np.ones(len(samples), np.bool_)
    lost[rows[order]] = False
    if not lost.any():
        return
    worst = "" if errors is None else lost_worst(lost, errors)
    said = f"{int(lost.sum()):,} samples of the run are not in {table} and are left out"
    desk.note(f"{said}; {worst}, so what is compared are the easier samples." if worst else f"{said}.")
    if samples.labels is not None:
        gone = np.setdiff1d(samples.labels, samples.labels[~lost]).tolist()
        if gone:
            names = listed([samples.class_names[c] for c in gone], 5)
            desk.note(f"Classes of the run of which {table} answers no sample: {names}.")


def numbered_after(run: SampleSet, samples: SampleSet) -> tuple[tuple[str, ...], I64]:
    """The classes of both, the run's first, and (m,) those of the samples, which have labels, as places among them."""
    assert samples.labels is not None
    names = (*run.class_names, *(n for n in samples.class_names if n not in run.class_names))
    return names, np.array([names.index(n) for n in samples.class_names], np.int64)[samples.labels]


def _in_words_of(run: SampleSet, samples: SampleSet, table: str, desk: Ledger) -> SampleSet:
    """The samples, row by row those of the run, with their classes called as the run calls them: where each class that
    the run does not know has the very samples of one that it does.

    Raises:
        InvalidInput: classes that both know are exchanged, or most samples of a class have another name there.
    """
    assert run.labels is not None
    names, theirs = numbered_after(run, samples)
    moved, own, other, partner = renamed(theirs, run.labels)
    pairs = {names[c]: names[partner[c]] for c in np.unique(theirs).tolist() if partner[c] != c}
    called = tuple(pairs.get(name, name) for name in samples.class_names)
    said = f"{table} calls the classes otherwise than the run: {pairs_of(pairs)}"
    if moved and other.hits == other.n and not {*pairs} & {*run.class_names} and len({*called}) == len(called):
        desk.note(f"{said}. They are read as the run's.")
        return replace(samples, class_names=called)
    if moved and other.kappa >= MENDED and is_renamed(own, other):
        desk.doubt(
            f"{said}. Call them as the run does, in labels and predictions, or name another column with --label."
        )
    return samples


def pairs_of(pairs: Mapping[str, str]) -> str:
    """Such as "'Cat' for 'cat', 'Dog' for 'dog', ..."."""
    return ", ".join([f"{a!r} for {b!r}" for a, b in pairs.items()][:4]) + (", ..." if len(pairs) > 4 else "")


def _facts(samples: SampleSet) -> dict[str, list[str]]:
    """By name, what a table says of each sample: its text, its label, and what may explain a failure."""
    found = dict[str, list[str]]()
    if samples.modality == "text":
        found["text"] = [text_of(samples, i) for i in range(len(samples))]
    if samples.labels is not None:
        found["label"] = [samples.class_names[c] for c in samples.labels.tolist()]
    for column in samples.metadata:
        values = column.values.tolist()
        found[repr(column.name)] = [f"{v:.6g}" if isinstance(v, float) else str(v) for v in values]
    return found


def same_samples(diagnosis: Diagnosis, rows: I64, samples: SampleSet, table: str, desk: Ledger) -> SampleSet:
    """The samples of a table, which by their ids are these `rows` of the run, with their classes called as the run
    calls them; what the table says otherwise of them is noted.

    Raises:
        InvalidInput: they have other labels or texts, about as many as if the rows stood in any order, or the run's
            classes in other places.
    """
    mine = diagnosis.samples.keep(rows)
    n = len(rows)
    first = _facts(mine)
    second = _facts(samples)
    for what in [name for name in first if name in second]:
        if what == "label":
            samples = _in_words_of(mine, samples, table, desk)
            second = _facts(samples)
        differ = sum(a != b for a, b in zip(first[what], second[what]))
        counts = Counter(first[what])
        others = Counter(second[what])
        by_chance = n - sum(count * others[value] for value, count in counts.items()) / n
        said = f"{differ:,} of {n:,} samples have another {what} in {table} than in the run"
        by_any = differ > MOST_OTHERS * by_chance
        if by_any and what in ("label", "text"):
            desk.doubt(
                f"{said}, so it is a table of other samples, or its ids are mere row numbers and its rows stand in "
                "another order. Bring the second model's answers to the run's samples, with the run's ids; name their "
                "column with --id."
            )
        elif by_any and min(len(counts), len(others)) > 1:
            desk.note(f"{said}, as rows of other samples would. If it says what a sample is, check the ids.")
        elif differ and what in ("label", "text"):
            desk.note(f"{said}{': each model is judged by its own table' if what == 'label' else ''}.")
    return samples
