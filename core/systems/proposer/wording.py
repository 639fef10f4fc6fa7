"""What the run says of proposed words."""

from __future__ import annotations

from typing import Any

from core.language.titles import capital
from core.numbers import count, listed
from core.records import Diagnosis, Row, Section
from core.reports.tables.values import fields
from core.reports.wording.findings import sample_noun
from core.systems.proposer.records import Proposal, proposals_of

TITLE = "Proposed words"


def sections(diagnosis: Diagnosis) -> list[Section]:
    """Those that hold, then the others; [] without any."""
    proposals = proposals_of(diagnosis)
    if not proposals:
        return []
    return [proposals_section(diagnosis, proposals)]


def proposals_section(diagnosis: Diagnosis, proposals: tuple[Proposal, ...]) -> Section:
    """What became of some proposals."""
    held = [_row(proposal) for proposal in proposals if proposal.holds]
    others = [proposal_sentence(proposal) for proposal in proposals if not proposal.holds]
    return Section(TITLE, lead_sentence(diagnosis, proposals), rows=held, notes=others, key="proposals")


def lead_sentence(diagnosis: Diagnosis, proposals: tuple[Proposal, ...]) -> str:
    """How many hold, and what they were tested on."""
    tested = [proposal for proposal in proposals if proposal.p is not None]
    who = listed(list(dict.fromkeys(proposal.source for proposal in proposals)))
    if not tested:
        return f"None of {count(len(proposals), 'text')} proposed by {who} was tested."
    noun = sample_noun(diagnosis)
    least = min(proposal.n_tested for proposal in tested)
    most = max(proposal.asked for proposal in tested)
    n_held = sum(proposal.holds for proposal in tested)
    return (
        f"{n_held} of {count(len(proposals), 'text')} proposed by {who} {'holds' if n_held == 1 else 'hold'}. Errata "
        f"tested on {least:,} {noun}s that the proposer was not shown. "
        f"Each p is adjusted for {count(most, 'proposal')}."
    )


def proposal_sentence(proposal: Proposal) -> str:
    """One proposal with its figures."""
    return f'"{proposal.text}": {proposal.figures}.'


def _row(proposal: Proposal) -> Row:
    text = f"{capital(proposal.figures)}."
    return Row(f'"{proposal.text}"', text, proposal.size, p=proposal.p, verdict=proposal.verdict)


def proposal_document(proposal: Proposal) -> dict[str, Any]:
    """A proposal as JSON values, with its sentence."""
    known = fields(proposal, "text verdict holds p p_alone asked size scope about source n_shown n_tested")
    return known | {"sentence": proposal_sentence(proposal)}


def proposals_document(diagnosis: Diagnosis) -> list[dict[str, Any]]:
    """All proposals as JSON values."""
    return [proposal_document(proposal) for proposal in proposals_of(diagnosis)]
