"""The parts of a cluster of two kinds, a line each."""

from __future__ import annotations

from core.discovery.cluster_parts import PartFigures, cluster_parts
from core.numbers import count, digits_for, number, p_value, percent, with_unit
from core.records import Diagnosis, FailureCluster


def part_sentences(diagnosis: Diagnosis, cluster: FailureCluster) -> list[str]:
    """A line for each part, such as 'Dogs on ice: 41 samples, 66% wrong; "on ice" is confirmed, adjusted p = 0.003'."""
    return [_sentence(diagnosis, part) for part in cluster_parts(diagnosis, cluster)]


def _sentence(diagnosis: Diagnosis, figures: PartFigures) -> str:
    if figures.error_rate is None:
        loss = number(figures.mean_loss, digits_for(diagnosis.outcomes.loss))
        rate = f"mean loss {loss}{with_unit(diagnosis)}"
    else:
        rate = f"{percent(figures.error_rate)} wrong"
    text = f"{figures.part.title}: {count(figures.size, 'sample')}, {rate}"
    insight = figures.confirmed
    if insight is None:
        return text
    words = f'"{insight.text}"' if insight.kind == "phrase" else insight.text
    return f"{text}; {words} is confirmed, adjusted {p_value(insight.p)}"
