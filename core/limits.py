"""How much of a user's bytes is read at most: the one place for limits on all that is brought."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may be read; what goes beyond is refused before it is unpacked."""

    max_files: int = 200_000
    """Members of an archive, or files below a folder."""
    max_total_bytes: int = 20 * 2**30
    """Unpacked size of an archive, or of a table's image column."""
    max_file_bytes: int = 256 * 2**20
    """Unpacked size of one picture."""
    max_ratio: float = 200.0
    """Unpacked over packed size, of members larger than 1 MiB and of the archive as a whole."""
    max_pixels: int = 100_000_000
    """Width times height of one picture, as its header declares them."""
    max_table_bytes: int = 4 * 2**30
    """Size of a CSV or JSON Lines file, or of a Parquet file's columns other than pictures."""
    max_header_bytes: int = 64 * 2**10
    """Of one member of a tar: its long name, or what else is said of it before its own header."""
    max_directory_bytes: int = 64 * 2**20
    """Names and headers of an archive together."""
    max_codec_bytes: int = 128 * 2**20
    """Memory that unpacking a stream may ask for (xz at its highest setting takes 65 MiB)."""
