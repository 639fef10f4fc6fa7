"""Tag samples by the descriptions of the tags alone, and test which tags failures carry more often than the others.

A sample carries a tag if its cosine with the tag's description lies MIN_DEVIATIONS or more above the mean of its class.
A tag that is counted or measured in every sample ("three numbers") is carried by those that have it, whatever the
cosine. Losses and examples play no part. How many samples truly have a tag that is judged by cosine is unknown: the cut
sets how many carry it, and the encoder whether these are the right ones.

The tags are one family: each is compared with all other samples, class means taken out, in errors and in loss. The
p-value is the share of permutations (within classes, whole groups together) in which the best of all tags does at least
as well. It covers this list of tags alone and is not part of the run's own family: a second list is a second family.
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
from core.numbers import count, p_value
from core.records import F32, F64, I64, Bool, Diagnosis, Estimate, Measure, Progress, no_progress
from core.statistics.intervals import bootstrap
from core.systems.common.class_descriptions import Pattern
from core.systems.label_descriptions.tags import DescribedTags, tag_directions, tag_patterns

if TYPE_CHECKING:
    from core.embeddings.texts import TextTower

MIN_DEVIATIONS = 1.25
"""From which a sample carries a tag: a tenth of the samples where cosines are normal. Fixed beforehand, not tuned."""
FAILURE_SHARE = 0.1
"""Where errors are unknown, the failures are the tenth of samples with the highest loss; a convention."""
REPORTED_PERMUTATIONS = 5000
"""Enough for a p-value near 0.05 to be known to 0.006 (twice its standard error)."""


@dataclass(frozen=True, slots=True)
class Wording:
    """A tag's name in one pattern, in place of its description."""

    pattern: str
    share: float
    lift: float
    overlap: float
    """Of the samples that carry the tag by its description, the share that carries it by this wording too."""


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
    """Failures that carry it over those expected from the failure rates of their classes; a bootstrap interval for this
    tag alone."""
    error_difference: Estimate | None
    """Error rate of those that carry it minus that of all others, classes taken out; the interval holds for every tag
    of the list at once. None where errors are unknown, or nothing was tested."""
    loss_difference: Estimate | None
    """The same of the mean loss."""
    p: float | None
    """Adjusted over all tags and both measures of failure; None where nothing can be permuted, or too few samples
    carry the tag."""
    measure: Measure | None
    """The measure with the stronger excess."""
    wordings: tuple[Wording, ...]
    counted: str = ""
    """The counted or measured condition that the name states, which no wording changes; "" of a tag judged by
    cosine."""

    def spread(self, of: str) -> tuple[float, float, float]:
        """(mean, least, greatest) over the wordings of "share", "lift" or "overlap"."""
        values = [float(getattr(wording, of)) for wording in self.wordings]
        return float(np.mean(values)), min(values), max(values)

    @property
    def agreeing(self) -> int:
        """Number of wordings whose lift lies on the same side of 1 as the description's."""
        return sum((wording.lift > 1) == (self.lift.value > 1) for wording in self.wordings)


@dataclass(frozen=True, slots=True, eq=False)
class TagReport:
    """The tags of n samples, strongest excess first."""

    tags: tuple[TagFinding, ...]
    carried: Bool
    """(n, t) which sample carries which tag."""
    scores: F32
    """(n, t) deviations above the mean of the sample's class."""
    alpha: float
    n_failures: int
    failures: str
    """The samples that count as failures."""
    permutations: int
    notes: tuple[str, ...]

    def is_confirmed(self, tag: TagFinding) -> bool:
        """Whether its p-value is at most alpha and the encoder reads its words: one that takes "not a plant" for "a
        plant" confirms neither."""
        is_read = bool(tag.counted) or not is_hardly_heard(tag.name)
        return tag.p is not None and tag.p <= self.alpha and is_read


def tag_samples(
    diagnosis: Diagnosis,
    tags: DescribedTags,
    *,
    patterns: Sequence[Pattern] = (),
    n_permutations: int = REPORTED_PERMUTATIONS,
    alpha: float = 0.05,
    seed: int = 0,
    encoder: TextTower | None = None,
    cache: Path | None = None,
    progress: Progress = no_progress,
) -> TagReport:
    """Tag every sample of a run and test which tags its failures carry.

    Args:
        patterns: wordings to compare with the descriptions; by default the fourteen shipped for the run's modality.
        n_permutations: at least 5,000 for a p-value to report.

    Raises:
        InvalidInput: the run has no words, or they come from another version of its encoder.
    """
    words = diagnosis.words
    if words is None or not words.encoder:
        raise InvalidInput(
            "Tags need a text encoder, and none embedded this run's samples. "
            "Diagnose again with --images or --texts, without --no-words."
        )
    joint = words.joint.vectors
    tower = speaker_of(words, encoder)
    patterns = tuple(patterns) or tag_patterns(diagnosis.samples.modality)
    directions = tag_directions(tags, patterns, tower, cache, progress)
    # in the order of ids, so that the order of the table's rows changes no figure
    order = np.argsort(np.array(diagnosis.samples.ids), kind="stable")
    ordered = replace(diagnosis, samples=diagnosis.samples.keep(order), outcomes=diagnosis.outcomes.keep(order))
    design = design_of(ordered)
    # class means are taken out, so that a class which looks like a tag does not carry it as a whole
    centered = np.asarray(centred(joint[order], design.centring_stratum), np.float64)
    scores = _deviations(centered, directions.described)
    worded: list[tuple[str, Bool]] = []
    for pattern, vectors in zip(patterns, directions.worded, strict=True):
        worded.append((pattern.name, _deviations(centered, vectors) >= MIN_DEVIATIONS))
    conditions = _counted_tags(diagnosis, tags, design)
    for t, condition in conditions.items():
        mask = rows_counted(condition, len(order))[order]
        scores[:, t] = MIN_DEVIATIONS * mask
        for _, worded_carried in worded:
            worded_carried[:, t] = mask
    tag_test = _TagTest(ordered, design, alpha)
    carried = scores >= MIN_DEVIATIONS
    test, positions = tag_test.family(carried, n_permutations, seed, progress)
    findings: list[TagFinding] = []
    strengths = np.full(len(tags.names), -np.inf)
    for t, name in enumerate(tags.names):
        by_wording = [(pattern, worded_carried[:, t]) for pattern, worded_carried in worded]
        finding = tag_test.finding(name, carried[:, t], by_wording, test, positions.get(t))
        if t in conditions:
            finding = replace(finding, counted=conditions[t].text)
        if t in positions:
            strengths[t] = test.observed[positions[t]].max()
        findings.append(finding)
    ranked = np.argsort(-strengths, kind="stable")
    notes = ["Each p is adjusted over this list of tags; another list is a separate test."]
    n_untested = len(tags.names) - len(positions)
    if n_untested:
        few = f"fewer than {MIN_CANDIDATE_ROWS} samples with or without the tag"
        notes.append(f"Skipped {count(n_untested, 'tag')}: {few}.")
    if not design.testable:
        notes.append("Tags have no p: too few groups of related rows can be permuted.")
    elif 0 < len(test.null) < REPORTED_PERMUTATIONS:
        notes.append(
            f"{len(test.null):,} permutations are a preview. Use {REPORTED_PERMUTATIONS:,} or more to report a p."
        )
    for t, condition in conditions.items():
        outcome = "The run did not confirm this condition."
        insight = condition.confirmed
        if insight is not None:
            outcome = f'The run confirmed "{insight.text}" in {insight.scope} (adjusted {p_value(insight.p)}).'
        notes.append(f'"{tags.names[t]}" is counted ("{condition.text}"), not matched by the encoder. {outcome}')
    by_cosine = [name for t, name in enumerate(tags.names) if t not in conditions]
    notes += hearing_notes(by_cosine, diagnosis.samples.modality, diagnosis.insights)
    if any(map(is_hardly_heard, by_cosine)):
        notes.append('Errata never confirms a tag with "not" or a number.')
    table_scores = scores[np.argsort(order, kind="stable")][:, ranked]
    return TagReport(
        tuple(findings[t] for t in ranked.tolist()),
        table_scores >= MIN_DEVIATIONS,
        table_scores.astype(np.float32),
        alpha,
        int(tag_test.failed.sum()),
        tag_test.failures,
        len(test.null),
        tuple(notes),
    )


def _deviations(centered: F64, directions: F64) -> F64:
    """(n, t) cosine of each sample with each tag above its class, in standard deviations over all samples."""
    cosines = centered @ directions.T
    return cosines / np.maximum(cosines.std(0), 1e-12)


def _counted_tags(diagnosis: Diagnosis, tags: DescribedTags, design: Design) -> dict[int, Counted]:
    """The conditions of the tags that are counted or measured in each sample, by the tag's index."""
    tested = column_conditions(diagnosis.samples.metadata, design)[0]
    stated = [(condition.text, condition.tests, condition.mask) for condition in reversed(tested)]
    conditions: dict[int, Counted] = {}
    for t, name in enumerate(tags.names):
        condition = counted(name, diagnosis, tested=stated)
        if condition is not None:
            conditions[t] = condition
    return conditions


class _TagTest:
    """Test of tags on a run in the order of its ids."""

    def __init__(self, diagnosis: Diagnosis, design: Design, alpha: float) -> None:
        self.outcomes = diagnosis.outcomes
        self.design = design
        self.alpha = alpha
        self.groups = diagnosis.samples.groups
        self.n = len(diagnosis.samples)
        errors = diagnosis.outcomes.errors
        if errors is not None:
            self.failed = errors
            self.failures = "wrong answers"
        else:
            threshold = np.quantile(diagnosis.outcomes.fitted, 1 - FAILURE_SHARE, method="higher")
            self.failed = diagnosis.outcomes.fitted >= threshold
            self.failures = f"the {FAILURE_SHARE:.0%} with the highest loss"
        rates = np.bincount(design.centring_stratum, self.failed) / np.maximum(np.bincount(design.centring_stratum), 1)
        self.expected = rates[design.centring_stratum]

    def family(
        self, carried: Bool, n_permutations: int, seed: int, progress: Progress
    ) -> tuple[FamilyTest, dict[int, int]]:
        """Test all tags that enough samples carry and lack; returns the test and the position of each tag in it."""
        sizes = carried.sum(0)
        most = self.n - MIN_CANDIDATE_ROWS
        tags = np.flatnonzero((sizes >= MIN_CANDIDATE_ROWS) & (sizes <= most)).tolist()
        regions = [Region("phrase", 0, np.flatnonzero(carried[:, t]).astype(np.int64), t) for t in tags]
        family = Family(self.n, self.design.scopes[:1], [], regions, self.design.groups)
        positions = {t: position for position, t in enumerate(tags)}
        measured = measures(self.outcomes, self.design)
        residuals = measured.standardised_residuals
        if not regions or not self.design.testable:
            observed = family.statistics(residuals.astype(np.float32))
            no_null = np.empty(0, np.float32)
            return FamilyTest(residuals, measured.names, self.alpha, observed, no_null), positions
        test = read_family(
            family,
            measured,
            self.design.permuter(residuals),
            np.random.default_rng([seed, 7]),
            n_permutations=n_permutations,
            alpha=self.alpha,
            progress=progress,
        )
        return test, positions

    def lift(self, rows: I64) -> float:
        """Failures among the rows over those expected from the failure rates of their classes."""
        expected = float(self.expected[rows].sum())
        return float(self.failed[rows].sum()) / expected if expected > 0 else float("nan")

    def finding(
        self, name: str, carried: Bool, worded: list[tuple[str, Bool]], test: FamilyTest, position: int | None
    ) -> TagFinding:
        """Shares, lift and test of a tag; without a position in the test (too few carry it) no p-value."""
        everything = np.arange(self.n)
        lift = bootstrap(lambda rows: self.lift(rows[carried[rows]]), self.n, self.groups, np.random.default_rng(0))
        error = loss = p = measure = None
        if position is not None and test.is_permuted:
            effects = effects_of(carried, everything, self.outcomes, self.design, test.threshold, None, of=everything)
            error = effects.error_difference
            loss = effects.excess_loss
            best = int(test.observed[position].argmax())
            p = test.p(float(test.observed[position, best]))
            measure = test.names[best]
        size = int(carried.sum())
        wordings: list[Wording] = []
        for pattern, mask in worded:
            wordings.append(
                Wording(pattern, float(mask.mean()), self.lift(np.flatnonzero(mask)), _share(mask[carried]))
            )
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
            tuple(wordings),
        )


def _share(marks: Bool) -> float:
    return float(marks.mean()) if len(marks) else float("nan")
