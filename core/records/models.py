"""Other models on the samples of a run, and two models side by side: numpy only, so that a stored run can hold them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from core.records.fields import below, shaped
from core.records.samples import I64, Estimate, Outcomes

if TYPE_CHECKING:
    from core.records.diagnosis import Diagnosis


@dataclass(frozen=True, slots=True, eq=False)
class ModelResult:
    """Another model's outcome for each row that it scored. m rows, k classes."""

    name: str
    """Unique within a run, such as the name of the table that it was read from, or "coop, 16 shots"."""
    encoder: str
    """What made it: an encoder's name and fingerprint, or "given"."""
    class_names: tuple[str, ...]
    rows: I64
    """(m,) rows of the samples, ascending."""
    labels: I64
    """(m,) true class; -1 where none is known."""
    outcomes: Outcomes
    """(m,) losses, with scores and predictions where they are known: what a diagnosis of it explains."""
    accuracy: Estimate
    split: str
    """One sentence: where it comes from, or which rows were trained on and which were scored."""

    def check(self, n: int) -> None:
        """See that every array has the shape that is promised.

        Args:
            n: samples of the run.

        Raises:
            ValueError: one has not; it is named.
        """
        m = len(self.rows)
        k = len(self.class_names)
        for name, array in (
            ("rows", self.rows), ("labels", self.labels), ("loss", self.outcomes.loss),
            ("errors", self.outcomes.errors), ("predictions", self.outcomes.predictions),
        ):  # fmt: skip
            shaped(f"{name} of {self.called}", array, m)
        shaped(f"scores of {self.called}", self.outcomes.scores, m, k)
        below(f"rows of {self.called}", self.rows, n)
        if (self.rows[1:] <= self.rows[:-1]).any():
            raise ValueError(f"rows of {self.called}: each once, ascending, are needed")
        below(f"labels of {self.called}", self.labels, k, -1)
        below(f"predictions of {self.called}", self.outcomes.predictions, k, -1)

    @property
    def called(self) -> str:
        """What messages call it."""
        return "another model"


@dataclass(frozen=True, slots=True, eq=False)
class FourWay:
    """Two models on the rows of one scope: model A is the one under diagnosis, B the one set beside it."""

    scope: str
    """"all samples", a class, a cluster's title, or what a condition or phrase says, behind its class."""
    kind: Literal["all", "class", "cluster", "condition", "phrase"]
    n: int
    fixed: int
    """A wrong, B right."""
    broken: int
    """A right, B wrong."""
    both: int
    """Both wrong."""
    neither: int
    """Both right."""
    difference: Estimate
    """Error rate of A minus that of B on these rows, paired; positive: B is better. Of a cluster corrected for having
    been chosen by A's losses. The intervals of all clusters hold together, as do those of all classes."""
    p: float | None
    """Two-sided, adjusted (Holm) over the scopes of its kind; None where it is not tested."""
    shares: Estimate | None = None
    """Of a cluster: B's error rate inside minus outside, within the cluster's scope. B's outcomes had no part in
    choosing the cluster."""
    shares_p: float | None = None
    """One-sided p that B does no worse inside than outside, Holm over the clusters."""
    excess_gap: Estimate | None = None
    """Of a cluster: how much more A errs inside than outside, minus the same of B, class by class; corrected as
    `difference` is."""
    room: bool = True
    """Of a cluster: whether B's errors are shown to rise less than if it lost here the same part of its way from chance
    to always right as A does. A model that is near chance has nothing to lose."""
    verdict: Literal["fixed", "partly", "same", "shared", "own", "broken", "open"] = "open"
    """"fixed": B is better here. "partly": better, yet it too does worse here than elsewhere. "same": B is shown to
    fail here as A does, within a margin. "shared": B does worse here than elsewhere. "own": A's errors rise here more
    than B's, which had as much to lose, and B is not known to do worse here than elsewhere. "broken": B is worse.
    "open": too little to tell. Of classes and all samples only fixed, broken or open."""
    cluster: int | None = None
    blind: bool = False
    """Of a cluster: B is not shown to be much better than chance on all rows, so of it at most "broken" is said."""


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Two outcomes on the same samples side by side."""

    a: str
    b: str
    rows: I64
    """(m,) rows that both scored."""
    accuracy_a: Estimate
    accuracy_b: Estimate
    overall: FourWay
    classes: tuple[FourWay, ...]
    clusters: tuple[FourWay, ...]
    agreement: float
    """Share of rows on which both are right or both wrong, minus what chance would give, over what it leaves (Cohen's
    kappa)."""
    notes: tuple[str, ...] = ()
    untested: str = ""
    """Why nothing is tested at all, which is one of the notes; "" where the two can be compared."""


OWN = "probe"
"""Key of `Diagnosis.extras`: name of the model whose own losses were diagnosed, where there was no other model."""
SECOND_MODELS = "second models"
"""Key of `Diagnosis.extras` under which other models that were compared are kept (`core.checks.second_model`)."""
BROUGHT = "models"
"""Key of `Diagnosis.extras` for other models whose outcomes were brought; what systems score stands under theirs."""


def other_models(diagnosis: Diagnosis) -> tuple[ModelResult, ...]:
    """Every other model with outcomes on samples of the run, whoever brought it; the latest is the last."""
    kept = (value for value in diagnosis.extras.values() if isinstance(value, tuple))
    return tuple(one for results in kept for one in results if isinstance(one, ModelResult))


def with_models(diagnosis: Diagnosis, results: tuple[ModelResult, ...], key: str = BROUGHT) -> Diagnosis:
    """The run with these results under that key, as the latest, in place of those that stood there; what else stood
    there, such as results that nothing installed here can read, is kept beside them."""
    others = {name: value for name, value in diagnosis.extras.items() if name != key}
    if not isinstance(there := diagnosis.extras.get(key, ()), tuple):
        others[f"{key}, unread"] = there
    return replace(diagnosis, extras={**others, key: results} if results else others)
