"""Whole classes in plain sentences: which are worse, which are confused, and which were not tested."""

from __future__ import annotations

import math

from core.discovery.settings import CLASS_SHARE_OF_ALPHA, MIN_CLASS_REST, MIN_CLASS_ROWS, share_of_alpha
from core.language.titles import short
from core.numbers import count, digits_for, listed, number, p_value, percent, plural, with_unit
from core.records import ClassFinding, Diagnosis, Insight
from core.reports.wording.findings import cluster_title, name_of
from core.statistics.counts import mean_of_other_classes
from core.statistics.without import class_without

ARROW = " → "
"""Between the true and the predicted class of a pair's name."""
PAIR_TESTED = "A pair is tested for more errors than its class and its wrong answer explain together."
"""What is tested of a pair: it says nothing of how often the class is wrong."""


def class_figures(diagnosis: Diagnosis, finding: ClassFinding) -> str:
    """A class's rate beside the others': "27% wrong, other classes 13% (adjusted p = 0.002)"; of a pair how often it
    happens: "6 times (adjusted p = 0.030)"."""
    sure = f"adjusted {p_value(finding.p)}" if finding.p is not None else "not tested"
    if finding.kind == "confusion":
        return f"{count(finding.size, 'time')} ({sure})"
    others = mean_of_other_classes(diagnosis, finding)
    digits = digits_for(diagnosis.outcomes.loss)
    if math.isnan(others):
        level = f"mean loss {number(finding.mean_loss.value, digits)}{with_unit(diagnosis)}"
        if finding.error_rate is not None:
            level = f"{percent(finding.error_rate.value)} wrong"
        return f"{level}, the only class ({sure})"
    if finding.error_rate is not None:
        return f"{percent(finding.error_rate.value)} wrong, other classes {percent(others)} ({sure})"
    mean = f"{number(finding.mean_loss.value, digits)}{with_unit(diagnosis)}"
    return f"mean loss {mean}, other classes {number(others, digits)} ({sure})"


def class_name(diagnosis: Diagnosis, finding: ClassFinding) -> str:
    """The class, or "bus taken for tram" of a pair; long names are cut."""
    if finding.kind == "class":
        return short(finding.name)
    names = diagnosis.samples.class_names
    parts = finding.name.split(ARROW)
    true = parts[0]
    predicted = ARROW.join(parts[1:])
    for at in range(2, len(parts)):  # a class may have an arrow in its name
        left = ARROW.join(parts[:at])
        right = ARROW.join(parts[at:])
        if left in names and right in names:
            true = left
            predicted = right
    return f"{short(true)} taken for {short(predicted)}"


def class_sentence(diagnosis: Diagnosis, finding: ClassFinding) -> str:
    """A confirmed class or pair, such as "Worse than other classes: skirt, 63% wrong, other classes 22% (adjusted p =
    0.002)."."""
    heads = {"class": "Worse than other classes", "confusion": "Confused more than other pairs"}
    head = heads[finding.kind]
    return f"{head}: {class_name(diagnosis, finding)}, {class_figures(diagnosis, finding)}."


def through_sentence(diagnosis: Diagnosis, finding: ClassFinding) -> str:
    """Such as "Group 3 accounts for most of bird's excess errors: without it, 10% of its other 90 are wrong, other
    classes 9.8% (not tested)."; "" where no single confirmed finding holds most of them."""
    without = class_without(diagnosis, finding)
    if without is None:
        return ""
    cause = without.finding
    if isinstance(cause, Insight):
        name = f'"{cause.text}"' if cause.kind == "phrase" else name_of(cause)
    else:
        name = f"Group {cause.id + 1} ({cluster_title(diagnosis, cause)})"
    if diagnosis.outcomes.errors is None:
        digits = digits_for(diagnosis.outcomes.loss)
        excess = "excess loss"
        left = (
            f"the mean loss of its other {without.left:,} is {number(without.level, digits)}, "
            f"other classes {number(without.rest, digits)}"
        )
    else:
        excess = "excess errors"
        rate = percent(without.level)
        left = f"{rate} of its other {without.left:,} are wrong, other classes {percent(without.rest)}"
    return f"{name} accounts for most of {short(finding.name)}’s {excess}: without it, {left} (not tested)."


def class_level(diagnosis: Diagnosis) -> float | None:
    """What the adjusted p of each class and pair is held to; None where none was tested."""
    if all(finding.p is None for finding in diagnosis.classes):
        return None
    return share_of_alpha(diagnosis.settings, CLASS_SHARE_OF_ALPHA)


def untested_sentence(diagnosis: Diagnosis) -> str:
    """Such as "2 classes were not tested (fewer than 10 samples): bus (4); tram (7)."; "" where every class was
    tested."""
    by_reason: dict[str, list[ClassFinding]] = {}
    for finding in diagnosis.classes:
        if reason := why_untested(diagnosis, finding):
            by_reason.setdefault(reason, []).append(finding)
    parts: list[str] = []
    for reason, findings in by_reason.items():
        was = plural(len(findings), "was", "were")
        named = listed([f"{short(f.name)} ({f.size:,})" for f in findings], 5)
        parts.append(f"{count(len(findings), 'class')} {was} not tested ({reason}): {named}.")
    return " ".join(parts)


def why_untested(diagnosis: Diagnosis, finding: ClassFinding) -> str:
    """Why a class has no p of its own; "" of one that has one, and of a pair."""
    if finding.kind != "class" or finding.p is not None:
        return ""
    if finding.size < MIN_CLASS_ROWS:
        return f"fewer than {MIN_CLASS_ROWS} samples"
    if diagnosis.estimate.predictability.p is None:
        return "too few independent rows to permute"
    if diagnosis.outcomes.errors is None and len(diagnosis.samples) - finding.size < MIN_CLASS_REST:
        return f"fewer than {MIN_CLASS_REST} other samples"
    return "too few independent rows inside or outside the class"
