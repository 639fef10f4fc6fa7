"""The grounds of the images that the words are fitted on: photographs, panoramas, and any of them under snow."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageFilter

from core.records import F32

SIDE = 256
Rng = np.random.Generator

PHOTOGRAPHS: tuple[tuple[str, str, tuple[float, float, float, float]], ...] = (
    ("beacon-street-sunset", "city", (0.0, 0.2, 1.0, 1.0)),
    ("casa-mila", "city", (0.0, 0.0, 1.0, 1.0)),
    ("extreme-desert-hike", "sand", (0.0, 0.45, 1.0, 1.0)),
    ("extreme-desert-hike", "sand", (0.3, 0.3, 1.0, 1.0)),
    ("extreme-desert-hike", "sky", (0.0, 0.0, 1.0, 0.45)),
    ("lake-sherburne", "water", (0.0, 0.6, 1.0, 1.0)),
    ("lake-sherburne", "water", (0.0, 0.4, 1.0, 1.0)),
    ("lake-sherburne", "mountains", (0.0, 0.1, 1.0, 0.75)),
    ("oakland-zoo-otters", "water", (0.4, 0.0, 1.0, 0.4)),
    ("oakland-zoo-otters", "sand", (0.0, 0.62, 0.45, 1.0)),
    ("perched-osprey", "forest", (0.42, 0.0, 1.0, 1.0)),
    ("perched-osprey", "forest", (0.0, 0.0, 0.36, 1.0)),
    ("tea-gardens", "grass", (0.0, 0.45, 1.0, 1.0)),
    ("tea-gardens", "grass", (0.0, 0.3, 1.0, 1.0)),
    ("canyon-wren", "mountains", (0.0, 0.4, 1.0, 1.0)),
    ("canyon-wren", "sky", (0.0, 0.0, 0.3, 0.45)),
    ("ocean-waves", "water", (0.0, 0.35, 1.0, 1.0)),
    ("blue-periwinkle", "", (0.0, 0.0, 1.0, 1.0)),
    ("high-trestle-trail", "", (0.0, 0.0, 1.0, 1.0)),
    ("abstract-spiral", "", (0.0, 0.0, 1.0, 1.0)),
)
"""Photograph, what this part of it shows ("" for none of the places), and the part as shares of width and height."""
PANORAMAS: tuple[tuple[str, str, tuple[float, float]], ...] = (
    *(
        (name, "indoors", (-25, 20))
        for name in ("apartment", "esplanade", "hall", "lab", "lobby", "studio", "warehouse", "workshop", "bridge")
    ),
    *((name, "city", (-10, 15)) for name in ("city", "sunset", "venice")),
    *((name, "grass", (-40, -5)) for name in ("park", "sunrise", "night")),
    *((name, "sky", (35, 70)) for name in ("park", "sunrise", "city", "dawn")),
    ("sky", "sky", (10, 60)),
    ("sky", "water", (-35, -12)),
    ("venice", "water", (-12, 0)),
    ("forest", "forest", (-25, 20)),
    ("dawn", "sand", (-40, -5)),
)
"""Panorama, place, and the pitch of the camera from and to, degrees."""
WATER_YAW = 105.0


def read_panoramas(archive_folder: Path) -> dict[str, F32]:
    """(h, w, 3) tone-mapped panoramas in [0, 1] by name, of the unpacked npm package. Needs `pip install OpenEXR`."""
    import OpenEXR  # pyright: ignore

    found: dict[str, F32] = {}
    for file in sorted((archive_folder / "hdri").glob("*.exr.js")):
        encoded = re.search(r"base64,([^']+)'", file.read_text())
        assert encoded
        scratch = archive_folder / "hdri" / f"{file.name.split('.')[0]}.exr"
        scratch.write_bytes(base64.b64decode(encoded[1]))
        channels: Any = OpenEXR.File(str(scratch)).channels()
        light = channels["RGB"].pixels if "RGB" in channels else np.stack([channels[c].pixels for c in "RGB"], -1)
        light = np.maximum(np.nan_to_num(light.astype(np.float32)), 0)
        light *= 0.22 / np.exp(np.log(light.mean(2) + 1e-3).mean())
        found[file.name.split(".")[0]] = (np.clip(light * (1 + light / 9) / (1 + light), 0, 1) ** (1 / 2.2)).astype(
            np.float32
        )
    return found


def look(panorama: F32, yaw: float, pitch: float, view: float, side: int = SIDE) -> Image.Image:
    """A flat view into an equirectangular panorama; angles in degrees."""
    from scipy.ndimage import map_coordinates

    reach = np.tan(np.deg2rad(view) / 2)
    across, up = np.meshgrid(np.linspace(-reach, reach, side), np.linspace(reach, -reach, side))
    tilt = np.deg2rad(pitch)
    turn = np.deg2rad(yaw)
    y = up * np.cos(tilt) + np.sin(tilt)
    z = np.cos(tilt) - up * np.sin(tilt)
    longitude = np.arctan2(across, z) + turn
    latitude = np.arctan2(y, np.hypot(across, z))
    height, width = panorama.shape[:2]
    rows = (0.5 - latitude / np.pi) * height - 0.5
    columns = (longitude / (2 * np.pi)) % 1 * width - 0.5
    planes = [map_coordinates(panorama[..., c], [rows, columns], order=1, mode="grid-wrap") for c in range(3)]
    return Image.fromarray((np.stack(planes, -1).clip(0, 1) * 255).astype(np.uint8))


def snowed(ground: Image.Image, rng: Rng) -> Image.Image:
    """The ground under snow: bright, nearly colorless, its relief kept."""
    luma = np.asarray(ground.convert("L"), np.float32)
    smooth = np.asarray(ground.convert("L").filter(ImageFilter.GaussianBlur(12)), np.float32)
    relief = (luma - smooth) * rng.uniform(0.4, 0.9) + (smooth - smooth.mean()) * rng.uniform(0.1, 0.35)
    level = rng.uniform(195, 232)
    cold = np.array([-6, -1, 6], np.float32) * rng.uniform(0, 1.6)
    return Image.fromarray(np.clip(level + relief[..., None] + cold, 0, 255).astype(np.uint8))
