"""Errata: where does a model fail, why, and how sure are we?

    what the user brings ─► data ─► outcomes ──────────────────┐
                              │                                ├─► discovery ─► Diagnosis ─► checks ─► reports ─► cli
                              └─► encoders ─► embeddings ──────┘                                          └─► webapp
                                                  └─► language (phrases as directions)

The kernel is everything here but `systems`: from a table of losses to tested, named and predicted failures. Start at
`core/diagnose.py`, which is the whole method on one screen; `core.records` holds the nouns, `core.statistics` the tests
that every p comes from, and `core.store` keeps runs on disk.

`core.systems` holds what is not the diagnosis, each system whole in one folder (docs/systems.md). Systems import the
kernel; the kernel imports none of them and asks for their parts by name (`extensions.py`). `tests/test_layering.py`
holds that, and the order of the kernel's own folders: data goes one way, left to right, and a file imports from what
stands to its left.

`core` knows nothing of `webapp` or Gradio; the page and the command line are two faces of the same `core`. What made
the weights and the figures is in `research`, which is not installed. Nothing is re-exported here, so `import core` is
instant. It only switches the telemetry of other packages off, which must come before they are imported.
"""

from core.telemetry import switch_off

switch_off()
