"""Why a sample may fail, in one plain sentence: what is known of it, and no claim that it is the cause."""

from __future__ import annotations

import math
from collections.abc import Sequence

from core.checks.reasons import LEAST_FAILING, NEAREST, Ground, SampleReason, reason_of
from core.discovery.called import cluster_name
from core.language.measured_words import says_the_same
from core.numbers import count, listed, number, percent, with_interval, with_unit
from core.records import EVERYTHING, CauseKind, Diagnosis, Faithfulness, KindFaithfulness
from core.reports.wording.findings import cluster_title, sample_noun

TEXTS = 3
"""Conditions, and phrases, that are named; the rest are counted."""
_KINDS: dict[CauseKind, str] = {
    "cluster": "its cluster",
    "condition": "conditions that it meets",
    "phrase": "phrases that it is most like",
    "class": "its class",
    "neighbours": "its nearest samples",
    "worst tenth": "an expected loss in the worst tenth",
    "any": "any cause at all",
}


def reason_sentence(diagnosis: Diagnosis, row: int) -> str:
    """Such as "Likely to fail (expected loss 1.2, the worst tenth): it lies in cluster 1 (Dark images); 3 of its 5
    nearest samples fail.", or "Failed (expected loss ...", where that is known; "" where nothing is known."""
    return sentence_of(diagnosis, reason_of(diagnosis, row))


def sentence_of(diagnosis: Diagnosis, reason: SampleReason) -> str:
    """The sentence of a reason that is at hand."""
    near = [f"{g.number} of its {NEAREST} nearest samples fail" for g in reason.grounds if g.kind == "neighbours"]
    parts = [*_findings(diagnosis, reason), *near]
    if not parts:
        return ""
    expected = f"(expected loss {number(reason.expected)}{with_unit(diagnosis)}{', the worst tenth' * reason.worst})"
    if has_failed(diagnosis, reason.row):
        likely = f"Failed, as was likely {expected}" if reason.worst else f"Failed {expected}"
    else:
        likely = f"{'Likely to' if reason.worst else 'May'} fail {expected}"
    answer = _answer(diagnosis, reason.row)
    return f"{likely}: {'; '.join(parts)}.{f' {answer}' if answer else ''}"


def has_failed(diagnosis: Diagnosis, row: int) -> bool:
    """Whether the answer to a sample is known to be wrong."""
    errors = diagnosis.outcomes.errors
    return errors is not None and bool(errors[row])


def nothing_known(diagnosis: Diagnosis, row: int) -> str:
    """What is said where there is no sentence."""
    fails = "failed" if has_failed(diagnosis, row) else "may fail"
    return f"Nothing is known of why this sample {fails}: no confirmed finding speaks of it."


def _findings(diagnosis: Diagnosis, reason: SampleReason) -> list[str]:
    parts: list[str] = []
    clusters = {cluster.id: cluster for cluster in diagnosis.clusters}
    named: set[tuple[str, str]] = set()
    for ground in reason.grounds:
        if ground.kind == "cluster":
            own = clusters[ground.number]
            parts.append(f"it lies in cluster {ground.number + 1} ({cluster_title(diagnosis, own)})")
            said = cluster_name(diagnosis, own).title_words
            scope = "" if own.scope == EVERYTHING else own.scope
            named |= {(i.text, scope) for i in diagnosis.insights if says_the_same(said, i)}
    noun = sample_noun(diagnosis)
    for kind in dict.fromkeys(ground.kind for ground in reason.grounds):  # that of the strongest finding first
        own = [g for g in reason.grounds if g.kind == kind and (g.text, g.scope) not in named]
        if kind == "condition" and own:
            parts.append(f"it has what confirmed findings have: {_named(_each_once(own))}")
        if kind == "phrase" and own:
            like = _named(_each_once(own, '"'))
            parts.append(f"it is among the {noun}s most like {like}, which fail more than others")
    parts += [f"its class {g.text} fails more than the others" for g in reason.grounds if g.kind == "class"]
    return parts


def _each_once(grounds: Sequence[Ground], quote: str = "") -> list[str]:
    """Each text once, with the parts that it was confirmed in: such as "weather = fog (within car, and in all)"."""
    scopes: dict[str, list[str]] = {}
    for ground in grounds:
        scopes.setdefault(ground.text, []).append(ground.scope)
    within = {text: ", ".join(one for one in parts if one) for text, parts in scopes.items()}
    everywhere = {text: ", and in all" * ("" in parts) for text, parts in scopes.items()}
    return [
        f"{quote}{text}{quote}" + (f" (within {within[text]}{everywhere[text]})" if within[text] else "")
        for text in scopes
    ]


def _named(texts: list[str]) -> str:
    shown = " and ".join(texts) if len(texts) == 2 and " and " not in "".join(texts) else ", ".join(texts[:TEXTS])
    return shown if len(texts) <= TEXTS else f"{shown} and {len(texts) - TEXTS} more"


def _answer(diagnosis: Diagnosis, row: int) -> str:
    """What the model says of it: a fact beside the reasons."""
    names = diagnosis.samples.class_names
    said = diagnosis.outcomes.predictions
    return f'The model answers "{names[int(said[row])]}".' if said is not None and names else ""


def faithfulness_sentence(diagnosis: Diagnosis, found: Faithfulness) -> str:
    """What naming a cause is worth, in a sentence or two: such as "Naming a cause tells failures from the rest with
    AUROC 0.61 (0.59 to 0.64) on held-back halves of 1,600 samples: 31% of the samples with a named cause fail, 14%
    without."."""
    whole = found.anything
    if whole is None:
        return f"Whether the named causes tell failing samples from others was not measured: {found.refused}"
    if not whole.n_named:
        return (
            "On neither half of the samples, taken alone, is anything confirmed, so what the named causes are worth "
            f"could not be measured ({whole.n:,} samples, {whole.n_failing:,} of them failing)."
        )
    known = diagnosis.outcomes.errors is not None
    failures, fail = ("failures", "fail") if known else ("the worst tenth of losses", "are in it")
    rest = "" if math.isnan(whole.rate_rest) else f", {percent(whole.rate_rest)} without"
    said = (
        f"Naming a cause tells {failures} from the rest with AUROC {_area(whole)} on held-back halves of "
        f"{count(whole.n, 'sample')}: {percent(whole.rate_named)} of the samples with a named cause {fail}{rest}."
    )
    return said if whole.auroc.low > CHANCE else f"{said} That is not told from chance, which is {CHANCE}."


def faithfulness_lines(diagnosis: Diagnosis, found: Faithfulness) -> list[str]:
    """The sentence, then a line for each kind of cause that was named."""
    said = faithfulness_sentence(diagnosis, found)
    kinds = kinds_table(found)
    if not kinds:
        return [said]
    lines = [f"{said} Of each kind, by itself ({CHANCE} tells nothing):"]
    lines += [f"  {name}: {area}, named of {n}" for name, area, n in kinds]
    unnamed = [_KINDS[kind.kind] for kind in found.kinds if not kind.n_named]
    if unnamed:
        lines.append(f"  Never named there: {listed(unnamed, len(unnamed))}.")
    return lines


def kinds_table(found: Faithfulness) -> list[tuple[str, str, str]]:
    """(kind of cause, AUROC with its interval, samples of which it is named) of each kind that was named; [] where none
    was."""
    whole = found.anything
    if whole is None or not whole.n_named:
        return []
    return [(_KINDS[kind.kind], _area(kind), f"{kind.n_named:,}") for kind in found.kinds if kind.n_named]


def _area(kind: KindFaithfulness) -> str:
    return with_interval(kind.auroc, digits=2)


CHANCE = 0.5
"""The AUROC of what tells nothing."""
RULE = (
    f"Nearest samples are named where at least {LEAST_FAILING} of {NEAREST} fail, and at least twice the share of all "
    "samples that fail. Nothing is said of a sample that no confirmed finding speaks of, unless its expected loss is "
    "in the worst tenth and the run confirmed that the loss can be predicted."
)
