"""Two models on the same samples, in plain sentences."""

from __future__ import annotations

import math

from core.checks.paired_errors import ALPHA, MARGIN, MODEL
from core.numbers import PER_CENT, count, interval, number, p_value, points, with_interval
from core.records import OWN, Comparison, Diagnosis, Estimate, FourWay
from core.reports.wording.findings import cluster_title

VERDICTS = {
    "fixed": "better: {b} is wrong less often here",
    "partly": "better: {b} is wrong less often here, yet more often than elsewhere",
    "same": "the same: {b} fails here as {a} does, within {margin}",
    "shared": "shared: {b} too does worse here than elsewhere",
    "own": "own to {a}: its errors rise here more than those of {b}, which is not known to do "
    "worse here than elsewhere",
    "broken": "broken: {b} is worse here",
    "open": "open: too little to tell",
}
BLIND = "open: {b} is not shown to be much better than chance, so it says nothing of what is hard here"
UNTESTED = "open: not tested"
"""Of a scope with too few rows, or of models that are judged by different truths."""


def model_name(name: str, diagnosis: Diagnosis | None = None) -> str:
    """What a model is called in a sentence: "your model", or the probe that the run is about."""
    if name != MODEL:
        return name
    own = None if diagnosis is None else diagnosis.extras.get(OWN)
    return own if isinstance(own, str) else "your model"


def share(estimate: Estimate | None) -> str:
    """Such as "43% (40 to 46%)"; a dash where there is none."""
    return with_interval(estimate, share=True)


def overall_sentences(found: Comparison, diagnosis: Diagnosis | None = None, noun: str = "image") -> tuple[str, ...]:
    """The two accuracies, the four counts, and what follows.

    Args:
        noun: what is counted, where there is no diagnosis to say it.
    """
    noun = noun if diagnosis is None else diagnosis.samples.modality
    a = model_name(found.a, diagnosis)
    b = model_name(found.b, diagnosis)
    all_rows = found.overall
    difference = all_rows.difference
    if all_rows.verdict in ("fixed", "broken"):
        better, worse = (b, a) if all_rows.verdict == "fixed" else (a, b)
        said = f"{better} is right more often than {worse}"
    else:
        said = f"no difference between {a} and {b} {'can be told' if all_rows.p is not None else 'was tested for'}"
    tested = "not tested" if all_rows.p is None else f"McNemar {p_value(all_rows.p)}"
    change = f"{points(difference.value, sign=True)} for {b} ({span(difference)}), {tested}"
    rates = f"{a} is right on {share(found.accuracy_a)} and {b} on {share(found.accuracy_b)}"
    counts = (
        f"{b} fixes {all_rows.fixed:,}, breaks {all_rows.broken:,}, fails with {a} on {all_rows.both:,} "
        "and is right with it on"
    )
    together = (
        f" Agreement of their failures beyond chance (kappa): {number(found.agreement, 2)}."
        if math.isfinite(found.agreement)
        else ""
    )
    return (
        f"On the same {count(all_rows.n, noun)} {rates}: {said} ({change}).",
        f"{counts} {all_rows.neither:,}.{together}",
    )


def verdict_words(
    found: Comparison, scope: FourWay, diagnosis: Diagnosis | None = None, *, figures: bool = True
) -> str:
    """The verdict on one class or cluster; for the words of one run also the figure that it rests on, unless figures
    stand beside it."""
    if scope.p is None and scope.verdict == "open":
        return UNTESTED
    a = model_name(found.a, diagnosis)
    b = model_name(found.b, diagnosis)
    blind = scope.blind and scope.verdict == "open"
    said = (BLIND if blind else VERDICTS[scope.verdict]).format(a=a, b=b, margin=points(MARGIN))
    if scope.verdict == "shared" and scope.p is not None and scope.p <= ALPHA and scope.difference.value < 0:
        said = f"shared, and worse: {b} does worse here than {a}, and than it does elsewhere"
    ground = {"own": scope.excess_gap, "shared": scope.shares, "partly": scope.shares, "same": scope.difference}.get(
        scope.verdict
    )
    if diagnosis is not None and figures and ground is not None:
        said += f" ({points(ground.value, sign=True)}, {span(ground)})"
    return said.removesuffix(" here") if scope.kind == "all" else said


def scope_title(diagnosis: Diagnosis, scope: FourWay) -> str:
    """A cluster by its number and title, a class by its name."""
    cluster = next((c for c in diagnosis.clusters if c.id == scope.cluster), None)
    return scope.scope if cluster is None else f"{cluster.id + 1}. {cluster_title(diagnosis, cluster)}"


def comparison_lines(diagnosis: Diagnosis, found: Comparison) -> list[str]:
    """Both sentences, then an aligned line for each cluster and each class that differs."""
    lines = list(overall_sentences(found, diagnosis))
    if found.clusters:
        lines += _table("By failure cluster", diagnosis, found, found.clusters)
    told = [f for f in found.classes if f.verdict != "open"]
    if told:
        lines += _table("By class, where they differ", diagnosis, found, tuple(told))
    elif found.classes:
        lines.append("No single class differs beyond chance.")
    return lines + [f"Note: {note}" for note in found.notes]


def _table(head: str, diagnosis: Diagnosis, found: Comparison, scopes: tuple[FourWay, ...]) -> list[str]:
    titles = [scope_title(diagnosis, f) for f in scopes]
    width = min(48, max(len(head), *(len(t) + 2 for t in titles)))
    columns = (f"{diagnosis.samples.modality}s", "fixed", "broken", "both", "neither")
    lines = [f"{head:<{width}}" + "".join(f"{name:>9}" for name in columns)]
    for title, f in zip(titles, scopes):
        shown = f"  {title}" if len(title) + 2 <= width else f"  {title[: width - 3]}…"
        lines.append(
            f"{shown:<{width}}"
            + "".join(f"{n:>9,}" for n in (f.n, f.fixed, f.broken, f.both, f.neither))
            + f"  {verdict_words(found, f, diagnosis)}"
        )
    return lines


def span(estimate: Estimate) -> str:
    return interval(estimate, share=True).removesuffix(PER_CENT)
