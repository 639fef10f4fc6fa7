"""The files of an archive or folder, entered one by one within the limits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn

from core.data.modality import modality_by_name
from core.errors import InvalidInput
from core.limits import Limits, byte_size
from core.records import NamedItems, Progress, Reporter

RATIO_FROM = 2**20
"""Small members reach any ratio honestly (a blank bitmap) and cannot hurt."""
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
    """The folder that all lie in, which no name has; "" where it is not known."""

    def read(self, index: int) -> bytes:
        return self.load(index, self.sizes[index])

    def head(self, index: int) -> tuple[int, bytes]:
        """(size in bytes, first 64 bytes) of row `index`."""
        return self.sizes[index], self.load(index, 64)


class Listing:
    """What was found in an archive or folder, and what was passed over.

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
        self._members = self._junk = self._unreadable_names = 0
        self._seen = set[str]()
        self._repeated = list[str]()

    def count(self) -> None:
        """Count one more member, whatever it is.

        Raises:
            InvalidInput: they are too many.
            Cancelled: from `progress`.
        """
        self.report(0)
        self._members += 1
        if self._members > self.limits.max_files:
            self.refuse_number()

    def refuse_number(self) -> NoReturn:
        raise InvalidInput(
            f"{self.source} holds more than {self.limits.max_files:,} files, the most that is read. Split it."
        )

    def add(self, name: str, size: int) -> bool:
        """Enter a regular file; False if it is junk, a repetition, or no text can hold its name.

        Raises:
            InvalidInput: it is too large, or an image whose name is no UTF-8.
        """
        if is_junk(name):
            self._junk += 1
            return False
        if any("\ud800" <= c <= "\udfff" for c in name):  # no table or page could hold such a name
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
                f"{self.source}: {name[:80]!r} is {byte_size(size)} unpacked; "
                f"one file may be {byte_size(self.limits.max_file_bytes)}. Take it out."
            )
        self.total += size
        if self.total > self.limits.max_total_bytes:
            refuse_total(self.source, self.limits)
        self._seen.add(name)
        self.names.append(name)
        self.sizes.append(size)
        return True

    def store(self, load: Callable[[int, int], bytes], *, strip: bool) -> FileImages:
        """The files that were entered.

        Args:
            load: see `FileImages.load`.
            strip: name files below the one folder that holds all, if there is one. If not, the source is that folder.

        Raises:
            InvalidInput: there is no file.
        """
        if not self.names:
            raise InvalidInput(
                f"{self.source} holds no files that can be read. "
                "Bring an archive or folder with images (.jpg, .png, .webp, ...)."
            )
        top = _common_top(self.names) if strip else ""
        names = tuple(name[len(top) :] for name in self.names)
        links = tuple(link.removeprefix(top) for link in self.links)
        self.report(1, last=True)
        return FileImages(names, load, self.sizes, self._notes(), links, top.rstrip("/") if strip else self.source)

    def _notes(self) -> tuple[str, ...]:
        notes = list[str]()
        if self._junk:
            left = f"{self._junk:,} files that an operating system left in {self.source}"
            notes.append(f"{left} (.DS_Store, __MACOSX) were ignored.")
        if self._unreadable_names:
            notes.append(
                f"{self._unreadable_names:,} files in {self.source} were ignored: their names are not valid UTF-8."
            )
        if self.links:
            notes.append(
                f"{len(self.links):,} links in {self.source} were not followed, for instance {self.links[0][:80]!r}."
            )
        if self.special:
            notes.append(
                f"{len(self.special):,} devices, pipes or sparse files in {self.source} were ignored, for instance "
                f"{self.special[0][:80]!r}."
            )
        if self._repeated:
            notes.append(
                f"{self.source} names {self._repeated[0][:80]!r} more than once ({len(self._repeated):,} such "
                "entries): the first is used."
            )
        return tuple(notes)


def is_image_name(name: str) -> bool:
    """Whether the file name ends as an image's does."""
    return modality_by_name(name) == "image"


def is_item_name(name: str) -> bool:
    """Whether the file name ends as that of an image, a clip or another item does."""
    return modality_by_name(name) is not None


def is_junk(name: str) -> bool:
    """Whether an operating system left the file behind (__MACOSX, .DS_Store, ._photo.jpg, Thumbs.db)."""
    parts = name.split("/")
    return "__MACOSX" in parts or parts[-1].startswith("._") or parts[-1].lower() in _JUNK_NAMES


def safe_name(raw: str, source: str) -> str:
    """The member's name with "/" between folders.

    Raises:
        InvalidInput: it is absolute, climbs with "..", names a drive, or holds a zero byte.
    """
    name = raw.replace("\\", "/")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    drive = bool(parts) and len(parts[0]) == 2 and parts[0][1] == ":"
    if name.startswith("/") or drive or ".." in parts or "\0" in name or not parts:
        raise InvalidInput(
            f"{source}: the member {raw[:80]!r} points outside the archive. "
            "Archives must name files below their own top: pack it again."
        )
    return "/".join(parts)


def refuse_ratio(source: str, name: str, ratio: float, limits: Limits) -> NoReturn:
    raise InvalidInput(
        f"{source}: {name[:80]} unpacks to {ratio:,.0f} times its packed size; "
        f"at most {limits.max_ratio:,.0f} is read. Take it out."
    )


def refuse_total(source: str, limits: Limits) -> NoReturn:
    raise InvalidInput(
        f"{source} is more than {byte_size(limits.max_total_bytes)} unpacked, the most that is read. Split it."
    )


def _common_top(names: list[str]) -> str:
    """The one folder that holds every file, with its "/", or ""."""
    tops = {name.partition("/")[0] if "/" in name else "" for name in names}
    return "" if len(tops) != 1 or "" in tops else tops.pop() + "/"
