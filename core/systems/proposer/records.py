"""Proposed words and how their test ended, as a run stores them."""

from __future__ import annotations

from dataclasses import dataclass

from core.records import Diagnosis, Verdict

KEY = "proposer"
"""Where they stand in `Diagnosis.extras`."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposed text with its result."""

    text: str
    source: str
    """Who proposed it, such as "an assistant"."""
    about: str
    """Title of the finding whose samples were shown; "" for all samples of the run."""
    scope: str
    """"all samples" or the class in which it was tested."""
    n_shown: int
    """Samples that the proposer was shown. They, and samples related to them, are not in the test."""
    n_tested: int
    asked: int
    """Different proposals of the run so far; `p` is adjusted for them."""
    verdict: Verdict
    """"not tested" if it was proposed after the results were read, if it is not a question, or if samples are too
    few."""
    figures: str
    """Its figures in words, or why it has none."""
    size: int = 0
    """Samples that match it, of those tested."""
    p: float | None = None
    p_alone: float | None = None

    @property
    def holds(self) -> bool:
        return self.verdict == "confirmed"


@dataclass(frozen=True, slots=True)
class Proposed:
    """All proposals of a run, in the order in which they were made."""

    proposals: tuple[Proposal, ...] = ()


def proposals_of(diagnosis: Diagnosis) -> tuple[Proposal, ...]:
    """The run's proposals."""
    stored = diagnosis.extras.get(KEY)
    if not isinstance(stored, Proposed):
        return ()
    return stored.proposals
