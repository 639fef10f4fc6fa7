"""Pairs made of photographs: cut-outs of named things over a ground, "a dog to the left of a car" against the swap.

A folder of cut-outs holds RGBA images, a table `names.csv` (columns file, name) and a folder `grounds` of
photographs; bring your own in the same form. The images are rendered by `scenes.photographs`. Sizes are those in the
picture: "a small house and a large apple" is a fair caption.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from core.documents import read_text
from core.errors import InvalidInput
from core.received import open_plain
from core.records import ItemStore
from core.systems.composition.records import LoadedBenchmark
from core.systems.composition.scenes.benchmarks import benchmark_of, scene_name
from core.systems.composition.scenes.shapes import CLEAR, ShapePhrase, Statement
from research.scenes.photographs import SceneObject, SceneSpec, render

STOCK = Path(__file__).parent / "stock"
"""What ships of it are the images that are drawn (research/scenes/ship.py)."""
SIZES: Mapping[str, tuple[float, float]] = {"small": (0.21, 0.26), "medium": (0.32, 0.40), "large": (0.48, 0.56)}
"""Longest side as a share of the image's side. "medium" is never said."""
KINDS: Mapping[str, str] = {
    "size": "the sizes are swapped",
    "relation": "left and right are swapped",
    "count": "the counts are swapped",
    "noun": "other things altogether: the easy control",
}
_ENDINGS = {".png", ".webp", ".jpg", ".jpeg"}
_COUNTS = ((1, 2), (1, 3), (2, 3))
_TRIES = 60
_RESTARTS = 60


@dataclass(frozen=True, slots=True, eq=False)
class CutoutStock:
    """What can be drawn."""

    cutouts: Mapping[str, Image.Image]
    """RGBA images by file name."""
    names: Mapping[str, str]
    """The noun of each, such as "dog"; several cut-outs may share one."""
    grounds: Mapping[str, Image.Image]
    """RGB photographs by file name."""

    def files_of(self, noun: str) -> list[str]:
        """The cut-outs with that noun."""
        return [file for file, name in self.names.items() if name == noun]


def read_stock(folder: Path) -> CutoutStock:
    """Read a folder of cut-outs, with `names.csv` and `grounds/`.

    Raises:
        InvalidInput: a file is missing, cannot be opened, has no transparency, or there are too few nouns or no ground.
    """
    table = folder / "names.csv"
    if not table.is_file():
        raise InvalidInput(
            f"{folder} must hold a table names.csv with the columns file and name. Write one line for each cut-out."
        )
    rows = list(csv.DictReader(io.StringIO(read_text(table, below=folder))))
    if not rows or not {"file", "name"} <= set(rows[0]):
        raise InvalidInput(
            f"{table} must have the columns file and name, and at least one line: got "
            f"{list(rows[0]) if rows else 'no line'}."
        )
    names = {row["file"].strip(): " ".join(row["name"].split()) for row in rows}
    cutouts = {name: _opened(folder / name, "RGBA") for name in names}
    for name, picture in cutouts.items():
        if picture.getchannel("A").getextrema() in ((0, 0), (255, 255)):
            raise InvalidInput(
                f"{folder / name} must be a cut-out: it is wholly opaque or wholly transparent. "
                "Give it a transparent ground."
            )
    grounds = sorted(path for path in (folder / "grounds").glob("*") if path.suffix.lower() in _ENDINGS)
    if len(set(names.values())) < 4 or not grounds:
        raise InvalidInput(
            f"{folder} needs cut-outs of at least 4 different names and a photograph in grounds/: "
            f"got {len(set(names.values()))} and {len(grounds)}."
        )
    return CutoutStock(cutouts, names, {path.name: _opened(path, "RGB") for path in grounds})


def _opened(path: Path, mode: str) -> Image.Image:
    try:
        with open_plain(path) as file, Image.open(file) as picture:
            return picture.convert(mode)
    except OSError as error:
        raise InvalidInput(
            f"The picture {path} cannot be read: {error}. Check its name and that it is a PNG, WebP or JPEG."
        ) from None


@dataclass(frozen=True, slots=True, eq=False)
class CutoutItem:
    """Two scenes and their captions: caption i is true of scene i and false of the other."""

    id: str
    scenes: tuple[SceneSpec, SceneSpec]
    statements: tuple[Statement, Statement]
    tags: Mapping[str, str]

    @property
    def captions(self) -> tuple[str, str]:
        return self.statements[0].text(), self.statements[1].text()


@dataclass(frozen=True, slots=True)
class Standing:
    """A cut-out as a caption may speak of it; `x` and `y` are its middle."""

    shape: str
    size: str
    x: float
    y: float
    colour: str = ""
    material: str = ""


def standing(scene: SceneSpec, stock: CutoutStock) -> list[Standing]:
    """What the scene shows, for `Statement.holds_among`."""
    return [
        Standing(o.label, _size_name(o.size), o.x, o.y - _high(o.identity, o.size, stock) / 2) for o in scene.objects
    ]


def draw_cutout_items(
    stock: CutoutStock, n: int, seed: int, *, kinds: Sequence[str] = tuple(KINDS)
) -> list[CutoutItem]:
    """Draw `n` items, the kinds as even in number as n allows; the same stock and seed give the same items.

    The cut-out of a noun is the same in both images of an item; places, turns and grounds are drawn anew. Tags: kind
    and things.

    Raises:
        InvalidInput: a kind is not known.
    """
    if not kinds or not set(kinds) <= set(KINDS) or n < 0:
        raise InvalidInput(
            f"Cut-outs are drawn for kinds of {list(KINDS)}, 0 or more items: got {list(kinds)} and {n}."
        )
    rng = np.random.default_rng([seed, 31])
    order = rng.permutation(n) % len(kinds)
    return [_item(stock, kinds[int(k)], f"cutouts-{i:05d}", rng) for i, k in enumerate(order)]


def _item(stock: CutoutStock, kind: str, name: str, rng: np.random.Generator) -> CutoutItem:
    nouns = [str(noun) for noun in rng.permutation(sorted(set(stock.names.values())))[:4]]
    files = {noun: str(rng.choice(stock.files_of(noun))) for noun in nouns}
    statements = _statements(kind, nouns, rng)
    a, b = (_scene(stock, statement, files, rng) for statement in statements)
    for own, other, statement in ((a, b, statements[0]), (b, a, statements[1])):
        assert statement.holds_among(standing(own, stock)), statement
        assert not statement.holds_among(standing(other, stock)), statement
    return CutoutItem(name, (a, b), statements, {"kind": kind, "things": str(max(len(a.objects), len(b.objects)))})


def _statements(kind: str, nouns: Sequence[str], rng: np.random.Generator) -> tuple[Statement, Statement]:
    a, b, c, d = nouns
    if kind == "size":
        one, two = ("small", "large") if rng.random() < 0.5 else ("large", "small")
        return tuple(  # type: ignore[return-value]
            Statement((ShapePhrase(a, size=x), ShapePhrase(b, size=y))) for x, y in ((one, two), (two, one))
        )
    if kind == "count":
        one, two = (int(v) for v in rng.permutation(_COUNTS[int(rng.integers(len(_COUNTS)))]))
        return tuple(  # type: ignore[return-value]
            Statement((ShapePhrase(a, count=x), ShapePhrase(b, count=y))) for x, y in ((one, two), (two, one))
        )
    if kind == "relation":
        relation = "left" if rng.random() < 0.5 else "right"
        one = ShapePhrase(a)
        other = ShapePhrase(b)
        return Statement((one, other), relation), Statement((other, one), relation)
    return Statement((ShapePhrase(a), ShapePhrase(b))), Statement((ShapePhrase(c), ShapePhrase(d)))


def _scene(stock: CutoutStock, statement: Statement, files: Mapping[str, str], rng: np.random.Generator) -> SceneSpec:
    phrases = [phrase for phrase in statement.phrases for _ in range(phrase.count or 1)]
    sizes = [phrase.size or ("small" if len(phrases) > 2 else "medium") for phrase in phrases]
    for _ in range(_RESTARTS):
        placed = _placed(stock, [(phrase.shape, files[phrase.shape]) for phrase in phrases], sizes, rng)
        if placed is not None and _in_order(statement, placed):
            return _over(stock, placed, rng)
    raise InvalidInput(
        f"{len(phrases)} cut-outs of sizes {sizes} do not fit into one picture. "
        "Bring cut-outs that are less wide or high."
    )


def _in_order(statement: Statement, placed: Sequence[SceneObject]) -> bool:
    if statement.relation is None:
        return True
    along = (placed[1].x - placed[0].x) * (1 if statement.relation == "left" else -1)
    return along >= CLEAR + 0.15


def _placed(
    stock: CutoutStock, what: Sequence[tuple[str, str]], sizes: Sequence[str], rng: np.random.Generator
) -> list[SceneObject] | None:
    """Places without overlap, the nearer (lower) things last; None if there was no room."""
    placed: list[SceneObject] = []
    for (noun, file), size in zip(what, sizes, strict=True):
        side = float(rng.uniform(*SIZES[size]))
        wide = _wide(file, side, stock)
        high = _high(file, side, stock)
        angle = round(float(rng.normal(0, 3)), 2)
        mirrored = bool(rng.random() < 0.5)
        for _ in range(_TRIES):
            x = rng.uniform(wide / 2 + 0.03, 0.97 - wide / 2)
            y = rng.uniform(max(0.5, high + 0.04), 0.95)
            tried = SceneObject(noun, file, round(side, 4), round(float(x), 4), round(float(y), 4), angle, mirrored)
            if all(_apart(tried, other, stock) for other in placed):
                placed.append(tried)
                break
        else:
            return None
    return placed


def _apart(a: SceneObject, b: SceneObject, stock: CutoutStock) -> bool:
    """Whether the boxes of the two have a little room between them."""
    across = abs(a.x - b.x) - (_wide(a.identity, a.size, stock) + _wide(b.identity, b.size, stock)) / 2
    tops = [o.y - _high(o.identity, o.size, stock) for o in (a, b)]
    down = max(*tops) - min(a.y, b.y)
    return across >= 0.02 or down >= 0.02


def _over(stock: CutoutStock, placed: Sequence[SceneObject], rng: np.random.Generator) -> SceneSpec:
    ground = str(rng.choice(sorted(stock.grounds)))
    corner = rng.uniform(0, 0.3, 2)
    return SceneSpec(
        tuple(sorted(placed, key=lambda o: o.y)),
        ground,
        Path(ground).stem,
        (round(float(corner[0]), 3), round(float(corner[1]), 3), round(float(rng.uniform(0.7, 1.0)), 3)),
        exposure=round(float(rng.uniform(0.92, 1.08)), 3),
        blur=0.006,
        mirrored=bool(rng.random() < 0.5),
        seed=int(rng.integers(2**31)),
    )


def _size_name(size: float) -> str:
    return min(SIZES, key=lambda name: abs(size - sum(SIZES[name]) / 2))


def _wide(file: str, size: float, stock: CutoutStock) -> float:
    width, height = _extent(stock.cutouts[file])
    return size * width / max(width, height)


def _high(file: str, size: float, stock: CutoutStock) -> float:
    width, height = _extent(stock.cutouts[file])
    return size * height / max(width, height)


def _extent(cutout: Image.Image) -> tuple[int, int]:
    """Width and height of what is not transparent."""
    left, top, right, bottom = cutout.getchannel("A").getbbox() or (0, 0, 1, 1)
    return right - left, bottom - top


@dataclass(frozen=True, slots=True, eq=False)
class CutoutStore(ItemStore):
    """Scenes that are drawn when they are read, always to the same bytes."""

    scenes: tuple[SceneSpec, ...]
    stock: CutoutStock
    size: int = 224

    def __len__(self) -> int:
        return len(self.scenes)

    def name(self, index: int) -> str:
        return scene_name(index)

    def read(self, index: int) -> bytes:
        """The image as PNG."""
        buffer = BytesIO()
        render(self.scenes[index], self.stock.cutouts, self.stock.grounds, size=self.size).save(
            buffer, "PNG", compress_level=1
        )
        return buffer.getvalue()


def pictured_cutouts(
    items: Sequence[CutoutItem], stock: CutoutStock, name: str, *, size: int = 224, title: str = "Pairs of cut-outs"
) -> LoadedBenchmark:
    """The items as a benchmark with images that are drawn on demand."""
    scenes = tuple(scene for item in items for scene in item.scenes)
    return LoadedBenchmark(benchmark_of(items, name, title=title), CutoutStore(scenes, stock, size))
