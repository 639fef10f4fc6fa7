"""A data set in many files, too large for one machine: its parts are read by workers, its failures are searched in a
sample, and what was found is tried on all other rows."""

from __future__ import annotations

from core.systems.contract import System

SYSTEM = System("shards", commands={"shards": "core.systems.shards.commands"})
