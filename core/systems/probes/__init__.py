"""Probes by name: classifiers that never saw the user's training set. The table names each leaf as "module:Class",
loaded on request."""

from __future__ import annotations

from core.registry import Registry
from core.systems.contract import Panel, System

PROBES = Registry(
    "probe",
    {
        "zero-shot": "core.systems.probes.zero_shot.probe:ZeroShot",
        "label-desc": "core.systems.probes.zero_shot.label_descriptions:DescribedLabels",
        "sus-x": "core.systems.probes.few_shot.sus_x:SusX",
        "lp++": "core.systems.probes.few_shot.lp_plus_plus:LinearProbePlusPlus",
        "tip-adapter": "core.systems.probes.few_shot.tip_adapter:TipAdapter",
        "linear-probe": "core.systems.probes.few_shot.linear_probe:LinearProbe",
        "coop": "core.systems.probes.prompt_learning.coop:CoOp",
        "cocoop": "core.systems.probes.prompt_learning.cocoop:CoCoOp",
    },
)
probe_class = PROBES.load
make_probe = PROBES.make

SYSTEM = System(
    "probes",
    "SuS-X (Udandarao et al. 2023, arXiv 2211.16198), CoOp (Zhou et al. 2022, arXiv 2109.01134), CoCoOp (Zhou et al. "
    "2022, arXiv 2203.05557)",
    commands={"probes": "core.systems.probes.commands", "probe": "core.systems.probes.commands"},
    methods={"probe": "core.systems.probes.from_python:probe"},
    panels=(Panel("probe", "probe", "webapp.systems.probes.tab:build", "Classes"),),
    sections="core.systems.probes.section:sections",
    documents={
        "probes": "core.systems.probes.tables:probes_document",
        "shot_curves": "core.systems.probes.tables:shot_curves_document",
    },
    tables={"probes": "core.systems.probes.tables:probes_table"},
    figures={"reliability": "core.systems.probes.figures:reliability", "shots": "core.systems.probes.figures:shots"},
    second_opinion="core.systems.probes.at_once:zero_shot_count",
    endpoints="webapp.systems.probes.endpoints:build",
    records="core.systems.probes.records",
)
