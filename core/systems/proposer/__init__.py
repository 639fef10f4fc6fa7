"""Words proposed by an assistant or a chat model, and tested on samples that it was not shown."""

from __future__ import annotations

from core.systems.contract import System

SYSTEM = System(
    "proposer",
    "VisDiff: Dunlap et al. 2024, arXiv 2312.02974",
    commands={"propose": "core.systems.proposer.commands"},
    methods={"propose": "core.systems.proposer.from_python:propose"},
    sections="core.systems.proposer.wording:sections",
    documents={"proposals": "core.systems.proposer.wording:proposals_document"},
    endpoints="webapp.systems.proposer.endpoints:build",
    records="core.systems.proposer.records",
)
