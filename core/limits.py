"""How much of a user's bytes is read at most, and how few rows are enough: the one place for limits on all that is
brought."""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import InvalidInput

MIN_SAMPLES = 40
"""Of a diagnosis, told where its table is read and again where it is searched."""
WHY_SO_MANY = "to look for failures: a cluster has at least 10 of them, and the rest must be enough to compare it with"
FEW_ROWS = 20
"""Of a table that is read for something else: fresh samples, another model's answers, classes to learn from; and of
images of several rows each, since a p needs as many groups."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may be read; what goes beyond is refused before it is unpacked."""

    max_files: int = 200_000
    """Members of an archive, or files below a folder."""
    max_total_bytes: int = 20 * 2**30
    """Unpacked size of an archive, or of a table's image column."""
    max_file_bytes: int = 256 * 2**20
    """Unpacked size of one image."""
    max_ratio: float = 200.0
    """Unpacked over packed size, of members larger than 1 MiB and of the archive as a whole."""
    max_pixels: int = 100_000_000
    """Width times height of one image, as its header declares them."""
    max_decoder_bytes: int = 640 * 2**20
    """Memory that the decoder of one image may take."""
    max_frame_pixels: int = 36_000_000
    """Width times height of a clip's frames (8K has 33 million): a decoder holds up to seventeen at a time."""
    max_clip_frames: int = 500_000
    """Frames of one clip: four and a half hours at 30 a second."""
    max_clip_pixels: int = 1_500_000_000
    """Frames times width times height up to which every frame of a clip is decoded (24 s of full HD at 30 a second);
    of longer ones single frames are."""
    max_table_bytes: int = 4 * 2**30
    """Size of a table or of embeddings on disk, and of the numbers and texts in it, unpacked; images apart."""
    max_header_bytes: int = 64 * 2**10
    """Of one member of a tar: its long name, or what else is said of it before its own header."""
    max_directory_bytes: int = 64 * 2**20
    """Names and headers of an archive together."""
    max_codec_bytes: int = 128 * 2**20
    """Memory that unpacking a stream may ask for (xz at its highest setting takes 65 MiB)."""
    max_picture_header_bytes: int = 32 * 2**20
    """Of a JPEG, before its pixels begin."""
    max_picture_text_bytes: int = 2**20
    """Of a GIF, before its first frame begins."""
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
    """Memory that a file of any size may take once it is read."""
    max_growth: int = 20
    """Memory over size on disk, of files that take more than that: text of short numbers has 16."""

    def memory(self, size: int) -> int:
        """Bytes of memory that a file of `size` bytes may take once it is read: no small file becomes a large table,
        and no file more than an honest one of its size."""
        return max(self.max_small_bytes, self.max_growth * size)

    def check_memory(self, name: str, needed: int, size: int, instead: str) -> None:
        """Refuse what would take too much memory.

        Args:
            needed: bytes of memory, as far as is known.
            size: of the file, in bytes.
            instead: what to do about it, a sentence.

        Raises:
            InvalidInput: it takes more than a file of this size may.
        """
        if needed > (most := self.memory(size)):
            raise InvalidInput(
                f"{name} would take at least {byte_size(needed)} of memory once read; a file of {byte_size(size)} may "
                f"take {byte_size(most)}. {instead}"
            )


def byte_size(n: float) -> str:
    """A number of bytes as every message says it, such as "512 bytes", "64 KiB" or "1.5 GiB", of 1,024 each."""
    for unit, size in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if n >= size:
            return f"{n / size:,.1f}".removesuffix(".0") + f" {unit}"
    return f"{n:,.0f} byte{'' if n == 1 else 's'}"
