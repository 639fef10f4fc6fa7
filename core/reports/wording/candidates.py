"""Hints: groups that stand out and are not findings."""

from __future__ import annotations

from core.numbers import count, percent, plural
from core.records import Diagnosis, FailureCluster
from core.reports.wording.findings import cluster_figures

HINTS = "Hints"
NO_HINTS = "No hints: nothing else stands out."


def candidates_sentence(diagnosis: Diagnosis) -> str:
    """What the list is and how much of it is noise: "5 hints, not findings. About 4 are probably noise."; `NO_HINTS`
    for an empty list."""
    hints = diagnosis.candidates
    if not hints:
        return NO_HINTS
    if any(hint.local_fdr is None for hint in hints):
        if len(hints) == 1:
            return "1 hint, not tested."
        return f"{count(len(hints), 'hint')}, not tested. The one that stands out most comes first."
    if len(hints) == 1:
        return "1 hint, not a finding."
    expected = round(sum(hint.local_fdr or 0.0 for hint in hints))
    if expected == 0:
        return f"{len(hints)} hints, not findings. Probably none is noise."
    if expected == len(hints):
        return f"{len(hints)} hints, not findings. Probably all are noise."
    return f"{len(hints)} hints, not findings. About {expected} {plural(expected, 'is', 'are')} probably noise."


def candidate_phrase(diagnosis: Diagnosis, candidate: FailureCluster) -> str:
    """One hint, such as "wrong on 14 of 30 (47%), 9% of the others; 59% likely to be noise"; the count flatters
    what was picked."""
    return "; ".join(filter(None, (cluster_figures(diagnosis, candidate), chance_phrase(candidate))))


def chance_phrase(candidate: FailureCluster) -> str:
    """Such as "70% likely to be noise" (`core.statistics.local_fdr`); "" where that is not known."""
    if candidate.local_fdr is None:
        return ""
    return f"{percent(candidate.local_fdr)} likely to be noise"
