"""What a run knows about the samples that look like a text, and how two texts differ."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from core.discovery.called import cluster_name
from core.errors import InvalidInput
from core.language.counted import StatedCondition, bare_words, beside_condition
from core.language.grammar import words_in
from core.language.measured_words import named_condition, named_property, says_title
from core.language.prompts import class_in
from core.records import (
    EVERYTHING,
    F64,
    I64,
    UNDEFINED,
    Diagnosis,
    Estimate,
    FailureCluster,
    Insight,
    Measure,
    SampleSet,
)
from core.statistics.groups import groups_at

_NEGATED = frozenset("not no without except but never nor neither unless".split())
"""Words that turn a tested condition into another question: "not weather = snow"."""
Untested = Literal["", "too few groups", "not asked for"]


@dataclass(frozen=True, slots=True)
class NamedProperty:
    """What a text names that is known of each sample without an encoder, counted over an answer's samples."""

    text: str
    """A condition that the run tested, for example "blur at least 0.867"."""
    matches: int
    """Of the answer's rows."""
    of_finding: int | None = None
    """Of the rows of `Answer.condition`, where that is another one."""


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What a run knows about the samples that look like a text."""

    text: str
    scope: str
    """The class that the text speaks of, else "all samples"."""
    rows: I64
    """The samples that are shown, the most alike first."""
    scores: F64
    """(n,) how far each sample looks like the text; nan outside the scope."""
    observed: Estimate
    """Mean loss of the rows; the 95% interval is for these rows alone, which were chosen without using any loss."""
    rest: float
    """Mean loss of the others in the scope."""
    error_rate: Estimate | None
    error_rest: float | None
    p: float | None
    """One-sided p for more loss where samples show the text, corrected for all questions asked of the run: `p_alone`
    times `asked`, at most 1. For a condition that the run tested: the run's own p, corrected for everything that the
    run tested. None if nothing could be permuted."""
    p_alone: float | None = None
    """The p if this were the only question. Each sample of the scope is weighted by its chance of showing the text, so
    the p does not depend on how many are shown; for a counted property, by whether the sample has it."""
    asked: int = 1
    """How many different questions were asked of the run so far."""
    expected: float = 0.0
    """How many samples of the scope show the text: the sum of their chances. That many are shown, unless the caller
    asked for another number."""
    guessed: bool = False
    """Whether those chances were never measured for this encoder."""
    untested: Untested = ""
    """Why p is None; "" if it is not."""
    alpha: float = 0.05
    """The answer is confirmed if p is at most this."""
    shown: bool = True
    """False if nothing in the scope looks like the text: the answer then has neither rows nor figures nor p."""
    refused: str = ""
    """Why the text is not a question; then nothing is shown."""
    unsearched: str = ""
    """The class that the text names, if it has too few samples to be a scope; else ""."""
    measure: Measure | None = None
    """What p tests: of the two measures of failure, the one with the stronger excess."""
    least: float | None = None
    """How far the error rate (mean loss if errors are unknown) of samples that show the text must lie above that of the
    others to be confirmed 8 times in 10; None without a p, and if no rate is that high."""

    cluster: FailureCluster | None = None
    """The run's confirmed cluster whose title the text is, within the class that the text names; the rows need not be
    its members."""
    condition: Insight | None = None
    """The run's confirmed condition that the text states word for word or, within its class, by the property's usual
    name ("dark"); the rows need not be those that meet it."""
    named: str = ""
    """If the condition is not stated word for word: the text of the condition that the words name, which the run may
    list as equivalent."""
    labelled: int | None = None
    """How many of the rows are labeled with the class that the text names; None if it names none."""
    known: NamedProperty | None = None
    """For rows found by likeness: what the text names that is known of each sample."""
    counted: str = ""
    """The condition on a count or measurement that the text states, for example "no capital letter": the rows are then
    those that meet it, ordered by id, whatever an encoder sees, and p is the run's own. "" for rows found by
    likeness."""

    @property
    def support(self) -> int:
        return len(self.rows)

    @property
    def confirmed(self) -> bool:
        return self.p is not None and self.p <= self.alpha

    @property
    def in_shares(self) -> bool:
        """Whether to report error rates: if they are known, unless what was confirmed is the mean loss."""
        return self.error_rate is not None and not (self.confirmed and self.measure == "mean loss")


@dataclass(frozen=True, slots=True, eq=False)
class Difference:
    """The answer to one text minus the answer to another."""

    first: str
    second: str
    observed: Estimate
    """Difference of mean loss; the 95% interval is of a group bootstrap for this pair alone. Samples that both texts
    match count on both sides."""
    shared: int
    scopes: tuple[str, str] = ("", "")
    """The scope of each answer: they may differ."""


def with_findings(diagnosis: Diagnosis, answer: Answer, tested: Sequence[StatedCondition] = ()) -> Answer:
    """Add the confirmed cluster and condition that the text names, and how many rows have what it names.

    Args:
        tested: the conditions that the run tested, outermost limits first.
    """
    answer = _with_condition(diagnosis, answer)
    samples = diagnosis.samples
    label = class_in(answer.text, samples.class_names)
    if not answer.shown or answer.counted:
        return answer
    if label is not None and samples.labels is not None:
        answer = replace(answer, labelled=int((samples.labels[answer.rows] == label).sum()))
    class_name = ""
    if label is not None:
        class_name = samples.class_names[label]
    named = next((condition for condition in tested if condition[0] == answer.named), None)
    if named is None:
        named = named_property(answer.text, class_name, tested, samples.metadata)
    if named is None:
        return answer
    text, _, mask = named
    if mask is None:
        return answer
    of_finding = None
    if answer.condition is not None and answer.condition.text != text:
        of_finding = int(mask[answer.condition.mask].sum())
    return replace(answer, known=NamedProperty(text, int(mask[answer.rows].sum()), of_finding))


def _with_condition(diagnosis: Diagnosis, answer: Answer) -> Answer:
    answer = replace(answer, cluster=_named_cluster(diagnosis, answer))
    known = [i for i in diagnosis.insights if i.kind == "condition" and i.confirmed]
    # each condition that the text states, with what the text says beside it
    stated: list[tuple[Insight, str]] = []
    for i in known:
        beside = beside_condition(answer.text, [(i.text, i.tests, None)])
        if beside is not None:
            stated.append((i, beside))
    matching = [i for i, beside in stated if _NEGATED.isdisjoint(words_in(beside))]
    if stated and not matching:  # "not weather = snow"
        return answer
    if answer.counted:
        matching = [i for i in known if i.text == answer.counted]
    if matching:
        return replace(answer, condition=min(matching, key=lambda i: (i.scope != answer.scope, -len(i.text))))
    names = diagnosis.samples.class_names
    label = class_in(answer.text, names)
    if label is None:
        return answer
    named = named_condition(answer.text, diagnosis, names[label], answer.scope)
    if named is None or (answer.cluster is not None and named[0].text != named[1]):
        return answer  # beside its cluster an equivalent condition adds nothing
    return replace(answer, condition=named[0], named=named[1])


def _named_cluster(diagnosis: Diagnosis, answer: Answer) -> FailureCluster | None:
    """The confirmed cluster whose title is the text; else a cluster of the text's class (of all samples if it names
    none) and of the answer's scope whose title means the same. None if two different titles may be meant."""
    samples = diagnosis.samples
    label = class_in(answer.text, samples.class_names)
    asked = bare_words(answer.text)
    class_name = ""
    if label is not None:
        class_name = samples.class_names[label]
    named = [(cluster, cluster_name(diagnosis, cluster)) for cluster in diagnosis.clusters if cluster.confirmed]
    titled = [(cluster, name) for cluster, name in named if bare_words(name.text) == asked]
    if not titled and answer.scope == (class_name or EVERYTHING):
        for cluster, name in named:
            if cluster.scope == answer.scope and says_title(
                answer.text, class_name, name.title_words, samples.metadata
            ):
                titled.append((cluster, name))
    if len({name.text for _, name in titled}) != 1:
        return None
    return titled[0][0]


def nothing_shown(
    text: str, scope: str = "", level: float = math.nan, *, refused: str = "", counted: str = ""
) -> Answer:
    """The answer if nothing in the scope, whose mean loss is `level`, looks like the text or meets what is `counted`;
    or if the text is not a question."""
    none = np.zeros(0, np.int64)
    return Answer(
        text=text,
        scope=scope,
        rows=none,
        scores=none.astype(np.float64),
        observed=UNDEFINED,
        rest=level,
        error_rate=None,
        error_rest=None,
        p=None,
        shown=False,
        refused=refused,
        counted=counted,
    )


def by_picture(samples: SampleSet, rows: I64) -> list[I64]:
    """The rows of each image, in the order of `rows`: several samples may share one, as items of a benchmark do.

    Returns:
        (k,) arrays, ordered by first row, that together hold every row. For texts, or without images, one row each.
    """
    if samples.items is None or samples.modality != "image":
        return [rows[i : i + 1] for i in range(len(rows))]
    rows_of_image = dict[str, list[int]]()
    for row in rows.tolist():
        rows_of_image.setdefault(samples.items.name(row), []).append(row)
    return [np.array(image_rows, np.int64) for image_rows in rows_of_image.values()]


def difference(diagnosis: Diagnosis, first: Answer, second: Answer) -> Difference:
    """How much higher the mean loss is among the matches of the first text than among those of the second.

    Raises:
        InvalidInput: one of the texts matches nothing.
    """
    for answer in (first, second):
        if not answer.shown:
            raise InvalidInput(f"No sample matches {answer.text!r}, so there is nothing to compare. Ask another text.")
    texts = (first.text, second.text)
    scopes = (first.scope, second.scope)
    shared = len(np.intersect1d(first.rows, second.rows))
    if set(first.rows.tolist()) == set(second.rows.tolist()):
        return Difference(*texts, UNDEFINED, shared, scopes)
    from core.statistics.intervals import bootstrap  # scipy: not needed for the first view

    losses = diagnosis.outcomes.fitted
    a, b = (np.isin(np.arange(len(losses)), answer.rows) for answer in (first, second))
    rows = np.flatnonzero(a | b)

    def mean_gap(i: I64) -> float:
        picked = rows[i]
        inside = picked[a[picked]]
        outside = picked[b[picked]]
        if not len(inside) or not len(outside):
            return float("nan")
        return float(losses[inside].mean() - losses[outside].mean())

    rng = np.random.default_rng(0)
    observed = bootstrap(mean_gap, len(rows), groups_at(diagnosis.samples.groups, rows), rng, repeats=400)
    return Difference(*texts, observed, shared, scopes)
