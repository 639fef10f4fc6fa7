"""Neuralizer: one network that segments, corrects and rebuilds a scan from a few examples."""

from __future__ import annotations

from core.systems.contract import EncoderKind, Panel, System

SYSTEM = System(
    "neuralizer",
    "Czolbe and Dalca 2023, arXiv 2305.02644",
    commands={
        "correct": "core.systems.neuralizer.corrections.commands",
        "reference": "core.systems.neuralizer.reference.commands",
    },
    panels=(
        Panel("ask", "why", "webapp.systems.neuralizer.why:build"),
        Panel("ask", "reference", "webapp.systems.neuralizer.reference:build"),
    ),
    sections="core.systems.neuralizer.reference.section:sections",
    encoders={
        "neuralizer": EncoderKind(
            "core.systems.neuralizer.encoder:NeuralizerEncoder",
            "neuralizer",
            "A small network for scans of heads, trained in context on drawn ones. It sees contrast, noise and anatomy "
            "and knows no words; neuralizer:FOLDER loads another.",
            ("torch", "nibabel"),
            comes_with="scan",
        )
    },
    extra="scans",
)
