"""Captioned photographs for the part of the embedded encoder that is trained: which of them are fitted on, which are
kept apart, and what the frozen networks say of them and of their captions."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from PIL import Image

from core.encoders.arithmetic import unit_rows
from core.encoders.embedded.encoder import EmbeddedEncoder
from core.encoders.embedded.minilm import embed_sentences
from core.encoders.embedded.pixel_cues import measure_cues
from core.records import F32, I64
from research.weights.embedded.alignment import TEMPLATES
from research.weights.embedded.edits import EDITS, stored
from research.weights.embedded.grounds import SIDE, Rng
from research.weights.embedded.phrases import PHRASES

N_CAPTIONS = 5
FRAMES = {
    "adjective": (
        *("a {p} photo of {c}", "{c}, a {p} picture", "a {p} image : {c}"),
        *("{c} . the photo is {p}", "{p} photo , {c}"),
    ),
    "place": ("{c} {p}", "{c}, {p}", "a photo of {c} {p}", "photographed {p}, {c}"),
    "bare": ("{c}, {p}", "{p} : {c}", "{c} . {p}", "a photo with {p} , {c}"),
}
"""How a phrase and a caption are put together, by the phrase's form."""
_BATCH = 48

Maker = Callable[[int], Image.Image]
"""From an image's number to the image, or to something made of it."""


@dataclass(frozen=True, slots=True, eq=False)
class CaptionCorpus:
    """n photographs with five captions each."""

    files: list[Path]
    captions: list[list[str]]
    parts: npt.NDArray[np.str_]
    """(n,) "fit", "tune" for choosing settings, "held" for the report alone, or the corpus's own "dev"."""

    def rows(self, part: str) -> I64:
        """Numbers of the images of a part."""
        return np.flatnonzero(self.parts == part).astype(np.int64)

    def open(self, row: int) -> Image.Image:
        return Image.open(self.files[row]).convert("RGB")


def part_of(file: str, split: str) -> str:
    """The part of an image. Of the corpus's training images, a tenth is for choosing settings and another tenth for
    the report alone; the draw depends on the file's name and nothing else."""
    if split != "train":
        return "dev" if split == "dev" else "fit"
    draw = int.from_bytes(hashlib.sha256(file.encode()).digest()[:4], "big") % 10
    return {0: "held", 1: "tune"}.get(draw, "fit")


def read_corpus(folder: Path) -> CaptionCorpus:
    """The corpus: captions.csv (file, split, caption_0 to caption_4) beside the folder images."""
    table = pd.read_csv(folder / "captions.csv")
    captions = table[[f"caption_{i}" for i in range(N_CAPTIONS)]].to_numpy(str).tolist()
    parts = [part_of(file, split) for file, split in zip(table["file"], table["split"])]
    return CaptionCorpus([folder / "images" / file for file in table["file"]], captions, np.array(parts))


def cut_out(image: Image.Image, rng: Rng) -> Image.Image:
    """A random part of at least 45% of the image's area, somewhat stretched, mirrored every second time."""
    area = rng.uniform(0.45, 1)
    shape = float(np.exp(rng.uniform(-0.3, 0.3)))
    width = min(1.0, (area * shape) ** 0.5) * image.width
    height = min(1.0, (area / shape) ** 0.5) * image.height
    x = rng.uniform(0, image.width - width)
    y = rng.uniform(0, image.height - height)
    part = image.resize((224, 224), Image.Resampling.BICUBIC, (x, y, x + width, y + height))
    return part.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if rng.random() < 0.5 else part


def edit_with_words(image: Image.Image, captions: list[str], rng: Rng) -> tuple[Image.Image, str]:
    """The image edited in one way, and one of its captions with words that say so, where there are words for it."""
    edit = EDITS[int(rng.integers(len(EDITS)))]
    edited, changes = edit(image.resize((SIDE, SIDE), Image.Resampling.BICUBIC), rng)
    edited = stored(edited, rng)
    change = next((name, float(np.sign(v))) for name, v in changes.items() if v and not np.isnan(v))
    caption = captions[int(rng.integers(len(captions)))].strip(" .")
    caption = caption[:1].lower() + caption[1:]
    ways = [phrase for phrase in PHRASES if phrase.means == (change,)]
    if not ways:
        return edited, caption
    way = ways[int(rng.integers(len(ways)))]
    frames = FRAMES[way.form]
    return edited, frames[int(rng.integers(len(frames)))].format(p=way.text, c=caption)


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What the network and the pixels say of images."""

    features: F32
    """(n, 1280)."""
    cues: F32
    """(n, q)."""


class Reader:
    """Runs the frozen networks, and keeps what they say in a folder between runs."""

    def __init__(self, scratch: Path | None) -> None:
        self.encoder = EmbeddedEncoder()
        self.scratch = scratch

    def pictures(self, name: str, n: int, make: Maker) -> Seen:
        """Of images 0 to n - 1."""

        def measure() -> dict[str, F32]:
            parts: list[tuple[F32, F32]] = []
            for start in range(0, n, _BATCH):
                rows = range(start, min(start + _BATCH, n))
                batch = np.stack([self.encoder.preprocess(make(row)) for row in rows])
                parts.append((self.encoder.features(batch), measure_cues(batch)))
            return {"features": np.concatenate([f for f, _ in parts]), "cues": np.concatenate([c for _, c in parts])}

        return Seen(**self._kept(name, measure))

    def sentences(self, name: str, texts: list[str]) -> F32:
        """(n, 384) unit rows."""
        return self._kept(name, lambda: {"sentences": unit_rows(embed_sentences(texts))})["sentences"]

    def named(self, name: str, things: list[str]) -> F32:
        """(t, k, 384) unit rows of k things in each of the templates."""
        made = (self.sentences(f"{name} {i}", [t.format(thing) for thing in things]) for i, t in enumerate(TEMPLATES))
        return np.stack(list(made))

    def _kept(self, name: str, make: Callable[[], dict[str, F32]]) -> dict[str, F32]:
        """What `make` gives, in half precision."""
        file = self.scratch / f"{name}.npz" if self.scratch else None
        if file is not None and file.exists():
            with np.load(file) as kept:
                return {key: kept[key].astype(np.float32) for key in kept.files}
        made = {key: array.astype(np.float16) for key, array in make().items()}
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            np.savez(file, **made)  # type: ignore[arg-type]
        return {key: array.astype(np.float32) for key, array in made.items()}
