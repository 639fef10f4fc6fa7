"""Match images to rows, and reject unusable ones without decoding them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt

from core.data.images.archives import FileImages, is_item_name
from core.data.images.columns import FrameImages, ParquetImages, cell_bytes
from core.data.images.headers import declared_size
from core.data.images.matches import check_matches
from core.errors import InvalidInput
from core.limits import Limits
from core.numbers import count
from core.records import I64, ItemStore, Progress, Reporter, no_progress
from core.records.ledger import Ledger

_MAGIC = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"RIFF", b"II+\0", b"MM\0+")
EMPTY = "the image is empty (0 bytes)"
NO_PICTURE = "the file is not a JPEG, PNG, WebP, GIF, BMP, TIFF, or AVIF image"


@dataclass(frozen=True, slots=True, eq=False)
class FileIndex:
    """Files by path, by name, by name without its ending, and by either in any case."""

    by_path: dict[str, int]
    by_name: dict[str, list[int]]
    by_stem: dict[str, list[int]]
    by_any_case: dict[str, list[int]]
    """By name, and by name without its ending, as `str.casefold` writes them."""
    depth: int
    """Parts of the longest path; a longer written path matches by its last parts."""

    def find(self, written: str) -> list[int]:
        """Look up the indices of the files that a table's path may mean: by path below the root (extra leading folders
        are allowed), by name, by stem, or by either in another case."""
        parts = [part for part in written.replace("\\", "/").split("/") if part not in ("", ".")]
        for start in range(max(len(parts) - self.depth, 0), len(parts)):
            index = self.by_path.get("/".join(parts[start:]))
            if index is not None:
                return [index]
        name = ""
        if parts:
            name = parts[-1]
        stem = PurePosixPath(name).stem
        folded = name.casefold()
        return (
            self.by_name.get(name)
            or self.by_stem.get(name)
            or self.by_stem.get(stem)
            or self.by_any_case.get(folded)
            or self.by_any_case.get(stem.casefold())
            or []
        )


def match_files(
    written: npt.NDArray[Any],
    store: FileImages,
    ledger: Ledger,
    *,
    column: str,
    noun: str = "image",
    count_unused: bool = True,
    hint: str = "",
    progress: Progress = no_progress,
) -> I64:
    """Look up the position in `store` of each row's file; -1 for rows without one, which are dropped.

    Args:
        written: (n,) object array of str or None, as in the table.
        column: the table's column, for messages.
        noun: what a file is called in messages.
        hint: a sentence on what to do if no file matches, or "".

    Raises:
        InvalidInput: no row's file exists, or a row's file name fits several files.
        Cancelled: from `progress`.
    """
    report = Reporter(progress, "match images", len(written))
    report(0)
    index = index_files(store)
    files = f"{noun}s"
    positions = np.full(len(written), -1, dtype=np.int64)
    ambiguous = list[tuple[int, list[int]]]()
    for row, text in enumerate(written):
        report(row)
        if text is None:
            continue
        matches = index.find(text)
        if len(matches) == 1:
            positions[row] = matches[0]
        elif matches:
            ambiguous.append((row, matches))
    if ambiguous:
        row, matches = ambiguous[0]
        choices = " or ".join(repr(store.name(position)) for position in matches[:3])
        raise InvalidInput(
            f"{column!r}, row {row}: {written[row]!r} may be {choices}. "
            f"{count(len(ambiguous), 'row')} cannot be matched. Write each path below the root of the {files}."
        )
    if len(written) and (positions < 0).all():
        example = next((text for text in written if text is not None), "")
        raise InvalidInput(
            f"No path in {column!r} matches the {files}: {example!r} is not there, {store.name(0)!r} is. "
            f"Fix the paths, or use another column. {hint}".rstrip()
        )
    check_matches(written, positions, store.names, ledger, top=store.top, column=column, noun=noun)
    links = set(store.links)
    ledger.drop(np.array([text is None for text in written]), f"{column!r} names no {noun}")
    ledger.drop(np.array([text in links for text in written]), f"the {noun} is a link: links are not followed")
    ledger.drop(positions < 0, [f"the {noun} was not found: {text}" for text in written])
    used = {int(p) for p in positions if p >= 0 and is_item_name(store.name(int(p)))}
    unused = sum(map(is_item_name, store.names)) - len(used)
    if unused > 0 and count_unused:
        ledger.note(f"Ignored {count(unused, noun)} that the table does not name.")
    return positions


def index_files(store: FileImages) -> FileIndex:
    """Index every file of the store by path, by name and by stem."""
    by_path = dict[str, int]()
    by_name = defaultdict[str, list[int]](list)
    by_stem = defaultdict[str, list[int]](list)
    by_any_case = defaultdict[str, list[int]](list)
    for i, name in enumerate(store.names):
        by_path[name] = i
        last = name.rpartition("/")[2]
        by_name[last].append(i)
        stem = last.rpartition(".")[0]
        if is_item_name(name):
            by_stem[stem].append(i)
        for folded in {last.casefold(), stem.casefold()}:
            by_any_case[folded].append(i)
    depth = max((name.count("/") + 1 for name in by_path), default=0)
    return FileIndex(by_path, dict(by_name), dict(by_stem), dict(by_any_case), depth)


def check_pictures(
    store: ItemStore, positions: I64, ledger: Ledger, limits: Limits, progress: Progress = no_progress
) -> int:
    """Drop rows whose image is empty, not an image by its first bytes, a drawing (SVG), or too large. Nothing is
    decoded.

    Args:
        positions: (n,) position of each row's image in `store`; -1 for none.

    Returns:
        Number of rows whose file is empty or not an image; 0 if all those are empty.
    """
    reasons = [""] * len(positions)
    heads = None
    if isinstance(store, ParquetImages):
        heads = store.heads()
    report = Reporter(progress, "check images", len(positions))
    for row, position in enumerate(positions):
        report(row)
        if heads is not None:
            size, head = next(heads)  # a Parquet column is read once, in order: positions are the rows
        elif position < 0:
            continue
        elif isinstance(store, FileImages):
            try:
                size, head = store.head(int(position))
            except InvalidInput as error:
                reasons[row] = f"the image cannot be read: {error}"
                continue
        elif isinstance(store, FrameImages):
            head = cell_bytes(store.values[int(position)])
            size = len(head)
        else:
            continue
        reasons[row] = refusal(size, head, limits)
    ledger.drop(np.array([bool(reason) for reason in reasons], dtype=np.bool_), reasons)
    if NO_PICTURE not in reasons:
        return 0
    return reasons.count(EMPTY) + reasons.count(NO_PICTURE)


def refusal(size: int, head: bytes, limits: Limits) -> str:
    """Give the reason to reject an image of `size` bytes with these first bytes, or ""."""
    if size == 0:
        return EMPTY
    if size > limits.max_file_bytes:
        return f"the image is too large: {size:,} bytes, limit {limits.max_file_bytes:,}"
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<svg", b"<?xml", b"<!doctype svg")):
        return "the image is a drawing (SVG), not pixels: export it as PNG"
    if not head.startswith(_MAGIC) and head[4:8] not in (b"ftyp", b"jP  "):
        return NO_PICTURE
    width, height = declared_size(head)
    if width * height > limits.max_pixels:
        return f"the image has too many pixels: {width:,} x {height:,}, limit {limits.max_pixels:,}"
    return ""
