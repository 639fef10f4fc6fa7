"""Probes by name: classifiers that never saw the user's training set. The table names each leaf as "module:Class",
loaded on request."""

from __future__ import annotations

from core.registry import Registry

PROBES = Registry(
    "probe",
    {
        "zero-shot": "core.systems.probes.zero_shot.probe:ZeroShot",
        "label-desc": "core.systems.probes.zero_shot.label_descriptions:DescribedLabels",
        "sus-x": "core.systems.probes.few_shot.sus_x:SusX",
        "transclip": "core.systems.probes.few_shot.transclip:TransClip",
        "lp++": "core.systems.probes.few_shot.lp_plus_plus:LinearProbePlusPlus",
        "prolip": "core.systems.probes.few_shot.prolip:ProLip",
        "tip-adapter": "core.systems.probes.few_shot.tip_adapter:TipAdapter",
        "linear-probe": "core.systems.probes.few_shot.linear_probe:LinearProbe",
        "coop": "core.systems.probes.prompt_learning.coop:CoOp",
        "cocoop": "core.systems.probes.prompt_learning.cocoop:CoCoOp",
    },
)
probe_class, make_probe = PROBES.load, PROBES.make
