"""Where Chromium is and how the tests start it."""

from __future__ import annotations

import os
import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM = os.environ.get("ERRATA_CHROMIUM") or next((found for name in NAMES if (found := shutil.which(name))), None)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WEBGL = ["--enable-unsafe-swiftshader"]
"""WebGL drawn in software, on a machine without a display; the page round it is drawn without a graphics card."""
DRAWING = ["--use-gl=angle", "--use-angle=swiftshader", *WEBGL]
"""All of the page through a graphics card made of software: what a frame costs a card, and three times the work."""
