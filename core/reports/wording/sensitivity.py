"""What "nothing found" means: which patterns of failure would have been found, in plain sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from core.numbers import count, digits_for, either, interval, number, percent, with_unit
from core.records import EVERYTHING, Diagnosis, PlantedPattern, Sensitivity

REFERENCE = {"error rate": 0.5, "times the mean loss": 2.0, "deviations of the loss": 1.0}
"""The strength that is spoken of first: half fail, twice the loss, one standard deviation more."""
KEPT_TOGETHER = (
    "This holds for patterns that the embedding keeps together; smaller, weaker or more scattered ones may be missed."
)
UNTESTED = (
    "With so few groups nothing can be tested, so no failure of any size would have been confirmed. "
    "Bring samples of more groups."
)


def sensitivity_sentence(diagnosis: Diagnosis) -> str:
    """The smallest patterns that would have been found, of a class and of all samples; or that none would be."""
    found = diagnosis.sensitivity
    if found is None:
        return UNTESTED
    within = [p for p in found.patterns if p.scope == "class"]
    overall = [p for p in found.patterns if p.scope == EVERYTHING]
    said = [_of_scope(found, patterns) for patterns in (within, overall) if patterns]
    return f"{' '.join(said)} {KEPT_TOGETHER}"


def confirmed_counts(diagnosis: Diagnosis) -> dict[str, tuple[int, str]]:
    """How many are confirmed, as a number and in words, such as {"class": (2, "2 classes")}: of clusters, classes,
    confused pairs, and conditions or phrases ("insight"); without those of which there is none."""
    classes = Counter(finding.kind for finding in diagnosis.classes if finding.confirmed)
    n_clusters = len(diagnosis.clusters)
    n_insights = sum(insight.confirmed for insight in diagnosis.insights)
    counts = {
        "cluster": (n_clusters, count(n_clusters, "failure cluster")),
        "class": (classes["class"], count(classes["class"], "class")),
        "confusion": (classes["confusion"], count(classes["confusion"], "confused pair")),
        "insight": (
            n_insights,
            "1 condition or phrase" if n_insights == 1 else f"{n_insights:,} conditions or phrases",
        ),
    }
    return {kind: counted for kind, counted in counts.items() if counted[0]}


def beyond_sentence(diagnosis: Diagnosis, classes: str, pairs: str, insights: str) -> str:
    """Of a run without a cluster, what is confirmed all the same and where it stands, such as "No cluster was found
    beyond what is confirmed: 1 class (in the table) and 2 conditions or phrases (below)."; "" where nothing is
    confirmed, or a cluster is.

    Args:
        classes: where confirmed classes stand.
        pairs: where confused pairs stand.
        insights: where conditions and phrases stand.
    """
    counts = confirmed_counts(diagnosis)
    if not counts or "cluster" in counts:
        return ""
    stands = {"class": classes, "confusion": pairs, "insight": insights}
    return (
        "No cluster was found beyond what is confirmed: "
        f"{either([f'{said} ({stands[kind]})' for kind, (_, said) in counts.items()], 'and')}."
    )


def what_else(sentence: str) -> str:
    """The sentence of `sensitivity_sentence` beside something that was found; "" for ""."""
    return sentence and f"What else would have been found: {sentence}"


def classes_sentence(diagnosis: Diagnosis) -> str:
    """Which classes that fail as a whole would have been found; "" where none was tested."""
    found = diagnosis.sensitivity
    patterns = [] if found is None else [p for p in found.patterns if p.scope == "whole class"]
    return _of_scope(found, patterns) if found is not None and patterns else ""


def _of_scope(found: Sensitivity, patterns: list[PlantedPattern]) -> str:
    """The smallest pattern of the reference strength that is found, else of the next stronger one; with it the smallest
    of any strength, if that is smaller."""
    first = spoken_of(found, patterns)
    if first is None:
        top = max(patterns, key=lambda p: (p.size, p.strength))
        rarely = f"would be found only {_often(top)}" if top.found.value >= 0.2 - 1e-9 else _missed(top)
        return f"Even {pattern_text(found, top)} {rarely} ({_counted(top)})."
    text = pattern_text(found, first)
    said = f"{text[0].upper()}{text[1:]} would be found {_often(first)} ({_counted(first)})."
    enough = [p for p in patterns if p.found.value >= found.power]
    smallest = min(enough, key=lambda p: (p.size, p.strength))
    if smallest.size < first.size:
        smaller = f"A smaller one, of {share_text(smallest)} ({smallest.size:,} samples), would be found"
        said += f" {smaller} {_often(smallest)} {_condition(found, smallest.strength)}."
    return said


def spoken_of(found: Sensitivity, patterns: Sequence[PlantedPattern]) -> PlantedPattern | None:
    """The smallest pattern that is found often enough at the reference strength, else at the next stronger one; None
    where none is."""
    enough = [p for p in patterns if p.found.value >= found.power]
    strong = [p for p in enough if p.strength >= REFERENCE[found.unit] and p.scope != "whole class"] or enough
    return min(strong, key=lambda p: (p.strength, p.size), default=None)


def pattern_text(found: Sensitivity, pattern: PlantedPattern) -> str:
    """Such as "a pattern of 10% of a class (20 samples) of which half fail"."""
    if pattern.scope == "whole class":
        return f"a whole class of {pattern.size:,} samples {strength_text(found, pattern.strength)}"
    return f"a pattern of {size_text(found, pattern)} {strength_text(found, pattern.strength)}"


def size_text(found: Sensitivity, pattern: PlantedPattern) -> str:
    """Such as "10% of a class (20 samples)"."""
    return f"{share_text(pattern)} of {scope_text(found, pattern)} ({pattern.size:,} samples)"


def share_text(pattern: PlantedPattern) -> str:
    """Such as "5%" or "0.4%"."""
    whole = abs(100 * pattern.share - round(100 * pattern.share)) < 0.005
    return percent(pattern.share, 0 if whole else None)


def scope_text(found: Sensitivity, pattern: PlantedPattern) -> str:
    """Such as "a class" or, where one alone was searched, its name."""
    if pattern.scope == "whole class":
        return "a class, tested as a whole"
    if pattern.scope == EVERYTHING:
        return pattern.scope
    return found.classes[0] if len(found.classes) == 1 else "a class"


def strength_text(found: Sensitivity, strength: float) -> str:
    """Such as "of which half fail", "that always fails", "with twice the loss"."""
    if found.unit == "error rate":
        if strength >= 1:
            return "that always fails"
        return f"of which {'half' if strength == 0.5 else percent(strength)} fail"
    if found.unit == "times the mean loss":
        return f"with {'twice' if strength == 2 else f'{strength:g} times'} the loss"
    deviations = "1 standard deviation" if strength == 1 else f"{strength:.2g} standard deviations"
    return f"with a loss higher by {deviations}"


def _condition(found: Sensitivity, strength: float) -> str:
    """Such as "if 75% of it fail", "if its loss is 5 times as high"."""
    if found.unit == "times the mean loss":
        return f"if its loss is {'twice' if strength == 2 else f'{strength:g} times'} as high"
    if found.unit != "error rate":
        return f"if its loss is {strength_text(found, strength).removeprefix('with a loss ')}"
    return "if all of it fails" if strength >= 1 else f"if {percent(strength)} of it fail"


def strength_brief(found: Sensitivity, strength: float) -> str:
    """The same for the head of a column, such as "50% fail" or "loss × 2"."""
    if found.unit == "error rate":
        return "all fail" if strength >= 1 else f"{percent(strength)} fail"
    return f"loss × {strength:g}" if found.unit == "times the mean loss" else f"loss + {strength:.2g} SD"


def pattern_sentence(found: Sensitivity, pattern: PlantedPattern) -> str:
    """One cell of the grid, such as "A pattern of ... : found each time (40 of 40 planted were found, ...)."."""
    text = pattern_text(found, pattern)
    return f"{text[0].upper()}{text[1:]}: found {_often(pattern)} ({_counted(pattern)})."


def how_planted(diagnosis: Diagnosis) -> str:
    """How the figures were made, what found means, and for which patterns they hold; "" without them."""
    found = diagnosis.sensitivity
    if found is None:
        return ""
    digits = digits_for(diagnosis.outcomes.loss)
    unit = with_unit(diagnosis)
    rest = (
        f"{percent(found.base)} fail"
        if found.unit == "error rate"
        else f"the mean loss is {number(found.base, digits)}{unit}"
    )
    where = f"; a class stands for one of about {found.class_size:,} samples" if len(found.classes) > 1 else ""
    return (
        f"{found.patterns[0].n_plants} patterns of each size and strength were planted into this run’s own losses, "
        f"shuffled so that nothing else is there (then {rest}){where}. Half are neighborhoods in the embedding, half "
        "the far end of a direction; patterns that the embedding scatters are found less often. Found means: a cluster "
        f"is confirmed, and half of its {found.surest} surest samples, or of all, belong to the pattern. Patterns of "
        f"fewer than {found.smallest} samples are not looked for.{_unplanted(found)}"
    )


def _unplanted(found: Sensitivity) -> str:
    if not found.unplanted:
        return ""
    return (
        f" Nothing was planted in {count(found.unplanted, 'sample')} of groups that hold more than a tenth of a class "
        "or of all samples: a failure of one group alone is not confirmed."
    )


def _often(pattern: PlantedPattern) -> str:
    """Such as "8 times in 10", or "8 to 9 times in 10" where it lies between."""
    times = int(10 * pattern.found.value + 1e-9)
    if times == 10:
        return "each time"
    if times == 0:
        return "less than 1 time in 10"
    if 10 * pattern.found.value - times > 0.05:
        return f"{times} to {times + 1} times in 10"
    return f"{times} {'time' if times == 1 else 'times'} in 10"


def _counted(pattern: PlantedPattern) -> str:
    were = "was" if pattern.n_found == 1 else "were"
    chance = interval(pattern.found, share=True)
    return f"{pattern.n_found} of {pattern.n_plants} planted {were} found, 95% interval {chance}"


def _missed(pattern: PlantedPattern) -> str:
    return "would mostly be missed" if pattern.n_found else "would be missed"
