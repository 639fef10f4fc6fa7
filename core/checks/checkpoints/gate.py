"""A gate for a new version of the model: is it worse over all, in a confirmed finding of the run, or somewhere new?

What is counted and tested is that of `core.checks.compare` and `core.checks.second_model.diagnose_regressions`; here it
is only decided what holds a version back.
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
    """A second model beside the one under diagnosis, and what holds it back."""

    comparison: Comparison
    digest: str
    """Of the run's frozen findings: two gates of the same digest asked the same of their models."""
    findings: tuple[FourWay, ...]
    """One for each of these: clusters, then conditions and phrases. Their intervals and p hold for all of them
    together."""
    regressions: Diagnosis | None
    """The difference of the errors, diagnosed; None where it was not searched."""
    unsearched: str = ""
    """Why not, where something new could have been found."""
    notes: tuple[str, ...] = ()
    answered: float = 1.0
    """Share of the run's samples that the second model answered."""
    coverage: float = 1.0
    """The least such share with which it may pass."""
    margin: float = 0.0
    """Percentage points by which it may be worse."""

    @property
    def covers(self) -> bool:
        """Whether it answered enough of the run's samples."""
        return self.answered >= self.coverage

    @property
    def worse(self) -> tuple[FourWay, ...]:
        """Of all samples and the run's findings, those in which the second model is worse by more than the margin."""
        return tuple(one for one in (self.comparison.overall, *self.findings) if is_worse(one, self.margin))

    @property
    def new(self) -> tuple[ClassFinding | FailureCluster, ...]:
        """Whole classes and clusters in which it became worse by more than elsewhere, confirmed after the whole search.
        One that only stayed behind a rest that became better is none: its errors must have become more. With a margin
        the interval must lie beyond it, of a cluster that of the difference from the rest."""
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
    """Whether the second model errs more there by more than a margin in points: the interval of the paired difference,
    which holds for all findings together, lies beyond it alone, and the adjusted p says so of no margin."""
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
    """The run's findings asked of a second model.

    Args:
        diagnosis: of the version in use, as `diagnose` or `load` gave it.
        table: the second model's answers, as `with_second` takes them.
        roles: which column is which; usual names are recognized.
        coverage: the least share of the run's samples that the table must answer, above 0 and at most 1. A sample that
            it lacks, or gives no answer for, is none of them.
        margin: percentage points from 0 to 100; what is worse by no more than that, by its interval, holds nothing
            back.
        settings: of the search for new regressions; None searches none.
        progress: called as progress(step, done, total); may raise `Cancelled`.

    Returns:
        The gate, whose `passed` says whether anything holds the second model back, and `worse` and `new` what.

    Raises:
        InvalidInput: coverage or margin is out of range, the table cannot be used, the errors of one of the two models
            are not known, or nothing can be tested, since the two are judged by different labels or share too few
            samples.
    """
    if not 0 < coverage <= 1 or not 0 <= margin <= 100:
        raise InvalidInput(
            "The coverage must be a share above 0 and at most 1, and the margin lie between 0 and 100 points: got "
            f"{coverage:g} and {margin:g}. Change it."
        )
    beside, name, notes = with_second(diagnosis, table, roles, progress=progress)
    found = compare(beside, MODEL, name)
    frozen = freeze(diagnosis)
    if found.overall.p is None:  # a gate that asked nothing must not let anything pass
        few = f"{name} has {count(found.overall.n, 'sample')} of the run, and {MIN_SCOPE_ROWS} are needed."
        raise InvalidInput(found.untested or few)
    findings = error_pair(beside, MODEL, name).among([_known(diagnosis, one) for one in frozen.findings])
    answered = len(probe_of(beside, name).rows) / len(diagnosis.samples)
    asked = Gate(found, frozen.digest, findings, None, "", notes, answered, coverage, margin)
    if settings is None:
        return replace(asked, unsearched="left out (--no-search)")
    if not found.overall.broken:
        return asked
    try:
        regressions = diagnose_regressions(beside, probe_of(beside, name), settings=settings, progress=progress)
    except InvalidInput as why:
        return replace(asked, unsearched=str(why))
    return replace(asked, regressions=regressions)


def _known(diagnosis: Diagnosis, found: FrozenFinding) -> KnownSet:
    """A frozen finding as a set of samples: a cluster with its own corrected error rate."""
    if found.kind == "cluster":
        return known_cluster(diagnosis.clusters[found.index])
    said = f'"{found.text}"' if found.kind == "phrase" else found.text
    title = said if found.scope == EVERYTHING else f"{found.scope}: {said}"
    return KnownSet(title, found.kind, found.scope, members_of(diagnosis, found), found.error_rate)
