from __future__ import annotations

from pathlib import Path

import pytest

from core.encoders import ENCODERS
from core.errors import InvalidInput, MissingDependency
from core.registry import Registry
from core.systems.composition.adapters import ADAPTERS
from core.systems.composition.readers import READERS
from core.systems.peers.engines import ENGINES
from core.systems.probes import PROBES


@pytest.mark.parametrize("table", [READERS, ENGINES, ENCODERS, PROBES, ADAPTERS], ids=lambda table: table.kind)
def test_every_name_of_every_table_can_be_loaded(table: Registry) -> None:
    assert all(callable(table.load(name)) for name in table)


def test_an_unknown_name_is_refused_with_the_known_ones_and_what_else_may_be_given() -> None:
    table = Registry("lamp", {"desk": "a:B", "floor": "a:C"}, ", or none for daylight")
    message = r"Unknown lamp 'x{60}'\. Use one of desk, floor, or none for daylight\."
    with pytest.raises(InvalidInput, match=message):
        table.load("x" * 100)


def test_settings_are_read_as_text_and_checked() -> None:
    assert PROBES.make("coop", {"shots": "4"}).shots == 4
    with pytest.raises(InvalidInput, match="CoOp has no setting 'shot'"):
        PROBES.make("coop", {"shot": 4})


def test_a_missing_package_is_named_as_it_is_installed_and_a_missing_module_of_ours_is_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lamps").mkdir()
    (tmp_path / "lamps" / "desk.py").write_text("import no_such_package.inside\n", "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    table = Registry("lamp", {"desk": "lamps.desk:Desk", "floor": "lamps.floor:Floor"})
    with pytest.raises(MissingDependency, match=r"lamp desk needs no_such_package\. Run `pip install no_such_package`"):
        table.load("desk")
    with pytest.raises(ModuleNotFoundError):
        table.load("floor")
