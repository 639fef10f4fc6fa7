#!/usr/bin/env python

"""Fit the words for photo conditions and places, and add them to assets/encoder/alignment.safetensors.

    python -m research.weights.embedded.fit_words RENDERS PHOTOGRAPHS PANORAMAS CLOTHES [--scratch FOLDER]

RENDERS is package/assets of npm `@lobehub/fluent-emoji-3d` 1.1.0 (MIT), PHOTOGRAPHS usr/share/backgrounds/budgie of
Debian's budgie-backgrounds 3.0-1 (CC0), PANORAMAS package/ of npm `@pmndrs/assets` 1.7.0 (CC0), CLOTHES a folder of CC0
photographs of clothes. Needs `pip install OpenEXR`. About ten minutes on one core; SCRATCH keeps the images' features
and the prompts' vectors for the next run.
"""

from __future__ import annotations

import argparse
import re
import unicodedata
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from core.encoders.embedded.alignment import FILE, PREFIX
from core.encoders.embedded.encoder import EmbeddedEncoder
from core.encoders.embedded.pixel_cues import measure_cues
from research.weights.embedded import phrases, pictures, prompts
from research.weights.embedded.alignment import TEMPLATES
from research.weights.embedded.fit_alignment import write_parts
from research.weights.embedded.grounds import read_panoramas
from research.weights.embedded.words import fit_pictures, fit_texts

N_CUTOUTS = 1100
N_SCENES = 2600
N_CLOTHES = 800
N_PROMPTS = 20000
N_FREE = 11000
THRESHOLD = 0.1
"""Activations of texts below it count as 0: chosen between phrases left out of the fit and the accuracy over class
names."""
GENERAL_NOUNS = (
    *(
        "thing",
        "object",
        "person",
        "man",
        "woman",
        "scene",
        "animal",
        "bird",
        "fish",
        "vehicle",
        "car",
        "building",
        "house",
        "tree",
        "flower",
        "dress",
        "shirt",
        "shoe",
        "food",
        "face",
        "child",
        "dog",
        "cat",
    ),
    *("horse", "boat", "toy", "tool", "machine", "item", "subject"),
)
"""Each counts as six nouns."""
_SAYS_SOMETHING = re.compile(
    r"\b(seashore|coast|seacoast|sea-coast|lakeside|lakeshore|valley|vale|alp|cliff|drop|drop-off|sandbar|sand "
    r"bar|promontory|headland|head|foreland|reef|geyser|volcano|night|fog\w*|snow|snowy|snowflake|"
    r"snowman|rain|rainbow|sun\w*|cloud\w*|cit\w+|mountain\w*|desert|beach|wave|water|grass|forest|tree|dark|bright\w*|light|black|white|red|orange|yellow|green|blue|purple|small|large|building\w*|mist\w*|sea|"
    r"sky|moon|button|sign|symbol|square|circle|indoors|park|milky|umbrella|jungle|meadow|field|big|island)\b",
    re.I,
)
"""Names that speak of a place or condition are no examples of names that do not."""


def read_stock(renders: Path, photographs: Path, panoramas: Path) -> pictures.FitStock:
    """Cut-outs, photographs and panoramas of the fit."""
    files = sorted(renders.glob("*.webp"))
    cutouts: list[Image.Image] = []
    for i in np.random.default_rng(5).permutation(len(files))[:N_CUTOUTS]:
        cutout = Image.open(files[i]).convert("RGBA")
        box = cutout.getchannel("A").point([0] * 9 + [255] * 247).getbbox()
        if box:
            cutouts.append(cutout.crop(box))
    opened: dict[str, Image.Image] = {}
    for name in dict.fromkeys(name for name, _, _ in pictures.PHOTOGRAPHS):
        photo = Image.open(photographs / f"{name}.jpg")
        photo.draft("RGB", (1200, 1200))
        opened[name] = photo.convert("RGB")
        opened[name].thumbnail((1200, 1200))
    return pictures.FitStock(cutouts, opened, read_panoramas(panoramas))


def measure_pictures(stock: pictures.FitStock, clothes: list[Path]) -> dict[str, np.ndarray]:
    """Features, cues, labels and sources of the made images."""
    encoder = EmbeddedEncoder(alignment_file=None)
    features = []
    cues = []
    labels = []
    for image, known, _ in pictures.make_pictures(stock, clothes, N_SCENES, seed=0):
        batch = encoder.preprocess(image)[None]
        features.append(encoder.features(batch)[0])
        cues.append(measure_cues(batch)[0])
        labels.append(known)
    return {"features": np.array(features), "cues": np.array(cues), "labels": pictures.label_matrix(labels)}


def read_misleading_names() -> list[str]:
    """ImageNet's names that hold a word of a place or condition but name a thing, such as "water snake" and "red
    fox"."""
    from open_clip.zero_shot_metadata import IMAGENET_CLASSNAMES

    return [name for name in IMAGENET_CLASSNAMES if _SAYS_SOMETHING.search(name) and " " in name]


def read_nouns(renders: Path) -> list[str]:
    """ImageNet's names and synonyms and the names of the renders, less those that speak of a place or condition."""
    import timm.data
    from open_clip.zero_shot_metadata import IMAGENET_CLASSNAMES

    folder = Path(timm.data.__file__).parent / "_info"
    lemmas = dict(line.split("\t", 1) for line in (folder / "imagenet_synset_to_lemma.txt").read_text().splitlines())
    nouns = {
        *IMAGENET_CLASSNAMES,
        *(w.strip() for s in (folder / "imagenet_synsets.txt").read_text().split() for w in lemmas[s].split(",")[:3]),
    }
    for file in renders.glob("*.webp"):
        codes = [code for code in file.stem.split("-") if code != "fe0f"]
        name = unicodedata.name(chr(int(codes[0], 16)), "").lower() if len(codes) == 1 else ""
        if name and len(name.split()) <= 2:
            nouns.add(name)
    return sorted(noun for noun in nouns if not _SAYS_SOMETHING.search(noun)) + list(GENERAL_NOUNS) * 6


def embed_prompts(nouns: list[str]) -> dict[str, np.ndarray]:
    """Sentence vectors and activations of all prompts."""
    from core.encoders.embedded.minilm import embed_sentences

    texts, activations = prompts.make_prompts(nouns, phrases.PHRASES, N_PROMPTS, seed=1)
    free, nothing = prompts.make_free_prompts(nouns, N_FREE, seed=2)
    misleading = [template.format(name) for name in read_misleading_names() for template in TEMPLATES]
    no_more = np.zeros((len(misleading), activations.shape[1]), np.float32)
    return {
        "sentences": embed_sentences(texts + free + misleading),
        "activations": np.concatenate([activations, nothing, no_more]),
    }


def kept(file: Path | None, make: Callable[[], dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """What `make` gives, from the file if it is there."""
    if file and file.exists():
        return dict(np.load(file))
    made = make()
    if file:
        file.parent.mkdir(parents=True, exist_ok=True)
        np.savez(file, **made)  # type: ignore[arg-type]
    return made


def main(renders: Path, photographs: Path, panoramas: Path, clothes: Path, scratch: Path | None) -> None:
    """Fit both sides and write them into the file."""
    from safetensors.numpy import load_file

    files = sorted(clothes.rglob("*.jpg"))[:N_CLOTHES]
    seen = kept(
        scratch and scratch / "pictures.npz",
        lambda: measure_pictures(read_stock(renders, photographs, panoramas), files),
    )
    said = kept(scratch and scratch / "prompts.npz", lambda: embed_prompts(read_nouns(renders)))
    ordinary = np.arange(len(seen["features"])) % pictures.N_VERSIONS == 0
    words = fit_pictures(seen["features"], seen["cues"], seen["labels"], ordinary) | fit_texts(
        said["sentences"], said["activations"], THRESHOLD
    )
    parts = {name: array for name, array in load_file(FILE).items() if not name.startswith(PREFIX)}
    write_parts(parts | {PREFIX + name: array for name, array in words.items()}, FILE)
    print(
        f"{FILE.name}: {FILE.stat().st_size / 1e6:.2f} MB, words from {len(seen['features']):,} pictures and "
        f"{len(said['sentences']):,} prompts"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("renders", "photographs", "panoramas", "clothes"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--scratch", type=Path)
    given = parser.parse_args()
    main(given.renders, given.photographs, given.panoramas, given.clothes, given.scratch)
