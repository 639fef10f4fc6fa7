"""What is not the diagnosis: one folder a system, and in it everything about it but its page.

`contract.py` says what a system may bring; `common/` holds what several share. Each signs on by a `SYSTEM` in its
`__init__.py` and a line here.
"""

SYSTEMS = (
    "core.systems.label_descriptions:SYSTEM",
    "core.systems.visual_words:SYSTEM",
    "core.systems.vl_t5:SYSTEM",
    "core.systems.neuralizer:SYSTEM",
    "core.systems.univl:SYSTEM",
    "core.systems.probes:SYSTEM",
    "core.systems.composition:SYSTEM",
    "core.systems.peers:SYSTEM",
    "core.systems.proposer:SYSTEM",
    "core.systems.tinybert:SYSTEM",
    "core.systems.step_by_step:SYSTEM",
    "core.systems.shards:SYSTEM",
)
"""In the order in which their parts stand on the page and in the report."""
