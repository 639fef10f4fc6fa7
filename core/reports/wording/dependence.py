"""Why rows count as related although no column says so, and what the tests do about it."""

from __future__ import annotations

from core.numbers import percent
from core.records import Dependence, Diagnosis


def dependence_sentences(diagnosis: Diagnosis) -> list[str]:
    """The evidence, what the tests shuffle, and how to answer, as one paragraph; [] where rows are separate samples."""
    dependence = diagnosis.samples.dependence
    if dependence is None:
        return []
    return [f"{_evidence(dependence, len(diagnosis.samples))} {_consequence(dependence)}"]


def _evidence(dependence: Dependence, n: int) -> str:
    share = percent(dependence.share)
    if dependence.kind == "sets":
        return f"{share} of rows lie in small sets of near-alike rows, so these may not be {n:,} separate samples."
    beside = f"has the same {dependence.name}"
    if dependence.kind == "order":
        beside = f"stands within ten places in {dependence.name}"
    return f"For {share} of rows, the most similar other row {beside}: these are not {n:,} separate samples."


def _consequence(dependence: Dependence) -> str:
    if dependence.kind == "sets":
        return (
            "Nothing was tested, since only you know how rows are related. "
            "Run again with --group and their column, or with --group none."
        )
    units = "groups"
    if dependence.kind == "order":
        units = "stretches"
    if dependence.asks:
        return (
            f"Nothing was tested: they form {dependence.n_groups} separate {units}, too few to shuffle. "
            "Run again with --group and their column, or with --group none."
        )
    return f"Tests shuffle {dependence.n_groups:,} whole {units}. If rows are separate, run again with --group none."
