"""Who is compared with whom: the exchangeable blocks, the scopes of the search and the folds of a data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.discovery.ridge.heads import split_by_block
from core.discovery.search.family import Scope, centre
from core.discovery.superclasses import MANY_CLASSES, Superclasses, class_means, group_classes
from core.errors import InvalidInput, quoted
from core.records import EVERYTHING, F32, F64, I64, Bool, Diagnosis, Measure, Outcomes, SampleSet
from core.statistics.groups import assign_folds, join_classes
from core.statistics.permuter import Permuter

SMALL_CLASS = 20
"""A class with fewer rows is pooled with the other small ones: they share a head, and none is searched alone."""
CENTRED_CLASS = 5
"""A pooled class with at least so many rows still has its own mean taken out, and its rows are exchanged among
themselves. Of a smaller one the rows stay together and are exchanged with those of other such classes."""
MIN_GROUPS = 20
"""With fewer groups nothing can be permuted, and no p is given."""
SCOPE_ROWS = 40
"""A class with fewer rows is not searched on its own."""
LARGE_CLASS = 200
MOST_LARGE = 40
"""Beside superclasses, a class is searched on its own from so many rows; at most so many classes, the largest."""
FOLDS = 5


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """Who is compared with whom, decided before any loss is looked at."""

    blocks: I64
    """(n,) class of each row, small ones pooled."""
    block_names: tuple[str, ...]
    centring_stratum: I64
    """(n,) the class whose mean loss is taken out of each row; rows are exchanged within it."""
    head_group: I64
    """(n,) the rows that share a head of the search: those of a class, or with many classes those of a superclass."""
    class_of_label: I64
    """(number of classes,) block of each label, -1 for a label without rows: for new rows."""
    scopes: tuple[Scope, ...]
    """Where to search; all samples first."""
    groups: I64 | None
    """(n,) rows of one group stay together: those given, joined with the classes of fewer than CENTRED_CLASS rows; None
    where every row is a group of its own."""
    given_groups: I64 | None
    """(n,) the groups without those classes: what the tests of whole classes go by."""
    folds: I64
    """(n,) fold of each row; all 0 where a finished run is only looked up."""
    testable: bool
    """False with fewer than MIN_GROUPS groups."""
    notes: tuple[str, ...]
    superclasses: Superclasses | None = None

    def permuter(self, scores: F64, strata: I64 | None = None) -> Permuter:
        """Draws permutations of rows within their classes, whole groups together.

        Args:
            scores: (n, m) measures of failure; where groups cross strata they pass on ranks of them.
            strata: (n,) finer than the classes.
        """
        own = self.centring_stratum
        return Permuter(own if strata is None else strata, self.groups, scores, own)


def make_design(
    samples: SampleSet, superclasses: Superclasses | None = None, rng: np.random.Generator | None = None
) -> Design:
    """The design of a sample set; what was pooled or assumed is said in `notes`.

    Args:
        superclasses: needed with many classes (`needs_superclasses`): small classes are then pooled within their
            superclass, and the scopes are all samples, the superclasses, and the largest classes if they are large.
            Losses are still centered and permuted by class.
        rng: draws the folds.
    """
    n = len(samples)
    notes = list[str]()
    blocks = np.zeros(n, np.int64)
    names = (EVERYTHING,)
    centring_stratum = np.zeros(n, np.int64)
    class_of_label = np.zeros(0, np.int64)
    head_group = blocks
    if samples.labels is not None:
        blocks, names, centring_stratum, class_of_label = _blocks(
            samples.labels, samples.class_names, superclasses, notes
        )
        head_group = blocks if superclasses is None else superclasses.of_class[samples.labels]
    scopes = [Scope(EVERYTHING, np.arange(n), None)]
    if superclasses is not None and samples.labels is not None:
        scopes += _superclass_scopes(superclasses, head_group, blocks, names)
        notes.append(superclasses.note)
    elif len(names) > 1:
        members = enumerate(split_by_block(np.arange(n), blocks, len(names)))
        scopes += [Scope(names[b], rows, b) for b, rows in members if len(rows) >= SCOPE_ROWS]
    given = samples.groups
    groups, centring_stratum = _with_tiny_classes(samples, class_of_label, len(names), centring_stratum, notes)
    n_groups = n if groups is None else _say_groups(samples, groups, centring_stratum, notes)
    groups, given = (None if each is None or len(np.unique(each)) == n else each for each in (groups, given))
    folds = np.zeros(n, np.int64)
    if rng is not None:
        folds = assign_folds(n, blocks, groups, max(2, min(FOLDS, n_groups)), rng)
    return Design(
        blocks, names, centring_stratum, head_group, class_of_label, tuple(scopes), groups, given, folds,
        n_groups >= MIN_GROUPS, tuple(notes), superclasses,
    )  # fmt: skip


def _with_tiny_classes(
    samples: SampleSet, class_of_label: I64, n_blocks: int, centring_stratum: I64, notes: list[str]
) -> tuple[I64 | None, I64]:
    """Join each pooled class of fewer than CENTRED_CLASS rows into one group.

    The rows of so small a class may all fail for what the class is. Where that would join most groups with each other,
    the rows of each of these classes are compared among themselves instead. Returns the groups and the (n,)
    `centring_stratum`.
    """
    if samples.labels is None:
        return samples.groups, centring_stratum
    sizes = np.bincount(samples.labels, minlength=len(class_of_label))
    alone = np.bincount(class_of_label[sizes > 0], minlength=n_blocks) == 1
    tiny = (sizes > 1) & (sizes < CENTRED_CLASS) & ~alone[class_of_label]
    if not tiny.any():
        return samples.groups, centring_stratum
    found = join_classes(samples.labels, tiny, samples.groups)
    if found is not None:
        return found, centring_stratum
    notes.append(
        f"Groups hold rows of several of the {tiny.sum()} classes of fewer than {CENTRED_CLASS} rows, so the rows of "
        "such a class are compared with each other alone, which finds little."
    )
    own = np.where(tiny[samples.labels], centring_stratum.max() + 1 + samples.labels, centring_stratum)
    return samples.groups, np.unique(own, return_inverse=True)[1]


def _say_groups(samples: SampleSet, groups: I64, blocks: I64, notes: list[str]) -> int:
    """How many groups there are; what is assumed of them is added to `notes`."""
    name = "small class" if samples.groups is None else samples.group_name or "group"
    _, first, number = np.unique(groups, return_index=True, return_inverse=True)
    n_groups = len(first)
    if n_groups < MIN_GROUPS:
        notes.append(
            f"There are {n_groups} groups ({name}), fewer than the {MIN_GROUPS} that a permutation test needs: "
            "everything below is description, without a p."
        )
    if n_groups < len(samples):
        notes.append(f"Rows are kept together and permuted by {name}: {n_groups:,} groups for {len(samples):,} rows.")
    if (blocks[first][number] != blocks).any():
        notes.append(
            f"Some groups ({name}) hold rows of several classes. A p is then the larger of two: one keeps what the "
            "rows of a group have in common in all classes together, the other what they have in each. Both leave "
            "each class its own losses."
        )
    return n_groups


def narrowed(design: Design, within: Sequence[str]) -> Design:
    """The design with all samples and the classes (or superclasses) `within` as its only scopes, if any is named.

    Raises:
        InvalidInput: one of the names is no scope of the design.
    """
    known = {scope.name: scope for scope in design.scopes[1:]}
    unknown = [name for name in within if name not in known]
    if unknown:
        raise InvalidInput(
            f"No class that can be searched is called {quoted(unknown[0])}: it must have at least {SCOPE_ROWS} rows. "
            f"Searched inside can be {quoted(*known) or 'none here'}."
        )
    if not within:
        return design
    note = (
        f"Searched were all samples and, as named beforehand, the inside of {', '.join(dict.fromkeys(within))} alone."
    )
    scopes = (design.scopes[0], *(known[name] for name in dict.fromkeys(within)))
    return replace(design, scopes=scopes, notes=(*design.notes, note))


def check_within(samples: SampleSet, within: Sequence[str]) -> None:
    """See before anything is embedded that the classes named beforehand can be searched; of many classes, whose
    superclasses the embeddings may tell, only the search itself can say.

    Raises:
        InvalidInput: one of the names cannot be searched.
    """
    if within and not needs_superclasses(samples):
        narrowed(make_design(samples), within)


def searchable(sizes: Mapping[str, int]) -> list[str]:
    """The classes, of so many rows each, that are searched on their own."""
    if sum(size > 0 for size in sizes.values()) <= MANY_CLASSES:
        return [name for name, size in sizes.items() if size >= SCOPE_ROWS]
    large = sorted((name for name, size in sizes.items() if size >= LARGE_CLASS), key=lambda name: -sizes[name])
    return [name for name in sizes if name in large[:MOST_LARGE]]


def design_of(diagnosis: Diagnosis) -> Design:
    """The design that the diagnosis was made with, superclasses and all."""
    made = make_design(diagnosis.samples, getattr(diagnosis.model, "superclasses", None))
    return narrowed(made, diagnosis.settings.get("within", ()))


def needs_superclasses(samples: SampleSet) -> bool:
    """True if there are more classes with rows than are searched one by one."""
    return samples.labels is not None and len(np.unique(samples.labels)) > MANY_CLASSES


def superclasses_of(samples: SampleSet, vectors: F32, names: F32 | None) -> Superclasses | None:
    """The superclasses of many classes, by the text vectors of their names or else by mean embeddings; None for few
    classes.

    Args:
        vectors: (n, d) embeddings. names: (k, d) text vectors of the class names, if there are any.
    """
    if samples.labels is None or not needs_superclasses(samples):
        return None
    k = len(samples.class_names)
    means = class_means(vectors, samples.labels, k) if names is None else None
    return group_classes(samples.class_names, np.bincount(samples.labels, minlength=k), texts=names, means=means)


def _superclass_scopes(superclasses: Superclasses, heads: I64, blocks: I64, names: tuple[str, ...]) -> list[Scope]:
    """The superclasses, then the largest classes that are large, unless they are a superclass alone."""
    everything = np.arange(len(blocks))
    members = zip(superclasses.names, split_by_block(everything, heads, len(superclasses)))
    wide = [(name, rows) for name, rows in members if len(rows) >= SCOPE_ROWS]
    scopes = [Scope(name, rows, None) for name, rows in wide]
    alone = {int(blocks[rows[0]]) for _, rows in wide if len(np.unique(blocks[rows])) == 1}
    each = enumerate(split_by_block(everything, blocks, len(names)))
    large = [(b, rows) for b, rows in each if len(rows) >= LARGE_CLASS and b not in alone]
    large = sorted(sorted(large, key=lambda pair: -len(pair[1]))[:MOST_LARGE], key=lambda pair: pair[0])
    return scopes + [Scope(names[b], rows, b) for b, rows in large]


def _pools(small: I64, superclasses: Superclasses | None) -> list[tuple[str, I64]]:
    """The small classes as pools with a name: one, or one for each superclass."""
    if superclasses is None:
        return [(f"{len(small)} small classes", small)] if len(small) else []
    of_small = superclasses.of_class[small]
    pools = [(superclasses.names[s], small[of_small == s]) for s in np.unique(of_small)]
    return [(f"{len(members)} small classes of {name}", members) for name, members in pools]


def _blocks(
    labels: I64, class_names: tuple[str, ...], superclasses: Superclasses | None, notes: list[str]
) -> tuple[I64, tuple[str, ...], I64, I64]:
    counts = np.bincount(labels, minlength=len(class_names))
    own = np.flatnonzero(counts >= SMALL_CLASS)
    small = np.flatnonzero((counts > 0) & (counts < SMALL_CLASS))
    if superclasses is None and len(small) and counts[small].sum() < SMALL_CLASS and len(own):
        # too few rows to make a block of their own
        own = np.sort(np.r_[own, small])
        small = small[:0]
    class_of_label = np.full(len(counts), -1, np.int64)
    class_of_label[own] = np.arange(len(own))
    names = [class_names[c] for c in own]
    for name, members in _pools(small, superclasses):
        class_of_label[members] = len(names)
        names.append(name)
    if len(small):
        where = "" if superclasses is None else " within their superclass"
        bare = (counts[small] < CENTRED_CLASS).sum()
        doubt = (
            f"; {bare} of them have fewer than {CENTRED_CLASS}, and each of those is shuffled as a whole."
            if bare
            else "."
        )
        notes.append(f"{len(small)} classes have fewer than {SMALL_CLASS} rows and are pooled{where}{doubt}")
    mean_of_label = class_of_label.copy()
    centred = small[counts[small] >= CENTRED_CLASS]
    mean_of_label[centred] = len(names) + np.arange(len(centred))
    return class_of_label[labels], tuple(names), mean_of_label[labels], class_of_label


@dataclass(frozen=True, slots=True, eq=False)
class FailureMeasures:
    """What is tested: the names of m measures of failure, and (n, m) each without its class mean and over its
    deviation."""

    names: tuple[Measure, ...]
    standardised_residuals: F64
    scale: F64
    """(m,) what one unit of a score is in the measure's own unit."""


def measures(outcomes: Outcomes, design: Design) -> FailureMeasures:
    """0/1 errors where they are known, and the loss.

    Both are searched on their own and pay for each other. Their sum was the weaker witness, and a finding of it is one
    of neither: see docs/decisions/search-inside-the-null.md.
    """
    known: dict[Measure, F64 | Bool | None] = {"error rate": outcomes.errors, "mean loss": outcomes.fitted}
    if outcomes.errors is None or not 0 < outcomes.errors.mean() < 1:
        del known["error rate"]
    elif (
        np.array_equal(outcomes.fitted == outcomes.fitted.max(), outcomes.errors)
        and len(np.unique(outcomes.fitted)) == 2
    ):
        del known["mean loss"]  # the error by another name
    made = list[F64]()
    scales = list[float]()
    for values in known.values():
        residual = centre(np.asarray(values, np.float64), design.centring_stratum)
        scales.append(max(float(residual.std()), 1e-12))
        made.append(residual / scales[-1])
    return FailureMeasures(tuple(known), np.stack(made, 1), np.array(scales))
