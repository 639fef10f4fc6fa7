"""Two models on the same samples, as a section."""

from __future__ import annotations

from functools import partial

from core.checks.paired_errors import ALPHA, MODEL
from core.language.titles import capital
from core.numbers import bracketed, count, p_value, points
from core.records import Comparison, Diagnosis, FourWay, Row, Section, Verdict
from core.reports.html.comparison import example_images
from core.reports.wording.comparison import model_name, overall_sentences, scope_title, verdict_words
from core.reports.wording.findings import cluster_title, sample_noun

CHOSEN = "The groups were chosen because {own} fails in them."
CORRECTED = "P-values and intervals allow for that, the counts do not."
ADJUSTED = "Each p-value is adjusted over the groups, or over the classes (Holm); their intervals hold jointly."


def comparison_section(diagnosis: Diagnosis, comparison: Comparison, *, in_full: bool = False) -> Section:
    """What the second model fixes and breaks: all samples, then each group, then the classes that differ.

    Args:
        diagnosis: the run of both.
        comparison: one that `core.checks.compare.compare` gave.
        in_full: every class, the largest change first, and how much more the second model errs in a scope than
            elsewhere.
    """
    a = model_name(comparison.a, diagnosis)
    b = model_name(comparison.b, diagnosis)
    counts, rates = overall_sentences(comparison, diagnosis)
    changed = [scope for scope in comparison.classes if scope.verdict != "open"]
    classes = changed
    if in_full:
        classes = sorted(comparison.classes, key=lambda c: (c.verdict == "open", -abs(c.difference.value) * c.n))
    scopes = (*comparison.clusters, *classes)
    rows = [_scope(diagnosis, comparison, scope, in_full=in_full) for scope in scopes]
    notes = [rates]
    method = [CHOSEN.format(own=model_name(MODEL, diagnosis)), ADJUSTED]
    if MODEL in (comparison.a, comparison.b):
        method.insert(1, CORRECTED)
    if any(scope.p is not None for scope in comparison.classes) and not changed:
        notes.append("No class differs beyond chance.")
    return Section(
        f"{b} beside {a}",
        counts,
        rows=rows,
        figure=partial(example_images, diagnosis, comparison),
        notes=[*notes, *comparison.notes],
        method=[" ".join(method)],
        key="comparison",
    )


def _scope(diagnosis: Diagnosis, comparison: Comparison, scope: FourWay, *, in_full: bool) -> Row:
    """A group or a class: counts and verdict; the gain is for who asks how sure it is."""
    title = f"Class {scope_title(diagnosis, scope)}"
    rank = None
    cluster = next((c for c in diagnosis.clusters if c.id == scope.cluster), None)
    if cluster is not None:
        title = cluster_title(diagnosis, cluster)
        rank = cluster.id + 1
    counts = (
        f"{count(scope.n, sample_noun(diagnosis))}: {scope.fixed:,} fixed, {scope.broken:,} broken, "
        f"{scope.both:,} wrong in both"
    )
    gain = f"Gain {points(scope.difference.value, sign=True)} {bracketed(scope.difference, points=True)}"
    tested: Verdict = ""
    if scope.p is not None:
        gain = f"{gain}, adjusted {p_value(scope.p)}"
        if scope.p <= ALPHA:
            tested = "confirmed"
    sure = [f"{gain}."]
    if in_full and scope.shares is not None:
        b = model_name(comparison.b, diagnosis)
        level = f"{points(scope.shares.value, sign=True)} {bracketed(scope.shares, points=True)}"
        sure.append(f"Error rate of {b} here minus that on the others: {level}, one-sided {p_value(scope.shares_p)}.")
    return Row(
        title,
        f"{counts}. {capital(verdict_words(comparison, scope, diagnosis))}.",
        scope.n,
        scope.difference,
        0.0,
        "gain in points",
        scope.p,
        tested,
        rank,
        sure=tuple(sure),
    )
