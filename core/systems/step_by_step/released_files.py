"""Read released files as texts and lines, gzipped or not."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

from core.errors import InvalidInput
from core.limits import Limits
from core.received import open_plain


def lines_of(path: Path) -> list[str]:
    """The lines of a text file; the last may end without a line break.

    Raises:
        InvalidInput: the file does not exist, or is not UTF-8.
    """
    lines = text_of(path).replace("\r\n", "\n").split("\n")
    if not lines[-1]:
        lines.pop()
    return lines


def text_of(path: Path) -> str:
    """The file's text, or that of its gzipped copy NAME.gz if the file does not exist.

    Raises:
        InvalidInput: neither exists, or the text is not UTF-8 or too long.
    """
    max_bytes = Limits().max_document_bytes
    source = path
    gzipped = path.with_name(f"{path.name}.gz")
    if path.suffix != ".gz" and not path.is_file() and gzipped.is_file():
        source = gzipped
    try:
        with open_plain(source) as file:
            if source.suffix == ".gz":
                with gzip.GzipFile(fileobj=file) as unpacked:
                    content = unpacked.read(max_bytes + 1)
            else:
                content = file.read(max_bytes + 1)
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise InvalidInput(f"{path} cannot be read: {reason}. Check the path.") from None
    if len(content) > max_bytes:
        raise InvalidInput(f"{path.name} has more than {max_bytes:,} bytes of text. Split it.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path.name}, byte {error.start:,}: not valid UTF-8. Download it again.") from None
