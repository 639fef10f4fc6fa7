"""List the files of an archive or folder, one by one within the limits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn

from core.data.modality import modality_by_name
from core.errors import InvalidInput
from core.limits import Limits, byte_size
from core.numbers import count
from core.records import NamedItems, Progress, Reporter

RATIO_FROM_BYTES = 2**20
"""Smaller members are not checked: a blank bitmap reaches any ratio honestly, and 1 MiB cannot hurt."""
_JUNK_NAMES = frozenset({".ds_store", "thumbs.db", "desktop.ini"})


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FileImages(NamedItems):
    """Named files; thread-safe."""

    load: Callable[[int, int], bytes]
    """load(row, most): the first `most` bytes of a file."""
    sizes: Sequence[int]
    """Unpacked, in bytes."""
    notes: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    """Names of links, which are not followed."""
    top: str = ""
    """The folder that holds all files, left out of their names; "" where it is not known."""

    def read(self, index: int) -> bytes:
        return self.load(index, self.sizes[index])

    def head(self, index: int) -> tuple[int, bytes]:
        """(size in bytes, first 64 bytes) of row `index`."""
        return self.sizes[index], self.load(index, 64)


class Listing:
    """The files of an archive or folder, and what was ignored.

    Args:
        progress: called as ("open images", 0, 1) while files are entered.
    """

    def __init__(self, source: str, limits: Limits, progress: Progress) -> None:
        self.source = source
        self.limits = limits
        self.report = Reporter(progress, "open images", 1)
        self.names = list[str]()
        self.sizes = list[int]()
        self.links = list[str]()
        self.special = list[str]()
        """Names of devices, pipes and sparse files."""
        self.total = 0
        self._members = 0
        self._junk = 0
        self._unreadable_names = 0
        self._seen = set[str]()
        self._repeated = list[str]()

    def count(self) -> None:
        """Count one more member of any kind.

        Raises:
            InvalidInput: there are too many.
            Cancelled: from `progress`.
        """
        self.report(0)
        self._members += 1
        if self._members > self.limits.max_files:
            self.reject_count()

    def reject_count(self) -> NoReturn:
        raise InvalidInput(f"{self.source} contains more than {self.limits.max_files:,} files, the limit. Split it.")

    def add(self, name: str, size: int) -> bool:
        """Add a regular file; return False if it is junk, a repetition, or its name is not valid UTF-8.

        Raises:
            InvalidInput: it is too large, or an image whose name is not valid UTF-8.
        """
        if is_junk(name):
            self._junk += 1
            return False
        if any("\ud800" <= c <= "\udfff" for c in name):  # surrogates: no table or page could hold the name
            if is_item_name(name):
                raise InvalidInput(
                    f"{self.source}: the name {name[:80]!a} is not valid UTF-8. "
                    "Rename it or its folder, or pack the folder as a zip."
                )
            self._unreadable_names += 1
            return False
        if name in self._seen:
            self._repeated.append(name)
            return False
        if size > self.limits.max_file_bytes:
            raise InvalidInput(
                f"{self.source}: {name[:80]!r} is {byte_size(size)} unpacked, above the limit of "
                f"{byte_size(self.limits.max_file_bytes)} per file. Remove it."
            )
        self.total += size
        if self.total > self.limits.max_total_bytes:
            reject_total(self.source, self.limits)
        self._seen.add(name)
        self.names.append(name)
        self.sizes.append(size)
        return True

    def store(self, load: Callable[[int, int], bytes], *, strip: bool) -> FileImages:
        """Build the store of the files that were added.

        Args:
            load: see `FileImages.load`.
            strip: name files below the one folder that holds all, if there is one. If False, the source is that
                folder.

        Raises:
            InvalidInput: no file was added.
        """
        if not self.names:
            raise InvalidInput(
                f"{self.source} contains no readable files. "
                "Use an archive or folder with images (.jpg, .png, .webp, ...)."
            )
        top = ""
        folder = self.source
        if strip:
            top = _common_top(self.names)
            folder = top.rstrip("/")
        names = tuple(name[len(top) :] for name in self.names)
        links = tuple(link.removeprefix(top) for link in self.links)
        self.report(1, last=True)
        return FileImages(names, load, self.sizes, self._notes(), links, folder)

    def _notes(self) -> tuple[str, ...]:
        notes = list[str]()
        if self._junk:
            notes.append(
                f"Ignored {count(self._junk, 'system file')} in {self.source}, for example .DS_Store or __MACOSX."
            )
        if self._unreadable_names:
            notes.append(
                f"Ignored {count(self._unreadable_names, 'file')} in {self.source}: invalid UTF-8 in the name."
            )
        if self.links:
            links = count(len(self.links), "link")
            notes.append(
                f"Ignored {links} in {self.source}, for example {self.links[0][:80]!r}: links are not followed."
            )
        if self.special:
            notes.append(
                f"Ignored {count(len(self.special), 'device, pipe, or sparse file')} in {self.source}, for example "
                f"{self.special[0][:80]!r}."
            )
        if self._repeated:
            notes.append(
                f"Used the first copy of files that {self.source} contains more than once, for example "
                f"{self._repeated[0][:80]!r}; ignored {len(self._repeated):,}."
            )
        return tuple(notes)


def is_image_name(name: str) -> bool:
    """Whether the file name has an image's ending."""
    return modality_by_name(name) == "image"


def is_item_name(name: str) -> bool:
    """Whether the file name has the ending of an image, a clip or another item."""
    return modality_by_name(name) is not None


def is_junk(name: str) -> bool:
    """Whether an operating system left the file behind (__MACOSX, .DS_Store, ._photo.jpg, Thumbs.db)."""
    parts = name.split("/")
    return "__MACOSX" in parts or parts[-1].startswith("._") or parts[-1].lower() in _JUNK_NAMES


def safe_name(raw: str, source: str) -> str:
    """Return the member's name with "/" between folders.

    Raises:
        InvalidInput: it is absolute, climbs with "..", names a drive, or holds a zero byte.
    """
    name = raw.replace("\\", "/")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    drive = bool(parts) and len(parts[0]) == 2 and parts[0][1] == ":"
    if name.startswith("/") or drive or ".." in parts or "\0" in name or not parts:
        raise InvalidInput(
            f"{source}: the member {raw[:80]!r} points outside the archive. Pack it again with relative paths."
        )
    return "/".join(parts)


def reject_ratio(source: str, name: str, ratio: float, limits: Limits) -> NoReturn:
    raise InvalidInput(
        f"{source}: {name[:80]} unpacks to {ratio:,.0f} times its packed size, above the limit of "
        f"{limits.max_ratio:,.0f}. Remove it."
    )


def reject_total(source: str, limits: Limits) -> NoReturn:
    raise InvalidInput(f"{source} is more than {byte_size(limits.max_total_bytes)} unpacked, the limit. Split it.")


def _common_top(names: list[str]) -> str:
    """Return the one folder that holds every file, with its "/", or ""."""
    top, slash, _ = names[0].partition("/")
    top += slash
    if slash and all(name.startswith(top) for name in names):
        return top
    return ""
