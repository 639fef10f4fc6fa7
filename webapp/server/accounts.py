"""Who may sign in: names with the scrypt hashes of their passwords, one a line of a file that others cannot read."""

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
"""About 0.2 s and 32 MiB for one password."""
MAX_COST_BYTES = 128 * 2**20
NAME = re.compile(r"[A-Za-z0-9_.@-]{1,64}")
MIN_PASSWORD = 8
MAX_PASSWORD = 1024
MAX_FAILURES = 5
WAIT_S = 60.0
"""Wrong passwords for one name in a row, and how long it then waits."""
MAX_NAMES_WATCHED = 1000
MAX_FILE = 2**20


class Accounts:
    """The accounts of a file, and how often each was tried in vain.

    Args:
        hashes: "salt$hash" in base64 by name.
        clock: seconds, for the wait after too many failures.
    """

    def __init__(self, hashes: dict[str, str], clock: Callable[[], float] = time.monotonic) -> None:
        self._hashes = hashes
        self._clock = clock
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._one = asyncio.Semaphore(1)  # a flood of passwords takes one core and 32 MiB
        self._nobody = hash_password(secrets.token_urlsafe(16))

    async def check(self, name: str, password: str) -> bool:
        """Whether the password is that of the name; takes as long for a name that is none.

        Raises:
            HTTPException: 429, after too many failures a moment ago.
        """
        if len(password) > MAX_PASSWORD:
            return False
        known = self._hashes.get(name, self._nobody)
        async with self._one:
            if self.must_wait(name):  # asked here, so that many at a time are counted one after the other
                raise HTTPException(429, f"Too many wrong passwords for this name. Try again in {WAIT_S:.0f} seconds.")
            fits = await asyncio.to_thread(is_password, password, known) and name in self._hashes
            self._count(name, fits)
        return fits

    def _count(self, name: str, fits: bool) -> None:
        if fits or not NAME.fullmatch(name):  # a name that is none was not in danger, and would be kept whole
            self._failures.pop(name, None)
            return
        self._failures[name] = (self._failures.pop(name, (0, 0.0))[0] + 1, self._clock())
        while len(self._failures) > MAX_NAMES_WATCHED:
            self._failures.popitem(last=False)

    def must_wait(self, name: str) -> bool:
        """Whether a name was tried in vain too often a moment ago."""
        count, last = self._failures.get(name, (0, 0.0))
        return count >= MAX_FAILURES and self._clock() - last < WAIT_S


def read_accounts(path: Path) -> Accounts:
    """The accounts of a file.

    Raises:
        InvalidInput: it cannot be read, others may read it, or a line is no account.
    """
    lines = _read_lines(path) if path.exists() else []
    if not lines:
        raise InvalidInput(
            f"{path} holds no account. Add one with `python -m core serve --auth {path} --add-user NAME`."
        )
    hashes: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        name, colon, told = line.partition(":")
        if not colon or not NAME.fullmatch(name) or _decode(told) is None:
            raise InvalidInput(
                f"Line {number} of {path} must be a name, a colon and a hash. "
                f"Delete it and add the account again with --add-user."
            )
        hashes[name] = told
    return Accounts(hashes)


def add_account(path: Path, name: str, password: str) -> None:
    """Add an account, or give it a new password; the file is made if missing, for its owner alone.

    Raises:
        InvalidInput: the name or the password is none that can be used, or others may read the file.
    """
    if not NAME.fullmatch(name):
        raise InvalidInput(f"A name has 1 to 64 letters, digits, dots or dashes: got {name[:80]!r}. Choose another.")
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise InvalidInput(f"A password has {MIN_PASSWORD} to {MAX_PASSWORD} characters: got {len(password)}.")
    others = [line for line in (_read_lines(path) if path.exists() else []) if line.partition(":")[0] != name]
    text = "\n".join([*others, f"{name}:{hash_password(password)}"]) + "\n"
    with replacing(path) as part:
        part.touch()
        part.chmod(0o600)  # before anything stands in it
        part.write_text(text, "utf-8")


def hash_password(password: str) -> str:
    """ "salt$hash" in base64, with a salt of its own."""
    salt = secrets.token_bytes(16)
    return f"{_text(salt)}${_text(_scrypt(password, salt))}"


def is_password(password: str, told: str) -> bool:
    """Whether a password has that hash; the comparison takes as long wherever they differ."""
    decoded = _decode(told)
    return decoded is not None and hmac.compare_digest(_scrypt(password, decoded[0]), decoded[1])


def _scrypt(password: str, salt: bytes) -> bytes:
    # one spelling of each accented letter (RFC 8265, 4.2.2): keyboards differ in which they write
    whole = unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
    return hashlib.scrypt(whole, salt=salt, maxmem=MAX_COST_BYTES, dklen=32, **COST)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _decode(told: str) -> tuple[bytes, bytes] | None:
    try:
        salt, hashed = (base64.b64decode(part, validate=True) for part in told.split("$"))
    except ValueError:
        return None
    return (salt, hashed) if len(salt) == 16 and len(hashed) == 32 else None


def _read_lines(path: Path) -> list[str]:
    """The lines that are not empty; raises InvalidInput where the file is none for accounts."""
    try:
        if os.name == "posix" and path.stat().st_mode & 0o077:
            raise InvalidInput(f"Others may read {path}, which holds the accounts. Run `chmod 600 {path}`.")
        with open_plain(path) as file:
            text = file.read(MAX_FILE).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"The accounts in {path} cannot be read: {error}. Check --auth.") from None
    return [line.strip() for line in text.splitlines() if line.strip()]
