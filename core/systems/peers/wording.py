"""Slices of other engines in plain lines."""

from __future__ import annotations

from core.numbers import count, number, p_value, percent
from core.records import Diagnosis
from core.systems.peers.ask_peers import PeerOpinion, PeerReport, PeerSlice

NOT_TESTED = "Single slices are not tested: each engine chose them after seeing the losses of these samples."
NO_AGREEMENT = "No slice shares many samples with a group or with another engine's slice."


def peer_lines(diagnosis: Diagnosis, report: PeerReport) -> list[str]:
    """List each engine with its slices, then the pairs that agree."""
    lines: list[str] = []
    for opinion in report.opinions:
        lines.append(opinion_sentence(opinion))
        lines += [f"  {slice_sentence(diagnosis, s)}" for s in opinion.slices]
    return [*lines, NOT_TESTED, *agreement_lines(report)]


def opinion_sentence(opinion: PeerOpinion) -> str:
    """The engine's test: "spotlight: 5 slices, proposed on half of the samples, tested on the other half: ..."."""
    if opinion.refused:
        return f"{opinion.engine}: no slices. {opinion.refused}"
    slices = f"{opinion.engine}: {count(len(opinion.slices), 'slice')}"
    if opinion.p is None:
        return f"{slices}, not tested. {opinion.untested}"
    return f"{slices}, proposed on half of the samples, tested on the other half: {p_value(opinion.p)}."


def slice_sentence(diagnosis: Diagnosis, peer_slice: PeerSlice) -> str:
    """One slice: "1. 50 samples, mostly cat, 48% wrong, mean loss 1.20; matches group 1 (Jaccard 0.40)"."""
    parts = [count(len(peer_slice.rows), "sample")]
    if peer_slice.mostly:
        parts.append(f"mostly {peer_slice.mostly}")
    if peer_slice.error_rate is not None:
        parts.append(f"{percent(peer_slice.error_rate)} wrong")
    parts.append(f"mean loss {number(peer_slice.mean_loss)}")
    return f"{peer_slice.rank + 1}. {', '.join(parts)}; {match_text(diagnosis, peer_slice)}"


def match_text(diagnosis: Diagnosis, peer_slice: PeerSlice) -> str:
    """The cluster that the slice matches: "matches group 1 (Jaccard 0.40)"."""
    if peer_slice.cluster is None:
        return "matches no group"
    number_of_group = diagnosis.clusters[peer_slice.cluster].id + 1
    return f"matches group {number_of_group} (Jaccard {number(peer_slice.jaccard, 2)})"


def agreement_lines(report: PeerReport) -> list[str]:
    """List the pairs that share many samples."""
    if not report.agreements:
        return [NO_AGREEMENT]
    pairs = [f"  {a.first} and {a.second}: Jaccard {number(a.jaccard, 2)}" for a in report.agreements]
    return ["Proposed twice, so more credible:", *pairs]
