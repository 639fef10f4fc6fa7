"""A data set in many files, too large for one machine: workers read its parts, a sample is searched for failures, and
the clusters are checked on all other rows."""

from __future__ import annotations

from core.systems.contract import System

SYSTEM = System("shards", commands={"shards": "core.systems.shards.commands"})
