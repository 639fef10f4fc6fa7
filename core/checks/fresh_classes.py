"""Classes of fresh samples in the run's own numbering, checked against what the samples look like."""

from __future__ import annotations

import numpy as np

from core.checks.matched import numbered_after, pairs_of
from core.data.desk.classes import MIN_KAPPA, fit, is_renamed, renamed
from core.errors import quoted
from core.language.directions import block_means
from core.numbers import count, listed, percent
from core.records import F32, I64, Diagnosis, SampleSet
from core.records.ledger import Ledger


def fresh_labels(diagnosis: Diagnosis, samples: SampleSet, vectors: F32, desk: Ledger) -> I64:
    """(m,) the fresh labels in the run's numbering; -1 for a class that the run lacks.

    Args:
        vectors: (m, d) of the fresh samples, in the run's space.
        desk: notes classes that only one side has, and which of the run's classes the new ones look like.

    Raises:
        InvalidInput: no class is one of the run's, or the vectors contradict the labels.
    """
    run = diagnosis.samples
    if samples.labels is None or run.labels is None:
        return np.full(len(samples), -1, np.int64)
    names, theirs = numbered_after(run, samples)
    labels = np.where(theirs < len(run.class_names), theirs, -1)
    pairs = _look_like(diagnosis, theirs, vectors, names, desk)
    alike = ""
    if pairs:
        alike = f" By their vectors, they look like {pairs_of(pairs)}."
    if (labels < 0).all():
        desk.doubt(
            f"None of the new samples' classes ({quoted(*samples.class_names[:5])}) is one of the run's "
            f"({quoted(*run.class_names[:5])}).{alike} Use the run's class names, or choose another column with "
            "--label."
        )
    missing = [run.class_names[c] for c in np.setdiff1d(run.labels, labels).tolist()]
    if missing:
        desk.note(f"No new sample has these classes of the run: {listed(missing, 5)}. Their findings were not checked.")
    if (labels < 0).any():
        how_many = count(int((labels < 0).sum()), "new sample")
        desk.note(
            f"Classes that were not diagnosed, for example {names[theirs.max()]!r}: {how_many}. "
            f"Only findings on all samples apply to them.{alike}"
        )
    return labels


def _look_like(diagnosis: Diagnosis, theirs: I64, vectors: F32, names: tuple[str, ...], desk: Ledger) -> dict[str, str]:
    """Map each fresh class with the vectors of another class of the run to that class; empty if vectors do not separate
    the run's own classes.

    Args:
        theirs: (m,) classes in the fresh table, index into `names`, the run's first.
    """
    labels = diagnosis.samples.labels
    assert labels is not None
    means = block_means(diagnosis.embeddings.vectors, labels)
    sizes = np.bincount(labels)
    # the nearest mean has the largest row @ mean - |mean|^2 / 2; classes without rows are never the nearest
    offset = np.where(sizes > 0, (means**2).sum(1) / 2, np.inf)

    def nearest(rows: F32) -> I64:
        return np.array([(row @ means.T - offset).argmax() for row in rows], np.int64)

    if fit(labels, nearest(diagnosis.embeddings.vectors)).kappa < MIN_KAPPA:
        return {}
    guesses = nearest(vectors)
    known = theirs < len(diagnosis.samples.class_names)
    moved, written, after_renaming, partner = renamed(theirs, guesses)
    pairs: dict[str, str] = {}
    if moved > 0 and after_renaming.kappa >= MIN_KAPPA and is_renamed(written, after_renaming):
        for c in np.unique(theirs).tolist():
            if partner[c] != c:
                pairs[names[c]] = names[partner[c]]
    whole = after_renaming
    if known.any():
        whole = fit(theirs[known], guesses[known])
    several = len(np.unique(theirs[known])) > 1
    right = percent(whole.hits / max(whole.n, 1))
    agreement = f"By their vectors, {right} of {count(whole.n, 'new sample')} belong to their labeled class"
    if {*pairs} & {*diagnosis.samples.class_names}:
        desk.doubt(
            f"The new table names classes differently from the run: {pairs_of(pairs)}. {agreement}; "
            f"{percent(after_renaming.hits / after_renaming.n)} after renaming. Use the run's class names."
        )
    # below half-way from chance to perfect agreement: a harder set alone does not bring labels down to chance
    elif several and not pairs and not whole.above(whole.chance) and whole.below((1 + whole.chance) / 2):
        desk.doubt(
            f"{agreement}, no more than by chance ({percent(whole.chance)}). Check that table and images or vectors "
            "are in the same order, and that the encoder is the run's."
        )
    return pairs
