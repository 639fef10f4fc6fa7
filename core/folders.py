"""Write folders of files that belong together, such as a trained student. One file, the key, describes the others; a
folder without it is incomplete. To replace a version, the key is deleted first and written last.

A reader therefore finds one version or none, however the writer ended. Other files in the folder stay, and so do the
user's files with the same names.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from core.documents import read_stored
from core.errors import InvalidInput
from core.files import cannot_write, sync
from core.locks import lock


@dataclass(frozen=True, slots=True)
class Kind:
    """The kind of a folder whose files belong together."""

    what: str
    """Noun for messages, such as "student"."""
    key: str
    """The file that describes the others."""
    names: tuple[str, ...]
    """All files that a version can have, as paths below the folder."""
    is_own: Callable[[Mapping[str, Any]], bool]
    """Whether the content of `key` comes from this or an earlier version of the code."""

    def lies_in(self, folder: Path) -> bool:
        """Whether the folder holds a complete version."""
        try:
            document = read_stored(folder / self.key, below=folder)
        except (OSError, ValueError):
            return False
        return isinstance(document, dict) and self.is_own(cast("dict[str, Any]", document))


def check_free(folder: Path, kind: Kind) -> None:
    """Check that the files which a new version would replace or delete belong to an earlier version, not to the user.

    Raises:
        InvalidInput: names the files in a folder without an earlier version.
    """
    existing = sorted(name for name in kind.names if os.path.lexists(folder / name))
    if existing and not kind.lies_in(folder):
        listed = ", ".join(existing[:6])
        if len(existing) > 6:
            listed = f"{listed} and {len(existing) - 6} more"
        raise InvalidInput(
            f"{folder} holds {listed}, not written as a {kind.what}. A new {kind.what} would overwrite your files. "
            "Choose an empty folder."
        )


@contextmanager
def all_at_once(folder: Path, kind: Kind) -> Generator[Path]:
    """Make a temporary folder to write to. When the block ends without an error, its files move to `folder`, which is
    made if missing; files that only the earlier version has are deleted.

    Raises:
        InvalidInput: the folder cannot be written (the earlier version stays unless the final moves failed), or it
            holds the user's files with these names.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with lock(folder), tempfile.TemporaryDirectory(prefix=".errata-writing-", dir=folder) as scratch:
            check_free(folder, kind)
            yield Path(scratch)
            _move(Path(scratch), folder, kind)
    except OSError as error:
        raise cannot_write(f"Cannot write the {kind.what} to {folder}", error) from error


def _move(scratch: Path, folder: Path, kind: Kind) -> None:
    written = [path for path in sorted(scratch.rglob("*")) if path.is_file()]
    for path in written:
        sync(path)
        if (folder / path.relative_to(scratch)).is_dir():
            raise IsADirectoryError(f"{path.name} is a folder, not a file")
    (folder / kind.key).unlink(missing_ok=True)
    for name in kind.names:
        with suppress(FileNotFoundError, NotADirectoryError):
            (folder / name).unlink()
    for path in sorted(written, key=lambda path: path == scratch / kind.key):
        target = folder / path.relative_to(scratch)
        target.parent.mkdir(exist_ok=True)
        path.replace(target)
    sync(folder)
