"""Questions and captions: a T5 that sees answers, describes and points, with every task as text."""

from __future__ import annotations

from core.systems.contract import Panel, System

SYSTEM = System(
    "vl_t5",
    "Cho et al. 2021, arXiv 2102.02779",
    commands={"answers": "core.systems.vl_t5.commands"},
    panels=(
        Panel("ask", "captions", "webapp.systems.vl_t5.captions:build"),
        Panel("ask", "questions", "webapp.systems.vl_t5.questions:build"),
    ),
    extra="language",
)
