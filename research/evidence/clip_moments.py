"""How near is the curve of a phrase drawn from what a run keeps of a clip to that drawn from the clip?

    python -m research.evidence.clip_moments

Clips are halves of two of the shipped ones, joined, and asked for the thing of each half.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np

from core.data.clips.decoding import every_frame
from core.data.clips.modality import ClipModality
from core.data.images.archives import open_images
from core.data.images.thumbnails import STORED_SIZE
from core.documents import read_json
from core.encoders import load_encoder
from core.files import ASSETS
from core.language.moments import moments_of
from core.numbers import with_interval
from core.statistics.intervals import bootstrap
from core.systems.neuralizer.corrections.rewrite_clips import video_bytes

FOLDER = ASSETS / "examples" / "clips"


def joined(folder: Path, n: int, seed: int) -> list[tuple[str, str]]:
    """Write n clips and what a run keeps of each; the things of their halves."""
    clips = open_images(FOLDER / "images.zip")
    truth = read_json(FOLDER / "truth.json")
    names = [name for name in clips.names if name in truth]
    place = {name: at for at, name in enumerate(clips.names)}
    rng = np.random.default_rng(seed)
    things = []
    for k in range(n):
        two = [names[at] for at in rng.choice(len(names), 2, replace=False)]
        (first, rate), (second, _) = (every_frame(clips.read(place[name])) for name in two)
        ends = [frame.resize(first[0].size) for frame in second[len(second) // 2 :]]
        data = video_bytes([*first[: len(first) // 2], *ends], rate)
        (folder / f"{k:03d}.mp4").write_bytes(data)
        (folder / f"{k:03d}.webp").write_bytes(ClipModality().keep(data, STORED_SIZE))
        things.append(tuple(" ".join(truth[name]["sentence"].split()[:3]) for name in two))
    return things


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=120)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    encoder = load_encoder("clips")
    rows = []
    with tempfile.TemporaryDirectory() as name:
        things = joined(Path(name), given.n, given.seed)
        store = open_images(Path(name))
        place = {file: at for at, file in enumerate(store.names)}
        for k, said in enumerate(things):
            for half, text in enumerate(said):
                clip, kept = (moments_of(store, place[f"{k:03d}.{end}"], text, encoder) for end in ("mp4", "webp"))  # type: ignore[arg-type]
                like = np.corrcoef(np.interp(clip.seconds, kept.seconds, kept.cosines), clip.cosines)[0, 1]
                meet = kept.span[0] <= clip.span[1] and clip.span[0] <= kept.span[1]
                right = (np.mean(kept.span) >= kept.length / 2) == bool(half)
                rows.append((k, kept.moves, like, meet, right))
    table = np.array(rows, float)
    for what, some in (
        ("all", table),
        ("worth saying", table[table[:, 1] > 0]),
        ("of little", table[table[:, 1] == 0]),
    ):
        said = []
        for at in (2, 3, 4):
            values = some[:, at]
            groups = some[:, 0].astype(np.int64)
            rng = np.random.default_rng(0)
            said.append(with_interval(bootstrap(lambda r, v=values: float(v[r].mean()), len(some), groups, rng)))
        print(f"{what} (n = {len(some)}): correlation {said[0]}, spans meet {said[1]}, in the thing's half {said[2]}")


if __name__ == "__main__":
    main()
