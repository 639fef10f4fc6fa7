"""LabelDesc: classes and tags recognized by their descriptions alone."""

from __future__ import annotations

from core.systems.contract import Panel, System

SYSTEM = System(
    "label_descriptions",
    "Gao, Ghosh and Gimpel 2023, arXiv 2305.02239",
    commands={"tag": "core.systems.label_descriptions.commands", "learn": "core.systems.label_descriptions.commands"},
    panels=(Panel("ask", "tags", "webapp.systems.label_descriptions.panel:build"),),
    extra="language",
)
