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
    wrong.", or "Wrong (expected loss ...", where that is known; "" where nothing is known."""
    return sentence_of(diagnosis, reason_of(diagnosis, row))


def sentence_of(diagnosis: Diagnosis, reason: SampleReason) -> str:
    """The sentence of a reason that is at hand."""
    near = [f"{g.number} of its {NEAREST} nearest samples are wrong" for g in reason.grounds if g.kind == "neighbours"]
    parts = [*_findings(diagnosis, reason), *near]
    if not parts:
        return ""
    expected = f"(expected loss {number(reason.expected)}{with_unit(diagnosis)}{', worst tenth' * reason.worst})"
    if has_failed(diagnosis, reason.row):
        likely = f"Wrong, as was likely {expected}" if reason.worst else f"Wrong {expected}"
    else:
        likely = f"{'Likely' if reason.worst else 'Perhaps'} wrong {expected}"
    answer = _answer(diagnosis, reason.row)
    return f"{likely}: {'; '.join(parts)}.{f' {answer}' if answer else ''}"


def has_failed(diagnosis: Diagnosis, row: int) -> bool:
    """Whether the answer to a sample is known to be wrong."""
    errors = diagnosis.outcomes.errors
    return errors is not None and bool(errors[row])


def nothing_known(diagnosis: Diagnosis, row: int) -> str:
    """The sentence of a sample that no finding covers."""
    return f"No confirmed finding covers this sample{', which is wrong' if has_failed(diagnosis, row) else ''}."


def _findings(diagnosis: Diagnosis, reason: SampleReason) -> list[str]:
    parts: list[str] = []
    clusters = {cluster.id: cluster for cluster in diagnosis.clusters}
    named: set[tuple[str, str]] = set()
    for ground in reason.grounds:
        if ground.kind == "cluster":
            cluster = clusters[ground.number]
            parts.append(f"in group {ground.number + 1} ({cluster_title(diagnosis, cluster)})")
            title = cluster_name(diagnosis, cluster).title_words
            scope = "" if cluster.scope == EVERYTHING else cluster.scope
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
        within = ", ".join(filter(None, parts))
        everywhere = ", and overall" if "" in parts else ""
        names.append(f"{quote}{text}{quote}{f' (within {within}{everywhere})' if within else ''}")
    return names


def _named(texts: list[str]) -> str:
    shown = " and ".join(texts) if len(texts) == 2 and " and " not in "".join(texts) else ", ".join(texts[:MAX_NAMED])
    return shown if len(texts) <= MAX_NAMED else f"{shown} and {len(texts) - MAX_NAMED} more"


def _answer(diagnosis: Diagnosis, row: int) -> str:
    """The model's answer: a fact beside the reasons."""
    names = diagnosis.samples.class_names
    predictions = diagnosis.outcomes.predictions
    return f'Predicted "{names[int(predictions[row])]}".' if predictions is not None and names else ""


def faithfulness_sentence(diagnosis: Diagnosis, found: Faithfulness) -> str:
    """What naming a cause is worth, such as "Samples with a named cause are wrong more often: 31%, 14% without (AUROC
    0.61, 95% CI 0.59 to 0.64, on held-out halves of 1,600 samples)."."""
    whole = found.anything
    if whole is None:
        return f"The named causes were not tested on held-out samples: {found.refused}"
    if not whole.n_named:
        return (
            f"Neither half of the {whole.n:,} samples confirms anything by itself, so the named causes could not be "
            f"tested ({whole.n_failing:,} samples wrong)."
        )
    known = diagnosis.outcomes.errors is not None
    fail = "are wrong" if known else "have a loss in the worst tenth"
    rest = "" if math.isnan(whole.rate_rest) else f", {percent(whole.rate_rest)} without"
    area = f"AUROC {_area(whole)}; held-out halves of {count(whole.n, 'sample')}"
    if whole.auroc.low > CHANCE:
        return f"Samples with a named cause {fail} more often: {percent(whole.rate_named)}{rest} ({area})."
    return f"No difference shown: {percent(whole.rate_named)} of samples with a named cause {fail}{rest} ({area})."


def faithfulness_lines(diagnosis: Diagnosis, found: Faithfulness) -> list[str]:
    """The sentence, then a line for each kind of cause that was named."""
    text = faithfulness_sentence(diagnosis, found)
    kinds = kinds_table(found)
    if not kinds:
        return [text]
    lines = [f"{text} AUROC of each kind of cause alone ({CHANCE} is chance):"]
    lines += [f"  {name}: {area}, named for {n}" for name, area, n in kinds]
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
    return f"{number(kind.auroc.value, 2)}, 95% CI {interval(kind.auroc, digits=2)}"


CHANCE = 0.5
"""The AUROC of what tells nothing."""
RULE = (
    f"Nearest samples count as a cause if at least {LEAST_FAILING} of {NEAREST} are wrong, and at least twice the "
    "overall share. A sample that no confirmed finding covers gets no cause, unless its expected loss is in the worst "
    "tenth and the run confirmed that the loss can be predicted."
)
