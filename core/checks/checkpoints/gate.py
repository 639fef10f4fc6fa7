"""A gate for a new version of the model: is it worse overall, in a confirmed finding of the run, or somewhere new?

Counts and tests are those of `core.checks.compare` and `core.checks.second_model.diagnose_regressions`; this module
only decides what holds a version back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from core.checks.compare import compare, error_pair, probe_of
from core.checks.freeze import FrozenFinding, freeze, members_of
from core.checks.paired_errors import ALPHA, MIN_SCOPE_ROWS, MODEL, KnownSet, known_cluster
from core.checks.second_model import diagnose_regressions, with_second
from core.data.tables.frames import TableLike
from core.data.tables.roles import Roles
from core.discovery.settings import DEFAULTS, Settings
from core.errors import InvalidInput
from core.numbers import count
from core.records import EVERYTHING, ClassFinding, Comparison, Diagnosis, FailureCluster, FourWay, Progress, no_progress


@dataclass(frozen=True, slots=True, eq=False)
class Gate:
    """A second model compared with the one under diagnosis, and what holds it back."""

    comparison: Comparison
    digest: str
    """Hash of the run's frozen findings: two gates with the same digest ran the same checks."""
    findings: tuple[FourWay, ...]
    """One for each finding: clusters, then conditions and phrases. Their intervals and p hold for all of them
    together."""
    regressions: Diagnosis | None
    """The diagnosed difference of the errors; None if it was not searched."""
    unsearched: str = ""
    """Why it was not searched, if something new could have been found."""
    notes: tuple[str, ...] = ()
    answered: float = 1.0
    """Share of the run's samples that the second model answered."""
    coverage: float = 1.0
    """The share required to pass."""
    margin: float = 0.0
    """Percentage points by which it may be worse."""

    @property
    def covers(self) -> bool:
        """Whether it answered enough of the run's samples."""
        return self.answered >= self.coverage

    @property
    def worse(self) -> tuple[FourWay, ...]:
        """Of all samples and the run's findings, those in which the second model is worse by more than the margin."""
        checks = (self.comparison.overall, *self.findings)
        return tuple(check for check in checks if is_worse(check, self.margin))

    @property
    def new(self) -> tuple[ClassFinding | FailureCluster, ...]:
        """Whole classes and clusters in which it got worse by more than elsewhere, confirmed after the whole search.
        Its errors must have increased: that the others improved is not enough. With a margin the interval must lie
        beyond it; for a cluster, the interval of the difference from the others."""
        if self.regressions is None:
            return ()
        least = self.margin / 100
        classes = (c for c in self.regressions.classes if c.kind == "class" and c.confirmed and c.mean_loss.low > least)
        clusters = (c for c in self.regressions.clusters if c.mean_loss > least)
        return (*classes, *(c for c in clusters if not least or c.excess_loss.low > least))

    @property
    def passed(self) -> bool:
        """Whether nothing holds the second model back."""
        return self.covers and not self.worse and not self.new


def is_worse(scope: FourWay, margin: float = 0.0) -> bool:
    """Whether the second model errs more there by more than a margin in points: the adjusted p passes, and the interval
    of the paired difference, which holds for all findings together, lies beyond the margin. (p tests no margin.)"""
    return scope.p is not None and scope.p <= ALPHA and scope.difference.high < -margin / 100


def gate(
    diagnosis: Diagnosis,
    table: TableLike,
    roles: Roles = Roles(),
    *,
    coverage: float = 1.0,
    margin: float = 0.0,
    settings: Settings | None = DEFAULTS,
    progress: Progress = no_progress,
) -> Gate:
    """Check the run's findings on a second model.

    Args:
        diagnosis: of the version in use, from `diagnose` or `load`.
        table: the second model's answers, in any form that `with_second` takes.
        roles: which column is which; usual names are recognized.
        coverage: share of the run's samples that the table must answer, above 0 and at most 1. Missing rows and empty
            answers do not count.
        margin: percentage points from 0 to 100; what is worse by no more than that, by its interval, holds nothing
            back.
        settings: of the search for new regressions; None skips it.
        progress: called as progress(step, done, total); may raise `Cancelled`.

    Returns:
        The gate: `passed` is whether nothing holds the second model back; `worse` and `new` list what does.

    Raises:
        InvalidInput: coverage or margin is out of range, the table cannot be used, the errors of one of the models are
            unknown, or nothing can be tested, since the two are judged by different labels or share too few samples.
    """
    if not 0 < coverage <= 1 or not 0 <= margin <= 100:
        raise InvalidInput(
            "Coverage must be above 0 and at most 1, and margin between 0 and 100 points: got "
            f"{coverage:g} and {margin:g}. Change it."
        )
    beside, name, notes = with_second(diagnosis, table, roles, progress=progress)
    comparison = compare(beside, MODEL, name)
    frozen = freeze(diagnosis)
    if comparison.overall.p is None:  # a gate that checked nothing must not pass anything
        few = f"{name} has {count(comparison.overall.n, 'sample')} of the run; at least {MIN_SCOPE_ROWS} are needed."
        raise InvalidInput(comparison.untested or few)
    known = [_known_set(diagnosis, finding) for finding in frozen.findings]
    findings = error_pair(beside, MODEL, name).among(known)
    answered = len(probe_of(beside, name).rows) / len(diagnosis.samples)
    result = Gate(comparison, frozen.digest, findings, None, "", notes, answered, coverage, margin)
    if settings is None:
        return replace(result, unsearched="left out (--no-search)")
    if not comparison.overall.broken:
        return result
    try:
        regressions = diagnose_regressions(beside, probe_of(beside, name), settings=settings, progress=progress)
    except InvalidInput as error:
        return replace(result, unsearched=str(error))
    return replace(result, regressions=regressions)


def _known_set(diagnosis: Diagnosis, finding: FrozenFinding) -> KnownSet:
    """A frozen finding as a set of samples: a cluster with its own corrected error rate."""
    if finding.kind == "cluster":
        return known_cluster(diagnosis.clusters[finding.index])
    title = finding.text
    if finding.kind == "phrase":
        title = f'"{title}"'
    if finding.scope != EVERYTHING:
        title = f"{finding.scope}: {title}"
    return KnownSet(title, finding.kind, finding.scope, members_of(diagnosis, finding), finding.error_rate)
