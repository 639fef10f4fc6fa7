"""Slices of other published engines on a run."""

from __future__ import annotations

from core.systems.contract import Panel, System

SYSTEM = System(
    "peers",
    commands={"peers": "core.systems.peers.commands"},
    panels=(Panel("findings", "peers", "webapp.systems.peers.panel:build", "Other engines"),),
)
