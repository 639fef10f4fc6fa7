"""Errata: where does a model fail, why, and how sure are we?

    what the user brings ─► data ─► outcomes ──────────────────┐
                              │                                ├─► discovery ─► Diagnosis ─► checks ─► reports ─► cli
                              └─► encoders ─► embeddings ──────┘                                          └─► webapp
                                                  └─► language (phrases as directions)

    probes: samples and encoders ─► a loss for each sample, so the same diagnosis explains every probe
    composition: pictures and captions that belong together or do not ─► a score matrix an item ─► figures, and a margin
        for each sample; scenes draws such pictures with known truth
    training: small modules trained on an encoder's tokens, scored like any encoder

Data goes one way, left to right, and a file imports from rooms to its left (`tests/test_layering.py` holds the order).
`core` knows nothing of `webapp` or Gradio; the page and the command line are two faces of the same `core`. Start
reading at `core/diagnose.py`: it is the whole method on one screen. `core.records` holds the nouns. Nothing is
re-exported here, so `import core` is instant. It only switches the telemetry of other packages off, which must come
before they are imported.
"""

from core.telemetry import switch_off

switch_off()
