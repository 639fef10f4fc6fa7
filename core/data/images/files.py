"""Pictures that are files of their own, named one by one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.data.images.limits import Limits
from core.errors import InvalidInput
from core.records import I64

if TYPE_CHECKING:
    from core.records import I64


@dataclass(frozen=True, slots=True, eq=False)
class Files:
    """An `ImageStore` of single files."""

    paths: tuple[Path, ...]

    def __len__(self) -> int:
        return len(self.paths)

    def name(self, index: int) -> str:
        return self.paths[index].name

    def read(self, index: int) -> bytes:
        """The file's bytes.

        Raises:
            InvalidInput: it is too large or cannot be read.
        """
        from core.data.images.limits import Limits

        path, most = self.paths[index], Limits().max_file_bytes
        try:
            if path.stat().st_size > most:
                raise InvalidInput(
                    f"{path.name} is larger than {most >> 20} MiB, the most that is read. Bring a smaller picture."
                )
            return path.read_bytes()
        except OSError as error:
            raise InvalidInput(f"{path.name} cannot be read ({error.strerror}). Bring another file.") from None

    def keep(self, rows: I64) -> Files:
        return Files(tuple(self.paths[int(row)] for row in rows))


@dataclass(frozen=True, slots=True, eq=False)
class Uploads:
    """An `ImageStore` of files that the visitor brought."""

    paths: tuple[Path, ...]

    def __len__(self) -> int:
        return len(self.paths)

    def name(self, index: int) -> str:
        return self.paths[index].name

    def read(self, index: int) -> bytes:
        """The file's bytes; raises InvalidInput where it is too large or gone."""
        try:
            if self.paths[index].stat().st_size > Limits().max_file_bytes:
                raise InvalidInput(
                    f"{self.name(index)[:60]} is larger than {Limits().max_file_bytes >> 20} MiB. "
                    "Bring a smaller picture."
                )
            return self.paths[index].read_bytes()
        except OSError:
            raise InvalidInput(f"{self.name(index)[:60]} is no longer held by the server. Bring it again.") from None

    def keep(self, rows: I64) -> Uploads:
        return Uploads(tuple(self.paths[int(row)] for row in rows))
