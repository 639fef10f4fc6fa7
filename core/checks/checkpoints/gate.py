"""A gate for a new version of the model: is it worse over all, in a failure cluster of the run, or somewhere new?

What is counted and tested is that of `core.checks.compare` and `core.checks.second_model.diagnose_regressions`; here it
is only decided what holds a version back.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.checks.compare import compare, probe_of
from core.checks.freeze import freeze
from core.checks.paired_errors import ALPHA, MIN_SCOPE_ROWS, MODEL
from core.checks.second_model import diagnose_regressions, with_second
from core.data.tables.roles import Roles
from core.discovery.settings import DEFAULTS, Settings
from core.errors import InvalidInput
from core.numbers import count
from core.records import ClassFinding, Comparison, Diagnosis, FailureCluster, FourWay, Progress, no_progress


@dataclass(frozen=True, slots=True, eq=False)
class Gate:
    """A second model beside the one under diagnosis, and what holds it back."""

    comparison: Comparison
    digest: str
    """Of the run's frozen findings: two gates of the same digest asked the same of their models."""
    regressions: Diagnosis | None
    """The difference of the errors, diagnosed; None where it was not searched."""
    unsearched: str = ""
    """Why not, where something new could have been found."""
    notes: tuple[str, ...] = ()

    @property
    def worse(self) -> tuple[FourWay, ...]:
        """Of all samples and the run's clusters, those in which the second model is worse."""
        return tuple(filter(is_worse, (self.comparison.overall, *self.comparison.clusters)))

    @property
    def new(self) -> tuple[ClassFinding | FailureCluster, ...]:
        """Whole classes and clusters in which it became worse by more than elsewhere, confirmed after the whole search.
        One that only stayed behind a rest that became better is none: its errors must have become more."""
        if self.regressions is None:
            return ()
        classes = (c for c in self.regressions.classes if c.kind == "class" and c.confirmed and c.mean_loss.low > 0)
        return (*classes, *(c for c in self.regressions.clusters if c.mean_loss > 0))

    @property
    def passed(self) -> bool:
        """Whether nothing holds the second model back."""
        return not self.worse and not self.new


def is_worse(scope: FourWay) -> bool:
    """Whether the second model errs more there: the interval of the paired difference, which holds for all scopes of
    its kind together, lies on that side alone, and so says the adjusted p."""
    return scope.p is not None and scope.p <= ALPHA and scope.difference.high < 0


def gate(
    diagnosis: Diagnosis,
    table: str | Path,
    roles: Roles = Roles(),
    *,
    settings: Settings | None = DEFAULTS,
    progress: Progress = no_progress,
) -> Gate:
    """The run's findings asked of a second model.

    Args:
        diagnosis: of the version in use, as `diagnose` or `load` gave it.
        table: the second model's answers, as `with_second` takes them.
        roles: which column is which; usual names are recognised.
        settings: of the search for new regressions; None searches none.
        progress: called as progress(step, done, total); may raise `Cancelled`.

    Returns:
        The gate, whose `passed` says whether anything holds the second model back, and `worse` and `new` what.

    Raises:
        InvalidInput: the table cannot be used, the errors of one of the two models are not known, or nothing can be
            tested, since the two are judged by different labels or share too few samples.
    """
    beside, name, notes = with_second(diagnosis, table, roles, progress=progress)
    found, digest = compare(beside, MODEL, name), freeze(diagnosis).digest
    if found.overall.p is None:  # a gate that asked nothing must not let anything pass
        few = f"{name} has {count(found.overall.n, 'sample')} of the run, and {MIN_SCOPE_ROWS} are needed."
        raise InvalidInput(found.untested or few)
    if settings is None:
        return Gate(found, digest, None, "left out (--no-search)", notes)
    if not found.overall.broken:
        return Gate(found, digest, None, "", notes)
    try:
        regressions = diagnose_regressions(beside, probe_of(beside, name), settings=settings, progress=progress)
    except InvalidInput as why:
        return Gate(found, digest, None, str(why), notes)
    return Gate(found, digest, regressions, "", notes)
