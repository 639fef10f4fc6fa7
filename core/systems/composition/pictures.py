"""The images of a benchmark, found by name in what the user brings and cropped where it says so; and what cannot be
asked without them."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from core.data.images.archives import FileImages, open_images
from core.data.images.decoding import decode, upright_size
from core.data.images.matching import FileIndex, index_files, refusal
from core.data.modality import Unreadable
from core.errors import InvalidInput
from core.limits import Limits
from core.records import ItemStore, Progress, Reporter, no_progress
from core.systems.composition.readers.builder import counted, retrieval_fault
from core.systems.composition.readers.fields import path_of
from core.systems.composition.records import Benchmark, Box, Item, LoadedBenchmark, Picture

_HEAD = 2**16
"""Bytes in which an image's size nearly always stands; where it does not, the whole file is read."""
_ABSENT = "an image is missing"
Window = tuple[int, int, int, int]
"""Left, top, right and bottom in pixels of the upright file."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FoundImages(ItemStore):
    """A benchmark's images; thread-safe. A crop is cut and encoded as PNG when it is asked for."""

    base: FileImages
    positions: tuple[int, ...]
    """Place of each image in `base`; the crops of one file share it."""
    windows: tuple[Window | None, ...]
    """The part that is shown, inside the image; None shows the whole."""

    def __len__(self) -> int:
        return len(self.positions)

    def name(self, index: int) -> str:
        return self.base.name(self.positions[index])

    def read(self, index: int) -> bytes:
        """The file as it is, or its crop as PNG.

        Raises:
            InvalidInput: the image of a crop cannot be decoded.
        """
        data = self.base.read(self.positions[index])
        window = self.windows[index]
        if window is None:
            return data
        try:
            picture = decode(data)
        except Unreadable as error:
            raise InvalidInput(f"The image {self.name(index)} {error}") from error
        out = io.BytesIO()
        # large files are shrunk while decoding
        across = picture.image.width / picture.width
        down = picture.image.height / picture.height
        left, top, right, bottom = window
        edges = round(left * across), round(top * down), round(right * across), round(bottom * down)
        corners = edges[0], edges[1], max(edges[2], edges[0] + 1), max(edges[3], edges[1] + 1)
        picture.image.crop(corners).save(out, "PNG", compress_level=1)
        return out.getvalue()


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an image was found, or why it cannot be used."""

    position: int
    window: Window | None = None
    fault: str = ""
    """"reason: example", in the form of `Benchmark.excluded`."""


def base_name(written: str) -> str:
    """The last part of a path or address, which is what an image is found by."""
    parts = [part for part in written.replace("\\", "/").split("/") if part]
    if parts:
        return parts[-1]
    return written


def picture_list(benchmark: Benchmark) -> tuple[str, ...]:
    """Base names of the images that the benchmark needs, each once, in its order."""
    return tuple(dict.fromkeys(base_name(picture.name) for picture in benchmark.pictures))


def find_pictures(benchmark: Benchmark, images: Path | str, progress: Progress = no_progress) -> LoadedBenchmark:
    """The benchmark with its images, without the items that cannot be asked.

    An image is the file at the path that the benchmark names (or at the end of that path), or else the one file of its
    name, or else the one of its name without the ending; several of these count as missing. A choice or pair
    without one of its images is left out; a query loses that image alone, and is left out if nothing is left to
    rank. Also left out: pairs of one image or one caption (whatever the case of its letters), and choices whose
    foils all say what the caption says; a foil that does is dropped from the others.

    Args:
        images: a folder, a zip or a tar.
        progress: called while the images are opened and looked at.

    Raises:
        InvalidInput: the images cannot be opened, or no item is left.
        Cancelled: from `progress`.
    """
    store = open_images(path_of(images, "The folder or archive of images"), progress=progress)
    index = index_files(store)
    report = Reporter(progress, "check images", len(benchmark.pictures))
    places = list[_Place]()
    for picture in benchmark.pictures:
        report(len(places))
        places.append(_locate(picture, store, index))
    # the same pixels, one number
    twins = {(place.position, place.window): at for at, place in reversed([*enumerate(places)]) if not place.fault}
    first = [at if place.fault else twins[place.position, place.window] for at, place in enumerate(places)]
    items, excluded, notes = _askable(benchmark, places, first)
    named = zip(benchmark.pictures, places, strict=True)
    unfound = tuple(dict.fromkeys(base_name(picture.name) for picture, place in named if place.position < 0))
    if not items:
        raise InvalidInput(_nothing(benchmark, excluded, unfound, store, Path(images).name))
    used = sorted({at for item in items for at in item.pictures})
    usable = replace(
        benchmark,
        items=_renumbered(items, used),
        pictures=tuple(benchmark.pictures[at] for at in used),
        excluded=(*benchmark.excluded, *excluded),
        notes=(*benchmark.notes, *notes, *store.notes),
    )
    shown = FoundImages(store, tuple(places[at].position for at in used), tuple(places[at].window for at in used))
    return LoadedBenchmark(usable, shown, unfound)


def _renumbered(items: Sequence[Item], used: Sequence[int]) -> tuple[Item, ...]:
    """The items with their images as places among those that are used."""
    position_of = {at: i for i, at in enumerate(used)}
    same: dict[tuple[int, ...], tuple[int, ...]] = {}  # the queries of a benchmark share one long tuple
    return tuple(
        replace(item, pictures=same.setdefault(item.pictures, tuple(position_of[at] for at in item.pictures)))
        for item in items
    )


def _locate(picture: Picture, store: FileImages, index: FileIndex) -> _Place:
    """The one file that an image's name means, and its part that is shown."""
    name = base_name(picture.name)
    candidates = index.find(picture.name)
    if not candidates:
        return _Place(-1, fault=f"{_ABSENT}: {name}")
    if len(candidates) > 1:
        choices = " or ".join(store.name(at) for at in candidates[:3])
        return _Place(-1, fault=f"several images share a name, and none has the listed path: {name} may be {choices}")
    position = candidates[0]
    try:
        size, head = store.head(position)
        if fault := refusal(size, head, Limits()):
            return _Place(position, fault=f"an image cannot be used: {name}, {fault}")
        window = None
        if picture.box is not None:
            window = _window(picture.box, _size(store, position))
    except (InvalidInput, Unreadable) as error:
        return _Place(position, fault=f"an image cannot be read: {name}, {str(error)[:160]}")
    if window is not None and (window[2] <= window[0] or window[3] <= window[1]):
        box = ", ".join(f"{edge:g}" for edge in picture.box or ())
        return _Place(position, fault=f"the box lies outside its image: {name}, box {box}")
    return _Place(position, window)


def _size(store: FileImages, position: int) -> tuple[int, int]:
    """(width, height) of the upright image, from its header.

    Raises:
        Unreadable: no header that says it.
    """
    for data in (lambda: store.load(position, _HEAD), lambda: store.read(position)):
        try:
            return upright_size(data())
        except Unreadable:  # bytes that are cut short
            continue
    raise Unreadable("is not a readable image.")


def _window(box: Box, size: tuple[int, int]) -> Window:
    """The box in whole pixels, clipped to the image."""
    left, top, width, height = box
    # clipped first: the sum of two floats may be infinite
    horizontal = [round(min(max(edge, 0), size[0])) for edge in (left, left + width)]
    vertical = [round(min(max(edge, 0), size[1])) for edge in (top, top + height)]
    return horizontal[0], vertical[0], horizontal[1], vertical[1]


def _askable(
    benchmark: Benchmark, places: Sequence[_Place], first: Sequence[int]
) -> tuple[list[Item], list[tuple[str, str]], list[str]]:
    """The items that can be asked, those that cannot with the reason, and notes."""
    items = list[Item]()
    excluded = list[tuple[str, str]]()
    notes = list[str]()
    lost_foils = 0
    narrowed = 0
    for item in benchmark.items:
        fault, asked = _ranked(item, places, first) if benchmark.kind == "retrieval" else _asked(item, places, first)
        if asked is None:
            excluded.append((item.id, fault))
            continue
        lost_foils += len(item.captions) - len(asked.captions)
        narrowed += len(asked.pictures) < len(item.pictures)
        items.append(asked)
    if excluded:
        notes += [f"Left out for their images or captions: {line}." for line in counted(excluded)]
    if narrowed:
        lost = Counter(place.fault.split(": ")[0] for place in places if place.fault)
        why = "; ".join(f"{n:,} because {reason}" for reason, n in lost.most_common())
        notes.append(
            f"{narrowed:,} queries rank fewer than the {len(places):,} images of the benchmark "
            f"({why or 'some are one file'})."
        )
    if lost_foils:
        notes.append(f"Dropped {lost_foils:,} foils that read the same as their caption.")
    if twice := _repeated(items):
        few = ", ".join(twice[:3])
        notes.append(f"{len(twice):,} items repeat the images and captions of another, such as {few}. They stay.")
    return items, excluded, notes


def _asked(item: Item, places: Sequence[_Place], first: Sequence[int]) -> tuple[str, Item | None]:
    """A pair or a choice: the reason why it cannot be asked, or "" and the item."""
    if fault := next((places[at].fault for at in item.pictures if places[at].fault), ""):
        return fault, None
    pictures = tuple(first[at] for at in item.pictures)
    if len(set(pictures)) < len(pictures):
        return "both images are the same", None
    folded = [" ".join(caption.split()).casefold() for caption in item.captions]
    fits = {caption for _, caption in item.match}
    if len(pictures) == 1 and len(fits) > 1:  # several true captions, which may say the same
        same = any(folded[i] in {folded[at] for at in fits} for i in range(len(folded)) if i not in fits)
        if same:
            return ("captions are equal", None)
        return ("", replace(item, pictures=pictures))
    captions = tuple(caption for i, caption in enumerate(item.captions) if i == 0 or folded[i] != folded[0])
    if len(captions) < 2 or (len(pictures) > 1 and len(set(folded)) < len(folded)):
        return "captions are equal", None
    return "", replace(item, pictures=pictures, captions=captions)


def _ranked(item: Item, places: Sequence[_Place], first: Sequence[int]) -> tuple[str, Item | None]:
    """A query with the images that are there: the reason why nothing can be ranked, or "" and the item."""
    row_of: dict[int, int] = {}  # image -> its first place in the item; several names may mean one file
    for row, picture in enumerate(item.pictures):
        if not places[picture].fault:
            row_of.setdefault(first[picture], row)
    rows = list(row_of.values())
    new = {picture: i for i, picture in enumerate(row_of)}
    fitting = ((item.pictures[row], caption) for row, caption in item.match)
    match = tuple(
        dict.fromkeys((new[first[picture]], caption) for picture, caption in fitting if not places[picture].fault)
    )
    hard = None
    if item.hard is not None:
        hard = item.hard[rows]
    if fault := retrieval_fault(match, hard, len(rows)):
        return f"of the images present, {fault}" if len(rows) < len(item.pictures) else fault, None
    return "", replace(item, pictures=tuple(row_of), match=match, hard=hard)


def _repeated(items: Sequence[Item]) -> list[str]:
    """Ids of the items that ask what an earlier one asks."""
    seen = set[tuple[tuple[int, ...], tuple[str, ...]]]()
    twice = list[str]()
    for item in items:
        key = (item.pictures if len(item.pictures) <= 2 else (), item.captions)
        if key in seen:
            twice.append(item.id)
        seen.add(key)
    return twice


def _nothing(
    benchmark: Benchmark, excluded: Sequence[tuple[str, str]], unfound: Sequence[str], store: FileImages, source: str
) -> str:
    """What to say where no item is left."""
    n = len(picture_list(benchmark))
    if not unfound:
        return (
            f"{benchmark.title}: none of its {len(benchmark):,} items can be used: "
            f"{'; '.join(counted(excluded))}. Check its file."
        )
    few = ", ".join(unfound[:3])
    there = ", ".join(store.names[:3])
    return (
        f"{benchmark.title}: {len(unfound):,} of its {n:,} images are not in {source!r} "
        f"({few}{', ...' if len(unfound) > 3 else ''}), so none of its {len(benchmark):,} items can be used. It "
        f"holds {len(store):,} files, such as {there}. Add a folder, zip or tar with files of those names; the "
        "endings may differ."
    )
