"""Visual words: a dictionary of image cells, fitted on a run's images, and which of its words go with errors."""

from __future__ import annotations

from core.systems.contract import Panel, System

SYSTEM = System(
    "visual_words",
    "Huang et al. 2021 (SOHO), arXiv 2104.03135",
    commands={"visual-words": "core.systems.visual_words.commands", "pretrain": "core.systems.visual_words.commands"},
    panels=(Panel("ask", "visual words", "webapp.systems.visual_words.panel:build"),),
)
