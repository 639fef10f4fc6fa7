"""Who may sign in."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from starlette.exceptions import HTTPException

from core.errors import InvalidInput
from webapp.server import accounts
from webapp.server.accounts import MAX_FAILURES, MAX_PASSWORD, WAIT_S, Accounts, add_account, read_accounts


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes that cost next to nothing."""
    monkeypatch.setattr(accounts, "COST", {"n": 2, "r": 1, "p": 1})


def signs_in(known: Accounts, name: str, password: str) -> bool:
    return asyncio.run(known.check(name, password))


def test_an_account_signs_in_with_its_last_password_alone(tmp_path: Path) -> None:
    file = tmp_path / "accounts"
    add_account(file, "ada", "first-password")
    add_account(file, "bob", "pässwörd 🙂")
    add_account(file, "ada", "second-password")
    known = read_accounts(file)
    assert signs_in(known, "ada", "second-password")
    assert signs_in(known, "bob", "pässwörd 🙂")
    for name, password in (("ada", "first-password"), ("ada", ""), ("eve", "x"), ("", ""), ("ada", "x" * 5000)):
        assert not signs_in(known, name, password)


def test_a_password_fits_however_its_accents_are_written(tmp_path: Path) -> None:
    add_account(tmp_path / "accounts", "ada", "pa\u0308sswo\u0308rd")
    known = read_accounts(tmp_path / "accounts")
    assert signs_in(known, "ada", "p\u00e4ssw\u00f6rd")
    assert signs_in(known, "ada", "pa\u0308sswo\u0308rd")
    assert not signs_in(known, "ada", "password")


@pytest.mark.parametrize(
    "name", ["ada\n", "ada ", "ADA", "ada\u200b", "\uff41da", "ada\x00", "ada:x", "\ud800", "a" * 100_000, ""]
)
def test_a_name_that_only_looks_like_an_account_signs_nobody_in(tmp_path: Path, name: str) -> None:
    add_account(tmp_path / "accounts", "ada", "a-password")
    known = read_accounts(tmp_path / "accounts")
    assert not signs_in(known, name, "a-password")
    for password in ("\ud800" * 9, "\x00" * 9, "x" * MAX_PASSWORD, "x" * (MAX_PASSWORD + 1)):
        assert not signs_in(known, name, password)
    assert signs_in(known, "ada", "a-password")


def test_the_file_is_its_owners_and_holds_no_password(tmp_path: Path) -> None:
    file = tmp_path / "accounts"
    add_account(file, "ada", "first-password")
    assert file.stat().st_mode & 0o077 == 0
    assert "first-password" not in file.read_text("utf-8")
    lines = [accounts.hash_password("the same") for _ in range(2)]
    assert lines[0] != lines[1]  # each its own salt
    file.chmod(0o644)
    with pytest.raises(InvalidInput, match="chmod 600"):
        read_accounts(file)
    with pytest.raises(InvalidInput, match="chmod 600"):
        add_account(file, "bob", "another-password")


@pytest.mark.parametrize("text", ["", "ada\n", "ada:plain-password\n", "a b:x$y\n", ":x$y\n", "ada:AAAA$AAAA\n"])
def test_a_line_that_is_no_account_gets_one_message(tmp_path: Path, text: str) -> None:
    file = tmp_path / "accounts"
    file.touch(0o600)
    file.write_text(text, "utf-8")
    with pytest.raises(InvalidInput, match="add-user"):
        read_accounts(file)


def test_an_absent_file_gets_one_message(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="--auth"):
        read_accounts(tmp_path / "absent")


@pytest.mark.parametrize(("name", "password"), [("a:b", "long-enough"), ("", "long-enough"), ("ada", "short")])
def test_a_name_or_password_that_cannot_be_used_is_not_written(tmp_path: Path, name: str, password: str) -> None:
    with pytest.raises(InvalidInput):
        add_account(tmp_path / "accounts", name, password)
    assert list(tmp_path.iterdir()) == []


def test_after_some_wrong_passwords_a_name_waits_even_with_the_right_one_and_others_do_not(tmp_path: Path) -> None:
    now = [0.0]
    hashes = {name: accounts.hash_password("right-password") for name in ("ada", "bob")}
    known = Accounts(hashes, clock=lambda: now[0])
    for _ in range(MAX_FAILURES):
        assert not signs_in(known, "ada", "wrong")
    with pytest.raises(HTTPException) as caught:
        signs_in(known, "ada", "right-password")
    assert caught.value.status_code == 429
    assert signs_in(known, "bob", "right-password")
    now[0] = WAIT_S + 1
    assert signs_in(known, "ada", "right-password")


def test_what_is_remembered_of_names_is_bounded() -> None:
    known = Accounts({})
    for k in range(accounts.MAX_NAMES_WATCHED + 5):
        signs_in(known, f"n{k}", "wrong")
    assert len(known._failures) == accounts.MAX_NAMES_WATCHED


def test_many_passwords_at_one_time_are_counted_one_after_the_other() -> None:
    known = Accounts({"ada": accounts.hash_password("right-password")})

    async def try_all() -> list[Any]:
        tries = [*["wrong"] * 39, "right-password"]
        return await asyncio.gather(*(known.check("ada", one) for one in tries), return_exceptions=True)

    answers = asyncio.run(try_all())
    assert answers[:MAX_FAILURES] == [False] * MAX_FAILURES
    assert {type(answer) for answer in answers[MAX_FAILURES:]} == {HTTPException}


def test_of_a_name_that_can_be_no_account_s_nothing_is_remembered() -> None:
    known = Accounts({})
    for name in ("x" * 1000, "\U0001f600", "a b"):
        assert not signs_in(known, name, "wrong")
    assert not signs_in(known, "eve", "wrong")
    assert list(known._failures) == ["eve"]
