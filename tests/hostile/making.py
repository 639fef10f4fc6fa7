"""What hostile inputs are made of: small pictures, archives and tables that are well formed until one thing is bent."""

from __future__ import annotations

import io
import json
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

N = 24
"""Rows of a table that would be accepted; 20 are needed."""
EVIL = '<img src=x onerror="alert(1)">'


def picture(seed: int = 0, size: tuple[int, int] = (24, 24), form: str = "PNG", **options: Any) -> bytes:
    """A small picture of noise, encoded."""
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, form, **options)
    return out.getvalue()


def pictures(n: int = N) -> dict[str, bytes]:
    """Names and bytes of n good pictures."""
    return {f"{i:03}.png": picture(i) for i in range(n)}


def zip_of(
    path: Path, members: Mapping[str, bytes] | Iterable[tuple[str | zipfile.ZipInfo, bytes]], method: int = 8
) -> Path:
    """A zip of these members."""
    pairs: Any = members.items() if isinstance(members, Mapping) else members
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in pairs:
            archive.writestr(name, data)
    return path


def tar_of(
    path: Path, members: Mapping[str, bytes] | Iterable[tuple[str | tarfile.TarInfo, bytes]], mode: str = "w"
) -> Path:
    """A tar of these members; a TarInfo is written as it is, with the data's size."""
    pairs: Any = members.items() if isinstance(members, Mapping) else members
    with tarfile.open(path, mode) as archive:  # pyright: ignore[reportCallIssue, reportArgumentType]
        for name, data in pairs:
            info = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            if info.isfile():
                info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *chunks: bytes, depth: int = 8, colour: int = 2, data: bytes | None = None) -> bytes:
    """A PNG put together by hand: what its header says need not be what it holds."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    body = zlib.compress(b"\0" * 1000) if data is None else data
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(chunks) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def good_rows(n: int = N) -> list[dict[str, Any]]:
    """Rows that would be accepted: an id, a loss and a condition."""
    return [{"id": f"r{i}", "loss": round(0.1 + i / n, 3), "shade": "dark" if i % 2 else "light"} for i in range(n)]


def csv_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows as CSV, nothing quoted."""
    lines = [",".join(rows[0]), *(",".join(str(value) for value in row.values()) for row in rows)]
    return "\n".join(lines) + "\n"


def csv_of(folder: Path, rows: Sequence[Mapping[str, Any]] | str | bytes, name: str = "table.csv") -> dict[str, Any]:
    """A CSV file, as the argument of a door."""
    data = rows if isinstance(rows, bytes) else (rows if isinstance(rows, str) else csv_text(rows)).encode()
    (folder / name).write_bytes(data)
    return {"path": str(folder / name)}


def with_column(name: str, values: Sequence[Any]) -> list[dict[str, Any]]:
    """The good rows with one column more."""
    return [{**row, name: value} for row, value in zip(good_rows(len(values)), values)]


def lines_of(folder: Path, rows: Iterable[Any], name: str = "table.jsonl") -> dict[str, Any]:
    """A file of JSON Lines; texts are written as they are."""
    text = "\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows)
    (folder / name).write_text(text + "\n", "utf-8")
    return {"path": str(folder / name)}


def written(folder: Path, name: str, data: bytes | str) -> dict[str, Any]:
    """A file with these bytes, as the argument of a door."""
    (folder / name).write_bytes(data.encode() if isinstance(data, str) else data)
    return {"path": str(folder / name)}


def patched(data: bytes, at: int, new: bytes) -> bytes:
    """The bytes with some of them replaced; a negative place counts from the end."""
    start = at if at >= 0 else len(data) + at
    return data[:start] + new + data[start + len(new) :]
