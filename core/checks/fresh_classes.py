"""Fresh samples' classes in the run's own numbering, held against what the samples look like."""

from __future__ import annotations

import numpy as np

from core.checks.matched import numbered_after, pairs_of
from core.data.desk.classes import MENDED, fit, is_renamed, renamed
from core.errors import quoted
from core.language.directions import block_means
from core.numbers import count, listed, percent
from core.records import F32, I64, Diagnosis, SampleSet
from core.records.ledger import Ledger


def fresh_labels(diagnosis: Diagnosis, samples: SampleSet, vectors: F32, desk: Ledger) -> I64:
    """(m,) the fresh labels in the run's numbering, -1 for none.

    Args:
        vectors: (m, d) of the fresh samples, in the run's space.
        desk: notes classes that only one side has, and which of the run's the new ones look like.

    Raises:
        InvalidInput: no class is one of the run's, or by their vectors the samples are of other classes than they say.
    """
    run = diagnosis.samples
    if samples.labels is None or run.labels is None:
        return np.full(len(samples), -1, np.int64)
    names, theirs = numbered_after(run, samples)
    labels = np.where(theirs < len(run.class_names), theirs, -1)
    pairs = _look_like(diagnosis, theirs, vectors, names, desk)
    alike = f" By their vectors, {pairs_of(pairs)}." if pairs else ""
    if (labels < 0).all():
        desk.doubt(
            f"None of the fresh samples' classes ({quoted(*samples.class_names[:5])}) is one of the run's "
            f"({quoted(*run.class_names[:5])}).{alike} Call the classes as the run's table did, or name another column "
            "with --label."
        )
    if missing := [run.class_names[c] for c in np.setdiff1d(run.labels, labels).tolist()]:
        desk.note(f"Classes of the run that no fresh sample has: {listed(missing, 5)}. Their findings were not tried.")
    if (labels < 0).any():
        how_many = count(int((labels < 0).sum()), "fresh sample")
        desk.note(
            f"Of classes that were not diagnosed (such as {names[theirs.max()]!r}): {how_many}. "
            f"Only findings on all samples speak of them.{alike}"
        )
    return labels


def _look_like(diagnosis: Diagnosis, theirs: I64, vectors: F32, names: tuple[str, ...], desk: Ledger) -> dict[str, str]:
    """By each fresh class that has the vectors of another class of the run, that one; nothing where vectors do not tell
    the run's own classes apart.

    Args:
        theirs: (m,) classes as the fresh table says, index into `names`, the run's first.
    """
    own = diagnosis.samples.labels
    assert own is not None
    means = block_means(diagnosis.embeddings.vectors, own)
    sizes = np.bincount(own)
    offset = np.where(sizes > 0, (means**2).sum(1) / 2, np.inf)

    def nearest(rows: F32) -> I64:
        return np.array([(row @ means.T - offset).argmax() for row in rows], np.int64)

    if fit(own, nearest(diagnosis.embeddings.vectors)).kappa < MENDED:
        return {}
    guesses = nearest(vectors)
    known = theirs < len(diagnosis.samples.class_names)
    moved, written, other, partner = renamed(theirs, guesses)
    mended = moved > 0 and other.kappa >= MENDED and is_renamed(written, other)
    pairs = {names[c]: names[partner[c]] for c in np.unique(theirs).tolist() if mended and partner[c] != c}
    whole = fit(theirs[known], guesses[known]) if known.any() else other
    several = len(np.unique(theirs[known])) > 1
    right = percent(whole.hits / max(whole.n, 1))
    said = f"By their vectors {right} of {count(whole.n, 'fresh sample')} are of their own class"
    if {*pairs} & {*diagnosis.samples.class_names}:
        desk.doubt(
            f"The fresh table calls the classes otherwise than the run: {pairs_of(pairs)}. {said}, and "
            f"{percent(other.hits / other.n)} if these are renamed so. Call the classes as the run's table did."
        )
    elif several and not pairs and not whole.above(whole.chance) and whole.below((1 + whole.chance) / 2):
        desk.doubt(
            f"{said}, no more than by chance ({percent(whole.chance)}), and most of the run's are. Check that vectors, "
            "or images, and table are in one order and of the run's encoder."
        )
    return pairs
