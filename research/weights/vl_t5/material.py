"""What the describer learns from: drawn scenes with tasks whose truth is known, and captioned photographs."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from core.data.images.decoding import decode
from core.data.images.thumbnails import STORED_SIZE, shrink
from core.encoders import Encoder, load_encoder
from core.encoders.tokens import tower_of
from core.records import F32, I64
from core.systems.common.picture_cells import Whitening, in_parts
from core.systems.composition.scenes.held_out import HeldOut, held_out_pairs
from core.systems.composition.scenes.render import render_scene
from core.systems.composition.scenes.shapes import Scene
from core.systems.vl_t5.tasks import CAPTION, GROUNDING, MATCHING, PREFIXES, QUESTION, REGIONS, SPANS
from research.weights.embedded.captioned import CaptionCorpus, read_corpus
from research.weights.vl_t5.scene_draws import draw_scenes
from research.weights.vl_t5.scene_tasks import ABSENT, KINDS, SceneTasks
from research.weights.vl_t5.spoken import Spoken, matching_task, span_task
from research.weights.vl_t5.teach import Rows

HELD_OUT = HeldOut(colour=held_out_pairs(0).colour)
"""Twelve pairs of color and shape that no scene that is learned from shows."""
SCENES: Mapping[str, tuple[int, int, bool]] = {
    "train": (9000, 10, False),
    "tune": (600, 11, False),
    "seen": (800, 12, False),
    "unseen": (600, 13, True),
}
"""Scenes, seed, and whether each shows an unseen pair: to learn from, to set the bar on, and twice to report on."""
KEPT = 3000
"""Scenes that are learned from a second time, as the small copies that a run keeps of its images."""
PHOTO = "photo "
"""Before a prefix: that task on photographs."""
SHARES: Mapping[str, float] = {
    **{f"{QUESTION} {kind}": 0.09 for kind in KINDS},
    **{f"{QUESTION} {ABSENT}{kind}": 0.05 for kind in ("colour", "shape")},
    GROUNDING: 0.12,
    MATCHING: 0.08,
    CAPTION: 0.04,
    SPANS: 0.01,
    REGIONS: 0.10,
    PHOTO + CAPTION: 0.14,
    PHOTO + MATCHING: 0.05,
    PHOTO + SPANS: 0.01,
}
"""Of the tasks that are mixed: a prefix, of questions with their kind."""
FIRST: Mapping[str, float] = {f"{QUESTION} colour": 0.2, f"{QUESTION} shape": 0.2, GROUNDING: 0.2, REGIONS: 0.4}
"""Of the first tasks: what is where is learned before what is counted and compared."""
LATER: Mapping[str, float] = {
    f"{QUESTION} colour": 0.05,
    f"{QUESTION} shape": 0.05,
    f"{QUESTION} count": 0.2,
    f"{QUESTION} thing": 0.2,
    f"{QUESTION} exists": 0.2,
    GROUNDING: 0.08,
    MATCHING: 0.15,
    REGIONS: 0.05,
    CAPTION: 0.02,
}
"""Of the tasks of a model that learns on: mostly of what is hard."""
FIRST_PART = 0.4
"""Share of all tasks that are drawn so; the others go on rehearsing them."""
_BATCH = 32
F16 = npt.NDArray[np.float16]


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """Scenes and photographs as the encoder's cells; an image's number counts the scenes first."""

    scenes: tuple[Scene, ...]
    scene_cells: F16
    """(n, P, f)."""
    captions: list[list[str]]
    """Of each photograph that is learned from."""
    photo_cells: F16
    photo_rows: I64
    """Of each of them, its row in the cells."""

    def rows(self, pictures: Sequence[int]) -> F32:
        """(m, P, f) of some images."""
        n = len(self.scenes)
        made = [self.scene_cells[i] if i < n else self.photo_cells[self.photo_rows[i - n]] for i in pictures]
        return np.stack(made).astype(np.float32)

    def whitened(self, whitening: Whitening) -> Rows:
        """`rows`, each image whitened once."""
        cells = np.concatenate([whitening(self.rows(own.tolist())).astype(np.float16) for own in in_parts(self.n)])
        return lambda pictures: cells[list(pictures)].astype(np.float32)

    @property
    def n(self) -> int:
        """Images of both kinds."""
        return len(self.scenes) + len(self.captions)

    def some(self, n: int = 300) -> F32:
        """Cells of the first images of both kinds, to take their scale from."""
        photos = [len(self.scenes) + i for i in range(min(n, len(self.captions)))]
        return self.rows([*range(min(n, len(self.scenes))), *photos])


def tidy(caption: str) -> str:
    """In lower case, without its full stop."""
    return " ".join(caption.lower().rstrip(" .").split())


def read_material(corpus: Path | None, scratch: Path, encoder: str = "embedded") -> Material:
    """Scenes, and the photographs of the corpus's part "fit"; `scratch` keeps their cells."""
    scenes = scenes_of("train")
    kept = kept_cells("train", scratch, encoder)
    cells = np.concatenate([scene_cells("train", scratch, encoder), kept])
    scenes = (*scenes, *scenes[: len(kept)])
    if corpus is None:
        return Material(scenes, cells, [], cells[:0], np.zeros(0, np.int64))
    read = read_corpus(corpus)
    rows, own = photo_cells(read, "train", scratch, encoder)
    fitted = np.isin(rows, read.rows("fit"))
    captions = [[tidy(caption) for caption in read.captions[row]] for row in rows[fitted]]
    return Material(scenes, cells, captions, own, np.flatnonzero(fitted).astype(np.int64))


def scenes_of(part: str) -> tuple[Scene, ...]:
    n, seed, unseen = SCENES[part]
    return draw_scenes(n, seed, HELD_OUT, unseen=unseen)


def scene_cells(part: str, scratch: Path, encoder: str = "embedded") -> F16:
    """(n, P, f) cells of a part's scenes, made once."""
    scenes = scenes_of(part)
    return cells_of(part, len(scenes), lambda: (render_scene(scene) for scene in scenes), scratch, encoder)[0]


def kept_cells(part: str, scratch: Path, encoder: str = "embedded") -> F16:
    """(n, P, f) cells of a part's first scenes, at most `KEPT`, as the small copies that a run keeps, made once."""
    scenes = scenes_of(part)[:KEPT]
    return cells_of(f"{part}_kept", len(scenes), lambda: map(kept_copy, scenes), scratch, encoder)[0]


def kept_copy(scene: Scene) -> Image.Image:
    """The scene as a run keeps it."""
    drawn = io.BytesIO()
    render_scene(scene).save(drawn, "PNG")
    return decode(shrink(drawn.getvalue(), STORED_SIZE)).image


def photo_cells(corpus: CaptionCorpus, part: str, scratch: Path, encoder: str = "embedded") -> tuple[I64, F16]:
    """Rows of the corpus of a part, "train" or "dev", and their cells, made once."""
    parts = ("dev",) if part == "dev" else ("fit", "tune", "held")
    rows = np.flatnonzero(np.isin(corpus.parts, parts) & ~extra(corpus))
    cells = cells_of(f"flickr_{part}", len(rows), lambda: map(corpus.open, rows.tolist()), scratch, encoder)[0]
    return rows.astype(np.int64), cells


def picture_means(cells: F16) -> F32:
    """(n, f) mean of each image's cells."""
    return np.concatenate([cells[own].mean(1, dtype=np.float32) for own in in_parts(len(cells))])


def extra(corpus: CaptionCorpus) -> npt.NDArray[np.bool_]:
    """(n,) photographs that belong to no part of the corpus."""
    import pandas as pd

    table = pd.read_csv(corpus.files[0].parents[1] / "captions.csv", usecols=["split"])
    return ~table["split"].isin(["train", "dev"]).to_numpy()


def cells_of(
    name: str, n: int, images: Callable[[], Iterable[Image.Image]], scratch: Path, encoder: str = "embedded"
) -> tuple[F16, F32]:
    """(n, P, f) cells and (n, d) joint vectors, from the folder if they are there."""
    at = scratch / f"{name}.npy"
    pooled = scratch / f"{name}_pooled.npy"
    if not (at.is_file() and pooled.is_file()):
        scratch.mkdir(parents=True, exist_ok=True)
        parts = list(_read(images(), load_encoder(encoder)))
        np.save(pooled, np.concatenate([part for _, part in parts]))
        np.save(at, np.concatenate([part for part, _ in parts]))
    cells = np.load(at, mmap_mode="r")
    vectors = np.load(pooled)
    if len(cells) != n:
        raise ValueError(f"{at} holds {len(cells)} pictures, not {n}: remove it")
    return cells, vectors


def _read(images: Iterable[Image.Image], encoder: Encoder) -> Iterable[tuple[F16, F32]]:
    tower = tower_of(encoder)
    waiting = list[F32]()
    for image in images:
        waiting.append(encoder.preprocess(image.convert("RGB")))
        if len(waiting) == _BATCH:
            found = tower.image_tokens(np.stack(waiting))
            yield found.tokens.astype(np.float16), found.pooled
            waiting = []
    if waiting:
        found = tower.image_tokens(np.stack(waiting))
        yield found.tokens.astype(np.float16), found.pooled


def lesson(material: Material, n: int, seed: int, shares: Mapping[str, float] = SHARES) -> list[Spoken]:
    """n tasks in the order in which they are learned: first of `FIRST`, then of all shares."""
    first = round(n * FIRST_PART)
    return [*mixed(material, first, seed, FIRST), *mixed(material, n - first, seed + 1, shares)]


def mixed(material: Material, n: int, seed: int, shares: Mapping[str, float] = SHARES) -> list[Spoken]:
    """n tasks, each kind as often as its share says on average, in random order; the same arguments give the same."""
    rng = np.random.default_rng([seed, 41])
    scenes = SceneTasks(material.scenes, rng)
    kinds = list(shares)
    weights = np.array(list(shares.values()))
    made: list[Spoken] = []
    for kind in rng.choice(len(kinds), n, p=weights / weights.sum()).tolist():
        found = None
        while found is None:
            found = _task(material, scenes, kinds[kind], rng)
        made.append(found)
    return made


def _task(material: Material, scenes: SceneTasks, kind: str, rng: np.random.Generator) -> Spoken | None:
    if not kind.startswith(PHOTO):
        prefix = next(prefix for prefix in PREFIXES if kind.startswith(prefix))
        return scenes.draw(int(rng.integers(len(material.scenes))), prefix, kind.removeprefix(prefix).strip())
    prefix = kind.removeprefix(PHOTO)
    captions = material.captions
    photo = int(rng.integers(len(captions)))
    own = captions[photo][int(rng.integers(len(captions[photo])))]
    number = len(material.scenes) + photo
    if prefix == MATCHING:
        other = captions[int(rng.integers(len(captions)))]
        return matching_task(number, own, [other[int(rng.integers(len(other)))]], rng)
    if prefix == SPANS:
        return span_task(number, own, rng) if len(own.split()) > 1 else None
    return Spoken(number, CAPTION, own, "photo caption")
