"""Does a model tell "a red cube and a blue sphere" from the swap? Benchmarks of composition, their scores, and what
they say.

    benchmark file ─► Benchmark ─► LoadedBenchmark ─► one score matrix an item ─► CompositionResult ─► comparison,
                      readers      images           scoring, adapters           measures            diagnosis, report

Everything that is scored is an `Item`: some images, some captions, and which belong together.
"""

from __future__ import annotations

from core.systems.contract import Option, Panel, System

SYSTEM = System(
    "composition",
    "Cola (Ray et al. 2023, arXiv 2305.03689) and its relatives",
    commands={"compose": "core.systems.composition.commands.compose"},
    options=(
        Option(
            "ask",
            "--rerank DIR",
            "re-rank the best 50 matches with this adapter; the set of matches stays",
            check="core.systems.composition.training.rerank:check_adapter",
            change="core.systems.composition.training.rerank:reorder",
            json_key="reranked",
        ),
    ),
    panels=(Panel("probe", "compose", "webapp.systems.composition.tab:build", "Composition"),),
    sections="core.systems.composition.failures.section:sections",
    endpoints="webapp.systems.composition.endpoints:build",
    records="core.systems.composition.records",
)
