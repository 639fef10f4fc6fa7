"""Which image belongs to which row, and which can be refused without decoding it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt

from core.data.images.archives import FileImages, is_item_name
from core.data.images.columns import FrameImages, ParquetImages, encoded
from core.data.images.headers import declared_size
from core.data.images.matches import check_matches
from core.errors import InvalidInput
from core.limits import Limits
from core.records import I64, ItemStore, Progress, Reporter, no_progress
from core.records.ledger import Ledger

_MAGIC = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"RIFF", b"II+\0", b"MM\0+")
EMPTY = "the image is empty (0 bytes)"
NO_PICTURE = "the file cannot be decoded as an image: it begins like none of JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF"


@dataclass(frozen=True, slots=True, eq=False)
class FileIndex:
    """Files by path, by name, by name without its ending, and by either in any case."""

    by_path: dict[str, int]
    by_name: dict[str, list[int]]
    by_stem: dict[str, list[int]]
    by_any_case: dict[str, list[int]]
    """By name, and by name without its ending, as `str.casefold` writes them."""
    depth: int
    """Parts of the longest path: no more of a written one need be looked at."""

    def find(self, written: str) -> list[int]:
        """The files that a table's path may mean: by path below the root (leading folders may be more), by name, by
        stem, by either in another case."""
        parts = [part for part in written.replace("\\", "/").split("/") if part not in ("", ".")]
        for start in range(max(len(parts) - self.depth, 0), len(parts)):
            at = self.by_path.get("/".join(parts[start:]))
            if at is not None:
                return [at]
        name = parts[-1] if parts else ""
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
    """The position in `store` of the file that each row names; -1 for rows without one, which are dropped.

    Args:
        written: (n,) object array of str or None, as in the table.
        column: the table's column, for messages.
        noun: what a file is called there.
        hint: a sentence on what to do where none is found, or "".

    Raises:
        InvalidInput: no row's file is there, or a row's file name fits several files.
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
        places = [] if text is None else index.find(text)
        if len(places) == 1:
            positions[row] = places[0]
        elif places:
            ambiguous.append((row, places))
    if ambiguous:
        row, places = ambiguous[0]
        choices = " or ".join(repr(store.name(p)) for p in places[:3])
        raise InvalidInput(
            f"{column!r} must name one {noun} in each row: {written[row]!r} (row {row}) may be {choices}; "
            f"{len(ambiguous):,} rows are so. Write the path below the images' root."
        )
    if len(written) and (positions < 0).all():
        example = next((text for text in written if text is not None), "")
        raise InvalidInput(
            f"None of the {len(written):,} files that {column!r} names (such as {example!r}) is among the {files} "
            f"(such as {store.name(0)!r}). Bring the right {noun}s, or another column of paths. {hint}".rstrip()
        )
    check_matches(written, positions, store.names, ledger, top=store.top, column=column, noun=noun)
    links = set(store.links)
    ledger.drop(np.array([text is None for text in written]), f"{column!r} names no {noun}")
    ledger.drop(np.array([text in links for text in written]), f"the {noun} is a link: links are not followed")
    ledger.drop(positions < 0, [f"the {noun} is not among the {files}: {text}" for text in written])
    used = {int(p) for p in positions if p >= 0 and is_item_name(store.name(int(p)))}
    unused = sum(map(is_item_name, store.names)) - len(used)
    if unused > 0 and count_unused:
        ledger.note(f"{unused:,} {noun}s belong to no row of the table and were not used.")
    return positions


def index_files(store: FileImages) -> FileIndex:
    """Every file of the store by its three names."""
    by_path = dict[str, int]()
    by_name, by_stem, by_any_case = (defaultdict[str, list[int]](list) for _ in range(3))
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
    """Drop rows whose image is empty, no image by its first bytes, a drawing (SVG), or too large; nothing is
    decoded.

    Args:
        positions: (n,) where each row's image lies in `store`; -1 for none.

    Returns:
        How many rows have no bytes, or such as begin like no image, where any of them do.
    """
    reasons = [""] * len(positions)
    heads = store.heads() if isinstance(store, ParquetImages) else None
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
            head = encoded(store.values[int(position)])
            size = len(head)
        else:
            continue
        reasons[row] = refusal(size, head, limits)
    ledger.drop(np.array([bool(reason) for reason in reasons], dtype=np.bool_), reasons)
    return reasons.count(EMPTY) + reasons.count(NO_PICTURE) if NO_PICTURE in reasons else 0


def refusal(size: int, head: bytes, limits: Limits) -> str:
    """Why an image of `size` bytes that begins with `head` cannot be used, or ""."""
    if size == 0:
        return EMPTY
    if size > limits.max_file_bytes:
        return f"the image is too large: {size:,} bytes, at most {limits.max_file_bytes:,}"
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<svg", b"<?xml", b"<!doctype svg")):
        return "the image is a drawing (SVG), not pixels: export it as PNG"
    if not head.startswith(_MAGIC) and head[4:8] not in (b"ftyp", b"jP  "):
        return NO_PICTURE
    width, height = declared_size(head)
    if width * height > limits.max_pixels:
        return f"the image has too many pixels: {width:,} x {height:,}, at most {limits.max_pixels:,}"
    return ""
