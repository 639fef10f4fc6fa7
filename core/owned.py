"""Which files of a folder are a writer's own: those that its kind names, where the folder holds what it writes.

A folder that was received may hold anything below the names that writers use, so what a writer left is believed only
as far as that kind of writer could have left it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from core.documents import read_stored
from core.errors import InvalidInput
from core.received import NO_SUCH_FILE

COMMITTED = ".errata-committed"
GONE = ".gone.json"
"""In it: files of the earlier version that the new one does not have."""
_MAX_GONE_BYTES = 2**16


@dataclass(frozen=True, slots=True)
class Kind:
    """What a folder holds whose files are replaced together."""

    what: str
    """Such as "run", for messages."""
    key: str
    """The file that says what the others are."""
    names: tuple[str, ...]
    """Every file that a version may have, as paths below the folder."""
    is_own: Callable[[Mapping[str, Any]], bool]
    """Whether what `key` says was written by this version of the code or an earlier one."""

    def lies_at(self, place: Path) -> bool:
        """Whether the file is a key of this kind.

        Raises:
            OSError: it is a file that cannot be read.
        """
        try:
            said = read_stored(place, below=place.parent)
        except ValueError:
            return False
        except OSError as error:
            if error.errno in NO_SUCH_FILE:
                return False
            raise
        return isinstance(said, dict) and self.is_own(cast("dict[str, Any]", said))


def check_free(folder: Path, kind: Kind) -> None:
    """See that the files which a new version would replace, or take away, are an earlier version's and not the user's.

    Raises:
        InvalidInput: files of such names lie in a folder that holds none of the kind; they are named.
        OSError: its key cannot be read.
    """
    found = sorted(name for name in kind.names if os.path.lexists(folder / name))
    if found and not any(kind.lies_at(place / kind.key) for place in (folder, folder / COMMITTED)):
        listed = ", ".join(found[:6]) + (f" and {len(found) - 6} more" if len(found) > 6 else "")
        raise InvalidInput(
            f"{folder} holds {listed}, and no {kind.what} that {'they are' if len(found) > 1 else 'it is'} part of: "
            f"a new {kind.what} would take the place of your own files. Choose another folder, such as a new one."
        )


def left_by_writer(folder: Path, moving: Path, kind: Kind) -> tuple[list[str], list[str]]:
    """The files of a version that is to be moved out of `moving` into `folder`, and those that go then, as paths.

    Raises:
        InvalidInput: no writer of this kind left that: it has links, pipes or other files.
        OSError: it cannot be read.
    """
    files: list[str] = []
    for name in _listed(moving):
        if name != GONE:
            _check_own(folder, moving, kind, name)
            files.append(name)
    try:
        said = read_stored(moving / GONE, _MAX_GONE_BYTES, below=moving)
    except FileNotFoundError:
        return sorted(files), []  # its removal had begun, or a former version wrote it
    except ValueError:
        raise _foreign(folder, moving, kind, GONE) from None
    except OSError as error:
        if error.errno in NO_SUCH_FILE:
            raise _foreign(folder, moving, kind, GONE) from None
        raise
    if not isinstance(said, list):
        raise _foreign(folder, moving, kind, GONE)
    gone = cast("list[Any]", said)
    for name in gone:
        _check_own(folder, moving, kind, name)
    return sorted(files), gone


def _check_own(folder: Path, moving: Path, kind: Kind, name: Any) -> None:
    if name not in kind.names or ("/" in name and (folder / name).parent.is_symlink()):
        raise _foreign(folder, moving, kind, str(name))


def _foreign(folder: Path, moving: Path, kind: Kind, name: str) -> InvalidInput:
    return InvalidInput(
        f"{moving.name} in {folder} is damaged, or of no {kind.what}: {name[:60]!a} there is nothing that a "
        f"{kind.what} leaves. Look into it, delete the folder {moving.name}, and try again."
    )


def _listed(folder: Path, below: str = "") -> Iterator[str]:
    """The paths in a folder and the folders right below it. What is no plain file there is one too: no kind has it."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False) and not below:
                yield from _listed(Path(entry.path), f"{entry.name}/")
            else:
                plain = entry.is_file(follow_symlinks=False)
                yield f"{below}{entry.name}" if plain else f"{below}{entry.name} (no file)"
