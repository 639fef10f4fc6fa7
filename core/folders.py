"""Folders whose files belong together, such as a trained student's: without the file that says what the others are, its
key, a folder is nothing finished. The key goes first when another version takes the place of an earlier one, and comes
last.

So whoever reads a folder finds one version or none, however the writer ended. Other files in the folder are left alone,
and so are the user's own of the same names.
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
    """What a folder holds whose files belong together."""

    what: str
    """Such as "student", for messages."""
    key: str
    """The file that says what the others are."""
    names: tuple[str, ...]
    """Every file that a version may have, as paths below the folder."""
    is_own: Callable[[Mapping[str, Any]], bool]
    """Whether what `key` says was written by this version of the code or an earlier one."""

    def lies_in(self, folder: Path) -> bool:
        """Whether the folder holds a finished one."""
        try:
            said = read_stored(folder / self.key, below=folder)
        except (OSError, ValueError):
            return False
        return isinstance(said, dict) and self.is_own(cast("dict[str, Any]", said))


def check_free(folder: Path, kind: Kind) -> None:
    """See that the files which a new version would replace, or take away, are an earlier version's and not the user's.

    Raises:
        InvalidInput: files of such names lie in a folder that holds none of the kind; they are named.
    """
    found = sorted(name for name in kind.names if os.path.lexists(folder / name))
    if found and not kind.lies_in(folder):
        listed = ", ".join(found[:6]) + (f" and {len(found) - 6} more" if len(found) > 6 else "")
        raise InvalidInput(
            f"{folder} holds {listed}, and no {kind.what} that {'they are' if len(found) > 1 else 'it is'} part of: "
            f"a new {kind.what} would take the place of your own files. Choose another folder, such as a new one."
        )


@contextmanager
def all_at_once(folder: Path, kind: Kind) -> Generator[Path]:
    """A folder to write to, whose files take their places in `folder`, made where it is missing, once the block has
    ended well; files that only the earlier version has go.

    Raises:
        InvalidInput: it cannot be written; the earlier version is as it was, unless the last moves failed. Or files of
            such names there are the user's.
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
            raise IsADirectoryError(f"a folder lies where the file {path.name} belongs")
    (folder / kind.key).unlink(missing_ok=True)
    for name in kind.names:
        with suppress(FileNotFoundError, NotADirectoryError):
            (folder / name).unlink()
    for path in sorted(written, key=lambda path: path == scratch / kind.key):
        target = folder / path.relative_to(scratch)
        target.parent.mkdir(exist_ok=True)
        path.replace(target)
    sync(folder)
