"""Limits on user input: maximum sizes and minimum numbers of rows, all in one module."""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import InvalidInput

MIN_SAMPLES = 40
"""Samples of a diagnosis, checked when the table is read and again before the search."""
WHY_SO_MANY = "to look for failures: a cluster has at least 10 of them, and the rest must be enough to compare it with"
FEW_ROWS = 20
"""Rows of any other table: new samples, another model's answers, classes to learn from. Also images of several rows
each, since a p-value needs at least 20 groups."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Maximum sizes; larger input is refused before it is unpacked."""

    max_files: int = 200_000
    """Members of an archive, or files below a folder."""
    max_total_bytes: int = 20 * 2**30
    """Unpacked size of an archive, or of a table's image column."""
    max_file_bytes: int = 256 * 2**20
    """Unpacked size of one image."""
    max_ratio: float = 200.0
    """Ratio of unpacked to packed size, for members above 1 MiB and for the whole archive."""
    max_pixels: int = 100_000_000
    """Width times height of one image, as declared in its header."""
    max_decoder_bytes: int = 640 * 2**20
    """Memory for decoding one image."""
    max_frame_pixels: int = 36_000_000
    """Width times height of a clip's frames (8K has 33 million); a decoder holds up to seventeen frames at a time."""
    max_clip_frames: int = 500_000
    """Frames of one clip: four and a half hours at 30 a second."""
    max_clip_pixels: int = 1_500_000_000
    """Frames times width times height up to which every frame of a clip is decoded (24 s of full HD at 30 a second);
    longer clips are decoded at single frames."""
    max_table_bytes: int = 4 * 2**30
    """Size of a table or of embeddings on disk, and of the numbers and texts in it, unpacked; images apart."""
    max_header_bytes: int = 64 * 2**10
    """Extended header of one tar member, such as its long name."""
    max_directory_bytes: int = 64 * 2**20
    """Names and headers of an archive together."""
    max_codec_bytes: int = 128 * 2**20
    """Memory for decompressing a stream (xz at its highest setting takes 65 MiB)."""
    max_picture_header_bytes: int = 32 * 2**20
    """JPEG header, before the pixels."""
    max_picture_text_bytes: int = 2**20
    """GIF header, before the first frame."""
    max_text_bytes: int = 2 * 2**30
    """Size of a CSV or JSON Lines file."""
    max_document_bytes: int = 512 * 2**20
    """Size of one JSON document; the largest published one, COCO's training set, has 448 MiB."""
    max_rows: int = 20_000_000
    """Rows of a table."""
    max_columns: int = 20_000
    """Columns of a table, or different keys of its records."""
    max_name_length: int = 1_000
    """Characters of a column's name."""
    max_small_bytes: int = 768 * 2**20
    """Memory that a file of any size can take after reading."""
    max_growth: int = 20
    """Ratio of memory to size on disk for larger files; text of short numbers has 16."""

    def memory(self, size: int) -> int:
        """Compute the memory limit in bytes for a file of `size` bytes, so that a small file cannot become a huge
        table."""
        return max(self.max_small_bytes, self.max_growth * size)

    def check_memory(self, name: str, needed: int, size: int, instead: str) -> None:
        """Refuse a file that would take too much memory.

        Args:
            needed: known bytes of memory.
            size: size of the file in bytes.
            instead: the next step, a sentence.

        Raises:
            InvalidInput: `needed` exceeds the limit for a file of this size.
        """
        most = self.memory(size)
        if needed > most:
            raise InvalidInput(
                f"{name} would take at least {byte_size(needed)} of memory once read; a file of {byte_size(size)} can "
                f"take {byte_size(most)}. {instead}"
            )


def byte_size(n: float) -> str:
    """Format a number of bytes, such as "512 bytes", "64 KiB" or "1.5 GiB", in units of 1,024."""
    for unit, size in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if n >= size:
            return f"{n / size:,.1f}".removesuffix(".0") + f" {unit}"
    noun = "byte" if n == 1 else "bytes"
    return f"{n:,.0f} {noun}"
