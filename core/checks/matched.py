"""Match the samples of another table with those of a run: by id, in the run's classes, and whether they are the same
samples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from core.data.desk.classes import MIN_KAPPA, is_renamed, renamed
from core.data.desk.losses import lost_worst
from core.data.inline import text_of
from core.numbers import listed
from core.records import I64, Diagnosis, SampleSet
from core.records.ledger import Ledger

MAX_DIFFERENT_SHARE = 0.8
"""A table describes other samples if more of its labels, texts or values differ from the run's than this share of what
rows in random order would give."""


def rows_of_run(diagnosis: Diagnosis, ids: Sequence[str]) -> tuple[I64, I64]:
    """Match ids with the run's: (m,) the run's row of each id, -1 without one; and the positions of the matched ids in
    the order of the run. If no id matches and ids are paths, the ends of the paths are matched ("images/0.jpg" is
    "0.jpg", but never "other/0.jpg"), then all without regard to case, if that keeps samples apart."""
    known = diagnosis.samples.ids
    rows = _rows_by(known, ids, lambda name: [name])
    if (rows >= 0).any():
        without_case = _rows_by(known, ids, lambda name: [name.casefold()])
        taken = np.isin(without_case, rows[rows >= 0])
        rows = np.where((rows < 0) & ~taken, without_case, rows)
    else:
        for spellings in (_ends, lambda name: _ends(name.casefold())):
            by_ends = _rows_by(known, ids, spellings)
            if (by_ends >= 0).any():
                rows = by_ends
                break
    matched = np.flatnonzero(rows >= 0)
    return rows, matched[np.argsort(rows[matched], kind="stable")]


def _rows_by(known: Sequence[str], ids: Sequence[str], spellings: Callable[[str], Sequence[str]]) -> I64:
    """(m,) the run's row whose id has a spelling of each id; -1 if none or several have one. spellings: of an id, the
    longest first."""
    whole = dict[str, int]()
    short = dict[str, int]()
    for row, name in enumerate(known):
        first, *_ = ends = spellings(name)
        whole[first] = -1 if first in whole else row
        for end in ends:
            short[end] = -1 if end in short else row
    rows = np.full(len(ids), -1, np.int64)
    for i, name in enumerate(ids):
        row = next((whole[end] for end in spellings(name) if end in whole), -1)
        if row < 0:
            row = short.get(spellings(name)[0], -1)
        rows[i] = row
    taken = np.bincount(rows[rows >= 0], minlength=len(known))
    return np.where((rows >= 0) & (taken[rows] == 1), rows, -1)


def _ends(name: str) -> list[str]:
    """The ends of a path: of "a/b/c.jpg" itself, "b/c.jpg" and "c.jpg"."""
    parts = name.split("/")
    return ["/".join(parts[at:]) for at in range(len(parts))]


def note_missing(diagnosis: Diagnosis, rows: I64, order: I64, ids: Sequence[str], table: str, desk: Ledger) -> None:
    """Note ids that are spelled differently, rows unknown to the run, and samples that the table lacks: also which, if
    these are the run's worst or a whole class."""
    samples = diagnosis.samples
    errors = diagnosis.outcomes.errors
    respelled: list[tuple[str, str]] = []
    for position in map(int, order):
        name = samples.ids[int(rows[position])]
        if ids[position] != name:
            respelled.append((ids[position], name))
    if respelled:
        name, name_in_run = respelled[0]
        how = "by the ends of their paths"
        if name.casefold() == name_in_run.casefold():
            how = "ignoring case"
        which = "all" if len(respelled) == len(order) else f"{len(respelled):,}"
        desk.note(f"Matched {which} ids of {table} {how}: {name!r} is {name_in_run!r} of the run.")
    unknown = len(rows) - len(order)
    if unknown:
        desk.note(f"Left out {unknown:,} rows of {table}: their ids are not in the run.")
    lost = np.ones(len(samples), np.bool_)
    lost[rows[order]] = False
    if not lost.any():
        return
    worst = ""
    if errors is not None:
        worst = lost_worst(lost, errors)
    missing = f"Left out {int(lost.sum()):,} samples of the run: they are not in {table}"
    if worst:
        desk.note(f"{missing}; {worst}, so the comparison is on easier samples.")
    else:
        desk.note(f"{missing}.")
    if samples.labels is not None:
        gone = np.setdiff1d(samples.labels, samples.labels[~lost]).tolist()
        if gone:
            names = listed([samples.class_names[c] for c in gone], 5)
            desk.note(f"{table} has no sample of these classes of the run: {names}.")


def numbered_after(run: SampleSet, samples: SampleSet) -> tuple[tuple[str, ...], I64]:
    """The classes of both, the run's first, and (m,) the samples' labels (which they have) as positions among them."""
    assert samples.labels is not None
    names = (*run.class_names, *(n for n in samples.class_names if n not in run.class_names))
    return names, np.array([names.index(n) for n in samples.class_names], np.int64)[samples.labels]


def _rename_classes(run: SampleSet, samples: SampleSet, table: str, desk: Ledger) -> SampleSet:
    """The samples, row by row those of the run, with the run's class names: if each class that the run lacks has
    exactly the samples of one that it has.

    Raises:
        InvalidInput: classes that both have are swapped, or most samples of a class have another name there.
    """
    assert run.labels is not None
    names, theirs = numbered_after(run, samples)
    moved, written, after_renaming, partner = renamed(theirs, run.labels)
    pairs = {names[c]: names[partner[c]] for c in np.unique(theirs).tolist() if partner[c] != c}
    class_names = tuple(pairs.get(name, name) for name in samples.class_names)
    difference = f"{table} names classes differently from the run: {pairs_of(pairs)}"
    exact = after_renaming.hits == after_renaming.n and not {*pairs} & {*run.class_names}
    if moved and exact and len({*class_names}) == len(class_names):
        desk.note(f"{difference}. They are read as the run's.")
        return replace(samples, class_names=class_names)
    if moved and after_renaming.kappa >= MIN_KAPPA and is_renamed(written, after_renaming):
        desk.doubt(
            f"{difference}. Use the run's names in labels and predictions, or choose another column with --label."
        )
    return samples


def pairs_of(pairs: Mapping[str, str]) -> str:
    """List renamed classes: "'Cat' for 'cat', 'Dog' for 'dog', ..."."""
    text = ", ".join([f"{a!r} for {b!r}" for a, b in pairs.items()][:4])
    if len(pairs) > 4:
        text += ", ..."
    return text


def _facts(samples: SampleSet) -> dict[str, list[str]]:
    """What a table holds of each sample, by name: its text, its label, and what may explain a failure."""
    facts = dict[str, list[str]]()
    if samples.modality == "text":
        facts["text"] = [text_of(samples, i) for i in range(len(samples))]
    if samples.labels is not None:
        facts["label"] = [samples.class_names[c] for c in samples.labels.tolist()]
    for column in samples.metadata:
        values = column.values.tolist()
        facts[repr(column.name)] = [f"{v:.6g}" if isinstance(v, float) else str(v) for v in values]
    return facts


def same_samples(diagnosis: Diagnosis, rows: I64, samples: SampleSet, table: str, desk: Ledger) -> SampleSet:
    """The samples of a table, whose ids are these `rows` of the run, with the run's class names; differences from the
    run are noted.

    Raises:
        InvalidInput: about as many labels or texts differ as for rows in random order, or classes are swapped.
    """
    of_run = diagnosis.samples.keep(rows)
    n = len(rows)
    first = _facts(of_run)
    second = _facts(samples)
    for what in [name for name in first if name in second]:
        if what == "label":
            samples = _rename_classes(of_run, samples, table, desk)
            second = _facts(samples)
        differ = sum(a != b for a, b in zip(first[what], second[what]))
        counts = Counter(first[what])
        others = Counter(second[what])
        # expected number of differences if the table's rows stood in random order
        by_chance = n - sum(count * others[value] for value, count in counts.items()) / n
        difference = f"{differ:,} of {n:,} samples have another {what} in {table} than in the run"
        by_any = differ > MAX_DIFFERENT_SHARE * by_chance
        if by_any and what in ("label", "text"):
            desk.doubt(
                f"{difference}: other samples, or row numbers as ids and another order. Give the second model's "
                "answers to the run's samples, with the run's ids (--id)."
            )
        elif by_any and min(len(counts), len(others)) > 1:
            desk.note(f"{difference}, as other samples would. If it describes the samples, check the ids.")
        elif differ and what == "label":
            desk.note(f"{difference}: each model is judged by its own table.")
        elif differ and what == "text":
            desk.note(f"{difference}.")
    return samples
