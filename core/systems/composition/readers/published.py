"""One reader for published benchmarks: a `Format` names the files, their keys, and how a row becomes an item."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core.systems.composition.readers.builder import FIRST_OF_EACH, Builder
from core.systems.composition.readers.fields import (
    Record,
    as_object,
    box_of,
    few,
    label_of,
    load_json,
    load_lines,
    load_records,
    text_of,
)
from core.systems.composition.readers.recognise import files_of, one_file_of
from core.systems.composition.records import Benchmark

NUMBERS = {5: "five", 7: "seven"}


@dataclass(slots=True)
class Row:
    """A row of a file. A format's `prepare` may change everything but where it stands."""

    where: str
    """Its file and position, for messages."""
    id: str
    record: Record
    file: Path
    foils: Sequence[str] = ()
    """Foils beside those under the format's keys."""
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    fault: str = ""
    """Why it is left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A published benchmark. Called with a path it reads the file, or the files of a folder."""

    name: str
    title: str
    source: str
    headline: str = "pairwise"
    average: str = ""
    one_file: bool = False
    """Whether a folder may hold only one file; else each item's id begins with its file's name."""
    files: Sequence[str] = ()
    """Names of all its files without ending, of which a note lists the missing ones."""
    images: Sequence[str]
    """Key of the image's name; two keys make the items pairs, caption i belonging to image i."""
    captions: Sequence[str]
    """Keys of the captions, true ones first."""
    n_true: int = 1
    """Captions that are true of the image of a choice."""
    box: Sequence[str] = ()
    """Keys of left, top, width, and height."""
    file_tag: str = ""
    """The tag that holds the file's name."""
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    """Key -> tag."""
    rows: Callable[[Format, Builder, Path], Iterable[Row]]
    prepare: Callable[[Builder, list[Row]], None] | None = None
    """Changes the rows of all files together, and adds notes."""

    def __call__(self, path: Path) -> Benchmark:
        """Read the benchmark.

        Raises:
            InvalidInput: a file is not of this form, or no item is left.
        """
        if self.one_file:
            file, notes = one_file_of(path, self.name)
            files = [file]
        else:
            files, notes = files_of(path, self.name)
        book = Builder(
            self.name,
            self.title,
            "choice" if len(self.images) == 1 else "pairs",
            self.headline,
            self.source,
            average=self.average,
            notes=list(notes),
        )
        rows = [row for file in files for row in self.rows(self, book, file)]
        if self.prepare:
            self.prepare(book, rows)
        for row in rows:
            self._add(book, row)
        stems = {file.stem for file in files}
        if absent := [stem for stem in self.files if stem not in stems]:
            number = NUMBERS[len(self.files)]
            book.note(f"The mean leaves out those of its {number} files that are missing here: {few(absent)}.")
        return book.build()

    def _add(self, book: Builder, row: Row) -> None:
        id = row.id if self.one_file else f"{row.file.stem}/{row.id}"
        if row.fault:
            book.exclude(id, row.fault)
            return
        names = [text_of(row.record, key, row.where) for key in self.images]
        captions = [text_of(row.record, key, row.where) for key in self.captions]
        box = None
        if self.box:
            box = box_of(row.record, self.box, row.where)
        tags = {tag: label_of(row.record, key) for key, tag in self.tags.items()}
        if self.file_tag:
            tags = {self.file_tag: row.file.stem, **tags}
        match = FIRST_OF_EACH
        if book.kind == "choice":
            match = tuple((0, i) for i in range(self.n_true))
        images = [book.picture(name, row.where, box) for name in names]
        book.add(id, row.where, images, [*captions, *row.foils], match=match, tags={**row.tags, **tags})

    def keys(self) -> str:
        """The keys of a record, for messages."""
        return ", ".join((*self.images, *self.captions, *self.box))


def listed(form: Format, book: Builder, file: Path) -> Iterator[Row]:
    """Rows of a JSON list of objects."""
    for i, (where, record) in enumerate(load_records(file, form.keys())):
        yield Row(where, label_of(record, "id") or str(i), record, file)


def keyed(form: Format, book: Builder, file: Path) -> Iterator[Row]:
    """Rows of a JSON object of objects by id; the ids may have gaps."""
    for id, value in as_object(load_json(file), file.name, "one record for each id").items():
        where = f"{file.name}, entry {id[:60]!r}"
        yield Row(where, id, as_object(value, where, form.keys()), file)


def lines(form: Format, book: Builder, file: Path) -> Iterator[Row]:
    """Rows of JSON Lines."""
    for i, (where, line) in enumerate(load_lines(file)):
        record = as_object(line, where, form.keys())
        yield Row(where, label_of(record, "id") or str(i), record, file)
