"""Whole classes in plain sentences: which fail, which are confused, and which could not be tested."""

from __future__ import annotations

from core.discovery.settings import CLASS_SHARE_OF_ALPHA, MIN_CLASS_REST, MIN_CLASS_ROWS, share_of_alpha
from core.numbers import count, digits_for, listed, number, p_value, percent
from core.records import EVERYTHING, ClassFinding, Diagnosis, Insight
from core.reports.wording.findings import cluster_title, sample_noun
from core.reports.wording.sensitivity import classes_sentence
from core.statistics.without import WithoutFinding, class_without


def class_lines(diagnosis: Diagnosis) -> list[str]:
    """The classes that fail as a whole, and apart from them the pairs that are confused more than others; where there
    are none, which classes would have been found; and the classes that were not tested."""
    found = [f for f in diagnosis.classes if f.confirmed]
    failing = [f"{f.name} ({_of_class(diagnosis, f)}, {p_value(f.p)})" for f in found if f.kind == "class"]
    pairs = [f for f in found if f.kind == "confusion"]
    confused = [f"{f.name.replace(' → ', ' with ', 1)} ({f.size:,} times, {p_value(f.p)})" for f in pairs]
    lines = [f"Failing as a whole: {listed(failing, 5)}."] if failing else []
    lines += [said for f in found[:5] if (said := through_sentence(diagnosis, f))]
    if not failing and (said := classes_sentence(diagnosis)):
        lines = [f"No class{'' if pairs else ' and no pair'} fails more than chance allows. {said}"]
    if confused:
        lines.append(f"Confused more than other pairs: {listed(confused, 5)}.")
    return [*lines, *filter(None, [untested_sentence(diagnosis)])]


def class_sentence(diagnosis: Diagnosis, finding: ClassFinding) -> str:
    """Of a confirmed class or pair: "skirt fails as a whole (63% wrong)."."""
    if finding.kind == "class":
        return f"{finding.name} fails as a whole ({_of_class(diagnosis, finding)})."
    pair = finding.name.replace(" → ", " is confused with ", 1)
    return f"{pair} more than other pairs are ({finding.size:,} times)."


def through_sentence(diagnosis: Diagnosis, finding: ClassFinding) -> str:
    """Such as "Most of what dog has more than the rest goes through its 30 images with tint = blue: 10% of its other
    90 are wrong, beside 9.8% of the rest (exploratory: as counted, not tested)."; "" where no one confirmed finding
    holds so much of it."""
    found = class_without(diagnosis, finding)
    if found is None:
        return ""
    digits = digits_for(diagnosis.outcomes.loss)
    noun = sample_noun(diagnosis)
    rest = "the rest" if found.finding.scope != EVERYTHING else f"the {noun}s of other classes that are none of these"
    if diagnosis.outcomes.errors is None:
        level = number(found.level, digits)
        beside = number(found.rest, digits)
        left = f"the mean loss of its other {found.left:,} is {level}, beside {beside} of {rest}"
    else:
        left = f"{percent(found.level)} of its other {found.left:,} are wrong, beside {percent(found.rest)} of {rest}"
    return (
        f"Most of what {finding.name} has more than the rest goes through {_those(diagnosis, found)}: {left} "
        "(exploratory: as counted, not tested)."
    )


def _those(diagnosis: Diagnosis, found: WithoutFinding) -> str:
    """Such as "its 30 images with tint = blue" or "its 24 images in cluster 2 (dog: dark)"."""
    finding = found.finding
    many = f"its {count(found.taken, sample_noun(diagnosis))}"
    if not isinstance(finding, Insight):
        return f"{many} in cluster {finding.id + 1} ({cluster_title(diagnosis, finding)})"
    return f'{many} most like "{finding.text}"' if finding.kind == "phrase" else f"{many} with {finding.text}"


def class_level(diagnosis: Diagnosis) -> float | None:
    """What the adjusted p of each class and pair is held to; None where none was tested."""
    if all(found.p is None for found in diagnosis.classes):
        return None
    return share_of_alpha(diagnosis.settings, CLASS_SHARE_OF_ALPHA)


def untested_sentence(diagnosis: Diagnosis) -> str:
    """Such as "2 classes were too small to be tested as a whole (fewer than 10 samples): bus (4); tram (7)."; "" where
    every class was tested."""
    reasons: dict[str, list[ClassFinding]] = {}
    for finding in diagnosis.classes:
        if reason := why_untested(diagnosis, finding):
            reasons.setdefault(reason, []).append(finding)
    parts: list[str] = []
    for reason, found in reasons.items():
        was = "was" if len(found) == 1 else "were"
        named = listed([f"{f.name} ({f.size:,})" for f in found], 5)
        parts.append(f"{count(len(found), 'class')} {was} not tested as a whole ({reason}): {named}.")
    return " ".join(parts)


def why_untested(diagnosis: Diagnosis, finding: ClassFinding) -> str:
    """Why a class has no p of its own; "" of one that has one, and of a pair."""
    if finding.kind != "class" or finding.p is not None:
        return ""
    if finding.size < MIN_CLASS_ROWS:
        return f"fewer than {MIN_CLASS_ROWS} samples"
    if diagnosis.estimate.predictability.p is None:
        return "too few groups to exchange"
    if diagnosis.outcomes.errors is None and len(diagnosis.samples) - finding.size < MIN_CLASS_REST:
        return f"fewer than {MIN_CLASS_REST} other samples"
    return "too few groups of its own or of the others"


def _of_class(diagnosis: Diagnosis, finding: ClassFinding) -> str:
    """What was tested of a whole class: an error rate, or the mean loss where errors are unknown."""
    digits = digits_for(diagnosis.outcomes.loss)
    rate = finding.error_rate
    return f"mean loss {number(finding.mean_loss.value, digits)}" if rate is None else f"{percent(rate.value)} wrong"
