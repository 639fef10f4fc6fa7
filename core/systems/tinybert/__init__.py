"""Distillation of a BERT into a smaller one, after TinyBERT (Jiao et al., Findings of EMNLP 2020, arXiv 1909.10351)."""

from __future__ import annotations

from core.systems.contract import System

SYSTEM = System(
    "tinybert",
    "Jiao et al. 2020, arXiv 1909.10351",
    commands={"distil": "core.systems.tinybert.commands", "classify": "core.systems.tinybert.commands"},
    extra="language",
)
