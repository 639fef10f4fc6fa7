"""Clips as features: a table of names and files, and a folder with one array of frames per clip.

Source: the released code of UniVL (github.com/microsoft/UniVL) reads a csv with the columns video_id and feature_file
beside a folder of `.npy` files. Errata does not read its pickles, because loading a pickle can run code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from core.arrays import open_arrays
from core.data.tables.read import read_table
from core.errors import InvalidInput, quoted
from core.limits import Limits
from core.numbers import count
from core.records import F32, Progress, no_progress
from core.systems.univl.use import ShownClips

COLUMNS = ("video_id", "feature_file")
MAX_FRAMES = 64
"""Frames read of each clip, from its start; as published."""
MAX_NUMBERS = 500_000_000
"""Numbers of all padded clips together: 2 GB."""
_PICKLES = (".pickle", ".pkl", ".p")
CONVERT = (
    "Errata reads no pickles, because a pickle can run code. If you trust it, save each clip: "
    "`for name, x in pickle.load(open(FILE, 'rb')).items(): np.save(f'FOLDER/{name}.npy', x)`."
)


@dataclass(frozen=True, slots=True, eq=False)
class FeatureTable:
    """m clips by name, with their features."""

    names: tuple[str, ...]
    clips: ShownClips
    notes: tuple[str, ...]


def read_feature_table(
    table: Path, folder: Path, *, most_frames: int = MAX_FRAMES, progress: Progress = no_progress
) -> FeatureTable:
    """Read the clips of the table, in its order.

    Args:
        table: has the columns video_id and feature_file, the path of an array below the folder, with or without .npy.
        folder: holds (frames, w) arrays.
        most_frames: frames to read of each clip, from its start.
        progress: called as ("Reading features", done, total).

    Raises:
        InvalidInput: a file or column is missing, a name is repeated, or a path leads out of the folder; an array is a
            pickle, damaged, empty, not (frames, w), not as wide as the first, not finite, or the clips are too large.
    """
    for path in (table, folder):
        if path.suffix.lower() in _PICKLES:
            raise InvalidInput(f"{path.name}: {CONVERT}")
    if not folder.is_dir():
        raise InvalidInput(f"{folder} is not a folder. Use the folder with one .npy file per clip.")
    frame = read_table(table, as_text=COLUMNS).frame
    columns = [str(column) for column in frame.columns]
    missing = [name for name in COLUMNS if name not in columns]
    if missing:
        raise InvalidInput(f"{table.name} lacks the column {quoted(*missing)}. Rename one of {quoted(*columns)}.")
    names = [_text(cell) for cell in frame["video_id"]]
    files = [_text(cell) for cell in frame["feature_file"]]
    if not names or not all(names) or len(set(names)) < len(names):
        raise InvalidInput(f"{table.name}: video_id must have a different name in every row, and at least one row.")
    arrays = list[F32]()
    n_cut = 0
    for done, written in enumerate(files):
        array, frames = _read(folder, written, most_frames, arrays, len(files))
        arrays.append(array)
        n_cut += frames > most_frames
        progress("Reading features", done + 1, len(files))
    notes = list[str]()
    if n_cut:
        notes.append(f"Read only the first {most_frames} frames of {count(n_cut, 'clip')}.")
    return FeatureTable(tuple(names), padded_clips(arrays), tuple(notes))


def padded_clips(arrays: Sequence[F32]) -> ShownClips:
    """Clips of different lengths, padded with zeros to the longest."""
    longest = max(len(array) for array in arrays)
    features = np.zeros((len(arrays), longest, arrays[0].shape[1]), np.float32)
    there = np.zeros(features.shape[:2], np.float32)
    for row, array in enumerate(arrays):
        features[row, : len(array)] = array
        there[row, : len(array)] = 1.0
    return ShownClips(features, there)


def _read(folder: Path, written: str, most: int, before: Sequence[F32], n: int) -> tuple[F32, int]:
    """Up to `most` frames of an array, and its number of frames."""
    path = _file(folder, written)
    header = open_arrays(path, Limits()).get("")
    if header is None or header.dtype.kind not in "fiu":
        raise InvalidInput(f"{written!r:.80} must hold numbers. Save float32: np.save(path, x.astype('float32')).")
    shape = header.shape
    if len(shape) != 2 or 0 in shape:
        raise InvalidInput(f"{written!r:.80} must be (frames, width), with at least one frame: got {shape}.")
    if before and shape[1] != before[0].shape[1]:
        raise InvalidInput(
            f"{written!r:.80} has {shape[1]:,} numbers per frame, the files before it {before[0].shape[1]:,}. "
            "Use features of one network."
        )
    if n * min(most, shape[0]) * shape[1] > MAX_NUMBERS:
        raise InvalidInput(
            f"{n:,} clips of {min(most, shape[0]):,} frames and {shape[1]:,} numbers exceed the limit of "
            f"{MAX_NUMBERS:,} numbers. Split the table."
        )
    array = np.asarray(header.load(lambda done, total: None)[:most], np.float32)
    if not np.isfinite(array).all():
        bad = int((~np.isfinite(array)).any(1).sum())
        raise InvalidInput(f"{written!r:.80}: {bad:,} of {len(array):,} frames are not finite. Recompute the file.")
    return array, shape[0]


def _file(folder: Path, written: str) -> Path:
    parts = PurePosixPath(written.replace("\\", "/"))
    if parts.suffix.lower() in _PICKLES:
        raise InvalidInput(f"{written!r:.80}: {CONVERT}")
    if not written or parts.is_absolute() or ".." in parts.parts or ":" in written or "\0" in written:
        raise InvalidInput(f"feature_file must be a path below the folder: got {written!r:.80}. Fix the path.")
    for name in (str(parts), f"{parts}.npy"):
        if name.endswith(".npy") and (folder / name).is_file():
            return folder / name
    raise InvalidInput(f"{folder.name} lacks {written!r:.80}, with or without .npy. Use the right folder.")


def _text(cell: object) -> str:
    return cell.strip() if isinstance(cell, str) else ""
