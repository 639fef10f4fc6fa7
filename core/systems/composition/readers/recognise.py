"""Which benchmark a file holds, recognized by its shape, and which files of a folder belong to one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence, Set
from itertools import islice
from pathlib import Path
from typing import Any

from core.errors import InvalidInput
from core.systems.composition.readers.fields import DATA_SUFFIXES, few, header, load_json, load_lines

KNOWN: Mapping[str, str] = {
    "cola": "Cola multi-object: a JSON list of [image, caption, image, caption]",
    "cola-single": "Cola single-object: JSON with labels and data",
    "winoground": "Winoground: examples.jsonl with image_0, image_1, caption_0, caption_1",
    "colorswap": "ColorSwap: train.json and test.json with image_1, caption_1, image_2, caption_2",
    "sugarcrepe": "SugarCrepe: seven JSON files with filename, caption, negative_caption",
    "sugarcrepe++": "SugarCrepe++: five JSON lists with filename, caption, caption2, negative_caption",
    "aro-relation": "ARO relation: visual_genome_relation.json",
    "aro-attribution": "ARO attribution: visual_genome_attribution.json",
    "aro-order": "ARO order: a JSON list of {image, caption: [...]}",
    "crepe": "CREPE: CSV with image_id, caption, x, y, width, height and hard negatives",
    "valse": "VALSE: JSON files with image_file, caption, foil, mturk",
    "clevr": "CLEVR-style scenes: JSON with scenes, each with image_filename and objects",
    "negclip": "NegCLIP: TSV with title, filepath, neg_caption",
    "own": "your own: CSV or JSON Lines with image, caption, foil, or with image_1, caption_1, image_2, caption_2",
    "captions": "captions without foils: CSV with image (or file), caption (or caption_0, caption_1, ...)",
}
IMAGES: Mapping[str, str] = {
    "cola": "those of Visual Genome (and GQA), in files such as 2390970.jpg",
    "cola-single": "those of GQA (Visual Genome), CLEVR or PACO (COCO), depending on the file's name",
    "winoground": "those of facebook/winoground (ask there: redistribution is not allowed), in files such as "
    "ex_0_img_0.png",
    "colorswap": "in the folder images of the data set stanfordnlp/colorswap, in files such as img_0_1.png",
    "sugarcrepe": "those of COCO val2017, in files such as 000000085329.jpg",
    "sugarcrepe++": "those of COCO val2017, in files such as 000000085329.jpg",
    "aro-relation": "in ARO's own archive (a part of GQA, from Visual Genome), in files such as 2390970.jpg",
    "aro-attribution": "in ARO's own archive (a part of GQA, from Visual Genome), in files such as 2390970.jpg",
    "aro-order": "those of COCO 2014 or Flickr30k, depending on the file's name",
    "crepe": "those of Visual Genome, in files such as 2390970.jpg",
    "valse": "those of COCO, Visual7W, SWiG, VisDial and FOIL-it, under the names in its files",
    "clevr": "the renderings that the scenes name",
    "negclip": "those of COCO 2014, in files such as COCO_val2014_000000184613.jpg",
    "own": "those named in its rows",
    "captions": "those named in its rows",
}
"""What the images of each are, after "Its images are"."""
OWN_CHOICE = frozenset({"image", "caption"})
OWN_PAIRS = frozenset({"image_1", "caption_1", "image_2", "caption_2"})
_ARO = frozenset({"true_caption", "false_caption", "bbox_x"})
_KEYED = (
    ("sugarcrepe", frozenset({"filename", "caption", "negative_caption"})),
    ("valse", frozenset({"image_file", "caption", "foil"})),
)
"""Keys of the records of a JSON object."""
_LISTED = (
    ("aro-relation", _ARO | {"relation_name"}),
    ("aro-attribution", _ARO | {"attributes"}),
    ("sugarcrepe++", frozenset({"filename", "caption", "caption2", "negative_caption"})),
    ("winoground", frozenset({"image_0", "image_1", "caption_0", "caption_1"})),
    ("colorswap", OWN_PAIRS | {"image_source"}),
    ("colorswap", OWN_PAIRS | {"caption_source"}),
    ("own", OWN_PAIRS),
)
"""Keys of the records of a list, the first that fits."""


def is_foil_column(name: str) -> bool:
    """Whether a column of one's own file holds foils: foil, foils, foil_1, foil_2, ..."""
    stem = name.strip().lower().rstrip("0123456789").rstrip("_ ")
    return stem in ("foil", "foils")


def picture_column(names: Iterable[str]) -> str:
    """The column that names images: image, file, filename or file_name, as it is written; "" without one."""
    return next((name for name in names if name.strip().lower() in ("image", "file", "filename", "file_name")), "")


def caption_columns(names: Iterable[str]) -> list[str]:
    """The columns that hold captions: caption, captions, caption_0, caption_1, ..."""
    return [name for name in names if re.fullmatch(r"captions?[_ ]?\d*", name.strip().lower())]


def is_negatives_column(name: str) -> bool:
    """Whether a column of CREPE holds hard negatives."""
    return name == "hard_negs" or name.startswith("valid_hard_negs")


def shape_of(path: Path) -> str:
    """The name of the format that one file has, or "".

    Raises:
        InvalidInput: the file cannot be read at all.
    """
    suffix = path.suffix.lower()
    if suffix in (".csv", ".tsv"):
        return _of_columns(frozenset(header(path)))
    if suffix in (".jsonl", ".ndjson"):
        return _of_record(next(islice(load_lines(path), 1), ("", None))[1])
    if suffix == ".json":
        return _of_document(load_json(path))
    return ""


def recognise(path: Path) -> str:
    """The name of the benchmark that a file, or a folder with its usual files, holds.

    Raises:
        InvalidInput: its form is unknown, or a folder holds several; the message lists the known ones.
    """
    if path.is_dir():
        names = {name for name, _ in _shapes_in(path) if name}
        if len(names) > 1:
            raise InvalidInput(
                f"The folder {path.name!r} holds several benchmarks ({', '.join(sorted(names))}). Name a file "
                "in it, or the format."
            )
        name = ""
        if names:
            name = names.pop()
    else:
        name = shape_of(path)
    if not name:
        named = repr(path.name)
        holder = f"No file of the folder {named} has" if path.is_dir() else f"The file {named} does not have"
        raise InvalidInput(f"{holder} the shape of a known benchmark. Errata reads: {'; '.join(KNOWN.values())}.")
    return name


def files_of(path: Path, name: str) -> tuple[list[Path], tuple[str, ...]]:
    """The file itself, or those files of a folder that have the format's shape; and a note on the others.

    Raises:
        InvalidInput: nothing is there, or no file of the folder has the shape.
    """
    if not path.is_dir():
        if not path.is_file():
            raise InvalidInput(
                f"No file or folder {str(path)[:200]!r}. Use the path of the benchmark's file, or its folder."
            )
        return [path], ()
    shapes = _shapes_in(path)
    fitting = [file for shape, file in shapes if shape == name]
    others = [file.name for shape, file in shapes if shape != name]
    if not fitting:
        raise InvalidInput(
            f"The folder {path.name!r} holds no file of this form: {KNOWN[name]}. It holds {few(others)}. Name "
            "the file."
        )
    note = f"Skipped {len(others):,} other files of the folder, of another form: {few(others)}."
    return fitting, (note,) if others else ()


def one_file_of(path: Path, name: str) -> tuple[Path, tuple[str, ...]]:
    """As `files_of`, for a benchmark of one file.

    Raises:
        InvalidInput: the folder holds several.
    """
    files, notes = files_of(path, name)
    if len(files) > 1:
        raise InvalidInput(
            f"The folder {path.name!r} holds {len(files):,} files of this form: {few([f.name for f in files])}. "
            "Name one."
        )
    return files[0], notes


def _shapes_in(folder: Path) -> list[tuple[str, Path]]:
    """(format or "", file) of each data file that lies directly in a folder, by name; a file that cannot be read has no
    format."""
    shapes: list[tuple[str, Path]] = []
    for file in sorted(folder.iterdir()):
        if file.suffix.lower() in DATA_SUFFIXES and file.is_file() and not file.name.startswith("."):
            try:
                shapes.append((shape_of(file), file))
            except InvalidInput:
                shapes.append(("", file))
    return shapes


def _of_columns(columns: frozenset[str]) -> str:
    if {"image_id", "caption"} <= columns and any(map(is_negatives_column, columns)):
        return "crepe"
    if {"title", "filepath", "neg_caption"} <= columns:
        return "negclip"
    lower = {name.lower() for name in columns}
    if lower >= OWN_PAIRS or (lower >= OWN_CHOICE and any(map(is_foil_column, lower))):
        return "own"
    has_foils = any(is_foil_column(name) or re.search(r"(^|_)neg(s|atives?)?(_|$)", name) for name in lower)
    if picture_column(lower) and caption_columns(lower) and not has_foils:
        return "captions"
    return ""


def _of_document(document: Any) -> str:
    if isinstance(document, dict):
        if {"labels", "data"} <= document.keys():
            return "cola-single"
        if isinstance(document.get("scenes"), list):
            return "clevr"
        first = next(iter(document.values()), None)
        if isinstance(first, dict):
            return _first_with(_KEYED, first.keys())
        return ""
    if not isinstance(document, list) or not document:
        return ""
    first: Any = document[0]
    if isinstance(first, list):
        if len(document) == 2 and isinstance(document[1], list) and document[1] and isinstance(document[1][0], list):
            return "cola-single"
        if len(first) == 4 and all(isinstance(part, str) for part in first):
            return "cola"
        return ""
    return _of_record(first)


def _first_with(forms: Sequence[tuple[str, frozenset[str]]], keys: Set[str]) -> str:
    """The first format whose keys a record has, or ""."""
    return next((name for name, needed in forms if needed <= keys), "")


def _of_record(record: Any) -> str:
    """Of a file that is a list of records, or one a line."""
    if not isinstance(record, dict):
        return ""
    keys = record.keys()
    if name := _first_with(_LISTED, keys):
        return name
    if "image" in keys and ("caption_options" in keys or isinstance(record.get("caption"), list)):
        return "aro-order"
    if keys >= OWN_CHOICE and any(map(is_foil_column, keys)):
        return "own"
    return ""
