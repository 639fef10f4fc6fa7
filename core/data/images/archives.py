"""Open images from a zip, a tar or a folder, one at a time.

Nothing is unpacked to a path that an archive names, so a hostile name can do no harm; it is rejected all the same.
Sizes are checked in the archive's directory before anything is read, and again while reading.
"""

from __future__ import annotations

import os
from pathlib import Path

from core.data.images.listing import FileImages, Listing, is_image_name, is_item_name, is_junk
from core.data.images.tars import is_tar, open_tar
from core.data.images.zips import is_zip, open_zip
from core.errors import InvalidInput
from core.limits import Limits
from core.received import open_plain
from core.records import Progress, no_progress

__all__ = ["FileImages", "is_archive", "is_image_name", "is_item_name", "is_junk", "open_images"]


def open_images(path: str | Path, limits: Limits = Limits(), progress: Progress = no_progress) -> FileImages:
    """List the files of a zip, a tar (also .tar.gz, .tar.bz2, .tar.xz) or a folder.

    If everything in an archive lies in one folder, names start below that folder. Hidden junk is ignored and counted;
    links are not followed.

    Args:
        progress: called as ("open images", 0, 1), and as ("unpack images", done, total) in MiB where a tar is
            compressed.

    Raises:
        InvalidInput: the path is missing, is not an archive, is encrypted or damaged, names a member outside its own
        folder, or exceeds `limits`; or the disk is too full to unpack it.
        Cancelled: from `progress`.
    """
    path = Path(path)
    if path.is_dir():
        return _open_folder(path, limits, progress)
    if not path.is_file():
        raise InvalidInput(f"The images {str(path)!r} were not found. Use a folder, a .zip, or a .tar.")
    if is_zip(path):
        return open_zip(path, limits, progress)
    if is_tar(path, limits):
        return open_tar(path, limits, progress)
    raise InvalidInput(
        f"{path.name!r} is not a folder, a zip, or a tar, or it is damaged. "
        "Pack the images as .zip or .tar (not .rar or .7z)."
    )


def is_archive(path: Path, limits: Limits = Limits()) -> bool:
    """Whether the file looks like a zip or a tar by its first or last bytes."""
    return path.is_file() and (is_zip(path) or is_tar(path, limits))


def _open_folder(root: Path, limits: Limits, progress: Progress) -> FileImages:
    """Files below the folder, in sorted order; a link is followed only if it is a file and stays below the folder."""
    listing = Listing(root.name, limits, progress)
    files = list[Path]()
    base = root.resolve()
    for folder, subfolders, names in os.walk(base):
        listing.report(0)
        subfolders.sort()
        for name in subfolders:
            if os.path.islink(os.path.join(folder, name)):
                listing.links.append(_below(base, folder, name))
        for name in sorted(names):
            listing.count()
            file = Path(folder, name)
            below = _below(base, folder, name)
            # realpath, unlike Path.resolve, has no error for a link to itself
            inside = not file.is_symlink() or Path(os.path.realpath(file)).is_relative_to(base)
            if not file.is_file() and not file.is_symlink():
                listing.special.append(below)
            elif not inside or not file.is_file():
                listing.links.append(below)
            elif listing.add(below, file.stat().st_size):
                files.append(file)

    def load(position: int, most: int) -> bytes:
        try:
            with open_plain(files[position]) as file:
                return file.read(most)
        except OSError as error:
            raise InvalidInput(
                f"{root.name}: {listing.names[position]!r} cannot be read ({error.strerror}). "
                "If it was moved during the run, start again."
            ) from None

    return listing.store(load, strip=False)


def _below(base: Path, folder: str, name: str) -> str:
    return Path(folder, name).relative_to(base).as_posix()
