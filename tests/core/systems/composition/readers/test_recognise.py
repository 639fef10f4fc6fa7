"""What fits no form is answered with all forms."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import InvalidInput
from core.systems.composition.readers.recognise import KNOWN, recognise
from tests.support.benchmark_files import write


@pytest.mark.parametrize("document", ["3", "[]", "{}", '{"a": 1}', '[["a"]]', '[{"a": 1}]', "null", '"text"'])
def test_what_fits_no_format_is_answered_with_all_formats(document: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as raised:
        recognise(write(tmp_path / "x.json", document))
    assert all(form in str(raised.value) for form in KNOWN.values())
    assert "does not have the shape of a known benchmark" in str(raised.value)
