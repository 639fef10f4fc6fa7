"""A small T5 trained on labels and reasons, after "Distilling step-by-step" (Hsieh et al., Findings of ACL
2023, arXiv 2305.02301)."""

from __future__ import annotations

from core.systems.contract import System

SYSTEM = System(
    "step_by_step",
    "Hsieh et al. 2023, arXiv 2305.02301",
    commands={"steps": "core.systems.step_by_step.commands", "reason": "core.systems.step_by_step.commands"},
    extra="language",
)
