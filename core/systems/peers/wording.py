"""What other engines propose, in lines."""

from __future__ import annotations

from core.numbers import count, number, p_value, percent
from core.records import Diagnosis
from core.systems.peers.ask_peers import PeerOpinion, PeerReport, PeerSlice

NO_P = "A peer's slices are found on the samples that they are read on, so they carry no p; look at them as candidates."


def peer_lines(diagnosis: Diagnosis, report: PeerReport) -> list[str]:
    """Each engine with its slices, then where two agree."""
    lines: list[str] = []
    for opinion in report.opinions:
        lines += [opinion_sentence(opinion), *(f"  {slice_sentence(diagnosis, s)}" for s in opinion.slices)]
    return [*lines, NO_P, *agreement_lines(report)]


def opinion_sentence(opinion: PeerOpinion) -> str:
    """Such as "domino: 5 slices; found on one half and read on the other, p = 0.004"."""
    if opinion.refused:
        return f"{opinion.engine}: cannot be asked. {opinion.refused}"
    return f"{opinion.engine}: {count(len(opinion.slices), 'slice')}; {test_text(opinion)}"


def test_text(opinion: PeerOpinion) -> str:
    """Such as "found on one half and read on the other, p = 0.004", or why there is no p."""
    if opinion.p is None:
        return f"no p: {opinion.untested}"
    return f"found on one half and read on the other, {p_value(opinion.p)}"


def slice_sentence(diagnosis: Diagnosis, found: PeerSlice) -> str:
    """Such as "1. 50 samples, mostly cat, mean loss 1.20, 48% wrong; like Cluster 1 (Jaccard 0.40)"."""
    parts = [count(len(found.rows), "sample")]
    parts += [f"mostly {found.mostly}"] if found.mostly else []
    parts.append(f"mean loss {number(found.mean_loss)}")
    parts += [] if found.error_rate is None else [f"{percent(found.error_rate)} wrong"]
    return f"{found.rank + 1}. {', '.join(parts)}; {match_text(diagnosis, found)}"


def match_text(diagnosis: Diagnosis, found: PeerSlice) -> str:
    """Such as "like Cluster 1 (Jaccard 0.40)"."""
    if found.cluster is None:
        return "like no cluster"
    return f"like {diagnosis.clusters[found.cluster].name} (Jaccard {number(found.jaccard, 2)})"


def agreement_lines(report: PeerReport) -> list[str]:
    """Where two hold many of the same samples, or that none do."""
    if not report.agreements:
        return ["No two agree: no two slices, and no slice and cluster, hold many of the same samples."]
    said = [f"  {a.one} and {a.other}: Jaccard {number(a.jaccard, 2)}" for a in report.agreements]
    return ["Two that agree are worth more than one:", *said]
