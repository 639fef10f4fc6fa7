"""Released files as texts and lines, gzipped or not."""

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
        InvalidInput: there is no such file, or it is no UTF-8.
    """
    lines = text_of(path).replace("\r\n", "\n").split("\n")
    return lines[:-1] if not lines[-1] else lines


def text_of(path: Path) -> str:
    """The file's text; of one that is not there, that of its gzipped copy.

    Raises:
        InvalidInput: there is neither, or it is no UTF-8, or too long.
    """
    most = Limits().max_document_bytes
    zipped = path.with_name(f"{path.name}.gz")
    try:
        if path.suffix != ".gz" and (path.is_file() or not zipped.is_file()):
            with open_plain(path) as file:
                content = file.read(most + 1)
        else:
            with open_plain(path if path.suffix == ".gz" else zipped) as packed, gzip.GzipFile(fileobj=packed) as file:
                content = file.read(most + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InvalidInput(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}.") from None
    if len(content) > most:
        raise InvalidInput(f"{path.name} has more than {most:,} bytes of text. Split it.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path.name} is not UTF-8 text (byte {error.start:,}). Fetch it again.") from None
