"""Images that are files of their own, named one by one."""

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
    """Single files, the user's own or ones that a visitor brought to the server."""

    paths: tuple[Path, ...]
    uploaded: bool = False

    def __len__(self) -> int:
        return len(self.paths)

    def name(self, index: int) -> str:
        return self.paths[index].name

    def read(self, index: int) -> bytes:
        """The file's bytes.

        Raises:
            InvalidInput: it is too large, cannot be read or is gone.
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
