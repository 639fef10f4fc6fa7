"""Write the drawn benchmarks that ship as files: the cut-outs, and the single-object queries.

python -m research.scenes.ship [--out FOLDER]
"""

from __future__ import annotations

import argparse
import io
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from core.files import write_json
from core.systems.composition.records import LoadedBenchmark
from core.systems.composition.scenes.items import RenderedPlan
from core.systems.composition.scenes.shipped import FOLDER, SEED
from research.scenes.cutouts import STOCK, draw_cutout_items, pictured_cutouts, read_stock
from research.scenes.retrieval import draw_retrieval, pictured_retrieval

QUALITY = 85
"""Of WebP: both benchmarks are 2.8 MB together."""
LONG_AGO = (1980, 1, 1, 0, 0, 0)


def drawn(name: str) -> LoadedBenchmark:
    """The benchmark of that name as it is drawn, before its images are compressed."""
    if name == "rendered-single":
        return pictured_retrieval(draw_retrieval(RenderedPlan(), 160, 40, SEED, "unseen"), name)
    stock = read_stock(STOCK)
    found = pictured_cutouts(draw_cutout_items(stock, 160, SEED), stock, name)
    return replace(found, benchmark=replace(found.benchmark, title="Cut-outs on photographs"))


def write(found: LoadedBenchmark, folder: Path) -> int:
    """Write items.json and images.zip; returns their bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    benchmark = found.benchmark
    items: list[dict[str, Any]] = []
    for item in benchmark.items:
        said: dict[str, Any] = {"id": item.id, "captions": item.captions, "match": item.match, "tags": dict(item.tags)}
        hard = {} if item.hard is None else {"hard": np.flatnonzero(item.hard).tolist()}
        items.append(said | {"pictures": item.pictures} | hard)
    document = {name: getattr(benchmark, name) for name in ("title", "kind", "headline", "source")}
    write_json(folder / "items.json", document | {"items": items})
    with zipfile.ZipFile(folder / "images.zip", "w", zipfile.ZIP_STORED) as archive:
        for i in range(len(found.store)):
            buffer = io.BytesIO()
            picture = Image.open(io.BytesIO(found.store.read(i))).convert("RGB")
            picture.save(buffer, "WEBP", quality=QUALITY, method=6)
            archive.writestr(zipfile.ZipInfo(f"{benchmark.name}_{i:03d}.webp", LONG_AGO), buffer.getvalue())
    return sum(path.stat().st_size for path in folder.iterdir())


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser("python -m research.scenes.ship", description="Write the drawn benchmarks.")
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder (default assets/composition)")
    given = parser.parse_args(arguments)
    for name in ("rendered-single", "cutouts"):
        print(f"{given.out / name}: {write(drawn(name), given.out / name) / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
