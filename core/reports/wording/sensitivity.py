"""Detection limits: which groups would have been found, had they been there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from core.numbers import count, digits_for, interval, number, percent, plural, with_unit
from core.records import EVERYTHING, Diagnosis, PlantedPattern, Sensitivity

REFERENCE = {"error rate": 0.5, "times the mean loss": 2.0, "deviations of the loss": 1.0}
"""The strength that is spoken of first: half wrong, twice the loss, one standard deviation more."""
KEPT_TOGETHER = "This holds for groups that the encoder keeps together; scattered ones may be missed."


def sensitivity_sentence(diagnosis: Diagnosis) -> str:
    """The smallest groups that would usually have been found, of a class and of all samples; or that none would be."""
    sensitivity = diagnosis.sensitivity
    if sensitivity is None and diagnosis.estimate.predictability.p is not None:
        return "Detection limits were not measured."
    if diagnosis.samples.unanswered:
        return "Nothing was tested, so no failure could be confirmed."
    if sensitivity is None:
        unit = diagnosis.samples.group_name
        rows = f"values of {unit}" if unit else "independent rows"
        return f"Too few {rows} to test anything, so no failure could be confirmed. Add samples with more of them."
    within = [p for p in sensitivity.patterns if p.scope == "class"]
    overall = [p for p in sensitivity.patterns if p.scope == EVERYTHING]
    texts = [_of_scope(sensitivity, patterns) for patterns in (within, overall) if patterns]
    return f"{' '.join(texts)} {KEPT_TOGETHER}"


def confirmed_counts(diagnosis: Diagnosis) -> dict[str, tuple[int, str]]:
    """How many findings are confirmed, as a number and in words, such as {"class": (2, "2 classes")}: groups
    ("cluster"), classes, confused pairs ("confusion"), and conditions or phrases ("insight"); kinds without any are
    left out."""
    classes = Counter(finding.kind for finding in diagnosis.classes if finding.confirmed)
    n_clusters = len(diagnosis.clusters)
    n_insights = sum(insight.confirmed for insight in diagnosis.insights)
    counts = {
        "cluster": (n_clusters, count(n_clusters, "group")),
        "class": (classes["class"], count(classes["class"], "class")),
        "confusion": (classes["confusion"], count(classes["confusion"], "confused pair")),
        "insight": (n_insights, f"{n_insights:,} {plural(n_insights, 'condition or phrase', 'conditions or phrases')}"),
    }
    return {kind: counted for kind, counted in counts.items() if counted[0]}


def classes_sentence(diagnosis: Diagnosis) -> str:
    """Which whole classes would have been found; "" where none was tested."""
    sensitivity = diagnosis.sensitivity
    if sensitivity is None:
        return ""
    patterns = [p for p in sensitivity.patterns if p.scope == "whole class"]
    if not patterns:
        return ""
    return _of_scope(sensitivity, patterns)


def _of_scope(sensitivity: Sensitivity, patterns: list[PlantedPattern]) -> str:
    """The smallest group of the reference strength that is usually found, else of the next stronger one; beside it the
    smallest of any strength, if that is smaller."""
    first = spoken_of(sensitivity, patterns)
    if first is None:
        top = max(patterns, key=lambda p: (p.size, p.strength))
        missed = "would be missed"
        if top.n_found:
            missed = "can be missed"
        return f"Even {pattern_text(sensitivity, top)} {missed}: {_counted(top)} were found."
    text = f"{_capital(pattern_text(sensitivity, first))} would usually be found ({_counted(first)})."
    enough = [p for p in patterns if p.found.value >= sensitivity.power]
    smallest = min(enough, key=lambda p: (p.size, p.strength))
    if smallest.size < first.size:
        text += f" So would {pattern_text(sensitivity, smallest)} ({_counted(smallest)})."
    return text


def spoken_of(sensitivity: Sensitivity, patterns: Sequence[PlantedPattern]) -> PlantedPattern | None:
    """The smallest pattern that is found often enough at the reference strength, else at the next stronger one; None
    where none is."""
    enough = [p for p in patterns if p.found.value >= sensitivity.power]
    strong = [p for p in enough if p.strength >= REFERENCE[sensitivity.unit] and p.scope != "whole class"] or enough
    return min(strong, key=lambda p: (p.strength, p.size), default=None)


def pattern_text(sensitivity: Sensitivity, pattern: PlantedPattern) -> str:
    """Such as "groups of 96 with 75% wrong", "groups of 20 within a class, always wrong" or "classes of 100 with 35%
    wrong"."""
    strength = strength_text(sensitivity, pattern.strength)
    if pattern.scope == "whole class":
        return f"classes of {pattern.size:,} {strength}"
    if pattern.scope == EVERYTHING:
        return f"groups of {pattern.size:,} {strength}"
    return f"groups of {pattern.size:,} within {scope_text(sensitivity, pattern)} {strength}"


def share_text(pattern: PlantedPattern) -> str:
    """Such as "5%" or "0.4%"."""
    if abs(100 * pattern.share - round(100 * pattern.share)) < 0.005:
        return percent(pattern.share, 0)
    return percent(pattern.share)


def scope_text(sensitivity: Sensitivity, pattern: PlantedPattern) -> str:
    """Such as "a class" or, where only one was searched, its name."""
    if pattern.scope == "whole class":
        return "a class, tested as a whole"
    if pattern.scope == EVERYTHING:
        return pattern.scope
    if len(sensitivity.classes) == 1:
        return sensitivity.classes[0]
    return "a class"


def strength_text(sensitivity: Sensitivity, strength: float) -> str:
    """Such as "with 75% wrong", "that are always wrong", "with twice the loss"."""
    if sensitivity.unit == "error rate":
        if strength >= 1:
            return "that are always wrong"
        return f"with {percent(strength)} wrong"
    if sensitivity.unit == "times the mean loss":
        if strength == 2:
            return "with twice the loss"
        return f"with {strength:g} times the loss"
    if strength == 1:
        return "with a loss higher by 1 standard deviation"
    return f"with a loss higher by {strength:.2g} standard deviations"


def strength_brief(sensitivity: Sensitivity, strength: float) -> str:
    """The same for the head of a column, such as "50% wrong" or "loss × 2"."""
    if sensitivity.unit == "error rate":
        if strength >= 1:
            return "all wrong"
        return f"{percent(strength)} wrong"
    if sensitivity.unit == "times the mean loss":
        return f"loss × {strength:g}"
    return f"loss + {strength:.2g} SD"


def pattern_sentence(sensitivity: Sensitivity, pattern: PlantedPattern) -> str:
    """One cell of the grid, such as "Errata found 35 of 40 planted groups of 96 with 75% wrong (88%, 95% CI 73 to
    96%)."."""
    text = pattern_text(sensitivity, pattern)
    rate = f"{percent(pattern.found.value)}, 95% CI {interval(pattern.found, share=True)}"
    return f"Errata found {pattern.n_found} of {pattern.n_plants} planted {text} ({rate})."


def how_planted(diagnosis: Diagnosis) -> str:
    """How the detection limits were measured, what counts as found, and for which groups they hold; "" without them."""
    sensitivity = diagnosis.sensitivity
    if sensitivity is None:
        return ""
    if sensitivity.unit == "error rate":
        rest = f"{percent(sensitivity.base)} are wrong"
    else:
        digits = digits_for(diagnosis.outcomes.loss)
        rest = f"the mean loss is {number(sensitivity.base, digits)}{with_unit(diagnosis)}"
    alike = "neighborhoods, and ends of directions"
    if diagnosis.words is not None:
        alike = "neighborhoods, ends of directions, and samples that match a phrase"
    text = (
        f"For each size and strength, {sensitivity.patterns[0].n_plants} groups were planted into this run’s losses, "
        f"shuffled so that nothing else is there (then {rest}). They resemble the data’s own groups: {alike}. "
        "A group counts as found if a group is confirmed and half of its "
        f"{sensitivity.surest} most typical members, or of all, were planted. Groups below {sensitivity.smallest} "
        "samples are not searched for."
    )
    if len(sensitivity.classes) > 1:
        text += f" A class stands for one of about {sensitivity.class_size:,} samples."
    if sensitivity.unplanted:
        unit = diagnosis.samples.group_name or "unit"
        text += (
            f" Nothing was planted in {count(sensitivity.unplanted, 'sample')} of any {unit} that holds more than a "
            "tenth of a class or of all samples."
        )
    return text


def _counted(pattern: PlantedPattern) -> str:
    """Such as "35 of 40 planted"."""
    return f"{pattern.n_found} of {pattern.n_plants} planted"


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"
