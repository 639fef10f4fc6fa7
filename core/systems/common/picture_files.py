"""Images as single files."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from pathlib import Path

from core.errors import InvalidInput
from core.limits import Limits
from core.received import read_plain
from core.records import ItemStore


@dataclass(frozen=True, slots=True, eq=False)
class Files(ItemStore):
    """Single files, of the user or uploaded by a visitor."""

    paths: tuple[Path, ...]
    uploaded: bool = False

    def __len__(self) -> int:
        return len(self.paths)

    def name(self, index: int) -> str:
        return self.paths[index].name

    def read(self, index: int) -> bytes:
        """The file's bytes.

        Raises:
            InvalidInput: the file is too large, missing or cannot be read.
        """
        path = self.paths[index]
        most = Limits().max_file_bytes
        try:
            return read_plain(path, most)
        except OSError as error:
            if error.errno == errno.EFBIG:
                raise InvalidInput(f"{str(error.strerror)[:120]}. Use a smaller image.") from None
            if self.uploaded:
                raise InvalidInput(f"{path.name[:60]} is no longer on the server. Upload it again.") from None
            raise InvalidInput(f"Cannot read {path.name} ({error.strerror}). Use another file.") from None
