"""Every phrase in every class."""

from __future__ import annotations

import pytest

from core.checks.audit_table import audit_table
from core.errors import InvalidInput
from tests.support.planted_words import planted_run


def test_the_audit_table_has_every_phrase_in_every_class() -> None:
    found, audit, _ = planted_run("rare")
    cells = audit_table(found)
    assert {(c.phrase, c.scope) for c in cells} == {
        (p, s) for p in found.words.phrases for s in ("all samples", "cat", "dog")
    }
    worst = max((c for c in cells if c.scope != "all samples"), key=lambda c: c.observed.value)
    assert (worst.phrase, worst.scope) == ("in snow", "dog")
    assert worst.observed.low > 0
    assert worst.read is not None
    assert worst.read > 0
    assert worst.stands_out
    assert worst.support == round(0.1 * (audit.labels == 1).sum())
    with pytest.raises(InvalidInput, match="not among"):
        audit_table(found, ["on the moon"])
