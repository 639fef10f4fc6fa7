"""What is known of the samples that look like a text, and how two texts differ."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from core.discovery.called import cluster_name
from core.errors import InvalidInput
from core.language.counted import SaidCondition, bare_words, beside_condition
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
from core.statistics.intervals import bootstrap

_NEGATED = frozenset("not no without except but never nor neither unless".split())
"""Words beside a condition by which it is not the one that is asked about."""
Untested = Literal["", "too few groups", "not asked for"]


@dataclass(frozen=True, slots=True)
class NamedProperty:
    """What a text names that is known of each sample without an encoder, and how many of an answer's samples have
    it."""

    text: str
    """A condition that the run tested, such as "blur at least 0.867"."""
    matches: int
    """Of the answer's rows."""
    of_finding: int | None = None
    """Of the rows of `Answer.condition`, where that is another one."""


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What is known of the samples that look like a text."""

    text: str
    scope: str
    """The class that the text speaks of, else "all samples"."""
    rows: I64
    """The samples that are shown, the most alike first."""
    scores: F64
    """(n,) how far each sample looks like the text; nan outside the scope."""
    observed: Estimate
    """Mean loss of the rows, with a 95% interval for these rows alone: they were chosen without a look at any loss."""
    rest: float
    """Mean loss of the rest of the scope."""
    error_rate: Estimate | None
    error_rest: float | None
    p: float | None
    """Of more loss where samples show the text, held against all questions that were asked of the run: `p_alone` times
    `asked`, at most 1. Of a condition that the run tested it is the run's own p, which holds for everything that it
    tested. None where nothing could be permuted."""
    p_alone: float | None = None
    """The same if this was the only question. It weighs every sample of the scope by its chance of showing the text, so
    it does not depend on how many are shown; of what is counted, by whether it has it."""
    asked: int = 1
    """How many different questions were asked of the run up to now."""
    expected: float = 0.0
    """How many samples of the scope show the text: the sum of their chances. They are the number shown, unless another
    one was asked for."""
    guessed: bool = False
    """Whether those chances were never measured of this encoder."""
    untested: Untested = ""
    """Why there is no p; "" where there is one."""
    alpha: float = 0.05
    """The level at which p is confirmed."""
    shown: bool = True
    """False where nothing in the scope is like the text: then there are no rows, no figures and no p."""
    refused: str = ""
    """What is wrong with a text that is no question; then nothing is shown."""
    unsearched: str = ""
    """The class that the text names, where it has too few samples for a scope of its own; else ""."""
    measure: Measure | None = None
    """What the p is of: of two measures of failure the one whose excess is the stronger."""
    least: float | None = None
    """By how much the error rate (or where errors are unknown the mean loss) of what shows the text would have to lie
    above that of the others to be confirmed 8 times in 10; None without a p, and where no rate is as high."""

    cluster: FailureCluster | None = None
    """The run's confirmed cluster that the text titles, within the class that the text names; the rows need not be its
    members."""
    condition: Insight | None = None
    """The run's confirmed condition that the text says word for word, or of its class names by what the property is
    called ("dark"); the rows need not be those that meet it."""
    named: str = ""
    """Of one that is not said word for word, what the words name: its text, or that of a condition which the run lists
    as saying the same."""
    labelled: int | None = None
    """How many of the rows have as their label the class that the text names; None where it names none."""
    known: NamedProperty | None = None
    """Of rows that are told by likeness, what the text names that is known of each sample."""
    counted: str = ""
    """The condition on what is counted or measured of each sample that the text says, such as "no capital letter": then
    the rows are those that meet it, in the order of the ids, whatever an encoder sees, and the p is the run's own; ""
    where they are told by likeness."""

    @property
    def support(self) -> int:
        return len(self.rows)

    @property
    def confirmed(self) -> bool:
        return self.p is not None and self.p <= self.alpha

    @property
    def in_shares(self) -> bool:
        """Whether it is told as error rates: where they are known, unless what was confirmed is the mean loss."""
        return self.error_rate is not None and not (self.confirmed and self.measure == "mean loss")


@dataclass(frozen=True, slots=True, eq=False)
class Difference:
    """The answer to one text minus the answer to another."""

    first: str
    second: str
    observed: Estimate
    """Difference of mean loss, with the 95% interval of a group bootstrap for this pair alone, the shared samples
    counted on both sides."""
    shared: int
    scopes: tuple[str, str] = ("", "")
    """Where each text was answered: they may differ."""


def with_findings(diagnosis: Diagnosis, answer: Answer, tested: Sequence[SaidCondition] = ()) -> Answer:
    """The answer beside the confirmed cluster, and the confirmed condition, that its text names, if it names any; and
    how many of its rows have what the text names, where that is known.

    Args:
        tested: the conditions that the run tested, the outermost limits first.
    """
    return _with_known(diagnosis, _with_condition(diagnosis, answer), tested)


def _with_known(diagnosis: Diagnosis, answer: Answer, tested: Sequence[SaidCondition]) -> Answer:
    """The answer with how many of its rows have the label, and the property, that the text names."""
    samples = diagnosis.samples
    label = class_in(answer.text, samples.class_names)
    if not answer.shown or answer.counted:
        return answer
    if label is not None and samples.labels is not None:
        answer = replace(answer, labelled=int((samples.labels[answer.rows] == label).sum()))
    own = [one for one in tested if one[0] == answer.named]
    name = "" if label is None else samples.class_names[label]
    found = own[0] if own else named_property(answer.text, name, tested, samples.metadata)
    if found is None or found[2] is None:
        return answer
    other = answer.condition if answer.condition is not None and answer.condition.text != found[0] else None
    of_finding = None if other is None else int(found[2][other.mask].sum())
    return replace(answer, known=NamedProperty(found[0], int(found[2][answer.rows].sum()), of_finding))


def _with_condition(diagnosis: Diagnosis, answer: Answer) -> Answer:
    answer = replace(answer, cluster=_named_cluster(diagnosis, answer))
    known = [i for i in diagnosis.insights if i.kind == "condition" and i.confirmed]
    beside = {i.text: beside_condition(answer.text, [(i.text, i.tests, None)]) for i in known}
    own = [i for i in known if (said := beside[i.text]) is not None and _NEGATED.isdisjoint(words_in(said))]
    if not own and any(said is not None for said in beside.values()):  # "not weather = snow"
        return answer
    if answer.counted:
        own = [i for i in known if i.text == answer.counted]
    if own:
        return replace(answer, condition=min(own, key=lambda i: (i.scope != answer.scope, -len(i.text))))
    names = diagnosis.samples.class_names
    label = class_in(answer.text, names)
    found = None if label is None else named_condition(answer.text, diagnosis, names[label], answer.scope)
    if found is None or (answer.cluster is not None and found[0].text != found[1]):
        return answer  # beside its cluster nothing that says the same is needed
    return replace(answer, condition=found[0], named=found[1])


def _named_cluster(diagnosis: Diagnosis, answer: Answer) -> FailureCluster | None:
    """The confirmed cluster whose title the text is; else one of the text's class (of all samples where it names none)
    and of the answer's scope whose title says what the text says. None where two of different titles may be meant."""
    samples = diagnosis.samples
    label = class_in(answer.text, samples.class_names)
    asked = bare_words(answer.text)
    class_name = "" if label is None else samples.class_names[label]
    named = [(cluster, cluster_name(diagnosis, cluster)) for cluster in diagnosis.clusters if cluster.confirmed]
    titled = [one for one in named if bare_words(one[1].text) == asked]
    own = [one for one in named if one[0].scope == answer.scope == (class_name or EVERYTHING)]
    titled = titled or [one for one in own if says_title(answer.text, class_name, one[1].title_words, samples.metadata)]
    return titled[0][0] if len({name.text for _, name in titled}) == 1 else None


def nothing_shown(
    text: str, scope: str = "", level: float = math.nan, *, refused: str = "", counted: str = ""
) -> Answer:
    """The answer where nothing in the scope, whose mean loss is `level`, is like the text, or meets what is `counted`;
    or where the text is no question."""
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
    """The rows of each image, in the order of `rows`: several samples may show one, as items of a benchmark do.

    Returns:
        (k,) arrays, by their first row; every row is in one of them. Of texts, and without images, each row is alone.
    """
    if samples.items is None or samples.modality != "image":
        return [rows[i : i + 1] for i in range(len(rows))]
    pictures = dict[str, list[int]]()
    for row in rows.tolist():
        pictures.setdefault(samples.items.name(row), []).append(row)
    return [np.array(own, np.int64) for own in pictures.values()]


def difference(diagnosis: Diagnosis, first: Answer, second: Answer) -> Difference:
    """How much higher the loss is among the matches of the first text than among those of the second.

    Raises:
        InvalidInput: nothing shows one of the texts.
    """
    for answer in (first, second):
        if not answer.shown:
            raise InvalidInput(f"Nothing is shown for {answer.text!r}: there is nothing to compare. Ask another text.")
    texts = (first.text, second.text)
    scopes = (first.scope, second.scope)
    shared = len(np.intersect1d(first.rows, second.rows))
    if set(first.rows.tolist()) == set(second.rows.tolist()):
        return Difference(*texts, UNDEFINED, shared, scopes)
    losses = diagnosis.outcomes.fitted
    groups = diagnosis.samples.groups
    a, b = (np.isin(np.arange(len(losses)), answer.rows) for answer in (first, second))
    rows = np.flatnonzero(a | b)

    def mean_gap(i: I64) -> float:
        picked = rows[i]
        inside = picked[a[picked]]
        other = picked[b[picked]]
        return float(losses[inside].mean() - losses[other].mean()) if len(inside) and len(other) else float("nan")

    found = bootstrap(
        mean_gap, len(rows), None if groups is None else groups[rows], np.random.default_rng(0), repeats=400
    )
    return Difference(*texts, found, shared, scopes)
