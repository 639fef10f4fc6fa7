"""How much visitors may bring, and whose a file is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from webapp.state import uploads
from webapp.state.quotas import SHARED, quotas, set_quotas
from webapp.state.uploads import Uploads


@pytest.fixture(autouse=True)
def small() -> Iterator[None]:
    before = quotas()
    limits = replace(
        SHARED, max_own_upload_bytes=100, max_upload_bytes=250, max_own_uploads=3, max_uploads=4, min_free_bytes=0
    )
    set_quotas(limits)
    yield
    set_quotas(before)


def brought(folder: Path, name: str, n_bytes: int) -> Path:
    path = folder / name / f"{name}.csv"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"x" * n_bytes)
    return path


def test_what_an_address_holds_and_what_is_on_its_way_count_together(tmp_path: Path) -> None:
    held = Uploads()
    held.add("1.1.1.1", brought(tmp_path, "a", 60))
    held.coming("1.1.1.1", 30)
    assert held.refusal("1.1.1.1", 10) == ""
    assert "Your files" in held.refusal("1.1.1.1", 11)
    held.coming("1.1.1.1", -30)
    assert held.refusal("1.1.1.1", 40) == ""


def test_another_address_is_not_in_the_way_until_all_together_are_too_many(tmp_path: Path) -> None:
    held = Uploads()
    for i in range(2):
        held.add(f"1.1.1.{i}", brought(tmp_path, f"a{i}", 90))
    assert held.refusal("2.2.2.2", 60) == ""
    assert "reached its limit" in held.refusal("2.2.2.2", 80)


def test_the_number_of_files_is_limited_too_with_those_on_their_way(tmp_path: Path) -> None:
    held = Uploads()
    for i in range(2):
        held.add("1.1.1.1", brought(tmp_path, f"a{i}", 1))
    assert held.reserve("1.1.1.1") == ""
    assert "3 files here" in held.reserve("1.1.1.1")
    assert held.reserve("2.2.2.2") == ""
    assert "limit of 4 files" in held.reserve("3.3.3.3")
    held.unreserve("1.1.1.1", 1)
    assert held.reserve("1.1.1.1") == ""


def test_a_full_disk_refuses_before_it_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "free_bytes", lambda: 50)
    assert "disk is full" in Uploads().refusal("1.1.1.1", 60)


def test_the_same_file_of_two_visitors_stays_until_both_let_it_go(tmp_path: Path) -> None:
    held, path = Uploads(), brought(tmp_path, "a", 10)
    for address, visit in (("1.1.1.1", "ann"), ("2.2.2.2", "ben"), ("2.2.2.2", "cy")):
        held.add(address, path)
        held.claim(visit, address, path)
    for visit in ("ann", "ben"):
        held.release(visit)
        assert path.exists()
    held.release("cy")
    assert not path.exists()


def test_a_visit_lets_go_of_all_that_it_named_also_what_it_brought_twice_or_under_another_address(
    tmp_path: Path,
) -> None:
    held, replaced, twice = Uploads(), brought(tmp_path, "a", 10), brought(tmp_path, "b", 10)
    for path in (replaced, twice, twice):
        held.add("1.1.1.1", path)
        held.claim("ann", "1.1.1.1", path)
    held.release("ann")
    assert not replaced.exists()
    assert not twice.exists()
    assert held.paths() == []


def test_a_path_that_is_not_the_visit_s_own_deletes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "uploads"
    folder.mkdir()
    held, path, other_name = Uploads(), brought(folder, "a", 10), folder / "a" / "other.csv"
    other_name.write_bytes(b"")
    held.add("1.1.1.1", path)
    held.add("2.2.2.2", other_name)
    for claimed in (folder / "x.csv", path / "y.csv", path.parent / "nothing.csv", path):
        held.claim("eve", "2.2.2.2", claimed)
    held.release("eve")
    held.release("")
    assert path.exists()
    held.claim("ann", "1.1.1.1", path)
    held.release("ann")
    assert not path.exists()
    assert other_name.exists()
    held.claim("eve", "2.2.2.2", other_name)
    held.release("eve")
    assert not other_name.parent.exists()
    assert folder.exists()


def test_a_file_that_is_too_old_is_deleted_and_counts_no_more(tmp_path: Path) -> None:
    held, path = Uploads(), brought(tmp_path, "a", 90)
    held.add("1.1.1.1", path)
    held.expire(3600)
    assert path.exists()
    held.expire(-1)
    assert not path.exists()
    assert held.refusal("1.1.1.1", 90) == ""
