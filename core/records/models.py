"""Other models on the samples of a run, and comparisons of two models; numpy only, so that a stored run can hold
them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from core.records.fields import below, shaped
from core.records.samples import I64, Estimate, Outcomes

if TYPE_CHECKING:
    from core.records.diagnosis import Diagnosis


@dataclass(frozen=True, slots=True, eq=False)
class ModelResult:
    """Another model's outcomes on the rows that it scored. m rows, k classes."""

    name: str
    """Unique within a run, for example the name of its table, or "coop, 16 shots"."""
    encoder: str
    """Name and fingerprint of its encoder, or "given"."""
    class_names: tuple[str, ...]
    rows: I64
    """(m,) rows of the samples, ascending."""
    labels: I64
    """(m,) true class; -1 if unknown."""
    outcomes: Outcomes
    """(m,) losses, with scores and predictions if known; a diagnosis of this model explains these."""
    accuracy: Estimate
    split: str
    """One sentence: its source, or which rows were used for training and which were scored."""

    def check(self, n: int) -> None:
        """Check the shape of every array.

        Args:
            n: samples of the run.

        Raises:
            ValueError: names the array.
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
            raise ValueError(f"rows of {self.called}: must be unique and ascending")
        below(f"labels of {self.called}", self.labels, k, -1)
        below(f"predictions of {self.called}", self.outcomes.predictions, k, -1)

    @property
    def called(self) -> str:
        """Name in messages."""
        return "another model"


@dataclass(frozen=True, slots=True, eq=False)
class FourWay:
    """Two models on the rows of one scope: A is under diagnosis, B is compared with it."""

    scope: str
    """"all samples", a class, the title of a cluster, or a condition or phrase after its class."""
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
    """Error rate of A minus that of B on these rows, paired; positive: B is better. For a cluster, corrected for the
    selection by A's losses. The intervals of all clusters hold simultaneously, as do those of all classes."""
    p: float | None
    """Two-sided, adjusted (Holm) over the scopes of the same kind; None if not tested."""
    shares: Estimate | None = None
    """For a cluster: B's error rate inside minus outside, within the cluster's scope. B's outcomes were not used to
    choose the cluster."""
    shares_p: float | None = None
    """One-sided p-value of the null that B does no worse inside than outside, Holm over the clusters."""
    excess_gap: Estimate | None = None
    """For a cluster: A's excess error rate inside over outside, minus B's excess, class by class; corrected like
    `difference`."""
    room: bool = True
    """For a cluster: whether B's errors are shown to rise less than if B lost the same share of its margin over chance
    as A. A model near chance has no margin to lose."""
    verdict: Literal["fixed", "partly", "same", "shared", "own", "broken", "open"] = "open"
    """"fixed": B is better here. "partly": B is better, but worse here than on the other samples. "same": B is shown to
    fail here like A, within a margin. "shared": B is worse here than on the other samples. "own": A's errors rise here
    more than B's, which had as much to lose, and B is not shown to be worse here. "broken": B is worse. "open": not
    enough data. Classes and all samples are only fixed, broken or open."""
    cluster: int | None = None
    blind: bool = False
    """For a cluster: B is not shown to be much better than chance on all rows, so only "broken" is possible."""


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """The comparison of two models on the same samples."""

    a: str
    b: str
    rows: I64
    """(m,) rows scored by both."""
    accuracy_a: Estimate
    accuracy_b: Estimate
    overall: FourWay
    classes: tuple[FourWay, ...]
    clusters: tuple[FourWay, ...]
    agreement: float
    """Cohen's kappa: the share of rows on which both are right or both wrong, minus the share expected by chance, over
    one minus that share."""
    notes: tuple[str, ...] = ()
    untested: str = ""
    """Why nothing is tested, also one of the notes; "" if the two are comparable."""


OWN = "probe"
"""Key of `Diagnosis.extras`: name of the model whose losses were diagnosed, if it was a probe."""
SECOND_MODELS = "second models"
"""Key of `Diagnosis.extras` for the compared models (`core.checks.second_model`)."""
BROUGHT = "models"
"""Key of `Diagnosis.extras` for models with imported outcomes; models that systems score have the systems' keys."""


def other_models(diagnosis: Diagnosis) -> tuple[ModelResult, ...]:
    """List all other models with outcomes on samples of the run, from any source, latest last."""
    models: list[ModelResult] = []
    for value in diagnosis.extras.values():
        if isinstance(value, tuple):
            models += [result for result in value if isinstance(result, ModelResult)]
    return tuple(models)


def with_models(diagnosis: Diagnosis, results: tuple[ModelResult, ...], key: str = BROUGHT) -> Diagnosis:
    """Return the run with these results under that key, as the latest. They replace earlier results; an earlier value
    that no installed system can read is saved under "KEY, unread"."""
    extras = {name: value for name, value in diagnosis.extras.items() if name != key}
    earlier = diagnosis.extras.get(key, ())
    if not isinstance(earlier, tuple):
        extras[f"{key}, unread"] = earlier
    if results:
        extras[key] = results
    return replace(diagnosis, extras=extras)
