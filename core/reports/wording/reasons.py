"""Why a sample may fail, in one plain sentence: what is known of it, and no claim that it is the cause."""

from __future__ import annotations

import math
from collections.abc import Sequence

from core.checks.reasons import LEAST_FAILING, NEAREST, Ground, SampleReason, reason_of
from core.discovery.called import cluster_name
from core.language.measured_words import says_the_same
from core.numbers import count, interval, listed, number, percent, with_unit
from core.records import EVERYTHING, CauseKind, Diagnosis, Faithfulness, KindFaithfulness
from core.reports.wording.findings import cluster_title, sample_noun

MAX_NAMED = 3
"""Conditions, and phrases, that are named; the rest are counted."""
_KINDS: dict[CauseKind, str] = {
    "cluster": "its cluster",
    "condition": "conditions it meets",
    "phrase": "phrases it is most like",
    "class": "its class",
    "neighbours": "its nearest samples",
    "worst tenth": "an expected loss in the worst tenth",
    "any": "any cause at all",
}


def reason_sentence(diagnosis: Diagnosis, row: int) -> str:
    """Such as "Likely wrong (expected loss 1.2, worst tenth): in group 1 (Dark images); 3 of its 5 nearest samples are
    wrong."; where errors are known, it begins with "Wrong" or "Right". "" where nothing is known."""
    return sentence_of(diagnosis, reason_of(diagnosis, row))


def sentence_of(diagnosis: Diagnosis, reason: SampleReason) -> str:
    """The sentence of a reason that is at hand."""
    near = [f"{g.number} of its {NEAREST} nearest samples are wrong" for g in reason.grounds if g.kind == "neighbours"]
    parts = [*_findings(diagnosis, reason), *near]
    if not parts:
        return ""
    errors = diagnosis.outcomes.errors
    failed = None if errors is None else bool(errors[reason.row])
    heads: dict[tuple[bool | None, bool], str] = {  # (wrong, None where unknown; in the worst tenth)
        (True, True): "Wrong, as was likely",
        (True, False): "Wrong",
        (False, True): "Right, though likely to be wrong",
        (False, False): "Right, though similar samples are more often wrong",
        (None, True): "Likely wrong",
        (None, False): "Perhaps wrong",
    }
    expected = f"expected loss {number(reason.expected)}{with_unit(diagnosis)}"
    if reason.worst:
        expected = f"{expected}, worst tenth"
    text = f"{heads[failed, reason.worst]} ({expected}): {'; '.join(parts)}."
    names = diagnosis.samples.class_names
    predictions = diagnosis.outcomes.predictions
    if predictions is None or not names or predictions[reason.row] < 0:
        return text
    return f'{text} Predicted "{names[int(predictions[reason.row])]}".'


def has_failed(diagnosis: Diagnosis, row: int) -> bool:
    """Whether the answer to a sample is known to be wrong."""
    errors = diagnosis.outcomes.errors
    return errors is not None and bool(errors[row])


def nothing_known(diagnosis: Diagnosis, row: int) -> str:
    """The sentence of a sample that no finding covers."""
    if has_failed(diagnosis, row):
        return "No confirmed finding covers this sample, which is wrong."
    return "No confirmed finding covers this sample."


def _findings(diagnosis: Diagnosis, reason: SampleReason) -> list[str]:
    parts: list[str] = []
    clusters = {cluster.id: cluster for cluster in diagnosis.clusters}
    named: set[tuple[str, str]] = set()
    for ground in reason.grounds:
        if ground.kind == "cluster":
            cluster = clusters[ground.number]
            parts.append(f"in group {ground.number + 1} ({cluster_title(diagnosis, cluster)})")
            title = cluster_name(diagnosis, cluster).title_words
            scope = cluster.scope
            if scope == EVERYTHING:
                scope = ""
            named |= {(i.text, scope) for i in diagnosis.insights if says_the_same(title, i)}
    noun = sample_noun(diagnosis)
    quote = '"'
    for kind in dict.fromkeys(ground.kind for ground in reason.grounds):  # that of the strongest finding first
        grounds = [g for g in reason.grounds if g.kind == kind and (g.text, g.scope) not in named]
        if kind == "condition" and grounds:
            parts.append(f"meets {_named(_each_once(grounds))}")
        if kind == "phrase" and grounds:
            parts.append(f"among the {noun}s most like {_named(_each_once(grounds, quote))}")
    parts += [f"in class {g.text}, worse than other classes" for g in reason.grounds if g.kind == "class"]
    return parts


def _each_once(grounds: Sequence[Ground], quote: str = "") -> list[str]:
    """Each text once, with the parts that it was confirmed in: such as "weather = fog (within car, and in all)"."""
    scopes: dict[str, list[str]] = {}
    for ground in grounds:
        scopes.setdefault(ground.text, []).append(ground.scope)
    names = list[str]()
    for text, parts in scopes.items():
        name = f"{quote}{text}{quote}"
        within = ", ".join(filter(None, parts))
        if within and "" in parts:
            name = f"{name} (within {within}, and overall)"
        elif within:
            name = f"{name} (within {within})"
        names.append(name)
    return names


def _named(texts: list[str]) -> str:
    if len(texts) == 2 and " and " not in "".join(texts):
        return " and ".join(texts)
    shown = ", ".join(texts[:MAX_NAMED])
    if len(texts) <= MAX_NAMED:
        return shown
    return f"{shown} and {len(texts) - MAX_NAMED} more"


def faithfulness_sentence(diagnosis: Diagnosis, faithfulness: Faithfulness) -> str:
    """What naming a cause is worth, such as "Samples with a named cause are wrong more often: 31%, 14% without (AUROC
    0.61, 95% CI 0.59 to 0.64, on held-out halves of 1,600 samples)."."""
    whole = faithfulness.anything
    if whole is None:
        return f"The named causes were not tested on held-out samples: {faithfulness.refused}"
    if not whole.n_named:
        return (
            f"Neither half of the {whole.n:,} samples confirms anything by itself, so the named causes could not be "
            f"tested ({whole.n_failing:,} samples wrong)."
        )
    fail = "have a loss in the worst tenth"
    if diagnosis.outcomes.errors is not None:
        fail = "are wrong"
    rest = "" if math.isnan(whole.rate_rest) else f", {percent(whole.rate_rest)} without"
    area = f"AUROC {_area(whole)}; held-out halves of {count(whole.n, 'sample')}"
    if whole.auroc.low > CHANCE:
        return f"Samples with a named cause {fail} more often: {percent(whole.rate_named)}{rest} ({area})."
    if whole.auroc.high < CHANCE:
        return f"Samples with a named cause {fail} less often: {percent(whole.rate_named)}{rest} ({area})."
    return f"No difference shown: {percent(whole.rate_named)} of samples with a named cause {fail}{rest} ({area})."


def faithfulness_lines(diagnosis: Diagnosis, faithfulness: Faithfulness) -> list[str]:
    """The sentence, then a line for each kind of cause that was named."""
    text = faithfulness_sentence(diagnosis, faithfulness)
    kinds = kinds_table(faithfulness)
    if not kinds:
        return [text]
    lines = [
        f"{text} Here each half takes its causes from the other half, so the counts differ from those of the run. "
        f"AUROC of each kind of cause alone ({CHANCE} is chance):"
    ]
    lines += [f"  {name}: {area}, named for {n}" for name, area, n in kinds]
    unnamed = [_KINDS[kind.kind] for kind in faithfulness.kinds if not kind.n_named]
    if unnamed:
        lines.append(f"  Never named there: {listed(unnamed, len(unnamed))}.")
    return lines


def kinds_table(faithfulness: Faithfulness) -> list[tuple[str, str, str]]:
    """(kind of cause, AUROC with its interval, samples of which it is named) of each kind that was named; [] where none
    was."""
    whole = faithfulness.anything
    if whole is None or not whole.n_named:
        return []
    return [(_KINDS[kind.kind], _area(kind), f"{kind.n_named:,}") for kind in faithfulness.kinds if kind.n_named]


def _area(kind: KindFaithfulness) -> str:
    return f"{number(kind.auroc.value, 2)}, 95% CI {interval(kind.auroc, digits=2)}"


CHANCE = 0.5
"""The AUROC of what tells nothing."""
RULE = (
    f"Nearest samples count as a cause if at least {LEAST_FAILING} of {NEAREST} are wrong, and at least twice the "
    "overall share. A sample that no confirmed finding covers gets no cause, unless its expected loss is in the worst "
    "tenth and the run confirmed that the loss can be predicted."
)
