"""UniVL: texts and clips in one network."""

from __future__ import annotations

from core.systems.contract import System

SYSTEM = System("univl", "Luo et al. 2020, arXiv 2002.06353", commands={"retrieve": "core.systems.univl.commands"})
