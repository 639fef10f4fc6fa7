"""Errata: find where a model fails, why, and with what confidence.

    the user's input ─────► data ─► outcomes ──────────────────┐
                              │                                ├─► discovery ─► Diagnosis ─► checks ─► reports ─► cli
                              └─► encoders ─► embeddings ──────┘                                          └─► webapp
                                                  └─► language (phrases as directions)

The kernel is everything here except `systems`: from a table of losses to tested, named and predicted errors. Start at
`core/diagnose.py`, which shows the whole method; `core.records` defines the records, `core.statistics` the tests behind
every p-value, and `core.store` stores runs on disk.

`core.systems` holds methods beside the diagnosis, one folder per system (docs/systems.md). Systems import the kernel;
the kernel imports no system and looks up their parts by name (`extensions.py`). `tests/test_layering.py` checks this,
and the order of the kernel's folders: data flows from left to right, and a file imports only from folders to its left.

`core` does not import `webapp` or Gradio; the page and the command line share the same `core`. The code that made the
weights and figures is in `research`, which is not installed. Nothing is re-exported here, so `import core` is instant.
It only switches off the telemetry of other packages, which must happen before they are imported.
"""

from core.telemetry import switch_off

switch_off()
