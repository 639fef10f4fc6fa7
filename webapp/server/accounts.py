"""Accounts: names with scrypt hashes of their passwords, one per line of a private file."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import os
import re
import secrets
import time
import unicodedata
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

from starlette.exceptions import HTTPException

from core.errors import InvalidInput
from core.files import replacing
from core.received import open_plain

COST = {"n": 2**15, "r": 8, "p": 3}
"""scrypt cost, about 0.2 s and 32 MiB per password."""
MAX_COST_BYTES = 128 * 2**20
NAME = re.compile(r"[A-Za-z0-9_.@-]{1,64}")
MIN_PASSWORD = 8
MAX_PASSWORD = 1024
MAX_FAILURES = 5
WAIT_S = 60.0
"""Wrong passwords in a row for a name, and the seconds it is then blocked."""
MAX_NAMES_WATCHED = 1000
MAX_FILE = 2**20


class Accounts:
    """The accounts of a file, with failed attempts.

    Args:
        hashes: "salt$hash" in base64 by name.
        clock: seconds, for the wait after too many failures.
    """

    def __init__(self, hashes: dict[str, str], clock: Callable[[], float] = time.monotonic) -> None:
        self._hashes = hashes
        self._clock = clock
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._one = asyncio.Semaphore(1)  # limits a flood of passwords to one core and 32 MiB
        self._nobody = hash_password(secrets.token_urlsafe(16))

    async def check(self, name: str, password: str) -> bool:
        """Whether the password is right; takes equally long for an unknown name.

        Raises:
            HTTPException: 429, after too many recent failures.
        """
        if len(password) > MAX_PASSWORD:
            return False
        known = self._hashes.get(name, self._nobody)
        async with self._one:
            count, last = self._failures.get(name, (0, 0.0))
            if (
                count >= MAX_FAILURES and self._clock() - last < WAIT_S
            ):  # checked under the semaphore, so that parallel attempts count
                raise HTTPException(429, f"Too many wrong passwords for this name. Try again in {WAIT_S:.0f} seconds.")
            fits = await asyncio.to_thread(is_password, password, known) and name in self._hashes
            self._count(name, fits)
        return fits

    def _count(self, name: str, fits: bool) -> None:
        if fits or not NAME.fullmatch(name):  # an invalid name needs no protection and is not stored
            self._failures.pop(name, None)
            return
        self._failures[name] = (self._failures.pop(name, (0, 0.0))[0] + 1, self._clock())
        while len(self._failures) > MAX_NAMES_WATCHED:
            self._failures.popitem(last=False)


def read_accounts(path: Path) -> Accounts:
    """Read the accounts of a file.

    Raises:
        InvalidInput: it cannot be read, is readable by others, or a line is invalid.
    """
    lines = []
    if path.exists():
        lines = _read_lines(path)
    if not lines:
        raise InvalidInput(
            f"{path} contains no accounts. Add one with `python -m core serve --auth {path} --add-user NAME`."
        )
    hashes: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        name, colon, stored = line.partition(":")
        if not colon or not NAME.fullmatch(name) or _decode(stored) is None:
            raise InvalidInput(
                f"{path}, line {number}: not a name, a colon, and a hash. "
                "Delete it and add the account again with --add-user."
            )
        hashes[name] = stored
    return Accounts(hashes)


def add_account(path: Path, name: str, password: str) -> None:
    """Add an account, or change its password; a missing file is made private.

    Raises:
        InvalidInput: invalid name or password, or the file is readable by others.
    """
    if not NAME.fullmatch(name):
        raise InvalidInput(f"A name needs 1 to 64 letters, digits, dots, or dashes: got {name[:80]!r}. Use another.")
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise InvalidInput(
            f"A password needs {MIN_PASSWORD} to {MAX_PASSWORD} characters: got {len(password)}. Use another."
        )
    lines = []
    if path.exists():
        lines = _read_lines(path)
    others = [line for line in lines if line.partition(":")[0] != name]
    text = "\n".join([*others, f"{name}:{hash_password(password)}"]) + "\n"
    with replacing(path) as part:
        part.touch()
        part.chmod(0o600)  # before it has content
        part.write_text(text, "utf-8")


def hash_password(password: str) -> str:
    """Return "salt$hash" in base64, with a new salt."""
    salt = secrets.token_bytes(16)
    return f"{_text(salt)}${_text(_scrypt(password, salt))}"


def is_password(password: str, stored: str) -> bool:
    """Whether a password has that hash, compared in constant time."""
    decoded = _decode(stored)
    return decoded is not None and hmac.compare_digest(_scrypt(password, decoded[0]), decoded[1])


def _scrypt(password: str, salt: bytes) -> bytes:
    # one form of each accented letter (RFC 8265, 4.2.2), because keyboards differ
    whole = unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
    return hashlib.scrypt(whole, salt=salt, maxmem=MAX_COST_BYTES, dklen=32, **COST)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _decode(stored: str) -> tuple[bytes, bytes] | None:
    try:
        salt, hashed = (base64.b64decode(part, validate=True) for part in stored.split("$"))
    except ValueError:
        return None
    if len(salt) == 16 and len(hashed) == 32:
        return salt, hashed
    return None


def _read_lines(path: Path) -> list[str]:
    """Return the non-empty lines; raises InvalidInput for an unreadable or public file."""
    try:
        if os.name == "posix" and path.stat().st_mode & 0o077:
            raise InvalidInput(f"{path} contains accounts and is readable by others. Run `chmod 600 {path}`.")
        with open_plain(path) as file:
            text = file.read(MAX_FILE).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"Cannot read the accounts in {path}: {error}. Check --auth.") from None
    return [line.strip() for line in text.splitlines() if line.strip()]
