"""Which samples carry a tag, by its description alone, and which tag the failures carry more often than the rest.

A sample carries a tag if its cosine with what is said of the tag lies CUT deviations or more above the mean of its
class. What is counted or measured of every sample ("three numbers") is carried by those that have it, whatever their
likeness. No loss and no example has a part in that. Of a tag that is told by likeness it is not known how many samples
truly have it: the cut decides how many carry it, and the encoder whether these are the right ones.

The tags are one family: each is compared with all other samples, class means taken out, in errors and in loss, and the
p is the share of permutations (within classes, whole groups together) in which the best of all tags does at least as
well. It holds for this list of tags alone, beside the run's own test and not inside it: who tries a second list begins
a second family.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.checks.asked_text import rows_counted
from core.checks.questions import speaker_of
from core.discovery.design import Design, design_of, measures
from core.discovery.effects import effects_of
from core.discovery.proposals import column_conditions
from core.discovery.search.family import MIN_CANDIDATE_ROWS, Family, Region
from core.discovery.search.family_test import FamilyTest, read_family
from core.errors import InvalidInput
from core.language.counted import Counted, counted
from core.language.directions import centred
from core.language.hard_words import hearing_notes, is_hardly_heard
from core.numbers import p_value
from core.records import F32, F64, I64, Bool, Diagnosis, Estimate, Measure, Progress, no_progress
from core.statistics.intervals import bootstrap
from core.systems.common.class_descriptions import Pattern
from core.systems.label_descriptions.tags import DescribedTags, tag_directions, tag_patterns

if TYPE_CHECKING:
    from core.embeddings.texts import TextTower

CUT = 1.25
"""Deviations: of a bell-shaped tag a tenth of the samples. Fixed beforehand, not tuned."""
WORST = 0.1
"""Where errors are unknown, the failures are the tenth of samples with the highest loss."""


@dataclass(frozen=True, slots=True)
class Wording:
    """A tag's name in one pattern, in place of its description."""

    pattern: str
    share: float
    lift: float
    overlap: float
    """Share of the samples that carry the tag by its description that carry it by this wording too."""


@dataclass(frozen=True, slots=True, eq=False)
class TagFinding:
    """A tag among the failures."""

    name: str
    size: int
    """Samples that carry it."""
    share: float
    """Of all samples."""
    among_failures: float
    among_others: float
    """Share of the failures that carry it, and of all other samples."""
    lift: Estimate
    """Failures that carry it over those that the failure rates of their classes let expect; a bootstrap interval for
    this tag alone."""
    error_difference: Estimate | None
    """Error rate of those that carry it minus that of all others, classes taken out; the interval holds for every tag
    of the list at once. None where errors are unknown, or nothing was tested."""
    loss_difference: Estimate | None
    """The same of the mean loss."""
    p: float | None
    """Adjusted over all tags and both measures of failure; None where nothing can be permuted, or too few samples
    carry the tag."""
    measure: Measure | None
    """In which measure the excess is the stronger."""
    wordings: tuple[Wording, ...]
    counted: str = ""
    """The condition on what is counted or measured of each sample that the name says: then no wording changes who
    carries it; "" where that is told by likeness."""

    def spread(self, of: str) -> tuple[float, float, float]:
        """(mean, least, greatest) over the wordings of "share", "lift" or "overlap"."""
        values = [float(getattr(one, of)) for one in self.wordings]
        return float(np.mean(values)), min(values), max(values)

    @property
    def agreeing(self) -> int:
        """In how many wordings the lift lies on the same side of 1 as by the description."""
        return sum((one.lift > 1) == (self.lift.value > 1) for one in self.wordings)


@dataclass(frozen=True, slots=True, eq=False)
class TagReport:
    """The tags of n samples, strongest excess first."""

    tags: tuple[TagFinding, ...]
    carried: Bool
    """(n, t) which sample carries which of them."""
    scores: F32
    """(n, t) deviations above the mean of the sample's class."""
    alpha: float
    n_failures: int
    failures: str
    """What counts as one."""
    permutations: int
    notes: tuple[str, ...]

    def is_confirmed(self, tag: TagFinding) -> bool:
        """Its p is at most alpha, and its words are such as a text encoder hears: one that takes "not a plant" for "a
        plant" confirms neither."""
        heard = bool(tag.counted) or not is_hardly_heard(tag.name)
        return tag.p is not None and tag.p <= self.alpha and heard


def tag_samples(
    diagnosis: Diagnosis,
    tags: DescribedTags,
    *,
    patterns: Sequence[Pattern] = (),
    n_permutations: int = 5000,
    alpha: float = 0.05,
    seed: int = 0,
    encoder: TextTower | None = None,
    cache: Path | None = None,
    progress: Progress = no_progress,
) -> TagReport:
    """Tag every sample of a run and test which tags its failures carry.

    Args:
        patterns: wordings beside the descriptions; by default the fourteen that ship for the run's modality.
        n_permutations: at least 5,000 for a p that is reported.

    Raises:
        InvalidInput: the run has no words, or they are of another edition of its encoder.
    """
    joint, tower = _seen_by(diagnosis, encoder)
    patterns = tuple(patterns) or tag_patterns(diagnosis.samples.modality)
    directions = tag_directions(tags, patterns, tower, cache, progress)
    order = np.argsort(np.array(diagnosis.samples.ids), kind="stable")  # the order of a table changes nothing
    ordered = replace(diagnosis, samples=diagnosis.samples.keep(order), outcomes=diagnosis.outcomes.keep(order))
    design = design_of(ordered)
    along = np.asarray(centred(joint[order], design.centring_stratum), np.float64)
    scores = _deviations(along, directions.described)
    tested = _Tested(ordered, design, alpha)
    worded = [(p.name, _deviations(along, own) >= CUT) for p, own in zip(patterns, directions.worded, strict=True)]
    said = [(c.text, c.tests, c.mask) for c in reversed(column_conditions(diagnosis.samples.metadata, design)[0])]
    read = {t: counted(name, diagnosis, tested=said) for t, name in enumerate(tags.names)}
    known = {t: one for t, one in read.items() if one is not None}
    for t, one in known.items():
        mask = rows_counted(one, len(order))[order]
        scores[:, t] = CUT * mask
        for _, own in worded:
            own[:, t] = mask
    test, numbers = tested.family(scores >= CUT, n_permutations, seed, progress)
    found = [
        tested.finding(name, scores[:, t] >= CUT, [(p, own[:, t]) for p, own in worded], test, numbers.get(t))
        for t, name in enumerate(tags.names)
    ]
    found = [replace(tag, counted=known[t].text if t in known else "") for t, tag in enumerate(found)]
    strengths = [test.observed[numbers[t]].max() if t in numbers else -np.inf for t in range(len(found))]
    ranked = np.argsort(-np.array(strengths), kind="stable")
    notes = _notes(design, len(tags.names) - len(numbers), len(test.null))
    by_likeness = [name for t, name in enumerate(tags.names) if t not in known]
    notes += _known_notes({tags.names[t]: one for t, one in known.items()})
    notes += tuple(hearing_notes(by_likeness, diagnosis.samples.modality, diagnosis.insights))
    if any(map(is_hardly_heard, by_likeness)):
        notes += ('A tag that says "not" or how many is never confirmed.',)
    kept = scores[np.argsort(order, kind="stable")][:, ranked]
    return tested.report([found[t] for t in ranked.tolist()], kept, len(test.null), notes)


def _seen_by(diagnosis: Diagnosis, encoder: TextTower | None) -> tuple[F32, TextTower]:
    """(n, d) the samples in the space that they share with words, and the tower that speaks it.

    Raises:
        InvalidInput: the run has no words, or they are of another edition of its encoder.
    """
    words = diagnosis.words
    if words is None or not words.encoder:
        raise InvalidInput(
            "Tags need a text encoder, and none saw this run's samples. "
            "Diagnose again with --images or --texts and without --no-words."
        )
    return words.joint.vectors, speaker_of(words, encoder)


def _deviations(along: F64, directions: F64) -> F64:
    """(n, t) how far each sample lies along each tag, in deviations over all samples."""
    found = along @ directions.T
    return found / np.maximum(found.std(0), 1e-12)


def _known_notes(known: dict[str, Counted]) -> tuple[str, ...]:
    """Of each tag that is counted, so, and whether the run tested the very same."""

    def said(name: str, one: Counted) -> str:
        own = one.confirmed
        ran = "the run did not confirm that condition"
        if own is not None:
            ran = f'the run itself confirmed "{own.text}" in {own.scope} (adjusted {p_value(own.p)})'
        return f'"{name}" was counted ("{one.text}"), not told by likeness: {ran}.'

    return tuple(said(name, one) for name, one in known.items())


def _notes(design: Design, untested: int, permutations: int) -> tuple[str, ...]:
    notes = ["Each p is adjusted over this list of tags; another list is a separate test."]
    if untested:
        was = (
            "tag is carried by fewer than {} samples and was"
            if untested == 1
            else "tags are carried by fewer than {} samples and were"
        )
        notes.append(f"{untested} {was.format(MIN_CANDIDATE_ROWS)} not tested.")
    if not design.testable:
        notes.append("Too few groups can be permuted, so tags have no p.")
    elif 0 < permutations < 5000:
        notes.append(f"{permutations:,} permutations are a preview. Use 5,000 or more for a p to report.")
    return tuple(notes)


class _Tested:
    """A run in the order of its ids, made ready for the test of tags."""

    def __init__(self, diagnosis: Diagnosis, design: Design, alpha: float) -> None:
        self.outcomes = diagnosis.outcomes
        self.design = design
        self.alpha = alpha
        self.groups = diagnosis.samples.groups
        self.n = len(diagnosis.samples)
        errors = diagnosis.outcomes.errors
        if errors is not None:
            self.failed = errors
            self.what = "wrong answers"
        else:
            line = np.quantile(diagnosis.outcomes.fitted, 1 - WORST, method="higher")
            self.failed = diagnosis.outcomes.fitted >= line
            self.what = f"the {WORST:.0%} of samples of highest loss"
        rates = np.bincount(design.centring_stratum, self.failed) / np.maximum(np.bincount(design.centring_stratum), 1)
        self.expected = rates[design.centring_stratum]

    def family(
        self, carried: Bool, n_permutations: int, seed: int, progress: Progress
    ) -> tuple[FamilyTest, dict[int, int]]:
        """The test of all tags that enough samples carry and lack, and the place of each of those in it."""
        sizes = carried.sum(0)
        most = self.n - MIN_CANDIDATE_ROWS
        tags = np.flatnonzero((sizes >= MIN_CANDIDATE_ROWS) & (sizes <= most)).tolist()
        regions = [Region("phrase", 0, np.flatnonzero(carried[:, t]).astype(np.int64), t) for t in tags]
        family = Family(self.n, self.design.scopes[:1], [], regions, self.design.groups)
        measured = measures(self.outcomes, self.design)
        if not regions or not self.design.testable:
            observed = family.statistics(measured.standardised_residuals.astype(np.float32))
            none = np.empty(0, np.float32)
            return FamilyTest(measured.standardised_residuals, measured.names, self.alpha, observed, none), dict(
                zip(tags, range(self.n))
            )
        rng = np.random.default_rng([seed, 7])
        test = read_family(
            family,
            measured,
            self.design.permuter(measured.standardised_residuals),
            rng,
            n_permutations=n_permutations,
            alpha=self.alpha,
            progress=progress,
        )
        return test, {t: place for place, t in enumerate(tags)}

    def report(self, tags: Sequence[TagFinding], scores: F64, permutations: int, notes: tuple[str, ...]) -> TagReport:
        """The findings in the order in which they are shown, as the (n, t) scores of the table's rows are."""
        carried = scores >= CUT
        failures = int(self.failed.sum())
        scores32 = scores.astype(np.float32)
        return TagReport(tuple(tags), carried, scores32, self.alpha, failures, self.what, permutations, notes)

    def lift(self, carried: Bool) -> float:
        """Failures among those that carry a tag over the failures that their classes let expect."""
        return self._ratio(np.flatnonzero(carried))

    def _ratio(self, rows: I64) -> float:
        expected = float(self.expected[rows].sum())
        return float(self.failed[rows].sum()) / expected if expected > 0 else float("nan")

    def finding(
        self, name: str, carried: Bool, worded: list[tuple[str, Bool]], test: FamilyTest, place: int | None
    ) -> TagFinding:
        """What the tag shows; without a place in the test (too few carry it) its shares alone."""
        everything = np.arange(self.n)
        lift = bootstrap(lambda at: self._ratio(at[carried[at]]), self.n, self.groups, np.random.default_rng(0))
        error = loss = p = measure = None
        if place is not None and test.is_permuted:
            effects = effects_of(carried, everything, self.outcomes, self.design, test.threshold, None, of=everything)
            error = effects.error_difference
            loss = effects.excess_loss
            best = int(test.observed[place].argmax())
            p = test.p(float(test.observed[place, best]))
            measure = test.names[best]
        size = int(carried.sum())
        return TagFinding(
            name,
            size,
            size / self.n,
            _share(carried[self.failed]),
            _share(carried[~self.failed]),
            lift,
            error,
            loss,
            p,
            measure,
            tuple(Wording(pattern, float(own.mean()), self.lift(own), _share(own[carried])) for pattern, own in worded),
        )


def _share(marks: Bool) -> float:
    return float(marks.mean()) if len(marks) else float("nan")
