"""The result in plain sentences: one wording for the command line, the report and the page."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np

from core.records import F64, Diagnosis, Estimate, FailureCluster


def number(value: float | None, digits: int = 2) -> str:
    """The value with `digits` decimals, a true minus sign, and a dash where it is undefined."""
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:,.{digits}f}".replace("-", "−")


def digits_for(loss: F64) -> int:
    """How many decimals show differences of this loss: two for losses of about 1, none for squared errors in the thousands."""
    spread = float(np.std(loss)) or 1.0
    return 2 if 0.1 <= spread < 20 else 1 if 20 <= spread < 200 else 0 if spread >= 200 else min(6, 1 - math.floor(math.log10(spread)))


def percent(value: float | None) -> str:
    """A share of 1 as a percentage; tenths below 10 %."""
    if value is None or not math.isfinite(value):
        return "–"
    return f"{number(100 * value, 1 if 0 < abs(value) < 0.0995 else 0)}\u00a0%"


def interval(estimate: Estimate | None, *, share: bool = False, digits: int = 2) -> str:
    """The interval alone, such as "0.30 to 0.50" or "30 to 50 %"."""
    if estimate is None or not (math.isfinite(estimate.low) and math.isfinite(estimate.high)):
        return "no interval"
    if share:
        return f"{percent(estimate.low)[:-2]} to {percent(estimate.high)}"
    return f"{number(estimate.low, digits)} to {number(estimate.high, digits)}"


def p_value(p: float | None) -> str:
    """Such as "p = 0.004", "p < 0.001", or "no p" where none was computed."""
    if p is None or not math.isfinite(p):
        return "no p"
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}" if p < 0.1 else f"p = {p:.2f}"


def count(n: int, noun: str) -> str:
    """The count with its noun, such as "1 cluster" or "2,400 samples"."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def with_unit(diagnosis: Diagnosis) -> str:
    """The loss's unit with a space before it, or nothing where the unit says no more than "loss"."""
    unit = diagnosis.outcomes.unit
    return "" if unit in ("", "loss") else f" {unit}"


def verdict(diagnosis: Diagnosis) -> str:
    """The result in one sentence."""
    n = len(diagnosis.clusters)
    if n == 0:
        return "No failure cluster was confirmed: nothing beyond what chance gives."
    share = percent(covered(diagnosis))
    return f"{count(n, 'failure cluster')} confirmed, holding {share} of {'all failures' if _errors_known(diagnosis) else 'the loss above the mean'}."


def covered(diagnosis: Diagnosis) -> float:
    """Share of all failures that lie in any confirmed cluster; of all loss above the mean where errors are unknown."""
    inside = diagnosis.cluster_of()[0] >= 0
    loss, errors = diagnosis.outcomes.loss, diagnosis.outcomes.errors
    weight = errors.astype(np.float64) if errors is not None else np.maximum(loss - loss.mean(), 0)
    total = float(weight.sum())
    return float(weight[inside].sum()) / total if total > 0 else math.nan


def predictability_sentence(diagnosis: Diagnosis) -> str:
    """How much of the loss the embedding predicts on rows the fit did not see."""
    found = diagnosis.estimate.predictability
    r2 = found.r2
    if found.p is None:
        ground = "too few groups to test whether that is more than chance"
    elif found.p <= float(diagnosis.settings.get("alpha", 0.05)):
        ground = f"more than chance allows ({p_value(found.p)})"
    else:
        ground = f"no more than chance allows ({p_value(found.p)})"
    name = f"the {diagnosis.outcomes.name} proxy" if diagnosis.outcomes.is_proxy else f"the {diagnosis.outcomes.name}"
    return (
        f"The embedding predicts {percent(max(r2.value, 0.0))} of the variance of {name} on samples the fit did not see "
        f"(R² {number(r2.value)}, 95\u00a0% {interval(r2)}): {ground}."
    )


def cluster_sentence(diagnosis: Diagnosis, cluster: FailureCluster) -> str:
    """One cluster in one sentence: size, excess, errors, coverage."""
    digits, unit = digits_for(diagnosis.outcomes.loss), with_unit(diagnosis)
    where = count(cluster.size, "sample") + ("" if cluster.scope == "all samples" else f" of {cluster.scope}")
    excess = f"loss {number(cluster.excess_loss.value, digits)}{unit} above the rest (95\u00a0% {interval(cluster.excess_loss, digits=digits)})"
    parts = [where, excess]
    if cluster.error_rate is not None:
        outside = "" if cluster.error_outside is None else f" against {percent(cluster.error_outside)} outside"
        parts.append(f"{percent(cluster.error_rate.value)} wrong{outside}")
    kind = "of all failures" if _errors_known(diagnosis) else "of the loss above the mean"
    parts.append(f"{percent(cluster.coverage.value)} {kind}")
    return ", ".join(parts) + f", {p_value(cluster.p)}" * cluster.confirmed


def explanation(diagnosis: Diagnosis, cluster: FailureCluster) -> str:
    """The two confirmed conditions that retrieve the cluster best, or "" if there is none."""
    confirmed = [i for i in diagnosis.insights if i.cluster == cluster.id and i.confirmed]
    return "; ".join(i.text for i in sorted(confirmed, key=lambda i: -(i.retrieval or 0.0))[:2])


def detectable_sentence(diagnosis: Diagnosis) -> str:
    """The smallest effect that would have been found: what "nothing" means here. Empty if it was not computed."""
    seen = [d for d in diagnosis.detectable if d.excess_loss is not None]
    missed = [d.size for d in diagnosis.detectable if d.excess_loss is None]
    digits, unit = digits_for(diagnosis.outcomes.loss), with_unit(diagnosis)
    parts = [f"{number(d.excess_loss, digits)}{unit} in a cluster of {d.size:,}" for d in seen]
    sentence = ""
    if seen:
        chances = sorted({percent(d.power) for d in seen})
        sentence = f"With a chance of {' to '.join(chances)} this run would have found an excess loss of {_either(parts)}."
    if missed:
        sizes = _either([f"{size:,}" for size in missed])
        sentence += (
            f" Clusters of {sizes} with four fifths of their samples failing would have been found less often than that, "
            "where they are round neighbourhoods of the embedding."
        )
    return sentence.strip()


def text_summary(diagnosis: Diagnosis) -> str:
    """The result as a few lines of plain text, for the end of a command."""
    lines = [verdict(diagnosis), predictability_sentence(diagnosis)]
    for cluster in diagnosis.clusters:
        shared = explanation(diagnosis, cluster)
        lines.append(f"  {cluster.id + 1}. {cluster.name}: {cluster_sentence(diagnosis, cluster)}{f'; shared: {shared}' if shared else ''}")
    failing = [f for f in diagnosis.classes if f.confirmed]
    if failing:
        digits = digits_for(diagnosis.outcomes.loss)
        named = "; ".join(f"{f.name} (mean loss {number(f.mean_loss.value, digits)}, {p_value(f.p)})" for f in failing[:5])
        lines.append(f"Failing as a whole: {named}{f'; and {len(failing) - 5} more' if len(failing) > 5 else ''}.")
    if not diagnosis.clusters and (sentence := detectable_sentence(diagnosis)):
        lines.append(sentence)
    if diagnosis.excluded:
        lines.append(f"{count(len(diagnosis.excluded), 'row')} left out: {reasons(diagnosis)}.")
    return "\n".join([*lines, *(f"Note: {note}" for note in diagnosis.notes)])


def reasons(diagnosis: Diagnosis, most: int = 4) -> str:
    """The commonest reasons for leaving rows out, with their counts."""
    common = Counter(reason for _, reason in diagnosis.excluded).most_common()
    shown = "; ".join(f"{reason} ({n:,})" for reason, n in common[:most])
    return shown + (f"; and {len(common) - most} more reasons" if len(common) > most else "")


def _errors_known(diagnosis: Diagnosis) -> bool:
    return diagnosis.outcomes.errors is not None


def _either(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} or {parts[-1]}"
