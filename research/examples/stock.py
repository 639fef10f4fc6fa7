"""What the shipped examples are made of: which cut-outs and photographs, in which part, and how to fetch them.

Cut-outs: npm `@lobehub/fluent-emoji-3d` (MIT). Photographs: Debian `budgie-backgrounds` (CC0). The training and the
audit part share neither a cut-out nor a photograph; look-alikes (dog and guide dog, ram and sheep, the two camels) lie
in the same part.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
from fnmatch import fnmatch
from pathlib import Path

from PIL import Image

from research.weights.univl.plans import Place

EMOJI_PACKAGE = "@lobehub/fluent-emoji-3d@1.1.0"
EMOJI_SHA256 = "c1bb7eee7de090205a232518a9ab4adb3df458bfbe8a1f78232991194c8b2e58"
PHOTO_PACKAGE = "budgie-backgrounds=3.0-1"
PHOTO_SHA256 = "b91c2d5209558bc11d8d3a161f22a608857e3f8c735980cfab0d6650b03014ca"

TRAINING = {
    "animal": "1f415 dog, 1f9ae guide dog, 1f402 ox, 1f403 water buffalo, 1f404 cow, 1f40f ram, 1f411 sheep, "
    "1f416 pig, 1f418 elephant, "
    "1f405 tiger, 1f993 zebra, 1f98f rhinoceros, 1f99b hippopotamus, 1f9ac bison, 1f9a1 badger, 1f999 llama, "
    "1f408 cat, 1f429 poodle, 1facf donkey",
    "bird": "1f413 rooster, 1f424 chick, 1f425 front-facing chick, 1f426 bird, 1f427 penguin, 1f9a4 dodo, "
    "1f9a9 flamingo, 1f986 duck, "
    "1f99a peacock, 1f54a-fe0f dove, 1f414 chicken, 1f989 owl, 1f983 turkey, 1f985 eagle",
    "boat": "1f6a2 ship, 1f6a3 rowing boat, 1f6f6 canoe, 1f6a4 speedboat, 1f6e5-fe0f motor boat",
    "book": "1f4d5 red book, 1f4d9 orange book, 1f4d6 open book, 1f4d2 ledger, 1f4da pile of books, "
    "1f4d4 decorated book",
    "car": "1f697 automobile, 1f693 police car, 1f691 ambulance, 1f690 minibus, 1f68c bus, "
    "1f69a delivery truck, 1f69c tractor, "
    "1f6fa auto rickshaw, 1f68e trolleybus",
    "fruit": "1f348 melon, 1f34a tangerine, 1f34e red apple, 1f352 cherries, 1f34c banana, 1f347 grapes, "
    "1f345 tomato, 1f96d mango, "
    "1f95d kiwi, 1f353 strawberry, 1f349 watermelon",
    "house": "1f3da-fe0f derelict house, 1f3e0 house, 1f3e1 house with garden, 1f3e3 post office, 1f3e5 hospital, "
    "1f3e8 hotel, 1f3e6 bank, "
    "1f3eb school, 1f3ec department store, 1f3ef pagoda, 1f492 wedding chapel",
    "smiley": "1f600 grinning smiley, 1f602 crying smiley, 1f605 sweating smiley, 1f606 squinting smiley, "
    "1f60a blushing smiley, "
    "1f60b licking smiley, 1f60e smiley in sunglasses, 1f610 neutral smiley, 1f612 unamused smiley, "
    "1f614 pensive smiley, "
    "1f616 confounded smiley, 1f618 kissing smiley, 1f974 woozy smiley, 1f970 smiley with hearts",
}
AUDIT = {
    "animal": "1f406 leopard, 1f40e horse, 1f410 goat, 1f98c deer, 1f992 giraffe, 1f42a dromedary, "
    "1f42b bactrian camel, 1f9a3 mammoth",
    "bird": "1f99c parrot, 1f9a2 swan, 1fabf goose",
    "boat": "1f6f3-fe0f passenger ship, 26f4-fe0f ferry, 26f5 sailing boat",
    "book": "1f4d7 green book, 1f4d8 blue book, 1f4d3 notebook",
    "car": "1f695 taxi, 1f699 sport utility vehicle, 1f692 fire engine, 1f6fb pickup truck, 1f69b lorry",
    "fruit": "1f34b lemon, 1f34d pineapple, 1f34f green apple, 1f350 pear, 1f351 peach",
    "house": "1f3e2 office, 1f3ea shop, 1f3ed factory, 1f3f0 castle, 26ea church",
    "smiley": "1f601 beaming smiley, 1f609 winking smiley, 1f60d smiley with heart eyes, 1f613 downcast smiley, "
    "1f615 confused smiley, "
    "1f971 yawning smiley",
}

TRAINING_PLACES = (
    Place("roman-colosseum", "city", aspect=16 / 9),
    Place("high-trestle-trail", "bridge", aspect=1.5),
    Place("casa-mila", "city", aspect=1.5),
    Place("piazza-gae-aulenti", "city", aspect=1.5),
    Place("oakland-zoo-otters", "river", (0.30, 0.0, 1.0, 0.33), 16 / 9),
    Place("oakland-zoo-otters", "river bank", (0.0, 0.62, 0.45, 1.0), 16 / 9),
    Place("perched-osprey", "forest", (0.42, 0.0, 1.0, 1.0), 16 / 9),
    Place("perched-osprey", "forest", (0.0, 0.0, 0.36, 1.0), 16 / 9),
    Place("canyon-wren", "rock", (0.0, 0.5, 1.0, 1.0), 16 / 9),
    Place("abstract-spiral", "building", aspect=16 / 9),
)
AUDIT_PLACES = (
    Place("singaporean-cityscape", "city", (0.0, 0.0, 1.0, 1.0), 16 / 9),
    Place("beacon-street-sunset", "city", (0.0, 0.0, 1.0, 1.0), 16 / 9),
    Place("lake-sherburne", "lake", (0.0, 0.10, 1.0, 1.0), 16 / 9),
    Place("tea-gardens", "meadow", (0.0, 0.2, 1.0, 1.0), 1.5),
    Place("blue-periwinkle", "flower bed", (0.0, 0.0, 1.0, 1.0), 1.5),
    Place("extreme-desert-hike", "desert", (0.0, 0.25, 1.0, 1.0), 1.5),
)


class StockError(Exception):
    """A source package is not what this script expects."""


def fetch(folder: Path) -> tuple[Path, Path]:
    """Download and unpack both packages below `folder` with npm and apt; (folder of cut-outs, folder of
    photographs)."""
    folder.mkdir(parents=True, exist_ok=True)
    archive = folder / "lobehub-fluent-emoji-3d-1.1.0.tgz"
    package = folder / "budgie-backgrounds_3.0-1_all.deb"
    if not archive.exists():
        subprocess.run(["npm", "pack", EMOJI_PACKAGE, "--silent"], cwd=folder, check=True)
    if not package.exists():
        subprocess.run(["apt-get", "download", PHOTO_PACKAGE], cwd=folder, check=True)
    for path, sha256 in ((archive, EMOJI_SHA256), (package, PHOTO_SHA256)):
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        if found != sha256:
            raise StockError(
                f"{path.name} must have the SHA-256 {sha256}: got {found}. Fetch the version that the script names."
            )
    subprocess.run(["tar", "-xzf", archive.name], cwd=folder, check=True)
    subprocess.run(["dpkg-deb", "-x", package.name, "budgie"], cwd=folder, check=True)
    if '"license": "MIT"' not in (folder / "package/package.json").read_text():
        raise StockError(
            "The cut-outs' package.json no longer says MIT. Look at its licence before anything is made of it."
        )
    return folder / "package/assets", folder / "budgie/usr/share/backgrounds/budgie"


def check_cc0(copyright_file: Path, photograph: str) -> None:
    """Raise unless the last stanza of the Debian copyright file that matches the photograph names CC0-1.0."""
    licence = "none"
    for stanza in re.split(r"\n\s*\n", copyright_file.read_text()):
        files = re.search(r"^Files:((?:.*\n?)(?:[ \t].*\n?)*)", stanza, re.M)
        named = re.search(r"^License:\s*(\S+)", stanza, re.M)
        path = f"backgrounds/{photograph}.jpg"
        if files and named and any(fnmatch(path, pattern) for pattern in files[1].split()):
            licence = named[1]
    if licence != "CC0-1.0":
        raise StockError(
            f"The photograph {photograph!r} must be CC0-1.0: its copyright file says {licence}. "
            "Leave it out of the places."
        )


def identities(part: dict[str, str]) -> dict[str, dict[str, str]]:
    """For each label the names of its cut-outs, and the code points that are their file names."""
    pairs = {label: [entry.strip().split(" ", 1) for entry in text.split(",")] for label, text in part.items()}
    return {label: {name: code for code, name in found} for label, found in pairs.items()}


def read_cutouts(part: dict[str, str], folder: Path) -> dict[str, Image.Image]:
    """RGBA cut-outs by name."""
    codes = {name: code for found in identities(part).values() for name, code in found.items()}
    return {name: Image.open(folder / f"{code}.webp").convert("RGBA") for name, code in codes.items()}


def read_photographs(places: tuple[Place, ...], folder: Path, *, width: int) -> dict[str, Image.Image]:
    """RGB photographs by name, `width` pixels wide at most."""
    copyright_file = folder.parents[1] / "doc/budgie-backgrounds/copyright"
    found: dict[str, Image.Image] = {}
    for name in dict.fromkeys(place.photograph for place in places):
        check_cc0(copyright_file, name)
        with Image.open(folder / f"{name}.jpg") as photograph:
            photograph.draft("RGB", (width, width))
            found[name] = photograph.convert("RGB")
            found[name].thumbnail((width, width), Image.Resampling.LANCZOS)
    return found
