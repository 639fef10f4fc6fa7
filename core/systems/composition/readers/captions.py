"""Images with captions and no foils: the foils are made from the captions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.data.caption_cells import captions_in
from core.errors import InvalidInput
from core.options import check_seed
from core.records import Column, Progress, Reporter, SampleSet, no_progress
from core.systems.composition.foils.of_captions import caption_foils, things_named
from core.systems.composition.readers.builder import MAX_CAPTION_LENGTH, TOO_LONG, Builder, counted, tidy_caption
from core.systems.composition.readers.fields import Record, few
from core.systems.composition.readers.recognise import caption_columns, one_file_of, picture_column
from core.systems.composition.readers.tables import cell_of, read_rows
from core.systems.composition.records import Benchmark, LoadedBenchmark

SPLIT = "split"
MAX_PICTURES = 20_000
"""Whose captions are read at once: some milliseconds each."""


@dataclass(frozen=True, slots=True)
class _Captioned:
    """An image's captions."""

    where: str
    name: str
    split: str
    captions: list[str]
    too_long: list[tuple[str, str]]
    """Further captions, of which no foil is made, each behind where it stands."""


def read_captions(
    path: Path, *, split: str = "", most: int | None = None, seed: int = 0, progress: Progress = no_progress
) -> Benchmark:
    """A CSV or TSV with images and captions of each, in columns as Flickr8k's, in rows of one, or listed in a cell:
    each image gives an item for each kind of foil that its captions allow (`foils.of_captions`).

    Args:
        split: only rows whose column "split" says so; "" takes all.
        most: number of these images to draw by `seed`, at least 1; None takes all.
        seed: draws what is added.
        progress: called as ("make foils", done, total).

    Raises:
        InvalidInput: the table has no column of images or captions, no row of that split, or no caption that allows a
        foil, or there are more than `MAX_PICTURES`.
    """
    check_seed(seed)
    if most is not None and most < 1:
        raise InvalidInput(f"most (--n) must be at least 1 image: got {most:,}. Leave it out to use all.")
    file, notes = one_file_of(path, "captions")
    rows, more = read_rows(file, ())
    columns = list(rows[0][1]) if rows else []
    picture = picture_column(columns)
    captions = caption_columns(columns)
    if not picture or not captions:
        raise InvalidInput(
            f"{file.name} needs a column image (or file, filename) and a column caption (or caption_0, "
            f"caption_1, ...). It has {few(columns)}. Rename them."
        )
    pictures = _by_picture(_of_split(file.name, rows, picture, captions, split.strip()))
    if most is not None and most < len(pictures):
        drawn = np.sort(np.random.default_rng(seed).permutation(len(pictures))[:most])
        more = (*more, f"Drew {most:,} of {len(pictures):,} images.")
        pictures = [pictures[at] for at in drawn.tolist()]
    if len(pictures) > MAX_PICTURES:
        raise InvalidInput(
            f"{file.name} has {len(pictures):,} images; Errata makes foils for at most {MAX_PICTURES:,} at "
            "once. Draw some with --n, or use one --split."
        )
    return _with_foils(file.name, pictures, seed, (*notes, *more), progress)


def captions_of(samples: SampleSet) -> list[Column]:
    """The columns of a run's table that hold captions of its images; none without images."""
    if samples.modality != "image" or samples.items is None:
        return []
    names = caption_columns([column.name for column in samples.metadata])
    return [column for column in samples.metadata if column.name in names]


def read_run(samples: SampleSet, progress: Progress = no_progress) -> LoadedBenchmark:
    """The images of a run with the captions of its table, at most `MAX_PICTURES`, drawn: foils as of `read_captions`.

    Raises:
        InvalidInput: the run has no captions, or none that allows a foil.
    """
    columns = captions_of(samples)
    if samples.items is None or not columns:
        raise InvalidInput("This run has no images with a column caption (or caption_0, ...). Choose other images.")
    rows = np.sort(np.random.default_rng(0).permutation(len(samples))[:MAX_PICTURES])
    pictures = list[_Captioned]()
    for row in rows.tolist():
        name = samples.ids[row]
        pictures.append(_captioned(name, name, "", [c.values[row] for c in columns]))
    notes = ()
    if len(rows) < len(samples):
        notes = (f"Drew {len(rows):,} of {len(samples):,} images.",)
    benchmark = _with_foils(samples.name, pictures, 0, notes, progress)
    row_of = {samples.ids[row].strip(): row for row in rows.tolist()}
    places = np.array([row_of[picture.name] for picture in benchmark.pictures], np.int64)
    return LoadedBenchmark(benchmark, samples.items.keep(places))


def _captioned(where: str, name: str, split: str, cells: Sequence[object]) -> _Captioned:
    texts = [said for cell in cells for said in captions_in(cell)]
    short = [tidy_caption(said, where) for said in texts if len(said) <= MAX_CAPTION_LENGTH]
    return _Captioned(where, name, split, short, [(where, said) for said in texts if len(said) > MAX_CAPTION_LENGTH])


def _of_split(
    file: str, rows: Sequence[tuple[str, Record]], picture: str, captions: Sequence[str], split: str
) -> list[_Captioned]:
    """The rows whose column "split" says so; "" takes all."""
    columns = {name.strip().lower(): name for name in rows[0][1]}
    named = [cell_of(row, columns[SPLIT]).strip() if SPLIT in columns else "" for _, row in rows]
    captioned: list[_Captioned] = []
    for (where, row), of in zip(rows, named):
        if split not in ("", of):
            continue
        captioned.append(_captioned(where, cell_of(row, picture).strip(), of, [cell_of(row, c) for c in captions]))
    if not captioned:
        there = "no splits"
        if SPLIT in columns:
            there = few(sorted(set(named)))
        raise InvalidInput(f"{file} has no row with the split {split[:60]!r}. It has {there}.")
    return captioned


def _by_picture(rows: Sequence[_Captioned]) -> list[_Captioned]:
    """Rows of one image put together, so that no foil says what another of its rows does; those without a name stay
    alone."""
    first_rows: dict[str, _Captioned] = {}
    for row in rows:
        first = first_rows.setdefault(row.name or row.where, row)
        if first is not row:
            first.captions.extend(caption for caption in row.captions if caption not in first.captions)
            first.too_long.extend(row.too_long)
    return list(first_rows.values())


def _with_foils(
    file: str, pictures: Sequence[_Captioned], seed: int, notes: Sequence[str], progress: Progress
) -> Benchmark:
    things = things_named(caption for picture in pictures for caption in picture.captions)
    book = Builder(
        "captions",
        Path(file).stem,
        "choice",
        "pairwise",
        f"your file {file}; foils by rules, after Hsieh et al. 2023 (SugarCrepe), arXiv 2306.14610",
        average="change",
        notes=list(notes),
    )
    report = Reporter(progress, "make foils", len(pictures))
    for i, picture in enumerate(pictures):
        report(i)
        if not picture.name:
            book.exclude(picture.where, "it names no image")
            continue
        for where, _ in picture.too_long:
            book.exclude(where, TOO_LONG)
        rng = np.random.default_rng([seed, *picture.name.encode()])
        captions = [caption for caption in picture.captions if caption]
        beside = [said for _, said in picture.too_long]
        foils = caption_foils(captions, things, rng, beside=beside)
        for foil in foils:
            kinds = {"change": foil.change, "kind": foil.kind, SPLIT: picture.split}
            book.add_choice(
                f"{picture.name}/{foil.kind}", picture.where, picture.name, (foil.caption, foil.foil), kinds
            )
        if not foils and not picture.too_long:
            book.exclude(picture.name, "its captions allow no foil")
    if not book.items:
        raise InvalidInput(
            f"{file}: no item can be used ({'; '.join(counted(book.excluded))}). The rules read English. "
            'Use captions such as "A black dog on a red mat.", or add your own foils in a column foil.'
        )
    book.note(
        "Rules made the foils from the captions. No foil adds a word that another caption of its image has. "
        "Some sound odd, and a few are true of their image, so no model reaches 100%."
    )
    return book.build()
