"""Who is compared with whom: the exchangeable blocks, the scopes of the search and the folds of a data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.discovery.class_pools import MAX_SINGLE_CLASSES, MIN_SEPARATE_ROWS, needs_superclasses
from core.discovery.ridge.heads import split_by_block
from core.discovery.search.family import Scope, centre
from core.discovery.superclasses import Superclasses, class_means, group_classes
from core.errors import InvalidInput, quoted
from core.numbers import count
from core.records import EVERYTHING, F32, F64, I64, Bool, Diagnosis, Measure, Outcomes, SampleSet
from core.statistics.groups import assign_folds, join_classes
from core.statistics.permuter import Permuter

MIN_CENTRED_ROWS = 5
"""A pooled class with at least this many rows is still centered on its own mean and permuted within itself. The mean of
fewer rows is mostly noise, so the rows of a smaller class stay together and are exchanged with those of other small
classes. The bound itself is a convention."""
MIN_GROUPS = 20
"""With fewer groups nothing is permuted and no p is given, as whole groups are the units that a test shuffles. A
convention."""
MIN_SCOPE_ROWS = 40
"""A class with fewer rows is not searched on its own. A slice holds at least 10 rows and at most 35% of its scope, so
none fits in under 29 rows; 40 leaves a choice of depths. A convention."""
MIN_LARGE_CLASS_ROWS = 200
MAX_LARGE_CLASSES = 40
"""Beside superclasses, only classes of this many rows are searched on their own, and at most this many of them, the
largest first: each further scope raises the max-T threshold for all others (docs/decisions/long-tails.md)."""
N_FOLDS = 5
"""Folds of the cross-fitted predictions; a convention. The heads of the search leave out single groups instead where
they can (`core.discovery.ridge.leave_out`)."""


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """Who is compared with whom, fixed before the losses are read."""

    blocks: I64
    """(n,) class of each row, small ones pooled."""
    block_names: tuple[str, ...]
    centring_stratum: I64
    """(n,) number of the class that each row is centered on; rows are exchanged within it."""
    head_group: I64
    """(n,) number of the head that each row is fitted by: its class, or with many classes its superclass."""
    class_of_label: I64
    """(number of classes,) block of each label, -1 for a label without rows: for new rows."""
    scopes: tuple[Scope, ...]
    """Where to search; all samples first."""
    groups: I64 | None
    """(n,) rows of one group stay together: the user's groups, joined with the classes of fewer than MIN_CENTRED_ROWS
    rows; None where every row is its own group."""
    given_groups: I64 | None
    """(n,) the user's groups without those classes, which the tests of whole classes use."""
    folds: I64
    """(n,) fold of each row; all 0 where a finished run is only read."""
    testable: bool
    """False with fewer than MIN_GROUPS groups, and where the user has yet to say how rows are related."""
    notes: tuple[str, ...]
    superclasses: Superclasses | None = None

    def permuter(self, scores: F64, strata: I64 | None = None) -> Permuter:
        """Draws permutations of rows within their classes, whole groups together.

        Args:
            scores: (n, m) measures of failure; groups that cross strata pass on their ranks.
            strata: (n,) finer than the classes; by default the classes.
        """
        classes = self.centring_stratum
        if strata is None:
            strata = classes
        return Permuter(strata, self.groups, scores, classes)


def make_design(
    samples: SampleSet, superclasses: Superclasses | None = None, rng: np.random.Generator | None = None
) -> Design:
    """The design of a sample set; `notes` name what was pooled or assumed.

    Args:
        superclasses: needed with many classes (`needs_superclasses`). Small classes are then pooled within their
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
        head_group = blocks
        if superclasses is not None:
            head_group = superclasses.of_class[samples.labels]
    scopes = [Scope(EVERYTHING, np.arange(n), None)]
    if superclasses is not None and samples.labels is not None:
        scopes += _superclass_scopes(superclasses, head_group, blocks, names)
        notes.append(superclasses.note)
    elif len(names) > 1:
        members = enumerate(split_by_block(np.arange(n), blocks, len(names)))
        scopes += [Scope(names[b], rows, b) for b, rows in members if len(rows) >= MIN_SCOPE_ROWS]
    groups, centring_stratum = _with_tiny_classes(samples, class_of_label, len(names), centring_stratum, notes)
    n_groups = n
    if groups is not None:
        n_groups = _note_groups(samples, groups, centring_stratum, notes)
    groups = _drop_single_rows(groups)
    folds = np.zeros(n, np.int64)
    if rng is not None:
        folds = assign_folds(n, blocks, groups, max(2, min(N_FOLDS, n_groups)), rng)
    return Design(
        blocks, names, centring_stratum, head_group, class_of_label, tuple(scopes), groups,
        _drop_single_rows(samples.groups), folds, n_groups >= MIN_GROUPS and not samples.unanswered, tuple(notes),
        superclasses,
    )  # fmt: skip


def _drop_single_rows(groups: I64 | None) -> I64 | None:
    """The groups, or None where every row is its own group."""
    if groups is None or len(np.unique(groups)) == len(groups):
        return None
    return groups


def _with_tiny_classes(
    samples: SampleSet, class_of_label: I64, n_blocks: int, centring_stratum: I64, notes: list[str]
) -> tuple[I64 | None, I64]:
    """Join each pooled class of fewer than MIN_CENTRED_ROWS rows into one group.

    The rows of so small a class may all fail for what the class is. Where that would join most groups with each other,
    the rows of each of these classes are compared among themselves instead. Returns the groups and the (n,)
    `centring_stratum`.
    """
    if samples.labels is None:
        return samples.groups, centring_stratum
    sizes = np.bincount(samples.labels, minlength=len(class_of_label))
    alone = np.bincount(class_of_label[sizes > 0], minlength=n_blocks) == 1
    tiny = (sizes > 1) & (sizes < MIN_CENTRED_ROWS) & ~alone[class_of_label]
    if not tiny.any():
        return samples.groups, centring_stratum
    groups = join_classes(samples.labels, tiny, samples.groups)
    if groups is not None:
        return groups, centring_stratum
    notes.append(
        f"Related rows span several of the {tiny.sum()} classes with fewer than {MIN_CENTRED_ROWS} rows. "
        "Rows of these classes are compared only with each other, which finds little."
    )
    strata = np.where(tiny[samples.labels], centring_stratum.max() + 1 + samples.labels, centring_stratum)
    return samples.groups, np.unique(strata, return_inverse=True)[1]


def _note_groups(samples: SampleSet, groups: I64, strata: I64, notes: list[str]) -> int:
    """The number of groups; `notes` gains what is assumed about them."""
    name = "small class"
    if samples.groups is not None:
        name = samples.group_name or "group"
    _, first, number = np.unique(groups, return_index=True, return_inverse=True)
    n_groups = len(first)
    if samples.unanswered:
        return n_groups
    if n_groups < MIN_GROUPS:
        notes.append(
            f"Nothing was tested: the rows form {n_groups} independent units ({name}), and a test needs {MIN_GROUPS}. "
            "Read every finding as a description."
        )
    if n_groups < len(samples):
        notes.append(
            f"Tests shuffle {n_groups:,} units, not {len(samples):,} rows: related rows ({name}) move together."
        )
    if (strata[first][number] != strata).any():
        notes.append(
            f"Related rows ({name}) span several classes, so each p is the larger of two tests. "
            "One moves related rows together in all classes, the other within each class. "
            "In both, each class keeps its own losses."
        )
    return n_groups


def narrowed(design: Design, within: Sequence[str]) -> Design:
    """The design with all samples and the classes (or superclasses) `within` as its only scopes, if any is named.

    What is not searched is not paid for, so the choice must be made before the losses are read.

    Raises:
        InvalidInput: a name does not match a scope of the design.
    """
    known = {scope.name: scope for scope in design.scopes[1:]}
    unknown = [name for name in within if name not in known]
    if unknown:
        choices = "Leave it out: no class here is large enough."
        if known:
            choices = f"Use one of {quoted(*known)}."
        raise InvalidInput(
            f"Cannot search inside {quoted(unknown[0])}: only a class of at least {MIN_SCOPE_ROWS} rows can be "
            f"searched. {choices}"
        )
    if not within:
        return design
    note = f"Searched all samples, and inside {', '.join(dict.fromkeys(within))} only, as you chose beforehand."
    scopes = (design.scopes[0], *(known[name] for name in dict.fromkeys(within)))
    return replace(design, scopes=scopes, notes=(*design.notes, note))


def check_within(samples: SampleSet, within: Sequence[str]) -> None:
    """Check before embedding that the classes named beforehand can be searched.

    With many classes only the search itself can check it, since their superclasses may depend on the embeddings.

    Raises:
        InvalidInput: a named class cannot be searched.
    """
    if within and not needs_superclasses(samples):
        narrowed(make_design(samples), within)


def searchable(sizes: Mapping[str, int]) -> list[str]:
    """The classes that are searched on their own, in the order of `sizes` (rows by class)."""
    if sum(size > 0 for size in sizes.values()) <= MAX_SINGLE_CLASSES:
        return [name for name, size in sizes.items() if size >= MIN_SCOPE_ROWS]
    large = [name for name, size in sizes.items() if size >= MIN_LARGE_CLASS_ROWS]
    largest = sorted(large, key=lambda name: -sizes[name])[:MAX_LARGE_CLASSES]
    return [name for name in sizes if name in largest]


def design_of(diagnosis: Diagnosis) -> Design:
    """The design that the diagnosis was made with, including its superclasses."""
    design = make_design(diagnosis.samples, getattr(diagnosis.model, "superclasses", None))
    return narrowed(design, diagnosis.settings.get("within", ()))


def superclasses_of(samples: SampleSet, vectors: F32, names: F32 | None) -> Superclasses | None:
    """The superclasses of many classes, by the text vectors of their names or else by mean embeddings; None for few
    classes.

    Args:
        vectors: (n, d) embeddings. names: (k, d) text vectors of the class names, where the encoder has a text tower.
    """
    if samples.labels is None or not needs_superclasses(samples):
        return None
    k = len(samples.class_names)
    means = None
    if names is None:
        means = class_means(vectors, samples.labels, k)
    return group_classes(samples.class_names, np.bincount(samples.labels, minlength=k), texts=names, means=means)


def _superclass_scopes(superclasses: Superclasses, heads: I64, blocks: I64, names: tuple[str, ...]) -> list[Scope]:
    """The superclasses, then the largest of the large classes, except those that are a superclass by themselves."""
    everything = np.arange(len(blocks))
    members = zip(superclasses.names, split_by_block(everything, heads, len(superclasses)))
    scopes = [Scope(name, rows, None) for name, rows in members if len(rows) >= MIN_SCOPE_ROWS]
    alone = {int(blocks[scope.rows[0]]) for scope in scopes if len(np.unique(blocks[scope.rows])) == 1}
    rows_of_block = split_by_block(everything, blocks, len(names))
    large = [b for b, rows in enumerate(rows_of_block) if len(rows) >= MIN_LARGE_CLASS_ROWS and b not in alone]
    largest = sorted(large, key=lambda b: -len(rows_of_block[b]))[:MAX_LARGE_CLASSES]
    return scopes + [Scope(names[b], rows_of_block[b], b) for b in sorted(largest)]


def _pools(small: I64, superclasses: Superclasses | None) -> list[tuple[str, I64]]:
    """The small classes as named pools: one pool, or one for each superclass."""
    if not len(small):
        return []
    if superclasses is None:
        return [(f"{len(small)} small classes", small)]
    of_small = superclasses.of_class[small]
    pools = [(superclasses.names[s], small[of_small == s]) for s in np.unique(of_small)]
    return [(f"{len(members)} small classes of {name}", members) for name, members in pools]


def _blocks(
    labels: I64, class_names: tuple[str, ...], superclasses: Superclasses | None, notes: list[str]
) -> tuple[I64, tuple[str, ...], I64, I64]:
    """(n,) blocks, their names, (n,) centring strata and (k,) block of each label."""
    counts = np.bincount(labels, minlength=len(class_names))
    separate = np.flatnonzero(counts >= MIN_SEPARATE_ROWS)
    small = np.flatnonzero((counts > 0) & (counts < MIN_SEPARATE_ROWS))
    if superclasses is None and len(small) and counts[small].sum() < MIN_SEPARATE_ROWS and len(separate):
        # all small classes together have too few rows for a pool
        separate = np.sort(np.r_[separate, small])
        small = small[:0]
    class_of_label = np.full(len(counts), -1, np.int64)
    class_of_label[separate] = np.arange(len(separate))
    names = [class_names[c] for c in separate]
    for name, members in _pools(small, superclasses):
        class_of_label[members] = len(names)
        names.append(name)
    if len(small):
        where = "" if superclasses is None else " within their superclass"
        each = "it has" if len(small) == 1 else "each has"
        note = f"Pooled {count(len(small), 'class')}{where}: {each} fewer than {MIN_SEPARATE_ROWS} rows."
        n_tiny = int((counts[small] < MIN_CENTRED_ROWS).sum())
        if n_tiny:
            note += f" Tests shuffle {n_tiny} of them, with fewer than {MIN_CENTRED_ROWS} rows, as a whole."
        notes.append(note)
    mean_of_label = class_of_label.copy()
    centred = small[counts[small] >= MIN_CENTRED_ROWS]
    mean_of_label[centred] = len(names) + np.arange(len(centred))
    return class_of_label[labels], tuple(names), mean_of_label[labels], class_of_label


@dataclass(frozen=True, slots=True, eq=False)
class FailureMeasures:
    """The m measures of failure that are tested."""

    names: tuple[Measure, ...]
    standardised_residuals: F64
    """(n, m) each measure minus its class mean, over the standard deviation of that residual."""
    scale: F64
    """(m,) that standard deviation, in the measure's own unit."""


def measures(outcomes: Outcomes, design: Design) -> FailureMeasures:
    """The 0/1 errors where they are known, and the loss.

    Both are members of one max-T family, so each pays for the other. Their sum, tested before, found less: a fifth of a
    class of 100 that fails was found in 8 of 30 runs on tuning seeds, by errors in 13. And a finding of the sum is a
    finding of neither (docs/decisions/search-inside-the-null.md).
    """
    known: dict[Measure, F64 | Bool | None] = {"error rate": outcomes.errors, "mean loss": outcomes.fitted}
    if outcomes.errors is None or not 0 < outcomes.errors.mean() < 1:
        del known["error rate"]
    elif (
        np.array_equal(outcomes.fitted == outcomes.fitted.max(), outcomes.errors)
        and len(np.unique(outcomes.fitted)) == 2
    ):
        del known["mean loss"]  # two losses that coincide with the error: a second test would repeat the first
    residuals = list[F64]()
    scales = list[float]()
    for values in known.values():
        residual = centre(np.asarray(values, np.float64), design.centring_stratum)
        scales.append(max(float(residual.std()), 1e-12))
        residuals.append(residual / scales[-1])
    return FailureMeasures(tuple(known), np.stack(residuals, 1), np.array(scales))
