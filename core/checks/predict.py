"""Check the findings on new data: open fresh samples and see whether they fail as the frozen findings predict.

A finding that was luck does not hold on samples that nobody looked at. So each confirmed cluster, phrase and condition
is frozen under one hash, with its rule and its predicted error rate or mean loss (the measure in which it was
confirmed). It is checked on fresh samples beside what a person would have picked: a lasso around the worst spot of the
map, and the neighbors of the highest losses.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from core.checks.claims import MIN_MATCHES, Claim
from core.checks.freeze import Frozen, freeze
from core.checks.fresh_samples import FreshSamples
from core.data.images.thumbnails import STORED_SIZE
from core.data.inline import preview_address, text_of
from core.errors import InvalidInput
from core.numbers import count
from core.records import I64, Bool, Diagnosis, MatchedSample, Measure, Prediction, PredictionRow
from core.statistics.measures import default_measure
from core.statistics.permutation import holm

if TYPE_CHECKING:
    from core.data.samples import DataSet

PICKED_SHARE = 0.05
"""Share of the samples in the by-eye lasso, and of the samples of highest loss. A convention: about what a person
encloses on the map."""
MAX_SHOWN = 6
"""Matching samples of a finding that are kept to be shown."""
MAX_SHOWN_LETTERS = 300


def predict(
    diagnosis: Diagnosis,
    data: DataSet,
    *,
    selection: I64 | None = None,
    source: str = "fresh samples",
    as_is: bool = False,
) -> Prediction:
    """Compare what each frozen finding predicts for the fresh samples with what they show.

    Args:
        data: fresh samples with embeddings (and words, for phrases) of the run's encoders; see
            `core.discovery.prepare.embed`.
        selection: rows of the *diagnosed* samples that somebody picked by eye; reported as "your lasso".
        source: name of the fresh samples.
        as_is: the user confirms the table, so that what looks like a mistake is only noted.

    Raises:
        InvalidInput: the fresh samples were not embedded as the diagnosed ones, or lack errors that those have.
    """
    fresh = FreshSamples.of(diagnosis, data, as_is)
    frozen = freeze(diagnosis, fresh.design)
    claims: list[Claim] = []
    for f in frozen.findings:
        not_tried = fresh.not_tried(f)
        claims.append(
            Claim(f.kind, f.text, f.scope, fresh.matching(f), f.measure, f.predicted, f.spread, f.likeness, not_tried)
        )
    measure = _usual_measure(frozen, fresh)
    rows = (*_with_p(fresh, claims), *map(fresh.row, _picks_by_eye(fresh, selection, measure)))
    lacking = Counter(claim.not_tried for claim in claims if claim.not_tried and claim.kind == "condition")
    notes = (f"Not checked, since {reason}: {count(n, 'condition')}." for reason, n in lacking.items())
    return Prediction(frozen.digest, len(fresh.samples), measure, source, rows, (*notes, *fresh.notes), fresh.excluded)


def _usual_measure(frozen: Frozen, fresh: FreshSamples) -> Measure:
    """The measure of most findings, so that picks by eye can be compared with them."""
    usual = default_measure(fresh.diagnosis.outcomes)
    if fresh.another:
        return usual
    counts = Counter(f.measure for f in frozen.findings)
    return max((usual, "error rate", "mean loss"), key=lambda m: counts[m])


def _with_p(fresh: FreshSamples, claims: Sequence[Claim]) -> list[PredictionRow]:
    """A row for each claim, with Holm's p if enough fresh samples match it and enough do not."""
    rows = [fresh.row(claim) for claim in claims]
    judged: list[int] = []
    for i, (row, claim) in enumerate(zip(rows, claims)):
        others = fresh.scope(claim.scope) & ~claim.matching
        n_others = others.sum()
        if row.n >= MIN_MATCHES and n_others >= MIN_MATCHES:
            judged.append(i)
        # evenly from the table's order, so that none is picked for its outcome
        matching = np.flatnonzero(claim.matching)
        at = np.linspace(0, len(matching) - 1, min(MAX_SHOWN, len(matching))).astype(np.int64)
        row = replace(row, samples=tuple(_matched(fresh, index) for index in matching[at].tolist()))
        errors = fresh.outcomes.errors
        if errors is not None:
            row = replace(row, n_wrong=int(errors[claim.matching].sum()))
            if n_others:
                row = replace(row, rest_wrong=float(errors[others].mean()))
        rows[i] = row
    adjusted = holm([fresh.p(claims[i]) for i in judged])
    for i, p in zip(judged, adjusted):
        rows[i] = replace(rows[i], p=float(p))
    return rows


def _matched(fresh: FreshSamples, row: int) -> MatchedSample:
    samples = fresh.samples
    outcomes = fresh.outcomes
    answer = ""
    if samples.labels is not None and len(samples.class_names):
        answer = samples.class_names[int(samples.labels[row])]
        if outcomes.predictions is not None and outcomes.predictions[row] != samples.labels[row]:
            answer = f"{answer} → {samples.class_names[int(outcomes.predictions[row])]}"
    wrong = None
    if outcomes.errors is not None:
        wrong = bool(outcomes.errors[row])
    text = text_of(samples, row)[:MAX_SHOWN_LETTERS]
    picture = ""
    if samples.items is not None and not text:
        try:
            marks = samples.items.marks(row)
            picture = preview_address(samples.items.read(row), samples.modality, STORED_SIZE, marks=marks)
        except (InvalidInput, OSError, ValueError):
            picture = ""  # the notes list unreadable images
    return MatchedSample(samples.ids[row], answer, wrong, picture, text)


def _picks_by_eye(fresh: FreshSamples, selection: I64 | None, measure: Measure) -> list[Claim]:
    """What a person would have picked, as claims on the fresh samples near it."""
    diagnosis = fresh.diagnosis
    picks = [("by-eye lasso", "the worst spot of the map", _worst_spot(diagnosis))]
    if selection is not None and len(selection):
        picked = np.isin(np.arange(len(diagnosis.samples)), selection)
        picks.append(("your lasso", f"{len(selection):,} samples picked by eye", picked))
    losses = diagnosis.outcomes.loss
    highest = np.zeros(len(diagnosis.samples), bool)
    highest[np.argsort(-losses, kind="stable")[: max(MIN_MATCHES, round(PICKED_SHARE * len(losses)))]] = True
    picks.append(("top-loss neighbors", "samples most like those of highest loss", highest))
    return [fresh.of_pick(kind, text, picked, measure) for kind, text, picked in picks]


def _worst_spot(diagnosis: Diagnosis) -> Bool:
    """(n,) the twentieth of the samples that lie together on the map and have the highest mean loss."""
    from sklearn.neighbors import NearestNeighbors  # type: ignore[import-untyped]

    losses = diagnosis.outcomes.fitted
    xy = diagnosis.map.xy
    count = max(10, round(PICKED_SHARE * len(losses)))
    near: I64 = NearestNeighbors(n_neighbors=min(count, len(losses))).fit(xy).kneighbors(xy, return_distance=False)
    return np.isin(np.arange(len(losses)), near[int(losses[near].mean(1).argmax())])
